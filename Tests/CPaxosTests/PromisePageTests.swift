import CPaxos
import Testing

/// What a page says, short enough to compare whole promises.
struct Page: Equatable, CustomStringConvertible {
    var state: paxos_run_state
    var slot: UInt64
    var count: UInt32
    var ballot: UInt64 = 0
    var flags: UInt32 = 0

    init(
        _ state: paxos_run_state, _ slot: UInt64, _ count: UInt32, ballot: UInt64 = 0,
        flags: UInt32 = 0
    ) {
        self.state = state
        self.slot = slot
        self.count = count
        self.ballot = ballot
        self.flags = flags
    }

    init(_ effect: Effect) {
        let fields = effect.fields
        self.init(
            paxos_run_state(rawValue: UInt32(fields.state)), fields.slot, fields.count,
            ballot: fields.other, flags: UInt32(fields.flags))
    }

    var description: String {
        "(state \(state.rawValue), slot \(slot), count \(count), ballot \(ballot), flags \(flags))"
    }
}

/// SAFETY rows 9, 17 and 18: pages addressed by slot, that say what they do not hold.
struct PromisePageTests {
    let block = AcceptorBlock()
    let x = Entry.command("X")
    let large = Entry(value: Bytes(repeating: 7, count: 64))

    private func accept(_ round: UInt64, _ slot: UInt64, _ entries: Entry..., watermark: UInt64 = 0)
    {
        let run = Run(ballot: ballot(round), slot: slot, entries: entries)
        #expect(block.receive(acceptFrame(run, watermark: watermark)) == PAXOS_OK)
        _ = block.settle()
    }

    private func ask(_ round: UInt64, from slot: UInt64) {
        let prepare = prepareFrame(ballot(round), slot: slot, fingerprint: block.fingerprint)
        #expect(block.receive(prepare) == PAXOS_OK)
    }

    /// All pages of one request; each is checked to be a good frame that fits.
    private func promise(_ round: UInt64, from slot: UInt64 = 1) -> [Effect] {
        ask(round, from: slot)
        let pages = block.settle()
        for page in pages {
            #expect(page.frame.fields != nil)
            #expect(page.frame.bytes.count <= 448)
            let fields = page.fields
            #expect(fields.kind == PAXOS_FRAME_PROMISE.byte && fields.ballot == ballot(round))
            #expect(fields.watermark == block.status.decided)
            #expect(fields.trim == block.status.trimmed)
            let entries = splitEntries(page.frame.body)
            #expect(entries.isEmpty || entries.count == Int(fields.count))
            #expect(fields.digest == digestOf(page.frame.body, from: fields.slot))
        }
        return pages
    }

