import CPaxos
import Testing

/// Lamport 2001, section 2.2, phase 2(b): "it accepts the proposal unless it has already responded
/// to a prepare request having a number greater than n".
struct AcceptTests {
    let block = AcceptorBlock()
    let x = Entry.command("X")
    let y = Entry.command("Y")

    private func run(_ ballot: UInt64, _ slot: UInt64, _ entries: Entry...) -> Run {
        Run(ballot: ballot, slot: slot, entries: entries)
    }

    /// Accept, flush, and the fields of the one reply.
    private func reply(to frame: Frame, _ status: paxos_status_t = PAXOS_OK) throws
        -> paxos_frame_t
    {
        #expect(block.receive(frame) == status)
        let replies = block.settle()
        try #require(replies.count == 1)
        return try #require(replies[0].frame.fields)
    }

    @Test("an accept raises the promise and is acknowledged with its digest")
    func accept_raisesPromise() throws {
        _ = block.receive(prepareFrame(ballot(5), fingerprint: block.fingerprint))
        _ = block.settle()
        let run = run(ballot(7), 1, x, y)
        let reply = try reply(to: acceptFrame(run))
        #expect(reply.kind == PAXOS_FRAME_ACCEPTED.byte)
        #expect(reply.ballot == ballot(7) && reply.slot == 1 && reply.count == 2)
        #expect(reply.digest == run.digest)
        #expect(block.status.promised == ballot(7))
        #expect(block.look(1) == .accepted(ballot(7), x))
        #expect(block.look(2) == .accepted(ballot(7), y))
        #expect(block.look(3) == .empty)
        #expect(block.status.last_slot == 2)
    }

    @Test("an accept below the promise is rejected, for slots never seen too")
    func accept_belowPromise_isRejected() throws {
        _ = block.receive(prepareFrame(ballot(10), fingerprint: block.fingerprint))
        _ = block.settle()
        let reply = try reply(to: acceptFrame(run(ballot(7), 5, x)), PAXOS_ERR_STALE)
        #expect(reply.kind == PAXOS_FRAME_REJECTED.byte)
        #expect(reply.state == PAXOS_REASON_STALE.rawValue)
        #expect(reply.ballot == ballot(7) && reply.other == ballot(10))
        #expect(reply.slot == 5 && reply.count == 1)
        #expect(block.look(5) == .empty)
    }

    @Test("a prepare below an accepted ballot is rejected, naming it")
    func prepare_belowAccepted_isRejected() throws {
        _ = try reply(to: acceptFrame(run(ballot(6), 1, y)))
        let prepare = prepareFrame(ballot(5), fingerprint: block.fingerprint)
        let reply = try reply(to: prepare, PAXOS_ERR_STALE)
        #expect(reply.other == ballot(6))
    }

    @Test("the same accept again gets the same answer and stores nothing")
    func sameAccept_isIdempotent() throws {
        let frame = acceptFrame(run(ballot(5), 1, x))
        let first = try reply(to: frame)
        let head = block.acceptor.pointee.arena_head
        let lsn = block.status.lsn
        let second = try reply(to: frame)
        #expect(encode(first) == encode(second))
        #expect(block.acceptor.pointee.arena_head == head)
        #expect(block.status.lsn == lsn)
    }

    @Test("other bytes under the same ballot and slot are a conflict: refused, nothing changes")
    func otherBytes_sameBallot_isConflict() throws {
        _ = try reply(to: acceptFrame(run(ballot(5), 1, x)))
        let head = block.acceptor.pointee.arena_head
        let other = run(ballot(5), 1, y)
        let reply = try reply(to: acceptFrame(other), PAXOS_ERR_CONFLICT)
        #expect(reply.kind == PAXOS_FRAME_REJECTED.byte)
        #expect(reply.state == PAXOS_REASON_CONFLICT.rawValue)
        #expect(reply.ballot == ballot(5) && reply.other == ballot(5))
        #expect(reply.digest == other.digest && reply.slot == 1 && reply.count == 1)
        #expect(block.look(1) == .accepted(ballot(5), x))
        #expect(block.acceptor.pointee.arena_head == head)
        #expect(block.status.refused_conflict == 1)
    }

    @Test("a conflict in the middle of a run refuses all of it")
    func conflict_inRun_refusesAll() throws {
        _ = try reply(to: acceptFrame(run(ballot(5), 2, x)))
        let reply = try reply(to: acceptFrame(run(ballot(5), 1, x, y, x)), PAXOS_ERR_CONFLICT)
        #expect(reply.slot == 1 && reply.count == 3)
        #expect(block.look(1) == .empty && block.look(3) == .empty)
        #expect(block.look(2) == .accepted(ballot(5), x))
    }

