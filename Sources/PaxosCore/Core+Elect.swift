internal import CPaxos

/// Who leads: rounds of heartbeats, and when to campaign.
///
/// Source: Ng, Haridi, Carbone, "OmniPaxos" (EuroSys 2023), section 5: only a node that is connected
/// to a quorum may lead, and a heartbeat says whether its sender is. Ours differs in two ways: a
/// ballot is drawn when a node campaigns (so that its acceptor can promise it durably first), and
/// heartbeat answers name the live leader that their sender follows, so that a node which cannot see
/// the leader itself, or which returns, does not disturb it.
extension Core {
    func tick() {
        if isCandidate { tickCandidate() }
        if now >= r.pointee.round_ns { startRound() }
        if !isLeader && !isCandidate { tickFollower() }
        if isLeader { recover() }
        expireForwards()
        applyTrim()
    }

    var deadline: UInt64 {
        var time = r.pointee.round_ns
        if r.pointee.campaign_ns < time { time = r.pointee.campaign_ns }
        if isCandidate && r.pointee.retry_ns < time { time = r.pointee.retry_ns }
        if isCandidate && r.pointee.attempt_ns < time { time = r.pointee.attempt_ns }
        if r.pointee.forwards_out != r.pointee.forwards_polled {
            let oldest = paxos_forward(r, r.pointee.forwards_out).pointee.deadline_ns
            if oldest < time { time = oldest }
        }
        return time
    }

    private func tickCandidate() {
        if now >= r.pointee.attempt_ns {
            stepDown()
        } else if now >= r.pointee.retry_ns {
            r.pointee.retry_ns = now &+ retryTime
            for member in 0..<memberCount
            where member != selfIndex && !isOwed(member, PAXOS_PEER_COMPLETE) {
                let peer = peer(member)
                if peer.pointee.stuck_slot == peer.pointee.cursor {
                    owe(member, PAXOS_OWED_PREPARE)
                }
                peer.pointee.stuck_slot = peer.pointee.cursor
            }
        }
    }

    /// A member whose pages stood still for so long is asked again. Much shorter than an attempt: a
    /// network that loses every other page must not outlast it.
    var retryTime: UInt64 { (period &>> 3) &+ 1 }

    private func startRound() {
        r.pointee.round = r.pointee.round &+ 1
        r.pointee.round_ns = now &+ period
        r.pointee.stalls = isDiskStalled ? 1 : 0
        for member in 0..<memberCount where member != selfIndex {
            /* Who cannot vote is silent: nobody counts on it, or waits for it to trim. */
            if r.pointee.stalls == 0 { owe(member, PAXOS_OWED_HEARTBEAT) }
            if now &- peer(member).pointee.heard_ns > r.pointee.election_timeout_ns {
                r.pointee.alive &= ~(1 &<< member)
            }
        }
        a.pointee.quorum = isQuorumConnected ? 1 : 0
        paxos_log_mark(a, 1)
        updateHold()
        if isLeader { watchLeadership() }
        if isLeader { watchSilence() }
    }

    /// Whether a member answered one of the last three rounds: the link works both ways.
    @inline(__always)
    private func isConnected(_ member: UInt32) -> Bool {
        let answered = peer(member).pointee.round
        return answered != 0 && answered &+ 3 >= r.pointee.round
    }

    private var isQuorumConnected: Bool {
        var connected = a.pointee.abstains == 0 && r.pointee.stalls == 0 ? 1 : 0
        for member in 0..<memberCount
        where member != selfIndex && isConnected(member) && peer(member).pointee.abstains == 0 {
            connected &+= 1
        }
        return connected >= Int(max(a.pointee.q1, a.pointee.q2))
    }

    /// A leader without a quorum, or with a stalled disk, steps down; one whom a member cannot accept
    /// any more, because it promised a higher ballot to a candidate that is gone, draws a new ballot.
    private func watchLeadership() {
        r.pointee.leader_heard_ns = now
        if a.pointee.quorum == 0 || r.pointee.stalls != 0 {
            stepDown()
            r.pointee.campaign_ns = now &+ r.pointee.election_timeout_ns
        } else if r.pointee.overtaken_ns != never
            && now &- r.pointee.overtaken_ns > r.pointee.election_timeout_ns
        {
            _ = campaign()
        }
    }

    /// Whether the oldest write has been waiting for its flush longer than an election timeout.
    private var isDiskStalled: Bool {
        if a.pointee.writes_out == a.pointee.writes_in
            || a.pointee.writes_out != r.pointee.flush_mark
        {
            r.pointee.flush_mark = a.pointee.writes_out
            r.pointee.flush_ns = now
            return false
        }
        return now &- r.pointee.flush_ns > r.pointee.election_timeout_ns
    }

