internal import CPaxos

/// Effects come out: what the acceptor has, deliveries, outcomes, and what each peer is owed.
///
/// Nothing is queued: frames are made from state at the moment they are polled, so that a slow peer
/// costs no memory and gets the latest word.
extension Core {
    @inline(__always)
    func poll(_ effect: UnsafeMutablePointer<paxos_effect_t>) -> Bool {
        if paxos_acceptor_has_effects(a) && paxos_voter_poll(a, effect) { return true }
        if r.pointee.delivered < a.pointee.decided {
            pollDelivery(effect)
            return true
        }
        let rare =
            r.pointee.lost_last | UInt64(r.pointee.refused_count)
            | (r.pointee.forwards_polled ^ r.pointee.forwards_in)
        if rare != 0 && pollRare(effect) { return true }
        return r.pointee.active != 0 && pollPeers(effect)
    }

    /// What goes out alone, for a host whose state machine takes deliveries in its own time: nothing
    /// is lost or reordered by asking for the two kinds of effects apart.
    func pollIO(_ effect: UnsafeMutablePointer<paxos_effect_t>) -> Bool {
        if paxos_acceptor_has_effects(a) && paxos_voter_poll(a, effect) { return true }
        if !isStranded && pollHeld(effect) { return true }
        return r.pointee.active != 0 && pollPeers(effect)
    }

    /// What the state machine and its clients are told alone. Forwards that never left go first:
    /// they stand before those that still may.
    func pollLog(_ effect: UnsafeMutablePointer<paxos_effect_t>) -> Bool {
        if isStranded {
            pollStranded(effect)
            return true
        }
        if r.pointee.delivered < a.pointee.decided {
            pollDelivery(effect)
            return true
        }
        return pollOutcome(effect)
    }

    /// Whether `pollLog` has something.
    var hasLog: Bool {
        if r.pointee.delivered < a.pointee.decided { return true }
        return r.pointee.refused_count != 0 || r.pointee.lost_last != 0 || isStranded
    }

    @inline(never)
    private func pollRare(_ effect: UnsafeMutablePointer<paxos_effect_t>) -> Bool {
        pollOutcome(effect) || pollForward(effect)
    }

    @inline(never)
    private func pollPeers(_ effect: UnsafeMutablePointer<paxos_effect_t>) -> Bool {
        while r.pointee.active != 0 {
            let member = UInt32(truncatingIfNeeded: r.pointee.active.trailingZeroBitCount)
            let bit: UInt32 = 1 &<< member
            if pollPeer(member, bit, effect) { return true }
            r.pointee.active &= ~bit
        }
        return false
    }

    /// As many decided entries, from the next one on, as stand together.
    @inline(never)
    private func pollDelivery(_ effect: UnsafeMutablePointer<paxos_effect_t>) {
        let slot = r.pointee.delivered &+ 1
        let position = cell(slot).pointee.position
        var bytes: UInt32 = 0
        let count = paxos_log_together_hot(a, slot, a.pointee.decided, UInt32.max, &bytes)
        paxos_effect_clear(effect, PAXOS_EFFECT_DELIVER.rawValue)
        effect.pointee.slot = slot
        effect.pointee.count = count
        effect.pointee.body_offset = paxos_arena_offset(a, position)
        effect.pointee.body_bytes = bytes
        r.pointee.delivered = slot &+ UInt64(count) &- 1
        if r.pointee.forwards_out != r.pointee.forwards_polled { settleDelivered(position, count) }
    }

    /// Forwards of this node among delivered entries have their outcome now.
    private func settleDelivered(_ position: UInt64, _ count: UInt32) {
        var position = position
        for _ in 0..<count {
            let entry = paxos_entry_get(paxos_arena(a, position))
            if isOwn(entry) { settleForward(entry.number) }
            position = position &+ UInt64(paxos_entry_bytes(entry.value_bytes))
        }
    }

