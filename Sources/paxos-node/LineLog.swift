import Foundation
import Paxos

/// The state machine: the lines, each once, on standard output and in a file.
///
/// The file is text: "SLOT SESSION NUMBER TEXT" for each line, and "SLOT" alone where a batch ended
/// behind its last line. It is flushed before a slot counts as durable; what a crash left behind
/// the last whole line is cut off when it is opened.
struct LineLog: StateMachine {
    private(set) var durableSlot: UInt64 = 0
    private let file: Int32?
    private var seen: [UInt64: Seen] = [:]
    /// Lines found in the file, to be printed.
    private var found: [UInt8] = []

    /// - Parameter path: of the file; `nil`: there is none.
    init(path: String?) throws {
        guard let path else {
            file = nil
            return
        }
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw SystemError(path) }
        file = descriptor
        guard let contents = FileManager.default.contents(atPath: path) else {
            throw SystemError(path)
        }
        let whole = load(Array(contents))
        guard ftruncate(descriptor, off_t(whole)) == 0, lseek(descriptor, 0, SEEK_END) >= 0,
            fsync(descriptor) == 0
        else { throw SystemError(path) }
        try flushName(of: path)
    }

    /// Takes the whole lines of the file; returns their length.
    private mutating func load(_ contents: [UInt8]) -> Int {
        var start = 0
        while let end = contents[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let fields = contents[start..<end].split(
                separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
            let numbers = fields.prefix(3).compactMap {
                UInt64(String(decoding: $0, as: UTF8.self))
            }
            let isWhole = fields.count == 1 || fields.count == 4
            guard isWhole, numbers.count == min(fields.count, 3) else { return start }
            durableSlot = numbers[0]
            if fields.count == 4, seen[numbers[1], default: Seen()].insert(numbers[2]) {
                found += fields[3] + [UInt8(ascii: "\n")]
            }
            start = end + 1
        }
        return start
    }

    /// Prints the lines of earlier lives.
    mutating func printAll() throws {
        try write(found, to: STDOUT_FILENO)
        found = []
    }

    mutating func apply(_ batch: Replica.Batch) throws {
        var records: [UInt8] = []
        var lines: [UInt8] = []
        batch.forEach { delivery in
            guard let line = delivery.withUnsafeBytes({ Line(value: $0) }),
                seen[line.session, default: Seen()].insert(line.number)
            else { return }
            records += "\(delivery.slot) \(line.session) \(line.number) ".utf8
            records += line.text + [UInt8(ascii: "\n")]
            lines += line.text + [UInt8(ascii: "\n")]
        }
        records += "\(batch.slots.upperBound)\n".utf8
        if let file {
            try write(records, to: file)
            guard fdatasync(file) == 0 else { throw SystemError("the file of lines") }
        }
        durableSlot = batch.slots.upperBound
        try write(lines, to: STDOUT_FILENO)
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { bytes in
                Foundation.write(descriptor, bytes.baseAddress, bytes.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw SystemError("output") }
            rest = rest.dropFirst(count)
        }
    }
}

/// Makes the name of a file or directory durable: without one it is lost with all that it was given.
func flushName(of path: String) throws {
    let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError(directory) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw SystemError(directory) }
}

/// What the system refused.
struct SystemError: Error, CustomStringConvertible {
    let description: String

    init(_ what: String) { description = "\(what): \(String(cString: strerror(errno)))" }
}
