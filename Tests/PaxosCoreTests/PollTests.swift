import CPaxos
import PaxosSimulator
import Testing

/// replica.h: "The same for two callers in turn, of whom one may be slow: io gives SEND and WRITE
/// alone, log DELIVER and OUTCOME."
struct PollTests {
    private typealias Poll = (
        UnsafeMutablePointer<paxos_replica_t>?, UnsafeMutablePointer<paxos_effect_t>?
    ) -> Bool

    private func effects(_ poll: Poll, _ node: Node) -> [paxos_effect_t] {
        var effects: [paxos_effect_t] = []
        var effect = paxos_effect_t()
        effect.size_bytes = UInt32(MemoryLayout<paxos_effect_t>.size)
        while poll(node.replica, &effect) {
            if effect.token != 0 { #expect(node.sent(effect.token) == PAXOS_OK) }
            effects.append(effect)
        }
        return effects
    }

    @Test("frames and records go out while nobody takes deliveries", arguments: Mode.allCases)
    func deliveriesWait(mode: Mode) {
        let world = World.led(mode: mode)
        for text in ["a", "b"] { #expect(world.propose(text, at: 1).status == PAXOS_OK) }
        while let frame = world.take(PAXOS_FRAME_ACCEPT, from: 1, to: 2) {
            #expect(world[2].receive(frame, now: world.now) == PAXOS_OK)
        }
        world.deliverAll { $0.to != 2 }
        while let frame = world.take(PAXOS_FRAME_COMMIT, from: 1, to: 2) {
            #expect(world[2].receive(frame, now: world.now) == PAXOS_OK)
        }
        let out = effects(paxos_replica_poll_io, world[2])
        let outKinds = Set(out.map(\.kind))
        #expect(
            outKinds.contains(
                mode == .durable ? PAXOS_EFFECT_WRITE.rawValue : PAXOS_EFFECT_SEND.rawValue))
        #expect(!outKinds.contains(PAXOS_EFFECT_DELIVER.rawValue))
        #expect(paxos_replica_has_log(world[2].replica))
        let log = effects(paxos_replica_poll_log, world[2])
        #expect(log.map(\.kind).allSatisfy { $0 == PAXOS_EFFECT_DELIVER.rawValue })
        #expect(log.first?.slot == 1 && log.map(\.count).reduce(0, +) == 2)
        #expect(!paxos_replica_has_log(world[2].replica))
    }

    @Test("a proposal whose leader went before it left is refused, once", arguments: Mode.allCases)
    func strandedWaits(mode: Mode) {
        let world = World.led(mode: mode)
        #expect(effects(paxos_replica_poll_log, world[2]).isEmpty)
        for _ in 0..<2 { #expect(world[2].propose([7], now: world.now).status == PAXOS_OK) }
        #expect(!paxos_replica_has_log(world[2].replica))
        world[2].tick(now: world.now + 10 * second)
        let out = effects(paxos_replica_poll_io, world[2])
        #expect(out.allSatisfy { $0.token == 0 })
        #expect(paxos_replica_has_log(world[2].replica))
        let log = effects(paxos_replica_poll_log, world[2])
        #expect(log.map(\.kind) == [PAXOS_EFFECT_OUTCOME.rawValue])
        #expect(log.first?.number == 1 && log.first?.count == 2)
        #expect(log.first?.reason == UInt16(PAXOS_REASON_NOT_LEADER.rawValue))
        #expect(!paxos_replica_has_log(world[2].replica))
    }

    @Test("a proposal leaves through io alone", arguments: Mode.allCases)
    func forwardLeaves(mode: Mode) {
        let world = World.led(mode: mode)
        #expect(world[2].propose([7], now: world.now).status == PAXOS_OK)
        #expect(effects(paxos_replica_poll_log, world[2]).isEmpty)
        let out = effects(paxos_replica_poll_io, world[2])
        #expect(out.map(\.kind).contains(PAXOS_EFFECT_SEND.rawValue))
        #expect(out.contains { $0.token != 0 && $0.node == 1 })
    }
}
