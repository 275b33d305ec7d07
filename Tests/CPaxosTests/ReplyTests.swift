import CPaxos
import Testing

/// Each reply, field by field, and the effect that carries it.
struct ReplyTests {
    let block = AcceptorBlock(
        smallConfig {
            $0.incarnation = 3
            $0.memory_only = 1
            $0.reply_ring = 1 /* each reply stands where the one before stood */
        })
    let x = Entry.command("X")
    let y = Entry.command("a longer value")

    /// The frame that node 1 sends to node 2 in answer, with whatever `change` sets on top.
    private func reply(
        _ kind: paxos_frame_kind, body: Bytes = [], _ change: (inout paxos_frame_t) -> Void
    ) -> Frame {
        makeFrame(kind, body: body) {
            $0.incarnation = 3
            $0.sender = 1
            $0.receiver = 2
            change(&$0)
        }
    }

    private func answers(
        to frame: Frame, _ status: paxos_status_t = PAXOS_OK
    ) -> [Frame] {
        #expect(block.receive(frame) == status)
        return block.settle().map(\.frame)
    }

    @Test("a vote behind a promise that was overtaken says nothing of the refusals before it")
    func vote_isFresh() {
        let block = AcceptorBlock(smallConfig(memoryOnly))
        let run = Run(ballot: ballot(5), slot: 1, entries: [x])
        #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
        _ = block.settle()
        let stale = acceptFrame(Run(ballot: ballot(4), slot: 2, entries: [x]))
        for _ in 0..<4 { #expect(block.receive(stale) == PAXOS_ERR_STALE) } /* all the ring */
        #expect(block.settle().count == 4)
        let prepare = prepareFrame(ballot(6), fingerprint: block.fingerprint)
        #expect(block.receive(prepare) == PAXOS_OK)
        let next = Run(ballot: ballot(7), slot: 2, entries: [y])
        #expect(block.receive(acceptFrame(next)) == PAXOS_OK)
        let replies = block.settle().map(\.fields)
        #expect(replies.map(\.kind) == [PAXOS_FRAME_ACCEPTED.byte])
        #expect(replies.map(\.other) == [0])
        #expect(replies.map(\.state) == [0])
    }

    @Test("vote, refusals, promise and learned entries, to the last bit")
    func replies_areExact() {
        let run = Run(ballot: ballot(5), slot: 3, entries: [x, y])
        let other = Run(ballot: ballot(5), slot: 3, entries: [y])
        let first = Run(ballot: ballot(5), slot: 1, entries: [x, x])
        #expect(block.receive(acceptFrame(first)) == PAXOS_OK)
        _ = block.settle()
        #expect(block.receive(commitFrame(ballot(5), upTo: 2)) == PAXOS_OK)
        #expect(block.trim(1) == PAXOS_OK)
        #expect(
            answers(to: acceptFrame(run)) == [
                reply(PAXOS_FRAME_ACCEPTED) {
                    ($0.ballot, $0.slot, $0.count) = (run.ballot, 3, 2)
                    ($0.digest, $0.watermark) = (run.digest, 2)
                }
            ])
        #expect(
            answers(to: acceptFrame(other), PAXOS_ERR_CONFLICT) == [
                reply(PAXOS_FRAME_REJECTED) {
                    ($0.ballot, $0.slot, $0.count, $0.other) = (run.ballot, 3, 1, run.ballot)
                    ($0.digest, $0.watermark) = (other.digest, 2)
                    $0.state = UInt16(PAXOS_REASON_CONFLICT.rawValue)
                }
            ])
        let old = prepareFrame(ballot(4), slot: 7, fingerprint: block.fingerprint)
        #expect(
            answers(to: old, PAXOS_ERR_STALE) == [
                reply(PAXOS_FRAME_REJECTED) {
                    ($0.ballot, $0.slot, $0.other, $0.watermark) = (ballot(4), 7, run.ballot, 2)
                    $0.state = UInt16(PAXOS_REASON_STALE.rawValue)
                }
            ])
        #expect(
            answers(to: learnFrame(slot: 2, count: 1)) == [
                reply(PAXOS_FRAME_LEARNED, body: x.bytes) {
                    ($0.slot, $0.count, $0.watermark, $0.trim) = (2, 1, 2, 1)
                    $0.digest = digestOf(x.bytes, from: 2)
                    $0.state = UInt16(PAXOS_RUN_CHOSEN.rawValue)
                }
            ])
        let prepare = prepareFrame(ballot(9), slot: 3, fingerprint: block.fingerprint)
        #expect(
            answers(to: prepare) == [
                reply(PAXOS_FRAME_PROMISE, body: run.bytes) {
                    ($0.ballot, $0.slot, $0.count, $0.other) = (ballot(9), 3, 2, run.ballot)
                    ($0.digest, $0.watermark, $0.trim) = (run.digest, 2, 1)
                    $0.state = UInt16(PAXOS_RUN_ACCEPTED.rawValue)
                    $0.flags = UInt16(PAXOS_FLAG_LAST)
                }
            ])
        #expect(
            answers(to: acceptFrame(Run(ballot: ballot(9), slot: 1, entries: [y]))) == [
                reply(PAXOS_FRAME_ACCEPTED) { ($0.ballot, $0.watermark) = (ballot(9), 2) }
            ], "decided and gone: it names no slot")
    }

    @Test("an answer to a heartbeat, with all that it may say")
    func heartbeatReply_isExact() {
        let heartbeat = makeFrame(PAXOS_FRAME_HEARTBEAT) {
            $0.nonce = 77
            $0.digest = block.fingerprint
        }
        let plain = reply(PAXOS_FRAME_HEARTBEAT_REPLY) {
            ($0.nonce, $0.digest) = (77, block.fingerprint)
            $0.flags = UInt16(PAXOS_FLAG_MEMORY)
        }
        #expect(answers(to: heartbeat) == [plain])
        let a = block.acceptor
        (a.pointee.following, a.pointee.promised) = (ballot(5, node: 3), ballot(6))
        (a.pointee.applied, a.pointee.decided) = (8, 9)
        (a.pointee.quorum, a.pointee.abstains) = (1, 1)
        #expect(
            answers(to: heartbeat) == [
                reply(PAXOS_FRAME_HEARTBEAT_REPLY) {
                    ($0.nonce, $0.digest) = (77, block.fingerprint)
                    ($0.ballot, $0.other) = (ballot(5, node: 3), ballot(6))
                    ($0.trim, $0.watermark) = (8, 9)
                    $0.flags = UInt16(
                        PAXOS_FLAG_MEMORY | PAXOS_FLAG_QUORUM | PAXOS_FLAG_ABSTAINS)
                }
            ])
    }

    @Test("a record says how many before it were not durable yet, and whether its writer votes")
    func record_saysWhatIsPending() {
        let block = AcceptorBlock()
        func record(_ slot: UInt64) -> paxos_frame_t? {
            let run = Run(ballot: ballot(5), slot: slot, entries: [x])
            #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
            return block.poll()?.fields
        }
        #expect(record(1)?.state == 0 && record(2)?.state == 1)
        #expect(block.flushed(1) == PAXOS_OK)
        _ = block.pollAll()
        #expect(record(3)?.state == 1)
        #expect(block.flushed(3) == PAXOS_OK)
        _ = block.pollAll()
        #expect(record(4)?.state == 0)
        block.acceptor.pointee.abstains = 1
        paxos_log_mark(block.acceptor, 0)
        let mark = block.poll()?.fields
        #expect(mark?.flags == UInt16(PAXOS_FLAG_ABSTAINS) && mark?.state == 1)
    }

    @Test("more is trimmed than a count can say: as much as it can, and on from there")
    func trimmed_beyondCount() {
        let config = smallConfig { $0.incarnation = 2 }
        let block = AcceptorBlock(config)
        let trimmed: UInt64 = 3 << 32
        #expect(paxos_acceptor_recovered(block.acceptor, trimmed + 16, 0) == PAXOS_OK)
        #expect(block.status.trimmed == trimmed)
        let most = UInt64(UInt32.max)
        for (slot, count) in [
            (1, most), (trimmed - most + 1, most), (trimmed - most + 2, most - 1),
        ] {
            let learn = learnFrame(slot: slot, count: 1)
            #expect(block.receive(learn) == PAXOS_OK)
            let page = block.settle().first?.fields
            #expect(page?.slot == slot && page?.count == UInt32(count))
        }
        let prepare = prepareFrame(ballot(9), slot: 1, fingerprint: block.fingerprint)
        #expect(block.receive(prepare) == PAXOS_OK)
        let pages = block.settle().map(Page.init)
        #expect(pages.map(\.slot) == [1, 1 + most, 1 + 2 * most, 1 + 3 * most])
        #expect(pages.map(\.flags) == [0, 0, 0, PAXOS_FLAG_LAST])
    }

    @Test("an effect is written whole, whatever stood in it before")
    func effect_isWhole() {
        let block = AcceptorBlock()
        let run = Run(ballot: ballot(5), slot: 1, entries: [x])
        #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
        func poll() -> paxos_effect_t {
            var effect = paxos_effect_t()
            _ = withUnsafeMutableBytes(of: &effect) {
                $0.initializeMemory(as: UInt8.self, repeating: 9)
            }
            effect.size_bytes = UInt32(MemoryLayout<paxos_effect_t>.size)
            #expect(paxos_acceptor_poll(block.acceptor, &effect))
            #expect(effect.reason == 0 && effect.count == 0 && effect.slot == 0)
            #expect(effect.number == 0 && effect.zero == 0)
            return effect
        }
        let write = poll()
        #expect(write.kind == PAXOS_EFFECT_WRITE.rawValue && write.node == 1 && write.token == 0)
        #expect(write.lsn == 1 && write.body_bytes == 32)
        #expect(block.flushed(1) == PAXOS_OK)
        let vote = poll()
        #expect(vote.kind == PAXOS_EFFECT_SEND.rawValue && vote.node == 2 && vote.token == 0)
        #expect(vote.lsn == 0 && vote.body_bytes == 0 && vote.body_offset == 0)
        let prepare = prepareFrame(ballot(9), fingerprint: block.fingerprint)
        #expect(block.receive(prepare) == PAXOS_OK)
        let record = poll()
        #expect(record.lsn == 2 && record.body_bytes == 0 && record.body_offset == 0)
        #expect(block.flushed(2) == PAXOS_OK)
        let page = poll()
        #expect(page.token != 0 && page.lsn == 0 && page.body_bytes == 32)
        #expect(page.body_offset == write.body_offset)
    }

    @Test("a slot that holds nothing has no value, whatever the caller's variables held")
    func look_atNothing() {
        for slot in [1, 5] as [UInt64] {
            var state: UInt32 = 9
            var ballot: UInt64 = 9
            var value: UnsafePointer<UInt8>? = UnsafePointer(bitPattern: 9)
            var valueBytes: UInt32 = 9
            paxos_acceptor_look(block.acceptor, slot, &state, &ballot, &value, &valueBytes)
            #expect(state == PAXOS_RUN_EMPTY.rawValue && ballot == 0)
            #expect(value == nil && valueBytes == 0)
        }
    }
}
