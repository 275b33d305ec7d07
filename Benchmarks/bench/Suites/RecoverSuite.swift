import CPaxosHost

/// A restart: a full journal is opened, and every record of it read, by the wall clock. Its limit
/// reads as many bytes of the same file, from front to back.
final class RecoverSuite: Suite {
    /// Where the bytes are when it starts.
    enum Source: String, CaseIterable { case memory, disk }

    let name: String
    let unit = Unit.bytes
    private let valueBytes: Int
    private let batch: Int
    private let byteCount: Int
    private let source: Source
    private let seed: UInt64
    private let parent: String
    private var journal: BenchJournal!
    private var records: UInt64 = 0
    private var piece: Block!
    private var file: Int32 = -1

    private static let segments = 64
    private static let pieceBytes = 1 << 20
    private static let smallestSegment = 1 << 20

    /// - Parameters:
    ///   - byteCount: of the journal, about.
    ///   - directory: where it is made, and removed afterwards.
    init(
        valueBytes: Int, batch: Int, byteCount: Int, source: Source, seed: UInt64,
        directory: String
    ) {
        name = "journal.recover batch=\(batch) value=\(valueBytes)B from=\(source.rawValue)"
        self.valueBytes = valueBytes
        self.batch = batch
        self.byteCount = byteCount
        self.source = source
        self.seed = seed
        parent = directory
    }

    var limitWords: String { "the same file read in pieces of 1 MiB, by the wall clock" }

    private var fileBytes: Int { segmentBytes * Self.segments }
    private var segmentBytes: Int {
        let batchBytes = self.batchBytes
        return max(Self.smallestSegment, byteCount / Self.segments / 4096 * 4096, 8 * batchBytes)
    }
    private var bodyBytes: Int { Int(paxos_entry_bytes(UInt32(valueBytes))) }
    private var batchBytes: Int {
        max(64 << 10, BenchJournal.batchBytes(records: batch, bodyBytes: bodyBytes))
    }

    func prepare() throws {
        journal = try BenchJournal(
            suite: name, directory: parent, segmentBytes: segmentBytes, segments: Self.segments,
            batchBytes: batchBytes, bodyBytes: bodyBytes, seed: seed)
        piece = Block(byteCount: Self.pieceBytes)
        try journal.open(flushes: false)
        try fill()
        journal.close()
        let files = paxos_files_posix().pointee
        file = files.open(files.context, journal.path + "/journal", false)
        try require(file >= 0, "\(name): no file in \(parent)")
        let flushed = files.flush(files.context, file)
        try require(flushed == 0, "\(name): the journal is not flushed")
    }

    /// Nothing is trimmed: it is full when it says so.
    private func fill() throws {
        var status = PAXOS_JOURNAL_OK
        while status == PAXOS_JOURNAL_OK {
            for _ in 0..<batch where status == PAXOS_JOURNAL_OK { status = append() }
            let flushed = paxos_journal_flush(journal.journal)
            try journal.check(flushed, paxos_journal_fault_t())
        }
        try require(status == PAXOS_JOURNAL_ERR_FULL, "\(name): the journal does not fill")
        records = journal.lsn
    }

    private func append() -> paxos_journal_status_t { journal.append(window: .max) }

    /// Where the bytes come from the disk, the system forgets that it has them.
    private func lap(_ body: () throws -> Void) rethrows -> Measure {
        if source == .disk {
            let files = paxos_files_posix().pointee
            files.forget(files.context, file, 0, UInt64(fileBytes))
        }
        let start_ns = paxos_host_clock_ns()
        try body()
        return Measure(work: UInt64(fileBytes), cost: paxos_host_clock_ns() - start_ns)
    }

    func run(for slice_ns: UInt64) throws -> Measure {
        try laps(for: slice_ns) {
            defer { journal.close() }
            return try lap {
                let found = try journal.open()
                try require(found == records, "\(name): \(found) of \(records) records are there")
            }
        }
    }

    func runLimit(for slice_ns: UInt64) throws -> Measure {
        let files = paxos_files_posix().pointee
        return try laps(for: slice_ns) {
            try lap {
                var offset = 0
                while offset < fileBytes {
                    let count = files.read(
                        files.context, file, piece.base, Self.pieceBytes, UInt64(offset))
                    try require(count > 0, "\(name): the limit's read stopped at \(offset)")
                    offset += Int(count)
                }
            }
        }
    }

    func release() {
        let files = paxos_files_posix().pointee
        files.close(files.context, file)
        journal.remove()
        piece.free()
    }
}
