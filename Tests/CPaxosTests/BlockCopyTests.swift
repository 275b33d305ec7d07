import CPaxos
import PaxosSimulator
import Testing

/// A block is its bytes: copied in the middle of a run, with effects under way, original and copy
/// go on to the same effects and the same memory.
struct BlockCopyTests {
    /// Inputs and what came out, drawn from a seed: the same for the same state.
    private func drive(
        _ block: AcceptorBlock, _ random: inout SplitMix, steps: Int, after earlier: [Effect] = []
    ) -> [Effect] {
        var effects = earlier
        for _ in 0..<steps {
            let round = UInt64(random.below(4)) + block.status.promised >> 16
            let slot = block.status.decided + 1 + UInt64(random.below(4))
            switch random.below(8) {
            case 0: _ = block.receive(prepareFrame(ballot(round), fingerprint: block.fingerprint))
            case 1, 2, 3:
                let value = random.bytes(random.below(65))
                let run = Run(ballot: ballot(round), slot: slot, entries: [Entry(value: value)])
                _ = block.receive(acceptFrame(run, watermark: block.status.decided))
            case 4: _ = block.receive(commitFrame(ballot(round), upTo: slot))
            case 5: _ = block.receive(learnFrame(slot: 1 + block.status.trimmed, count: 3))
            case 6: _ = block.trim(block.status.decided)
            default:
                for effect in effects.suffix(20).dropLast(random.below(4)) {
                    _ = effect.isWrite ? block.flushed(effect.lsn) : block.sent(effect.token)
                }
            }
            if random.chance(60), let effect = block.poll() { effects.append(effect) }
        }
        return effects + block.pollAll()
    }

    @Test("a copy goes on as the original", arguments: 1...10 as ClosedRange<UInt64>)
    func copy_continues(seed: UInt64) {
        for memory in [0, 1] as [UInt16] {
            let config = smallConfig {
                $0.memory_only = memory
                $0.inflight_bytes_max = 64
            }
            let original = AcceptorBlock(config)
            var random = SplitMix(seed: seed)
            let earlier = drive(original, &random, steps: 40 + Int(seed) * 7)
            _ = original.receive(learnFrame(slot: 1 + original.status.trimmed, count: 5))

            let copy = AcceptorBlock(copyOf: original)
            #expect(copy.memory != original.memory)
            var again = random
            let first = drive(original, &random, steps: 400, after: earlier)
            let second = drive(copy, &again, steps: 400, after: earlier)
            #expect(first.count > earlier.count + 50, "seed \(seed)")
            #expect(first == second, "seed \(seed)")
            #expect(original.image == copy.image, "seed \(seed)")
        }
    }

    @Test("two copies of one block do not know of each other")
    func copies_areIndependent() {
        let original = AcceptorBlock()
        let entry = Entry.command("X")
        #expect(
            original.receive(acceptFrame(Run(ballot: ballot(5), slot: 1, entries: [entry])))
                == PAXOS_OK)
        let copy = AcceptorBlock(copyOf: original)
        let before = original.image
        _ = copy.settle()
        #expect(copy.receive(commitFrame(ballot(5), upTo: 1)) == PAXOS_OK)
        #expect(copy.trim(1) == PAXOS_OK)
        #expect(original.image == before)
    }

    @Test("the same inputs give the same bytes: no clock, no chance, no address in the block")
    func sameInputs_sameBytes() {
        let blocks = [AcceptorBlock(), AcceptorBlock()]
        var effects: [[Effect]] = []
        for block in blocks {
            var random = SplitMix(seed: 99)
            effects.append(drive(block, &random, steps: 500))
        }
        #expect(effects[0] == effects[1])
        #expect(blocks[0].image == blocks[1].image)
    }
}
