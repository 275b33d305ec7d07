import CPaxos
import Testing

/// Pages of decided entries for a peer that missed them.
struct LearnedPageTests {
    let block = AcceptorBlock()
    let x = Entry.command("X")

    /// Slots 1 to `count` accepted and decided up to `decided`. The last one came first, so that no
    /// two stand together.
    private func fill(_ block: AcceptorBlock, _ count: UInt64, decided: UInt64) {
        for slot in (1...count).reversed() {
            let run = Run(ballot: ballot(5), slot: slot, entries: [x])
            #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
            _ = block.settle()
        }
        #expect(block.receive(commitFrame(ballot(5), upTo: decided)) == PAXOS_OK)
    }

    private func learn(_ slot: UInt64, _ count: UInt32) -> [Effect] {
        #expect(block.receive(learnFrame(slot: slot, count: count)) == PAXOS_OK)
        let pages = block.settle()
        for page in pages {
            #expect(page.frame.fields != nil)
            #expect(page.fields.kind == PAXOS_FRAME_LEARNED.byte)
            #expect(page.fields.watermark <= block.status.decided)
            #expect(page.fields.trim == block.status.trimmed)
            #expect(page.fields.digest == digestOf(page.frame.body, from: page.fields.slot))
        }
        return pages
    }

    @Test("no more than was asked for, and nothing that is not decided")
    func pages_withinRequest() {
        fill(block, 5, decided: 4)
        #expect(learn(2, 2).map(Page.init).map(\.slot) == [2, 3])
        #expect(learn(3, 9).map(Page.init).map(\.slot) == [3, 4])
        #expect(learn(5, 1).isEmpty && learn(9, 9).isEmpty)
        let pages = learn(1, .max)
        #expect(pages.map(Page.init) == (1...4).map { Page(PAXOS_RUN_CHOSEN, $0, 1) })
        #expect(pages.allSatisfy { splitEntries($0.frame.body) == [x] })
    }

    @Test("entries that stand together are one page, whatever their ballots")
    func pages_joinBallots() {
        let run = Run(ballot: ballot(5), slot: 1, entries: [x, x, x])
        #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
        _ = block.settle()
        let again = Run(ballot: ballot(6), slot: 2, entries: [x, x])
        #expect(block.receive(acceptFrame(again)) == PAXOS_OK)
        _ = block.settle()
        #expect(block.receive(learnedFrame(slot: 1, [x])) == PAXOS_OK)
        #expect(block.receive(commitFrame(ballot(6), upTo: 3)) == PAXOS_OK)
        #expect(block.status.decided == 3)
        #expect(learn(1, 3).map(Page.init) == [Page(PAXOS_RUN_CHOSEN, 1, 3)])
    }

    @Test("a page ends where the request does, though more stands behind it")
    func pages_endWithRequest() {
        let run = Run(ballot: ballot(5), slot: 1, entries: Array(repeating: x, count: 6))
        #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
        _ = block.settle()
        #expect(block.receive(commitFrame(ballot(5), upTo: 5)) == PAXOS_OK)
        for (slot, count, told) in [(1, 1, 1), (2, 2, 2), (2, 4, 4), (2, 5, 4), (5, 9, 1)] {
            #expect(
                learn(UInt64(slot), UInt32(count)).map(Page.init) == [
                    Page(PAXOS_RUN_CHOSEN, UInt64(slot), UInt32(told))
                ])
        }
    }

    @Test("below the trim point: said to be trimmed, and no more")
    func pages_trimmed() {
        fill(block, 5, decided: 5)
        #expect(block.trim(3) == PAXOS_OK)
        let pages = learn(2, 4)
        #expect(pages.map(Page.init) == [Page(PAXOS_RUN_TRIMMED, 2, 2)])
        #expect(pages[0].fields.trim == 3)
        #expect(learn(4, 4).map(Page.init).map(\.slot) == [4, 5])
    }

    @Test("after sixteen pages it pauses")
    func pages_pause() {
        let config = smallConfig {
            $0.window_slots = 32
            $0.arena_bytes = 4096
            $0.send_ring = 32
        }
        let wide = AcceptorBlock(config)
        fill(wide, 20, decided: 20)
        #expect(wide.receive(learnFrame(slot: 1, count: 20)) == PAXOS_OK)
        let first = wide.settle().map(Page.init)
        #expect(first.map(\.slot) == Array(1...16))
        #expect(first.map(\.flags) == Array(repeating: 0, count: 15) + [PAXOS_FLAG_PAUSE])
        #expect(wide.receive(learnFrame(slot: 17, count: 4)) == PAXOS_OK)
        #expect(wide.settle().map(Page.init).map(\.flags) == [0, 0, 0, 0])
    }

    @Test("with too many pages unsent the rest is dropped, for that peer alone")
    func pages_sendRingFull() {
        fill(block, 6, decided: 6)
        #expect(block.receive(learnFrame(slot: 1, count: 6)) == PAXOS_OK)
        let pages = block.pollAll()
        #expect(pages.map(Page.init).map(\.slot) == [1, 2, 3, 4])
        let other = makeFrame(PAXOS_FRAME_LEARN) {
            $0.sender = 3
            $0.slot = 5
            $0.count = 2
        }
        #expect(block.receive(other) == PAXOS_OK)
        #expect(block.pollAll().map(\.node) == [3, 3])
    }

    @Test("tokens go round after 2^48 sends to a member, and still name the send")
    func tokens_goRound() {
        fill(block, 4, decided: 4)
        let member = paxos_members(block.acceptor) + 1
        for before in [1 << 47 - 2, 1 << 48 - 2] as [UInt64] {
            (member.pointee.sends_polled, member.pointee.sends_done) = (before, before)
            #expect(block.receive(learnFrame(slot: 1, count: 4)) == PAXOS_OK)
            let tokens = block.pollAll().map(\.token)
            #expect(Set(tokens).count == 4 && tokens.allSatisfy { $0 >> 48 == 2 })
            for (index, token) in tokens.enumerated() {
                #expect(block.sent(token) == PAXOS_OK)
                #expect(member.pointee.sends_done == before + UInt64(index) + 1)
            }
        }
    }

    @Test("a token is good once and for all before it; one never given out is out of range")
    func tokens() {
        fill(block, 4, decided: 4)
        #expect(block.receive(learnFrame(slot: 1, count: 3)) == PAXOS_OK)
        let tokens = block.pollAll().map(\.token)
        #expect(Set(tokens).count == 3 && !tokens.contains(0))
        let before = block.image
        #expect(block.sent(0) == PAXOS_OK)
        #expect(block.sent(tokens[2] + 1) == PAXOS_ERR_RANGE)
        #expect(block.sent(tokens[0] - 1) == PAXOS_ERR_RANGE)
        #expect(block.sent(tokens[2] + 1 << 48) == PAXOS_ERR_RANGE, "of another member")
        #expect(block.sent(9 << 48 | 1) == PAXOS_ERR_RANGE, "of no member")
        #expect(block.sent(1) == PAXOS_ERR_RANGE)
        #expect(block.image == before)
        #expect(block.sent(tokens[1]) == PAXOS_OK)
        let done = block.image
        #expect(block.sent(tokens[0]) == PAXOS_OK, "it was covered")
        #expect(block.image == done)
        #expect(block.sent(tokens[2]) == PAXOS_OK)
        #expect(block.image != done)
    }
}
