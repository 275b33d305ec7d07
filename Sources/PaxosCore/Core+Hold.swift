internal import CPaxos

/// Holding on to a member that was away and that the journals bring back: under full load the others
/// may be faster than it can follow, until the journals have forgotten what it lacks. It would need a
/// snapshot then.
///
/// While such a member is in the older half of what the journal still has, a leader takes proposals
/// at half the pace at which the member catches up. One that is silent, or does not move, holds
/// nobody up.
extension Core {
    /// Slots that may be proposed before the member has moved at all.
    private var holdSlots: UInt64 { 64 }
    /// `hold_to` of a member that did not move for so long that it is held on to no longer.
    private var given: UInt64 { never &- 1 }

    /// Whether a slot may not be proposed yet.
    @inline(__always)
    func isHeld(_ slot: UInt64) -> Bool {
        if slot <= r.pointee.hold_to { return false }
        updateHold()
        return slot > r.pointee.hold_to
    }

    @inline(never)
    func updateHold() {
        let last = slotsOfLast
        if last == never {
            r.pointee.hold_to = never
        } else if r.pointee.hold_to == never
            || r.pointee.hold_to == given && last != r.pointee.hold_mark
        {
            r.pointee.hold_to = max(r.pointee.next_slot, a.pointee.decided) &+ holdSlots
            r.pointee.hold_mark = last
            r.pointee.hold_ns = now
        } else if last > r.pointee.hold_mark && r.pointee.hold_to != given {
            let moved = last &- r.pointee.hold_mark
            let most = r.pointee.next_slot &+ UInt64(a.pointee.window_slots)
            r.pointee.hold_to = min(r.pointee.hold_to &+ moved &>> 1, most)
            r.pointee.hold_mark = last
            r.pointee.hold_ns = now
        } else if last < r.pointee.hold_mark {
            r.pointee.hold_mark = last /* another one is the last now */
        } else if now &- r.pointee.hold_ns > patience {
            r.pointee.hold_to = given
        }
    }

    /// Up to where the last of those that are held on to has decided; `never`: nobody is.
    private var slotsOfLast: UInt64 {
        let retained = a.pointee.retained
        if !isLeader || retained == 0 || a.pointee.decided <= retained { return never }
        let half = (a.pointee.decided &- retained) &>> 1
        var last = never
        for member in 0..<memberCount where member != selfIndex {
            let decided = peer(member).pointee.decided
            let isBroughtBack = decided < a.pointee.trimmed && decided &+ 1 >= retained
            let isLive = r.pointee.alive & (1 &<< member) != 0
            if isLive && isBroughtBack && decided &+ 1 &- retained < half {
                last = min(last, decided)
            }
        }
        return last
    }
}
