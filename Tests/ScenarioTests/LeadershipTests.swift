import CPaxos
import PaxosSimulator
import Testing

/// Lamport 2001, section 3: "A newly chosen leader executes phase 1 for infinitely many instances
/// of the consensus algorithm"; "the cost of executing the consensus algorithm is the cost of
/// executing only phase 2."
struct LeadershipTests {
    @Test("exactly one phase 1; 10,000 phase 2 slots", arguments: Mode.allCases)
    func phaseOneOncePerLeadership(mode: Mode) {
        let world = World(mode: mode, elections: true)
        #expect(world.run(for: 4 * second) { world.leader != nil })
        world.run(for: second)
        let leader = world.leader!
        var slots: [UInt16: Int] = [:]
        var ballots: Set<UInt64> = []
        world.onSend = { packet in
            guard packet.isKind(PAXOS_FRAME_ACCEPT) else { return }
            slots[packet.to, default: 0] += Int(packet.fields.count)
            ballots.insert(packet.fields.ballot)
        }
        var proposed = 0
        while proposed < 10_000 && world.violations.isEmpty {
            for _ in 0..<20 {
                proposed += 1
                #expect(world.propose("\(proposed)", at: leader).status == PAXOS_OK)
            }
            world.deliverAll()
            if proposed % 500 == 0 { world.run(for: 200 * millisecond) }
        }
        world.run(for: second)
        #expect(ballots.count == 1)
        for id in world.ids {
            #expect(world.host(id).log.count == 10_000)
            #expect(world.host(id).sent(PAXOS_FRAME_PREPARE) == (id == leader ? 2 : 0))
            #expect(id == leader || slots[id] == 10_000)
        }
        expectSafe(world)
    }

    @Test("no phase 1 while heartbeats come; one within the election timeout after they stop")
    func takeoverOnlyOnTimeout() throws {
        for seed in 1...40 as ClosedRange<UInt64> {
            let world = World(
                members: seed % 2 == 0 ? 3 : 5, mode: seed % 3 == 0 ? .memoryOnly : .durable,
                seed: seed, elections: true)
            world.network.latency = millisecond...(20 * millisecond)
            #expect(world.run(for: 4 * second) { world.leader != nil })
            world.run(for: second)
            let leader = try #require(world.leader)
            var prepared: UInt64?
            var lastWord = world.now
            world.onSend = { packet in
                if packet.isKind(PAXOS_FRAME_PREPARE) { prepared = prepared ?? world.now }
                if packet.from == leader { lastWord = world.now }
            }
            world.run(for: 10 * second)
            #expect(prepared == nil, "seed \(seed)")
            world.crash(leader)
            world.run(for: 4 * second) { prepared != nil }
            let silence = try #require(prepared, "seed \(seed)") - lastWord
            #expect(silence <= second, "seed \(seed): \(silence / millisecond) ms")
            #expect(world.run(for: 4 * second) { world.leader != nil }, "seed \(seed)")
            expectSafe(world)
        }
    }

    @Test("a node that returns does not disturb a working leader")
    func returningNodeDefers() throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            let world = World(seed: seed, elections: true)
            world.run(for: 2 * second)
            let leader = try #require(world.leader)
            let other = world.ids.first { $0 != leader }!
            world.crash(other)
            world.run(for: 5 * second)
            let ballot = world[leader].status.ballot
            world.revive(other)
            world.run(for: 5 * second)
            #expect(world.leader == leader && world[leader].status.ballot == ballot, "seed \(seed)")
            #expect(world[other].status.leader == leader)
            expectSafe(world)
        }
    }
}
