/// A number that names a node for good: from 1, given out in increasing order, never used again.
public typealias NodeID = UInt16

/// What a replica is told once, when it is made. Everything it will ever hold follows from it.
///
/// Start from ``init(cluster:node:members:)`` and change what differs. Properties marked *agreed*
/// must be the same on every member: nodes configured differently refuse each other.
///
/// - Note: A value: any thread may use it.
public struct Configuration: Sendable, Hashable {
    /// Whether a vote must be on disk before anyone hears of it.
    public enum Durability: Sendable, Hashable {
        /// Promises and acceptances leave only after the host said
        /// ``ManualReplica/flushed(upTo:now:)``.
        case durable
        /// Votes live in memory only and no write comes out. A node that restarts has forgotten its
        /// votes: it must never come back under its old ``Configuration/node``.
        case memoryOnly
    }

    /// *Agreed.* The cluster's identity; not 0. Frames of other clusters are dropped.
    public var cluster: UInt64
    /// *Agreed.* Which of the cluster's logs this is.
    public var group: UInt32 = 0
    /// This node; one of ``members``.
    public var node: NodeID
    /// Durable count of this node's starts, from 1: the host raises it each time.
    public var incarnation: UInt32 = 1
    /// *Agreed.* Who takes part: 1 to 31 nodes, in any order, each once.
    public var members: [NodeID]
    /// *Agreed.* Quorum of phase 1; `nil`: a majority. q1 + q2 must exceed the members.
    public var q1: Int?
    /// *Agreed.* Quorum of phase 2; `nil`: a majority.
    public var q2: Int?
    /// *Agreed.* Durable by default; memory-only is a choice one has to write down.
    public var durability: Durability = .durable

    /// Slots held in memory; a power of two up to 1,048,576. What it exceeds ``pipeline`` by is how
    /// far a state machine may lag before its node has to be sent everything anew: four times the
    /// pipeline serves well.
    public var window = 16384
    /// *Agreed.* How many slots a leader may run ahead of what is decided; at most the smallest
    /// ``window`` of the cluster.
    public var pipeline = 4096
    /// *Agreed.* Longest value, in bytes; up to 16 MiB.
    public var valueBytes = 64 << 10
    /// *Agreed.* Longest frame, in bytes, header included; a datagram transport's MTU. It holds at
    /// least the longest value.
    public var frameBytes = 256 << 10
    /// *Agreed.* Bytes of entries that may be under way, undecided; `nil`: a third of the arena.
    public var inflightBytes: Int?
    /// Memory for entries, in bytes; a power of two of at least four frames.
    public var arenaBytes = 16 << 20

    /// Replies that may wait for their flush; a power of two up to 65,536.
    public var replyRing = 256
    /// Journal records that may wait for their flush; a power of two up to 65,536.
    public var writeRing = 1024
    /// Frames with a body that may be unsent, for each member; a power of two up to 65,536.
    public var sendRing = 64
    /// Runs of proposals on their way to another leader; a power of two up to 65,536.
    public var forwardRing = 256

    /// *Agreed.* A silent leader is replaced after about this long; 1 µs or more.
    public var electionTimeout: Duration = .milliseconds(500)
    /// Seed of the randomized delays; the same inputs and seed give the same bytes.
    public var seed: UInt64 = 1
    /// `true`: this node leads only when told to by ``ManualReplica/campaign(now:)``.
    public var manualElections = false

    /// A configuration for servers: majority quorums, durable, a window of 16,384 slots, values up
    /// to 64 KiB, under 18 MiB of memory.
    ///
    /// - Parameters:
    ///   - cluster: the cluster's identity, not 0.
    ///   - node: this node, one of `members`.
    ///   - members: who takes part, 1 to 31 nodes.
    public init(cluster: UInt64, node: NodeID, members: [NodeID]) {
        self.cluster = cluster
        self.node = node
        self.members = members
    }

    /// Checks every rule.
    ///
    /// - Throws: ``ConfigurationError``, which names the first rule that is broken.
    /// - Complexity: O(`members.count` log `members.count`).
    public func validate() throws(ConfigurationError) {
        _ = try checked()
    }

    /// Memory that a ``ManualReplica`` of this configuration takes, in bytes: all it will ever take.
    ///
    /// - Throws: ``ConfigurationError``, as ``validate()``.
    public func blockBytes() throws(ConfigurationError) -> Int {
        var config = try checked()
        return Self.blockBytes(&config)
    }
}

/// A rule of ``Configuration`` is broken.
public struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The rule, in plain words and with the names of ``Configuration``'s properties.
    public let rule: String

    /// The rule, introduced.
    public var description: String { "configuration: \(rule)" }
}
