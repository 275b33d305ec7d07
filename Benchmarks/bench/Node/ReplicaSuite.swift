import CPaxos
import CPaxosHost
import Foundation
import Logging
import Paxos

/// The asynchronous `Replica.propose` at the leader of three replicas on loopback, memory-only, in
/// this one process, by the wall clock. So what tasks and continuations cost is seen beside
/// `node.tcp`.
final class ReplicaSuite: Suite {
    /// How it is proposed.
    enum Shape: Equatable {
        /// So many tasks, each with one value at a time.
        case tasks(Int)
        /// One task, so many values a call.
        case batch(Int)

        static let all: [Shape] = [.tasks(1), .tasks(1024), .batch(64), .batch(1024)]
    }

    let name: String
    let unit = Unit.commits
    let isAskedFor = true
    let limitWords = "so many in a round trip of raw bytes among three processes"
    private let shape: Shape
    private let valueBytes: Int
    private let pool: ProcessPool
    private var raw: Processes!
    private var replicas: [Replica] = []
    private var appliers: [Task<Void, Never>] = []
    private var times_ns: [Double] = []

    init(valueBytes: Int, shape: Shape, pool: ProcessPool) {
        let words =
            switch shape {
            case .tasks(let count): "tasks=\(count)"
            case .batch(let count): "batch=\(count)"
            }
        name = "replica.propose nodes=3 value=\(valueBytes)B \(words)"
        self.valueBytes = valueBytes
        self.shape = shape
        self.pool = pool
    }

    private var count: Int {
        switch shape {
        case .tasks(let count), .batch(let count): count
        }
    }

    /// Forgets what it is given.
    private struct Nothing: StateMachine {
        var durableSlot: UInt64 = 0
        mutating func apply(_ batch: Replica.Batch) { durableSlot = batch.slots.upperBound }
    }

    func prepare() throws {
        raw = try pool.take(.raw)
        do {
            try open()
        } catch {
            throw BenchError("\(name): \(error)")
        }
        for replica in replicas {
            appliers.append(
                Task.detached {
                    var machine = Nothing()
                    try? await replica.run(&machine)
                })
        }
        let (leader, value) = (replicas[0], [UInt8](repeating: 7, count: valueBytes))
        let leads = waiting {  // it waits for a leader, as long as the options say
            leader.campaign()
            return (try? await leader.propose(value)) != nil
        }
        try require(leads, "\(name): nobody leads")
    }

    private func open() throws {
        var addresses: [NodeID: String] = [:]
        for node in [NodeID(1), 2, 3] {
            var configuration = Configuration(cluster: 7, node: node, members: [1, 2, 3])
            configuration.durability = .memoryOnly
            configuration.electionTimeout = .seconds(2)
            var options = Replica.Options(
                configuration, directory: nil, listen: "127.0.0.1:0", security: .trusted)
            options.peers = addresses
            options.patience = .seconds(30)
            options.logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
            let replica = try Replica.open(options)
            addresses[node] = "127.0.0.1:\(replica.port)"
            replicas.append(replica)
        }
    }

    /// What an asynchronous body comes to; this thread waits for it.
    private func waiting<T: Sendable>(_ body: @escaping @Sendable () async -> T) -> T {
        let done = DispatchSemaphore(value: 0)
        let box = Box<T>()
        Task.detached {
            box.value = await body()
            done.signal()
        }
        done.wait()
        return box.value!
    }

    /// Written before the semaphore is raised, read after it.
    private final class Box<T>: @unchecked Sendable { var value: T? }

    func run(for slice_ns: UInt64) throws -> Measure {
        let leader = try leader()
        let start_ns = paxos_host_clock_ns()
        let end_ns = start_ns + slice_ns
        let value = [UInt8](repeating: 7, count: valueBytes)
        let (shape, count) = (self.shape, self.count)
        let turns = waiting {
            if shape == .batch(count) { return await Self.batches(leader, value, count, end_ns) }
            return await withTaskGroup(of: Int.self) { group in
                for _ in 0..<count {
                    group.addTask { await Self.singles(leader, value, end_ns) }
                }
                return await group.reduce(0, +)
            }
        }
        let spent_ns = paxos_host_clock_ns() - start_ns
        try require(turns > 0, "\(name): nothing was decided")
        times_ns.append(Double(spent_ns) * Double(count) / Double(turns))
        return Measure(work: UInt64(turns), cost: spent_ns)
    }

    /// Whoever leads now: on a busy machine that may change.
    private func leader() throws -> Replica {
        let replicas = self.replicas
        let index = waiting { () -> Int? in
            for (index, replica) in replicas.enumerated() {
                if await replica.status.log.leader == replica.node { return index }
            }
            return nil
        }
        guard let index else { throw BenchError("\(name): nobody leads") }
        return replicas[index]
    }

    /// Returns how many were decided.
    private static func singles(_ replica: Replica, _ value: [UInt8], _ end_ns: UInt64) async -> Int
    {
        var decided = 0
        while paxos_host_clock_ns() < end_ns {
            if (try? await replica.propose(value)) != nil { decided += 1 }
        }
        return decided
    }

    private static func batches(
        _ replica: Replica, _ value: [UInt8], _ count: Int, _ end_ns: UInt64
    ) async -> Int {
        let values = [[UInt8]](repeating: value, count: count)
        var decided = 0
        while paxos_host_clock_ns() < end_ns {
            for case .success in await replica.propose(values) { decided += 1 }
        }
        return decided
    }

    func runLimit(for slice_ns: UInt64) throws -> Measure {
        let bytes =
            Int(PAXOS_FRAME_HEADER_BYTES) + count * Int(paxos_entry_bytes(UInt32(valueBytes)))
        let turns = try raw.ask(1, "turn \(bytes) \(PAXOS_FRAME_HEADER_BYTES) \(slice_ns) 0")
        return Measure(work: UInt64(turns[0] * count), cost: UInt64(turns[1]))
    }

    /// From a proposal to its outcome, of each repetition the mean.
    func latency() throws -> Latency? {
        let sorted = times_ns.sorted().map { Int64($0) }
        return Latency(p50_ns: sorted[sorted.count / 2], p99_ns: sorted[sorted.count - 1])
    }

    func release() {
        let replicas = self.replicas
        waiting { for replica in replicas { await replica.shutdown() } }
        let appliers = self.appliers
        waiting { for applier in appliers { await applier.value } }
        pool.giveBack(.raw)
    }
}
