import CPaxos
import PaxosSimulator
import Testing

/// What can happen to a leader while it leads.
struct LeaderTests {
    @Test(
        "a vote whose digest is not that of the run is a conflict, and counts for nothing",
        arguments: Mode.allCases)
    func conflictingVote(mode: Mode) {
        let world = World.led(mode: mode)
        world.propose("v", at: 1)
        let ballot = world[1].acceptor.promised
        let vote = Packet(PAXOS_FRAME_ACCEPTED, from: 2, to: 1) {
            $0.ballot = ballot
            $0.slot = 1
            $0.count = 1
            $0.digest = 12345
        }
        #expect(world[1].receive(vote, now: world.now) == PAXOS_ERR_CONFLICT)
        #expect(world[1].status.refused_conflict == 1 && world[1].acceptor.decided == 0)
        let refusal = Packet(PAXOS_FRAME_REJECTED, from: 2, to: 1) {
            $0.ballot = ballot
            $0.slot = 1
            $0.count = 1
            $0.state = UInt16(PAXOS_REASON_CONFLICT.rawValue)
            $0.digest = 1
            $0.other = ballot
        }
        #expect(world[1].receive(refusal, now: world.now) == PAXOS_ERR_CONFLICT)
        #expect(world[1].status.refused_conflict == 2 && world[1].isLeader)
    }

    @Test("a member that has room again is sent what it has not voted for, at once")
    func sendsAgain() {
        let world = World.led(mode: .durable)
        world.trim = .never
        var sent: [Packet] = []
        world.onSend = { if $0.isKind(PAXOS_FRAME_ACCEPT) && $0.to == 3 { sent.append($0) } }
        for _ in 0..<4 {
            #expect(world.propose("v", at: 1).status == PAXOS_OK)
        }
        world.deliverAll { $0.to != 2 && ($0.to != 3 || $0.fields.slot == 1) }
        world.pool.removeAll()
        let room = Packet(PAXOS_FRAME_HEARTBEAT_REPLY, from: 3, to: 1) {
            $0.digest = world[1].fingerprint
            $0.flags = UInt16(PAXOS_FLAG_ROOM)
        }
        #expect(sent.map(\.fields.slot) == [1, 2, 3, 4])
        sent.removeAll()
        world.deliver(room)
        #expect(sent.first?.fields.slot == 2 && sent.map(\.fields.count).reduce(0, +) == 3)
        #expect(world[1].acceptor.decided == 1)
    }

    @Test(
        "votes for slots that were never proposed, or of an older ballot, count for nothing",
        arguments: Mode.allCases)
    func strangeVotes(mode: Mode) {
        let world = World.led(mode: mode)
        world.propose("v", at: 1)
        let ballot = world[1].acceptor.promised
        for (slot, count, ballot) in [
            (2, 1, ballot), (1, 2, ballot), (1, 1, paxos_ballot(99, 1)), (40, 9, ballot),
        ] as [(UInt64, UInt32, UInt64)] {
            let vote = Packet(PAXOS_FRAME_ACCEPTED, from: 2, to: 1) {
                $0.ballot = ballot
                $0.slot = slot
                $0.count = count
                $0.digest = 1
            }
            #expect(world[1].receive(vote, now: world.now) == PAXOS_OK)
            #expect(world[1].acceptor.decided == 0)
        }
    }

