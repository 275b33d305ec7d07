import CPaxos
import PaxosSimulator
import Testing

/// DESIGN.md, outcomes: "the origin learns decided at slot s, refused (why, and who leads) or
/// unknown. A forward names the ballot it is meant for; the leader remembers the highest number of
/// each (node, incarnation) and ignores older ones, so that a duplicate cannot be refused and
/// admitted."
struct ForwardTests {
    /// A forward of node 2 to node 1, made by hand.
    private func forward(
        _ world: World, ballot: UInt64? = nil, _ entries: [Entry]
    ) -> Packet {
        Packet(PAXOS_FRAME_FORWARD, from: 2, to: 1, entries: entries) {
            $0.ballot = ballot ?? world[1].acceptor.promised
            $0.digest = runDigest(entries, from: 1)
        }
    }

    private func entry(_ text: String, _ number: UInt64) -> Entry {
        Entry(text, node: 2, number: number)
    }

    @Test("proposals of a follower are decided and delivered everywhere", arguments: Mode.allCases)
    func followerProposes(mode: Mode) {
        let world = World.led(mode: mode)
        for number in 0..<30 {
            let id = UInt16(1 + number % 3)
            #expect(world.propose("\(number)", at: id).status == PAXOS_OK)
            if number % 4 == 0 { world.deliverAll() }
        }
        world.run(for: second)
        for id in world.ids {
            #expect(Set(world.texts(at: id)) == Set((0..<30).map { "\($0)" }))
            #expect(world.host(id).silent.isEmpty && world.host(id).outcomes.isEmpty)
        }
        expectSafe(world)
    }

