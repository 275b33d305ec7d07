import CBenchCommit
import CPaxos

/// What `CommitSuite` does, by a host in plain C through the same interface.
///
/// Its limit is `CommitSuite` itself, each repetition of one beside one of the other: the part of
/// the limit is what driving a cluster from C costs or gains.
final class CommitFromCSuite: Suite {
    let name: String
    let unit = Unit.commits
    private let inSwift: CommitSuite
    private let nodes: Int
    private let valueBytes: Int
    private let batch: Int
    private let seed: UInt64
    private var value: Block!
    private var cluster: OpaquePointer!

    init(nodes: Int, valueBytes: Int, batch: Int, seed: UInt64) {
        name = "cluster.commit.c nodes=\(nodes) value=\(valueBytes)B batch=\(batch)"
        inSwift = CommitSuite(nodes: nodes, valueBytes: valueBytes, batch: batch, seed: seed)
        self.nodes = nodes
        self.valueBytes = valueBytes
        self.batch = batch
        self.seed = seed
    }

    var limitWords: String { "\(inSwift.name): the same loop in Swift" }

    func prepare() throws {
        try inSwift.prepare()
        value = Block(byteCount: max(8, valueBytes))
        fillRandom(value, seed: seed)
        let configs = (1...nodes).map {
            paxos_config_t.benchmark(
                nodes: nodes, node: $0, valueBytes: valueBytes, batch: batch, seed: seed)
        }
        cluster = bench_commit_open(configs, UInt32(nodes), value.base, valueBytes)
        try require(cluster != nil, "\(name): nobody could be elected")
    }

    func run(for slice_ns: UInt64) throws -> Measure {
        let rounds = UInt64(max(1, 512 / batch))
        return try laps(for: slice_ns) {
            var done: UInt64 = 0
            let cpu_ns = cpuTime { done = bench_commit_run(cluster, UInt32(batch), rounds) }
            try require(done == rounds, "\(name): a batch was not delivered everywhere")
            return Measure(work: rounds * UInt64(batch), cost: cpu_ns)
        }
    }

    func runLimit(for slice_ns: UInt64) throws -> Measure { try inSwift.run(for: slice_ns) }

    /// Batches one by one, and with every delivered byte compared.
    func latency() throws -> Latency? {
        let latency = try batchLatency(name, batch: batch) {
            bench_commit_run(cluster, UInt32(batch), 1) == 1
        }
        _ = bench_commit_look(cluster)
        let rounds = UInt64(max(16, 4096 / batch))
        try require(
            bench_commit_run(cluster, UInt32(batch), rounds) == rounds
                && bench_commit_look(cluster), "\(name): other values than proposed were delivered")
        return latency
    }

    func release() {
        inSwift.release()
        bench_commit_close(cluster)
        value.free()
    }
}
