import CPaxos
import PaxosSimulator
import Testing

/// Alagappan and others, "Protocol-Aware Recovery for Consensus-Based Storage" (FAST 2018): what a
/// damaged log cannot tell is not the same as nothing.
struct UnknownPromiseTests {
    /// Node 1 campaigns under its first ballot; its Prepares stay where they are.
    private func candidate(
        members: Int = 3, _ mode: Mode, window: UInt32 = 64, elections: Bool = false
    ) -> World {
        let world = World(members: members, mode: mode, elections: elections) {
            $0.window_slots = window
            $0.pipeline_slots = window
        }
        world.campaign(1)
        world.drop { _ in true }
        return world
    }

    private func page(
        _ world: World, from: UInt16, slot: UInt64, _ state: paxos_run_state, count: UInt32,
        accepted: UInt64 = 0, _ entries: [Entry] = [], flags: UInt32 = 0, watermark: UInt64 = 0,
        trim: UInt64 = 0
    ) -> paxos_status_t {
        world.inject(
            .promise(
                from: from, to: 1, ballot: world[1].acceptor.promised, slot: slot, state: state,
                accepted: accepted, count: count, entries, flags: flags, watermark: watermark,
                trim: trim))
    }

    private func end(_ world: World, from: UInt16, slot: UInt64) {
        #expect(
            page(world, from: from, slot: slot, PAXOS_RUN_EMPTY, count: 0, flags: PAXOS_FLAG_LAST)
                == PAXOS_OK)
    }

    @Test("no no-op in a slot that fewer than q1 know", arguments: Mode.allCases)
    func unknownIsNotEmpty(mode: Mode) {
        let world = candidate(mode)
        #expect(page(world, from: 2, slot: 1, PAXOS_RUN_UNKNOWN, count: 2) == PAXOS_OK)
        end(world, from: 2, slot: 3)
        #expect(world[1].isCandidate && world.pending(PAXOS_FRAME_ACCEPT).isEmpty)
        end(world, from: 3, slot: 1)
        #expect(world[1].isLeader)
        #expect(world[1].acceptor.last_slot == 2)
        for slot in 1...2 as ClosedRange<UInt64> { #expect(world[1].look(slot).value == []) }
        expectSafe(world)
    }

    @Test("the value that another one knows is taken", arguments: Mode.allCases)
    func unknownElsewhereKnown(mode: Mode) {
        let world = candidate(mode)
        #expect(page(world, from: 2, slot: 1, PAXOS_RUN_UNKNOWN, count: 1) == PAXOS_OK)
        end(world, from: 2, slot: 2)
        let entry = Entry("known", node: 3, number: 1)
        #expect(
            page(
                world, from: 3, slot: 1, PAXOS_RUN_ACCEPTED, count: 1,
                accepted: 3, [entry], flags: PAXOS_FLAG_LAST)
                == PAXOS_OK)
        #expect(world[1].isLeader && world[1].look(1).value == entry.value)
        expectSafe(world)
    }

    @Test(
        "a damaged tail is unknown from there on: it is no quorum for new slots",
        arguments: Mode.allCases)
    func unknownTail(mode: Mode) {
        let world = candidate(members: 5, mode)
        #expect(
            page(world, from: 2, slot: 1, PAXOS_RUN_UNKNOWN, count: 1, flags: PAXOS_FLAG_LAST)
                == PAXOS_OK)
        end(world, from: 3, slot: 1)
        #expect(world[1].isCandidate, "self and 3 know, 2 does not")
        end(world, from: 4, slot: 1)
        #expect(world[1].isLeader)
        #expect(world[1].acceptor.last_slot == 0, "three know that there is nothing")
        expectSafe(world)
    }

    @Test("a damaged tail behind entries: those before it count", arguments: Mode.allCases)
    func unknownTailBehindEntries(mode: Mode) {
        let world = candidate(members: 5, mode)
        let entry = Entry("x", node: 5, number: 1)
        #expect(
            page(world, from: 2, slot: 1, PAXOS_RUN_ACCEPTED, count: 1, accepted: 5, [entry])
                == PAXOS_OK)
        #expect(
            page(world, from: 2, slot: 2, PAXOS_RUN_UNKNOWN, count: 7, flags: PAXOS_FLAG_LAST)
                == PAXOS_OK)
        let other = Entry("y", node: 5, number: 2)
        #expect(
            page(world, from: 3, slot: 1, PAXOS_RUN_EMPTY, count: 1) == PAXOS_OK)
        #expect(
            page(
                world, from: 3, slot: 2, PAXOS_RUN_ACCEPTED, count: 1, accepted: 5, [other],
                flags: PAXOS_FLAG_LAST) == PAXOS_OK)
        #expect(world[1].isCandidate)
        end(world, from: 4, slot: 1)
        #expect(world[1].isLeader)
        #expect(world[1].look(1).value == entry.value && world[1].look(2).value == other.value)
        expectSafe(world)
    }

    @Test("what the window cannot hold is not passed over", arguments: Mode.allCases)
    func unknownBeyondTheWindow(mode: Mode) {
        let world = candidate(mode, window: 8)
        #expect(page(world, from: 2, slot: 1, PAXOS_RUN_EMPTY, count: 6) == PAXOS_OK)
        #expect(page(world, from: 2, slot: 7, PAXOS_RUN_UNKNOWN, count: 4) == PAXOS_ERR_FULL)
        end(world, from: 2, slot: 11)
        #expect(!world[1].isLeader, "slots 9 and 10 may hold anything")
        expectSafe(world)
    }

    @Test("accepted entries beyond the window: catch up first", arguments: Mode.allCases)
    func acceptedBeyondTheWindow(mode: Mode) {
        let world = candidate(mode, window: 8, elections: true)
        #expect(page(world, from: 2, slot: 1, PAXOS_RUN_EMPTY, count: 8) == PAXOS_OK)
        let entry = Entry("far", node: 3, number: 1)
        #expect(
            page(
                world, from: 2, slot: 9, PAXOS_RUN_ACCEPTED, count: 1, accepted: 3, [entry],
                flags: PAXOS_FLAG_LAST) == PAXOS_ERR_FULL)
        #expect(!world[1].isCandidate && !world[1].isLeader)
        /* Others get their chance first; then it tries again. */
        let again = world[1].replica.pointee.campaign_ns
        #expect(again >= world.now + second * 11 / 4 && again <= world.now + 4 * second)
        world.deliver(
            Packet(PAXOS_FRAME_PREPARE, from: 3, to: 1) {
                $0.ballot = paxos_ballot(9, 3)
                $0.slot = 1
                $0.digest = world[1].fingerprint
            })
        #expect(world[1].acceptor.promised == paxos_ballot(9, 3))
        #expect(world[1].replica.pointee.campaign_ns == again, "no earlier for what others try")
        expectSafe(world)
    }

    @Test(
        "a trimmed slot is never filled: the candidate gives up and says how far it is behind",
        arguments: Mode.allCases)
    func trimmedPromise(mode: Mode) throws {
        let world = candidate(mode)
        #expect(
            page(
                world, from: 2, slot: 1, PAXOS_RUN_TRIMMED, count: 100, watermark: 120, trim: 100)
                == PAXOS_OK)
        #expect(!world[1].isCandidate && !world[1].isLeader)
        let learn = try #require(world.take(PAXOS_FRAME_LEARN, from: 1, to: 2))
        #expect(learn.fields.slot == 1)
        world.deliver(
            Packet(PAXOS_FRAME_LEARNED, from: 2, to: 1) {
                $0.slot = 1
                $0.count = 64
                $0.state = UInt16(PAXOS_RUN_TRIMMED.rawValue)
                $0.watermark = 120
                $0.trim = 100
            })
        #expect(world[1].status.behind_to >= 64)
        #expect(world[1].acceptor.last_slot == 0)
        expectSafe(world)
    }

    @Test("a chosen entry in a promise is learned, not proposed", arguments: Mode.allCases)
    func chosenInPromise(mode: Mode) {
        let world = World(mode: mode)
        world.elect(2)
        world.partition([1], [2, 3])
        world.propose("chosen", at: 2)
        world.deliverAll()
        world.cut = []
        world.campaign(1)
        world.deliverAll { $0.isKind(PAXOS_FRAME_PREPARE) || $0.isKind(PAXOS_FRAME_REJECTED) }
        world.campaign(1)
        world.onSend = { #expect(!$0.isKind(PAXOS_FRAME_ACCEPT)) }
        world.deliverAll()
        #expect(world[1].isLeader && world.texts(at: 1) == ["chosen"])
        expectSafe(world)
    }

    @Test(
        "a candidate trims what its voters trimmed, to hold what they report",
        arguments: Mode.allCases)
    func promiseTellsTrimPoint(mode: Mode) {
        let world = World.led(by: 2, mode: mode) {
            $0.window_slots = 8
            $0.pipeline_slots = 8
        }
        for _ in 0..<8 {
            world.propose("v", at: 2)
            world.deliverAll()
        }
        world.run(for: second)
        let promised = world[2].acceptor.promised
        /* Node 1 has delivered all and its host trimmed all; that all is stable it did not hear. */
        let stale = Node(world[1].config, now: world.now)
        var entries: [Entry] = []
        for entry in world.host(1).log { entries.append(entry) }
        let learned = Packet(PAXOS_FRAME_LEARNED, from: 2, to: 1, entries: entries) {
            $0.slot = 1
            $0.state = UInt16(PAXOS_RUN_CHOSEN.rawValue)
            $0.digest = runDigest(entries, from: 1)
            $0.watermark = 8
        }
        #expect(stale.receive(learned, now: world.now) == PAXOS_OK)
        while stale.poll() != nil {}
        #expect(stale.trim(8) == PAXOS_OK && stale.acceptor.trimmed == 0)
        #expect(stale.campaign(now: world.now) == PAXOS_OK)
        while stale.poll() != nil {}
        _ = stale.flushed(stale.acceptor.lsn, now: world.now)
        let far = Entry("far", node: 2, number: 99)
        let page = Packet.promise(
            from: 2, to: 1, ballot: stale.acceptor.promised, slot: 9, state: PAXOS_RUN_ACCEPTED,
            accepted: promised, [far], watermark: 8, trim: 8)
        #expect(stale.receive(page, now: world.now) == PAXOS_OK)
        #expect(stale.acceptor.trimmed == 8 && stale.isLeader)
        #expect(stale.look(9).value == far.value)
    }
}
