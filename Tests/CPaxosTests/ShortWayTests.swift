import CPaxos
import PaxosSimulator
import Testing

/// The next ACCEPT of a known leader goes a shorter way than others. Both ways must end in the same
/// block, byte for byte, and in the same answers.
struct ShortWayTests {
    /// A copy to which no header is usual, so that it takes the long way.
    private func stranger(_ block: AcceptorBlock) -> AcceptorBlock {
        let copy = AcceptorBlock(copyOf: block)
        copy.acceptor.pointee.usual_nodes = 0
        return copy
    }

    @Test("short and long way end alike", arguments: 1...8 as ClosedRange<UInt64>)
    func ways_endAlike(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let block = AcceptorBlock(
            smallConfig {
                $0.memory_only = UInt16(seed % 2)
                $0.q2 = seed % 3 == 0 ? 3 : 2
                $0.inflight_bytes_max = 64
            })
        var taken = 0
        for step in 0..<600 {
            let next = block.status.last_slot + 1
            let slot = random.chance(80) ? next : max(1, next - min(next - 1, 2))
            let round = (block.status.promised >> 16) + UInt64(random.below(2))
            let entries = (0...random.below(2)).map { _ in
                Entry(value: random.bytes(random.below(65)))
            }
            let run = Run(ballot: ballot(max(1, round)), slot: slot, entries: entries)
            let frame = acceptFrame(
                run, watermark: next - 1 - min(next - 1, UInt64(random.below(3))),
                trim: random.chance(30) ? block.status.decided : 0,
                flags: random.chance(50) ? PAXOS_FLAG_VOTED : 0)
            let other = stranger(block)
            let status = block.receive(frame)
            let otherStatus = other.receive(frame)
            if other.acceptor.pointee.usual_nodes == 0 { /* was not voted for */
                other.acceptor.pointee.usual_nodes = block.acceptor.pointee.usual_nodes
            }
            let alike =
                status == otherStatus && block.imageWithoutCounters == other.imageWithoutCounters
            guard alike else {
                Issue.record("seed \(seed), step \(step): \(status.rawValue)")
                return
            }
            if status == PAXOS_OK { taken += 1 }
            if random.chance(70) { _ = block.settle() }
            if random.chance(30) {
                let mark = commitFrame(ballot(max(1, round)), upTo: block.status.last_slot)
                #expect(block.receive(mark) == PAXOS_OK)
            }
            if random.chance(40) { _ = block.trim(block.status.decided) }
        }
        #expect(taken > 40, "seed \(seed)")
    }
}
