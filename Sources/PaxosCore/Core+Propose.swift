internal import CPaxos

/// Proposing at the leader: append, vote, and let the poll send it.
///
/// Source: Lamport, "Paxos Made Simple" (2001), section 3: with phase 1 done for all slots, a new
/// command costs phase 2 alone.
extension Core {
    func propose(
        _ value: UnsafePointer<UInt8>, _ valueBytes: Int,
        _ numberOut: UnsafeMutablePointer<UInt64>
    ) -> Status {
        if valueBytes > Int(a.pointee.value_bytes_max) { return PAXOS_ERR_TOO_LARGE }
        let bytes = UInt32(truncatingIfNeeded: valueBytes)
        if !isLeader { return forward(value, bytes, numberOut) }
        let status = admit(bytes)
        if status != PAXOS_OK { return status }
        let number = r.pointee.number &+ 1
        var entry = command(number, bytes)
        let slot = r.pointee.next_slot
        var term: UInt64 = 0
        if hasShortWay && paxos_append_next(a, r.pointee.ballot, slot, &entry, value, &term) {
            proposed(slot, term)
        } else {
            let appended = append(command(number, bytes), value)
            if appended != PAXOS_OK { return appended }
        }
        r.pointee.number = number
        numberOut.pointee = number
        return PAXOS_OK
    }

    /// The header of this node's proposal of that number.
    @inline(__always)
    private func command(_ number: UInt64, _ valueBytes: UInt32) -> paxos_entry_t {
        paxos_entry_t(
            checksum: 0, value_bytes: valueBytes, node: a.pointee.node,
            kind: UInt8(truncatingIfNeeded: PAXOS_ENTRY_COMMAND.rawValue), zero: 0,
            incarnation: a.pointee.incarnation, number: number)
    }

    /// Whether the leader may take one more entry of so many value bytes.
    ///
    /// The pipeline is the cluster's agreed bound (alpha); the window is this node's memory; the
    /// bytes in flight are measured as the stretch of the arena from the lowest undecided entry.
    @inline(__always)
    func admit(_ valueBytes: UInt32) -> Status {
        let slot = r.pointee.next_slot
        if slot <= r.pointee.high_slot {
            recover()
            if r.pointee.next_slot <= r.pointee.high_slot { return PAXOS_ERR_PIPELINE }
            return admit(valueBytes, at: r.pointee.next_slot)
        }
        return admit(valueBytes, at: slot)
    }

    @inline(__always)
    private func admit(_ valueBytes: UInt32, at slot: UInt64) -> Status {
        let decided = a.pointee.decided
        if slot > decided &+ UInt64(r.pointee.pipeline_slots) { return PAXOS_ERR_PIPELINE }
        if slot > r.pointee.hold_to { return PAXOS_ERR_FULL }
        if slot > windowEnd {
            applyTrim()
            if slot > windowEnd { return PAXOS_ERR_FULL }
        }
        if slot > decided &+ 1 {
            let inFlight = a.pointee.arena_head &- cell(decided &+ 1).pointee.position
            if inFlight &+ UInt64(paxos_entry_bytes(valueBytes)) > r.pointee.inflight_bytes_max {
                return PAXOS_ERR_PIPELINE
            }
        }
        return PAXOS_OK
    }

    /// Append an entry at the next slot, in a run of its own if it must be.
    @inline(never)
    func append(_ entry: paxos_entry_t, _ value: UnsafePointer<UInt8>) -> Status {
        let slot = r.pointee.next_slot
        var lsn: UInt64 = 0
        var entry = entry
        let status = paxos_log_append(a, r.pointee.ballot, slot, &entry, value, &lsn)
        if status == PAXOS_ERR_FULL {
            applyTrim()
            let again = paxos_log_append(a, r.pointee.ballot, slot, &entry, value, &lsn)
            if again != PAXOS_OK { return again }
        } else if status != PAXOS_OK {
            return status
        }
        proposed(slot, digestTerm(slot))
        return PAXOS_OK
    }

    /// Note that `slot`, the next one, holds an entry under this leadership's ballot, and count this
    /// node's own vote for it, if it is durable already. `term`: what it adds to a digest.
    @inline(__always)
    func proposed(_ slot: UInt64, _ term: UInt64) {
        let proposal = proposal(slot)
        proposal.pointee.digest_before = r.pointee.digest_total
        r.pointee.digest_total = r.pointee.digest_total &+ term
        r.pointee.next_slot = slot &+ 1
        r.pointee.active |= everyPeer
        proposal.pointee.votes = 0
        if isMemoryOnly() {
            proposal.pointee.votes = 1 &<< selfIndex
            if a.pointee.q2 == 1 { voteAlone(slot) }
        }
    }

    @inline(never)
    private func voteAlone(_ slot: UInt64) { vote(selfIndex, slot, slot) }

    @inline(__always)
    func digestTerm(_ slot: UInt64) -> UInt64 {
        paxos_digest_term(slot, paxos_get32(paxos_arena(a, cell(slot).pointee.position)))
    }

    /// Sum of the digest terms of this leadership's slots below `slot`.
    @inline(__always)
    func digestBefore(_ slot: UInt64) -> UInt64 {
        slot == r.pointee.next_slot
            ? r.pointee.digest_total : proposal(slot).pointee.digest_before
    }
}
