import CPaxos
import CPaxosHost

/// Three nodes in processes of their own, over TCP on loopback: what their clients see, by the wall
/// clock. Clients live in the process of a node, each with one proposal at a time.
///
/// Its limit is made by three processes that do without a protocol: round trips and streams of the
/// same bytes; where votes are durable, the flush of one file while three are flushed at once.
final class NodeSuite: Suite {
    /// Where the clients are, and how many.
    enum Clients: Equatable {
        case atLeader(Int)
        case atFollower
        case pipelined

        static let all: [Clients] = [
            .atLeader(1), .atFollower, .atLeader(64), .atLeader(1024), .pipelined,
        ]
    }

    let name: String
    let unit = Unit.commits
    let isAskedFor = true
    private let clients: Clients
    private let isDurable: Bool
    private let kind: Processes.Kind
    private let entryBytes: Int
    private let pool: ProcessPool
    private var nodes: Processes!
    private var raw: Processes!
    private var times_ns: [[Double]] = [[], [], []]

    init(
        valueBytes: Int, isDurable: Bool, clients: Clients, spin_ns: UInt64 = 0, pool: ProcessPool
    ) {
        let words =
            switch clients {
            case .atLeader(1): "clients=1 at=leader"
            case .atLeader(let count): "clients=\(count)"
            case .atFollower: "clients=1 at=follower"
            case .pipelined: "pipelined"
            }
        let wait = spin_ns == 0 ? "" : " wait=spin"
        name =
            "node.tcp nodes=3 value=\(valueBytes)B durable=\(isDurable ? "yes" : "no") \(words)"
            + wait
        self.clients = clients
        self.isDurable = isDurable
        self.pool = pool
        entryBytes = Int(paxos_entry_bytes(UInt32(valueBytes)))
        kind = .nodes(valueBytes: valueBytes, isDurable: isDurable, spin_ns: spin_ns)
    }

    var limitWords: String {
        let flush = "one flush of their bytes while three files are flushed at once"
        let turns = clients == .atFollower ? "two round trips" : "a round trip"
        if isStream {
            let words = "a TCP stream of the same bytes to each of two processes"
            return isDurable ? "the slower of \(words), and of writing and flushing them" : words
        }
        return "so many in \(turns) of raw bytes among three processes that wait alike"
            + (isDurable ? ", and \(flush)" : "")
    }

    private var count: Int {
        switch clients {
        case .atLeader(let count): count
        case .atFollower: 1
        case .pipelined: 1 << 16
        }
    }

    /// Whether so many bytes are under way that a round trip is no measure.
    private var isStream: Bool { clients == .pipelined || (count > 64 && !isDurable) }

    func prepare() throws {
        raw = try pool.take(.raw)
        nodes = try pool.take(kind)
    }

    func run(for slice_ns: UInt64) throws -> Measure {
        let node = clients == .atFollower ? 2 : 1
        let answer = try nodes.ask(node, "load \(count) \(slice_ns)")
        try require(answer.count == 7 && answer[0] > 0, "\(name): nothing was committed")
        for part in 0..<3 { times_ns[part].append(Double(answer[2 + part])) }
        return Measure(work: UInt64(answer[0]), cost: UInt64(answer[1]))
    }

    /// Of each repetition's percentiles the medians.
    func latency() throws -> Latency? {
        let medians = times_ns.map { Int64(median($0)) }
        return Latency(p50_ns: medians[0], p99_ns: medians[1], p999_ns: medians[2])
    }

    func runLimit(for slice_ns: UInt64) throws -> Measure {
        if isStream { return try streamLimit(slice_ns) }
        let part_ns = isDurable ? slice_ns / 2 : slice_ns
        let bytes = Int(PAXOS_FRAME_HEADER_BYTES) + count * entryBytes
        let spins = kindSpins ? 1 : 0
        let turns = try raw.ask(
            1, "turn \(bytes) \(PAXOS_FRAME_HEADER_BYTES) \(part_ns) \(spins)")
        var cost_ns = turns[1] / turns[0] * (clients == .atFollower ? 2 : 1)
        if isDurable {
            let flushes = try raw.ask(1, "flush \(pages(count * entryBytes)) \(part_ns)")
            cost_ns += flushes[1] / flushes[0]
        }
        return Measure(work: UInt64(count), cost: UInt64(cost_ns))
    }

    private func streamLimit(_ slice_ns: UInt64) throws -> Measure {
        let part_ns = isDurable ? slice_ns / 2 : slice_ns
        let stream = try raw.ask(1, "stream \(64 << 10) \(part_ns)")
        let streamed = Measure(work: UInt64(stream[0] / entryBytes), cost: UInt64(stream[1]))
        if !isDurable { return streamed }
        let bytes = 256 << 10
        let flushes = try raw.ask(1, "flush \(bytes) \(part_ns)")
        let written = Measure(
            work: UInt64(flushes[0] * (bytes / entryBytes)), cost: UInt64(flushes[1]))
        return written.value(in: unit) < streamed.value(in: unit) ? written : streamed
    }

    private var kindSpins: Bool {
        if case .nodes(_, _, let spin_ns, _, _) = kind { return spin_ns != 0 }
        return false
    }

    private func pages(_ bytes: Int) -> Int { (bytes + 4095) / 4096 * 4096 }

    func release() {
        pool.giveBack(kind)
        pool.giveBack(.raw)
    }
}
