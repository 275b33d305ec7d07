import CPaxos
import Testing

/// What a node knows after a restart: SAFETY rows 2, 9, 10, 11 and 14.
final class RecoveryTests {
    let block = AcceptorBlock()
    var journal = Journal()
    let x = Entry.command("X")
    let y = Entry.command("a longer value")
    let z = Entry.command("Z")

    private func accept(_ round: UInt64, _ slot: UInt64, _ entries: Entry..., node: UInt16 = 2) {
        let run = Run(ballot: ballot(round, node: node), slot: slot, entries: entries)
        #expect(block.receive(acceptFrame(run, sender: node)) == PAXOS_OK)
        _ = journal.settle(block)
    }

    private func prepare(_ round: UInt64) {
        let frame = prepareFrame(ballot(round), fingerprint: block.fingerprint)
        #expect(block.receive(frame) == PAXOS_OK)
        _ = journal.settle(block)
    }

    private func decide(_ round: UInt64, upTo slot: UInt64) {
        #expect(block.receive(commitFrame(ballot(round), upTo: slot)) == PAXOS_OK)
        _ = journal.settle(block)
    }

    /// The pages of a promise, as (state, slot, count).
    private func pages(_ block: AcceptorBlock, _ round: UInt64) -> [Page] {
        let frame = prepareFrame(ballot(round), fingerprint: block.fingerprint)
        #expect(block.receive(frame) == PAXOS_OK)
        return block.settle().map(Page.init)
    }

    @Test("promise, votes and ballots are as they were; accepted is not chosen (rows 2, 14)")
    func state_isAsBefore() {
        accept(5, 1, x, y)
        accept(6, 2, y, node: 3)
        accept(7, 3, z)
        decide(7, upTo: 3) /* slot 3 alone was accepted under ballot 7 */
        prepare(9)
        let (after, statuses, end) = journal.recovered()
        #expect(statuses.allSatisfy { $0 == PAXOS_OK } && end == PAXOS_OK)
        #expect(after.status.promised == ballot(9))
        #expect(after.look(1) == .accepted(ballot(5), x))
        #expect(after.look(2) == .accepted(ballot(6, node: 3), y))
        #expect(after.look(3) == .accepted(ballot(7), z))
        #expect(after.status.decided == 0 && after.status.abstains == 0)
        #expect(after.status.lsn == block.status.lsn && after.status.flushed == after.status.lsn)
        let late = prepareFrame(ballot(8), fingerprint: after.fingerprint)
        #expect(after.receive(late) == PAXOS_ERR_STALE)
    }

    @Test("a vote at a higher ballot raised the promise durably (row 2)")
    func vote_raisesPromise() {
        prepare(3)
        accept(6, 1, x)
        let after = journal.recovered().block
        #expect(after.status.promised == ballot(6))
        let older = prepareFrame(ballot(5), fingerprint: after.fingerprint)
        #expect(after.receive(older) == PAXOS_ERR_STALE)
    }

    @Test("what a record's mark covers is chosen, as it stood then (row 14)")
    func mark_isKnown() {
        accept(5, 1, x, y)
        decide(5, upTo: 2)
        accept(5, 3, z)
        decide(5, upTo: 3)
        let after = journal.recovered().block
        #expect(after.look(1) == .chosen(ballot(5), x) && after.look(2) == .chosen(ballot(5), y))
        #expect(after.look(3) == .accepted(ballot(5), z), "its mark was never written")
        #expect(after.status.decided == 2)
        decide(5, upTo: 3)
        paxos_log_mark(block.acceptor, 1)
        _ = journal.settle(block)
        #expect(journal.recovered().block.status.decided == 3)
    }

