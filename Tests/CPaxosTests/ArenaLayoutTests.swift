import CPaxos
import Testing

/// Where everything stands in the arena after each way of making room, byte for byte. An entry of
/// these tests takes 32 bytes and a run header 16, a large entry with its run 112.
struct ArenaLayoutTests {
    private let large = Entry(value: Bytes(repeating: 7, count: 64))

    private func small(_ number: UInt64) -> Entry {
        Entry(value: Bytes(repeating: UInt8(number), count: 8), number: number)
    }

    private func roomy() -> AcceptorBlock {
        AcceptorBlock(
            smallConfig {
                memoryOnly(&$0)
                $0.window_slots = 64
                $0.inflight_bytes_max = 64
            })
    }

    private func accept(
        _ block: AcceptorBlock, _ round: UInt64, _ slot: UInt64, _ entries: Entry...
    ) {
        let run = Run(ballot: ballot(round), slot: slot, entries: entries)
        #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
        _ = block.settle()
    }

    /// Replace one entry under ever higher ballots until the arena closes its holes.
    private func compact(_ block: AcceptorBlock) {
        var round: UInt64 = 10
        while block.status.compactions == 0 && round < 100 {
            accept(block, round, 40, Entry(value: Bytes(repeating: UInt8(round), count: 64)))
            round += 1
        }
    }

    private func places(_ block: AcceptorBlock, _ slots: ClosedRange<UInt64>) -> [UInt64] {
        slots.map { paxos_cell(block.acceptor, $0).pointee.position }
    }

    @Test("compaction leaves no hole, and each cell says what stands before it")
    func compaction() {
        let block = roomy()
        accept(block, 5, 1, small(1), small(2), small(3), small(4))
        accept(block, 6, 2, small(22))
        #expect(places(block, 1...4) == [16, 160, 80, 112])
        compact(block)
        #expect(places(block, 1...4) == [16, 144, 64, 96])
        let behind = (1...4 as ClosedRange<UInt64>).map {
            paxos_cell(block.acceptor, $0).pointee.behind
        }
        #expect(behind == [0, 0, 0, 1])
        #expect(block.acceptor.pointee.arena_head == 176 + 2 * 112)
        #expect(block.status.compactions == 1)
        #expect(block.arenaFault() == nil)
    }

    @Test("what was trimmed, up to the trim point itself, is no longer kept by compaction")
    func compaction_ofTrimmed() {
        let block = roomy()
        accept(block, 5, 1, small(1), small(2), small(3), small(4))
        #expect(block.receive(commitFrame(ballot(5), upTo: 1)) == PAXOS_OK)
        #expect(block.trim(1) == PAXOS_OK)
        accept(block, 6, 2, small(22))
        compact(block)
        #expect(places(block, 2...4) == [96, 16, 48])
        #expect(block.acceptor.pointee.arena_head == 128 + 2 * 112)
    }

    /// Slots 1 to 12, two in a run, all decided; slot 12 goes out in a page that is not sent.
    private func pinned(trimmed: UInt64) -> AcceptorBlock {
        let block = roomy()
        for slot in 1...12 as ClosedRange<UInt64> { accept(block, 5, slot, large) }
        #expect(block.receive(commitFrame(ballot(5), upTo: 12)) == PAXOS_OK)
        #expect(block.receive(learnFrame(slot: 12, count: 1)) == PAXOS_OK)
        #expect(block.poll()?.frame.body == large.bytes)
        #expect(block.trim(trimmed) == PAXOS_OK)
        return block
    }

    @Test(
        "room is made from the tail on: all that was trimmed, and nothing that was not or is pinned"
    )
    func reclaim() {
        for (trimmed, tail) in [(5, 2 * 192), (11, 5 * 192), (12, 5 * 192)] {
            let block = pinned(trimmed: UInt64(trimmed))
            var slot: UInt64 = 13
            while block.acceptor.pointee.arena_tail == 0 && slot < 30 {
                accept(block, 5, slot, large)
                slot += 1
            }
            #expect(block.acceptor.pointee.arena_tail == UInt64(tail), "trimmed to \(trimmed)")
            #expect(block.status.compactions == 0 && block.arenaFault() == nil)
        }
    }

