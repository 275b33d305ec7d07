import CBenchLimits
import CPaxos
import Paxos

/// What `CommitSuite` does, through the public Swift interface.
final class SwiftSuite: Suite {
    let name: String
    let unit = Unit.commits
    private let nodes = 3
    private let valueBytes: Int
    private let batch: Int
    private let seed: UInt64
    private var cluster: LocalCluster!
    private var values: [UInt8] = []
    private var lengths: [Int] = []
    private var limit: Limit!
    private var lastSlot: UInt64 = 0

    init(valueBytes: Int, batch: Int, seed: UInt64) {
        name = "swift.propose nodes=3 value=\(valueBytes)B batch=\(batch)"
        self.valueBytes = valueBytes
        self.batch = batch
        self.seed = seed
    }

    var limitWords: String { bench_recipe_t.commitWords(nodes: nodes) }

    func prepare() throws {
        var random = SplitMix(seed: seed)
        values = (0..<valueBytes * batch).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        lengths = Array(repeating: valueBytes, count: batch)
        let config = paxos_config_t.benchmark(
            nodes: nodes, node: 1, valueBytes: valueBytes, batch: batch, seed: seed)
        do {
            cluster = try LocalCluster(nodes: nodes, seed: seed, recording: false) {
                $0.window = Int(config.window_slots)
                $0.pipeline = Int(config.pipeline_slots)
                $0.valueBytes = valueBytes
                $0.frameBytes = Int(config.frame_bytes_max)
                $0.arenaBytes = Int(config.arena_bytes)
            }
            try cluster.electLeader()
        } catch {
            throw BenchError("\(name): \(error)")
        }
        cluster.settle()
        lastSlot = cluster.deliveredSlot(by: 1)
        limit = Limit(
            .commit(nodes: nodes, valueBytes: valueBytes, batch: batch),
            ringBytes: Int(config.arena_bytes), seed: seed)
    }

    func run(for slice_ns: UInt64) throws -> Measure {
        let rounds = max(1, 512 / batch)
        return try laps(for: slice_ns) {
            var done = 0
            let cpu_ns = cpuTime {
                while done < rounds && round() { done &+= 1 }
            }
            try require(done == rounds, "\(name): a batch was not delivered everywhere")
            return Measure(work: UInt64(rounds * batch), cost: cpu_ns)
        }
    }

    /// One batch, from proposals to the last delivery; false if it does not get there.
    private func round() -> Bool {
        let cluster = self.cluster!
        let values = self.values
        let lengths = self.lengths
        if batch == 1 {
            do { try cluster.propose(values.span.bytes) } catch { return false }
        } else {
            let admission = cluster.propose(packed: values.span.bytes, lengths: lengths.span)
            if admission.count != batch { return false }
        }
        lastSlot &+= UInt64(batch)
        cluster.run(for: .microseconds(1))
        for node in cluster.nodes where cluster.deliveredSlot(by: node) != lastSlot { return false }
        return true
    }

    func runLimit(for slice_ns: UInt64) -> Measure { limit.run(for: slice_ns, workPerRound: batch) }

    func latency() throws -> Latency? {
        try batchLatency(name, batch: batch) { round() }
    }

    func release() {
        cluster = nil
        limit.free()
    }
}