    @Test("what is told to be decided is known again after any crash from then on")
    func told_isDurable() throws {
        accept(5, 1, x)
        decide(5, upTo: 1)
        let heartbeat = makeFrame(PAXOS_FRAME_HEARTBEAT) {
            $0.nonce = 1
            $0.digest = block.fingerprint
        }
        #expect(block.receive(heartbeat) == PAXOS_OK)
        #expect(try #require(journal.settle(block).first).fields.watermark == 0)
        paxos_log_mark(block.acceptor, 2)
        #expect(block.poll() == nil, "less than that was decided since")
        paxos_log_mark(block.acceptor, 1)
        let write = try #require(block.poll())
        #expect(write.fields.kind == PAXOS_RECORD_MARK.byte && write.fields.watermark == 1)
        #expect(block.receive(heartbeat) == PAXOS_OK)
        #expect(try #require(block.poll()).fields.watermark == 0, "not durable yet")
        #expect(block.flushed(write.lsn) == PAXOS_OK)
        #expect(block.receive(heartbeat) == PAXOS_OK)
        #expect(try #require(block.poll()).fields.watermark == 1)
    }

    @Test("learned entries are chosen, and leave ballot and promise alone")
    func learned_isChosen() {
        accept(5, 1, x)
        #expect(block.receive(learnedFrame(slot: 1, [y, z])) == PAXOS_OK)
        _ = journal.settle(block)
        let after = journal.recovered().block
        #expect(after.look(1) == .chosen(ballot(5), y) && after.look(2) == .chosen(0, z))
        #expect(after.status.promised == ballot(5) && after.status.decided == 2)
    }

    @Test("what the state machine applied is not decided by that: the log keeps what was accepted")
    func applied_decidesNothing() {
        accept(5, 1, x, y)
        accept(5, 4, z)
        let (after, _, end) = journal.recovered(applied: 3)
        #expect(end == PAXOS_OK && after.status.decided == 0 && after.status.trimmed == 0)
        #expect(after.look(2) == .accepted(ballot(5), y) && after.look(3) == .empty)
        let far = journal.recovered(applied: 1000).block
        #expect(far.status.decided == 984 && far.status.trimmed == 984, "as the window had it")
        #expect(far.status.last_slot == 984)
    }

    @Test("what was accepted only is not chosen because its slot was applied (rows 9, 14)")
    func applied_choosesNothing() {
        accept(5, 1, x, y)
        /* The other value of slot 1 is learned and applied; the power fails before its record. */
        #expect(block.receive(learnedFrame(slot: 1, [z])) == PAXOS_OK)
        #expect(journal.recovered(applied: 1).block.look(1) == .accepted(ballot(5), x))
        _ = journal.settle(block)
        #expect(journal.recovered(applied: 1).block.look(1) == .chosen(ballot(5), z))
    }

    @Test("records below a later record's trim point may be gone; the promise is in each")
    func recycled_keepsPromise() {
        prepare(8)
        accept(8, 1, x, y)
        decide(8, upTo: 2)
        #expect(block.trim(2) == PAXOS_OK)
        #expect(block.receive(learnedFrame(slot: 3, [z])) == PAXOS_OK)
        _ = journal.settle(block)
        journal.recycle()
        #expect(journal.records.count == 1)
        let (after, statuses, end) = journal.recovered(applied: 2)
        #expect(statuses == [PAXOS_OK] && end == PAXOS_OK)
        #expect(after.status.promised == ballot(8) && after.status.trimmed == 2)
        #expect(after.look(3) == .chosen(0, z) && after.status.decided == 3)
        #expect(journal.recovered(applied: 1).end == PAXOS_ERR_RANGE, "the host forgot slot 2")
    }

