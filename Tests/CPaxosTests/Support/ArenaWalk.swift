import CPaxos

extension AcceptorBlock {
    /// What is wrong with the arena, in words; nil if every run and every cell is in its place.
    func arenaFault() -> String? {
        let a = acceptor.pointee
        if a.arena_head - a.arena_tail > UInt64(a.arena_bytes) { return "more taken than there is" }
        var runs: [(UInt64, UInt64)] = []
        var position = a.arena_tail
        while position != a.arena_head {
            let header = bytes(at: Int(paxos_arena_offset(acceptor, position)), count: 16)
            /* The header of a run that still grows says how long it is when it is closed. */
            let isOpen = position == a.open_run
            let length = isOpen ? a.arena_head - position : UInt64(little32(header, 12))
            let place = position & UInt64(a.arena_bytes - 1)
            if length < 16 || length % 16 != 0 { return "a run of \(length) at \(position)" }
            if place + length > UInt64(a.arena_bytes) { return "a run over the end at \(position)" }
            if position + length > a.arena_head { return "a run beyond the head at \(position)" }
            runs.append((position, position + length))
            position += length
        }
        for slot in a.trimmed + 1...a.trimmed + UInt64(a.window_slots) {
            let cell = paxos_cell(acceptor, slot).pointee
            guard cell.slot == slot else { continue }
            if cell.behind > 0 && slot > a.trimmed + 1 {
                let before = paxos_cell(acceptor, slot - 1).pointee
                if before.slot != slot - 1
                    || before.position + UInt64(before.bytes) != cell.position
                    || before.behind + 1 < cell.behind
                {
                    return "slot \(slot) does not stand behind the one before it"
                }
            }
            let end = cell.position + UInt64(cell.bytes)
            guard runs.contains(where: { $0.0 + 16 <= cell.position && end <= $0.1 }) else {
                return "the entry of slot \(slot) is in no run"
            }
            let entry = bytes(
                at: Int(paxos_arena_offset(acceptor, cell.position)), count: Int(cell.bytes))
            var length: UInt32 = 0
            if paxos_entry_verify(entry, entry.count, a.value_bytes_max, &length) != PAXOS_OK
                || length != cell.bytes
            {
                return "the entry of slot \(slot) is damaged"
            }
        }
        return nil
    }
}
