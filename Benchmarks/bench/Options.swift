import ArgumentParser
import CPaxosHost
import Foundation

/// A list of sizes or counts, as `64,1K`.
struct NumberList: Equatable {
    let numbers: [Int]

    /// Each element may carry a unit of libbsd's `expand_number`.
    init(_ text: String, max: UInt64) throws {
        numbers = try text.split(separator: ",", omittingEmptySubsequences: false).map {
            try Parse.size(String($0), min: 1, max: max)
        }
    }
}

/// Texts of the command line into numbers, with libbsd's words where they are refused.
enum Parse {
    static func size(_ text: String, min: UInt64, max: UInt64) throws -> Int {
        var bytes: UInt64 = 0
        if let why = paxos_host_size(text, min, max, &bytes) {
            throw ValidationError("'\(text)' is \(String(cString: why)) (\(min) to \(max))")
        }
        return Int(bytes)
    }

    static func number(_ text: String, min: Int64, max: Int64) throws -> Int64 {
        var number: Int64 = 0
        if let why = paxos_host_number(text, min, max, &number) {
            throw ValidationError("'\(text)' is \(String(cString: why)) (\(min) to \(max))")
        }
        return number
    }

    static func seed(_ text: String) throws -> UInt64 {
        UInt64(try number(text, min: 0, max: .max))
    }
}

/// Limits of what may be asked for on the command line.
enum Limits {
    static let valueBytes: UInt64 = 1 << 20
    static let batch: UInt64 = 4096
    /// One batch of entries; a leader's pipeline holds it in an arena three times as large.
    static let batchBytes = 64 << 20
    static let seconds = 0.01...600.0
    static let kills: (Int64, Int64) = (8, 10_000)
    static let journalBytes: (UInt64, UInt64) = (64 << 20, 64 << 30)
}

/// Which suites, in which shapes.
struct Selection: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Value sizes of the suites that have one, as 64,1K.", valueName: "sizes"),
        transform: { try NumberList($0, max: Limits.valueBytes) })
    var values: NumberList?

    @Option(
        help: ArgumentHelp("Batches of the suites that have one, as 1,64.", valueName: "counts"),
        transform: { try NumberList($0, max: Limits.batch) })
    var batch: NumberList?

    @Option(help: "Seed of the values' bytes and of the delays.", transform: Parse.seed)
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Where the suites that flush make their files.", valueName: "path"))
    var directory = FileManager.default.temporaryDirectory.path

    @Option(
        help: ArgumentHelp(
            """
            Size of the journals that are recovered or caught up from, as 2G; 128M for \
            journal.recover, 512M for node.catchup and 1G for node.recover if it is not given.
            """, valueName: "bytes"),
        transform: { try Parse.size($0, min: Limits.journalBytes.0, max: Limits.journalBytes.1) })
    var journal: Int?

    @Option(
        help: ArgumentHelp("Leaders that node.failover kills in all.", valueName: "count"),
        transform: { Int(try Parse.number($0, min: Limits.kills.0, max: Limits.kills.1)) })
    var kills = 8

    mutating func validate() throws {
        let value = values?.numbers.max() ?? 0
        let count = batch?.numbers.max() ?? 0
        if value * count > Limits.batchBytes {
            throw ValidationError("the largest value times the largest batch is over 64M")
        }
    }
}
