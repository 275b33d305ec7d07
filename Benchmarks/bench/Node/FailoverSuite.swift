import CPaxosHost
import Foundation

/// The leader is killed under load: for how long a client at another node sees no commit, by the
/// wall clock. Each time with three processes that are new. Nobody can know sooner than an election
/// timeout that a leader is gone: that is its limit.
///
/// It fails if a proposal remains without an outcome, if anything is delivered twice, or if the
/// survivors, and where votes are durable the killed one after its restart, were not given the same
/// from the first slot on, with all that the client was told to be decided.
final class FailoverSuite: Suite {
    let name: String
    let unit = Unit.nanoseconds
    let isAskedFor = true
    private let kind: Processes.Kind
    private let isDurable: Bool
    private let timeout_ns: UInt64
    private let kills: Int
    private let parent: String
    private var gaps_ns: [UInt64] = []
    private var runs = 0

    private static let clients = 64
    /// Of load, before the kill and in all.
    private static let before_ns: UInt64 = 200_000_000
    private static let span_ns: UInt64 = 1_200_000_000
    /// A preparing one and seven that count.
    private static let runs = 8

    /// - Parameter kills: in all runs together, and one in each at least.
    init(timeout_ns: UInt64 = 200_000_000, isDurable: Bool, kills: Int, directory: String) {
        name =
            "node.failover nodes=3 election_timeout=\(timeout_ns / 1_000_000)ms"
            + (isDurable ? " durable=yes" : "")
        self.timeout_ns = timeout_ns
        self.isDurable = isDurable
        self.kills = max(kills, Self.runs)
        kind = .electing(timeout_ns: timeout_ns, isDurable: isDurable)
        parent = directory
    }

    var limitWords: String { "one election timeout; fails if anything is lost or delivered twice" }

    func prepare() throws {}

    /// Its part of the kills, however long they take.
    func run(for slice_ns: UInt64) throws -> Measure {
        runs += 1
        var sum = Measure()
        while gaps_ns.count < kills * min(runs, Self.runs) / Self.runs {
            let gap_ns = try killOnce()
            gaps_ns.append(gap_ns)
            sum.work += 1
            sum.cost += gap_ns
        }
        return sum
    }

    private func killOnce() throws -> UInt64 {
        let nodes = try Processes(kind, parent: parent)
        defer { nodes.end() }
        let killed = nodes.leader
        let client = killed % 3 + 1
        try nodes.tell(client, "load \(Self.clients) \(Self.span_ns)")
        usleep(UInt32(Self.before_ns / 1000))
        nodes.kill(killed)
        let answer = try nodes.answer(of: client)
        try require(answer.count == 7 && answer[6] > 0, "\(name): commits did not go on")
        if isDurable {
            nodes.leave(killed)
            try nodes.comeBack(killed)
        }
        let rest = (1...3).filter { $0 != client && (isDurable || $0 != killed) }
        try check(nodes, client: client, rest: rest, delivered: answer[0], unknown: answer[5])
        return UInt64(answer[6])
    }

    /// - Parameters:
    ///   - delivered: what the client saw decided.
    ///   - unknown: what it was told to be refused or unknown. That may have been decided since.
    private func check(
        _ nodes: Processes, client: Int, rest: [Int], delivered: Int, unknown: Int
    ) throws {
        for _ in 0..<100 {
            let sum = try nodes.ask(client, "sum")
            try require(sum.count == 4, "\(name): the client's node says nothing")
            try require(sum[2] == 0, "\(name): \(sum[2]) commands were delivered twice")
            try require(sum[1] >= delivered, "\(name): \(delivered - sum[1]) commands are lost")
            try require(
                sum[1] <= delivered + unknown,
                "\(name): \(sum[1]) commands were delivered, \(delivered) and \(unknown) known of")
            let others = try rest.map { node in
                _ = try nodes.ask(node, "level \(sum[0])")
                return try nodes.ask(node, "sum")
            }
            if others.allSatisfy({ $0 == sum }) { return }
            try require(
                others.contains { $0.first != sum[0] },
                "\(name): the logs differ: \(sum), \(others)")
        }
        throw BenchError("\(name): the logs are never of the same length")
    }

    func runLimit(for slice_ns: UInt64) throws -> Measure { Measure(work: 1, cost: timeout_ns) }

    /// Of all kills: the middle one, and the worst.
    func latency() throws -> Latency? {
        let sorted = gaps_ns.sorted().map { Int64($0) }
        func part(_ thousandth: Int) -> Int64 {
            sorted[min(sorted.count - 1, sorted.count * thousandth / 1000)]
        }
        return Latency(p50_ns: part(500), p99_ns: part(990), p999_ns: part(999))
    }

    func release() {}
}
