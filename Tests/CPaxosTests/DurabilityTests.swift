import CPaxos
import Testing

/// SAFETY row 3: "Promise and Accepted leave the node only after they are durable".
struct DurabilityTests {
    let block = AcceptorBlock()
    let x = Entry.command("X")

    private func accept(_ slot: UInt64, _ round: UInt64 = 5) -> paxos_status_t {
        block.receive(acceptFrame(Run(ballot: ballot(round), slot: slot, entries: [x])))
    }

    private func prepare(_ round: UInt64) -> paxos_status_t {
        block.receive(prepareFrame(ballot(round), fingerprint: block.fingerprint))
    }

    @Test("a promise and a vote are withheld until their own lsn is flushed")
    func reply_waitsForFlush() throws {
        #expect(prepare(5) == PAXOS_OK)
        #expect(accept(1) == PAXOS_OK)
        let writes = block.pollAll()
        #expect(writes.map(\.isWrite) == [true, true])
        #expect(writes.map(\.lsn) == [1, 2])
        #expect(block.poll() == nil)
        #expect(block.flushed(1) == PAXOS_OK)
        let promise = try #require(block.poll())
        #expect(promise.fields.kind == PAXOS_FRAME_PROMISE.byte)
        #expect(block.poll() == nil, "the vote is not durable yet")
        #expect(block.flushed(2) == PAXOS_OK)
        #expect(try #require(block.poll()).fields.kind == PAXOS_FRAME_ACCEPTED.byte)
        #expect(block.poll() == nil)
    }

