import CPaxos

/// What of a replica's block its future depends on, as words: two blocks with the same words do the
/// same from here on, call by call, and come to blocks with the same words again.
///
/// Left out, because nothing that the checker calls reads it: clock and deadlines (it never ticks),
/// generator, counters, failed attempts in a row, heartbeat rounds unless heartbeats are explored.
/// Left out, because it is only where things lie: positions in the arena and in the rings, lsns
/// (what counts is how far they are from what is flushed). Left out, because it is the garbage of
/// another role: what a follower keeps of its last candidacy. A test holds all of it against a
/// search that copies whole blocks.
struct NodeEncoding {
    private(set) var words: [UInt64] = []
    private let space: Space
    private let withHeartbeats: Bool
    private let withRejections: Bool
    private let withMarks: Bool
    private let areLikeRepliesOne: Bool

    init(_ space: Space) {
        self.space = space
        let reductions = space.reductions
        withHeartbeats = !reductions.contains(.noHeartbeats)
        withRejections = !reductions.contains(.noRejections)
        withMarks = !reductions.contains(.noNews) || withHeartbeats
        areLikeRepliesOne = reductions.contains(.likeReplies)
        words.reserveCapacity(96)
    }

    mutating func add(_ word: UInt64) { words.append(word) }
    mutating func add(_ entry: EntryWords) {
        words.append(entry.origin)
        words.append(entry.number)
    }

    /// A record on its way to the disk.
    mutating func add(_ record: Packet) {
        let fields = record.fields
        add(UInt64(fields.kind) << 48 | UInt64(fields.flags) << 32 | UInt64(fields.count))
        add(fields.ballot)
        add(fields.slot)
        add(fields.digest)
        add(fields.other)
        add(fields.watermark)
        add(fields.trim)
    }

    /// What a disk means, by the checker's own account.
    mutating func add(_ disk: DiskTable.Disk) {
        add(disk.promised)
        add(UInt64(truncatingIfNeeded: disk.votes))
        add(UInt64(truncatingIfNeeded: disk.votes >> 64))
        for held in disk.held {
            add(held.ballot)
            if let entry = held.entry { add(entry) }
        }
    }

    mutating func add(_ replica: UnsafeMutablePointer<paxos_replica_t>) {
        let a = UnsafeMutableRawPointer(replica).assumingMemoryBound(to: paxos_acceptor_t.self)
        addAcceptor(a)
        addCells(a)
        addReplies(a)
        if !space.isIdle(replica) { addProposer(replica, a) }
    }

    private mutating func addAcceptor(_ a: UnsafeMutablePointer<paxos_acceptor_t>) {
        let acceptor = a.pointee
        add(UInt64(acceptor.node) << 32 | UInt64(acceptor.incarnation))
        add(acceptor.promised)
        add(acceptor.decided)
        add(acceptor.trimmed)
        add(acceptor.last_slot)
        add(UInt64(acceptor.abstains))
        add(acceptor.unknown_from)
        add(acceptor.unknown_to)
        add(withMarks ? acceptor.mark : 0)
        add(withMarks ? acceptor.marked : 0)
        /* Where all is decided that ever will be, no mark has anything left to decide. */
        let isWhole = acceptor.decided >= space.slots
        add(isWhole ? 0 : acceptor.commit_ballot)
        add(isWhole ? 0 : acceptor.commit_slot)
        add(acceptor.stable)
        add(withHeartbeats ? acceptor.following : 0)
        add(acceptor.heartbeats_owed | acceptor.room_owed &<< 32)
        /* Whether the next append stands behind the last one, and how much there still is room. */
        let isOpen = acceptor.open_run != .max && acceptor.open_limit >= acceptor.open_end
        add(isOpen ? acceptor.open_slot : 0)
        add(isOpen ? acceptor.open_limit &- acceptor.open_end : 0)
        if withHeartbeats { add(acceptor.quorum) }
    }

    private mutating func addCells(_ a: UnsafeMutablePointer<paxos_acceptor_t>) {
        for slot in a.pointee.trimmed + 1...a.pointee.trimmed + UInt64(a.pointee.window_slots) {
            let cell = paxos_cell(a, slot).pointee
            guard cell.slot == slot else {
                add(0)
                continue
            }
            add(UInt64(cell.state) << 32 | UInt64(cell.behind) << 1 | 1)
            add(cell.ballot)
            add(EntryWords(paxos_arena(a, cell.position)))
        }
    }

