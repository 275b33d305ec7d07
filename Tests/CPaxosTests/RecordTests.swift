import CPaxos
import Testing

/// The journal records, byte for byte, and when one record takes in what follows it.
struct RecordTests {
    let block = AcceptorBlock()
    let x = Entry.command("X")
    let y = Entry.command("a longer value")

    /// The record as an encoder of WIRE.md writes it.
    private func record(
        _ kind: paxos_frame_kind, lsn: UInt64, promised: UInt64, body: Bytes = [],
        _ change: (inout paxos_frame_t) -> Void
    ) -> Frame {
        makeFrame(kind, body: body) {
            $0.sender = 1
            $0.receiver = 1
            $0.nonce = lsn
            $0.other = promised
            $0.state = UInt16(lsn - 1) /* none of those before was said to be durable */
            change(&$0)
        }
    }

    @Test("a promise, a run, a new ballot for it, and learned entries: header and body")
    func records_areExact() throws {
        let run = Run(ballot: ballot(5), slot: 2, entries: [x, y])
        let again = Run(ballot: ballot(6, node: 3), slot: 2, entries: [x, y])
        #expect(
            block.receive(prepareFrame(ballot(4), fingerprint: block.fingerprint)) == PAXOS_OK)
        #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
        #expect(block.receive(acceptFrame(again, sender: 3)) == PAXOS_OK)
        #expect(block.receive(learnedFrame(slot: 1, [y])) == PAXOS_OK)
        let expected = [
            record(PAXOS_RECORD_PROMISED, lsn: 1, promised: again.ballot) { $0.ballot = ballot(4) },
            record(PAXOS_RECORD_ENTRIES, lsn: 2, promised: again.ballot, body: run.bytes) {
                $0.ballot = run.ballot
                $0.slot = 2
                $0.count = 2
                $0.digest = run.digest
            },
            record(PAXOS_RECORD_BALLOTS, lsn: 3, promised: again.ballot) {
                $0.ballot = again.ballot
                $0.slot = 2
                $0.count = 2
                $0.digest = run.digest
            },
            record(PAXOS_RECORD_CHOSEN, lsn: 4, promised: again.ballot, body: y.bytes) {
                $0.slot = 1
                $0.count = 1
                $0.digest = digestOf(y.bytes, from: 1)
            },
        ]
        let writes = block.pollAll()
        #expect(writes.map(\.frame) == expected)
        #expect(writes.map(\.lsn) == [1, 2, 3, 4])
        #expect(writes.allSatisfy { $0.isWrite && $0.token == 0 })
    }

    private func append(
        _ entry: Entry, at slot: UInt64, on block: AcceptorBlock
    ) -> (paxos_status_t, UInt64) {
        var header = paxos_entry_get(entry.bytes)
        var lsn: UInt64 = 0
        let promised = block.acceptor.pointee.promised
        let status = paxos_log_append(
            block.acceptor, promised, slot, &header, entry.value, &lsn)
        return (status, lsn)
    }

    private func leader(_ config: paxos_config_t = smallConfig()) -> AcceptorBlock {
        let block = AcceptorBlock(config)
        var promised: UInt64 = 0
        var lsn: UInt64 = 0
        #expect(
            paxos_acceptor_prepare(block.acceptor, ballot(5, node: 1), &promised, &lsn)
                == PAXOS_OK)
        _ = block.settle()
        return block
    }

    @Test("entries appended one by one are one record, until it is handed out")
    func appended_extendRecord() throws {
        let block = leader()
        for slot in 1...3 as ClosedRange<UInt64> {
            #expect(append(x, at: slot, on: block) == (PAXOS_OK, 2))
        }
        let write = try #require(block.poll())
        let run = Run(ballot: ballot(5, node: 1), slot: 1, entries: [x, x, x])
        #expect(write.fields.count == 3 && write.frame.body == run.bytes)
        #expect(write.fields.digest == run.digest)
        #expect(append(y, at: 4, on: block) == (PAXOS_OK, 3), "the first record has left")
        #expect(block.poll()?.frame.body == y.bytes)
        for slot in 1...3 { #expect(block.look(UInt64(slot)).value == x.value) }
    }

    @Test("a record never grows over a frame")
    func appended_recordIsBounded() {
        let block = leader(smallConfig { $0.arena_bytes = 8192 })
        let value = Entry(value: Bytes(repeating: 9, count: 64))
        let lsns = (1...9).map { append(value, at: UInt64($0), on: block).1 }
        #expect(lsns == [2, 2, 2, 2, 3, 3, 3, 3, 4])
        #expect(block.pollAll().map(\.fields.count) == [4, 4, 1])
    }

    @Test("nor where the entries of one run in the arena are more than a frame holds")
    func appended_recordIsBoundedWithinRun() {
        let block = leader(
            smallConfig {
                $0.frame_bytes_max = 440 /* 8 bytes less than what fills a run to the last */
                $0.arena_bytes = 8192
            })
        let value = Entry(value: Bytes(repeating: 9, count: 64))
        let lsns = (1...8).map { append(value, at: UInt64($0), on: block).1 }
        #expect(lsns == [2, 2, 2, 3, 4, 4, 4, 5])
        #expect(block.pollAll().map(\.fields.count) == [3, 1, 3, 1])
    }

    @Test("appending when the ring of writes or the arena is full: would block, nothing changes")
    func appended_full() {
        let block = leader()
        var lsns: [UInt64] = []
        var slot: UInt64 = 1
        while case (PAXOS_OK, let lsn) = append(x, at: slot, on: block) {
            lsns.append(lsn)
            _ = block.poll()
            slot += 1
        }
        #expect(lsns == [2, 3, 4, 5])
        let before = block.image
        #expect(append(x, at: slot, on: block).0 == PAXOS_ERR_BUSY)
        #expect(block.image == before)

        let config = smallConfig {
            memoryOnly(&$0)
            $0.window_slots = 32
        }
        let memory = leader(config)
        let large = Entry(value: Bytes(repeating: 9, count: 64))
        var held: UInt64 = 0
        while append(large, at: held + 1, on: memory) == (PAXOS_OK, 0) { held += 1 }
        #expect(held > 8 && held < 24)
        #expect(append(large, at: held + 1, on: memory).0 == PAXOS_ERR_FULL)
        for slot in 1...held { #expect(memory.look(slot).value == large.value) }
    }

    @Test("voting for what another accepted is a record of entries; its slot stands alone then")
    func revoted_otherEntry() throws {
        let block = leader()
        for slot in 1...3 as ClosedRange<UInt64> { _ = append(x, at: slot, on: block) }
        _ = block.settle()
        var out: (UInt64, UInt64) = (0, 0)
        #expect(
            paxos_acceptor_prepare(block.acceptor, ballot(7, node: 1), &out.0, &out.1) == PAXOS_OK)
        _ = block.settle()
        for slot in [2, 5] as [UInt64] {
            let bytes = UInt32(y.bytes.count)
            let position = paxos_log_keep(block.acceptor, slot, y.bytes, bytes)
            let lsn = paxos_log_revote(block.acceptor, out.0, slot, position, bytes)
            #expect(lsn == block.status.lsn && block.look(slot) == .accepted(out.0, y))
            let write = try #require(block.poll())
            #expect(write.fields.kind == PAXOS_RECORD_ENTRIES.byte && write.frame.body == y.bytes)
            #expect(write.fields.slot == slot && write.fields.count == 1)
            #expect(write.fields.digest == digestOf(y.bytes, from: slot))
        }
        #expect(block.status.last_slot == 5)
        let behind = (1...5 as ClosedRange<UInt64>).map {
            paxos_cell(block.acceptor, $0).pointee.behind
        }
        #expect(behind == [0, 0, 0, 0, 0])
        #expect(block.look(3) == .accepted(ballot(5, node: 1), x))
    }

    @Test("voting again for what is held is a record of ballots, and those of a run are one")
    func revoted_ballotsOnly() throws {
        let block = leader()
        for slot in 1...2 as ClosedRange<UInt64> { _ = append(x, at: slot, on: block) }
        _ = block.settle()
        var promised: UInt64 = 0
        var lsn: UInt64 = 0
        let higher = ballot(7, node: 1)
        #expect(
            paxos_acceptor_prepare(block.acceptor, higher, &promised, &lsn) == PAXOS_OK)
        _ = block.settle()
        for slot in 1...2 as ClosedRange<UInt64> {
            let cell = paxos_cell(block.acceptor, slot).pointee
            #expect(
                paxos_log_revote(block.acceptor, higher, slot, cell.position, cell.bytes)
                    == lsn + 1)
            #expect(block.look(slot) == .accepted(higher, x))
        }
        let write = try #require(block.poll())
        #expect(write.fields.kind == PAXOS_RECORD_BALLOTS.byte)
        #expect(write.fields.slot == 1 && write.fields.count == 2 && write.frame.body.isEmpty)
        #expect(write.fields.digest == Run(ballot: 0, slot: 1, entries: [x, x]).digest)
    }
}
