import CPaxos
import Testing

/// Entries that a peer says are chosen.
struct LearnTests {
    let block = AcceptorBlock()
    let x = Entry.command("X")
    let y = Entry.command("Y")

    private func accept(_ ballot: UInt64, _ slot: UInt64, _ entries: Entry...) {
        let run = Run(ballot: ballot, slot: slot, entries: entries)
        #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
        _ = block.settle()
    }

    @Test("learned entries are chosen, and the promise stays as it was")
    func learned_keepsPromise() {
        #expect(
            block.receive(prepareFrame(ballot(9), fingerprint: block.fingerprint)) == PAXOS_OK)
        #expect(block.receive(learnedFrame(slot: 1, [x, y])) == PAXOS_OK)
        #expect(block.look(1) == .chosen(0, x) && block.look(2) == .chosen(0, y))
        #expect(block.status.decided == 2)
        #expect(block.status.promised == ballot(9))
    }

    @Test("a learned entry keeps the ballot of what was accepted before it")
    func learned_keepsBallot() {
        accept(ballot(5), 1, x, x)
        #expect(block.receive(learnedFrame(slot: 1, [x, y])) == PAXOS_OK)
        #expect(block.look(1) == .chosen(ballot(5), x))
        #expect(block.look(2) == .chosen(ballot(5), y))
        #expect(block.status.promised == ballot(5))
    }

    @Test("a learned entry has no ballot of what its cell held a window before")
    func learned_inUsedCell() {
        for slots in [[17, 18], [18, 17]] as [[UInt64]] {
            let block = AcceptorBlock()
            for slot in 1...2 as ClosedRange<UInt64> {
                let run = Run(ballot: ballot(5), slot: slot, entries: [y])
                #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
            }
            #expect(block.receive(commitFrame(ballot(5), upTo: 2)) == PAXOS_OK)
            #expect(block.trim(2) == PAXOS_OK)
            _ = block.settle()
            for slot in slots {
                #expect(block.receive(learnedFrame(slot: slot, [x])) == PAXOS_OK)
            }
            for slot in slots { #expect(block.look(slot) == .chosen(0, x)) }
        }
    }

    @Test("chosen stays chosen where a run holds it again, beside what is new")
    func chosen_inAcceptedRun() {
        #expect(block.receive(learnedFrame(slot: 1, [x])) == PAXOS_OK)
        accept(ballot(5), 1, x, y)
        #expect(block.look(1) == .chosen(ballot(5), x))
        #expect(block.look(2) == .accepted(ballot(5), y))
    }

    @Test("what is learned as it was accepted needs neither record nor room")
    func learned_asAccepted() {
        accept(ballot(5), 2, x, y)
        let head = block.acceptor.pointee.arena_head
        let lsn = block.status.lsn
        #expect(block.receive(learnedFrame(slot: 2, [x, y])) == PAXOS_OK)
        #expect(block.look(2) == .chosen(ballot(5), x) && block.look(3) == .chosen(ballot(5), y))
        #expect(block.acceptor.pointee.arena_head == head && block.status.lsn == lsn)
        /* The same length, other bytes: under another ballot the others chose it. */
        accept(ballot(5), 4, x)
        #expect(block.receive(learnedFrame(slot: 4, [y])) == PAXOS_OK)
        #expect(block.look(4) == .chosen(ballot(5), y) && block.status.lsn == lsn + 2)
    }

    @Test("pages of what was learned wait for no flush, not even for the first")
    func learnedPage_needsNoFlush() {
        #expect(block.receive(learnedFrame(slot: 1, [x])) == PAXOS_OK)
        #expect(block.receive(learnFrame(slot: 1, count: 1)) == PAXOS_OK)
        #expect(block.status.flushed == 0)
        #expect(block.pollAll().map(\.isWrite) == [true, false])
    }

    @Test("learned beyond a gap is held, and decided when the gap is learned too")
    func learned_beyondGap() {
        #expect(block.receive(learnedFrame(slot: 3, [x])) == PAXOS_OK)
        #expect(block.status.decided == 0 && block.status.last_slot == 3)
        #expect(block.look(3) == .chosen(0, x))
        #expect(block.receive(learnedFrame(slot: 1, [y, x, x])) == PAXOS_OK)
        #expect(block.status.decided == 3)
    }

    @Test("what is decided or trimmed is not learned again")
    func learned_again() {
        #expect(block.receive(learnedFrame(slot: 1, [x, y])) == PAXOS_OK)
        _ = block.settle()
        let head = block.acceptor.pointee.arena_head
        #expect(block.receive(learnedFrame(slot: 1, [x, y])) == PAXOS_OK)
        #expect(block.trim(1) == PAXOS_OK)
        #expect(block.receive(learnedFrame(slot: 1, [x])) == PAXOS_OK)
        #expect(block.acceptor.pointee.arena_head == head)
        #expect(block.receive(learnedFrame(slot: 1, [x, y, x])) == PAXOS_OK)
        #expect(block.look(3) == .chosen(0, x))
    }

    @Test("beyond the window's end: what fits is held, the rest is refused")
    func learned_beyondWindow() {
        let entries = (0..<18).map { Entry.command("", number: $0) }
        let narrow = AcceptorBlock(smallConfig { $0.frame_bytes_max = 512 })
        #expect(narrow.receive(learnedFrame(slot: 1, Array(entries[..<15]))) == PAXOS_OK)
        #expect(narrow.receive(learnedFrame(slot: 15, Array(entries[14...]))) == PAXOS_ERR_FULL)
        #expect(narrow.status.decided == 16)
        #expect(narrow.status.refused_full == 1)
    }

    @Test("no room for the records of learned entries: would block, what was held stays")
    func learned_writeRingFull() {
        for slot in [1, 3, 5, 7] as [UInt64] {
            #expect(block.receive(learnedFrame(slot: slot, [x])) == PAXOS_OK)
        }
        #expect(block.receive(learnedFrame(slot: 9, [x])) == PAXOS_ERR_BUSY)
        #expect(block.receive(learnedFrame(slot: 1, [x, y])) == PAXOS_ERR_BUSY)
        #expect(block.look(1) == .chosen(0, x) && block.look(2) == .empty)
        _ = block.settle()
        #expect(block.receive(learnedFrame(slot: 1, [x, y])) == PAXOS_OK)
        #expect(block.status.decided == 3)
    }

    @Test("only a run of chosen entries teaches anything")
    func learnedTrimmed_isIgnored() {
        let frame = makeFrame(PAXOS_FRAME_LEARNED) {
            $0.state = UInt16(PAXOS_RUN_TRIMMED.rawValue)
            $0.slot = 1
            $0.count = 9
            $0.trim = 9
            $0.watermark = 12
        }
        #expect(block.receive(frame) == PAXOS_OK)
        #expect(block.status.decided == 0 && block.look(1) == .empty)
    }
}