    /// The replies that wait, in the order they wait in. One that only says again what another
    /// says that leaves no later is left out, and so is a rejection that nobody will be told.
    private mutating func addReplies(_ a: UnsafeMutablePointer<paxos_acceptor_t>) {
        let count = words.count
        words.append(0)
        for index in a.pointee.replies_out..<a.pointee.replies_in {
            let reply = paxos_reply(a, index).pointee
            if !withRejections && UInt32(reply.kind) == PAXOS_FRAME_REJECTED.rawValue { continue }
            let waits = reply.lsn > a.pointee.flushed ? reply.lsn - a.pointee.flushed : 0
            let member = UInt64(reply.member) << 16 | UInt64(reply.kind) << 8 | UInt64(reply.pages)
            let fields: [UInt64] = [
                waits, member, reply.ballot, reply.slot, reply.digest, reply.other,
                UInt64(reply.count) << 32 | UInt64(reply.state),
            ]
            if areLikeRepliesOne && hasReply(like: fields, from: count + 1) { continue }
            words += fields
            words[count] += 1
        }
    }

    /// Whether a reply like this one waits before it. What a promise says is looked up when it
    /// leaves, so it must wait for the same record; a vote stays what it is.
    private func hasReply(like reply: [UInt64], from start: Int) -> Bool {
        let isVote = reply[1] >> 8 & 0xFF == UInt64(PAXOS_FRAME_ACCEPTED.rawValue)
        return stride(from: start, to: words.count, by: reply.count).contains { place in
            (isVote || words[place] == reply[0])
                && words[place + 1..<place + reply.count].elementsEqual(reply[1...])
        }
    }

    private mutating func addProposer(
        _ r: UnsafeMutablePointer<paxos_replica_t>, _ a: UnsafeMutablePointer<paxos_acceptor_t>
    ) {
        let replica = r.pointee
        let isCandidate = replica.role == PAXOS_ROLE_CANDIDATE.rawValue
        let isLeader = replica.role == PAXOS_ROLE_LEADER.rawValue
        add(UInt64(replica.role) << 32 | UInt64(replica.alive))
        add(UInt64(replica.active))
        add(replica.number)
        add(replica.delivered)
        if withHeartbeats { add(replica.round) }
        for member in 0..<UInt32(a.pointee.member_count) where member != a.pointee.self_index {
            let peer = paxos_peer(r, member).pointee
            /* Who does not lead asks a peer for what it lacks itself, and wants no more of it. */
            add(isLeader ? peer.decided : max(peer.decided, a.pointee.decided))
            add(peer.promised)
            add(UInt64(peer.owed))
            if isCandidate {
                add(peer.cursor)
                add(peer.unknown_from)
            }
            if isLeader {
                add(peer.told)
                add(peer.next_slot)
            }
            if withHeartbeats {
                add(peer.round)
                add(peer.following)
                add(UInt64(peer.abstains))
            }
        }
        guard isCandidate || isLeader else { return }
        add(replica.ballot)
        let flushed = a.pointee.flushed
        add(isCandidate && replica.promise_lsn > flushed ? replica.promise_lsn - flushed : 0)
        add(replica.first_slot)
        add(replica.high_slot)
        if isLeader {
            add(replica.next_slot)
            add(replica.digest_total)
        }
        addProposals(r, a, isLeader)
    }

    private mutating func addProposals(
        _ r: UnsafeMutablePointer<paxos_replica_t>, _ a: UnsafeMutablePointer<paxos_acceptor_t>,
        _ isLeader: Bool
    ) {
        for slot in a.pointee.trimmed + 1...a.pointee.trimmed + UInt64(a.pointee.window_slots) {
            let proposal = paxos_proposal(a, slot).pointee
            if slot > a.pointee.decided { add(UInt64(proposal.votes)) }
            add(proposal.best_ballot)
            if proposal.best_ballot != 0 {
                add(EntryWords(paxos_arena(a, proposal.best_position)))
            }
            if isLeader && slot >= r.pointee.first_slot && slot < r.pointee.next_slot {
                add(proposal.digest_before)
            }
        }
    }
}
