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
        if hasShortWay && isLeader {
            if paxos_header_is_accepted(
                a, r.pointee.ballot, header, headerBytes, bodyBytes, &member)
            {
                return takeAccepted(member, header)
            }
        } else if hasShortWay && !isCandidate
            && paxos_accept_next(a, header, headerBytes, entries, bodyBytes, &member)
        {
            follow(paxos_get64_scalar(header + 40))
            let watermark = paxos_get64_scalar(header + 56)
            hear(member, watermark)
            noteDecided(member, watermark)
            return PAXOS_OK
        }
        var frame = paxos_frame_t()
        let decoded = paxos_voter_decode(a, header, headerBytes, bodyBytes, &frame, &member)
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
        let status = paxos_voter_take(a, member, frame, entries)
        if status == PAXOS_ERR_WIRE || status == PAXOS_ERR_FOREIGN || status == PAXOS_ERR_BUSY {
            /* Of what was learned, some may be held although the ring of writes is full now. */
            if mayReplace && status == PAXOS_ERR_BUSY && isOvertaken(by: frame) {
                stepDown()
                lose(mine)
            }
            let brings = UInt32(frame.pointee.kind) == PAXOS_FRAME_LEARNED.rawValue
            if brings && status == PAXOS_ERR_BUSY { awaitRoom(for: member) }
            return status
        }
        if frame.pointee.kind == UInt8(truncatingIfNeeded: PAXOS_FRAME_ACCEPT.rawValue) {
            if status == PAXOS_ERR_FULL || status == PAXOS_OK && isBeyondWindow(frame) {
                r.pointee.serving = member &+ 1
            } else {
                goOnLearning() /* its word may have made room for what was cut off before */
            }
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

    /// Whether the last slots of an Accept found no room. Like one that found none at all, it is sent
    /// again as soon as its sender hears of some, which may be at once: its word of what may be
    /// forgotten counts all the same.
    @inline(__always)
    private func isBeyondWindow(_ frame: Frame) -> Bool {
        frame.pointee.slot &+ UInt64(frame.pointee.count) &- 1 > windowEnd
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
        trimWhatWaits()
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
            takeLearned(member, frame, taken)
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

    /// Ask for the decided slots missing here: whoever speaks now; if somebody was asked in vain, by
    /// lot the next one. They are asked for once until they come or are overdue: with a long way
    /// between, every frame that arrives meanwhile would ask for the same again, and each answer for
    /// the next. By lot, as in strict turn the one that can help may be asked only ever at moments
    /// when it has no room for the answer.
    @inline(never)
    private func askToLearn(_ speaker: UInt32) {
        if r.pointee.stalls != 0 { return } /* an answer could not be kept */
        if isBrought { return }
        let isOverdue = r.pointee.asked_slot == a.pointee.decided &+ 1
        let isOther = isGone(speaker) || isOverdue && random(below: 2) == 0
        let member = isOther ? nextHelper ?? speaker : speaker
        let peer = peer(member)
        let pause = isGone(member) ? period : period &>> 3
        if peer.pointee.learn_ns != 0 && now &- peer.pointee.learn_ns < pause { return }
        peer.pointee.learn_ns = now == 0 ? 1 : now
        r.pointee.asked_of = member
        expectLearned()
        owe(member, PAXOS_OWED_LEARN)
    }

    /// Whom to ask next: one who did not say that it is gone, as long as there is one.
    private var nextHelper: UInt32? {
        helper(among: r.pointee.alive & ~r.pointee.gone) ?? helper(among: r.pointee.alive)
    }

    /// The first after the one asked last that knows more than this node.
    private func helper(among members: UInt32) -> UInt32? {
        for step in 1...memberCount {
            let member = (r.pointee.asked_of &+ step) % memberCount
            if members & (1 &<< member) != 0
                && peer(member).pointee.decided > a.pointee.decided
            {
                return member
            }
        }
        return nil
    }

    private func isGone(_ member: UInt32) -> Bool { r.pointee.gone & (1 &<< member) != 0 }

    /// Whether what is missing here is under way, or there is no room for it yet.
    private var isBrought: Bool {
        r.pointee.asked_slot == a.pointee.decided &+ 1 && now &- r.pointee.asked_ns < period &>> 1
    }

    private func expectLearned() {
        r.pointee.asked_slot = a.pointee.decided &+ 1
        r.pointee.asked_ns = now
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

    private func takeLearned(_ member: UInt32, _ frame: Frame, _ taken: Status) {
        let last = frame.pointee.slot &+ UInt64(frame.pointee.count) &- 1
        noteTrimmed(frame.pointee.trim)
        if UInt32(frame.pointee.state) == PAXOS_RUN_TRIMMED.rawValue {
            passOver(upTo: last)
            r.pointee.asked_slot = 0
            if last > a.pointee.decided { noteGone(member, last) }
            noteDecided(member, frame.pointee.watermark)
            return
        }
        r.pointee.gone &= ~(1 &<< member)
        if isCandidate { checkPromises() }
        if isLeader && isOvertaken(by: frame) { stepDown() }
        /* The answer ends here, helped, and more follows: go on at once, but only once. */
        let pauses = frame.pointee.flags & UInt16(PAXOS_FLAG_PAUSE) != 0
        if pauses && a.pointee.decided >= last && last > r.pointee.learned_to {
            r.pointee.learned_to = last
            awaitRoom(for: member)
            goOnLearning()
        } else if taken == PAXOS_ERR_FULL {
            awaitRoom(for: member)
        } else if !pauses && last < frame.pointee.watermark {
            expectLearned() /* the rest of the answer */
        }
    }

    private func awaitRoom(for member: UInt32) {
        r.pointee.serving = member &+ 1
        expectLearned()
    }

    /// There is room, maybe enough for what a member had to keep back: ask it for what it has decided;
    /// where that is nothing, its Accepts are missing, and it is told. A few slots alone would not be
    /// worth the way.
    func goOnLearning() {
        if r.pointee.serving == 0 { return }
        let member = r.pointee.serving &- 1
        let decided = a.pointee.decided
        let half = UInt64(a.pointee.window_slots &>> 1)
        let told = peer(member).pointee.decided
        if told > decided {
            if windowEnd < min(decided &+ half, told) { return }
            peer(member).pointee.learn_ns = 0
            r.pointee.asked_slot = 0
            noteDecided(member, told)
        } else {
            if windowEnd < min(decided &+ half, a.pointee.last_slot &+ half &>> 1)
                || paxos_arena_free(a) < a.pointee.arena_bytes &>> 2
            {
                return
            }
            a.pointee.room_owed |= UInt64(truncatingIfNeeded: 1 &<< member as UInt32)
        }
        r.pointee.serving = 0
    }

    /// A peer has trimmed up to there: it is decided, and this node cannot lead as long as it misses
    /// that. One of those who can vote does not, or it would not have been trimmed.
    func noteTrimmed(_ slot: UInt64) {
        if slot > r.pointee.trimmed_to { r.pointee.trimmed_to = slot }
    }

    /// A peer cannot bring the slots up to there, not from its journal either.
    private func noteGone(_ member: UInt32, _ slot: UInt64) {
        r.pointee.gone |= 1 &<< member
        if slot > r.pointee.behind_to { r.pointee.behind_to = slot }
    }

    /// Up to where what this node misses is gone at every peer that is there and knows more than it;
    /// 0 if one may bring it.
    var behindTo: UInt64 {
        if r.pointee.behind_to <= a.pointee.decided { return 0 }
        let candidates = r.pointee.alive & ~r.pointee.gone
        return helper(among: candidates) == nil ? r.pointee.behind_to : 0
    }

    /// Whether what was learned is not what this leader proposed: another one leads by now.
    private func isOvertaken(by frame: Frame) -> Bool {
        if UInt32(frame.pointee.kind) != PAXOS_FRAME_LEARNED.rawValue { return false }
        let last = frame.pointee.slot &+ UInt64(frame.pointee.count) &- 1
        if last >= r.pointee.next_slot { return last > r.pointee.high_slot }
        var slot = max(max(frame.pointee.slot, r.pointee.first_slot), a.pointee.trimmed &+ 1)
        while slot <= last {
            let term = digestBefore(slot &+ 1) &- digestBefore(slot)
            if holds(slot) && term != digestTerm(slot) { return true }
            slot = slot &+ 1
        }
        return false
    }
}
