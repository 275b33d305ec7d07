import CPaxos
import Testing

/// When the decided watermark gets a record of its own: where no other record has said it, and as
/// seldom as a restart allows.
struct MarkTests {
    let block = AcceptorBlock(smallConfig { $0.write_ring = 8 })

    private func accept(_ slot: UInt64, watermark: UInt64 = 0) {
        let run = Run(ballot: ballot(5), slot: slot, entries: [Entry.command("X")])
        #expect(block.receive(acceptFrame(run, watermark: watermark)) == PAXOS_OK)
    }

    /// Slots 1 to `slot` are decided, and no record says so yet.
    private func decide(_ slot: UInt64) {
        for slot in 1...slot {
            accept(slot)
            _ = block.settle()
        }
        #expect(block.receive(commitFrame(ballot(5), upTo: slot)) == PAXOS_OK)
        #expect(block.status.decided == slot && block.poll() == nil)
    }

    private func records() -> [UInt8] { block.pollAll().filter(\.isWrite).map(\.fields.kind) }

    @Test(
        "a trim notes the watermark once a quarter of the window was decided since",
        arguments: [3, 4, 5])
    func trim_notesMark(decided: UInt64) {
        decide(decided)
        #expect(block.trim(1) == PAXOS_OK)
        #expect(records() == (decided >= 4 ? [PAXOS_RECORD_MARK.byte] : []))
    }

    @Test("what another record says needs none of its own")
    func everyRecordMarks() {
        decide(4)
        accept(5)
        #expect(records() == [PAXOS_RECORD_ENTRIES.byte])
        paxos_log_mark(block.acceptor, 1)
        #expect(block.trim(4) == PAXOS_OK && records() == [])
    }
}
