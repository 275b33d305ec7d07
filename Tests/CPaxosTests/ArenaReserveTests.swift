import CPaxos
import Testing

/// The arena keeps room for the lowest gap: without it, a replica full of what comes after the gap
/// could never move on.
struct ArenaReserveTests {
    /// A small arena, once with frames of one largest entry and once with frames of several.
    static let frameBytes: [UInt32] = [184, 448]

    private func block(_ frameBytesMax: UInt32, memory: Bool) -> AcceptorBlock {
        AcceptorBlock(
            smallConfig {
                $0.memory_only = memory ? 1 : 0
                $0.window_slots = 64
                $0.frame_bytes_max = frameBytesMax
                $0.arena_bytes = frameBytesMax == 184 ? 512 : 2048
                $0.inflight_bytes_max = 64
            })
    }

    private func accept(_ block: AcceptorBlock, _ slot: UInt64, _ entries: [Entry])
        -> paxos_status_t
    {
        let status = block.receive(
            acceptFrame(Run(ballot: ballot(5), slot: slot, entries: entries)))
        _ = block.settle()
        return status
    }

    @Test(
        "wherever the ring stands, the largest run fits into the lowest gap", arguments: frameBytes)
    func gap_alwaysFits(frameBytesMax: UInt32) {
        let largest = Array(
            repeating: Entry(value: Bytes(repeating: 7, count: 64)),
            count: Int(frameBytesMax - 96) / 88)
        for memory in [true, false] {
            for turn in 0..<60 {
                let block = block(frameBytesMax, memory: memory)
                for slot in 0..<UInt64(turn) {
                    // Entries of all sizes pass through, so that the ring stands anywhere.
                    let value = Bytes(repeating: 1, count: Int(slot * 8 % 65))
                    #expect(accept(block, slot + 1, [Entry(value: value)]) == PAXOS_OK)
                    #expect(block.receive(commitFrame(ballot(5), upTo: slot + 1)) == PAXOS_OK)
                    #expect(block.trim(slot + 1) == PAXOS_OK)
                }
                let gap = UInt64(turn) + 1
                var slot = gap + UInt64(largest.count)
                let filler = Entry(value: Bytes(repeating: 2, count: turn % 3 * 24))
                while accept(block, slot, [filler]) == PAXOS_OK { slot += 1 }
                #expect(block.status.refused_full == 1)
                let status = accept(block, gap, largest)
                guard status == PAXOS_OK else {
                    Issue.record("frames of \(frameBytesMax), turn \(turn): \(status.rawValue)")
                    return
                }
                for held in gap + UInt64(largest.count)..<slot {
                    #expect(block.look(held) == .accepted(ballot(5), filler))
                }
                #expect(block.look(gap) == .accepted(ballot(5), largest[0]))
            }
        }
    }

    @Test("an arena that is full refuses, keeps what it holds, and takes the same after a trim")
    func full_thenTrim() {
        let block = block(448, memory: true)
        let entry = Entry(value: Bytes(repeating: 3, count: 64))
        var slot: UInt64 = 2
        while accept(block, slot, [entry]) == PAXOS_OK { slot += 1 }
        #expect(accept(block, slot, [entry]) == PAXOS_ERR_FULL)
        #expect(block.look(slot) == .empty && block.status.last_slot == slot - 1)
        for held in 2..<slot { #expect(block.look(held) == .accepted(ballot(5), entry)) }
        #expect(accept(block, 1, [entry]) == PAXOS_OK)
        #expect(block.receive(commitFrame(ballot(5), upTo: 8)) == PAXOS_OK)
        #expect(block.trim(8) == PAXOS_OK)
        #expect(accept(block, slot, [entry]) == PAXOS_OK)
    }

    @Test("what a candidate was told uses the reserve for the lowest gap alone")
    func kept_usesReserveForGap() {
        let block = block(448, memory: true)
        let entry = Entry(value: Bytes(repeating: 3, count: 64))
        func keep(_ slot: UInt64) -> Bool {
            paxos_log_keep(block.acceptor, slot, entry.bytes, UInt32(entry.bytes.count)) != .max
        }
        for decided in [0, 1] as [UInt64] {
            var slot = max(block.status.last_slot, 2) + 1
            while accept(block, slot, [entry]) == PAXOS_OK { slot += 1 }
            #expect(!keep(decided + 2) && keep(decided + 1), "\(decided) decided")
            #expect(accept(block, decided + 1, [entry]) == PAXOS_OK)
            #expect(block.receive(commitFrame(ballot(5), upTo: decided + 1)) == PAXOS_OK)
            #expect(block.status.decided == decided + 1)
        }
    }

    @Test("what was replaced under higher ballots is room again")
    func replaced_isReclaimed() {
        for memory in [true, false] {
            let block = block(448, memory: memory)
            for round in 1...200 as ClosedRange<UInt64> {
                let entries = (0..<3).map { slot in
                    Entry(value: Bytes(repeating: UInt8(round), count: 20 * (slot + 1)))
                }
                let run = Run(ballot: ballot(round), slot: 2, entries: entries)
                #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
                _ = block.settle()
                for (i, entry) in entries.enumerated() {
                    #expect(block.look(UInt64(i) + 2) == .accepted(ballot(round), entry))
                }
            }
            #expect(block.status.compactions > 5)
        }
    }

    @Test("a thousand takeovers with the same bytes take no room at all (SAFETY row 38)")
    func takeovers_costNothing() {
        let block = block(448, memory: false)
        let entries = (1...4).map { Entry.command("value \($0)") }
        for round in 1...1000 as ClosedRange<UInt64> {
            let run = Run(ballot: ballot(round), slot: 1, entries: entries)
            #expect(block.receive(acceptFrame(run)) == PAXOS_OK)
            _ = block.settle()
        }
        #expect(block.acceptor.pointee.arena_head == 16 + 4 * 32)
        #expect(block.status.compactions == 0)
    }
}
