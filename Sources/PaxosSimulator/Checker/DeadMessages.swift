import CPaxos

/// Whether a message can never again do anything at its receiver.
///
/// Each rule rests on something that only grows: the promise and what is decided (a rule of the
/// algorithm, which the checker holds in every step), the ballots a node campaigns with (each above
/// its promise), what a leader has counted, what a node was told. Where the node may still lose
/// what its disk does not hold, the rule must hold for what the disk holds as well.
struct DeadMessages {
    private let reductions: Reductions

    init(_ reductions: Reductions) { self.reductions = reductions }

    func isDead(_ message: Message, at replica: UnsafeMutablePointer<paxos_replica_t>) -> Bool {
        let r = replica.pointee
        let a = UnsafeMutableRawPointer(replica).assumingMemoryBound(to: paxos_acceptor_t.self)
        let peer = paxos_peer(replica, UInt32(message.sender)).pointee
        /* News of what is decided makes the receiver ask, or spares its peer a word. */
        if message.watermark > a.pointee.decided { return false }
        let isLeader = r.role == PAXOS_ROLE_LEADER.rawValue
        if isLeader && message.watermark > peer.decided { return false }
        switch message.kind {
        case PAXOS_FRAME_PREPARE.rawValue:
            if message.ballot < a.pointee.promised { return reductions.contains(.noRejections) }
            return message.ballot == a.pointee.promised && isVotedUnder(message.ballot, a)
        case PAXOS_FRAME_ACCEPT.rawValue:
            if message.ballot < a.pointee.promised { return reductions.contains(.noRejections) }
            return isAccepted(message, a)
        case PAXOS_FRAME_PROMISE.rawValue:
            if message.ballot > a.pointee.promised { return false }
            /* One that comes too late wakes its leader, which may say again what is decided. */
            let isCandidate = r.role == PAXOS_ROLE_CANDIDATE.rawValue && r.ballot == message.ballot
            return !isCandidate || peer.owed & complete != 0 || message.slot < peer.cursor
        case PAXOS_FRAME_ACCEPTED.rawValue:
            if message.ballot > a.pointee.promised { return false }
            let isReader = r.role != PAXOS_ROLE_FOLLOWER.rawValue && r.ballot == message.ballot
            return !isReader || isCounted(message, replica, a)
        case PAXOS_FRAME_REJECTED.rawValue:
            return message.state == PAXOS_REASON_STALE.rawValue && message.other <= peer.promised
        case PAXOS_FRAME_COMMIT.rawValue:
            /* What it says to be decided is; it may still be followed. */
            return message.ballot < a.pointee.promised || isFollowed(message, a)
        case PAXOS_FRAME_LEARNED.rawValue:
            return message.lastSlot <= a.pointee.decided
        default: return false
        }
    }

    private var complete: UInt16 { UInt16(truncatingIfNeeded: PAXOS_PEER_COMPLETE.rawValue) }

    /// Whom a node follows is of no account where nobody asks it with a heartbeat.
    private func isFollowed(
        _ message: Message, _ a: UnsafeMutablePointer<paxos_acceptor_t>
    ) -> Bool {
        reductions.contains(.noHeartbeats) || a.pointee.following == message.ballot
    }

    /// Whether this node voted under a ballot: its owner leads under it, or did.
    private func isVotedUnder(
        _ ballot: UInt64, _ a: UnsafeMutablePointer<paxos_acceptor_t>
    ) -> Bool {
        let window = a.pointee.trimmed + 1...a.pointee.trimmed + UInt64(a.pointee.window_slots)
        return window.contains {
            let cell = paxos_cell(a, $0).pointee
            return cell.slot == $0 && cell.ballot == ballot
        }
    }

    /// Whether the run of an ACCEPT is voted for already under its ballot: its answer is on its
    /// way, or will be.
    private func isAccepted(
        _ message: Message, _ a: UnsafeMutablePointer<paxos_acceptor_t>
    ) -> Bool {
        if message.ballot != a.pointee.promised || !isFollowed(message, a) { return false }
        for slot in message.slot...message.lastSlot {
            let cell = paxos_cell(a, slot).pointee
            if cell.slot != slot || cell.ballot != message.ballot { return false }
        }
        return true
    }

    /// Whether a leader has counted the votes of an ACCEPTED, or needs them no longer.
    private func isCounted(
        _ message: Message, _ replica: UnsafeMutablePointer<paxos_replica_t>,
        _ a: UnsafeMutablePointer<paxos_acceptor_t>
    ) -> Bool {
        if message.count == 0 { return true }
        for slot in message.slot...message.lastSlot where slot > a.pointee.decided {
            let votes = paxos_proposal(a, slot).pointee.votes
            if votes & (1 << UInt32(message.sender)) == 0 { return false }
        }
        return true
    }
}
