import CPaxos

/// What must hold in every world, whatever happens in it. It sees only what leaves the replicas:
/// frames, records, deliveries and outcomes, and it looks at each as it comes.
///
/// Source: Lamport, "Paxos Made Simple" (2001), section 2.1: "Only a value that has been proposed
/// may be chosen; only a single value is chosen; and a process never learns that a value has been
/// chosen unless it actually has been." A value is chosen when q2 nodes have voted for it under one
/// ballot. A vote of a durable node counts once its record is flushed.
///
/// Its files: `Oracle+Frames` what leaves a node, `+Votes` ballots and what is chosen, `+Promises`,
/// `+Disk` records, `+Log` proposals, deliveries and outcomes.
///
/// - Complexity: O(1) for each slot that a frame, record or delivery names.
package struct Oracle: ~Copyable {
    private(set) var members: Int
    private(set) var q2: Int
    private(set) var isDurable: Bool
    var slots = Table(SlotRecord())
    var votes = Table(Vote())
    /// For each slot and node the highest ballot of a vote that was sent.
    var sentVotes = Table<UInt64>(0)
    var nodes: Table<NodeRecord>
    var proposals = Table(Proposal())
    var lives = Table(Life())
    /// Every slot up to it is chosen.
    package internal(set) var chosenTo: UInt64 = 0
    /// How many slots are chosen.
    package internal(set) var chosenCount = 0
    /// The highest slot that anyone delivered.
    package internal(set) var deliveredTo: UInt64 = 0
    /// The run of the ACCEPT seen last: a leader sends the same one to each peer.
    var lastAccept = AcceptMark()
    package internal(set) var violations: [Violation] = []

    package init(members: Int, q2: Int, isDurable: Bool) {
        self.members = members
        self.q2 = q2
        self.isDurable = isDurable
        nodes = Table(NodeRecord(), capacity: members + 1)
    }

    /// A new world, in the memory of the last one.
    mutating func begin(members: Int, q2: Int, isDurable: Bool) {
        (self.members, self.q2, self.isDurable) = (members, q2, isDurable)
        slots.removeAll()
        votes.removeAll()
        sentVotes.removeAll()
        nodes.removeAll()
        proposals.removeAll()
        lives.removeAll()
        (chosenTo, chosenCount, deliveredTo) = (0, 0, 0)
        lastAccept = AcceptMark()
        violations.removeAll()
    }

    /// Slots beyond it are no slots of a test: a mutated core may name any.
    static let slotLimit: UInt64 = 1 << 22

    /// Whether `slot` is one that this world can have come to.
    mutating func isPlausible(_ slot: UInt64, _ count: UInt64 = 1) -> Bool {
        let fits = slot >= 1 && slot < Self.slotLimit && count < Self.slotLimit
        require(.conduct, fits, "slot \(slot)+\(count) is out of all bounds")
        return fits
    }

    @inline(__always)
    mutating func require(
        _ invariant: Invariant, _ holds: Bool, _ detail: @autoclosure () -> String
    ) {
        if !holds { violate(invariant, detail()) }
    }

    /// Note a violation. The first few of a world say all there is to say.
    @inline(never)
    package mutating func violate(_ invariant: Invariant, _ detail: String) {
        if violations.count < 16 {
            violations.append(Violation(invariant: invariant, detail: detail))
        }
    }
}

/// What identifies an entry, byte for byte: its checksum and its origin, mixed. Never 0.
package typealias ValueID = UInt64

@inline(__always)
package func valueID(_ entry: paxos_entry_t) -> ValueID {
    var id = UInt64(entry.checksum) &* 0x9E37_79B9_7F4A_7C15
    id ^= UInt64(entry.incarnation) << 32 | UInt64(entry.kind) << 16 | UInt64(entry.node)
    id = (id ^ (id >> 29)) &* 0xBF58_476D_1CE4_E5B9
    id ^= entry.number
    id = (id ^ (id >> 32)) &* 0x94D0_49BB_1331_11EB
    return id | 1
}

/// What is known of a slot.
struct SlotRecord: BitwiseCopyable {
    /// The value that is chosen; 0: none yet.
    var chosen: ValueID = 0
    /// The lowest ballot under which it was seen chosen.
    var ballot: UInt64 = 0
    /// The newest of the slot's votes, plus 1; 0: none.
    var votes: UInt32 = 0
    var checksum: UInt32 = 0
}

/// What was proposed under one ballot for one slot, and who voted for it.
struct Vote: BitwiseCopyable {
    var ballot: UInt64 = 0
    /// 0: not seen yet.
    var value: ValueID = 0
    var checksum: UInt32 = 0
    /// Nodes, a bit each.
    var voters: UInt32 = 0
    /// Nodes whose disk has the vote.
    var durable: UInt32 = 0
    /// It was made by hand, without a phase 1: it need not carry what is chosen.
    var isOutside = false
    /// The vote of another ballot for the slot, plus 1; 0: none.
    var next: UInt32 = 0
}

struct NodeRecord: BitwiseCopyable {
    var incarnation: UInt32 = 1
    /// Its disk is lost, or what it acknowledged cannot be read now: it may not vote, and what it
    /// forgot is no news.
    var isWrecked = false
    /// Its disk was lost: for good.
    var isLost = false
    /// Highest ballot in a flushed record.
    var durablePromise: UInt64 = 0
    /// Highest ballot of a PREPARE, PROMISE or vote that left it.
    var sentPromise: UInt64 = 0
    /// As its acceptor said last, in this life.
    var promise: UInt64 = 0
    /// Highest ballot that it sent as its own, and in which of its lives.
    var ownBallot: UInt64 = 0
    var ownIncarnation: UInt32 = 0
    /// Highest slot that it sent a vote for.
    var votedTo: UInt64 = 0
    var delivered: UInt64 = 0
    var proposalCount = 0
}

/// A life of a node: where its proposals stand.
struct Life: BitwiseCopyable {
    var first = 0
    var count = 0
}

struct Proposal: BitwiseCopyable {
    /// 0: never made.
    var value: ValueID = 0
    /// Where it was delivered; 0: nowhere yet.
    var slot: UInt64 = 0
    var isRefused = false
    /// Its node was told that the outcome is unknown.
    var isUnknown = false
}

struct AcceptMark: BitwiseCopyable {
    var ballot: UInt64 = 0
    var slot: UInt64 = 0
    var count: UInt32 = 0
    var digest: UInt64 = 0
    var incarnation: UInt32 = 0
    var flags: UInt16 = 0
}