    @inline(never)
    private func pollOutcome(_ effect: UnsafeMutablePointer<paxos_effect_t>) -> Bool {
        if r.pointee.refused_count != 0 {
            let count = UInt64(r.pointee.refused_count)
            outcome(effect, r.pointee.refused_number, count, r.pointee.refused_reason)
            effect.pointee.node = r.pointee.refused_node
            r.pointee.refused_count = 0
            return true
        }
        if r.pointee.lost_last != 0 {
            let count = r.pointee.lost_last &- r.pointee.lost_first &+ 1
            let reason = UInt16(truncatingIfNeeded: PAXOS_REASON_LOST.rawValue)
            outcome(effect, r.pointee.lost_first, count, reason)
            r.pointee.lost_first = 0
            r.pointee.lost_last = 0
            return true
        }
        return false
    }

    func outcome(
        _ effect: UnsafeMutablePointer<paxos_effect_t>, _ number: UInt64, _ count: UInt64,
        _ reason: UInt16
    ) {
        paxos_effect_clear(effect, PAXOS_EFFECT_OUTCOME.rawValue)
        effect.pointee.number = number
        effect.pointee.count = UInt32(truncatingIfNeeded: min(count, UInt64(UInt32.max)))
        effect.pointee.reason = reason
        effect.pointee.node = paxos_ballot_node(a.pointee.following)
    }

    // MARK: Frames to a peer

    @inline(__always)
    func begin(_ frame: inout paxos_frame_t, _ kind: paxos_frame_kind, _ member: UInt32) {
        let receiver = (paxos_members(a) + Int(member)).pointee.node
        paxos_frame_from(a, UInt8(truncatingIfNeeded: kind.rawValue), receiver, &frame)
    }

    @inline(__always)
    private func pollPeer(
        _ member: UInt32, _ bit: UInt32, _ effect: UnsafeMutablePointer<paxos_effect_t>
    ) -> Bool {
        let peer = peer(member)
        let owed = peer.pointee.owed & ~UInt16(truncatingIfNeeded: PAXOS_PEER_COMPLETE.rawValue)
        if owed != 0 && pollOwed(member, effect) { return true }
        if !isLeader || r.pointee.alive & bit == 0 { return false }
        if peer.pointee.next_slot < r.pointee.next_slot
            && pollAccept(member, bit, effect)
        {
            return true
        }
        let decided = a.pointee.decided
        if peer.pointee.told < decided && peer.pointee.decided < decided {
            pollCommit(member, effect)
            return true
        }
        return false
    }

    /// The next run that the peer has not been sent, as one frame straight from the arena.
    @inline(__always)
    private func pollAccept(
        _ member: UInt32, _ bit: UInt32, _ effect: UnsafeMutablePointer<paxos_effect_t>
    ) -> Bool {
        if paxos_sends_full(a, member) { return false }
        let peer = peer(member)
        var slot = peer.pointee.next_slot
        if slot <= a.pointee.decided { slot = a.pointee.decided &+ 1 }
        while slot < r.pointee.next_slot
            && (isChosen(slot) || proposal(slot).pointee.votes & bit != 0)
        {
            slot = slot &+ 1
        }
        /* Slots that were learned beyond what this leader has taken up again are not its to send. */
        if slot >= r.pointee.next_slot {
            peer.pointee.next_slot = r.pointee.next_slot
            return false
        }
        var bytes: UInt32 = 0
        let last = r.pointee.next_slot &- 1
        /* What was proposed since the takeover is all under this ballot; before that, look. */
        let count =
            slot > r.pointee.high_slot
            ? paxos_log_together_hot(a, slot, last, a.pointee.body_bytes_max, &bytes)
            : paxos_log_stretch(
                a, slot, last, PAXOS_RUN_ACCEPTED.rawValue, r.pointee.ballot,
                a.pointee.body_bytes_max, &bytes)
        let end = slot &+ UInt64(count)
        var frame = paxos_frame_t()
        begin(&frame, PAXOS_FRAME_ACCEPT, member)
        frame.ballot = r.pointee.ballot
        frame.slot = slot
        frame.count = count
        frame.body_bytes = bytes
        frame.digest = digestBefore(end) &- digestBefore(slot)
        frame.watermark = a.pointee.decided
        frame.trim = a.pointee.stable
        peer.pointee.told = a.pointee.decided
        if isMemoryOnly() {
            /* This node's own vote counts already; where two are a quorum, the peer decides. */
            frame.flags = UInt16(PAXOS_FLAG_VOTED)
            if a.pointee.chooses_early != 0 { peer.pointee.told = end &- 1 }
        }
        peer.pointee.next_slot = end
        if end == r.pointee.next_slot && peer.pointee.owed == 0 { r.pointee.active &= ~bit }
        let position = cell(slot).pointee.position
        if hasShortWay {
            paxos_effect_put(a, effect, &frame, member, position)
        } else {
            paxos_effect_send(a, effect, &frame, member, position)
        }
        return true
    }