    /// Send again, to each member, from the lowest slot that it has not voted for in two looks.
    private func watchSilence() {
        for member in 0..<memberCount where member != selfIndex {
            let peer = peer(member)
            let slot = firstWithoutVote(of: member)
            if slot >= peer.pointee.next_slot {
                peer.pointee.stuck_slot = 0
            } else if slot == peer.pointee.stuck_slot {
                sendAgain(to: member, from: slot)
            } else {
                peer.pointee.stuck_slot = slot
            }
        }
    }

    /// Lowest slot that was sent to a member and that it has not voted for; its next slot: none.
    private func firstWithoutVote(of member: UInt32) -> UInt64 {
        let end = peer(member).pointee.next_slot
        var slot = min(a.pointee.decided &+ 1, end)
        while slot < end && (isChosen(slot) || proposal(slot).pointee.votes & (1 &<< member) != 0) {
            slot = slot &+ 1
        }
        return slot
    }

    private func sendAgain(to member: UInt32, from slot: UInt64) {
        let peer = peer(member)
        peer.pointee.next_slot = slot
        peer.pointee.stuck_slot = 0
        wake(member)
    }

    /// Whether this node, or a member it is connected to, follows a live leader.
    private var isSomeoneFollowing: Bool {
        if a.pointee.following != 0 { return true }
        for member in 0..<memberCount where member != selfIndex && isConnected(member) {
            let ballot = peer(member).pointee.following
            if ballot != 0 && paxos_ballot_node(ballot) != a.pointee.node { return true }
        }
        return false
    }

    private func tickFollower() {
        if a.pointee.following != 0 && now &- r.pointee.leader_heard_ns >= patience {
            a.pointee.following = 0
        }
        if r.pointee.manual_elections != 0 {
            if now >= r.pointee.campaign_ns { tryToLead() }
            return
        }
        if isSomeoneFollowing || a.pointee.quorum == 0 || a.pointee.abstains != 0
            || r.pointee.trimmed_to > a.pointee.decided
        {
            r.pointee.campaign_ns = never
        } else if r.pointee.campaign_ns == never {
            r.pointee.campaign_ns = now &+ backOff()
        } else if now >= r.pointee.campaign_ns {
            tryToLead()
        }
    }

    /// Campaign; a round later, if the ring of writes has no room for the promise now.
    private func tryToLead() {
        if campaign() != PAXOS_OK { r.pointee.campaign_ns = now &+ period }
    }

    /// A random delay, whose bound doubles with each failed attempt up to an election timeout.
    func backOff() -> UInt64 {
        let doublings = UInt64(min(r.pointee.attempts, 2))
        return random(below: (period &* 2) &<< doublings) &+ 1
    }

    // MARK: What others say

    /// A leader spoke under a ballot that this node's promise does not forbid.
    @inline(__always)
    func follow(_ ballot: UInt64) {
        if ballot < a.pointee.promised { return }
        if isLeader || isCandidate {
            if ballot == r.pointee.ballot { return }
            stepDown()
        }
        r.pointee.leader_ballot = ballot
        r.pointee.leader_heard_ns = now
        r.pointee.attempts = 0
        r.pointee.campaign_ns = never
        a.pointee.following = ballot
    }

    func takeHeartbeat(_ member: UInt32, _ frame: Frame) {
        wake(member)
        if r.pointee.stalls != 0 { a.pointee.heartbeats_owed &= ~UInt64(1 &<< member) }
        noteAbstains(member, frame)
        if frame.pointee.flags & UInt16(PAXOS_FLAG_LEADING) != 0 { follow(frame.pointee.ballot) }
    }

    func takeHeartbeatReply(_ member: UInt32, _ frame: Frame) {
        if frame.pointee.nonce > r.pointee.round { return }
        let peer = peer(member)
        if frame.pointee.nonce >= peer.pointee.round {
            peer.pointee.round = frame.pointee.nonce
            peer.pointee.following = frame.pointee.ballot
        }
        noteAbstains(member, frame)
        notePromise(member, frame.pointee.other)
        if isLeader && frame.pointee.flags & UInt16(PAXOS_FLAG_ROOM) != 0 {
            sendAgain(to: member, from: firstWithoutVote(of: member))
        }
    }

    /// A member that lost its votes is no voter that a leader could count on.
    private func noteAbstains(_ member: UInt32, _ frame: Frame) {
        peer(member).pointee.abstains =
            frame.pointee.flags & UInt16(PAXOS_FLAG_ABSTAINS) != 0 ? 1 : 0
    }

    /// This node promised another's ballot: give that candidate the time to become leader.
    func giveWay(to ballot: UInt64) {
        if a.pointee.following != 0 && a.pointee.following < ballot { a.pointee.following = 0 }
        if r.pointee.manual_elections == 0 {
            let turn = now &+ patience &+ backOff()
            /* It may be waiting longer, because it cannot lead now. */
            let isWaiting = r.pointee.campaign_ns != never && r.pointee.campaign_ns > turn
            if !isWaiting { r.pointee.campaign_ns = turn }
        }
    }
}
