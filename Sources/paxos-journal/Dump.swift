import ArgumentParser
import CPaxosHost
import Foundation

/// `paxos-journal dump`: its records, one a line.
struct Dump: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the records, one a line, each group's in the order of their lsn.",
        discussion: """
            A ballot is printed as round.node. Values are cut; with --json they are whole, in \
            base64, and ballots are numbers.
            """)

    @OptionGroup var place: Place

    @Option(help: "Only this group.")
    var group: UInt32?

    @Option(help: "Only from this lsn on.")
    var from: UInt64 = 1

    @Flag(help: "One JSON object a line.")
    var json = false

    func run() throws {
        let journal = try place.open()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var output = Output()
        while let record = journal.next() {
            if record.lsn < from || record.group != group ?? record.group { continue }
            if json {
                let object = try encoder.encode(RecordObject(record))
                output.line(String(decoding: object, as: UTF8.self))
            } else {
                output.line(RecordText.line(record))
            }
        }
        output.flush()
    }
}

/// A record for a person.
enum RecordText {
    private static let values = 3
    private static let valueBytes = 24

    static func line(_ record: Record) -> String {
        var words = ["group \(record.group)", "lsn \(record.lsn)", record.kind]
        if record.frame.ballot != 0 { words.append("ballot \(ballot(record.frame.ballot))") }
        if let slots = record.slots {
            words.append(
                slots.count == 1
                    ? "slot \(slots.lowerBound)" : "slots \(slots.lowerBound)..\(slots.upperBound)")
        }
        words.append("promise \(ballot(record.frame.other))")
        words.append("decided \(record.frame.watermark)")
        words.append("trimmed \(record.frame.trim)")
        if record.abstains { words.append("abstains") }
        if record.hasEntries { words.append(record.isWhole ? texts(record.entries) : "DAMAGED") }
        return words.joined(separator: "  ")
    }

    private static func texts(_ entries: [Record.Entry]) -> String {
        var texts = entries.prefix(values).map { entry in
            entry.kind == "command" ? text(entry.value) : entry.kind
        }
        if entries.count > values { texts.append("... \(entries.count - values) more") }
        return texts.joined(separator: " ")
    }

    /// Printable ASCII as it is, all else as \xNN, and no longer than a line can bear.
    private static func text(_ value: UnsafeBufferPointer<UInt8>) -> String {
        var text = "\""
        for byte in value.prefix(valueBytes) {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                text += "\\" + String(UnicodeScalar(byte))
            case 0x20..<0x7F: text += String(UnicodeScalar(byte))
            default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return text + (value.count > valueBytes ? "\"... \(value.count) bytes" : "\"")
    }
}

/// A record for a program.
struct RecordObject: Encodable {
    let group: UInt32
    let lsn: UInt64
    let kind: String
    let ballot: UInt64
    let slot: UInt64
    let count: UInt32
    let promise: UInt64
    let decided: UInt64
    let trimmed: UInt64
    let abstains: Bool
    let segment: UInt64
    let offset: UInt64
    let damaged: Bool
    let entries: [EntryObject]

    struct EntryObject: Encodable {
        let slot: UInt64
        let kind: String
        let node: UInt16
        let incarnation: UInt32
        let number: UInt64
        let value: Data
    }

    init(_ record: Record) {
        group = record.group
        lsn = record.lsn
        kind = record.kind
        ballot = record.frame.ballot
        slot = record.frame.slot
        count = record.frame.count
        promise = record.frame.other
        decided = record.frame.watermark
        trimmed = record.frame.trim
        abstains = record.abstains
        segment = record.segment
        offset = record.offset
        damaged = !record.isWhole
        entries = record.entries.map { entry in
            EntryObject(
                slot: entry.slot, kind: entry.kind, node: entry.header.node,
                incarnation: entry.header.incarnation, number: entry.header.number,
                value: Data(entry.value))
        }
    }
}
