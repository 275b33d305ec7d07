import CBenchLimits
import CPaxos
import CPaxosHost

/// The leader crashes with a full window of slots that its followers accepted and nobody knows to
/// be decided; one of the two others finds out, leads, and commits.
///
/// Votes are durable here, at once: in memory-only mode a follower of three knows with its own vote
/// that a slot is decided, and nothing would be left to take over. The network takes no time;
/// virtual time jumps to the next deadline, so the wait for the election timeout costs nothing.
final class TakeoverSuite: Suite {
    static let window = 4096

    let name: String
    let unit: Unit
    private let nodes = 3
    private let valueBytes: Int
    private let seed: UInt64
    private var value: Block!
    private var limit: Limit!
    private var turn: UInt64 = 0

    /// - Parameter unit: events, or nanoseconds of CPU: two lines of the table.
    init(valueBytes: Int = 64, unit: Unit, seed: UInt64) {
        name = "cluster.takeover nodes=3 window=\(TakeoverSuite.window)"
        self.unit = unit
        self.valueBytes = valueBytes
        self.seed = seed
    }

    var limitWords: String {
        unit == .events
            ? "a tick, the frames of both phases for two survivors, a flush for each record"
            : "\(TakeoverSuite.window) entries of \(valueBytes)B verified twice and compared once, "
                + "the frames' headers"
    }

    private func config(node: Int) -> paxos_config_t {
        var config = paxos_config_t.benchmark(
            nodes: nodes, node: node, valueBytes: valueBytes, batch: TakeoverSuite.window,
            window: TakeoverSuite.window, seed: seed &+ turn &* 1000)
        config.memory_only = 0
        return config
    }

    /// Frames that it takes to carry the whole window once.
    private var pages: Int {
        let entries = TakeoverSuite.window * Int(paxos_entry_bytes(UInt32(valueBytes)))
        let bodyBytes = Int(config(node: 1).frame_bytes_max) - Int(PAXOS_FRAME_HEADER_BYTES)
        return (entries + bodyBytes - 1) / bodyBytes
    }

    func prepare() {
        value = Block(byteCount: max(8, valueBytes))
        fillRandom(value, seed: seed)
        var recipe = bench_recipe_t()
        recipe.value_bytes = UInt32(valueBytes)
        recipe.batch = UInt32(TakeoverSuite.window)
        recipe.looks = 2
        recipe.digests = true
        recipe.copies = 1
        recipe.header_makes = UInt32(1 + 3 * pages)
        recipe.header_takes = recipe.header_makes
        limit = Limit(recipe, ringBytes: Int(config(node: 1).arena_bytes), seed: seed)
    }

    func run(for slice_ns: UInt64) throws -> Measure {
        var sum = Measure()
        /* the way to a full window takes fifty times what is measured, and counts in the slice */
        let start_ns = paxos_host_cpu_ns()
        repeat {
            turn &+= 1
            let cluster = try Cluster(nodes: nodes, configure: config(node:))
            defer { cluster.free() }
            try fillWindow(of: cluster)
            let eventsBefore = cluster.events
            let cost_ns = try cpuTime { try takeOver(cluster) }
            sum.work += 1
            sum.cost += unit == .events ? cluster.events - eventsBefore : cost_ns
        } while paxos_host_cpu_ns() - start_ns < slice_ns
        return sum
    }

    /// Until the crash: everything is accepted by both followers, and no answer comes back.
    private func fillWindow(of cluster: Cluster) throws {
        try cluster.elect()
        let first = cluster.status(0).decided
        for _ in first..<UInt64(TakeoverSuite.window) {
            let status = cluster.propose(at: 0, value, valueBytes)
            try require(status == PAXOS_OK, "\(name): the window took no more (\(status.rawValue))")
        }
        /* its frames leave, it hears nothing more, then it is gone */
        cluster.seats[0].isAlive = false
        _ = cluster.drain(0)
        try require(cluster.settle(), "\(name): the followers never came to rest")
        for index in 1..<nodes {
            let status = cluster.status(index)
            try require(
                status.decided == first && status.last_slot == UInt64(TakeoverSuite.window),
                "\(name): node \(index + 1) holds \(status.decided) to \(status.last_slot)")
        }
    }

    /// From the crash to the new leader's first commit: all it took over, delivered there.
    private func takeOver(_ cluster: Cluster) throws {
        for _ in 0..<100_000 {
            cluster.advance(to: cluster.deadline_ns)
            try require(cluster.settle(), "\(name): the survivors never came to rest")
            for index in 1..<nodes
            where cluster.seats[index].slot >= UInt64(TakeoverSuite.window)
                && cluster.leads(index)
            {
                return
            }
        }
        throw BenchError("\(name): nobody took over")
    }

    func runLimit(for slice_ns: UInt64) -> Measure {
        if unit == .events {
            /* tick; PREPARE, PROMISE, ACCEPT, ACCEPTED; promises and votes of both */
            return Measure(work: 1, cost: UInt64(1 + 1 + 3 * pages + 2 + 2 * pages))
        }
        return limit.run(for: slice_ns, workPerRound: 1)
    }

    func release() {
        value.free()
        limit.free()
    }
}