    @Test("proposals between two polls leave as one frame", arguments: Mode.allCases)
    func forwardsAreBatched(mode: Mode) throws {
        let world = World.led(mode: mode)
        for _ in 0..<5 { #expect(world[2].propose([1], now: world.now).status == PAXOS_OK) }
        world.drain(2)
        let frame = try #require(world.take(PAXOS_FRAME_FORWARD, from: 2, to: 1))
        #expect(frame.fields.count == 5 && world.take(PAXOS_FRAME_FORWARD, from: 2, to: 1) == nil)
        #expect(frame.entries.map(\.header.number) == [1, 2, 3, 4, 5])
        #expect(frame.fields.digest == runDigest(frame.entries, from: 1))
    }

    @Test("a duplicate of an admitted forward changes nothing", arguments: Mode.allCases)
    func duplicateIsIgnored(mode: Mode) {
        let world = World.led(mode: mode)
        let frame = forward(world, [entry("a", 1), entry("b", 2)])
        for _ in 0..<3 { #expect(world.inject(frame) == PAXOS_OK) }
        let overlap = forward(world, [entry("b", 2), entry("c", 3)])
        #expect(world.inject(overlap) == PAXOS_OK)
        world.run(for: second)
        #expect(world.texts(at: 1) == ["a", "b", "c"])
        expectSafe(world)
    }

    @Test(
        "room for some: the rest is refused as full, and stays refused", arguments: Mode.allCases)
    func partlyRefused(mode: Mode) throws {
        let world = World.led(mode: mode) { $0.pipeline_slots = 2 }
        world.network.latency = (3600 * second)...(3600 * second)
        for number in 1...3 {
            #expect(world[2].propose([UInt8(number)], now: world.now).status == PAXOS_OK)
        }
        world.drain(2)
        let frame = try #require(world.take(PAXOS_FRAME_FORWARD, from: 2, to: 1))
        world.inject(frame)
        let refused = try #require(world.take(PAXOS_FRAME_REFUSED, from: 1, to: 2))
        #expect(refused.fields.nonce == 3 && refused.fields.count == 1)
        #expect(refused.fields.state == PAXOS_REASON_FULL.rawValue)
        #expect(refused.fields.other == world[1].acceptor.promised, "it names who leads")
        world.deliver(refused)
        #expect(world.host(2).outcomes[3] == .refused(UInt16(PAXOS_REASON_FULL.rawValue)))
        #expect(world.deliver(frame) == PAXOS_OK)
        world.network.latency = millisecond...millisecond
        world.deliverAll()
        world.run(for: second)
        #expect(world.host(1).log.count == 2 && world.host(2).decided == [1, 2])
        expectSafe(world)
    }

    @Test(
        "a leader that stepped down refuses, and names whom it follows", arguments: Mode.allCases)
    func formerLeaderRefuses(mode: Mode) throws {
        let world = World.led(mode: mode)
        let proposal = world.propose("late", at: 2)
        let frame = try #require(world.take(PAXOS_FRAME_FORWARD, from: 2, to: 1))
        world.elect(3)
        #expect(!world[1].isLeader && world[1].status.leader == 3)
        #expect(world.deliver(frame) == PAXOS_OK)
        let refused = try #require(world.take(PAXOS_FRAME_REFUSED, from: 1, to: 2))
        #expect(refused.fields.state == PAXOS_REASON_NOT_LEADER.rawValue)
        #expect(refused.fields.other == world[3].acceptor.promised)
        world.deliver(refused)
        #expect(
            world.host(2).outcomes[proposal.number]
                == .refused(UInt16(PAXOS_REASON_NOT_LEADER.rawValue)))
        world.run(for: 2 * second)
        #expect(world.texts(at: 3).isEmpty)
        expectSafe(world)
    }

    @Test(
        "a forward that never left when its leader was replaced is refused",
        arguments: Mode.allCases)
    func unsentForwardIsRefused(mode: Mode) throws {
        let world = World.led(mode: mode)
        let number = world[2].propose([1], now: world.now).number
        let other = Packet(PAXOS_FRAME_HEARTBEAT, from: 3, to: 2) {
            $0.ballot = paxos_ballot(9, 3)
            $0.flags = UInt16(PAXOS_FLAG_LEADING)
            $0.nonce = 1
            $0.digest = world[2].fingerprint
            $0.other = paxos_ballot(9, 3)
        }
        #expect(world[2].receive(other, now: world.now) == PAXOS_OK)
        var outcome: paxos_effect_t?
        while let effect = world[2].poll() {
            #expect(effect.kind != PAXOS_EFFECT_SEND.rawValue || effect.token == 0)
            if effect.kind == PAXOS_EFFECT_OUTCOME.rawValue { outcome = effect }
        }
        let refused = try #require(outcome)
        #expect(refused.number == number && refused.count == 1 && refused.node == 3)
        #expect(UInt32(refused.reason) == PAXOS_REASON_NOT_LEADER.rawValue)
    }

    @Test(
        "of two in one forward the second is decided, the first is not: unknown, not silence",
        arguments: Mode.allCases)
    func hindmostDecided(mode: Mode) throws {
        let world = World.led(mode: mode)
        for number in 1...3 {
            #expect(world[2].propose([UInt8(number)], now: world.now).status == PAXOS_OK)
        }
        world.drain(2)
        let frame = try #require(world.take(PAXOS_FRAME_FORWARD, from: 2, to: 1))
        /* The leader's Accept of the first is lost, that of the others arrives at 3; it crashes. */
        world.inject(frame)
        let noop = Entry([], kind: PAXOS_ENTRY_NOOP.rawValue, node: 3, number: 0)
        let entries = [noop] + frame.entries.dropFirst()
        let learned = Packet(PAXOS_FRAME_LEARNED, from: 3, to: 2, entries: entries) {
            $0.slot = 1
            $0.state = UInt16(PAXOS_RUN_CHOSEN.rawValue)
            $0.digest = runDigest(entries, from: 1)
            $0.watermark = 3
        }
        #expect(world[2].receive(learned, now: world.now) == PAXOS_OK)
        var unknown: [UInt64] = []
        func poll() {
            while let effect = world[2].poll() {
                if effect.kind == PAXOS_EFFECT_OUTCOME.rawValue {
                    #expect(UInt32(effect.reason) == PAXOS_REASON_LOST.rawValue)
                    unknown += (0..<UInt64(effect.count)).map { effect.number + $0 }
                }
            }
        }
        poll()
        world[2].tick(now: world.now + 3 * second)
        poll()
        #expect(unknown == [1])
    }

    @Test(
        "entries of someone else, or of no command are malformed: nothing changes",
        arguments: Mode.allCases)
    func malformedForwards(mode: Mode) {
        let world = World.led(mode: mode)
        let good = entry("good", 1)
        let bad: [Entry] = [
            Entry("x", node: 3, number: 2),
            Entry(Bytes("x".utf8), node: 2, incarnation: 2, number: 2),
            Entry([], kind: PAXOS_ENTRY_NOOP.rawValue, node: 2, number: 2),
            Entry([1], kind: PAXOS_ENTRY_MEMBERSHIP.rawValue, node: 2, number: 2),
        ]
        for entry in bad {
            let malformed = world[1].status.frames_malformed
            let next = world[1].replica.pointee.next_slot
            #expect(
                world[1].receive(forward(world, [good, entry]), now: world.now) == PAXOS_ERR_WIRE)
            #expect(world[1].status.frames_malformed == malformed + 1)
            #expect(world[1].replica.pointee.next_slot == next, "\(entry) let the first one in")
        }
        #expect(world.inject(forward(world, [good])) == PAXOS_OK)
        world.run(for: second)
        #expect(world.texts(at: 1) == ["good"])
        expectSafe(world)
    }

