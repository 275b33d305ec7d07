import CPaxos

/// What an acceptor must hold, as a dictionary: no arena, no rings, no bytes.
struct AcceptorModel {
    struct Slot: Equatable {
        var entry: Entry
        var ballot: UInt64
        var chosen: Bool
    }

    var slots: [UInt64: Slot] = [:]
    var promised: UInt64 = 0
    var decided: UInt64 = 0
    var trimmed: UInt64 = 0
    var lastSlot: UInt64 = 0
    var markBallot: UInt64 = 0
    var markSlot: UInt64 = 0
    let window: UInt64

    enum Verdict { case stale, below, full, conflict, chosenElse, taken }

    /// What becomes of a run, if there is room for its bytes.
    func verdict(_ run: Run) -> Verdict {
        if run.ballot < promised { return .stale }
        if aboveTrim(run).entries.isEmpty { return .below }
        let part = inWindow(run)
        if part.entries.isEmpty { return .full }
        for (i, entry) in part.entries.enumerated() {
            guard let held = slots[part.slot + UInt64(i)], held.entry != entry else { continue }
            if held.chosen { return .chosenElse }
            if held.ballot == run.ballot { return .conflict }
        }
        return .taken
    }

    func aboveTrim(_ run: Run) -> Run {
        guard run.slot <= trimmed else { return run }
        let skipped = min(Int(trimmed + 1 - run.slot), run.entries.count)
        return Run(
            ballot: run.ballot, slot: trimmed + 1, entries: Array(run.entries.dropFirst(skipped)))
    }

    /// The part of a run that is neither trimmed nor beyond the window.
    func inWindow(_ run: Run) -> Run {
        let above = aboveTrim(run)
        let end = trimmed + window
        let room = above.slot > end ? 0 : Int(end - above.slot + 1)
        return Run(ballot: run.ballot, slot: above.slot, entries: Array(above.entries.prefix(room)))
    }

    mutating func accept(_ run: Run) {
        promised = run.ballot
        let part = inWindow(run)
        for (i, entry) in part.entries.enumerated() {
            let slot = part.slot + UInt64(i)
            let chosen = slots[slot]?.chosen ?? false
            slots[slot] = Slot(entry: entry, ballot: run.ballot, chosen: chosen)
            lastSlot = max(lastSlot, slot)
        }
    }

    mutating func learn(_ entry: Entry, at slot: UInt64) {
        if slot <= decided { return }
        slots[slot] = Slot(entry: entry, ballot: slots[slot]?.ballot ?? 0, chosen: true)
        lastSlot = max(lastSlot, slot)
    }

    mutating func mark(_ ballot: UInt64, _ slot: UInt64) {
        if ballot < markBallot { return }
        markSlot = ballot > markBallot ? slot : max(markSlot, slot)
        markBallot = ballot
        advance()
    }

    mutating func advance() {
        while let next = slots[decided + 1] {
            if !next.chosen && (next.ballot != markBallot || decided + 1 > markSlot) { break }
            slots[decided + 1]?.chosen = true
            decided += 1
        }
    }

    mutating func trim(_ slot: UInt64) {
        guard slot > trimmed else { return }
        for gone in trimmed + 1...slot { slots[gone] = nil }
        trimmed = slot
    }

    func held(_ slot: UInt64) -> AcceptorBlock.Held {
        if slot <= trimmed { return .trimmed }
        guard let held = slots[slot] else { return .empty }
        return held.chosen
            ? .chosen(held.ballot, held.entry) : .accepted(held.ballot, held.entry)
    }
}