    @Test("runs alike in state and ballot are one page; trimmed first, gaps said to be empty")
    func pages_byStateAndBallot() {
        accept(5, 1, x, x, x)
        accept(5, 4, x, watermark: 3)
        accept(6, 5, x)
        accept(6, 8, x)
        #expect(block.trim(2) == PAXOS_OK)
        let pages = promise(9)
        #expect(
            pages.map(Page.init) == [
                Page(PAXOS_RUN_TRIMMED, 1, 2),
                Page(PAXOS_RUN_CHOSEN, 3, 1),
                Page(PAXOS_RUN_ACCEPTED, 4, 1, ballot: ballot(5)),
                Page(PAXOS_RUN_ACCEPTED, 5, 1, ballot: ballot(6)),
                Page(PAXOS_RUN_EMPTY, 6, 2),
                Page(PAXOS_RUN_ACCEPTED, 8, 1, ballot: ballot(6), flags: PAXOS_FLAG_LAST),
            ])
        for page in pages where !page.frame.body.isEmpty {
            #expect(splitEntries(page.frame.body) == Array(repeating: x, count: 1))
        }
    }

    @Test("a page starts anew where entries do not stand together in the arena")
    func pages_byContiguity() {
        accept(5, 2, x)
        accept(5, 1, x)
        accept(5, 3, x, x)
        #expect(
            promise(9).map(Page.init) == [
                Page(PAXOS_RUN_ACCEPTED, 1, 1, ballot: ballot(5)),
                Page(PAXOS_RUN_ACCEPTED, 2, 1, ballot: ballot(5)),
                Page(PAXOS_RUN_ACCEPTED, 3, 2, ballot: ballot(5), flags: PAXOS_FLAG_LAST),
            ])
    }

    @Test("a run longer than a frame takes several pages")
    func pages_byFrameSize() {
        // The leader's own runs grow over a frame; its entries stand one behind the other.
        let config = smallConfig {
            $0.arena_bytes = 8192
            $0.frame_bytes_max = 1024
        }
        let wide = AcceptorBlock(config)
        let run = Run(ballot: ballot(5), slot: 1, entries: Array(repeating: large, count: 10))
        #expect(wide.receive(acceptFrame(run)) == PAXOS_OK)
        _ = wide.settle()
        wide.acceptor.pointee.body_bytes_max = 352
        let prepare = prepareFrame(ballot(9), fingerprint: wide.fingerprint)
        #expect(wide.receive(prepare) == PAXOS_OK)
        let pages = wide.settle()
        #expect(
            pages.map(Page.init) == [
                Page(PAXOS_RUN_ACCEPTED, 1, 4, ballot: ballot(5)),
                Page(PAXOS_RUN_ACCEPTED, 5, 4, ballot: ballot(5)),
                Page(PAXOS_RUN_ACCEPTED, 9, 2, ballot: ballot(5), flags: PAXOS_FLAG_LAST),
            ])
        #expect(pages.flatMap(\.frame.body) == run.bytes)
        #expect(pages[0].frame.bytes.count == 448)
    }

    @Test("asked from a slot, a promise tells of that slot and after; beyond the last, of nothing")
    func pages_fromCursor() {
        accept(5, 1, x, x, x)
        #expect(
            promise(9, from: 2).map(Page.init) == [
                Page(PAXOS_RUN_ACCEPTED, 2, 2, ballot: ballot(5), flags: PAXOS_FLAG_LAST)
            ])
        for slot in [4, 1000] as [UInt64] {
            #expect(
                promise(9, from: slot).map(Page.init) == [
                    Page(PAXOS_RUN_EMPTY, slot, 0, flags: PAXOS_FLAG_LAST)
                ])
        }
    }

    @Test("all that was accepted is trimmed: one page, and the last")
    func pages_allTrimmed() {
        accept(5, 1, x, x)
        #expect(block.receive(commitFrame(ballot(5), upTo: 2)) == PAXOS_OK)
        #expect(block.trim(2) == PAXOS_OK)
        #expect(
            promise(9).map(Page.init) == [
                Page(PAXOS_RUN_TRIMMED, 1, 2, flags: PAXOS_FLAG_LAST)
            ])
    }

    @Test("after sixteen pages a promise pauses; asked from the next slot it goes on")
    func pages_pauseAndResume() throws {
        let config = smallConfig {
            $0.window_slots = 64
            $0.arena_bytes = 8192
            $0.send_ring = 32
        }
        let wide = AcceptorBlock(config)
        for slot in 1...20 as ClosedRange<UInt64> {
            let run = Run(ballot: ballot(slot), slot: slot, entries: [x])
            #expect(wide.receive(acceptFrame(run)) == PAXOS_OK)
            _ = wide.settle()
        }
        func ask(from slot: UInt64) -> [Page] {
            let prepare = prepareFrame(ballot(30), slot: slot, fingerprint: wide.fingerprint)
            #expect(wide.receive(prepare) == PAXOS_OK)
            return wide.settle().map(Page.init)
        }
        let first = ask(from: 1)
        #expect(first.map(\.slot) == Array(1...16))
        #expect(first.map(\.flags) == Array(repeating: 0, count: 15) + [PAXOS_FLAG_PAUSE])
        let second = ask(from: 17)
        #expect(second.map(\.slot) == Array(17...20))
        #expect(second.map(\.flags) == [0, 0, 0, PAXOS_FLAG_LAST])
        #expect(ask(from: 1) == first, "a page that was lost is asked for again")
    }

    @Test("a promise overtaken by a higher ballot says nothing more")
    func pages_overtaken() throws {
        accept(5, 1, x)
        accept(6, 2, x)
        ask(9, from: 1)
        let write = try #require(block.poll())
        #expect(block.flushed(write.lsn) == PAXOS_OK)
        #expect(block.poll().map(Page.init)?.slot == 1)
        ask(10, from: 1)
        let rest = block.settle()
        #expect(rest.map(\.fields.ballot) == [ballot(10), ballot(10)])
    }

    @Test("with too many pages unsent a promise is dropped, and asked for again it comes")
    func pages_sendRingFull() {
        for slot in 1...6 as ClosedRange<UInt64> { accept(slot, slot, x) }
        ask(9, from: 1)
        #expect(block.flushed(block.poll()!.lsn) == PAXOS_OK)
        let pages = block.pollAll()
        #expect(pages.map(Page.init).map(\.slot) == [1, 2, 3, 4], "the ring of sends holds four")
        ask(9, from: 5)
        #expect(block.pollAll().isEmpty, "nothing was sent since")
        #expect(block.sent(pages[3].token) == PAXOS_OK)
        ask(9, from: 5)
        #expect(block.pollAll().map(Page.init).map(\.slot) == [5, 6])
    }

    @Test("what is accepted between two pages is told by the second")
    func pages_areOfNow() {
        accept(5, 1, x)
        accept(6, 2, x)
        ask(9, from: 1)
        #expect(block.flushed(block.poll()!.lsn) == PAXOS_OK)
        #expect(block.poll().map(Page.init)?.slot == 1)
        accept(9, 3, x)
        // `accept` settled the block, and so took the rest of the promise out: ask once more.
        #expect(promise(9, from: 2).map(Page.init).map(\.slot) == [2, 3])
    }
}