    @Test("the same bytes under a higher ballot change the ballot alone")
    func sameBytes_higherBallot_costNoArena() throws {
        _ = try reply(to: acceptFrame(run(ballot(5), 1, x, y)))
        let head = block.acceptor.pointee.arena_head
        #expect(block.receive(acceptFrame(run(ballot(8), 1, x, y))) == PAXOS_OK)
        let write = try #require(block.poll())
        #expect(write.isWrite && write.fields.kind == PAXOS_RECORD_BALLOTS.byte)
        #expect(write.fields.ballot == ballot(8) && write.fields.slot == 1)
        #expect(write.fields.count == 2 && write.frame.body.isEmpty)
        #expect(write.fields.digest == run(ballot(8), 1, x, y).digest)
        #expect(block.acceptor.pointee.arena_head == head)
        #expect(block.look(1) == .accepted(ballot(8), x))
        #expect(block.look(2) == .accepted(ballot(8), y))
        #expect(block.status.promised == ballot(8))
    }

    @Test("other bytes under a higher ballot replace what was accepted")
    func otherBytes_higherBallot_replace() throws {
        _ = try reply(to: acceptFrame(run(ballot(5), 1, x)))
        _ = try reply(to: acceptFrame(run(ballot(8), 1, y)))
        #expect(block.look(1) == .accepted(ballot(8), y))
    }

    @Test("a run partly held under a lower ballot is accepted as a whole")
    func partlyHeldRun_isAccepted() throws {
        _ = try reply(to: acceptFrame(run(ballot(5), 2, x)))
        _ = try reply(to: acceptFrame(run(ballot(8), 1, y, x, y)))
        #expect(block.look(1) == .accepted(ballot(8), y))
        #expect(block.look(2) == .accepted(ballot(8), x))
        #expect(block.look(3) == .accepted(ballot(8), y))
    }

    @Test("runs are taken in any order within the window; beyond its end it is full")
    func windowEnd() throws {
        _ = try reply(to: acceptFrame(run(ballot(5), 15, x, y)))
        let before = block.imageWithoutCounters
        #expect(block.receive(acceptFrame(run(ballot(5), 17, x))) == PAXOS_ERR_FULL)
        let far = run(ballot(5), (1 << 62) - 1, x)
        #expect(block.receive(acceptFrame(far)) == PAXOS_ERR_FULL)
        #expect(block.imageWithoutCounters == before)
        #expect(block.status.refused_full == 2)
        _ = try reply(to: acceptFrame(run(ballot(5), 1, y)))
        #expect(block.look(16) == .accepted(ballot(5), y))
    }

    @Test("of a run that reaches beyond the window the part within is accepted, and acknowledged")
    func acrossWindowEnd_partIsAccepted() throws {
        let long = run(ballot(5), 15, x, y, x, y)
        let accepted = try reply(to: acceptFrame(long))
        let part = run(ballot(5), 15, x, y)
        #expect(accepted.kind == PAXOS_FRAME_ACCEPTED.byte)
        #expect(accepted.slot == 15 && accepted.count == 2 && accepted.digest == part.digest)
        #expect(block.look(15) == .accepted(ballot(5), x))
        #expect(block.look(16) == .accepted(ballot(5), y))
        #expect(block.status.last_slot == 16)
    }

    @Test("the value that just fits is accepted, one byte more is malformed")
    func valueLimit() throws {
        let largest = Entry(value: Bytes(repeating: 7, count: 64))
        let larger = Entry(value: Bytes(repeating: 7, count: 65))
        _ = try reply(to: acceptFrame(run(ballot(5), 1, largest)))
        #expect(block.receive(acceptFrame(run(ballot(5), 2, larger))) == PAXOS_ERR_WIRE)
    }

    @Test("no room for a reply: would block, and nothing changes")
    func replyRingFull_isBusy() {
        for slot in 1...4 {
            #expect(block.receive(learnFrame(slot: UInt64(slot), count: 1)) == PAXOS_OK)
        }
        let before = block.imageWithoutCounters
        let prepare = prepareFrame(ballot(5), fingerprint: block.fingerprint)
        #expect(block.receive(prepare) == PAXOS_ERR_BUSY)
        #expect(block.receive(acceptFrame(run(ballot(5), 1, x))) == PAXOS_ERR_BUSY)
        #expect(block.receive(learnFrame(slot: 1, count: 1)) == PAXOS_ERR_BUSY)
        #expect(block.imageWithoutCounters == before)
        #expect(block.status.refused_busy == 3)
        _ = block.settle()
        #expect(block.receive(acceptFrame(run(ballot(5), 1, x))) == PAXOS_OK)
    }
}
