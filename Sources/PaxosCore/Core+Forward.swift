internal import CPaxos

/// Proposals of a follower: held, sent to the leader they are meant for, and given an outcome.
///
/// A forward names a leadership and is sent once: the leader remembers the highest number of each
/// origin and ignores older ones, so a duplicate cannot be refused and admitted. What is not
/// answered in an election timeout has an unknown outcome.
extension Core {
    func forward(
        _ value: UnsafePointer<UInt8>, _ valueBytes: UInt32,
        _ numberOut: UnsafeMutablePointer<UInt64>
    ) -> Status {
        let ballot = a.pointee.following
        if ballot == 0 || isCandidate { return PAXOS_ERR_NO_LEADER }
        let full = r.pointee.forwards_in &- r.pointee.forwards_out >= UInt64(r.pointee.forward_ring)
        /* A node whose disk stalls could not even see the outcome. */
        if full || r.pointee.stalls != 0 { return PAXOS_ERR_BUSY }
        let number = r.pointee.number &+ 1
        var entry = paxos_entry_t(
            checksum: 0, value_bytes: valueBytes, node: a.pointee.node,
            kind: UInt8(truncatingIfNeeded: PAXOS_ENTRY_COMMAND.rawValue), zero: 0,
            incarnation: a.pointee.incarnation, number: number)
        var position: UInt64 = 0
        let status = paxos_log_hold(a, &entry, value, &position)
        if status != PAXOS_OK { return status }
        hold(number, position, paxos_entry_bytes(valueBytes), ballot)
        r.pointee.number = number
        numberOut.pointee = number
        return PAXOS_OK
    }

    /// Note a held proposal: behind the last forward, if it continues it, or as a new one.
    private func hold(_ number: UInt64, _ position: UInt64, _ bytes: UInt32, _ ballot: UInt64) {
        let checksum = paxos_get32(paxos_arena(a, position))
        if r.pointee.forwards_polled != r.pointee.forwards_in {
            let last = paxos_forward(r, r.pointee.forwards_in &- 1)
            if last.pointee.ballot == ballot
                && last.pointee.position &+ UInt64(last.pointee.bytes) == position
                && last.pointee.bytes &+ bytes <= a.pointee.body_bytes_max
            {
                last.pointee.count &+= 1
                last.pointee.bytes &+= bytes
                last.pointee.digest &+= paxos_digest_term(UInt64(last.pointee.count), checksum)
                return
            }
        }
        let forward = paxos_forward(r, r.pointee.forwards_in)
        forward.pointee.ballot = ballot
        forward.pointee.number = number
        forward.pointee.position = position
        forward.pointee.deadline_ns = now &+ r.pointee.election_timeout_ns
        forward.pointee.digest = paxos_digest_term(1, checksum)
        forward.pointee.count = 1
        forward.pointee.bytes = bytes
        r.pointee.forwards_in = r.pointee.forwards_in &+ 1
        pinForwards()
    }

    /// The oldest forward not handed out yet pins the arena from its bytes on.
    func pinForwards() {
        let next = r.pointee.forwards_polled
        a.pointee.pinned_from =
            next == r.pointee.forwards_in ? never : paxos_forward(r, next).pointee.position
    }

    /// Hand out the next forward, or its outcome; false: none, or it cannot leave.
    func pollForward(_ effect: UnsafeMutablePointer<paxos_effect_t>) -> Bool {
        if !isStranded { return pollHeld(effect) }
        pollStranded(effect)
        return true
    }

    /// Whether the next forward never left, and its leader is gone.
    var isStranded: Bool {
        let next = r.pointee.forwards_polled
        return next != r.pointee.forwards_in
            && paxos_forward(r, next).pointee.ballot != a.pointee.following
    }

    /// The next forward, which is not stranded; false: there is none, or it cannot leave.
    func pollHeld(_ effect: UnsafeMutablePointer<paxos_effect_t>) -> Bool {
        if r.pointee.forwards_polled == r.pointee.forwards_in { return false }
        let forward = paxos_forward(r, r.pointee.forwards_polled)
        let member = paxos_member_index(a, paxos_ballot_node(forward.pointee.ballot))
        if paxos_sends_full(a, member) { return false }
        r.pointee.forwards_polled = r.pointee.forwards_polled &+ 1
        var frame = paxos_frame_t()
        begin(&frame, PAXOS_FRAME_FORWARD, member)
        frame.ballot = forward.pointee.ballot
        frame.count = forward.pointee.count
        frame.body_bytes = forward.pointee.bytes
        frame.digest = forward.pointee.digest
        paxos_effect_send(a, effect, &frame, member, forward.pointee.position)
        pinForwards()
        return true
    }

    /// The outcome of a stranded forward: nobody can decide it.
    func pollStranded(_ effect: UnsafeMutablePointer<paxos_effect_t>) {
        let forward = paxos_forward(r, r.pointee.forwards_polled)
        r.pointee.forwards_polled = r.pointee.forwards_polled &+ 1
        let reason = UInt16(truncatingIfNeeded: PAXOS_REASON_NOT_LEADER.rawValue)
        outcome(effect, forward.pointee.number, UInt64(forward.pointee.count), reason)
        forward.pointee.count = 0
        pinForwards()
        dropSettled()
    }

