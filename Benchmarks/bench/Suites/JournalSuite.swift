import CPaxosHost

/// Records appended to a journal on a real disk, one flush for each batch, by the wall clock. Its
/// limit writes as many pages of a file that was written before, and flushes them as often.
final class JournalSuite: Suite {
    let name: String
    let unit = Unit.records
    private let valueBytes: Int
    private let batch: Int
    private let withUring: Bool
    private var ring: paxos_files_t?
    private let seed: UInt64
    private let parent: String
    private var journal: BenchJournal!
    private var pages: Block!
    private var pagesBytes = 0
    private var raw: Int32 = -1
    private var rawOffset = 0

    /// - Parameters:
    ///   - withUring: a batch and its flush are one submission of io_uring.
    ///   - directory: where the journal is made, and removed afterwards.
    init(valueBytes: Int, batch: Int, withUring: Bool, seed: UInt64, directory: String) {
        name = "journal.append batch=\(batch) value=\(valueBytes)B" + (withUring ? " io_uring" : "")
        self.withUring = withUring
        self.valueBytes = valueBytes
        self.batch = batch
        self.seed = seed
        parent = directory
    }

    static var hasUring: Bool {
        var files = paxos_files_t()
        guard paxos_files_uring_open(&files) else { return false }
        paxos_files_uring_close(&files)
        return true
    }

    var limitWords: String { "the same pages written in place, and fdatasync, by the wall clock" }

    private var rawBytes: Int { max(4 << 20, pagesBytes) }

    func prepare() throws {
        let bodyBytes = Int(paxos_entry_bytes(UInt32(valueBytes)))
        pagesBytes = BenchJournal.batchBytes(records: batch, bodyBytes: bodyBytes)
        pages = Block(byteCount: pagesBytes)
        fillRandom(pages, seed: seed)
        journal = try BenchJournal(
            suite: name, directory: parent, segmentBytes: max(4 << 20, 4 * pagesBytes),
            segments: 3, batchBytes: max(64 << 10, pagesBytes), bodyBytes: bodyBytes, seed: seed)
        if withUring {
            var files = paxos_files_t()
            try require(paxos_files_uring_open(&files), "\(name): this system has no io_uring")
            ring = files
        }
        try journal.open(files: ring)
        let files = paxos_files_posix().pointee
        raw = files.open(files.context, journal.path + "/raw", true)
        try require(raw >= 0, "\(name): no file in \(parent)")
        for _ in 0..<rawBytes / pagesBytes { try writeRaw() }
        try flushRaw()
    }

    func run(for slice_ns: UInt64) throws -> Measure {
        try laps(for: slice_ns) {
            let start_ns = paxos_host_clock_ns()
            var status = PAXOS_JOURNAL_OK
            /* All but a batch is trimmed, so that segments come round. */
            for _ in 0..<batch where status == PAXOS_JOURNAL_OK {
                status = journal.append(window: batch + 1)
            }
            if status == PAXOS_JOURNAL_OK { status = paxos_journal_flush(journal.journal) }
            try journal.check(status, paxos_journal_fault_t())
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
        let files = paxos_files_posix().pointee
        files.close(files.context, raw)
        journal.remove()
        if var ring { paxos_files_uring_close(&ring) }
        pages.free()
    }
}
