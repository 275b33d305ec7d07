internal import CPaxos

/// Holding on to a member that was away and that the journals bring back: under full load the others
/// may be faster than it can follow, until the journals have forgotten what it lacks. It would need a
/// snapshot then.
extension Core {
    /// What may be proposed in the round that begins: while such a member is in the older half of what
    /// the journal still has, half as many slots as it gained in the last round. One that is silent, or
    /// has not moved for three rounds, holds nobody up.
    func updateHold() {
        let last = slotOfLast
        if last == never {
            r.pointee.hold_to = never
        } else if last != r.pointee.hold_mark {
            /* Where another one is the last now, that is a huge number: it has a round to move. */
            let gained = last &- r.pointee.hold_mark
            r.pointee.hold_to = r.pointee.next_slot &+ gained &>> 1
            r.pointee.hold_rounds = 0
        } else {
            r.pointee.hold_rounds &+= 1
            if r.pointee.hold_rounds > 3 { r.pointee.hold_to = never }
        }
        r.pointee.hold_mark = last
    }

    /// Up to where the last of those that are held on to has decided; `never`: nobody is.
    private var slotOfLast: UInt64 {
        let retained = a.pointee.retained
        var last = never
        if !isLeader || retained == 0 { return last }
        for member in 0..<memberCount where r.pointee.alive & (1 &<< member) != 0 {
            let decided = peer(member).pointee.decided
            /* Huge where the journal has forgotten what it lacks, and for 0: it said nothing yet. */
            let kept = decided &- retained
            if decided < a.pointee.trimmed && kept < a.pointee.decided &- decided {
                last = min(last, decided)
            }
        }
        return last
    }
}