    @inline(never)
    private func pollCommit(_ member: UInt32, _ effect: UnsafeMutablePointer<paxos_effect_t>) {
        var frame = paxos_frame_t()
        begin(&frame, PAXOS_FRAME_COMMIT, member)
        frame.ballot = r.pointee.ballot
        frame.watermark = a.pointee.decided
        frame.trim = a.pointee.stable
        peer(member).pointee.told = a.pointee.decided
        paxos_effect_send(a, effect, &frame, member, 0)
    }

    /// A frame without entries that the peer is owed; false: none may leave now.
    @inline(never)
    private func pollOwed(_ member: UInt32, _ effect: UnsafeMutablePointer<paxos_effect_t>) -> Bool
    {
        var frame = paxos_frame_t()
        if isOwed(member, PAXOS_OWED_HEARTBEAT) {
            settle(member, PAXOS_OWED_HEARTBEAT)
            begin(&frame, PAXOS_FRAME_HEARTBEAT, member)
            fillHeartbeat(&frame)
            if isLeader { peer(member).pointee.told = a.pointee.decided }
        } else if isOwed(member, PAXOS_OWED_PREPARE)
            && a.pointee.flushed >= r.pointee.promise_lsn
        {
            settle(member, PAXOS_OWED_PREPARE)
            begin(&frame, PAXOS_FRAME_PREPARE, member)
            frame.ballot = r.pointee.ballot
            frame.slot = peer(member).pointee.cursor
            frame.digest = a.pointee.fingerprint
        } else if isOwed(member, PAXOS_OWED_LEARN) {
            settle(member, PAXOS_OWED_LEARN)
            let last = lastMissing(member)
            if last <= a.pointee.decided { return pollOwed(member, effect) }
            begin(&frame, PAXOS_FRAME_LEARN, member)
            frame.slot = a.pointee.decided &+ 1
            frame.count = UInt32(truncatingIfNeeded: last &- a.pointee.decided)
        } else if isOwed(member, PAXOS_OWED_REFUSED) {
            settle(member, PAXOS_OWED_REFUSED)
            fillRefusal(&frame, member)
        } else {
            return false
        }
        paxos_effect_send(a, effect, &frame, member, 0)
        return true
    }

    private func fillHeartbeat(_ frame: inout paxos_frame_t) {
        frame.nonce = r.pointee.round
        /* A leader's is a commit mark; any other's says what this node will not have to ask for. */
        frame.watermark = isLeader ? a.pointee.decided : paxos_log_durable(a)
        frame.digest = a.pointee.fingerprint
        frame.other = a.pointee.promised
        frame.trim = isLeader ? a.pointee.stable : a.pointee.applied
        if isLeader {
            frame.ballot = r.pointee.ballot
            frame.flags |= UInt16(PAXOS_FLAG_LEADING)
        }
        if a.pointee.quorum != 0 { frame.flags |= UInt16(PAXOS_FLAG_QUORUM) }
        if isMemoryOnly() { frame.flags |= UInt16(PAXOS_FLAG_MEMORY) }
        if a.pointee.abstains != 0 { frame.flags |= UInt16(PAXOS_FLAG_ABSTAINS) }
    }

    private func fillRefusal(_ frame: inout paxos_frame_t, _ member: UInt32) {
        let peer = peer(member)
        begin(&frame, PAXOS_FRAME_REFUSED, member)
        frame.ballot = peer.pointee.refused_ballot
        frame.nonce = peer.pointee.refused_number
        frame.count = peer.pointee.refused_count
        frame.state = peer.pointee.refused_reason
        frame.other = a.pointee.following
        frame.digest = UInt64(peer.pointee.forward_incarnation)
    }
}
