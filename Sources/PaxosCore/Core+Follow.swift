internal import CPaxos

/// Following: what frames of others do here, and how a member that missed entries gets them.
extension Core {
    @inline(__always)
    func receive(
        _ header: UnsafePointer<UInt8>, _ headerBytes: Int, _ body: UnsafePointer<UInt8>?,
        _ bodyBytes: Int
    ) -> Status {
        var member: UInt32 = 0
        let entries = body ?? header
        if isLeader {
            if paxos_header_is_accepted(
                a, r.pointee.ballot, header, headerBytes, bodyBytes, &member)
            {
                return takeAccepted(member, header)
            }
        } else if !isCandidate
            && paxos_accept_next(a, header, headerBytes, entries, bodyBytes, &member)
        {
            follow(paxos_get64_scalar(header + 40))
            let watermark = paxos_get64_scalar(header + 56)
            hear(member, watermark)
            noteDecided(member, watermark)
            return PAXOS_OK
        }
        var frame = paxos_frame_t()
        let decoded = paxos_acceptor_decode(a, header, headerBytes, bodyBytes, &frame, &member)
        if decoded != PAXOS_OK { return decoded }
        return take(member, &frame, entries)
    }

    @inline(__always)
    private func take(
        _ member: UInt32, _ frame: Frame, _ entries: UnsafePointer<UInt8>
    ) -> Status {
        /* A vote for another, or what was decided under another, may replace entries of this
         * leadership: look at them before. */
        let mayReplace =
            isLeader
            && (frame.pointee.ballot > r.pointee.ballot
                || frame.pointee.kind == UInt8(truncatingIfNeeded: PAXOS_FRAME_LEARNED.rawValue))
        let mine = mayReplace ? undecidedOwn() : (0, 0)
        let status = paxos_acceptor_take(a, member, frame, entries)
        if status == PAXOS_ERR_WIRE || status == PAXOS_ERR_FOREIGN || status == PAXOS_ERR_BUSY {
            /* Of what was learned, some may be held although the ring of writes is full now. */
            if mayReplace && status == PAXOS_ERR_BUSY && isOvertaken(by: frame) {
                stepDown()
                lose(mine)
            }
            return status
        }
        hear(member, notLacked(by: frame))
        let own = react(member, frame, entries, status)
        noteDecided(member, frame.pointee.watermark)
        /* A promise or vote for another's ballot ends this node's own attempt or leadership. */
        if a.pointee.promised != r.pointee.ballot && (isLeader || isCandidate) {
            stepDown()
        }
        if mayReplace && !isLeader { lose(mine) }
        return status == PAXOS_OK ? own : status
    }

    /// Up to where a frame's sender lacks nothing, whatever happens to it. After a restart its log may
    /// know less than its state machine has applied.
    @inline(__always)
    private func notLacked(by frame: Frame) -> UInt64 {
        /* A leader's watermark may be ahead of its own journal: another leader does not go by it. */
        if isLeader && paxos_ballot_node(frame.pointee.ballot) == frame.pointee.sender { return 0 }
        switch UInt32(frame.pointee.kind) {
        case PAXOS_FRAME_HEARTBEAT.rawValue, PAXOS_FRAME_HEARTBEAT_REPLY.rawValue:
            return max(frame.pointee.watermark, frame.pointee.trim)
        default: return frame.pointee.watermark
        }
    }

    @inline(__always)
    func hear(_ member: UInt32, _ watermark: UInt64) {
        let peer = peer(member)
        peer.pointee.heard_ns = now
        r.pointee.alive |= 1 &<< member
        if watermark > peer.pointee.decided { peer.pointee.decided = watermark }
        if a.pointee.stable > a.pointee.trimmed && a.pointee.applied > a.pointee.trimmed {
            applyTrim()
        }
    }

    /// What only a proposer or a whole replica does with a frame, after its acceptor took it.
    @inline(__always)
    private func react(
        _ member: UInt32, _ frame: Frame, _ body: UnsafePointer<UInt8>,
        _ taken: Status
    ) -> Status {
        switch UInt32(frame.pointee.kind) {
        case PAXOS_FRAME_ACCEPT.rawValue:
            if taken == PAXOS_OK || taken == PAXOS_ERR_ABSTAINS { follow(frame.pointee.ballot) }
            return PAXOS_OK
        case PAXOS_FRAME_COMMIT.rawValue:
            follow(frame.pointee.ballot)
            return PAXOS_OK
        default: return reactRarely(member, frame, body, taken)
        }
    }

