import CPaxos
import Testing

/// What makes an entry chosen here, and what can never change it again.
struct ChosenTests {
    let block = AcceptorBlock()
    let x = Entry.command("X")
    let y = Entry.command("Y")

    private func accept(
        _ ballot: UInt64, _ slot: UInt64, _ entries: Entry..., watermark: UInt64 = 0
    ) {
        let run = Run(ballot: ballot, slot: slot, entries: entries)
        #expect(block.receive(acceptFrame(run, watermark: watermark)) == PAXOS_OK)
        _ = block.settle()
    }

    @Test("a commit mark covers what was accepted under its own ballot, in order")
    func commitMark_coversMatchingBallot() {
        accept(ballot(5), 1, x, y, x)
        #expect(block.receive(commitFrame(ballot(5), upTo: 2)) == PAXOS_OK)
        #expect(block.status.decided == 2)
        #expect(block.look(1) == .chosen(ballot(5), x))
        #expect(block.look(2) == .chosen(ballot(5), y))
        #expect(block.look(3) == .accepted(ballot(5), x))
    }

    @Test("a commit mark of another ballot covers nothing")
    func commitMark_otherBallot_coversNothing() {
        accept(ballot(5), 1, x)
        #expect(block.receive(commitFrame(ballot(6), upTo: 1)) == PAXOS_OK)
        #expect(block.status.decided == 0)
        #expect(block.look(1) == .accepted(ballot(5), x))
        #expect(block.receive(commitFrame(ballot(5), upTo: 1)) == PAXOS_OK)
        #expect(block.status.decided == 0, "a mark of an older ballot came late: not taken")
        accept(ballot(6), 1, x)
        #expect(block.status.decided == 1, "the same entry, now under the mark's ballot")
    }

    @Test("a commit mark stops at a gap and goes on when the gap is filled")
    func commitMark_stopsAtGap() {
        accept(ballot(5), 1, x)
        accept(ballot(5), 3, x)
        #expect(block.receive(commitFrame(ballot(5), upTo: 3)) == PAXOS_OK)
        #expect(block.status.decided == 1)
        accept(ballot(5), 2, y)
        #expect(block.status.decided == 3)
    }

    @Test("the mark rides on accepts and on a leader's heartbeats")
    func mark_onEveryMessageOfTheLeader() {
        accept(ballot(5), 1, x)
        accept(ballot(5), 2, y, watermark: 1)
        #expect(block.status.decided == 1)
        let fingerprint = block.fingerprint
        func heartbeat(leading: Bool) -> Frame {
            makeFrame(PAXOS_FRAME_HEARTBEAT) {
                $0.ballot = leading ? ballot(5) : 0
                $0.flags = UInt16(leading ? PAXOS_FLAG_LEADING : 0)
                $0.watermark = 2
                $0.trim = leading ? 1 : 0
                $0.nonce = 4
                $0.digest = fingerprint
            }
        }
        #expect(block.receive(heartbeat(leading: false)) == PAXOS_OK)
        #expect(block.status.decided == 1 && block.status.stable == 0)
        #expect(block.receive(heartbeat(leading: true)) == PAXOS_OK)
        #expect(block.status.decided == 2 && block.status.stable == 1)
    }

    @Test("what may be trimmed never falls back")
    func stable_neverFalls() {
        for (trim, expected) in [(3, 3), (2, 3), (7, 7)] {
            let frame = makeFrame(PAXOS_FRAME_COMMIT) {
                $0.ballot = ballot(5)
                $0.trim = UInt64(trim)
            }
            #expect(block.receive(frame) == PAXOS_OK)
            #expect(block.status.stable == UInt64(expected))
        }
    }

    @Test("chosen stays chosen when other bytes come, even under a higher ballot")
    func chosen_staysChosen() throws {
        accept(ballot(5), 1, x)
        #expect(block.receive(commitFrame(ballot(5), upTo: 1)) == PAXOS_OK)
        let other = Run(ballot: ballot(9), slot: 1, entries: [y])
        #expect(block.receive(acceptFrame(other)) == PAXOS_OK)
        let reply = try #require(block.settle().first?.frame.fields)
        #expect(reply.kind == PAXOS_FRAME_ACCEPTED.byte)
        #expect(reply.slot == 0 && reply.count == 0 && reply.digest == 0)
        #expect(reply.watermark == 1)
        #expect(block.look(1) == .chosen(ballot(5), x))
    }

    @Test("chosen entries that come again under a higher ballot stay chosen")
    func chosen_acceptedAgain() {
        accept(ballot(5), 1, x)
        #expect(block.receive(commitFrame(ballot(5), upTo: 1)) == PAXOS_OK)
        accept(ballot(9), 1, x)
        #expect(block.look(1) == .chosen(ballot(9), x))
        accept(ballot(10), 1, x, y)
        #expect(block.look(1) == .chosen(ballot(10), x))
        #expect(block.look(2) == .accepted(ballot(10), y))
        #expect(block.status.decided == 1)
    }

    @Test("below the trim point nothing is accepted; the answer names the watermark")
    func belowTrim_isAnswered() throws {
        accept(ballot(5), 1, x, y, x)
        #expect(block.receive(commitFrame(ballot(5), upTo: 3)) == PAXOS_OK)
        #expect(block.trim(2) == PAXOS_OK)
        let old = Run(ballot: ballot(6), slot: 1, entries: [y, y])
        #expect(block.receive(acceptFrame(old)) == PAXOS_OK)
        let reply = try #require(block.settle().first?.frame.fields)
        #expect(reply.kind == PAXOS_FRAME_ACCEPTED.byte && reply.ballot == ballot(6))
        #expect(reply.slot == 0 && reply.count == 0 && reply.digest == 0)
        #expect(reply.watermark == 3)
        #expect(block.look(1) == .trimmed && block.look(2) == .trimmed)
        #expect(block.look(3) == .chosen(ballot(5), x))
    }

    @Test("a run that starts below the trim point is accepted from there on")
    func acrossTrim_countsOnlyAbove() throws {
        accept(ballot(5), 1, x, y, x)
        #expect(block.receive(commitFrame(ballot(5), upTo: 2)) == PAXOS_OK)
        #expect(block.trim(2) == PAXOS_OK)
        let run = Run(ballot: ballot(6), slot: 1, entries: [x, y, x, y])
        #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
        let reply = try #require(block.settle().first?.frame.fields)
        #expect(reply.slot == 3 && reply.count == 2)
        #expect(reply.digest == Run(ballot: 0, slot: 3, entries: [x, y]).digest)
        #expect(block.look(3) == .accepted(ballot(6), x))
        #expect(block.look(4) == .accepted(ballot(6), y))
    }

    @Test("trim beyond what is decided is out of range")
    func trim_beyondDecided() {
        accept(ballot(5), 1, x, y)
        #expect(block.receive(commitFrame(ballot(5), upTo: 1)) == PAXOS_OK)
        let before = block.image
        #expect(block.trim(2) == PAXOS_ERR_RANGE)
        #expect(block.image == before)
        #expect(block.trim(1) == PAXOS_OK)
        #expect(block.trim(0) == PAXOS_OK)
        #expect(block.status.trimmed == 1)
    }
}
