import CPaxos

/// A small cluster whose every behaviour is explored, and which reductions are used to do it.
///
/// Three members, each a whole replica of the shipping code. Every ballot's round is bounded for
/// each node, and so is the number of slots; all else is free: any order of deliveries, any loss,
/// any repetition, any delay of a flush, and crashes with restart as often as said.
package struct Space: Sendable {
    package static let nodeCount = 3

    package var name: String
    /// Highest round of a ballot that node 1, 2 and 3 may campaign with; 0: it only votes.
    package var rounds: [UInt64]
    /// Leaders propose into slots 1 to `slots`.
    package var slots: UInt64
    /// How often node 1, 2 and 3 may crash and come back with what its disk holds.
    package var restarts: [UInt32]
    package var reductions: Reductions
    /// Replies that may wait for their flush; a request is not taken while they do.
    package var replies: UInt32 = 8
    /// A disk that loses its last record in a crash, whatever it said: to see that this is noticed.
    package var isForgetful = false

    package init(
        name: String, rounds: [UInt64], slots: UInt64 = 1, restarts: [UInt32] = [0, 0, 0],
        reductions: Reductions = .usual
    ) {
        precondition(rounds.count == Space.nodeCount && restarts.count == Space.nodeCount)
        self.name = name
        self.rounds = rounds
        self.slots = slots
        self.restarts = restarts
        self.reductions = reductions
    }

    /// Whether a node has no part any more but to vote and to answer: it knows all that this space
    /// decides, so it does not campaign, and if it leads, or comes to lead, it has nothing to say.
    func isIdle(_ replica: UnsafeMutablePointer<paxos_replica_t>) -> Bool {
        let decided = replica.pointee.acceptor.decided
        guard decided >= slots, reductions.isSuperset(of: [.noIdleLeaders, .noHeartbeats]) else {
            return false
        }
        let isLeader = replica.pointee.role == PAXOS_ROLE_LEADER.rawValue
        if isLeader && replica.pointee.next_slot <= slots { return false }
        return (0..<UInt32(Space.nodeCount)).allSatisfy { member in
            let peer = paxos_peer(replica, member).pointee
            let isTold =
                member == replica.pointee.acceptor.self_index || !isLeader
                || max(peer.told, peer.decided) >= decided
            return isTold && UInt32(peer.owed) & PAXOS_OWED_PREPARE.rawValue == 0
        }
    }

    /// What a node of this space is told at init.
    func config(node: UInt16, incarnation: UInt32) -> paxos_config_t {
        var config = paxos_config_t()
        paxos_config_default(&config)
        config.cluster = 1
        config.node = node
        config.incarnation = incarnation
        config.member_count = UInt16(Space.nodeCount)
        withUnsafeMutableBytes(of: &config.members) { raw in
            let members = raw.bindMemory(to: UInt16.self)
            for index in 0..<Space.nodeCount { members[index] = UInt16(index + 1) }
        }
        config.window_slots = slots < 2 ? 2 : 4
        config.pipeline_slots = 2
        config.value_bytes_max = 8
        config.frame_bytes_max = 160
        config.arena_bytes = 4096
        config.reply_ring = replies
        config.write_ring = 8
        config.send_ring = 8
        config.forward_ring = 1
        config.manual_elections = 1
        return config
    }
}

/// Ways to explore fewer states without missing a violation. What each rests on is argued in
/// Checker.md; each is switched off once, in a smaller space, by a test.
package struct Reductions: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// A message that can do nothing any more is removed.
    package static let deadMessages = Reductions(rawValue: 1)
    /// Messages that differ only in what their receiver does not read are one.
    package static let likeMessages = Reductions(rawValue: 2)
    /// Heartbeats and their answers are not delivered.
    package static let noHeartbeats = Reductions(rawValue: 4)
    /// Rejections are not delivered.
    package static let noRejections = Reductions(rawValue: 8)
    /// Nobody asks to learn; a node that lags stays behind.
    package static let noLearning = Reductions(rawValue: 16)
    /// A flush happens in the step that wrote, if nothing left the node in it.
    package static let promptFlush = Reductions(rawValue: 32)

    /// A reply like one that waits already is the same one.
    package static let likeReplies = Reductions(rawValue: 64)
    /// Only leaders say what is decided.
    package static let noNews = Reductions(rawValue: 128)
    /// A question for decided slots that can be answered is answered before all else, and once.
    package static let promptAnswers = Reductions(rawValue: 256)
    /// A node that knows every slot of the space decided neither campaigns nor leads.
    package static let noIdleLeaders = Reductions(rawValue: 512)

    package static let usual: Reductions = [
        .deadMessages, .likeMessages, .likeReplies, .noHeartbeats, .noRejections, .noNews,
        .noIdleLeaders, .promptAnswers, .promptFlush,
    ]
    package static let names: [(name: String, reduction: Reductions)] = [
        ("dead-messages", .deadMessages), ("like-messages", .likeMessages),
        ("like-replies", .likeReplies), ("no-heartbeats", .noHeartbeats),
        ("no-rejections", .noRejections), ("no-learning", .noLearning), ("no-news", .noNews),
        ("no-idle-leaders", .noIdleLeaders), ("prompt-answers", .promptAnswers),
        ("prompt-flush", .promptFlush),
    ]

    /// Their names, in the order of the list.
    package var words: [String] {
        Reductions.names.filter { contains($0.reduction) }.map(\.name)
    }
}
