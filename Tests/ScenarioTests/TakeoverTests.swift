import CPaxos
import PaxosSimulator
import Testing

/// Lamport 2001, section 3: "The leader, as well as any server that learned all the commands the
/// leader knows, can now propose"; "it then fills the gap immediately by proposing, as commands 136
/// and 137, a special 'no-op' command that leaves the state unchanged."
struct TakeoverTests {
    /// Who accepted a slot of the crashed leader, node 1.
    enum Held: Int, CaseIterable {
        case nobody, second, third, both
        func reaches(_ id: UInt16) -> Bool {
            self == .both || self == .second && id == 2 || self == .third && id == 3
        }
    }

    /// Node 1 leads and proposes one entry for each slot; each Accept arrives where the pattern
    /// says so, and no acknowledgement comes back. Then node 1 crashes.
    private func leave(_ pattern: [Held], _ world: World) {
        world.elect(1)
        world.disk = .manual
        for slot in 1...pattern.count { world.propose("v\(slot)", at: 1) }
        world.flush(2)
        world.flush(3)
        for packet in world.pool where packet.isKind(PAXOS_FRAME_ACCEPT) {
            #expect(packet.fields.count == 1)
            if pattern[Int(packet.fields.slot) - 1].reaches(packet.to) { world.deliver(packet) }
        }
        world.crash(1)
        world.disk = .immediate
        for id: UInt16 in [2, 3] { world.flush(id) }
        world.pool = []
    }

    /// Node `id` takes over with the other one that is left, then a new entry follows.
    private func takeOver(_ pattern: [Held], _ world: World, by id: UInt16) throws {
        let name = pattern.map { "\($0.rawValue)" }.joined()
        let other = 5 - id
        var reported: [UInt64: String] = [:]
        var proposed: [UInt64: Entry] = [:]
        world.onSend = { packet in
            for (index, entry) in packet.entries.enumerated() {
                let slot = packet.fields.slot + UInt64(index)
                if packet.isKind(PAXOS_FRAME_PROMISE) { reported[slot] = entry.text }
                if packet.isKind(PAXOS_FRAME_ACCEPT) {
                    #expect(packet.fields.ballot == world[id].acceptor.promised)
                    proposed[slot] = entry
                }
            }
        }
        let decided = world[id].acceptor.decided
        for slot in 1...UInt64(pattern.count) {
            if let held = world[id].look(slot).value {
                reported[slot] = String(decoding: held, as: UTF8.self)
            }
        }
        world.campaign(id)
        world.deliverAll()
        #expect(world[id].isLeader)
        let highest = UInt64((pattern.lastIndex { $0 != .nobody } ?? -1) + 1)
        #expect(world.propose("new", at: id).status == PAXOS_OK)
        world.deliverAll()
        world.run(for: second)
        for slot in 1...UInt64(pattern.count) where slot <= highest {
            let entry = world.host(id).log[Int(slot) - 1]
            switch pattern[Int(slot) - 1] {
            case .nobody: #expect(entry.isNoop, "\(name) slot \(slot)")
            default: #expect(entry.text == "v\(slot)", "\(name) slot \(slot)")
            }
            if let text = reported[slot], slot > decided, let again = proposed[slot] {
                #expect(again.text == text, "\(name) slot \(slot)")
            }
        }
        for id in [id, other] {
            let log = world.host(id).log
            #expect(log.count == Int(highest) + 1 && log.last?.text == "new", "\(name) at \(id)")
        }
        #expect(world.host(id).log == world.host(other).log)
        expectSafe(world)
    }

    private func check(_ pattern: [Held], _ mode: Mode, by id: UInt16) throws {
        let world = World(mode: mode)
        leave(pattern, world)
        try takeOver(pattern, world, by: id)
    }

    @Test("every pattern over five slots, both successors", arguments: Mode.allCases)
    func takeoverFillsGaps(mode: Mode) throws {
        for number in 0..<(1 << 10) {
            let pattern = (0..<5).map { Held(rawValue: number >> (2 * $0) & 3)! }
            try check(pattern, mode, by: 2)
            try check(pattern, mode, by: 3)
        }
    }

    @Test("random patterns over slots 1..10", arguments: Mode.allCases)
    func takeoverFillsGaps_tenSlots(mode: Mode) throws {
        var random = SplitMix(seed: 10)
        for _ in 0..<400 {
            let pattern = (0..<10).map { _ in Held(rawValue: random.below(4))! }
            try check(pattern, mode, by: UInt16(2 + random.below(2)))
        }
    }

    @Test(
        "the crashed leader returns: its log joins the others, its proposals have an outcome",
        arguments: Mode.allCases)
    func takeoverFillsGaps_oldLeaderReturns(mode: Mode) throws {
        var random = SplitMix(seed: 11)
        for _ in 0..<300 {
            let pattern = (0..<10).map { _ in Held(rawValue: random.below(4))! }
            let world = World(mode: mode)
            leave(pattern, world)
            try takeOver(pattern, world, by: UInt16(2 + random.below(2)))
            world.revive(1)
            world.onSend = nil
            world.flush(1)
            world.run(for: 2 * second)
            #expect(world.isConverged && world.host(1).log == world.host(2).log)
            #expect(world.host(1).silent.isEmpty, "\(pattern)")
            expectSafe(world)
        }
    }

    @Test("a value on the one that did not answer has a single outcome", arguments: Mode.allCases)
    func gapIsFilledByQuorumOnly(mode: Mode) throws {
        /* "v1" stands on node 3 alone, which does not answer: one outcome, whichever. */
        let world = World(mode: mode)
        leave([.third, .second], world)
        world.partition([3], [2])
        world.campaign(2)
        world.run(for: second)
        #expect(!world[2].isLeader, "one of three is no quorum")
        world.revive(1)
        world.partition([3], [1])
        world.flush(1)
        world.elect(2)
        world.run(for: second)
        let log = world.texts(at: 2)
        world.heal()
        world.run(for: 2 * second)
        #expect(world.texts(at: 3) == log && world.isConverged)
        expectSafe(world)
    }
}
