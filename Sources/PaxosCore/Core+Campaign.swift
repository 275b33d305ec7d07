internal import CPaxos

/// Phase 1 for all slots from the first undecided one on: ask, collect pages, choose slot by slot.
///
/// Source: Lamport, "Paxos Made Simple" (2001), section 2.2, P2c, and section 3.
extension Core {
    /// Try to lead under a ballot above all that were seen. Its own acceptor promises first, and
    /// the Prepare leaves when that is durable: so no ballot is used twice, not even over restarts.
    func campaign() -> Status {
        if a.pointee.abstains != 0 { return PAXOS_ERR_ABSTAINS }
        if !isMemoryOnly() && paxos_writes_full(a) { return PAXOS_ERR_BUSY }
        if isLeader || isCandidate { stepDown() }
        var highest = a.pointee.promised
        for member in 0..<memberCount where peer(member).pointee.promised > highest {
            highest = peer(member).pointee.promised
        }
        let round = paxos_ballot_round(highest) &+ 1
        if round > (1 &<< 48) &- 1 { return PAXOS_ERR_RANGE }
        clearReports()
        r.pointee.ballot = paxos_ballot(round, a.pointee.node)
        r.pointee.promise_lsn = paxos_log_promise(a, r.pointee.ballot)
        r.pointee.role = PAXOS_ROLE_CANDIDATE.rawValue
        r.pointee.first_slot = a.pointee.decided &+ 1
        r.pointee.high_slot = a.pointee.last_slot
        r.pointee.campaign_ns = never
        r.pointee.retry_ns = now &+ retryTime
        r.pointee.attempt_ns = now &+ attemptTime()
        a.pointee.following = 0
        for member in 0..<memberCount where member != selfIndex {
            let peer = peer(member)
            peer.pointee.cursor = r.pointee.first_slot
            peer.pointee.unknown_from = 0
            peer.pointee.stuck_slot = 0
            settle(member, PAXOS_PEER_COMPLETE)
            owe(member, PAXOS_OWED_PREPARE)
        }
        noteOwnUnknown()
        checkPromises()
        return PAXOS_OK
    }

    /// This node's own answer counts for no slot whose record was damaged.
    private func noteOwnUnknown() {
        var slot = max(a.pointee.unknown_from, r.pointee.first_slot)
        while slot <= min(a.pointee.unknown_to, windowEnd) {
            if !holds(slot) { proposal(slot).pointee.votes |= 1 &<< selfIndex }
            slot = slot &+ 1
        }
    }

    /// An attempt fails after half to three quarters of an election timeout without progress.
    private func attemptTime() -> UInt64 { period &* 4 &+ random(below: period &* 2) }

    /// A page of a promise came. Pages count in the order of their cursor, so that none is missed.
    func takePromise(
        _ member: UInt32, _ frame: Frame, _ body: UnsafePointer<UInt8>
    ) -> Status {
        let isAwaited = isCandidate && !isOwed(member, PAXOS_PEER_COMPLETE)
        if !isAwaited || frame.pointee.ballot != r.pointee.ballot {
            wake(member) /* it was late, but it is there: a leader has Accepts for it */
            return PAXOS_OK
        }
        /* What was trimmed anywhere was stable, by a leader's word that this node may have missed:
         * it makes room for what the others hold above it. */
        if frame.pointee.trim > a.pointee.stable {
            a.pointee.stable = frame.pointee.trim
            applyTrim()
        }
        let peer = peer(member)
        if frame.pointee.slot != peer.pointee.cursor {
            /* The end of an answer whose pages were lost or overtaken: ask at once, not in a round. */
            let ends = UInt16(truncatingIfNeeded: PAXOS_FLAG_LAST | PAXOS_FLAG_PAUSE)
            if frame.pointee.slot > peer.pointee.cursor && frame.pointee.flags & ends != 0 {
                owe(member, PAXOS_OWED_PREPARE)
            }
            return PAXOS_OK
        }
        let status = readPage(member, frame, body)
        if status != PAXOS_OK { return status }
        if !isCandidate { return PAXOS_OK }
        peer.pointee.cursor = frame.pointee.slot &+ UInt64(frame.pointee.count)
        r.pointee.attempt_ns = now &+ attemptTime()
        if frame.pointee.flags & UInt16(PAXOS_FLAG_LAST) != 0 {
            peer.pointee.owed |= UInt16(truncatingIfNeeded: PAXOS_PEER_COMPLETE.rawValue)
        } else if frame.pointee.flags & UInt16(PAXOS_FLAG_PAUSE) != 0 {
            owe(member, PAXOS_OWED_PREPARE)
        }
        checkPromises()
        return PAXOS_OK
    }

