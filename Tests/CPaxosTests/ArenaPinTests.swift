import CPaxos
import Testing

/// SAFETY row 43: "bytes named by an effect stay as they were until flushed or sent".
struct ArenaPinTests {
    private func append(_ block: AcceptorBlock, _ slot: UInt64, _ entry: Entry, round: UInt64) {
        let run = Run(ballot: ballot(round), slot: slot, entries: [entry])
        #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
    }

    /// Accept, decide and trim one entry after the other until the arena says no.
    private func press(
        _ block: AcceptorBlock, from first: UInt64, round: UInt64, flush: Bool = true
    ) -> UInt64 {
        var slot = first
        while slot < first + 200 {
            let entry = Entry(value: Bytes(repeating: UInt8(slot & 0xFF), count: 64))
            let run = Run(ballot: ballot(round), slot: slot, entries: [entry])
            guard block.receive(acceptFrame(run, watermark: slot - 1)) == PAXOS_OK else { break }
            for effect in block.pollAll() where effect.isWrite && flush {
                #expect(block.flushed(effect.lsn) == PAXOS_OK)
            }
            _ = block.pollAll()
            #expect(block.receive(commitFrame(ballot(round), upTo: slot)) == PAXOS_OK)
            #expect(block.trim(slot) == PAXOS_OK)
            slot += 1
        }
        return slot
    }

    @Test("a page that was not sent keeps its bytes through trims and a full arena")
    func unsentPage_isKept() throws {
        let block = AcceptorBlock(smallConfig(memoryOnly))
        let entry = Entry.command("to be sent")
        append(block, 1, entry, round: 5)
        _ = block.settle()
        #expect(block.receive(commitFrame(ballot(5), upTo: 1)) == PAXOS_OK)
        #expect(block.receive(learnFrame(slot: 1, count: 1)) == PAXOS_OK)
        let page = try #require(block.poll())
        #expect(page.frame.body == entry.bytes)
        #expect(block.trim(1) == PAXOS_OK)
        let stop = press(block, from: 2, round: 5)
        #expect(stop > 8 && stop < 40, "the arena filled up behind the page")
        #expect(block.bytes(at: page.offset, count: page.frame.body.count) == entry.bytes)
        #expect(block.sent(page.token) == PAXOS_OK)
        #expect(press(block, from: stop, round: 5) == stop + 200, "and now it goes round")
        #expect(block.bytes(at: page.offset, count: page.frame.body.count) != entry.bytes)
    }

    @Test("a record that was not flushed keeps its bytes")
    func unflushedRecord_isKept() throws {
        let block = AcceptorBlock(
            smallConfig {
                $0.write_ring = 64
                $0.reply_ring = 64
            })
        let entry = Entry.command("to be written")
        append(block, 1, entry, round: 5)
        let write = try #require(block.poll())
        #expect(block.receive(commitFrame(ballot(5), upTo: 1)) == PAXOS_OK)
        #expect(block.trim(1) == PAXOS_OK)
        #expect(block.receive(learnFrame(slot: 9, count: 1)) == PAXOS_OK)
        let stop = press(block, from: 2, round: 5, flush: false)
        #expect(stop < 40)
        #expect(block.bytes(at: write.offset, count: write.frame.body.count) == entry.bytes)
    }

    @Test("a record of bytes that stood before those of an earlier record pins them too")
    func recordsOutOfOrder_areKept() throws {
        let block = AcceptorBlock(smallConfig { $0.write_ring = 8 })
        let old = Entry.command("proposed again")
        append(block, 1, old, round: 5)
        let position = paxos_cell(block.acceptor, 1).pointee.position
        append(block, 1, Entry.command("came between"), round: 6)
        _ = block.settle()
        append(block, 2, Entry.command("x"), round: 6)
        let later = try #require(block.poll())
        // What a leader does with the entry that phase 1 brought: its own vote, for old bytes.
        var promised: UInt64 = 0
        var lsn: UInt64 = 0
        #expect(
            paxos_acceptor_prepare(block.acceptor, ballot(7, node: 1), &promised, &lsn)
                == PAXOS_OK)
        _ = paxos_log_revote(block.acceptor, promised, 1, position, UInt32(old.bytes.count))
        let writes = block.pollAll()
        let again = try #require(writes.last { $0.isWrite })
        #expect(again.frame.body == old.bytes && again.offset < later.offset)
        #expect(paxos_arena_pinned(block.acceptor) == position)
    }

    @Test("what a host holds for a forward pins the arena from there on")
    func pinnedFrom_isRespected() {
        let block = AcceptorBlock(smallConfig(memoryOnly))
        var header = paxos_entry_get(Entry.command("forwarded").bytes)
        var position: UInt64 = 0
        let status = paxos_log_hold(
            block.acceptor, &header, Bytes("forwarded".utf8), &position)
        #expect(status == PAXOS_OK)
        block.acceptor.pointee.pinned_from = position
        let stop = press(block, from: 1, round: 5)
        #expect(stop < 40)
        let offset = Int(paxos_arena_offset(block.acceptor, position))
        #expect(block.bytes(at: offset, count: 40) == Entry.command("forwarded").bytes)
        block.acceptor.pointee.pinned_from = .max
        #expect(press(block, from: stop, round: 5) == stop + 200)
    }

    @Test("entries held for no slot stand one behind the other, until something else comes between")
    func held_standTogether() {
        let block = AcceptorBlock(smallConfig(memoryOnly))
        let entry = Entry.command("abc")
        var header = paxos_entry_get(entry.bytes)
        var positions: [UInt64] = []
        func hold() {
            var position: UInt64 = 0
            #expect(
                paxos_log_hold(block.acceptor, &header, entry.value, &position) == PAXOS_OK)
            positions.append(position)
        }
        hold()
        hold()
        #expect(positions[1] == positions[0] + 32)
        append(block, 1, entry, round: 5)
        hold()
        #expect(positions[2] > positions[1] + 32)
        for position in positions {
            let offset = Int(paxos_arena_offset(block.acceptor, position))
            #expect(block.bytes(at: offset, count: 32) == entry.bytes)
        }
        // Nothing pins them: room is made of them when it is short.
        block.acceptor.pointee.pinned_from = .max
        #expect(press(block, from: 2, round: 5) == 202)
    }

    @Test("a kept entry is in the arena, and is no vote")
    func kept_isNoVote() {
        let block = AcceptorBlock(smallConfig(memoryOnly))
        let bytes = Entry.command("reported").bytes
        let position = paxos_log_keep(block.acceptor, 3, bytes, UInt32(bytes.count))
        let offset = Int(paxos_arena_offset(block.acceptor, position))
        #expect(block.bytes(at: offset, count: bytes.count) == bytes)
        #expect(block.look(3) == .empty && block.status.last_slot == 0)
    }
}
