import CPaxos
import Testing

/// What a peer asks for, was trimmed here and stands in the host's journal still.
struct FetchTests {
    let block = AcceptorBlock()
    let entries = (1...8).map { Entry.command("\($0)") }

    /// Slots 1 to 8 decided, the first six trimmed.
    init() {
        for slot in 1...8 as ClosedRange<UInt64> {
            let run = Run(ballot: ballot(5), slot: slot, entries: [entries[Int(slot) - 1]])
            #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
            _ = block.settle()
        }
        #expect(block.receive(commitFrame(ballot(5), upTo: 8)) == PAXOS_OK)
        #expect(block.trim(6) == PAXOS_OK)
        _ = block.settle()
    }

    private func learn(_ slot: UInt64, _ count: UInt32) -> [paxos_effect_t] {
        #expect(block.receive(learnFrame(slot: slot, count: count)) == PAXOS_OK)
        var effects: [paxos_effect_t] = []
        var effect = paxos_effect_t()
        effect.size_bytes = UInt32(MemoryLayout<paxos_effect_t>.size)
        while paxos_acceptor_poll(block.acceptor, &effect) {
            effects.append(effect)
            _ = block.sent(effect.token)
        }
        return effects
    }

    private func fields(_ effect: paxos_effect_t) -> paxos_frame_t {
        var fields = paxos_frame_t()
        withUnsafeBytes(of: effect.header) {
            paxos_frame_read($0.assumingMemoryBound(to: UInt8.self).baseAddress!, &fields)
        }
        return fields
    }

    private func bytes(_ slots: ClosedRange<Int>) -> Bytes {
        slots.flatMap { entries[$0 - 1].bytes }
    }

    @Test("nothing is asked of a journal that brings nothing", arguments: [0, 7, .max] as [UInt64])
    func retainsNothing(first: UInt64) {
        paxos_acceptor_retain(block.acceptor, first)
        let pages = learn(2, 9)
        #expect(pages.map(\.kind) == [PAXOS_EFFECT_SEND.rawValue])
        #expect(fields(pages[0]).state == UInt16(PAXOS_RUN_TRIMMED.rawValue))
        #expect(fields(pages[0]).slot == 2 && fields(pages[0]).count == 5)
    }

    @Test("one effect a question, for what was trimmed and no more")
    func fetch() {
        paxos_acceptor_retain(block.acceptor, 2)
        for (slot, count, asked) in [(2, 1, 1), (2, 9, 5), (6, 9, 1), (3, .max, 4)] {
            let effects = learn(UInt64(slot), UInt32(truncatingIfNeeded: count))
            #expect(effects.count == 1)
            #expect(effects[0].kind == PAXOS_EFFECT_FETCH.rawValue && effects[0].node == 2)
            #expect(effects[0].slot == UInt64(slot) && effects[0].count == UInt32(asked))
            #expect(effects[0].body_bytes == smallConfig().frame_bytes_max - 96)
            #expect(effects[0].token == 0 && effects[0].body_offset == 0)
        }
        #expect(learn(7, 2).map(\.kind) == Array(repeating: PAXOS_EFFECT_SEND.rawValue, count: 2))
    }

    @Test("only what the journal does not bring either is said to be trimmed")
    func gone() {
        paxos_acceptor_retain(block.acceptor, 4)
        let pages = learn(1, 8)
        #expect(pages.map(\.kind) == [PAXOS_EFFECT_SEND.rawValue])
        #expect(fields(pages[0]).state == UInt16(PAXOS_RUN_TRIMMED.rawValue))
        #expect(fields(pages[0]).slot == 1 && fields(pages[0]).count == 3)
        #expect(fields(pages[0]).trim == 6)
        #expect(learn(4, 8).map(\.kind) == [PAXOS_EFFECT_FETCH.rawValue])
        /* The host found out that a record is damaged. */
        paxos_acceptor_retain(block.acceptor, 5)
        let later = learn(4, 8)
        #expect(later.map(\.kind) == [PAXOS_EFFECT_SEND.rawValue])
        #expect(fields(later[0]).count == 1)
    }

    @Test("a finished effect is the frame of a page that was held in memory", arguments: [3, 5])
    func finish(count: Int) throws {
        paxos_acceptor_retain(block.acceptor, 1)
        var effect = learn(2, 7)[0]
        let body = bytes(2...count + 1)
        #expect(paxos_effect_fetched(&effect, UInt32(count), body, body.count) == PAXOS_OK)
        #expect(effect.count == UInt32(count) && Int(effect.body_bytes) == body.count)
        let frame = Frame(header: withUnsafeBytes(of: effect.header) { Bytes($0) }, body: body)
        let fields = try #require(frame.fields)
        #expect(fields.kind == PAXOS_FRAME_LEARNED.byte)
        #expect(fields.slot == 2 && fields.count == UInt32(count))
        #expect(fields.state == UInt16(PAXOS_RUN_CHOSEN.rawValue))
        #expect(fields.flags == UInt16(PAXOS_FLAG_PAUSE), "seven are decided behind the sixth")
        #expect(fields.digest == digestOf(body, from: 2))
        #expect(fields.watermark >= 6 && fields.watermark <= 8 && fields.trim == 6)
    }

    @Test("a frame that ends with the last decided slot does not say that more follows")
    func finishLast() {
        #expect(block.trim(8) == PAXOS_OK)
        paxos_acceptor_retain(block.acceptor, 1)
        var effect = learn(7, 9)[0]
        #expect(effect.count == 2 && fields(effect).flags == 0)
        var some = effect
        let (body, first) = (bytes(7...8), bytes(7...7))
        #expect(paxos_effect_fetched(&effect, 2, body, body.count) == PAXOS_OK)
        #expect(fields(effect).flags == 0)
        #expect(paxos_effect_fetched(&some, 1, first, first.count) == PAXOS_OK)
        #expect(fields(some).flags == UInt16(PAXOS_FLAG_PAUSE), "it was asked for one more")
    }

    @Test("what does not fit the effect, or is not whole, leaves it as it was")
    func finishRefuses() {
        paxos_acceptor_retain(block.acceptor, 1)
        let effect = learn(2, 3)[0]
        let body = bytes(2...4)
        func refused(
            _ count: UInt32, _ body: Bytes, _ bytes: Int, _ status: paxos_status_t,
            _ change: (inout paxos_effect_t) -> Void = { _ in }
        ) {
            var before = effect
            change(&before)
            var after = before
            #expect(paxos_effect_fetched(&after, count, body, bytes) == status)
            withUnsafeBytes(of: before) { left in
                withUnsafeBytes(of: after) { #expect(left.elementsEqual($0)) }
            }
        }
        let more = bytes(2...5)
        refused(0, body, 0, PAXOS_ERR_RANGE)
        refused(4, more, more.count, PAXOS_ERR_RANGE)
        refused(3, body, body.count, PAXOS_ERR_RANGE) { $0.body_bytes = UInt32(body.count - 8) }
        refused(3, body, body.count, PAXOS_ERR_RANGE) { $0.kind = PAXOS_EFFECT_SEND.rawValue }
        refused(3, body, body.count, PAXOS_ERR_RANGE) { $0.size_bytes = 8 }
        refused(3, body, body.count - 8, PAXOS_ERR_WIRE)
        refused(2, body, body.count, PAXOS_ERR_WIRE)
        var damaged = body
        damaged[body.count / 2] ^= 1
        refused(3, damaged, damaged.count, PAXOS_ERR_WIRE)
    }
}
