import CPaxos
import CPaxosHost
import Foundation
import Testing

/// The examples of JOURNAL.md, read from the page.
struct PageTests {
    let directory: Directory
    private let golden: [String: [Int: Bytes]]

    init() throws {
        directory = try Directory()
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = root.appendingPathComponent("CSources/CPaxosHost/JOURNAL.md")
        golden = Self.examples(try String(contentsOf: page, encoding: .utf8))
    }

    private static func examples(_ page: String) -> [String: [Int: Bytes]] {
        var found: [String: [Int: Bytes]] = [:]
        var name: String?
        for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```golden ") {
                name = String(line.dropFirst("```golden ".count))
            } else if line == "```" {
                name = nil
            } else if let name {
                let parts = line.split(separator: ":")
                let row = parts[1].split(separator: " ").map { UInt8($0, radix: 16)! }
                found[name, default: [:]][Int(parts[0], radix: 16)!] = row
            }
        }
        return found
    }

    /// Zeros, but for the rows of the examples.
    private func image(_ names: [String], byteCount: Int) throws -> Bytes {
        var bytes = Bytes(repeating: 0, count: byteCount)
        for name in names {
            for (offset, row) in try #require(golden[name]) {
                bytes.replaceSubrange(offset..<offset + 16, with: row)
            }
        }
        return bytes
    }

    private func make(_ journal: Bytes) throws {
        try FileManager.default.createDirectory(
            atPath: directory.file("j"), withIntermediateDirectories: false)
        let superblock = try image(["superblock"], byteCount: 3 * 4096)
        try Data(superblock).write(to: URL(fileURLWithPath: directory.file("j/superblock")))
        try Data(journal).write(to: URL(fileURLWithPath: directory.file("j/journal")))
    }

    private let promised: Bytes = makeHeader(1, slot: 0, body: []) {
        $0.kind = UInt8(PAXOS_RECORD_PROMISED.rawValue)
        ($0.ballot, $0.other) = (0x50002, 0x50002)
    }

    @Test("a journal of the page's bytes is read: its shape, its two records")
    func page_isRead() throws {
        try make(try image(["table", "records"], byteCount: 3 << 16))
        let journal = try OpenJournal(directory.file("j"), readOnly: true)
        let report = journal.report
        #expect(report.node == 1 && report.cluster == 0xC1057E2 && report.superblock_copies == 2)
        #expect(report.segment_bytes == 1 << 16 && report.segment_count == 3)
        #expect(report.batch_bytes_max == 1 << 14 && report.groups_max == 2)
        let records = journal.readAll()
        #expect(journal.report.damages == 0 && journal.report.batches_found == 2)
        #expect(records.map(\.lsn) == [1, 2] && records.map(\.group) == [7, 7])
        #expect(records.map(\.kind) == [64, 65] && records.map(\.body.count) == [0, 56])
        #expect(records.map(\.offset) == [0x1200, 0x1260])
        let group = journal.group(7)
        #expect(group.first_lsn == 1 && group.last_lsn == 2 && group.acknowledged_lsn == 2)
    }

    @Test("the page's records, appended and flushed, are the page's bytes")
    func page_isWritten() throws {
        try make(Bytes(repeating: 0, count: 3 << 16))
        let expected = try image(["table", "records"], byteCount: 3 << 16)
        do {
            let journal = try OpenJournal(directory.file("j"))
            #expect(journal.readAll().isEmpty)
            let entries = Bytes(expected[0x11260..<0x112C0])
            let body = Bytes(expected[0x112C0..<0x112F8])
            #expect(promised == Bytes(expected[0x11200..<0x11260]))
            #expect(paxos_journal_append(journal.journal, promised, 96, nil, 0) == PAXOS_JOURNAL_OK)
            #expect(
                paxos_journal_append(journal.journal, entries, 96, body, 56) == PAXOS_JOURNAL_OK)
            #expect(journal.flush() == PAXOS_JOURNAL_OK)
        }
        #expect(try directory.read("j/journal") == expected)
    }
}
