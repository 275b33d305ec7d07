import CPaxos
import PaxosSimulator
import Testing

/// SAFETY row 34: "nothing on the wire is trusted". One bit, or one byte too few or too many, of
/// any frame: refused, and nothing but a counter changes.
struct CorruptionTests {
    static let kinds = Array(1...Int(PAXOS_FRAME_KIND_MAX.rawValue))

    /// A block that holds, has decided and has trimmed something, so that there is much to damage.
    private func busyBlock() -> AcceptorBlock {
        let block = AcceptorBlock()
        let entries = (1...4).map { Entry.command("value \($0)", number: UInt64($0)) }
        #expect(
            block.receive(acceptFrame(Run(ballot: ballot(4), slot: 1, entries: entries)))
                == PAXOS_OK)
        #expect(block.receive(commitFrame(ballot(4), upTo: 2)) == PAXOS_OK)
        _ = block.settle()
        #expect(block.trim(1) == PAXOS_OK)
        return block
    }

    private func frame(_ kind: Int, for block: AcceptorBlock) -> Frame {
        let frame = FrameCatalogue.all(fingerprint: block.fingerprint)[kind - 1]
        precondition(frame.header[7] == UInt8(kind))
        return frame
    }

    /// The block's answer to bytes that came instead of a frame, which must be a refusal.
    private func expectRefused(
        _ bytes: Bytes, _ block: AcceptorBlock, _ before: Image, _ what: @autoclosure () -> String
    ) -> Bool {
        let split = min(headerBytes, bytes.count)
        let frame = Frame(header: Bytes(bytes[..<split]), body: Bytes(bytes[split...]))
        let status = block.receive(frame)
        let same = block.imageWithoutCounters == before
        if status == PAXOS_ERR_WIRE && same { return true }
        Issue.record("\(what()): status \(status.rawValue), \(same ? "un" : "")changed")
        return false
    }

    @Test("whole, each frame is taken", arguments: kinds)
    func whole_isTaken(kind: Int) {
        let block = busyBlock()
        #expect(block.receive(frame(kind, for: block)) == PAXOS_OK)
        #expect(block.status.frames_malformed == 0)
    }

    private func expectEveryFlipRefused(_ frame: Frame, _ block: AcceptorBlock, _ name: String) {
        let before = block.imageWithoutCounters
        let counted = block.status.frames_malformed
        var bytes = frame.bytes
        for bit in 0..<bytes.count * 8 {
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            guard expectRefused(bytes, block, before, "\(name), bit \(bit)") else { return }
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        }
        #expect(block.status.frames_malformed - counted == UInt64(bytes.count * 8))
    }

    private func expectEveryCutRefused(_ frame: Frame, _ block: AcceptorBlock, _ name: String) {
        let before = block.imageWithoutCounters
        let bytes = frame.bytes
        for length in 0..<bytes.count {
            let part = Bytes(bytes[..<length])
            guard expectRefused(part, block, before, "\(name), \(length) bytes") else { return }
        }
        _ = expectRefused(bytes + [0], block, before, "\(name), a byte more")
    }

    @Test("every single-bit flip is refused", arguments: kinds)
    func everyBitFlip_isRefused(kind: Int) {
        let block = busyBlock()
        expectEveryFlipRefused(frame(kind, for: block), block, "kind \(kind)")
    }

    @Test("every truncation, and one byte more, is refused", arguments: kinds)
    func everyTruncation_isRefused(kind: Int) {
        let block = busyBlock()
        expectEveryCutRefused(frame(kind, for: block), block, "kind \(kind)")
    }

    @Test(
        "so for the next ACCEPT of a leader, which takes a shorter way", arguments: [true, false])
    func nextAccept_isRefused(memory: Bool) {
        let block = AcceptorBlock(smallConfig { $0.memory_only = memory ? 1 : 0 })
        let first = Run(ballot: ballot(5), slot: 1, entries: [Entry.command("first")])
        #expect(block.receive(acceptFrame(first)) == PAXOS_OK)
        _ = block.settle()
        let run = Run(ballot: ballot(5), slot: 2, entries: FrameCatalogue.entries)
        let flags = memory ? PAXOS_FLAG_VOTED : 0
        let next = acceptFrame(run, watermark: 1, trim: 1, flags: flags)
        expectEveryFlipRefused(next, block, "next ACCEPT")
        expectEveryCutRefused(next, block, "next ACCEPT")
        #expect(block.receive(next) == PAXOS_OK)
        #expect(block.status.last_slot == 4 && block.status.decided == (memory ? 4 : 1))
    }

    @Test("a header that is too long is refused")
    func longHeader_isRefused() {
        let block = busyBlock()
        let header = commitFrame(ballot(5), upTo: 2).header + [0]
        #expect(block.receive(Frame(header: header)) == PAXOS_ERR_WIRE)
    }

    @Test("random fields under a good checksum never break a block", arguments: [1, 2, 3])
    func randomFields_neverBreak(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let block = busyBlock()
        let catalogue = FrameCatalogue.all(fingerprint: block.fingerprint)
        for step in 0..<20_000 {
            var frame = catalogue[random.below(catalogue.count)]
            for _ in 0...random.below(3) {
                let at = 7 + random.below(headerBytes - 7)
                frame.header[at] = random.chance(50) ? 0 : UInt8(random.below(256))
            }
            reseal(&frame.header, to: headerBytes)
            let before = block.imageWithoutCounters
            let status = block.receive(frame)
            switch status {
            case PAXOS_ERR_WIRE, PAXOS_ERR_FOREIGN, PAXOS_ERR_BUSY:
                guard block.imageWithoutCounters == before else {
                    Issue.record("seed \(seed), step \(step): \(status.rawValue), but changed")
                    return
                }
            default: break
            }
            if random.chance(30) { _ = block.settle() }
        }
    }
}
