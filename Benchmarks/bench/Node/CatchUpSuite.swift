import CPaxos

/// A member that was down while the others went on at full load comes back, and gets from their
/// journals what they have trimmed: slots a second, from the end of its recovery until it has
/// delivered all that was decided when it came back.
///
/// Its limit is a stream of the same bytes to two processes, or their writing and flushing, if that
/// is slower: both must be done with every entry.
final class CatchUpSuite: Suite {
    let name: String
    let unit = Unit.slots
    let isAskedFor = true
    let limitWords =
        "the slower of a TCP stream of the same bytes, and of writing and flushing them"
    private let entryBytes: Int
    private let isLoaded: Bool
    private let kind: Processes.Kind
    private let pool: ProcessPool
    private let directory: String
    /// What the journals can bring back of one load, or of two, one behind the other.
    private let slotsMax: Int
    /// A leader whose window is full waits for a silent member before it goes on without: most of a
    /// second.
    private static let loadMin_ns: UInt64 = 2_000_000_000
    private var nodes: Processes!
    private var raw: Processes!

    /// - Parameters:
    ///   - isLoaded: the load goes on while it catches up.
    ///   - journalBytes: of the two that stay; a load ends when seven eighths of it are written, or
    ///     a quarter, if it goes on.
    init(
        valueBytes: Int, isLoaded: Bool, journalBytes: Int, pool: ProcessPool, directory: String
    ) {
        name = "node.catchup nodes=3 value=\(valueBytes)B load=\(isLoaded ? "yes" : "no")"
        entryBytes = Int(paxos_entry_bytes(UInt32(valueBytes)))
        self.isLoaded = isLoaded
        self.pool = pool
        self.directory = directory
        slotsMax = (isLoaded ? journalBytes / 4 : journalBytes / 8 * 7) / entryBytes
        kind = .nodes(
            valueBytes: valueBytes, isDurable: true, spin_ns: 0, journalBytes: journalBytes,
            lastJournalBytes: min(journalBytes, 512 << 20))
    }

    func prepare() throws {
        raw = try pool.take(.raw)
        nodes = try Processes(kind, parent: directory)
    }

    func run(for slice_ns: UInt64) throws -> Measure {
        nodes.leave(3)
        let load = "load \(1 << 16) \(max(slice_ns, Self.loadMin_ns)) \(slotsMax)"
        let decided = try nodes.ask(1, load)
        try require(decided.count == 7 && decided[0] > 0, "\(name): nothing was committed")
        let slot = try nodes.ask(1, "sum").first ?? 0
        if isLoaded { try nodes.tell(1, load) }
        try nodes.comeBack(3)
        let caughtUp = try nodes.ask(3, "level \(slot)")
        if isLoaded { _ = try nodes.answer(of: 1) }
        try require(caughtUp.count == 2, "\(name): it says nothing")
        return Measure(work: UInt64(caughtUp[0]), cost: UInt64(caughtUp[1]))
    }

    func runLimit(for slice_ns: UInt64) throws -> Measure {
        let stream = try raw.ask(1, "stream \(64 << 10) \(slice_ns / 2)")
        let flushed = try raw.ask(1, "flush \(256 << 10) \(slice_ns / 2)")
        let sent = Measure(work: UInt64(stream[0] / entryBytes), cost: UInt64(stream[1]))
        let written = Measure(
            work: UInt64(flushed[0] * ((256 << 10) / entryBytes)), cost: UInt64(flushed[1]))
        return written.value(in: unit) < sent.value(in: unit) ? written : sent
    }

    func release() {
        nodes.end()
        pool.giveBack(.raw)
    }
}
