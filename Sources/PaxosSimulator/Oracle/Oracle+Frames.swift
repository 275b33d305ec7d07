import CPaxos

/// What leaves a node.
extension Oracle {
    /// A frame left its sender. `body` is its bytes, nil where it has none.
    package mutating func sent(
        _ frame: UnsafePointer<paxos_frame_t>, _ body: UnsafePointer<UInt8>?
    ) {
        switch UInt32(frame.pointee.kind) {
        case PAXOS_FRAME_ACCEPT.rawValue: sentAccept(frame, body)
        case PAXOS_FRAME_ACCEPTED.rawValue: sentAccepted(frame)
        case PAXOS_FRAME_COMMIT.rawValue: break
        case PAXOS_FRAME_PREPARE.rawValue: sentPrepare(frame)
        case PAXOS_FRAME_PROMISE.rawValue: sentPromise(frame, body)
        case PAXOS_FRAME_HEARTBEAT.rawValue, PAXOS_FRAME_HEARTBEAT_REPLY.rawValue:
            requireKept(frame.pointee.other, frame.pointee.sender, "a heartbeat")
        case PAXOS_FRAME_LEARNED.rawValue: sentLearned(frame, body)
        default: break
        }
        if frame.pointee.watermark > chosenTo {
            violate(
                .chosen,
                "node \(frame.pointee.sender) names watermark \(frame.pointee.watermark), "
                    + "chosen is up to \(chosenTo)")
        }
    }

    private mutating func sentAccept(
        _ frame: UnsafePointer<paxos_frame_t>, _ body: UnsafePointer<UInt8>?
    ) {
        let mark = AcceptMark(
            ballot: frame.pointee.ballot, slot: frame.pointee.slot, count: frame.pointee.count,
            digest: frame.pointee.digest, incarnation: frame.pointee.incarnation,
            flags: frame.pointee.flags)
        if isLast(mark) || !isPlausible(mark.slot, UInt64(mark.count)) { return }
        lastAccept = mark
        requireOwn(frame)
        let hasVoted = UInt32(mark.flags) & PAXOS_FLAG_VOTED != 0
        require(.durable, !(hasVoted && isDurable), "a durable vote rides on its own ACCEPT")
        var slot = mark.slot
        guard var at = body else { return }
        for _ in 0..<mark.count {
            let entry = paxos_entry_get(at)
            sawProposed(entry, mark.ballot, slot)
            if hasVoted { count(mark.ballot, slot, by: frame.pointee.sender) }
            at += Int(paxos_entry_bytes(entry.value_bytes))
            slot += 1
        }
    }

    @inline(__always)
    private func isLast(_ mark: AcceptMark) -> Bool {
        mark.ballot == lastAccept.ballot && mark.slot == lastAccept.slot
            && mark.count == lastAccept.count && mark.digest == lastAccept.digest
            && mark.incarnation == lastAccept.incarnation && mark.flags == lastAccept.flags
    }

    private mutating func sentAccepted(_ frame: UnsafePointer<paxos_frame_t>) {
        let (ballot, slot) = (frame.pointee.ballot, frame.pointee.slot)
        let (node, runCount) = (frame.pointee.sender, UInt64(frame.pointee.count))
        if runCount == 0 || !isPlausible(slot, runCount) { return }
        let record = nodes.at(Int(node))
        let promised = record.pointee.sentPromise
        require(
            .promise, ballot >= promised,
            "node \(node) votes in \(name(ballot)) after it promised \(name(promised))")
        require(.vote, !record.pointee.isWrecked, "node \(node) lost its disk and votes")
        nodes.at(Int(node)).pointee.sentPromise = ballot
        if slot + runCount - 1 > record.pointee.votedTo {
            nodes.at(Int(node)).pointee.votedTo = slot + runCount - 1
        }
        var digest: UInt64 = 0
        var isKnown = true
        for slot in slot..<slot + runCount {
            let vote = vote(ballot, slot)
            digest &+= paxos_digest_term(slot, vote.pointee.checksum)
            isKnown = isKnown && vote.pointee.value != 0
            if isDurable {
                if vote.pointee.durable & 1 << UInt32(node) == 0 {
                    violate(
                        .durable,
                        "node \(node) voted for slot \(slot) in \(name(ballot)) before its flush")
                }
            } else {
                count(ballot, slot, by: node)
            }
            let sent = sentVotes.at(Int(slot) * (members + 1) + Int(node))
            if ballot > sent.pointee { sent.pointee = ballot }
        }
        require(
            .oneProposal, isKnown && digest == frame.pointee.digest,
            "node \(node) voted in \(name(ballot)) for other bytes in slot \(slot)+\(runCount)")
    }

    private mutating func sentLearned(
        _ frame: UnsafePointer<paxos_frame_t>, _ body: UnsafePointer<UInt8>?
    ) {
        var slot = frame.pointee.slot
        if !isPlausible(slot, UInt64(frame.pointee.count)) { return }
        guard var at = body, frame.pointee.body_bytes > 0 else { return }
        for _ in 0..<frame.pointee.count {
            let entry = paxos_entry_get(at)
            requireChosen(entry, slot, by: frame.pointee.sender, "teaches")
            at += Int(paxos_entry_bytes(entry.value_bytes))
            slot += 1
        }
    }
}