    @Test("a damaged body: its slots are unknown, never empty, until a vote or an answer (row 9)")
    func damagedBody_isUnknown() {
        accept(5, 1, x)
        accept(6, 2, y, y)
        accept(7, 4, z)
        journal.records[1].body[30] ^= 1
        let (after, statuses, end) = journal.recovered()
        #expect(statuses == [PAXOS_OK, PAXOS_ERR_WIRE, PAXOS_OK] && end == PAXOS_OK)
        #expect(after.status.promised == ballot(7), "the header was whole")
        let none = UInt32(PAXOS_FLAG_LAST)
        #expect(
            pages(after, 8) == [
                Page(PAXOS_RUN_ACCEPTED, 1, 1, ballot: ballot(5)),
                Page(PAXOS_RUN_UNKNOWN, 2, 2),
                Page(PAXOS_RUN_ACCEPTED, 4, 1, ballot: ballot(7), flags: none),
            ])
        let run = Run(ballot: ballot(8), slot: 3, entries: [x])
        #expect(after.receive(acceptFrame(run)) == PAXOS_OK)
        _ = after.settle()
        #expect(pages(after, 9)[1] == Page(PAXOS_RUN_UNKNOWN, 2, 1))
        #expect(after.receive(learnedFrame(slot: 2, [y])) == PAXOS_OK)
        #expect(after.look(2) == .chosen(0, y))
    }

    @Test("a page that ends in unknown slots does not end the promise: more is known to be empty")
    func unknownTail_isNotEndless() {
        accept(5, 1, x)
        accept(6, 2, y)
        journal.records[1].body[30] ^= 1
        let after = journal.recovered(acknowledged: 2).block
        #expect(after.status.abstains == 0 && after.status.lsn == 2, "its header says enough")
        let none = UInt32(PAXOS_FLAG_LAST)
        #expect(
            pages(after, 8) == [
                Page(PAXOS_RUN_ACCEPTED, 1, 1, ballot: ballot(5)), Page(PAXOS_RUN_UNKNOWN, 2, 1),
                Page(PAXOS_RUN_EMPTY, 3, 0, flags: none),
            ])
    }

    @Test("a damaged body hides an older vote for its slots, too")
    func damagedBody_hidesOlder() {
        accept(5, 1, x, x, x)
        accept(6, 2, y)
        journal.records[1].body[30] ^= 1
        let after = journal.recovered(acknowledged: 2).block
        #expect(after.look(1) == .accepted(ballot(5), x) && after.look(2) == .empty)
        #expect(after.look(3) == .accepted(ballot(5), x))
        #expect(pages(after, 8)[1] == Page(PAXOS_RUN_UNKNOWN, 2, 1))
        #expect(after.arenaFault() == nil)
    }

    @Test("a record that cannot be read: all that is not known to be chosen is unknown (row 9)")
    func missingRecord_isUnknown() {
        accept(5, 1, x, y)
        decide(5, upTo: 1)
        accept(5, 3, z)
        prepare(8)
        accept(8, 4, x)
        journal.records[2].header[50] ^= 4
        let (after, statuses, _) = journal.recovered()
        #expect(statuses == [PAXOS_OK, PAXOS_OK, PAXOS_ERR_WIRE, PAXOS_OK])
        #expect(after.status.promised == ballot(8), "a later record says so")
        let none = UInt32(PAXOS_FLAG_LAST)
        #expect(
            pages(after, 9) == [
                Page(PAXOS_RUN_CHOSEN, 1, 1), Page(PAXOS_RUN_UNKNOWN, 2, 2),
                Page(PAXOS_RUN_ACCEPTED, 4, 1, ballot: ballot(8)),
                Page(PAXOS_RUN_UNKNOWN, 5, 12), Page(PAXOS_RUN_EMPTY, 17, 0, flags: none),
            ])
        #expect(after.arenaFault() == nil)
    }

    /// Three votes handed out before any of them was said to be durable.
    private func unflushed() {
        for slot in 1...3 as ClosedRange<UInt64> {
            let run = Run(ballot: ballot(5), slot: slot, entries: [x])
            #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
            journal.records += block.pollAll().map(\.frame)
        }
    }

    @Test("the first record cannot be read: what later ones do not hold is unknown (row 9)")
    func missingFirst_isUnknown() {
        accept(5, 1, x)
        accept(5, 2, y)
        journal.records[0].header[8] ^= 1
        let (after, statuses, _) = journal.recovered()
        #expect(statuses == [PAXOS_ERR_WIRE, PAXOS_OK])
        #expect(after.look(2) == .accepted(ballot(5), y))
        #expect(pages(after, 9)[0] == Page(PAXOS_RUN_UNKNOWN, 1, 1))
    }

    @Test("the first record of a recycled journal is missing: what it held is unknown (row 9)")
    func missingFirstOfRecycled_isUnknown() {
        prepare(8)
        accept(8, 1, x, y)
        decide(8, upTo: 2)
        #expect(block.trim(2) == PAXOS_OK)
        accept(8, 3, z)
        accept(8, 4, y)
        journal.recycle()
        #expect(journal.start > 1 && journal.records.count > 1)
        journal.records.removeFirst()
        let (after, statuses, end) = journal.recovered(applied: 2)
        #expect(statuses == statuses.map { _ in PAXOS_OK } && end == PAXOS_OK)
        #expect(after.look(4) == .accepted(ballot(8), y))
        #expect(pages(after, 9)[1] == Page(PAXOS_RUN_UNKNOWN, 3, 1))
    }

    @Test("numbers of records end at 2^62; no host acknowledged more")
    func hugeNumbers_areRefused() {
        accept(5, 1, x)
        var fields = paxos_frame_t()
        paxos_frame_read(journal.records[0].header, &fields)
        fields.nonce = 1 << 62
        fields.state = 0
        paxos_frame_put(&journal.records[0].header, &fields)
        #expect(journal.recovered().statuses == [PAXOS_ERR_WIRE])
        #expect(Journal().recovered(acknowledged: 1 << 62).end == PAXOS_ERR_RANGE)
    }

    @Test("a torn first record, and the record of the next life behind it: that one is the first")
    func tornFirst_isPassed() {
        unflushed()
        journal.records.removeLast(2)
        journal.records[0].header[50] ^= 1
        let second = journal.recovered().block
        let run = Run(ballot: ballot(7), slot: 1, entries: [y])
        #expect(second.receive(acceptFrame(run)) == PAXOS_OK)
        _ = journal.settle(second)
        let third = Journal.restarted(incarnation: 3)
        #expect(journal.records.map(third.recover) == [PAXOS_ERR_WIRE, PAXOS_OK])
        #expect(paxos_acceptor_recovered(third.acceptor, 0, 1) == PAXOS_OK)
        #expect(third.look(1) == .accepted(ballot(7), y) && third.status.abstains == 0)
    }

    @Test("a torn tail: nothing vouches for it, so it and what stands behind it are dropped")
    func tornTail_isDropped() {
        unflushed()
        for damage in [{ $0.records[1].body[30] ^= 1 }, { $0.records[1].header[50] ^= 1 }]
            as [(inout Journal) -> Void]
        {
            var torn = journal
            damage(&torn)
            let (after, statuses, _) = torn.recovered(acknowledged: 1)
            #expect(statuses == [PAXOS_OK, PAXOS_ERR_WIRE, PAXOS_ERR_WIRE])
            #expect(after.look(1) == .accepted(ballot(5), x) && after.look(2) == .empty)
            #expect(after.look(3) == .empty && after.status.lsn == 1)
            #expect(after.status.abstains == 0 && after.acceptor.pointee.unknown_to == 0)
            #expect(torn.recovered(acknowledged: 3).block.status.abstains == 1)
        }
    }

    @Test("damage that a later record vouches for is none, even far behind it")
    func vouchedDamage_isUnknown() {
        unflushed()
        #expect(block.flushed(3) == PAXOS_OK)
        accept(5, 4, y)
        journal.records[1].header[50] ^= 1
        let (after, statuses, _) = journal.recovered()
        #expect(statuses == [PAXOS_OK, PAXOS_ERR_WIRE, PAXOS_ERR_WIRE, PAXOS_OK])
        #expect(after.look(4) == .accepted(ballot(5), y) && after.look(3) == .empty)
        #expect(after.acceptor.pointee.unknown_from == 1 && after.status.lsn == 4)
    }

    @Test("records of an earlier life behind those of a later one are stale")
    func earlierLife_isStale() {
        accept(5, 1, x)
        accept(5, 2, x)
        accept(5, 3, x)
        let old = journal.records
        journal.records.removeLast(2)
        let second = journal.recovered().block
        let run = Run(ballot: ballot(7), slot: 2, entries: [y])
        #expect(second.receive(acceptFrame(run)) == PAXOS_OK)
        _ = journal.settle(second)
        journal.records.append(old[2])
        let third = Journal.restarted(incarnation: 3)
        #expect(
            journal.records.map(third.recover) == [PAXOS_OK, PAXOS_OK, PAXOS_ERR_RANGE])
        #expect(paxos_acceptor_recovered(third.acceptor, 0, 2) == PAXOS_OK)
        #expect(third.look(2) == .accepted(ballot(7), y) && third.look(3) == .empty)
        #expect(third.status.abstains == 0 && third.status.lsn == 2)
        let now = Journal.restarted(incarnation: 1 + 1)
        #expect(now.recover(journal.records[1]) == PAXOS_ERR_RANGE, "of this very life")
    }

    @Test("a record that came before, or is of another, is refused (row 10)")
    func misplaced_isRefused() {
        accept(5, 1, x)
        accept(5, 2, y)
        let after = Journal.restarted()
        #expect(after.recover(journal.records[1]) == PAXOS_OK)
        let image = after.image
        #expect(after.recover(journal.records[1]) == PAXOS_ERR_RANGE)
        #expect(after.recover(journal.records[0]) == PAXOS_ERR_RANGE)
        for change in [
            { $0.cluster += 1 }, { $0.group += 1 }, { $0.sender = 2 }, { $0.receiver = 2 },
        ] as [(inout paxos_frame_t) -> Void] {
            let foreign = makeFrame(PAXOS_RECORD_PROMISED) {
                $0.sender = 1
                $0.receiver = 1
                $0.ballot = ballot(7)
                $0.other = ballot(7)
                $0.nonce = 9
                change(&$0)
            }
            #expect(after.recover(foreign) == PAXOS_ERR_FOREIGN)
        }
        #expect(after.recover(commitFrame(ballot(5), upTo: 1)) == PAXOS_ERR_WIRE, "no record")
        #expect(after.image == image)
    }

    @Test("every bit flip and every cut of a record is seen")
    func damage_isSeen() {
        accept(5, 1, x)
        accept(5, 2, y)
        let record = journal.records[1]
        for index in 0..<record.header.count * 8 {
            var damaged = record
            damaged.header[index / 8] ^= 1 << UInt8(index % 8)
            let after = Journal.restarted()
            #expect(after.recover(journal.records[0]) == PAXOS_OK)
            let image = after.image
            #expect(after.recover(damaged) == PAXOS_ERR_WIRE)
            #expect(after.image == image)
        }
        for index in 0..<record.body.count * 8 {
            var damaged = record
            damaged.body[index / 8] ^= 1 << UInt8(index % 8)
            #expect(Journal.restarted().recover(damaged) == PAXOS_ERR_WIRE)
        }
        for length in 0..<record.body.count {
            let cut = Frame(header: record.header, body: Bytes(record.body.prefix(length)))
            #expect(Journal.restarted().recover(cut) == PAXOS_ERR_WIRE)
        }
    }

    @Test("a smaller window or arena cannot hold it: said so, not lost in silence")
    func smallerBlock_isFull() {
        accept(5, 12, x)
        let small = journal.recovered(
            smallConfig {
                $0.window_slots = 8
                $0.pipeline_slots = 8
            })
        #expect(small.statuses == [PAXOS_ERR_FULL])
    }

    @Test("no call but recover before recovered, and no recover after it")
    func order_isKept() {
        accept(5, 1, x)
        let after = Journal.restarted()
        let frame = prepareFrame(ballot(6), fingerprint: after.fingerprint)
        #expect(after.receive(frame) == PAXOS_ERR_CORRUPT && after.poll() == nil)
        #expect(paxos_acceptor_recovered(after.acceptor, 0, 0) == PAXOS_OK)
        #expect(after.receive(frame) == PAXOS_OK)
        #expect(after.recover(journal.records[0]) == PAXOS_ERR_CORRUPT)
        #expect(paxos_acceptor_recovered(after.acceptor, 0, 0) == PAXOS_ERR_CORRUPT)
        let first = AcceptorBlock()
        #expect(first.recover(journal.records[0]) == PAXOS_ERR_CORRUPT, "its first life")
        #expect(paxos_acceptor_recovered(first.acceptor, 0, 0) == PAXOS_OK)
    }
}

