import CPaxos
import Testing

/// Runs of more slots than a cell can count back: 65,535.
struct LongRunTests {
    private let noop = Entry(value: [], kind: 0, node: 1, incarnation: 1, number: 0)

    private func block(_ change: (inout paxos_config_t) -> Void = { _ in }) -> AcceptorBlock {
        AcceptorBlock(
            smallConfig {
                memoryOnly(&$0)
                ($0.window_slots, $0.pipeline_slots) = (1 << 17, 1 << 17)
                ($0.frame_bytes_max, $0.arena_bytes) = (2 << 20, 16 << 20)
                change(&$0)
            })
    }

    private func behind(_ block: AcceptorBlock, _ slot: UInt64) -> UInt16 {
        paxos_cell(block.acceptor, slot).pointee.behind
    }

    private func together(_ block: AcceptorBlock, _ first: UInt64, _ last: UInt64) -> UInt32 {
        var bytes: UInt32 = 0
        let count = paxos_log_together_hot(block.acceptor, first, last, .max, &bytes)
        #expect(bytes == count * 24)
        return count
    }

    private func check(_ block: AcceptorBlock, last: UInt64) {
        #expect(behind(block, 1) == 0 && behind(block, 65_535) == 65_534)
        for slot in [65_536, 65_537, last] { #expect(behind(block, slot) == .max, "slot \(slot)") }
        #expect(together(block, 1, 65_536) == 65_536 && together(block, 2, 65_536) == 65_535)
        for slot in [1, 65_535, 65_536, last] { #expect(block.look(slot).value == []) }
    }

    /// An Accept of so many no-ops, made of copies of one.
    private func accept(_ count: Int) -> Frame {
        let body = Bytes(repeatElement(noop.bytes, count: count).joined())
        return makeFrame(PAXOS_FRAME_ACCEPT, body: body) {
            ($0.ballot, $0.slot, $0.count) = (ballot(5), 1, UInt32(count))
            $0.digest = digestOf(body, from: 1)
        }
    }

    @Test("accepted in one frame, as the next run and again", arguments: [65_535, 65_536, 70_000])
    func accepted(count: Int) {
        let block = block()
        #expect(block.receive(commitFrame(ballot(5), upTo: 0)) == PAXOS_OK)
        let frame = accept(count)
        for _ in 0..<2 {
            #expect(block.receive(frame) == PAXOS_OK)
            let vote = block.settle().first?.fields
            #expect(vote?.count == UInt32(count) && vote?.digest == frame.fields?.digest)
        }
        if count == 70_000 { check(block, last: 70_000) }
        #expect(block.receive(commitFrame(ballot(5), upTo: UInt64(count))) == PAXOS_OK)
        #expect(block.receive(learnFrame(slot: 1, count: UInt32(count))) == PAXOS_OK)
        #expect(block.settle().map(\.fields.count) == [UInt32(count)])
    }

    @Test("appended one by one")
    func appended() {
        let block = block()
        var promised: UInt64 = 0
        var lsn: UInt64 = 0
        #expect(
            paxos_acceptor_prepare(block.acceptor, ballot(5, node: 1), &promised, &lsn) == PAXOS_OK)
        var header = paxos_entry_get(noop.bytes)
        for slot in 1...70_000 as ClosedRange<UInt64> {
            guard paxos_log_append(block.acceptor, promised, slot, &header, [], &lsn) == PAXOS_OK
            else {
                Issue.record("slot \(slot)")
                return
            }
        }
        check(block, last: 70_000)
    }
}