    @Test(
        "a late vote for an earlier ballot of the same leader makes no quorum of this one",
        arguments: Mode.allCases)
    func voteForAnEarlierBallot(mode: Mode) throws {
        let world = World.led(members: 5, mode: mode)
        world.propose("v", at: 1)
        world.deliver(PAXOS_FRAME_ACCEPT, from: 1, to: 2)
        let late = try #require(world.take(PAXOS_FRAME_ACCEPTED, from: 2, to: 1))
        world.drop { _ in true }
        world.campaign(1)
        for acceptor: UInt16 in [3, 4] {
            world.deliver(PAXOS_FRAME_PREPARE, from: 1, to: acceptor)
            world.deliver(PAXOS_FRAME_PROMISE, from: acceptor, to: 1)
        }
        #expect(world[1].isLeader)
        world.deliver(PAXOS_FRAME_ACCEPT, from: 1, to: 3)
        world.deliver(PAXOS_FRAME_ACCEPTED, from: 3, to: 1)
        #expect(world.deliver(late) == PAXOS_OK)
        #expect(world[1].acceptor.decided == 0, "two of five under each ballot")
        world.deliver(PAXOS_FRAME_ACCEPT, from: 1, to: 4)
        world.deliver(PAXOS_FRAME_ACCEPTED, from: 4, to: 1)
        #expect(world.texts(at: 1) == ["v"])
        expectSafe(world)
    }

    @Test("a leader whose write waits for an election timeout leads no round longer (row 33)")
    func stalledWriteEndsLeadership() {
        let world = World.led()
        world.run(for: second)
        world.stallDisk(of: 1)
        world.propose("decided by the others", at: 1)
        world.run(for: second)
        #expect(world[1].isLeader)
        world.run(for: 300 * millisecond)
        #expect(!world[1].isLeader && world.texts(at: 2).count == 1)
        #expect(world.propose("next", at: 1).status == PAXOS_ERR_NO_LEADER)
        expectSafe(world)
    }

    @Test(
        "alone in the cluster: a proposal is decided when it is durable", arguments: Mode.allCases)
    func singleNode(mode: Mode) {
        let world = World(members: 1, mode: mode, elections: true)
        #expect(world.run(for: second) { world[1].isLeader })
        world.disk = .manual
        world.propose("a", at: 1)
        #expect(world.host(1).log.count == (mode == .durable ? 0 : 1))
        world.flush(1)
        #expect(world.host(1).log.count == 1)
        #expect(world[1].acceptor.trimmed == (mode == .durable ? 0 : 1), "no record says so yet")
        for number in 0..<500 {
            world.propose("\(number)", at: 1)
            world.flush(1)
        }
        #expect(world.host(1).log.count == 501)
    }

