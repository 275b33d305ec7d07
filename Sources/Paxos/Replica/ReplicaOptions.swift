public import Logging

extension Replica {
    /// Whether whoever reaches the port has to prove that it knows a key.
    public enum Security: Sendable, Hashable {
        /// 32 bytes drawn at random, the same on all members: connections are proved and frames
        /// sealed with it. It does not hide what is sent.
        case key([UInt8])
        /// No key: everything that reaches the port is believed. For networks that nobody else is
        /// on.
        case trusted
    }

    /// What a replica is told when it is opened.
    public struct Options: Sendable {
        /// Cluster, node, members and sizes. ``Configuration/incarnation`` and
        /// ``Configuration/seed`` are the replica's own business: what stands there is not looked
        /// at.
        public var configuration: Configuration
        /// Where the journal is; `nil` if and only if the configuration is memory-only.
        public var directory: String?
        /// Where to listen: a number and a port, as "192.0.2.1:7001" or "[2001:db8::1]:7001". Port
        /// 0 is any free one. `nil`: nowhere, and then only nodes with lower numbers are reached.
        public var listen: String?
        /// Where the others listen. Of a pair the higher number dials: only those of lower numbers
        /// are used.
        public var peers: [NodeID: String] = [:]
        /// A key, or explicitly none.
        public var security: Security
        /// Who hears of leaders, connections, refusals and failures.
        public var logger = Logger(label: "paxos")
        /// Size of the journal, in bytes, all of it taken by ``Replica/format(_:)``; `nil`: what
        /// suits the configuration.
        public var journalBytes: Int?

        /// How many values may stand in line for the replica; and how many reads may be under way,
        /// of which those that were cancelled count until their turn has come.
        public var queueCount = 1 << 16
        /// How many bytes may stand in line.
        public var queueBytes = 64 << 20
        /// How many bytes of deliveries wait for their consumer before the replica holds back; one
        /// run more than that may.
        public var deliveryBytes = 1 << 20
        /// How long a proposal or read waits for a leader, or for room; `nil`: eight election
        /// timeouts.
        public var patience: Duration?
        /// How long the thread looks for work before it sleeps. Sleeping costs tens of microseconds
        /// a message, looking costs a processor.
        public var spin: Duration = .zero

        /// Options for a node of a cluster.
        ///
        /// - Parameters:
        ///   - configuration: cluster, node, members and sizes.
        ///   - directory: where the journal is; `nil`: the configuration is memory-only.
        ///   - listen: where to listen; `nil`: nowhere.
        ///   - security: a key, or explicitly none.
        public init(
            _ configuration: Configuration, directory: String?, listen: String?, security: Security
        ) {
            self.configuration = configuration
            self.directory = directory
            self.listen = listen
            self.security = security
        }
    }
}
