import CPaxos
import Testing

/// Lamport 2001, section 2.2, phase 1(b): "If an acceptor receives a prepare request with number n
/// greater than that of any prepare request to which it has already responded, then it responds".
struct PrepareTests {
    let block = AcceptorBlock()

    private func prepare(_ ballot: UInt64, slot: UInt64 = 1) -> paxos_status_t {
        block.receive(prepareFrame(ballot, slot: slot, fingerprint: block.fingerprint))
    }

    @Test("a first ballot is promised, and the answer says that nothing was accepted")
    func firstBallot_isPromised() throws {
        #expect(prepare(ballot(5)) == PAXOS_OK)
        let replies = block.settle()
        try #require(replies.count == 1)
        let promise = try #require(replies[0].frame.fields)
        #expect(promise.kind == PAXOS_FRAME_PROMISE.byte)
        #expect(promise.ballot == ballot(5))
        #expect(promise.sender == 1 && promise.receiver == 2 && replies[0].node == 2)
        #expect(promise.slot == 1 && promise.count == 0)
        #expect(promise.state == PAXOS_RUN_EMPTY.rawValue)
        #expect(promise.flags == PAXOS_FLAG_LAST)
        #expect(block.status.promised == ballot(5))
    }

    @Test("a lower ballot is rejected, naming the promise")
    func lowerBallot_isRejected() throws {
        #expect(prepare(ballot(9)) == PAXOS_OK)
        _ = block.settle()
        #expect(prepare(ballot(5), slot: 3) == PAXOS_ERR_STALE)
        let rejection = try #require(block.settle().first?.frame.fields)
        #expect(rejection.kind == PAXOS_FRAME_REJECTED.byte)
        #expect(rejection.state == PAXOS_REASON_STALE.rawValue)
        #expect(rejection.ballot == ballot(5) && rejection.other == ballot(9))
        #expect(rejection.slot == 3 && rejection.count == 0)
        #expect(block.status.promised == ballot(9))
        #expect(block.status.refused_stale == 1)
    }

    @Test("an equal ballot is promised again, so a retransmission is safe")
    func equalBallot_isPromisedAgain() throws {
        #expect(prepare(ballot(5)) == PAXOS_OK)
        let first = block.settle()
        let lsn = block.status.lsn
        #expect(prepare(ballot(5)) == PAXOS_OK)
        #expect(block.settle() == first)
        #expect(block.status.lsn == lsn, "nothing new is to be written")
    }

    @Test("the same round of a higher node is a higher ballot")
    func sameRound_higherNodeWins() {
        #expect(prepare(ballot(5, node: 2)) == PAXOS_OK)
        let other = prepareFrame(
            ballot(5, node: 3), fingerprint: block.fingerprint, sender: 3)
        #expect(block.receive(other) == PAXOS_OK)
        #expect(block.status.promised == ballot(5, node: 3))
    }

    @Test("a candidate with another configuration is refused and changes nothing")
    func otherFingerprint_isForeign() {
        let before = block.imageWithoutCounters
        let frame = prepareFrame(ballot(5), fingerprint: block.fingerprint ^ 1)
        #expect(block.receive(frame) == PAXOS_ERR_FOREIGN)
        #expect(block.imageWithoutCounters == before)
        #expect(block.status.frames_foreign == 1)
    }

    @Test("without a frame: promised, promised again, stale, and 0 is no ballot")
    func withoutFrame() {
        var promised: UInt64 = 9
        var lsn: UInt64 = 0
        #expect(paxos_acceptor_prepare(block.acceptor, 0, &promised, &lsn) == PAXOS_ERR_STALE)
        #expect(promised == 0)
        #expect(paxos_acceptor_prepare(block.acceptor, ballot(5), &promised, &lsn) == PAXOS_OK)
        #expect(promised == ballot(5) && lsn == 1)
        #expect(paxos_acceptor_prepare(block.acceptor, ballot(5), &promised, &lsn) == PAXOS_OK)
        #expect(lsn == 1)
        #expect(
            paxos_acceptor_prepare(block.acceptor, ballot(4), &promised, &lsn) == PAXOS_ERR_STALE)
        #expect(promised == ballot(5))
        #expect(paxos_acceptor_prepare(block.acceptor, 0, &promised, &lsn) == PAXOS_ERR_STALE)
    }
}
