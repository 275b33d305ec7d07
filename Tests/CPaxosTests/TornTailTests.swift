import CPaxos
import Testing

/// What a record says counts only if it was written whole, or was durable for certain: what a torn
/// one said will be overwritten, and another crash then finds nothing of it.
struct TornTailTests {
    let run = Run(ballot: ballot(5), slot: 1, entries: [Entry.command("X")])

    /// A journal of one vote, which was handed out and torn by the power cut.
    private func torn() throws -> Journal {
        let block = AcceptorBlock()
        #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
        let record = try #require(block.poll())
        var journal = Journal(records: [record.frame])
        journal.records[0].body[30] ^= 1
        return journal
    }

    @Test("the promise in a torn record is none: it is made durable before it is told")
    func promiseOfTornRecord() throws {
        let (block, statuses, end) = try torn().recovered(acknowledged: 0)
        #expect(statuses == [PAXOS_ERR_WIRE] && end == PAXOS_OK)
        #expect(block.status.promised == 0 && block.status.abstains == 0)
        let prepare = prepareFrame(ballot(5), fingerprint: block.fingerprint)
        #expect(block.receive(prepare) == PAXOS_OK)
        let record = try #require(block.poll())
        #expect(record.isWrite && record.fields.kind == PAXOS_RECORD_PROMISED.byte)
        #expect(block.poll() == nil, "the promise left before it was durable")
        #expect(block.flushed(record.lsn) == PAXOS_OK)
        #expect(block.poll()?.fields.kind == PAXOS_FRAME_PROMISE.byte)
    }

    @Test("the promise in a damaged record that was durable counts")
    func promiseOfDamagedRecord() throws {
        let block = try torn().recovered(acknowledged: 1).block
        #expect(block.status.promised == ballot(5) && block.status.abstains == 0)
    }

    @Test("a later record vouches for a damaged one, whatever it promises itself")
    func laterRecordVouches() throws {
        let block = AcceptorBlock()
        #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
        var journal = Journal()
        _ = journal.settle(block)
        #expect(block.receive(commitFrame(ballot(5), upTo: 1)) == PAXOS_OK)
        let next = Run(ballot: ballot(6), slot: 2, entries: [Entry.command("Y")])
        #expect(block.receive(acceptFrame(next)) == PAXOS_OK)
        _ = journal.settle(block)
        let third = Run(ballot: ballot(6), slot: 3, entries: [Entry.command("Z")])
        #expect(block.receive(acceptFrame(third)) == PAXOS_OK)
        _ = journal.settle(block)
        journal.records[0].body[30] ^= 1
        let (after, statuses, _) = journal.recovered(acknowledged: block.status.flushed)
        #expect(statuses == [PAXOS_ERR_WIRE] + statuses.dropFirst().map { _ in PAXOS_OK })
        #expect(after.status.promised == ballot(6) && after.acceptor.pointee.unknown_to == 1)
        #expect(after.look(2) == .accepted(ballot(6), next.entries[0]))
        #expect(after.look(3) == .accepted(ballot(6), third.entries[0]))
    }

    @Test("damage in what was trimmed makes nothing above it unknown")
    func damageBelowTrim() throws {
        let block = AcceptorBlock()
        #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
        #expect(block.receive(commitFrame(ballot(5), upTo: 1)) == PAXOS_OK)
        #expect(block.trim(1) == PAXOS_OK) /* so that the record of slot 1 says so, too */
        var journal = Journal()
        for slot in [6, 7] as [UInt64] {
            let next = Run(ballot: ballot(5), slot: slot, entries: [Entry.command("Y")])
            #expect(block.receive(acceptFrame(next)) == PAXOS_OK)
            _ = journal.settle(block)
        }
        for index in 0...1 { journal.records[index].body[30] ^= 1 }
        let lsn = block.status.flushed
        let after = journal.recovered(applied: 1, acknowledged: lsn).block
        let prepare = prepareFrame(ballot(9), fingerprint: after.fingerprint)
        #expect(after.receive(prepare) == PAXOS_OK)
        #expect(
            after.settle().map(Page.init) == [
                Page(PAXOS_RUN_TRIMMED, 1, 1), Page(PAXOS_RUN_EMPTY, 2, 4),
                Page(PAXOS_RUN_UNKNOWN, 6, 1),
                Page(PAXOS_RUN_ACCEPTED, 7, 1, ballot: ballot(5), flags: PAXOS_FLAG_LAST),
            ])
    }

    @Test("a record behind one that cannot be read vouches only for what was flushed before it")
    func flushedBeforeTheGap() throws {
        let block = AcceptorBlock()
        var journal = Journal()
        #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
        _ = journal.settle(block)
        for slot in 2...3 as ClosedRange<UInt64> {
            let next = Run(ballot: ballot(5), slot: slot, entries: [Entry.command("Y")])
            #expect(block.receive(acceptFrame(next)) == PAXOS_OK)
            journal.records.append(try #require(block.poll()).frame)
        }
        journal.records[1].header[50] ^= 1
        let (after, statuses, _) = journal.recovered(acknowledged: 1)
        #expect(statuses == [PAXOS_OK, PAXOS_ERR_WIRE, PAXOS_ERR_WIRE])
        #expect(after.acceptor.pointee.unknown_to == 0 && after.status.last_slot == 1)
    }

    @Test("a mark that came with a torn record is known, and not told before it is durable")
    func markOfTornRecord() throws {
        let block = AcceptorBlock()
        var journal = Journal()
        #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
        _ = journal.settle(block)
        #expect(block.receive(commitFrame(ballot(5), upTo: 1)) == PAXOS_OK)
        let next = Run(ballot: ballot(5), slot: 2, entries: [Entry.command("Y")])
        #expect(block.receive(acceptFrame(next)) == PAXOS_OK)
        journal.records.append(try #require(block.poll()).frame)
        journal.records[1].body[30] ^= 1
        let after = journal.recovered(acknowledged: 1).block
        #expect(after.status.decided == 1)
        let heartbeat = makeFrame(PAXOS_FRAME_HEARTBEAT) { $0.digest = after.fingerprint }
        #expect(after.receive(heartbeat) == PAXOS_OK)
        let told = after.pollAll().filter { !$0.isWrite }.map(\.fields.watermark)
        #expect(told == [0])
    }

    @Test("who abstains says so in its journal, and abstains in each later life")
    func abstainsForEver() throws {
        let config = smallConfig { $0.incarnation = 2 }
        let lost = AcceptorBlock(config)
        #expect(paxos_acceptor_recovered(lost.acceptor, 0, .max) == PAXOS_OK)
        var journal = Journal()
        _ = journal.settle(lost)
        let mark = try #require(journal.records.last)
        var fields = paxos_frame_t()
        paxos_frame_read(mark.header, &fields)
        #expect(fields.kind == PAXOS_RECORD_MARK.byte && fields.ballot == 0 && fields.slot == 0)
        #expect(fields.count == 0 && fields.body_bytes == 0 && fields.digest == 0)
        let later = Journal.restarted(incarnation: 3)
        #expect(later.recover(mark) == PAXOS_OK)
        #expect(paxos_acceptor_recovered(later.acceptor, 0, 1) == PAXOS_OK)
        #expect(later.status.abstains == 1)
    }
}
