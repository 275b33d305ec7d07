import CPaxos

/// Phase 1, and what binds a node for ever.
extension Oracle {
    mutating func sentPrepare(_ frame: UnsafePointer<paxos_frame_t>) {
        requireOwn(frame)
        binds(frame.pointee.ballot, frame.pointee.sender, "PREPARE")
    }

    /// A ballot is its node's own, in one of its lives, and a node's own ballots rise.
    mutating func requireOwn(_ frame: UnsafePointer<paxos_frame_t>) {
        let (node, ballot) = (frame.pointee.sender, frame.pointee.ballot)
        let record = nodes.at(Int(node))
        let isNew = ballot > record.pointee.ownBallot
        require(
            .ballot,
            UInt16(truncatingIfNeeded: ballot) == node
                && (isNew
                    || ballot == record.pointee.ownBallot
                        && frame.pointee.incarnation == record.pointee.ownIncarnation),
            "node \(node), life \(frame.pointee.incarnation): ballot \(name(ballot)) was used")
        if isNew {
            nodes.at(Int(node)).pointee.ownBallot = ballot
            nodes.at(Int(node)).pointee.ownIncarnation = frame.pointee.incarnation
        }
    }

    /// A page of a promise: it must be durable, and tell of every vote that was sent.
    mutating func sentPromise(
        _ frame: UnsafePointer<paxos_frame_t>, _ body: UnsafePointer<UInt8>?
    ) {
        let node = frame.pointee.sender
        binds(frame.pointee.ballot, node, "PROMISE")
        require(
            .vote, !nodes.look(Int(node)).isWrecked, "node \(node) lost its disk and promises")
        if !isPlausible(frame.pointee.slot, UInt64(frame.pointee.count)) { return }
        let state = UInt32(frame.pointee.state)
        if state == PAXOS_RUN_EMPTY.rawValue || state == PAXOS_RUN_ACCEPTED.rawValue {
            requireTold(frame)
        }
        guard frame.pointee.body_bytes > 0, var at = body else { return }
        for slot in frame.pointee.slot..<frame.pointee.slot + UInt64(frame.pointee.count) {
            let entry = paxos_entry_get(at)
            if state == PAXOS_RUN_CHOSEN.rawValue {
                requireChosen(entry, slot, by: node, "reports")
            } else {
                /* A leader that crashed may never have sent what its disk kept: first seen here. */
                sawProposed(entry, frame.pointee.other, slot)
            }
            at += Int(paxos_entry_bytes(entry.value_bytes))
        }
    }

    /// No slot of the page holds less than a vote that was sent before.
    private mutating func requireTold(_ frame: UnsafePointer<paxos_frame_t>) {
        let node = frame.pointee.sender
        let isLast = UInt32(frame.pointee.flags) & PAXOS_FLAG_LAST != 0
        let end = frame.pointee.slot + UInt64(frame.pointee.count)
        let last = isLast ? max(end, nodes.look(Int(node)).votedTo + 1) : end
        for slot in frame.pointee.slot..<last {
            let sent = sentVotes.look(Int(slot) * (members + 1) + Int(node))
            let told = slot < end ? frame.pointee.other : 0
            if sent > told {
                violate(
                    .vote,
                    "node \(node) voted for slot \(slot) in \(name(sent)), and promises "
                        + "\(name(frame.pointee.ballot)) as if it had \(name(told))")
                return
            }
        }
    }

    /// A frame that stands for a promise left the node.
    private mutating func binds(_ ballot: UInt64, _ node: UInt16, _ kind: StaticString) {
        let record = nodes.at(Int(node)).pointee
        if isDurable {
            require(
                .durable, record.durablePromise >= ballot,
                "\(kind) of node \(node) left before promise \(name(ballot)) was durable")
        }
        if ballot > record.sentPromise { nodes.at(Int(node)).pointee.sentPromise = ballot }
    }

    /// What a node says it promised is no less than what it promised.
    @inline(__always)
    mutating func requireKept(_ promise: UInt64, _ node: UInt16, _ what: StaticString) {
        let record = nodes.at(Int(node))
        if promise >= record.pointee.sentPromise || record.pointee.isWrecked { return }
        violate(
            .promise,
            "\(what) of node \(node) names promise \(name(promise)), it gave "
                + name(nodes.look(Int(node)).sentPromise))
    }

    /// What the acceptor of a node has promised, looked at after each step.
    @inline(__always)
    package mutating func saw(promise: UInt64, of node: UInt16) {
        let record = nodes.at(Int(node))
        if promise == record.pointee.promise { return }
        if promise < record.pointee.promise {
            violate(.promise, "node \(node) lowered its promise to \(name(promise))")
        }
        nodes.at(Int(node)).pointee.promise = promise
    }
}