    /// The ring is 2048 bytes, the reserve 368, a run that grows at most 256.
    @Test(
        "how far a run may grow: to its limit, to the end of the ring, to where the reserve begins",
        arguments: [
            (0, 0, 256), (0, 1504, 1680), (352, 1600, 1680), (368, 1600, 1856), (1024, 1920, 2048),
            (1024, 1776, 2032), (3008, 3648, 3904), (2048, 3552, 3728), (3008, 3968, 4096),
            (1408, 2592, 2848), (1200, 2704, 2880), (1200, 2608, 2864),
        ] as [(UInt64, UInt64, UInt64)])
    func openLimit(tail: UInt64, head: UInt64, limit: UInt64) {
        let block = roomy()
        let a = block.acceptor
        var out: (UInt64, UInt64) = (0, 0)
        #expect(paxos_acceptor_prepare(a, ballot(5, node: 1), &out.0, &out.1) == PAXOS_OK)
        (a.pointee.arena_tail, a.pointee.arena_head) = (tail, head)
        a.pointee.pinned_from = tail
        if tail != head { _ = paxos_run_header_put(a, tail, 1000, 1, UInt32(head - tail)) }
        var header = paxos_entry_get(small(1).bytes)
        #expect(paxos_log_append(a, out.0, 1, &header, small(1).value, &out.1) == PAXOS_OK)
        #expect(a.pointee.open_run == head && a.pointee.open_end == head + 48)
        #expect(a.pointee.open_limit == limit && a.pointee.arena_head == head + 48)
        /* It grows to there, and not a byte further. */
        var slot: UInt64 = 2
        while a.pointee.open_run == head && slot < 20 {
            guard paxos_log_append(a, out.0, slot, &header, small(1).value, &out.1) == PAXOS_OK
            else { break }
            slot += 1
        }
        let count = (limit - head - 16) / 32
        let last = paxos_cell(a, count).pointee
        #expect(last.position == head + 16 + 32 * (count - 1) && last.behind == count - 1)
        let next = paxos_cell(a, count + 1).pointee
        #expect(next.slot == 0 || next.behind == 0)
        #expect(little32(block.bytes(at: Int(paxos_arena_offset(a, head)), count: 16), 8) == count)
    }

    @Test("all that is not sent pins the arena, to whichever member, and nothing that is")
    func pins() {
        let block = AcceptorBlock(
            smallConfig {
                memoryOnly(&$0)
                $0.node = 2
            })
        func receive(_ frame: Frame) {
            var fields = paxos_frame_t()
            paxos_frame_read(frame.header, &fields)
            fields.sender = 1
            fields.receiver = 2
            #expect(
                block.receive(Frame(header: encode(fields), body: frame.body)) == PAXOS_OK)
        }
        let leader = ballot(5, node: 1)
        for slot in 1...3 as ClosedRange<UInt64> {
            receive(acceptFrame(Run(ballot: leader, slot: slot, entries: [small(slot)])))
        }
        receive(commitFrame(leader, upTo: 3))
        _ = block.settle()
        var tokens: [UInt64] = []
        for slot in [3, 2, 1] as [UInt64] {
            receive(learnFrame(slot: slot, count: 1))
            tokens += block.pollAll().map(\.token)
        }
        for token in tokens {
            #expect(paxos_arena_pinned(block.acceptor) == 16, "slot 1 was asked for last")
            #expect(block.sent(token) == PAXOS_OK)
        }
        #expect(paxos_arena_pinned(block.acceptor) == .max)
        #expect(block.sent(4 << 48 | 1) == PAXOS_ERR_RANGE, "the fourth of three members")
    }

    @Test("compaction tells a slot's own entry from what a candidate was told of it")
    func compaction_ofReports() {
        let block = ReplicaBlock()
        func keep(_ slot: UInt64, _ entry: Entry) -> UInt64 {
            paxos_log_keep(block.acceptor, slot, entry.bytes, 32)
        }
        #expect(block.accept(1, 40, small(40)) == PAXOS_OK)
        #expect(block.accept(1, 41, small(41)) == PAXOS_OK)
        /* Slot 41: another entry, under the lowest ballot there is. Slot 42: told and forgotten.
         * Slot 43: told, and then told better. */
        for (slot, best) in [(41, 1), (42, 0), (43, 1)] as [(UInt64, UInt64)] {
            let proposal = paxos_proposal(block.acceptor, slot)
            proposal.pointee.best_ballot = best
            proposal.pointee.best_position = keep(slot, small(slot + 100))
        }
        paxos_proposal(block.acceptor, 43).pointee.best_ballot = ballot(2)
        paxos_proposal(block.acceptor, 43).pointee.best_position = keep(43, small(243))
        var round: UInt64 = 2
        while block.acceptor.pointee.counters.compactions == 0 && round < 100 {
            let value = Entry(value: Bytes(repeating: UInt8(round), count: 64))
            #expect(block.accept(round, 40, value) == PAXOS_OK)
            round += 1
        }
        #expect(paxos_cell(block.acceptor, 41).pointee.position == 16)
        let best = [41, 43].map { paxos_proposal(block.acceptor, $0).pointee.best_position }
        #expect(best == [64, 112])
        #expect(block.bytes(16, 32) == small(41).bytes && block.bytes(64, 32) == small(141).bytes)
        #expect(block.bytes(112, 32) == small(243).bytes)
        #expect(block.acceptor.pointee.arena_head == 144 + 2 * 112)
    }
}
