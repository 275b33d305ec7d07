import CPaxos
import CPaxosHost
import Foundation
import Testing

/// Journals that were written by this version and by those before it, kept in Tests/Samples: every
/// later version reads all of them.
struct SampleTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Samples")
    static let versions = 1...PAXOS_JOURNAL_VERSION

    let directory: Directory

    init() throws { directory = try Directory() }

    /// The files of a sample as they were, in a directory of their own.
    private func make(_ version: UInt32) throws {
        try FileManager.default.createDirectory(
            atPath: directory.file("j"), withIntermediateDirectories: false)
        let sample = Self.folder.appendingPathComponent("journal-\(version).hex")
        var files: [(name: String, bytes: Bytes)] = []
        for line in try String(contentsOf: sample, encoding: .utf8).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words[0].hasSuffix(":") {
                let row = stride(from: 0, to: words[1].count, by: 2).map {
                    UInt8(words[1].dropFirst($0).prefix(2), radix: 16)!
                }
                let offset = Int(words[0].dropLast(), radix: 16)!
                files[files.count - 1].bytes.replaceSubrange(offset..<offset + 16, with: row)
            } else {
                files.append((String(words[0]), Bytes(repeating: 0, count: Int(words[1])!)))
            }
        }
        #expect(files.map(\.name) == ["superblock", "journal"])
        for file in files {
            try Data(file.bytes).write(to: URL(fileURLWithPath: directory.file("j/\(file.name)")))
        }
    }

    /// What `paxos-journal dump --json` prints. A process that another test starts may hold the lock
    /// for a moment: then it is run again.
    private func dump() throws -> String {
        for _ in 0..<100 {
            let process = Process()
            let products = Bundle.main.executableURL!.deletingLastPathComponent()
            process.executableURL = products.appendingPathComponent("paxos-journal")
            process.arguments = ["dump", "--json", directory.file("j")]
            let output = Pipe()
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            try process.run()
            let bytes = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            if process.terminationStatus == 0 { return String(decoding: bytes, as: UTF8.self) }
            usleep(20_000)
        }
        return "it is refused"
    }

    @Test("every field of every record is the one that was written", arguments: versions)
    func records_areTheSame(version: UInt32) throws {
        try make(version)
        let expected = Self.folder.appendingPathComponent("journal-\(version).json")
        #expect(try dump() == String(contentsOf: expected, encoding: .utf8))
    }

    @Test("an acceptor takes the sample, knows its votes and goes on", arguments: versions)
    func sample_isGoneOnWith(version: UInt32) throws {
        try make(version)
        let journal = try OpenJournal(directory.file("j"), cluster: 0x5A3713)
        #expect(journal.report.incarnation == 4 && journal.report.superblock_copies == 2)
        let leading = Voter(7, journal.group(7))
        let waiting = Voter(9, journal.group(9))
        var record = paxos_journal_record_t()
        record.size_bytes = UInt32(MemoryLayout<paxos_journal_record_t>.size)
        while paxos_journal_read(journal.journal, &record) == PAXOS_JOURNAL_OK {
            #expect(record.is_damaged == 0)
            let isTaken = record.group == 7 ? leading.recover(&record) : waiting.recover(&record)
            #expect(isTaken)
        }
        #expect(journal.report.damages == 0)
        let first = leading.recovered(journal.group(7))
        #expect(first.promised == 0x80002 && first.trimmed == 42 && first.last_slot == 54)
        #expect(first.abstains == 0 && first.decided == 50)
        for slot in 43...54 as ClosedRange<UInt64> {
            #expect(leading.holds(slot, slot <= 50 ? PAXOS_RUN_CHOSEN : PAXOS_RUN_ACCEPTED))
        }
        let second = waiting.recovered(journal.group(9))
        #expect(second.promised == 0x50002 && second.trimmed == 0 && second.abstains == 0)
        #expect(waiting.holds(1, PAXOS_RUN_ACCEPTED) && waiting.holds(2, PAXOS_RUN_ACCEPTED))
        #expect(!waiting.holds(3, PAXOS_RUN_ACCEPTED) && waiting.holds(4, PAXOS_RUN_CHOSEN))
        #expect(journal.append(22, body: makeBody(1)) { $0.cluster = 0x5A3713 } == PAXOS_JOURNAL_OK)
        #expect(journal.flush() == PAXOS_JOURNAL_OK)
    }
}

/// An acceptor with the configuration of the sample's.
private final class Voter {
    private let block: UnsafeMutableRawPointer
    private let acceptor: UnsafeMutablePointer<paxos_acceptor_t>

    init(_ number: UInt32, _ told: paxos_journal_group_t) {
        var config = paxos_config_t()
        paxos_config_default(&config)
        (config.cluster, config.group, config.node) = (0x5A3713, number, 1)
        (config.incarnation, config.journal_lsn, config.member_count) = (4, told.first_lsn, 3)
        (config.members.0, config.members.1, config.members.2) = (1, 2, 3)
        (config.window_slots, config.pipeline_slots) = (64, 64)
        (config.value_bytes_max, config.frame_bytes_max, config.arena_bytes) = (48, 2048, 1 << 14)
        (config.reply_ring, config.write_ring, config.send_ring, config.forward_ring) =
            (64, 64, 64, 64)
        let bytes = paxos_acceptor_block_bytes(&config)
        block = .allocate(byteCount: bytes, alignment: Int(PAXOS_BLOCK_ALIGNMENT))
        var made: UnsafeMutablePointer<paxos_acceptor_t>?
        precondition(paxos_acceptor_init(block, bytes, &config, &made) == PAXOS_OK)
        acceptor = made!
    }

    deinit { block.deallocate() }

    func recover(_ record: inout paxos_journal_record_t) -> Bool {
        let header = withUnsafeBytes(of: record.header) { Bytes($0) }
        return paxos_acceptor_recover(
            acceptor, header, header.count, record.body, Int(record.body_bytes)) == PAXOS_OK
    }

    func recovered(_ told: paxos_journal_group_t) -> paxos_acceptor_status_t {
        var status = paxos_acceptor_status_t()
        status.size_bytes = UInt32(MemoryLayout<paxos_acceptor_status_t>.size)
        paxos_acceptor_status(acceptor, &status)
        #expect(
            paxos_acceptor_recovered(acceptor, status.trimmed, told.acknowledged_lsn) == PAXOS_OK)
        paxos_acceptor_status(acceptor, &status)
        return status
    }

    /// Whether the slot is in this state, with the value that the sample's maker gave it.
    func holds(_ slot: UInt64, _ wanted: paxos_run_state) -> Bool {
        var state: UInt32 = 0
        var ballot: UInt64 = 0
        var value: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        paxos_acceptor_look(acceptor, slot, &state, &ballot, &value, &count)
        let length = slot % 7 == 0 ? 0 : Int(slot * 13 % 49)
        return state == wanted.rawValue && Int(count) == length
            && Bytes(UnsafeBufferPointer(start: value, count: length))
                == Bytes(repeating: UInt8(slot % 251), count: length)
    }
}