    private func dropSettled() {
        while r.pointee.forwards_out != r.pointee.forwards_polled
            && paxos_forward(r, r.pointee.forwards_out).pointee.count == 0
        {
            r.pointee.forwards_out = r.pointee.forwards_out &+ 1
        }
    }

    func expireForwards() {
        while r.pointee.forwards_out != r.pointee.forwards_polled {
            let forward = paxos_forward(r, r.pointee.forwards_out)
            if forward.pointee.count > 0 {
                if now < forward.pointee.deadline_ns { return }
                let last = forward.pointee.number &+ UInt64(forward.pointee.count) &- 1
                lose((forward.pointee.number, last))
            }
            r.pointee.forwards_out = r.pointee.forwards_out &+ 1
        }
    }

    /// An own proposal was delivered. Those before it in the same forward stood before it in the
    /// log of the leader that admitted them; if they were not delivered, they got lost with that
    /// leader.
    func settleForward(_ number: UInt64) {
        var index = r.pointee.forwards_out
        while index != r.pointee.forwards_polled {
            let forward = paxos_forward(r, index)
            let first = forward.pointee.number
            if number >= first && number < first &+ UInt64(forward.pointee.count) {
                if number > first { lose((first, number &- 1)) }
                let settled = number &- first &+ 1
                forward.pointee.number = number &+ 1
                forward.pointee.count &-= UInt32(truncatingIfNeeded: settled)
                break
            }
            index = index &+ 1
        }
        dropSettled()
    }

    // MARK: The leader's side

    /// A member's proposals came, verified to be its own. They are admitted in order, as far as there is room.
    func takeForward(
        _ member: UInt32, _ frame: Frame, _ body: UnsafePointer<UInt8>
    ) -> Status {
        if isOwed(member, PAXOS_OWED_REFUSED) { return PAXOS_ERR_BUSY }
        /* Of another leadership than the last one here: it may have been admitted in another life. */
        if frame.pointee.ballot != r.pointee.ballot || isCandidate { return PAXOS_OK }
        let peer = peer(member)
        /* Of an earlier life: it may have been admitted before the later one was heard of. */
        if frame.pointee.incarnation < peer.pointee.forward_incarnation { return PAXOS_OK }
        if frame.pointee.incarnation > peer.pointee.forward_incarnation {
            peer.pointee.forward_incarnation = frame.pointee.incarnation
            peer.pointee.forward_number = 0
        }
        var bytes = body
        var index: UInt32 = 0
        while index < frame.pointee.count {
            let entry = paxos_entry_get(bytes)
            if entry.number > peer.pointee.forward_number {
                let status = isLeader ? admit(entry.value_bytes) : PAXOS_ERR_NO_LEADER
                if status != PAXOS_OK || append(entry, bytes + valueOffset) != PAXOS_OK {
                    refuse(member, frame, entry.number, frame.pointee.count &- index)
                    return PAXOS_OK
                }
                peer.pointee.forward_number = entry.number
            }
            bytes += Int(paxos_entry_bytes(entry.value_bytes))
            index &+= 1
        }
        return PAXOS_OK
    }

    private var valueOffset: Int { Int(PAXOS_ENTRY_HEADER_BYTES) }

    private func refuse(
        _ member: UInt32, _ frame: Frame, _ number: UInt64, _ count: UInt32
    ) {
        let peer = peer(member)
        let reason = isLeader ? PAXOS_REASON_FULL : PAXOS_REASON_NOT_LEADER
        peer.pointee.forward_number = number &+ UInt64(count) &- 1
        peer.pointee.refused_number = number
        peer.pointee.refused_count = count
        peer.pointee.refused_reason = UInt16(truncatingIfNeeded: reason.rawValue)
        peer.pointee.refused_ballot = frame.pointee.ballot
        owe(member, PAXOS_OWED_REFUSED)
    }

    // MARK: The origin's side

    /// The leader refused a run of this node's proposals: the end of one forward.
    func takeRefused(_ frame: Frame) -> Status {
        /* Of an earlier life, whose numbers were others. */
        if frame.pointee.digest != UInt64(a.pointee.incarnation) { return PAXOS_OK }
        if r.pointee.refused_count != 0 { return PAXOS_ERR_BUSY }
        var index = r.pointee.forwards_out
        while index != r.pointee.forwards_polled {
            let forward = paxos_forward(r, index)
            let end = forward.pointee.number &+ UInt64(forward.pointee.count)
            if forward.pointee.count > 0 && forward.pointee.ballot == frame.pointee.ballot
                && frame.pointee.nonce >= forward.pointee.number && frame.pointee.nonce < end
            {
                r.pointee.refused_number = frame.pointee.nonce
                r.pointee.refused_count = UInt32(truncatingIfNeeded: end &- frame.pointee.nonce)
                r.pointee.refused_reason = frame.pointee.state
                r.pointee.refused_node = paxos_ballot_node(frame.pointee.other)
                forward.pointee.count &-= r.pointee.refused_count
                break
            }
            index = index &+ 1
        }
        dropSettled()
        return PAXOS_OK
    }
}
