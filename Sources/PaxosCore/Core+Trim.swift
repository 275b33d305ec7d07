internal import CPaxos

/// What may be forgotten: what the host has applied and no live member still lacks.
extension Core {
    func trim(_ slot: UInt64) -> Status {
        if slot > r.pointee.delivered { return PAXOS_ERR_RANGE }
        if slot > a.pointee.applied { a.pointee.applied = slot }
        applyTrim()
        return PAXOS_OK
    }

    /// The host is short of room for what it recorded of slots up to there: what a silent member lacks
    /// of them is kept no longer. A follower does not wait for its leader's word then: without room it
    /// could vote no more, and its leader may have room enough.
    func press(_ slot: UInt64) {
        updateStable(pressedTo: slot)
        applyTrim()
    }

    /// Trim as far as host, leader and journal allow. The leader's word may be here before its entries,
    /// whose record says that they are decided.
    @inline(never)
    func applyTrim() {
        paxos_log_mark(a, UInt64(a.pointee.window_slots &>> 2))
        if isLeader || memberCount == 1 { updateStable(pressedTo: 0) }
        if paxos_log_trim(a) { goOnLearning() }
    }

    /// What is applied waited for the leader's word, or for a record.
    @inline(__always)
    func trimWhatWaits() {
        if a.pointee.stable > a.pointee.trimmed && a.pointee.applied > a.pointee.trimmed {
            applyTrim()
        }
    }

    /// Slots up to `slot` are chosen, and gone at a peer. What this node's state machine applied of
    /// them in an earlier life is not missed here, even if the log lost it.
    func passOver(upTo slot: UInt64) {
        let applied = min(slot, r.pointee.delivered)
        if applied <= a.pointee.decided { return }
        if isLeader { stepDown() }
        a.pointee.decided = applied
        _ = paxos_voter_trim(a, applied)
        if applied > a.pointee.last_slot { a.pointee.last_slot = applied }
        paxos_log_advance(a)
    }

    /// Up to where every member that counts has decided: live ones always, silent ones while
    /// they are less than half a window and a quarter of the arena behind, and lack slots beyond
    /// `pressed`. Nobody waits for one that lacks what is gone already: only a snapshot helps it.
    private func updateStable(pressedTo pressed: UInt64) {
        var stable = paxos_log_durable(a)
        if !isLeader && memberCount > 1 { stable = min(stable, pressed) }
        for member in 0..<memberCount where member != selfIndex {
            let decided = peer(member).pointee.decided
            if decided >= stable || isLost(member) { continue }
            if isWaitedFor(member) {
                stable = decided
            } else if isNear(decided) {
                stable = min(stable, max(decided, pressed))
            }
        }
        stable = min(stable, quorumDecided(stable))
        if stable > a.pointee.stable { a.pointee.stable = stable }
    }

    /// Whether a member is live. Where the journal brings back what it may come to lack, one that
    /// missed two rounds is not waited for until it is known to be gone: under full load the window is
    /// full long before that.
    private func isWaitedFor(_ member: UInt32) -> Bool {
        if r.pointee.alive & (1 &<< member) == 0 { return false }
        if peer(member).pointee.round &+ 2 >= r.pointee.round { return true }
        /* It brings nothing back, or not all that was trimmed; 0 becomes the highest number. */
        return a.pointee.retained &- 1 > a.pointee.trimmed
    }

    /// Whether what a silent member lacks takes little of the room for new entries.
    private func isNear(_ decided: UInt64) -> Bool {
        if a.pointee.decided &- decided > UInt64(a.pointee.window_slots &>> 1) { return false }
        let next = decided &+ 1
        if !holds(next) { return true }
        let bytes = a.pointee.arena_head &- cell(next).pointee.position
        return bytes <= UInt64(a.pointee.arena_bytes &>> 2)
    }

    /// Highest slot up to `slot` that q2 members which may vote have decided: with fewer able to go
    /// on, the others could not even replace a leader without a snapshot.
    private func quorumDecided(_ slot: UInt64) -> UInt64 {
        var best = slot
        while true {
            var holders = a.pointee.abstains == 0 ? 1 : 0
            var next: UInt64 = 0
            for member in 0..<memberCount
            where member != selfIndex && peer(member).pointee.abstains == 0 {
                let decided = peer(member).pointee.decided
                if decided < best { next = max(next, decided) } else { holders &+= 1 }
            }
            if holders >= Int(a.pointee.q2) { return best }
            if next == 0 { return 0 }
            best = next
        }
    }

    /// Whether a member lacks slots that were trimmed here; to a leader, by its word under this
    /// leadership: an older word may be out of date.
    private func isLost(_ member: UInt32) -> Bool {
        let peer = peer(member)
        if peer.pointee.decided >= a.pointee.trimmed { return false }
        return !isLeader || peer.pointee.round >= peer.pointee.cursor
    }
}
