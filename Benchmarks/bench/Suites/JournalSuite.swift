import CPaxos
import CPaxosHost
import Foundation

/// Records appended to a journal on a real disk, one flush for each batch, by the wall clock. Its
/// limit writes as many pages of a file that was written before, and flushes them as often.
final class JournalSuite: Suite {
    let name: String
    let unit = Unit.records
    private let valueBytes: Int
    private let batch: Int
    private let seed: UInt64
    private let parent: String
    private var path = ""
    private var journal: OpaquePointer?
    private var header: Block!
    private var body: Block!
    private var pages: Block!
    private var pagesBytes = 0
    private var raw: Int32 = -1
    private var rawOffset = 0
    private var lsn: UInt64 = 0

    /// - Parameter directory: where the journal is made, and removed afterwards.
    init(valueBytes: Int, batch: Int, seed: UInt64, directory: String) {
        name = "journal.append batch=\(batch) value=\(valueBytes)B"
        self.valueBytes = valueBytes
        self.batch = batch
        self.seed = seed
        parent = directory
    }

    var limitWords: String { "the same pages written in place, and fdatasync, by the wall clock" }

    private static let cluster: UInt64 = 0xBE7C
    private var entryBytes: Int { Int(paxos_entry_bytes(UInt32(valueBytes))) }
    private var rawBytes: Int { max(4 << 20, pagesBytes) }

    /// Records, their directory and checksums, two headers, in whole pages.
    private func batchBytes() -> Int {
        let sector = 512
        let record = Int(PAXOS_FRAME_HEADER_BYTES) + entryBytes
        let sectors = (batch * record + sector - 1) / sector
        let index = batch * Int(PAXOS_FRAME_HEADER_BYTES) + 4 * sectors
        let bytes = sector * (sectors + 2) + (index + sector - 1) / sector * sector
        return (bytes + 4095) / 4096 * 4096
    }

    func prepare() throws {
        pagesBytes = batchBytes()
        header = Block(byteCount: Int(PAXOS_FRAME_HEADER_BYTES))
        body = Block(byteCount: entryBytes)
        pages = Block(byteCount: pagesBytes)
        fillRandom(body, seed: seed)
        fillRandom(pages, seed: seed)
        path = parent + "/bench-journal-\(paxos_host_seed())"
        try makeJournal()
        let files = paxos_files_posix().pointee
        raw = files.open(files.context, path + "/raw", true)
        try require(raw >= 0, "\(name): no file in \(parent)")
        for _ in 0..<rawBytes / pagesBytes { try writeRaw() }
        try flushRaw()
    }

    private func makeJournal() throws {
        var shape = paxos_journal_shape_t()
        shape.size_bytes = UInt32(MemoryLayout<paxos_journal_shape_t>.size)
        (shape.node, shape.cluster) = (1, Self.cluster)
        shape.batch_bytes_max = UInt32(max(64 << 10, pagesBytes))
        shape.segment_bytes = UInt64(max(4 << 20, 4 * pagesBytes))
        shape.segment_count = 3
        var fault = paxos_journal_fault_t()
        let made = paxos_journal_format(nil, path, &shape, &fault)
        try check(made, fault)
        var options = paxos_journal_options_t()
        options.size_bytes = UInt32(MemoryLayout<paxos_journal_options_t>.size)
        let opened = paxos_journal_open(nil, path, &options, &journal, &fault)
        try check(opened, fault)
        var record = paxos_journal_record_t()
        record.size_bytes = UInt32(MemoryLayout<paxos_journal_record_t>.size)
        let end = paxos_journal_read(journal, &record)
        try require(end == PAXOS_JOURNAL_END, "\(name): a new journal is not empty")
    }

    private func check(_ status: paxos_journal_status_t, _ fault: paxos_journal_fault_t) throws {
        let what = fault.what.map { String(cString: $0) } ?? ""
        try require(
            status == PAXOS_JOURNAL_OK,
            "\(name): \(String(cString: paxos_journal_words(status))) (\(what), \(fault.error))")
    }

    /// The next record; everything a batch before is trimmed, so that segments come round.
    private func append() -> paxos_journal_status_t {
        lsn &+= 1
        var frame = paxos_frame_t()
        frame.kind = UInt8(PAXOS_RECORD_ENTRIES.rawValue)
        frame.cluster = Self.cluster
        (frame.sender, frame.receiver, frame.incarnation) = (1, 1, 1)
        (frame.ballot, frame.other) = (paxos_ballot(1, 1), paxos_ballot(1, 1))
        (frame.slot, frame.nonce, frame.count) = (lsn, lsn, 1)
        frame.body_bytes = UInt32(entryBytes)
        frame.trim = lsn &- min(lsn, UInt64(batch) &+ 1)
        paxos_frame_put(header.base, &frame)
        return paxos_journal_append(
            journal, header.base, header.bytes.count, body.base, entryBytes)
    }

    func run(for slice_ns: UInt64) throws -> Measure {
        try laps(for: slice_ns) {
            let start_ns = paxos_host_clock_ns()
            var status = PAXOS_JOURNAL_OK
            for _ in 0..<batch where status == PAXOS_JOURNAL_OK { status = append() }
            if status == PAXOS_JOURNAL_OK { status = paxos_journal_flush(journal) }
            try check(status, paxos_journal_fault_t())
            return Measure(work: UInt64(batch), cost: paxos_host_clock_ns() - start_ns)
        }
    }

    private func writeRaw() throws {
        if rawOffset + pagesBytes > rawBytes { rawOffset = 0 }
        let files = paxos_files_posix().pointee
        let count = files.write(files.context, raw, pages.base, pagesBytes, UInt64(rawOffset))
        try require(count == Int64(pagesBytes), "\(name): the limit's write stopped at \(count)")
        rawOffset += pagesBytes
    }

    private func flushRaw() throws {
        let files = paxos_files_posix().pointee
        let status = files.flush(files.context, raw)
        try require(status == 0, "\(name): the limit's flush failed")
    }

    func runLimit(for slice_ns: UInt64) throws -> Measure {
        try laps(for: slice_ns) {
            let start_ns = paxos_host_clock_ns()
            try writeRaw()
            try flushRaw()
            return Measure(work: UInt64(batch), cost: paxos_host_clock_ns() - start_ns)
        }
    }

    func release() {
        paxos_journal_close(journal)
        let files = paxos_files_posix().pointee
        files.close(files.context, raw)
        try? FileManager.default.removeItem(atPath: path)
        header.free()
        body.free()
        pages.free()
    }
}
