internal import CPaxos
internal import CPaxosRuntime

extension Replica {
    /// Where a replica stands, at one moment. Counters count from its opening.
    public struct Status: Sendable, Hashable {
        /// Of the log: role, leader, watermarks, refusals.
        public let log: ManualReplica.Status
        /// Which of this node's lives this is.
        public let incarnation: UInt32
        /// The port that is listened on; 0: none.
        public let port: UInt16
        /// The members that are connected.
        public let connected: [NodeID]
        /// Values that stand in line.
        public let waiting: Int
        /// Values that were proposed and have no outcome yet, or wait to be proposed again.
        public let underway: Int
        /// Last slot that the consumer of deliveries was given.
        public let handed: UInt64
        /// Flushes of the journal.
        public let flushes: UInt64
        /// The longest of them.
        public let longestFlush: Duration
        /// Records that wait because the journal is full; it takes a trim to go on.
        public let recordsWaiting: Int
        /// Frames sent to other members.
        public let framesSent: UInt64
        /// Frames received from them.
        public let framesReceived: UInt64
    }
}
