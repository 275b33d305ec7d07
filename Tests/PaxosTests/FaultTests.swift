import Paxos
import Testing

/// Runs under faults; each prints its seed, and the same seed gives the same run.
@Suite struct FaultTests {
    static let harsh = LocalCluster.Faults(
        loss: 0.1, duplication: 0.1, delay: .milliseconds(1) ... .milliseconds(20))

    /// Proposes numbers wherever there is a leader until `count` were taken, disturbing as told.
    func load(
        _ cluster: LocalCluster, count: Int, disturb: (Int) -> Void = { _ in }
    ) throws -> [Proposal] {
        var taken: [Proposal] = []
        for number in 0..<count {
            disturb(number)
            var proposal: Proposal?
            let accepted = cluster.run(within: .seconds(60)) {
                proposal = proposal ?? (try? cluster.propose(value(number)))
                return proposal != nil
            }
            try #require(accepted, "value \(number) was never taken")
            taken.append(proposal!)
        }
        return taken
    }

    /// All running nodes delivered the same; nothing twice, nothing that nobody proposed.
    func expectAgreement(_ cluster: LocalCluster, among nodes: [NodeID], _ seed: UInt64) {
        let logs = nodes.map { cluster.delivered(by: $0) }
        for (node, log) in zip(nodes, logs) {
            #expect(log == logs[0], "node \(node), seed \(seed)")
            #expect(Set(log.map(\.origin)).count == log.count, "node \(node), seed \(seed)")
        }
    }

    @Test(
        "loss, duplication and reordering change nothing", arguments: 1...20 as ClosedRange<UInt64>)
    func harshNetwork_agrees(seed: UInt64) throws {
        let cluster = try LocalCluster(seed: seed, faults: Self.harsh)
        let proposals = try load(cluster, count: 200)
        cluster.faults = .none
        cluster.run(for: .seconds(20))
        expectAgreement(cluster, among: Array(cluster.nodes), seed)
        // A stable leader loses nothing; where leadership moved, what was under way may be lost.
        let log = cluster.delivered(by: 1)
        #expect(Set(log.map(\.origin)).isSubset(of: proposals), "seed \(seed)")
        #expect(log.count > 150, "seed \(seed)")
        #expect(cluster.traffic.lost > 0 && cluster.traffic.duplicated > 0, "seed \(seed)")
    }

    @Test("the same seed gives the same run")
    func sameSeed_sameRun() throws {
        let runs = try (0..<2).map { _ in
            let cluster = try LocalCluster(seed: 5, faults: Self.harsh)
            _ = try load(cluster, count: 100)
            cluster.run(for: .seconds(5))
            return (cluster.delivered(by: 1), cluster.traffic, cluster.now)
        }
        #expect(runs[0] == runs[1])
    }

    @Test(
        "a crash of the leader loses nothing decided, and another takes over",
        arguments: 1...20 as ClosedRange<UInt64>)
    func leaderCrash_keepsWhatWasDecided(seed: UInt64) throws {
        let cluster = try LocalCluster(nodes: 5, seed: seed, faults: Self.harsh)
        var crashed: [NodeID] = []
        var decidedBefore: [LogEntry] = []
        _ = try load(cluster, count: 200) { number in
            if number == 60 || number == 130, let leader = cluster.leader {
                decidedBefore = cluster.delivered(by: leader)
                cluster.crash(leader)
                crashed.append(leader)
            }
        }
        cluster.faults = .none
        cluster.run(for: .seconds(20))
        let alive = cluster.nodes.filter { !crashed.contains($0) }
        #expect(crashed.count == 2)
        expectAgreement(cluster, among: alive, seed)
        let log = cluster.delivered(by: alive[0])
        #expect(Array(log.prefix(decidedBefore.count)) == decidedBefore, "seed \(seed)")
        #expect(log.count > 100, "seed \(seed)")
    }

    @Test(
        "a crashed leader is replaced within four election timeouts",
        arguments: 1...20 as ClosedRange<UInt64>)
    func takeover_isQuick(seed: UInt64) throws {
        let cluster = try LocalCluster(seed: seed)
        let first = try cluster.electLeader()
        cluster.run(for: .seconds(1))
        cluster.crash(first)
        let second = try cluster.electLeader(within: .seconds(2))
        #expect(second != first)
        try cluster.propose(value(1))
        cluster.run(for: .seconds(1))
        #expect(cluster.delivered(by: second).count == 1)
    }

    @Test("a minority decides nothing; healed, it catches up")
    func partition_stopsTheMinority() throws {
        let cluster = try LocalCluster(nodes: 5)
        let leader = try cluster.electLeader()
        cluster.run(for: .seconds(1))
        let others = cluster.nodes.filter { $0 != leader }
        cluster.partition(into: [leader, others[0]], Array(others[1...]))
        try cluster.propose(value(1))
        cluster.run(for: .seconds(10))
        #expect(cluster.delivered(by: leader).isEmpty)
        let second = try #require(cluster.leader)
        #expect(others[1...].contains(second))
        try cluster.propose(value(2))
        cluster.run(for: .seconds(1))
        cluster.heal()
        cluster.run(for: .seconds(10))
        for node in cluster.nodes {
            #expect(cluster.delivered(by: node).map { number($0.bytes) }.contains(2))
        }
        expectAgreement(cluster, among: Array(cluster.nodes), 1)
    }

    @Test("a paused follower costs the others nothing and catches up; it disturbs nobody")
    func pausedFollower_catchesUp() throws {
        let cluster = try LocalCluster()
        let leader = try cluster.electLeader()
        cluster.run(for: .seconds(1))
        let ballot = cluster.status(of: leader).ballot
        let follower = cluster.nodes.first { $0 != leader }!
        cluster.pause(follower)
        for number in 0..<300 { try cluster.propose(value(number)) }
        cluster.run(for: .seconds(10))
        #expect(cluster.delivered(by: leader).count == 300)
        #expect(cluster.delivered(by: follower).isEmpty)
        cluster.resume(follower)
        cluster.run(for: .seconds(10))
        expectAgreement(cluster, among: Array(cluster.nodes), 1)
        #expect(cluster.leader == leader)
        #expect(cluster.status(of: leader).ballot == ballot)
    }

    @Test("who slept past the trim point says so and stays behind, the others go on")
    func sleeperBelowTheTrimPoint_saysSo() throws {
        let cluster = try LocalCluster {
            $0.window = 64
            $0.pipeline = 64
        }
        let leader = try cluster.electLeader()
        cluster.run(for: .seconds(1))
        let sleeper = cluster.nodes.first { $0 != leader }!
        cluster.pause(sleeper)
        cluster.run(for: .seconds(5))
        for number in 0..<500 {
            try cluster.propose(value(number))
            cluster.run(for: .milliseconds(10))
        }
        cluster.resume(sleeper)
        cluster.run(for: .seconds(10))
        #expect(cluster.delivered(by: leader).count == 500)
        #expect(cluster.delivered(by: sleeper).isEmpty)
        #expect(cluster.status(of: sleeper).behindTo != nil)
        #expect(cluster.leader == leader)
    }
}
