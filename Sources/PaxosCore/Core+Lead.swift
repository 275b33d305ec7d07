internal import CPaxos

/// Leading: taking over what phase 1 found, counting votes, giving up.
///
/// Source: Lamport, "Paxos Made Simple" (2001), section 2.2: "If the proposer receives a response to
/// its prepare requests from a majority of acceptors, then it sends an accept request".
extension Core {
    /// Begin to lead: phase 1 is complete for every slot from `first_slot` on.
    func lead() {
        r.pointee.role = PAXOS_ROLE_LEADER.rawValue
        r.pointee.attempts = 0
        r.pointee.campaign_ns = never
        r.pointee.attempt_ns = never
        r.pointee.retry_ns = never
        r.pointee.overtaken_ns = never
        r.pointee.leader_ballot = r.pointee.ballot
        a.pointee.following = r.pointee.ballot
        a.pointee.quorum = 1
        if a.pointee.last_slot > r.pointee.high_slot { r.pointee.high_slot = a.pointee.last_slot }
        if a.pointee.decided > r.pointee.high_slot { r.pointee.high_slot = a.pointee.decided }
        r.pointee.first_slot = a.pointee.decided &+ 1
        r.pointee.next_slot = r.pointee.first_slot
        r.pointee.digest_total = 0
        r.pointee.round = r.pointee.round &+ 2
        for member in 0..<memberCount {
            let peer = peer(member)
            peer.pointee.cursor = r.pointee.round
            /* Who promised is connected: it counts as having answered the round before. */
            if isOwed(member, PAXOS_PEER_COMPLETE) {
                peer.pointee.round = r.pointee.round &- 1
            }
            peer.pointee.decided = 0 /* heard of it as a leader, maybe: its word counts now */
            peer.pointee.next_slot = r.pointee.first_slot
            peer.pointee.told = 0
            peer.pointee.stuck_slot = 0
            settle(member, PAXOS_PEER_COMPLETE)
            settle(member, PAXOS_OWED_PREPARE)
            if member != selfIndex { owe(member, PAXOS_OWED_HEARTBEAT) }
        }
        recover()
    }

    /// Propose again, slot by slot, what phase 1 found, and no-ops where a quorum found nothing. Goes
    /// on where it left off when the arena or the ring of writes had no room.
    func recover() {
        while r.pointee.next_slot <= r.pointee.high_slot {
            let slot = r.pointee.next_slot
            if isChosen(slot) {
                proposed(slot, digestTerm(slot))
                continue
            }
            if !isMemoryOnly() && paxos_writes_full(a) { return }
            let best = proposal(slot)
            if best.pointee.best_ballot != 0 {
                let bytes = best.pointee.best_bytes
                _ = paxos_log_revote(
                    a, r.pointee.ballot, slot, best.pointee.best_position, bytes)
                best.pointee.best_ballot = 0
                proposed(slot, digestTerm(slot))
            } else if holds(slot) {
                let own = cell(slot)
                _ = paxos_log_revote(
                    a, r.pointee.ballot, slot, own.pointee.position, own.pointee.bytes)
                proposed(slot, digestTerm(slot))
            } else if !fillGap() {
                return
            }
        }
    }

    /// Propose a no-op in the next slot: a quorum knows it to be empty.
    private func fillGap() -> Bool {
        let entry = paxos_entry_t(
            checksum: 0, value_bytes: 0, node: a.pointee.node,
            kind: UInt8(truncatingIfNeeded: PAXOS_ENTRY_NOOP.rawValue), zero: 0,
            incarnation: a.pointee.incarnation, number: 0)
        return append(entry, paxos_arena(a, 0)) == PAXOS_OK
    }

    /// Count the votes of a member for slots `first...last`, all proposed under this ballot.
    @inline(__always)
    func vote(_ member: UInt32, _ first: UInt64, _ last: UInt64) {
        let before = a.pointee.decided
        let cells = paxos_cell(a, 0)
        let proposals = paxos_proposal(a, 0)
        let mask = UInt64(a.pointee.window_slots) &- 1
        let bit: UInt32 = 1 &<< member
        let quorum = Int(a.pointee.q2)
        var decided = before
        var slot = max(first, before &+ 1)
        while slot <= last {
            let index = Int(truncatingIfNeeded: slot & mask)
            let votes = proposals[index].votes | bit
            proposals[index].votes = votes
            if hasQuorum(votes, quorum) {
                cells[index].state = chosen
                if slot == decided &+ 1 { decided = slot }
            }
            slot = slot &+ 1
        }
        if decided != before {
            a.pointee.decided = decided
            if decided != a.pointee.last_slot { paxos_log_advance(a) }
            /* Peers that decide by themselves need no word of it. */
            if a.pointee.chooses_early == 0 { r.pointee.active |= everyPeer }
        }
    }

    /// Whether so many bits are set; for two, the common case, without counting them all.
    @inline(__always)
    private func hasQuorum(_ votes: UInt32, _ quorum: Int) -> Bool {
        quorum == 2 ? votes & (votes &- 1) != 0 : votes.nonzeroBitCount >= quorum
    }

    /// A member accepted a run under this leadership: straight from the verified header.
    @inline(__always)
    func takeAccepted(_ member: UInt32, _ header: UnsafePointer<UInt8>) -> Status {
        a.pointee.counters.frames &+= 1
        let watermark = paxos_get64_scalar(header + 56)
        hear(member, watermark)
        let slot = paxos_get64_scalar(header + 48)
        let count = paxos_get32(header + 32)
        let digest = paxos_get64_scalar(header + 72)
        let status = countVotes(member, slot, count, digest)
        noteDecided(member, watermark)
        return status
    }

