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
        journal.records[0].body[30] ^= 1
        let after = journal.recovered(acknowledged: block.status.flushed).block
        #expect(after.status.promised == ballot(6) && after.acceptor.pointee.unknown_to == 1)
    }
}
