import CBenchLimits
import CPaxos

extension bench_recipe_t {
    /// What `batch` commits by `nodes` replicas cannot avoid: each value copied into each replica,
    /// its bytes checksummed by the maker and by each receiver, and the run's digest taken by each;
    /// and the headers of an ACCEPT and an ACCEPTED for each follower. Followers of three know by
    /// themselves when two have voted; among more they must be told, by a COMMIT each.
    static func commit(nodes: Int, valueBytes: Int, batch: Int) -> bench_recipe_t {
        var recipe = bench_recipe_t()
        recipe.value_bytes = UInt32(valueBytes)
        recipe.batch = UInt32(batch)
        recipe.makes = 1
        recipe.takes = UInt32(nodes - 1)
        recipe.digests = true
        recipe.header_makes = UInt32(nodes - 1) * (nodes > 3 ? 3 : 2)
        recipe.header_takes = recipe.header_makes
        return recipe
    }

    static func commitWords(nodes: Int) -> String {
        "each value copied \(nodes)x, checksummed and in a digest \(nodes)x, "
            + "\((nodes - 1) * (nodes > 3 ? 3 : 2)) frame headers a batch made and verified"
    }
}

/// Batch after batch. A struct of pointers: the hot loop touches no Swift object.
struct CommitLoop {
    /// Virtual time between two rounds: heartbeats happen as on a fast network.
    private static let round_ns: UInt64 = 1000

    private let cluster: Cluster
    private let value: Block
    private let valueBytes: Int
    private let batch: Int

    init(_ cluster: Cluster, _ value: Block, valueBytes: Int, batch: Int) {
        self.cluster = cluster
        self.value = value
        self.valueBytes = valueBytes
        self.batch = batch
    }

    /// One batch, from proposals to the last delivery; false if it does not get there.
    @inline(__always)
    func round() -> Bool {
        cluster.advance(to: cluster.now_ns &+ CommitLoop.round_ns)
        let goal = cluster.seats[0].delivered &+ UInt64(batch)
        for _ in 0..<batch {
            if cluster.propose(at: 0, value, valueBytes) != PAXOS_OK { return false }
        }
        /* the leader first: its followers wait for it; done with the last one's delivery */
        var missing = cluster.count
        for _ in 0..<64 {
            for index in 0..<cluster.count {
                let before = cluster.seats[index].delivered
                _ = cluster.drain(index)
                let after = cluster.seats[index].delivered
                if after == goal && before != after {
                    missing &-= 1
                    if missing == 0 { return true }
                }
            }
        }
        return false
    }
}

/// Values proposed at the leader, until every replica has delivered them.
final class CommitSuite: Suite {
    let name: String
    let unit = Unit.commits
    private let nodes: Int
    private let valueBytes: Int
    private let batch: Int
    private let seed: UInt64
    private var cluster: Cluster!
    private var value: Block!
    private var limit: Limit!

    init(nodes: Int, valueBytes: Int, batch: Int, seed: UInt64) {
        name = "cluster.commit nodes=\(nodes) value=\(valueBytes)B batch=\(batch)"
        self.nodes = nodes
        self.valueBytes = valueBytes
        self.batch = batch
        self.seed = seed
    }

    var limitWords: String { bench_recipe_t.commitWords(nodes: nodes) }

    private func config(node: Int) -> paxos_config_t {
        .benchmark(nodes: nodes, node: node, valueBytes: valueBytes, batch: batch, seed: seed)
    }

    func prepare() throws {
        cluster = try Cluster(nodes: nodes, configure: config(node:))
        value = Block(byteCount: max(8, valueBytes))
        fillRandom(value, seed: seed)
        limit = Limit(
            .commit(nodes: nodes, valueBytes: valueBytes, batch: batch),
            ringBytes: Int(config(node: 1).arena_bytes), seed: seed)
        try cluster.elect()
        for index in 0..<nodes { cluster.seats[index].delivered = 0 }
    }

    func run(for slice_ns: UInt64) throws -> Measure {
        let rounds = max(1, 512 / batch)
        let loop = CommitLoop(cluster, value, valueBytes: valueBytes, batch: batch)
        return try laps(for: slice_ns) {
            var done = 0
            let cpu_ns = cpuTime {
                while done < rounds && loop.round() { done &+= 1 }
            }
            try require(done == rounds, "\(name): \(stuck())")
            return Measure(work: UInt64(rounds * batch), cost: cpu_ns)
        }
    }

    private func stuck() -> String {
        let counts = (0..<nodes).map { String(cluster.seats[$0].delivered) }
        return "stuck after \(counts.joined(separator: ", ")) deliveries"
    }

    func runLimit(for slice_ns: UInt64) -> Measure { limit.run(for: slice_ns, workPerRound: batch) }

    /// Batches one by one, and with every delivered byte verified: all replicas agree.
    func latency() throws -> Latency? {
        let loop = CommitLoop(cluster, value, valueBytes: valueBytes, batch: batch)
        let latency = try batchLatency(name, batch: batch) { loop.round() }
        cluster.lookAtEntries()
        for _ in 0..<max(16, 4096 / batch) { try require(loop.round(), "\(name): \(stuck())") }
        let digests = Set((0..<nodes).map { cluster.seats[$0].digest })
        try require(
            digests.count == 1 && (0..<nodes).allSatisfy { cluster.seats[$0].isSound },
            "\(name): the replicas delivered different logs")
        return latency
    }

    func release() {
        cluster.free()
        value.free()
        limit.free()
    }
}