    /// Take in what one page says of its slots. Not PAXOS_OK: it could not be held, ask again
    /// later.
    private func readPage(
        _ member: UInt32, _ frame: Frame, _ body: UnsafePointer<UInt8>
    ) -> Status {
        let last = frame.pointee.slot &+ UInt64(frame.pointee.count) &- 1
        switch UInt32(frame.pointee.state) {
        case PAXOS_RUN_EMPTY.rawValue:
            return PAXOS_OK
        case PAXOS_RUN_TRIMMED.rawValue:
            passOver(upTo: last)
            if last > a.pointee.decided {
                /* Chosen, and gone there: this node cannot lead before it has caught up. */
                noteTrimmed(last)
                noteDecided(member, frame.pointee.watermark)
                stepDown()
            }
            return PAXOS_OK
        case PAXOS_RUN_UNKNOWN.rawValue:
            return noteUnknown(member, frame)
        default:
            break
        }
        if last > windowEnd { return giveWay() }
        if last > r.pointee.high_slot { r.pointee.high_slot = last }
        if UInt32(frame.pointee.state) == PAXOS_RUN_CHOSEN.rawValue {
            return paxos_log_learn_frame(a, frame, body)
        }
        return adoptRun(frame, body)
    }

    /// The window cannot hold what a voter reports, and will not before its host trims: let another
    /// try, whose window can. Who has most to report hears the last Prepare, and waits from there at
    /// most `patience` and an election timeout; so long twice, another that cannot may be before it.
    private func giveWay() -> Status {
        stepDown()
        let turn = 2 &* (patience &+ r.pointee.election_timeout_ns)
        r.pointee.campaign_ns = now &+ turn &+ backOff()
        return PAXOS_ERR_FULL
    }

    /// The member cannot vouch for the slots of a page: not for these, or not from here on.
    private func noteUnknown(_ member: UInt32, _ frame: Frame) -> Status {
        if frame.pointee.flags & UInt16(PAXOS_FLAG_LAST) != 0 {
            peer(member).pointee.unknown_from = frame.pointee.slot
            return PAXOS_OK
        }
        let last = frame.pointee.slot &+ UInt64(frame.pointee.count) &- 1
        if last > windowEnd { return giveWay() }
        var slot = max(frame.pointee.slot, a.pointee.trimmed &+ 1)
        while slot <= last {
            proposal(slot).pointee.votes |= 1 &<< member
            slot = slot &+ 1
        }
        if last > r.pointee.high_slot { r.pointee.high_slot = last }
        return PAXOS_OK
    }

    /// Keep, for each slot of a reported run, the entry of the highest ballot seen so far.
    private func adoptRun(
        _ frame: Frame, _ body: UnsafePointer<UInt8>
    ) -> Status {
        var entry = body
        for index in 0..<UInt64(frame.pointee.count) {
            let bytes = paxos_entry_bytes(paxos_get32(entry + 4))
            let slot = frame.pointee.slot &+ index
            if slot > a.pointee.decided && !isChosen(slot) {
                if !adopt(slot, frame.pointee.other, entry, bytes) { return PAXOS_ERR_FULL }
            }
            entry += Int(bytes)
        }
        return PAXOS_OK
    }

    /// Whether the entry could be kept, or need not be.
    private func adopt(
        _ slot: UInt64, _ ballot: UInt64, _ entry: UnsafePointer<UInt8>, _ bytes: UInt32
    ) -> Bool {
        let best = proposal(slot)
        if best.pointee.best_ballot == 0 && holds(slot) {
            best.pointee.best_ballot = cell(slot).pointee.ballot
            best.pointee.best_position = cell(slot).pointee.position
            best.pointee.best_bytes = cell(slot).pointee.bytes
        }
        if ballot <= best.pointee.best_ballot { return true }
        let same =
            best.pointee.best_ballot != 0 && best.pointee.best_bytes == bytes
            && equal(paxos_arena(a, best.pointee.best_position), entry, bytes)
        if !same {
            let position = paxos_log_keep(a, slot, entry, bytes)
            if position == never { return false }
            best.pointee.best_position = position
            best.pointee.best_bytes = bytes
        }
        best.pointee.best_ballot = ballot
        return true
    }

    private func equal(
        _ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ bytes: UInt32
    ) -> Bool {
        var offset = 0
        while offset < Int(bytes) {
            if left[offset] != right[offset] { return false }
            offset &+= 1
        }
        return true
    }

    /// Lead, if for every slot q1 members (this one among them) have said what they know.
    func checkPromises() {
        if !isCandidate || a.pointee.flushed < r.pointee.promise_lsn { return }
        var complete: UInt32 = 1 &<< selfIndex
        var endless = 1
        for member in 0..<memberCount where isOwed(member, PAXOS_PEER_COMPLETE) {
            complete |= 1 &<< member
            if peer(member).pointee.unknown_from == 0 { endless &+= 1 }
        }
        if endless < Int(a.pointee.q1) { return }
        var slot = a.pointee.decided &+ 1
        while slot <= r.pointee.high_slot {
            if !isChosen(slot) && known(slot, complete) < Int(a.pointee.q1) { return }
            slot = slot &+ 1
        }
        lead()
    }

    /// How many members have said what they know of a slot.
    private func known(_ slot: UInt64, _ complete: UInt32) -> Int {
        var vouching = complete & ~proposal(slot).pointee.votes
        for member in 0..<memberCount {
            let from = peer(member).pointee.unknown_from
            if member != selfIndex && from != 0 && slot >= from { vouching &= ~(1 &<< member) }
        }
        return vouching.nonzeroBitCount
    }
}
