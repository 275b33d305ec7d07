import CPaxos
import Testing

/// The counters of a node count each refusal once, under its own name, and every frame.
struct CounterTests {
    private struct Counts: Equatable {
        var frames: UInt64 = 0
        var malformed: UInt64 = 0
        var foreign: UInt64 = 0
        var stale: UInt64 = 0
        var conflict: UInt64 = 0
        var full: UInt64 = 0
        var busy: UInt64 = 0
    }

    private func counts(_ block: AcceptorBlock) -> Counts {
        let status = block.status
        return Counts(
            frames: status.frames_received, malformed: status.frames_malformed,
            foreign: status.frames_foreign, stale: status.refused_stale,
            conflict: status.refused_conflict, full: status.refused_full,
            busy: status.refused_busy)
    }

    private func accept(_ ballot: UInt64, slot: UInt64, _ text: String) -> Frame {
        acceptFrame(Run(ballot: ballot, slot: slot, entries: [.command(text)]))
    }

    @Test("three of each, and nothing else is counted")
    func three() {
        let block = AcceptorBlock()
        #expect(block.receive(accept(ballot(5), slot: 1, "X")) == PAXOS_OK)
        _ = block.settle()
        var expected = Counts(frames: 1)
        func expect(
            _ frame: Frame, _ status: paxos_status_t, _ path: WritableKeyPath<Counts, UInt64>,
            decoded: Bool = true
        ) {
            for _ in 0..<3 {
                #expect(block.receive(frame) == status)
                expected[keyPath: path] += 1
                expected.frames += decoded ? 1 : 0
                #expect(counts(block) == expected, "\(path)")
                _ = block.settle()
            }
        }
        var cut = accept(ballot(5), slot: 2, "Y")
        cut.header.removeLast()
        expect(cut, PAXOS_ERR_WIRE, \.malformed, decoded: false)
        var damaged = accept(ballot(5), slot: 2, "Y")
        damaged.body[0] ^= 1
        expect(damaged, PAXOS_ERR_WIRE, \.malformed)
        let stranger = prepareFrame(ballot(6, node: 9), fingerprint: block.fingerprint, sender: 9)
        expect(stranger, PAXOS_ERR_FOREIGN, \.foreign, decoded: false)
        let other = prepareFrame(ballot(6), fingerprint: block.fingerprint ^ 1)
        expect(other, PAXOS_ERR_FOREIGN, \.foreign)
        expect(accept(ballot(4), slot: 1, "X"), PAXOS_ERR_STALE, \.stale)
        expect(
            prepareFrame(ballot(4), fingerprint: block.fingerprint), PAXOS_ERR_STALE, \.stale)
        expect(accept(ballot(5), slot: 1, "Z"), PAXOS_ERR_CONFLICT, \.conflict)
        expect(accept(ballot(5), slot: 17, "far"), PAXOS_ERR_FULL, \.full)
        expect(learnedFrame(slot: 17, [.command("far")]), PAXOS_ERR_FULL, \.full)
        for slot in 2...5 as ClosedRange<UInt64> {
            #expect(block.receive(learnFrame(slot: slot, count: 1)) == PAXOS_OK)
            expected.frames += 1
        }
        for _ in 0..<3 {
            #expect(block.receive(learnFrame(slot: 1, count: 1)) == PAXOS_ERR_BUSY)
            expected.busy += 1
            expected.frames += 1
            #expect(counts(block) == expected, "busy")
        }
    }
}
