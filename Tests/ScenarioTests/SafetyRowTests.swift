import CPaxos
import PaxosSimulator
import Testing

/// Rows of the safety list that concern one message at the wrong moment.
struct SafetyRowTests {
    @Test(
        "a paged promise is complete before proposing: page 2 of 3 is lost",
        arguments: Mode.allCases)
    func pagedPromiseIsComplete(mode: Mode) throws {
        let world = World(mode: mode)
        /* Three ballots make three pages. */
        for slot in 1...3 as ClosedRange<UInt64> {
            world.hold("v\(slot)", at: 3, round: 1 + slot, of: 1, slot: slot)
        }
        world.partition([1], [2, 3])
        world.startBallot(9, of: 2)
        world.deliver(PAXOS_FRAME_PREPARE, from: 2, to: 3)
        let pages = world.pending(PAXOS_FRAME_PROMISE)
        try #require(pages.count == 3)
        #expect(pages.map(\.fields.slot) == [1, 2, 3])
        #expect(pages.map { $0.has(PAXOS_FLAG_LAST) } == [false, false, true])
        world.drop { _ in true }
        world.deliver(pages[0])
        world.deliver(pages[2])
        #expect(world[2].isCandidate && world.pending(PAXOS_FRAME_ACCEPT).isEmpty)
        /* It asks again, from the page that is missing. */
        #expect(world.run(for: second) { !world.pending(PAXOS_FRAME_PREPARE).isEmpty })
        #expect(world.pending(PAXOS_FRAME_PREPARE)[0].fields.slot == 2)
        #expect(world[2].isCandidate)
        world.deliverAll()
        #expect(world[2].isLeader)
        world.run(for: second)
        #expect(
            world.texts(at: 2) == ["v1", "v2", "v3"] && world.texts(at: 3) == world.texts(at: 2))
        expectSafe(world)
    }

    @Test(
        "more pages than one request brings: the candidate asks for the rest",
        arguments: Mode.allCases)
    func pagedPromisePauses(mode: Mode) throws {
        let world = World(mode: mode)
        for slot in 1...40 as ClosedRange<UInt64> {
            world.hold("v\(slot)", at: 3, round: 1 + slot, of: 1, slot: slot)
        }
        world.partition([1], [2, 3])
        world.startBallot(100, of: 2)
        var pauses = 0
        world.onSend = {
            if $0.isKind(PAXOS_FRAME_PROMISE) && $0.has(PAXOS_FLAG_PAUSE) { pauses += 1 }
        }
        world.deliverAll()
        #expect(pauses == 2 && world[2].isLeader)
        world.run(for: second)
        #expect(world.texts(at: 2) == (1...40).map { "v\($0)" } && world.isConverged == false)
        expectSafe(world)
    }

    @Test(
        "slot accepted at b1, commit(b2) arrives: fetch, do not deliver", arguments: Mode.allCases)
    func commitOfAnotherBallotIsNoDecision(mode: Mode) throws {
        /* "X" stands at node 3 under an old ballot; "Y" is chosen by 1 and 2. */
        let world = World(mode: mode)
        world.hold("X", at: 3, round: 1, of: 1)
        world.cut = [World.Link(1, 3), World.Link(3, 1), World.Link(2, 3), World.Link(3, 2)]
        world.startBallot(5, of: 2)
        world.deliverAll()
        world.propose("Y", at: 2)
        world.deliverAll()
        #expect(world.texts(at: 2) == ["Y"])
        world.cut = []
        let commit = Packet(PAXOS_FRAME_COMMIT, from: 2, to: 3) {
            $0.ballot = world[2].acceptor.promised
            $0.watermark = 1
        }
        world.deliver(commit)
        #expect(world.texts(at: 3).isEmpty && world.holding(1, at: 3) == "1 X")
        let learn = try #require(world.take(PAXOS_FRAME_LEARN, from: 3, to: 2))
        #expect(learn.fields.slot == 1 && learn.fields.count == 1)
        world.deliver(learn)
        world.deliverAll { $0.isKind(PAXOS_FRAME_LEARNED) }
        #expect(world.texts(at: 3) == ["Y"])
        expectSafe(world)
    }

    @Test(
        "an Accept below the trim point is answered \"decided up to w\"", arguments: Mode.allCases)
    func acceptBelowTrimIsAnswered(mode: Mode) throws {
        let world = World(mode: mode)
        world.elect(1)
        var seventh: Packet?
        world.onSend = { if $0.isKind(PAXOS_FRAME_ACCEPT) && $0.fields.slot == 7 { seventh = $0 } }
        for number in 1...100 {
            world.propose("\(number)", at: 1)
            world.deliverAll()
            if number % 20 == 0 { world.run(for: second) }
        }
        world.run(for: second)
        let accept = try #require(seventh)
        #expect(world[accept.to].acceptor.trimmed >= 7)
        let log = world.texts(at: accept.to)
        world.drop { _ in true }
        world.deliver(accept)
        let answer = try #require(world.take(PAXOS_FRAME_ACCEPTED, from: accept.to, to: 1))
        #expect(answer.fields.count == 0 && answer.fields.watermark == 100)
        #expect(world.texts(at: accept.to) == log && world[accept.to].look(7).value == nil)
        expectSafe(world)
    }

    @Test(
        "log lengths compare only within a ballot: five extra entries do not win",
        arguments: Mode.allCases)
    func staleLengthDoesNotWin(mode: Mode) {
        let world = World(members: 5, mode: mode)
        for slot in 1...6 as ClosedRange<UInt64> {
            world.hold("old \(slot)", at: 3, round: 1, of: 5, slot: slot)
        }
        world.hold("new", at: 1, round: 2, of: 4)
        world.startBallot(9, of: 2)
        for acceptor: UInt16 in [3, 1] {
            world.deliver(PAXOS_FRAME_PREPARE, from: 2, to: acceptor)
            world.deliverAll { $0.isKind(PAXOS_FRAME_PROMISE) && $0.from == acceptor }
        }
        #expect(world[2].isLeader)
        world.run(for: second)
        #expect(world.texts(at: 2) == ["new"] + (2...6).map { "old \($0)" })
        expectSafe(world)
    }

    @Test(
        "the forward to the leader is dropped: the outcome is unknown, not silence",
        arguments: Mode.allCases)
    func lostForwardIsUnknown(mode: Mode) {
        let world = World(mode: mode)
        world.elect(1)
        world.deliverAll()
        let proposal = world.propose("lost", at: 2)
        #expect(proposal.status == PAXOS_OK)
        #expect(world.take(PAXOS_FRAME_FORWARD, from: 2, to: 1) != nil)
        world.run(for: second - millisecond)
        #expect(world.host(2).outcomes[proposal.number] == nil)
        world.run(for: 2 * millisecond)
        #expect(world.host(2).outcomes[proposal.number] == .unknown)
        expectSafe(world)
    }

    @Test("the answer comes too late: unknown first, then seen decided", arguments: Mode.allCases)
    func lateForwardIsDecided(mode: Mode) throws {
        let world = World(mode: mode)
        world.elect(1)
        let proposal = world.propose("late", at: 2)
        let forward = try #require(world.take(PAXOS_FRAME_FORWARD, from: 2, to: 1))
        world.run(for: 2 * second)
        #expect(world.host(2).outcomes[proposal.number] == .unknown)
        world.deliver(forward)
        world.run(for: second)
        #expect(world.host(2).decided.contains(proposal.number) && world.texts(at: 1) == ["late"])
        expectSafe(world)
    }

    @Test("copy one refused (full), copy two arrives later: ignored", arguments: Mode.allCases)
    func duplicateForwardStaysRefused(mode: Mode) throws {
        let world = World(mode: mode) { $0.pipeline_slots = 4 }
        world.elect(1)
        world.network.latency = (3600 * second)...(3600 * second)
        for number in 1...4 { #expect(world.propose("\(number)", at: 1).status == PAXOS_OK) }
        #expect(world.propose("5", at: 1).status == PAXOS_ERR_PIPELINE)
        let proposal = world.propose("forwarded", at: 2)
        let forward = try #require(world.take(PAXOS_FRAME_FORWARD, from: 2, to: 1))
        world.deliver(forward)
        let refused = try #require(world.take(PAXOS_FRAME_REFUSED, from: 1, to: 2))
        #expect(refused.fields.state == PAXOS_REASON_FULL.rawValue && refused.fields.count == 1)
        world.deliver(refused)
        #expect(
            world.host(2).outcomes[proposal.number] == .refused(UInt16(PAXOS_REASON_FULL.rawValue)))
        world.deliverAll()
        #expect(world.texts(at: 1) == ["1", "2", "3", "4"])
        for _ in 0..<3 { world.deliver(forward) }
        world.network.latency = millisecond...millisecond
        world.run(for: second)
        #expect(world.texts(at: 1) == ["1", "2", "3", "4"] && world.isConverged)
        /* The next number is admitted as ever. */
        world.propose("next", at: 2)
        world.run(for: second)
        #expect(world.texts(at: 2).last == "next")
        expectSafe(world)
    }

    @Test(
        "1,000 changes of leader with a full window of undecided slots: still decides",
        arguments: Mode.allCases)
    func takeoversDoNotFillTheArena(mode: Mode) {
        let world = World(members: 5, mode: mode) {
            $0.window_slots = 16
            $0.pipeline_slots = 16
            $0.frame_bytes_max = 448
            $0.arena_bytes = 4096
        }
        let value = String(repeating: "v", count: 64)
        var held = 0
        for change in 0..<1000 where world.violations.isEmpty {
            let id = UInt16(1 + change % 5)
            world.campaign(id)
            world.deliverAll { $0.isKind(PAXOS_FRAME_PREPARE) || $0.isKind(PAXOS_FRAME_PROMISE) }
            #expect(world[id].isLeader, "change \(change)")
            while world.propose(value, at: id).status == PAXOS_OK { held += 1 }
            /* One member votes for what it is sent, which is no quorum with the leader; no answer
             * comes back. */
            let voter = UInt16(1 + (change + 1 + change / 5) % 5)
            world.deliverAll { $0.isKind(PAXOS_FRAME_ACCEPT) && $0.to == voter }
            world.drop { _ in true }
        }
        #expect(held > 0 && world.ids.contains { world[$0].acceptor.last_slot > 4 })
        #expect(world.oracle.chosenCount == 0)
        world.elect(1)
        world.run(for: 2 * second)
        let count = world.host(1).log.count
        #expect(count > 0 && world.isConverged)
        #expect(world.propose("after", at: 1).status == PAXOS_OK)
        world.run(for: second)
        #expect(world.texts(at: 5).last == "after")
        expectSafe(world)
    }
}
