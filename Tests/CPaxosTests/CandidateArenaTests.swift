import CPaxos
import Testing

/// The arena of a whole replica: what phase 1 brought is no cell's entry yet, and must not be lost.
struct CandidateArenaTests {
    @Test("an entry that a candidate may have to propose survives compaction")
    func best_survivesCompaction() {
        let block = ReplicaBlock()
        let hole = Entry.command("to be replaced")
        #expect(block.accept(1, 40, hole) == PAXOS_OK)
        let best = Entry.command("reported by a promise").bytes
        let kept = paxos_log_keep(block.acceptor, 41, best, UInt32(best.count))
        let proposal = paxos_proposal(block.acceptor, 41)
        proposal.pointee.best_ballot = ballot(1)
        proposal.pointee.best_position = kept
        proposal.pointee.best_bytes = UInt32(best.count)
        for round in 2...60 as ClosedRange<UInt64> {
            let value = Entry(value: Bytes(repeating: UInt8(round), count: 64))
            #expect(block.accept(round, 40, value) == PAXOS_OK)
            #expect(block.bytes(proposal.pointee.best_position, best.count) == best)
        }
        #expect(block.acceptor.pointee.counters.compactions > 0)
        #expect(proposal.pointee.best_position < kept, "it moved into the hole before it")
    }

    @Test("once it is proposed, or there is something better, its room is used again")
    func best_isForgotten() {
        let block = ReplicaBlock()
        #expect(block.accept(1, 40, Entry.command("x")) == PAXOS_OK)
        let best = Entry(value: Bytes(repeating: 7, count: 64)).bytes
        for slot in 41...50 as ClosedRange<UInt64> {
            let position = paxos_log_keep(block.acceptor, slot, best, UInt32(best.count))
            #expect(position != UInt64.max)
            paxos_proposal(block.acceptor, slot).pointee.best_ballot = 0
        }
        for round in 2...60 as ClosedRange<UInt64> {
            let value = Entry(value: Bytes(repeating: UInt8(round), count: 64))
            #expect(block.accept(round, 39, value) == PAXOS_OK)
        }
        let used = block.acceptor.pointee.arena_head - block.acceptor.pointee.arena_tail
        #expect(used < 2048)
    }
}

/// How far entries stand one behind the other: what a leader sends as one frame.
struct TogetherTests {
    private func together(_ block: AcceptorBlock, _ slot: UInt64, _ last: UInt64, _ max: UInt32)
        -> [UInt32]
    {
        var bytes: UInt32 = 0
        let count = paxos_log_together(block.acceptor, slot, last, max, &bytes)
        var again: UInt32 = 0
        #expect(paxos_log_together_hot(block.acceptor, slot, last, max, &again) == count)
        #expect(again == bytes, "the short cut says the same")
        return [count, bytes]
    }

    @Test("up to the end asked for, to the limit of bytes, and to where another run begins")
    func stretches() {
        let block = AcceptorBlock(smallConfig(memoryOnly))
        let entry = Entry.command("12345")
        let first = Run(ballot: ballot(5), slot: 1, entries: Array(repeating: entry, count: 4))
        let second = Run(ballot: ballot(5), slot: 5, entries: [entry, entry])
        /* The later one came first: it is a run of its own. */
        #expect(block.receive(acceptFrame(second)) == PAXOS_OK)
        #expect(block.receive(acceptFrame(first)) == PAXOS_OK)
        #expect(together(block, 1, 3, 1000) == [3, 96])
        #expect(together(block, 1, 6, 1000) == [4, 128])
        #expect(together(block, 2, 6, 1000) == [3, 96])
        #expect(together(block, 5, 6, 1000) == [2, 64])
        #expect(together(block, 1, 6, 95) == [2, 64])
        #expect(together(block, 1, 4, 96) == [3, 96])
        #expect(together(block, 4, 4, 32) == [1, 32])
        let other = Run(ballot: ballot(6), slot: 2, entries: [Entry.command("other")])
        #expect(block.receive(acceptFrame(other)) == PAXOS_OK)
        #expect(together(block, 1, 6, 1000) == [1, 32])
        #expect(together(block, 2, 6, 1000) == [1, 32])
        #expect(together(block, 3, 6, 1000) == [2, 64])
        _ = block.settle()
    }
}
