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
                && block.status.frames_received == other.status.frames_received
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

    private enum Shape: CaseIterable {
        case durable, memoryOnly, several, longest, lastOfWindow

        var config: paxos_config_t {
            smallConfig {
                if self == .memoryOnly { $0.memory_only = 1 }
                if self == .longest { $0.reply_ring = 1 }
            }
        }

        /// The frame that follows one for slot 1.
        func next(_ block: AcceptorBlock) -> Frame {
            let entry = Entry(value: Bytes(repeating: 7, count: 64))
            let count =
                switch self {
                case .durable, .memoryOnly: 1
                case .several: 3
                case .longest: Int(block.acceptor.pointee.body_bytes_max) / entry.bytes.count
                case .lastOfWindow: 1
                }
            let slot: UInt64 = self == .lastOfWindow ? 16 : 2
            let entries = Array(repeating: entry, count: count)
            return acceptFrame(Run(ballot: ballot(5), slot: slot, entries: entries))
        }
    }

    /// A block that has voted for slot 1, so that its leader is the usual one.
    private func used(_ config: paxos_config_t) -> AcceptorBlock {
        let block = AcceptorBlock(config)
        let first = Run(ballot: ballot(5), slot: 1, entries: [.noop])
        #expect(block.receive(acceptFrame(first)) == PAXOS_OK)
        _ = block.settle()
        return block
    }

    /// Who is answered shows which way a frame went: the long way looks the sender up, the short one
    /// remembers it.
    @Test("what a usual leader sends next goes the short way", arguments: Shape.allCases)
    private func short_isTaken(shape: Shape) {
        let block = used(shape.config)
        block.acceptor.pointee.usual_member = 2
        #expect(block.receive(shape.next(block)) == PAXOS_OK)
        let replies = block.settle()
        #expect(replies.map(\.node) == [3])
        #expect(replies.map(\.frame.header[7]) == [PAXOS_FRAME_ACCEPTED.byte])
    }

    /// The headers of next frames, with one byte changed under a good checksum.
    @Test("no byte of a header is taken on trust", arguments: Shape.allCases)
    private func headers_endAlike(shape: Shape) {
        let block = used(shape.config)
        let frame = shape.next(block)
        for offset in 4..<headerBytes {
            for flip in [1, 2, 0x80, 0xFF] as [UInt8] {
                var changed = frame
                changed.header[offset] ^= flip
                reseal(&changed.header, to: headerBytes)
                expectAlike(block, changed, "byte \(offset) ^ \(flip)")
            }
        }
        var damaged = frame
        damaged.header[0] ^= 1
        expectAlike(block, damaged, "checksum")
        damaged = frame
        damaged.body[9] ^= 1
        expectAlike(block, damaged, "body")
        damaged = frame
        damaged.body.removeLast(8)
        expectAlike(block, damaged, "body cut short")
    }

    @Test("a block that can't take the next frame says so on either way", arguments: Shape.allCases)
    private func states_endAlike(shape: Shape) {
        let states: [(String, (inout paxos_acceptor_t) -> Void)] = [
            ("no room for the reply", { $0.replies_in = $0.replies_out + UInt64($0.reply_ring) }),
            ("no room for the record", { $0.writes_in = $0.writes_out + UInt64($0.write_ring) }),
            ("abstains", { $0.abstains = 1 }),
            ("promised more", { $0.promised = ballot(6) }),
            ("holds more", { $0.last_slot = 17 }),
            ("trimmed", { ($0.trimmed, $0.decided, $0.last_slot) = (2, 2, 2) }),
        ]
        for (name, change) in states {
            if shape == .memoryOnly && name == "abstains" { continue } /* it never does */
            let block = used(shape.config)
            change(&block.acceptor.pointee)
            expectAlike(block, shape.next(block), name)
        }
    }

    @Test("where nobody is the usual leader yet, a header of zeros is not taken for its")
    func zeros_areNobody() {
        let run = Run(ballot: 0, slot: 1, entries: [.command("forged")])
        for promised in [0, 1 << 16] as [UInt64] {
            let block = AcceptorBlock(smallConfig { $0.group = 0 })
            block.acceptor.pointee.promised = promised
            let frame = makeFrame(PAXOS_FRAME_ACCEPT, body: run.bytes) {
                ($0.sender, $0.receiver, $0.group, $0.incarnation) = (0, 0, 0, 0)
                ($0.ballot, $0.slot, $0.count, $0.digest) = (promised, 1, 1, run.digest)
            }
            let before = block.imageWithoutCounters
            #expect(block.receive(frame) == PAXOS_ERR_WIRE)
            #expect(block.imageWithoutCounters == before)
        }
    }

    /// Both ways leave the same block, the counters and the answer too.
    private func expectAlike(
        _ block: AcceptorBlock, _ frame: Frame, _ what: String,
        location: SourceLocation = #_sourceLocation
    ) {
        let short = AcceptorBlock(copyOf: block)
        let long = stranger(block)
        let status = short.receive(frame)
        #expect(long.receive(frame) == status, "\(what)", sourceLocation: location)
        long.acceptor.pointee.usual_nodes = short.acceptor.pointee.usual_nodes
        #expect(short.image == long.image, "\(what)", sourceLocation: location)
    }
}
