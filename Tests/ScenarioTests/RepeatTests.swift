import CPaxos
import PaxosSimulator
import Testing

/// Lamport 2001, section 2.2: "messages can take arbitrarily long to be delivered, can be
/// duplicated, and can be lost, but they are not corrupted."
struct RepeatTests {
    @Test("same replies, same state", arguments: Mode.allCases)
    func sameBallotTwiceIsIdempotent(mode: Mode) throws {
        let world = World(mode: mode)
        let fingerprint = world[1].fingerprint
        let frames: [Packet] = [
            .prepare(from: 3, to: 1, round: 2, fingerprint: fingerprint),
            .accept(from: 3, to: 1, round: 2, slot: 1, [Entry("X", node: 3, number: 1)]),
            .prepare(from: 3, to: 1, round: 4, fingerprint: fingerprint),
            .accept(from: 3, to: 1, round: 4, slot: 1, [Entry("X", node: 3, number: 1)]),
            .accept(from: 3, to: 1, round: 4, slot: 2, [Entry("Z", node: 3, number: 2)]),
        ]
        for frame in frames {
            var replies: [[Bytes]] = []
            var states: [String] = []
            for _ in 0..<3 {
                #expect(world.inject(frame) == PAXOS_OK)
                replies.append(world.pool.map { $0.header + $0.body })
                world.drop { _ in true }
                let acceptor = world[1].acceptor
                states.append(
                    "\(acceptor.promised) \(acceptor.lsn) \(acceptor.arena_head) "
                        + "\(world.holding(1, at: 1) ?? "") \(world.holding(2, at: 1) ?? "")")
            }
            #expect(replies[0].count == 1 && replies[1] == replies[0] && replies[2] == replies[0])
            #expect(Set(states).count == 1)
        }
        expectSafe(world)
    }

    @Test(
        "a promise and a vote are counted once, however often they come", arguments: Mode.allCases)
    func sameBallotTwiceIsIdempotent_countedOnce(mode: Mode) throws {
        let world = World(members: 5, mode: mode)
        world.startBallot(5, of: 1)
        world.deliver(PAXOS_FRAME_PREPARE, from: 1, to: 2)
        let promise = try #require(world.take(PAXOS_FRAME_PROMISE, from: 2, to: 1))
        for _ in 0..<4 { world.deliver(promise) }
        #expect(world[1].isCandidate, "two of five have promised")
        _ = try world.promise(from: 3, to: 1)
        #expect(world[1].isLeader)
        world.propose("v", at: 1)
        world.deliver(PAXOS_FRAME_ACCEPT, from: 1, to: 2)
        let accepted = try #require(world.take(PAXOS_FRAME_ACCEPTED, from: 2, to: 1))
        for _ in 0..<4 { world.deliver(accepted) }
        #expect(world.texts(at: 1).isEmpty, "two of five have voted")
        world.deliver(PAXOS_FRAME_ACCEPT, from: 1, to: 3)
        world.deliver(PAXOS_FRAME_ACCEPTED, from: 3, to: 1)
        #expect(world.texts(at: 1) == ["v"])
        expectSafe(world)
    }

    @Test("every message delivered twice, in any order", arguments: Mode.allCases)
    func sameBallotTwiceIsIdempotent_anyOrder(mode: Mode) {
        for seed in 1...200 as ClosedRange<UInt64> {
            let world = World(members: seed % 2 == 0 ? 3 : 5, mode: mode, seed: seed)
            world.network.duplicatePercent = 100
            world.hold("X", at: 2, round: 2, of: 3)
            world.campaign(1)
            var isProposed = false
            for _ in 0..<3000 where !world.pool.isEmpty && world.violations.isEmpty {
                let index = world.random.below(world.pool.count)
                /* A copy of a copy would never end. */
                world.network.duplicatePercent = world.pool.count < 60 ? 100 : 0
                world.deliver(world.pool.remove(at: index))
                if world[1].isLeader && !isProposed {
                    isProposed = true
                    world.propose("own", at: 1)
                }
            }
            world.network.duplicatePercent = 0
            world.run(for: second)
            let log = world.texts(at: 1)
            #expect(log == ["X", "own"] || log == ["own"], "seed \(seed)")
            #expect(world.isConverged, "seed \(seed)")
            expectSafe(world)
        }
    }

    @Test("each higher proposer decides the same value", arguments: Mode.allCases)
    func decidedStaysDecided(mode: Mode) {
        for seed in 1...100 as ClosedRange<UInt64> {
            let world = World(members: seed % 2 == 0 ? 3 : 5, mode: mode, seed: seed)
            world.campaign(1)
            world.deliverAll { $0.isKind(PAXOS_FRAME_PREPARE) || $0.isKind(PAXOS_FRAME_PROMISE) }
            world.propose("first", at: 1)
            /* Decided by a majority; nobody else hears of it. */
            world.deliverAll {
                $0.to == 1
                    || $0.isKind(PAXOS_FRAME_ACCEPT) && Int($0.to) <= world.nodes.count / 2 + 1
            }
            #expect(world.texts(at: 1) == ["first"])
            world.network.lossPercent = 20
            world.network.duplicatePercent = 20
            world.network.latency = millisecond...(200 * millisecond)
            for _ in 0..<8 {
                let id = UInt16(1 + world.random.below(world.nodes.count))
                world.campaign(id)
                world.run(for: 100 * millisecond + UInt64(world.random.below(900)) * millisecond) {
                    world[id].isLeader
                }
                world.propose("of \(id)", at: id)
            }
            world.heal()
            world.elect(1)
            world.run(for: 2 * second)
            for id in world.ids {
                #expect(world.texts(at: id).first == "first", "seed \(seed)")
            }
            #expect(world.isConverged, "seed \(seed)")
            expectSafe(world)
        }
    }
}