    @inline(__always)
    private func countVotes(
        _ member: UInt32, _ slot: UInt64, _ count: UInt32, _ digest: UInt64
    ) -> Status {
        let last = slot &+ UInt64(count) &- 1
        if last <= a.pointee.decided { return PAXOS_OK }
        if slot < r.pointee.first_slot || slot <= a.pointee.trimmed || last >= r.pointee.next_slot {
            return PAXOS_OK
        }
        if digestBefore(last &+ 1) &- digestBefore(slot) != digest {
            a.pointee.counters.conflict &+= 1
            return PAXOS_ERR_CONFLICT
        }
        vote(member, slot, last)
        return PAXOS_OK
    }

    /// As ``takeAccepted(_:_:)``, for an acknowledgement that had to be decoded.
    func takeAccepted(_ member: UInt32, _ frame: Frame) -> Status {
        if !isLeader || frame.pointee.ballot != r.pointee.ballot || frame.pointee.count == 0 {
            return PAXOS_OK
        }
        return countVotes(member, frame.pointee.slot, frame.pointee.count, frame.pointee.digest)
    }

    /// A member refused: its promise is to a higher ballot, or it holds other bytes.
    func takeRejected(_ member: UInt32, _ frame: Frame) -> Status {
        notePromise(member, frame.pointee.other)
        if frame.pointee.state == UInt16(truncatingIfNeeded: PAXOS_REASON_CONFLICT.rawValue) {
            a.pointee.counters.conflict &+= 1
            return PAXOS_ERR_CONFLICT
        }
        return PAXOS_OK
    }

    /// A member named a ballot that it promised. One such voice does not topple a leader; when too
    /// few are left that could still accept, it gives up.
    func notePromise(_ member: UInt32, _ ballot: UInt64) {
        let peer = peer(member)
        if ballot > peer.pointee.promised { peer.pointee.promised = ballot }
        if ballot <= r.pointee.ballot || !(isLeader || isCandidate) { return }
        var open = 1
        for other in 0..<memberCount where other != selfIndex {
            if self.peer(other).pointee.promised <= r.pointee.ballot { open &+= 1 }
        }
        let needed = isLeader ? Int(a.pointee.q2) : Int(a.pointee.q1)
        if open < needed {
            stepDown()
        } else if isLeader && r.pointee.overtaken_ns == never {
            r.pointee.overtaken_ns = now
        }
    }

    /// Stop leading, or trying to. What was under way has an unknown outcome from now on.
    func stepDown() {
        let wasCandidate = isCandidate
        if isLeader { lose(undecidedOwn()) }
        r.pointee.role = PAXOS_ROLE_FOLLOWER.rawValue
        if a.pointee.following == r.pointee.ballot { a.pointee.following = 0 }
        r.pointee.attempt_ns = never
        r.pointee.retry_ns = never
        r.pointee.overtaken_ns = never
        r.pointee.campaign_ns = never
        for member in 0..<memberCount {
            settle(member, PAXOS_PEER_COMPLETE)
            settle(member, PAXOS_OWED_PREPARE)
        }
        clearReports()
        if wasCandidate {
            r.pointee.attempts &+= 1
            r.pointee.campaign_ns = now &+ backOff()
        }
    }

    /// Forget what candidates were told about slots.
    func clearReports() {
        for slot in 0..<UInt64(a.pointee.window_slots) {
            proposal(slot).pointee.best_ballot = 0
            proposal(slot).pointee.votes = 0
        }
    }

    /// Range of the numbers of this node's proposals that stand in its log under its ballot and are
    /// not decided; 0 if there are none. A takeover may have put them into slots in any order.
    func undecidedOwn() -> (first: UInt64, last: UInt64) {
        var first: UInt64 = 0
        var last: UInt64 = 0
        var slot = a.pointee.decided &+ 1
        while slot < r.pointee.next_slot {
            if holds(slot) && cell(slot).pointee.ballot == r.pointee.ballot {
                let entry = paxos_entry_get(paxos_arena(a, cell(slot).pointee.position))
                if isOwn(entry) {
                    first = first == 0 ? entry.number : min(first, entry.number)
                    last = max(last, entry.number)
                }
            }
            slot = slot &+ 1
        }
        return (first, last)
    }

    @inline(__always)
    func isOwn(_ entry: paxos_entry_t) -> Bool {
        entry.node == a.pointee.node && entry.incarnation == a.pointee.incarnation
            && entry.kind == UInt8(truncatingIfNeeded: PAXOS_ENTRY_COMMAND.rawValue)
    }

    /// Owe the outcome *unknown* for a range of own proposals, joined with what is owed already.
    func lose(_ range: (first: UInt64, last: UInt64)) {
        let (first, last) = range
        if first == 0 { return }
        if r.pointee.lost_last == 0 || first < r.pointee.lost_first { r.pointee.lost_first = first }
        if last > r.pointee.lost_last { r.pointee.lost_last = last }
    }

    /// Votes of this node that a flush has made durable.
    func countOwnVotes(_ lsn: UInt64) {
        var index = a.pointee.writes_out
        while index != a.pointee.writes_polled {
            let write = paxos_write(a, index)
            if write.pointee.lsn > lsn { break }
            if isLeader && write.pointee.ballot == r.pointee.ballot && write.pointee.count > 0
                && write.pointee.slot >= r.pointee.first_slot
            {
                let last = write.pointee.slot &+ UInt64(write.pointee.count) &- 1
                vote(selfIndex, write.pointee.slot, last)
            }
            index = index &+ 1
        }
    }
}
