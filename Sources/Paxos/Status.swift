internal import CPaxos

extension ManualReplica {
    /// What part a node plays.
    public enum Role: Sendable, Hashable {
        /// Votes, and follows the leader if there is one.
        case follower
        /// Tries to lead.
        case candidate
        /// Leads.
        case leader
    }

    /// Where a replica stands, at one moment. Counters count from the replica's making.
    public struct Status: Sendable, Hashable {
        /// This node.
        public let node: NodeID
        /// What part it plays.
        public let role: Role
        /// Who leads as far as this node knows.
        public let leader: NodeID?
        /// Whether it reaches a quorum.
        public let hasQuorum: Bool
        /// The leader's ballot; 0 is none.
        public let ballot: UInt64
        /// Highest ballot promised.
        public let promised: UInt64
        /// All slots up to it are chosen.
        public let decided: UInt64
        /// All slots up to it were handed out as deliveries.
        public let delivered: UInt64
        /// Slots up to it are no longer held.
        public let trimmed: UInt64
        /// Highest slot that holds anything.
        public let lastSlot: UInt64
        /// No peer that is there brings the slots up to it, not from its journal either: this node
        /// cannot catch up without a copy of the state; `nil`: it can.
        public let behindTo: UInt64?
        /// Whether this node lost what it promised, so that it votes and leads no more.
        public let abstains: Bool
        /// Campaigns in a row without success.
        public let campaigns: UInt64
        /// Bytes of the arena that hold nothing.
        public let arenaFreeBytes: UInt64
        /// Frames given to ``ManualReplica/receive(_:now:)``.
        public let framesReceived: UInt64
        /// Of those, malformed ones.
        public let framesMalformed: UInt64
        /// Of those, foreign ones.
        public let framesForeign: UInt64
        /// Requests refused because a higher ballot was promised.
        public let refusedStale: UInt64
        /// Requests refused because other bytes stand under their ballot and slot.
        public let refusedConflict: UInt64
        /// Requests refused because window or arena was full.
        public let refusedFull: UInt64
        /// Requests refused because there was no room for the reply.
        public let refusedBusy: UInt64

        init(_ status: paxos_replica_status_t) {
            node = status.node
            role = status.role == 2 ? .leader : status.role == 1 ? .candidate : .follower
            leader = status.leader == 0 ? nil : status.leader
            hasQuorum = status.quorum != 0
            ballot = status.ballot
            promised = status.promised
            decided = status.decided
            delivered = status.delivered
            trimmed = status.trimmed
            lastSlot = status.last_slot
            behindTo = status.behind_to == 0 ? nil : status.behind_to
            abstains = status.abstains != 0
            campaigns = status.campaigns
            arenaFreeBytes = status.arena_free_bytes
            framesReceived = status.frames_received
            framesMalformed = status.frames_malformed
            framesForeign = status.frames_foreign
            refusedStale = status.refused_stale
            refusedConflict = status.refused_conflict
            refusedFull = status.refused_full
            refusedBusy = status.refused_busy
        }
    }
}