    @Test("one flush covers all before it")
    func flush_coversPrefix() {
        for slot in [1, 3, 5] as [UInt64] { #expect(accept(slot) == PAXOS_OK) }
        #expect(block.pollAll().count == 3)
        #expect(block.flushed(2) == PAXOS_OK)
        #expect(block.pollAll().map(\.fields.slot) == [1, 3])
        #expect(block.flushed(1) == PAXOS_OK)
        #expect(block.status.flushed == 2, "an older word changes nothing")
        #expect(block.flushed(3) == PAXOS_OK)
        #expect(block.pollAll().map(\.fields.slot) == [5])
    }

    @Test("runs that follow each other are one record, until it is handed out")
    func writes_join() {
        for slot in [1, 2, 3] as [UInt64] { #expect(accept(slot) == PAXOS_OK) }
        let records = block.pollAll().map(\.fields)
        #expect(records.map(\.slot) == [1] && records.map(\.count) == [3])
        #expect(accept(4) == PAXOS_OK)
        #expect(block.pollAll().map(\.fields.slot) == [4])
        #expect(block.flushed(1) == PAXOS_OK)
        #expect(block.pollAll().map(\.fields.slot) == [1, 2, 3])
    }

    @Test("what was never handed out cannot be durable, whatever the host says")
    func flush_ofUnpolled() {
        #expect(accept(1) == PAXOS_OK)
        #expect(accept(3) == PAXOS_OK)
        #expect(block.poll()?.lsn == 1)
        #expect(block.flushed(2) == PAXOS_OK)
        #expect(block.status.flushed == 1)
        let effects = block.pollAll()
        #expect(effects.map(\.isWrite) == [true, false])
        #expect(effects[1].fields.slot == 1)
        #expect(block.flushed(2) == PAXOS_OK)
        #expect(block.pollAll().map(\.fields.slot) == [3])
    }

    @Test("who was refused for want of room is told, once, when a flush made some")
    func roomIsTold() throws {
        let block = AcceptorBlock(smallConfig { $0.write_ring = 2 })
        func accept(_ slot: UInt64) -> paxos_status_t {
            block.receive(acceptFrame(Run(ballot: ballot(5), slot: slot, entries: [x])))
        }
        #expect(accept(1) == PAXOS_OK && accept(3) == PAXOS_OK)
        #expect(accept(5) == PAXOS_ERR_BUSY && accept(7) == PAXOS_ERR_BUSY)
        #expect(block.pollAll().map(\.isWrite) == [true, true], "nothing has changed yet")
        #expect(block.flushed(1) == PAXOS_OK)
        let told = block.pollAll().map(\.fields)
        let kinds = [PAXOS_FRAME_ACCEPTED, PAXOS_FRAME_HEARTBEAT_REPLY].map(\.byte)
        try #require(told.map(\.kind) == kinds)
        #expect(told[1].flags & UInt16(PAXOS_FLAG_ROOM) != 0 && told[1].receiver == 2)
        #expect(accept(5) == PAXOS_OK)
        #expect(block.flushed(2) == PAXOS_OK)
        #expect(block.pollAll().filter { !$0.isWrite }.map(\.fields.slot) == [3], "only once")
    }

    @Test("replies that wait for a flush may be what leaves no room")
    func roomForReplies() throws {
        let block = AcceptorBlock(smallConfig { $0.reply_ring = 1 })
        let run = Run(ballot: ballot(5), slot: 1, entries: [x])
        #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
        #expect(block.receive(acceptFrame(run)) == PAXOS_ERR_BUSY)
        #expect(block.pollAll().map(\.isWrite) == [true], "the reply still waits")
        #expect(block.flushed(1) == PAXOS_OK)
        let told = block.pollAll().map(\.fields)
        let kinds = [PAXOS_FRAME_ACCEPTED, PAXOS_FRAME_HEARTBEAT_REPLY].map(\.byte)
        try #require(told.map(\.kind) == kinds)
        #expect(told[1].flags & UInt16(PAXOS_FLAG_ROOM) != 0)
    }

    @Test("an lsn that was never given out is out of range")
    func flush_ofUnknown() {
        #expect(accept(1) == PAXOS_OK)
        _ = block.pollAll()
        let before = block.image
        #expect(block.flushed(2) == PAXOS_ERR_RANGE)
        #expect(block.flushed(.max) == PAXOS_ERR_RANGE)
        #expect(block.image == before)
        #expect(block.flushed(0) == PAXOS_OK)
        #expect(block.image == before)
    }

    @Test("a repeated answer waits as its first did")
    func repeatedAnswer_waits() {
        #expect(prepare(5) == PAXOS_OK)
        #expect(prepare(5) == PAXOS_OK)
        #expect(accept(1) == PAXOS_OK)
        #expect(accept(1) == PAXOS_OK)
        #expect(block.pollAll().map(\.isWrite) == [true, true])
        #expect(block.flushed(1) == PAXOS_OK)
        #expect(block.pollAll().count == 2)
        #expect(block.flushed(2) == PAXOS_OK)
        #expect(block.pollAll().count == 2)
    }

    @Test("rejections, heartbeat answers and learned pages need no flush")
    func rejection_needsNoFlush() throws {
        #expect(prepare(9) == PAXOS_OK)
        _ = block.settle()
        let flushed = block.status.flushed
        #expect(accept(1, 5) == PAXOS_ERR_STALE)
        #expect(prepare(5) == PAXOS_ERR_STALE)
        #expect(block.receive(learnedFrame(slot: 1, [x])) == PAXOS_OK)
        #expect(block.receive(learnFrame(slot: 1, count: 1)) == PAXOS_OK)
        let kinds = block.pollAll().map(\.fields.kind)
        #expect(
            kinds == [
                PAXOS_RECORD_CHOSEN.byte, PAXOS_FRAME_REJECTED.byte, PAXOS_FRAME_REJECTED.byte,
                PAXOS_FRAME_LEARNED.byte,
            ])
        #expect(block.status.flushed == flushed)
    }

    @Test("an answer that names only what is decided needs no flush")
    func decidedAnswer_needsNoFlush() {
        #expect(accept(1) == PAXOS_OK)
        _ = block.settle()
        #expect(block.receive(commitFrame(ballot(5), upTo: 1)) == PAXOS_OK)
        #expect(block.trim(1) == PAXOS_OK)
        #expect(accept(1, 5) == PAXOS_OK)
        #expect(block.pollAll().map(\.fields.count) == [0])
    }

    @Test("the ring of writes is full: would block, and nothing changes, until a flush")
    func writeRingFull_isBusy() {
        /* A record each, since they do not follow each other. */
        let slots = [1, 3, 5, 7] as [UInt64]
        for slot in slots { #expect(accept(slot) == PAXOS_OK) }
        let effects = block.pollAll()
        #expect(effects.count == 4)
        let ring = AcceptorBlock(smallConfig { $0.reply_ring = 8 })
        for slot in slots {
            let run = Run(ballot: ballot(5), slot: slot, entries: [x])
            #expect(ring.receive(acceptFrame(run)) == PAXOS_OK)
        }
        for polled in [false, true] {
            if polled { #expect(ring.pollAll().count == 4) }
            let before = ring.imageWithoutCounters
            let next = acceptFrame(Run(ballot: ballot(5), slot: 8, entries: [x]))
            let again = acceptFrame(Run(ballot: ballot(6), slot: 1, entries: [x]))
            let prepare = prepareFrame(ballot(6), fingerprint: ring.fingerprint)
            #expect(ring.receive(next) == PAXOS_ERR_BUSY)
            #expect(ring.receive(again) == PAXOS_ERR_BUSY)
            #expect(ring.receive(prepare) == PAXOS_ERR_BUSY)
            #expect(ring.imageWithoutCounters == before)
        }
        #expect(ring.status.refused_busy == 6)
        #expect(ring.flushed(1) == PAXOS_OK)
        let next = acceptFrame(Run(ballot: ballot(5), slot: 8, entries: [x]))
        #expect(ring.receive(next) == PAXOS_OK)
    }

    @Test("memory only: nothing is written and nothing waits")
    func memoryOnly_writesNothing() {
        let block = AcceptorBlock(smallConfig(memoryOnly))
        #expect(
            block.receive(prepareFrame(ballot(4), fingerprint: block.fingerprint)) == PAXOS_OK)
        for round in [5, 6] as [UInt64] {
            let run = Run(ballot: ballot(round), slot: 1, entries: [x])
            #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
        }
        #expect(block.receive(learnedFrame(slot: 2, [x])) == PAXOS_OK)
        let effects = block.pollAll()
        #expect(effects.allSatisfy { !$0.isWrite } && effects.count == 2)
        #expect(block.flushed(0) == PAXOS_OK && block.flushed(1) == PAXOS_ERR_RANGE)
    }
}