    @Test("a forward for another leadership is ignored", arguments: Mode.allCases)
    func otherLeadership(mode: Mode) {
        let world = World.led(mode: mode)
        let frame = forward(world, ballot: paxos_ballot(77, 1), [entry("x", 1)])
        #expect(world[1].receive(frame, now: world.now) == PAXOS_OK)
        #expect(world[1].acceptor.last_slot == 0)
    }

    @Test("a second refusal waits until the first was told", arguments: Mode.allCases)
    func refusalsOneByOne(mode: Mode) throws {
        let world = World.led(mode: mode) { $0.pipeline_slots = 1 }
        world.network.latency = (3600 * second)...(3600 * second)
        world.propose("fills", at: 1)
        let first = world.propose("a", at: 2).number
        let second = world.propose("b", at: 2).number
        let ballot = world[1].acceptor.promised
        func refusal(_ number: UInt64) -> Packet {
            Packet(PAXOS_FRAME_REFUSED, from: 1, to: 2) {
                $0.ballot = ballot
                $0.nonce = number
                $0.count = 1
                $0.state = UInt16(PAXOS_REASON_FULL.rawValue)
                $0.digest = 1
                $0.other = ballot
            }
        }
        #expect(world[2].receive(refusal(first), now: world.now) == PAXOS_OK)
        #expect(world[2].receive(refusal(second), now: world.now) == PAXOS_ERR_BUSY)
        world.drain(2)
        #expect(world.host(2).outcomes[first] != nil && world.host(2).outcomes[second] == nil)
        world.deliver(refusal(second))
        #expect(world.host(2).outcomes[second] != nil)
        /* Of a forward that is settled, or of none, there is nothing to tell. */
        world.deliver(refusal(second))
        world.deliver(refusal(99))
        #expect(world.host(2).outcomes.count == 2)
        /* The leader, too, owes one refusal a member at a time. */
        #expect(world[1].receive(forward(world, [entry("c", 3)]), now: world.now) == PAXOS_OK)
        #expect(world[1].receive(forward(world, [entry("d", 4)]), now: world.now) == PAXOS_ERR_BUSY)
    }

    /// A forward of node 2 in one of its lives, to the leader 1.
    private func forward(_ entry: Entry, in world: World) -> Packet {
        Packet(PAXOS_FRAME_FORWARD, from: 2, to: 1, entries: [entry]) {
            $0.incarnation = entry.header.incarnation
            $0.ballot = world[1].acceptor.promised
            $0.digest = runDigest([entry], from: 1)
        }
    }

    @Test("a duplicate from the life before is ignored once the next life was heard of")
    func forwardOfAnEarlierLife() {
        let world = World.led(mode: .durable)
        let old = Entry(Bytes("old".utf8), node: 2, incarnation: 1, number: 7)
        let new = Entry(Bytes("new".utf8), node: 2, incarnation: 2, number: 1)
        for entry in [old, new, old, new] {
            #expect(world.inject(forward(entry, in: world)) == PAXOS_OK)
        }
        world.run(for: second)
        #expect(world.texts(at: 1) == ["old", "new"])
        expectSafe(world)
    }

    @Test("a refusal of the life before refuses nothing of this one: numbers begin anew")
    func refusalOfAnotherLife() throws {
        let world = World.led(mode: .durable) { $0.pipeline_slots = 1 }
        world.network.latency = (3600 * second)...(3600 * second)
        world.propose("fills", at: 1)
        let proposal = world.propose("mine", at: 2)
        let late = Packet(PAXOS_FRAME_REFUSED, from: 1, to: 2) {
            $0.ballot = world[1].acceptor.promised
            $0.nonce = proposal.number
            $0.count = 1
            $0.state = UInt16(PAXOS_REASON_FULL.rawValue)
            $0.digest = 2
            $0.other = $0.ballot
        }
        #expect(world.deliver(late) == PAXOS_OK)
        #expect(world.host(2).outcomes[proposal.number] == nil)
        /* The leader's own answer names the life of the forward. */
        world.deliver(PAXOS_FRAME_FORWARD, from: 2, to: 1)
        let refused = try #require(world.take(PAXOS_FRAME_REFUSED, from: 1, to: 2))
        #expect(refused.fields.digest == 1)
        world.deliver(refused)
        #expect(world.host(2).outcomes[proposal.number] != nil)
        expectSafe(world)
    }
}