    @inline(never)
    private func reactRarely(
        _ member: UInt32, _ frame: Frame, _ body: UnsafePointer<UInt8>,
        _ taken: Status
    ) -> Status {
        switch UInt32(frame.pointee.kind) {
        case PAXOS_FRAME_PREPARE.rawValue:
            if taken == PAXOS_OK { giveWay(to: frame.pointee.ballot) }
            return PAXOS_OK
        case PAXOS_FRAME_PROMISE.rawValue: return takePromise(member, frame, body)
        case PAXOS_FRAME_ACCEPTED.rawValue: return takeAccepted(member, frame)
        case PAXOS_FRAME_REJECTED.rawValue: return takeRejected(member, frame)
        case PAXOS_FRAME_HEARTBEAT.rawValue:
            takeHeartbeat(member, frame)
            return PAXOS_OK
        case PAXOS_FRAME_HEARTBEAT_REPLY.rawValue:
            takeHeartbeatReply(member, frame)
            return PAXOS_OK
        case PAXOS_FRAME_LEARNED.rawValue:
            takeLearned(member, frame)
            return PAXOS_OK
        case PAXOS_FRAME_FORWARD.rawValue: return takeForward(member, frame, body)
        case PAXOS_FRAME_REFUSED.rawValue: return takeRefused(frame)
        default: return PAXOS_OK
        }
    }

    // MARK: Catching up

    /// A member has decided further than this node: ask it, unless what is under way closes the
    /// gap.
    @inline(__always)
    func noteDecided(_ member: UInt32, _ watermark: UInt64) {
        if watermark > a.pointee.decided { askToLearn(member) }
    }

    /// Ask a member for the decided slots missing here: one question an eighth of a round.
    @inline(never)
    private func askToLearn(_ member: UInt32) {
        if r.pointee.stalls != 0 { return } /* an answer could not be kept */
        let peer = peer(member)
        if peer.pointee.learn_ns != 0 && now &- peer.pointee.learn_ns < period &>> 3 { return }
        peer.pointee.learn_ns = now == 0 ? 1 : now
        owe(member, PAXOS_OWED_LEARN)
    }

    /// Last of the slots to ask `member` for: up to the first that this node holds by itself.
    func lastMissing(_ member: UInt32) -> UInt64 {
        var slot = a.pointee.decided &+ 1
        let end = min(peer(member).pointee.decided, windowEnd)
        while slot <= end {
            let cell = cell(slot)
            if holds(slot)
                && (cell.pointee.state == chosen
                    || (cell.pointee.ballot == a.pointee.commit_ballot
                        && slot <= a.pointee.commit_slot))
            {
                break
            }
            slot = slot &+ 1
        }
        return slot &- 1
    }

    private func takeLearned(_ member: UInt32, _ frame: Frame) {
        let last = frame.pointee.slot &+ UInt64(frame.pointee.count) &- 1
        if UInt32(frame.pointee.state) == PAXOS_RUN_TRIMMED.rawValue {
            passOver(upTo: last)
            if last > a.pointee.decided && last > r.pointee.behind_to { r.pointee.behind_to = last }
            return
        }
        if isCandidate { checkPromises() }
        if isLeader && isOvertaken(by: frame) { stepDown() }
        /* The answer ends here, helped, and more follows: go on at once, but only once. */
        let pauses = frame.pointee.flags & UInt16(PAXOS_FLAG_PAUSE) != 0
        if pauses && a.pointee.decided >= last && last > r.pointee.learned_to {
            r.pointee.learned_to = last
            peer(member).pointee.learn_ns = 0
            noteDecided(member, peer(member).pointee.decided)
        }
    }

    /// Whether what was learned is not what this leader proposed: another one leads by now.
    private func isOvertaken(by frame: Frame) -> Bool {
        if UInt32(frame.pointee.kind) != PAXOS_FRAME_LEARNED.rawValue { return false }
        let last = frame.pointee.slot &+ UInt64(frame.pointee.count) &- 1
        if last >= r.pointee.next_slot { return r.pointee.next_slot > r.pointee.high_slot }
        var slot = max(max(frame.pointee.slot, r.pointee.first_slot), a.pointee.trimmed &+ 1)
        while slot <= last {
            let term = digestBefore(slot &+ 1) &- digestBefore(slot)
            if holds(slot) && term != digestTerm(slot) { return true }
            slot = slot &+ 1
        }
        return false
    }
}
