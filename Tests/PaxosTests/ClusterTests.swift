import Paxos
import Testing

@Suite struct ClusterTests {
    @Test(
        "what the leader is given, every node delivers, in the order given", arguments: [1, 3, 5])
    func everyNode_deliversTheSameLog(nodes: Int) throws {
        let cluster = try LocalCluster(nodes: nodes)
        try cluster.electLeader()
        let proposals = try (0..<500).map { try cluster.propose(value($0)) }
        cluster.run(for: .seconds(1))
        for node in cluster.nodes {
            let log = cluster.delivered(by: node)
            #expect(log.map(\.bytes) == (0..<500).map(value))
            #expect(log.map(\.origin) == proposals)
            #expect(log.map(\.slot) == log.map(\.slot).sorted())
        }
    }

    @Test("nobody is asked before somebody leads")
    func propose_beforeElection_saysNoLeader() throws {
        let cluster = try LocalCluster()
        #expect(cluster.leader == nil)
        #expect(throws: ProposeError.noLeader) { try cluster.propose(value(1)) }
        #expect(cluster.propose(packed: value(1).span.bytes, lengths: [8].span).error == .noLeader)
        #expect(throws: ClusterError.noLeader(within: .zero)) {
            try cluster.electLeader(within: .zero)
        }
    }

    @Test("values of every length, empty and longest included, arrive as they were")
    func lengths_arriveUnchanged() throws {
        let cluster = try LocalCluster()
        try cluster.electLeader()
        let lengths = Array(0...65) + [255, 256, 4095, 4096, 16 << 10]
        let values = lengths.map { length in (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7) }
        }
        for value in values { try cluster.propose(value) }
        cluster.run(for: .seconds(1))
        for node in cluster.nodes { #expect(cluster.delivered(by: node).map(\.bytes) == values) }
        #expect(throws: ProposeError.valueTooLarge(limit: 16 << 10)) {
            try cluster.propose([UInt8](repeating: 0, count: (16 << 10) + 1))
        }
    }

    @Test("a batch goes in under consecutive numbers and says how far it came")
    func batch_saysHowFarItCame() throws {
        let cluster = try LocalCluster { $0.pipeline = 8 }
        try cluster.electLeader()
        let bytes = (0..<10).flatMap(value)
        let admission = cluster.propose(
            packed: bytes.span.bytes, lengths: Array(repeating: 8, count: 10).span)
        #expect(admission.count == 8)
        #expect(admission.error == .pipelineFull)
        #expect(admission.first == admission.proposals.first)
        cluster.run(for: .seconds(1))
        let log = cluster.delivered(by: 1)
        #expect(log.map(\.origin) == Array(admission.proposals))
        #expect(log.map(\.bytes) == (0..<8).map(value))
        let rest = cluster.propose(
            packed: bytes.span.bytes.extracting(droppingFirst: 64), lengths: [8, 8].span)
        #expect(rest.error == nil && rest.count == 2)
    }

    @Test("a proposal at a follower is forwarded and keeps its origin")
    func forward_keepsItsOrigin() throws {
        let cluster = try LocalCluster()
        let leader = try cluster.electLeader()
        cluster.run(for: .seconds(1))
        let follower = cluster.nodes.first { $0 != leader }!
        let proposal = try cluster.propose("by a detour".utf8, at: follower)
        #expect(proposal.node == follower)
        cluster.run(for: .seconds(1))
        for node in cluster.nodes {
            #expect(cluster.delivered(by: node).map(\.origin) == [proposal])
        }
        #expect(cluster.outcomes(at: follower).isEmpty)
    }

    @Test("a forward that meets no leader any more gets an outcome")
    func forward_toACrashedLeader_isUnknown() throws {
        let cluster = try LocalCluster()
        let leader = try cluster.electLeader()
        cluster.run(for: .seconds(1))
        let follower = cluster.nodes.first { $0 != leader }!
        cluster.crash(leader)
        let proposal = try cluster.propose("too late".utf8, at: follower)
        cluster.run(for: .seconds(30))
        let outcomes = cluster.outcomes(at: follower)
        #expect(outcomes.map(\.numbers) == [proposal.number...proposal.number])
        #expect(outcomes.map(\.reason) == [.unknown])
        #expect(throws: ProposeError.noLeader) { try cluster.propose(value(1), at: leader) }
    }

    @Test("the delivery handler reads in place what the log records")
    func handler_seesEveryDelivery() throws {
        let cluster = try LocalCluster(recording: false)
        var seen: [NodeID: [Int]] = [:]
        cluster.onDelivery = { node, delivery in
            #expect(delivery.bytes.byteCount == 8)
            let read = delivery.bytes.unsafeLoad(fromByteOffset: 0, as: UInt64.self)
            #expect(delivery.withUnsafeBytes { $0.count } == 8)
            seen[node, default: []].append(Int(UInt64(littleEndian: read)))
        }
        try cluster.electLeader()
        for number in 0..<100 { try cluster.propose(value(number)) }
        cluster.run(for: .seconds(1))
        for node in cluster.nodes {
            #expect(seen[node] == Array(0..<100))
            #expect(cluster.delivered(by: node).isEmpty)
            #expect(cluster.deliveredSlot(by: node) >= 100)
        }
    }

    @Test("many times the window and the arena go through: what is delivered is trimmed")
    func log_isTrimmedAsItGrows() throws {
        let cluster = try LocalCluster(recording: false) {
            $0.window = 64
            $0.pipeline = 64
            $0.valueBytes = 1024
            $0.frameBytes = 4096
            $0.arenaBytes = 1 << 16
        }
        try cluster.electLeader()
        let value = [UInt8](repeating: 1, count: 1000)
        for _ in 0..<5000 {
            try cluster.propose(value)
            cluster.settle()
            if cluster.deliveredSlot(by: 1) % 16 == 0 { cluster.run(for: .milliseconds(1)) }
        }
        cluster.run(for: .seconds(1))
        for node in cluster.nodes {
            #expect(cluster.deliveredSlot(by: node) >= 5000)
            #expect(cluster.status(of: node).trimmed > 4900)
        }
    }

    @Test("a cluster whose journal is durable at once agrees, too")
    func durable_agrees() throws {
        let cluster = try LocalCluster { $0.durability = .durable }
        try cluster.electLeader()
        for number in 0..<100 { try cluster.propose(value(number)) }
        cluster.run(for: .seconds(1))
        for node in cluster.nodes {
            #expect(cluster.delivered(by: node).map(\.bytes) == (0..<100).map(value))
        }
    }

    @Test("told to, another node takes over and the log goes on")
    func campaign_movesLeadership() throws {
        let cluster = try LocalCluster { $0.manualElections = true }
        cluster.campaign(2)
        #expect(cluster.leader == 2)
        try cluster.propose(value(1))
        cluster.settle()
        cluster.campaign(3)
        #expect(cluster.leader == 3)
        try cluster.propose(value(2))
        cluster.run(for: .seconds(1))
        for node in cluster.nodes {
            #expect(cluster.delivered(by: node).map { number($0.bytes) } == [1, 2])
        }
    }
}