    @Test(
        "a member that promised a gone candidate's ballot gets a new one after a timeout",
        arguments: Mode.allCases)
    func overtakenLeaderDrawsNewBallot(mode: Mode) throws {
        let world = World.led(mode: mode)
        let ballot = world[1].acceptor.promised
        /* A candidate reached node 2 alone, and is gone. */
        world.crash(3)
        #expect(
            world.inject(.prepare(from: 3, to: 2, round: 50, fingerprint: world[2].fingerprint))
                == PAXOS_OK)
        world.propose("v", at: 1)
        world.run(for: 3 * second)
        #expect(world[1].isLeader && world[1].acceptor.promised > paxos_ballot(50, 3))
        #expect(world[1].acceptor.promised > ballot)
        world.propose("w", at: 1)
        world.run(for: second)
        #expect(world.texts(at: 2).last == "w")
        expectSafe(world)
    }

    @Test("a leader that most have left for another ballot gives up", arguments: Mode.allCases)
    func leftByMost(mode: Mode) {
        let world = World.led(members: 5, mode: mode)
        for (member, isLeading) in [(2, true), (3, true), (4, false)] as [(UInt16, Bool)] {
            world.inject(
                .heartbeatReply(
                    from: member, to: 1, nonce: 0, promised: paxos_ballot(50, 5),
                    fingerprint: world[1].fingerprint, memoryOnly: mode == .memoryOnly))
            #expect(world[1].isLeader == isLeading)
        }
    }

    @Test(
        "learning what another leader chose, beyond one's own slots or in them, ends leadership",
        arguments: Mode.allCases)
    func learnsAnothersEntries(mode: Mode) {
        for own in 0...2 {
            let world = World.led(mode: mode)
            world.partition([1], [2, 3])
            var numbers: [UInt64] = []
            for number in 0..<own { numbers.append(world.propose("own \(number)", at: 1).number) }
            world.elect(2)
            for number in 0..<3 { world.propose("other \(number)", at: 2) }
            world.deliverAll()
            #expect(world.texts(at: 2).count == 3 && world[1].isLeader)
            /* The first that it hears again is how far a peer is. */
            let reply = Packet.heartbeatReply(
                from: 3, to: 1, nonce: 0, watermark: 3, fingerprint: world[1].fingerprint,
                memoryOnly: mode == .memoryOnly)
            world.cut = []
            world.inject(reply)
            #expect(world.deliver(PAXOS_FRAME_LEARN, from: 1, to: 3) == PAXOS_OK)
            world.deliverAll { $0.isKind(PAXOS_FRAME_LEARNED) }
            #expect(world.texts(at: 1) == ["other 0", "other 1", "other 2"])
            #expect(!world[1].isLeader, "\(own) of its own")
            for number in numbers { #expect(world.host(1).outcomes[number] == .unknown) }
            #expect(world.propose("again", at: 1).status == PAXOS_ERR_NO_LEADER)
            expectSafe(world)
        }
    }

    @Test("the same where only the first could be held: the ring of writes was full")
    func learnsOnlySome() {
        let world = World.led { $0.write_ring = 4 }
        world.disk = .manual
        let numbers = (0..<3).map { world.propose("own \($0)", at: 1).number }
        let entries = (0..<3).map { Entry("other \($0)", node: 3, number: 1 + UInt64($0)) }
        let learned = Packet(PAXOS_FRAME_LEARNED, from: 3, to: 1, entries: entries) {
            $0.slot = 1
            $0.state = UInt16(PAXOS_RUN_CHOSEN.rawValue)
            $0.digest = runDigest(entries, from: 1)
            $0.watermark = 3
        }
        #expect(world[1].receive(learned, now: world.now) == PAXOS_ERR_BUSY)
        #expect(world[1].acceptor.decided == 1 && !world[1].isLeader)
        var unknown: Set<UInt64> = []
        while let effect = world[1].poll() {
            guard effect.kind == PAXOS_EFFECT_OUTCOME.rawValue else { continue }
            unknown.formUnion((0..<UInt64(effect.count)).map { effect.number + $0 })
        }
        #expect(unknown == Set(numbers))
    }

    @Test(
        "a vote for another leader that replaces own entries: they have an outcome",
        arguments: Mode.allCases)
    func replacedEntriesHaveAnOutcome(mode: Mode) {
        let world = World.led(mode: mode)
        let numbers = (0..<3).map { world.propose("own \($0)", at: 1).number }
        world.drop { _ in true }
        let entries = (0..<3).map { Entry("other \($0)", node: 3, number: 1 + UInt64($0)) }
        #expect(world.inject(.accept(from: 3, to: 1, round: 9, slot: 1, entries)) == PAXOS_OK)
        #expect(!world[1].isLeader)
        for number in numbers { #expect(world.host(1).outcomes[number] == .unknown) }
        expectSafe(world)
    }

    @Test("a leader made by hand survives its first round", arguments: Mode.allCases)
    func firstRound(mode: Mode) throws {
        let world = World(members: 5, mode: mode)
        world.campaign(1)
        for acceptor: UInt16 in [2, 3] {
            world.deliver(PAXOS_FRAME_PREPARE, from: 1, to: acceptor)
            world.deliver(PAXOS_FRAME_PROMISE, from: acceptor, to: 1)
        }
        #expect(world[1].isLeader)
        world.tick(1, at: world.now)
        #expect(world[1].isLeader && world[1].status.quorum == 1)
        world.drop { _ in true }
        world.partition([1], [2, 3, 4, 5])
        world.run(for: second)
        #expect(!world[1].isLeader, "it steps down when nobody answers")
    }

    @Test("the last round there is: no ballot above it", arguments: Mode.allCases)
    func roundsEnd(mode: Mode) {
        let world = World(mode: mode)
        world.inject(
            .heartbeatReply(
                from: 2, to: 1, nonce: 0, promised: paxos_ballot(lastRound, 2),
                fingerprint: world[1].fingerprint, memoryOnly: mode == .memoryOnly))
        #expect(world.campaign(1) == PAXOS_ERR_RANGE)
        #expect(!world[1].isCandidate)
    }

    @Test(
        "campaigning again while leading or trying draws a higher ballot",
        arguments: Mode.allCases)
    func campaignAgain(mode: Mode) {
        let world = World.led(mode: mode)
        let first = world[1].acceptor.promised
        let proposal = world.propose("under way", at: 1)
        #expect(world.campaign(1) == PAXOS_OK)
        #expect(world[1].isCandidate && world[1].acceptor.promised > first)
        #expect(world.host(1).outcomes[proposal.number] == .unknown)
        let second = world[1].acceptor.promised
        #expect(world.campaign(1) == PAXOS_OK)
        #expect(world[1].acceptor.promised > second)
        world.deliverAll()
        world.run(for: 1_000_000_000)
        #expect(world[1].isLeader && world.texts(at: 1) == ["under way"] && world.isConverged)
        expectSafe(world)
    }

    @Test("a lost Accept is sent again, to the one that lacks it", arguments: Mode.allCases)
    func lostAcceptIsSentAgain(mode: Mode) {
        let world = World.led(members: 5, mode: mode)
        world.run(for: second)
        world.propose("v", at: 1)
        world.drop { $0.isKind(PAXOS_FRAME_ACCEPT) }
        #expect(world.run(for: second) { world.texts(at: 1) == ["v"] })
        expectSafe(world)
    }

    @Test("heartbeats of another configuration are foreign", arguments: Mode.allCases)
    func foreignHeartbeatReply(mode: Mode) {
        let world = World.led(mode: mode)
        let before = world[1].status.frames_foreign
        let reply = Packet.heartbeatReply(
            from: 2, to: 1, nonce: 0, promised: paxos_ballot(99, 2), fingerprint: 1,
            memoryOnly: mode == .memoryOnly)
        #expect(world[1].receive(reply, now: world.now) == PAXOS_ERR_FOREIGN)
        #expect(world[1].status.frames_foreign == before + 1 && world[1].isLeader)
    }

    @Test(
        "proposals that stand in another order than their numbers are unknown, all of them",
        arguments: Mode.allCases)
    func lostInAnyOrder(mode: Mode) {
        let world = World(mode: mode)
        world.campaign(1)
        world.drop { _ in true }
        let entries = [Entry("b", node: 1, number: 7), Entry("a", node: 1, number: 3)]
        let promise = Packet.promise(
            from: 2, to: 1, ballot: world[1].acceptor.promised, slot: 1,
            state: PAXOS_RUN_ACCEPTED, accepted: 3, count: 2, entries, flags: PAXOS_FLAG_LAST)
        #expect(world[1].receive(promise, now: world.now) == PAXOS_OK)
        #expect(world[1].isLeader)
        let prepare = Packet.prepare(
            from: 3, to: 1, round: 50, fingerprint: world[1].fingerprint)
        #expect(world[1].receive(prepare, now: world.now) == PAXOS_OK)
        var outcomes: [ClosedRange<UInt64>] = []
        while let effect = world[1].poll() {
            guard effect.kind == PAXOS_EFFECT_OUTCOME.rawValue else { continue }
            #expect(effect.count > 0 && UInt32(effect.reason) == PAXOS_REASON_LOST.rawValue)
            outcomes.append(effect.number...effect.number + UInt64(max(effect.count, 1)) - 1)
        }
        #expect(outcomes == [3...7])
    }
}

/// The macro of ballot.h is no simple literal: Swift does not import it.
private let lastRound: UInt64 = (1 << 48) - 1
