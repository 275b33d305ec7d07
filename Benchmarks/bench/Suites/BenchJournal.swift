import CPaxos
import CPaxosHost
import Foundation

/// A journal in a directory of its own, for a suite: made, opened, appended to and removed.
final class BenchJournal {
    let path: String
    private(set) var journal: OpaquePointer?
    private let suite: String
    private let header = Block(byteCount: Int(PAXOS_FRAME_HEADER_BYTES))
    private let body: Block
    private(set) var lsn: UInt64 = 0

    private static let cluster: UInt64 = 0xBE7C

    /// - Parameters:
    ///   - suite: whose it is, for messages.
    ///   - bodyBytes: of each record.
    init(
        suite: String, directory: String, segmentBytes: Int, segments: Int, batchBytes: Int,
        bodyBytes: Int, seed: UInt64
    ) throws {
        self.suite = suite
        path = directory + "/bench-journal-\(paxos_host_seed())"
        body = Block(byteCount: bodyBytes)
        fillRandom(body, seed: seed)
        var shape = paxos_journal_shape_t()
        shape.size_bytes = UInt32(MemoryLayout<paxos_journal_shape_t>.size)
        (shape.node, shape.cluster) = (1, Self.cluster)
        shape.batch_bytes_max = UInt32(batchBytes)
        shape.segment_bytes = UInt64(segmentBytes)
        shape.segment_count = UInt32(segments)
        var fault = paxos_journal_fault_t()
        let made = paxos_journal_format(nil, path, &shape, &fault)
        try check(made, fault)
    }

    /// A batch of so many records: themselves, their directory and checksums, two headers, in whole
    /// pages.
    static func batchBytes(records: Int, bodyBytes: Int) -> Int {
        let sector = 512
        let record = Int(PAXOS_FRAME_HEADER_BYTES) + bodyBytes
        let sectors = (records * record + sector - 1) / sector
        let index = records * Int(PAXOS_FRAME_HEADER_BYTES) + 4 * sectors
        let bytes = sector * (sectors + 2) + (index + sector - 1) / sector * sector
        return (bytes + 4095) / 4096 * 4096
    }

    func check(_ status: paxos_journal_status_t, _ fault: paxos_journal_fault_t) throws {
        let what = fault.what.map { String(cString: $0) } ?? ""
        try require(
            status == PAXOS_JOURNAL_OK,
            "\(suite): \(String(cString: paxos_journal_words(status))) (\(what), \(fault.error))")
    }

    /// Open it and read all of it. Returns how many records there are.
    /// - Parameters:
    ///   - chosen: the files to work on; those of the operating system where none are given.
    ///   - flushes: false where it is only filled, and flushed as a whole later.
    @discardableResult
    func open(files chosen: paxos_files_t? = nil, flushes: Bool = true) throws -> UInt64 {
        var files = chosen ?? paxos_files_posix().pointee
        if !flushes { files.flush = { _, _ in 0 } }
        var options = paxos_journal_options_t()
        options.size_bytes = UInt32(MemoryLayout<paxos_journal_options_t>.size)
        var fault = paxos_journal_fault_t()
        let opened = paxos_journal_open(&files, path, &options, &journal, &fault)
        try check(opened, fault)
        var record = paxos_journal_record_t()
        record.size_bytes = UInt32(MemoryLayout<paxos_journal_record_t>.size)
        var count: UInt64 = 0
        var status = paxos_journal_read(journal, &record)
        while status == PAXOS_JOURNAL_OK {
            count &+= 1
            status = paxos_journal_read(journal, &record)
        }
        try require(status == PAXOS_JOURNAL_END, "\(suite): the journal is not read to its end")
        return count
    }

    /// The next record. It says that all up to `window` slots before it is trimmed.
    func append(window: Int) -> paxos_journal_status_t {
        var frame = paxos_frame_t()
        let next = lsn &+ 1
        frame.kind = UInt8(PAXOS_RECORD_ENTRIES.rawValue)
        frame.cluster = Self.cluster
        (frame.sender, frame.receiver, frame.incarnation) = (1, 1, 1)
        (frame.ballot, frame.other) = (paxos_ballot(1, 1), paxos_ballot(1, 1))
        (frame.slot, frame.nonce, frame.count) = (next, next, 1)
        frame.body_bytes = UInt32(body.bytes.count)
        frame.trim = next &- min(next, UInt64(window))
        paxos_frame_put(header.base, &frame)
        let status = paxos_journal_append(
            journal, header.base, header.bytes.count, body.base, body.bytes.count)
        if status == PAXOS_JOURNAL_OK { lsn = next }
        return status
    }

    func close() {
        paxos_journal_close(journal)
        journal = nil
    }

    /// Close it, and remove its directory.
    func remove() {
        close()
        try? FileManager.default.removeItem(atPath: path)
        header.free()
        body.free()
    }
}