/// SAFETY rows 7 and 11: a node that forgot what it said does not speak again.
final class AbstainTests {
    let block = AcceptorBlock()
    var journal = Journal()
    let x = Entry.command("X")

    init() {
        for slot in 1...3 as ClosedRange<UInt64> {
            let run = Run(ballot: ballot(5), slot: slot, entries: [x])
            #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
            _ = journal.settle(block)
        }
    }

    private func expectSilence(_ block: AcceptorBlock) {
        #expect(block.status.abstains == 1)
        let prepare = prepareFrame(ballot(9), fingerprint: block.fingerprint)
        #expect(block.receive(prepare) == PAXOS_ERR_ABSTAINS)
        for slot in [3, 4] as [UInt64] {
            let run = Run(ballot: ballot(9), slot: slot, entries: [x])
            #expect(block.receive(acceptFrame(run)) == PAXOS_ERR_ABSTAINS)
        }
        #expect(block.settle().isEmpty && block.status.promised == ballot(5))
    }

    @Test("the journal ends before what was acknowledged: it abstains, and learns (row 11)")
    func headFellBack() throws {
        journal.records.removeLast()
        let (after, _, end) = journal.recovered(acknowledged: 3)
        #expect(end == PAXOS_OK)
        let record = try #require(after.poll())
        #expect(record.fields.kind == PAXOS_RECORD_MARK.byte && record.lsn == 4)
        #expect(record.fields.flags == UInt16(PAXOS_FLAG_ABSTAINS))
        expectSilence(after)
        #expect(after.receive(learnedFrame(slot: 1, [x, x, x])) == PAXOS_OK)
        #expect(after.status.decided == 3)
        let heartbeat = makeFrame(PAXOS_FRAME_HEARTBEAT) {
            $0.nonce = 1
            $0.digest = after.fingerprint
        }
        #expect(after.receive(heartbeat) == PAXOS_OK)
        let reply = try #require(after.settle().last)
        #expect(UInt32(reply.fields.flags) & PAXOS_FLAG_ABSTAINS != 0)

        journal.records.append(record.frame)
        let again = journal.recovered(acknowledged: 4).block
        expectSilence(again)
    }

    @Test("the journal holds all that was acknowledged, and a record more: it votes")
    func headIsThere() {
        let after = journal.recovered(acknowledged: 2).block
        #expect(after.status.abstains == 0)
        let prepare = prepareFrame(ballot(9), fingerprint: after.fingerprint)
        #expect(after.receive(prepare) == PAXOS_OK)
    }

    @Test("a lost disk: nothing is known, so it abstains (row 7)", arguments: [1, 2] as [UInt32])
    func lostDisk(incarnation: UInt32) {
        let after = Journal.restarted(incarnation: incarnation)
        #expect(paxos_acceptor_recovered(after.acceptor, 0, .max) == PAXOS_OK)
        _ = after.settle()
        let prepare = prepareFrame(ballot(9), fingerprint: after.fingerprint)
        #expect(after.receive(prepare) == PAXOS_ERR_ABSTAINS)
        var promised: UInt64 = 0
        var lsn: UInt64 = 0
        #expect(
            paxos_acceptor_prepare(after.acceptor, ballot(9), &promised, &lsn)
                == PAXOS_ERR_ABSTAINS)
    }
}
