/// The identity of one proposal: who made it, in which of its lives, as its how-manieth.
///
/// It travels with the value and comes back in ``Delivery/origin``; no two proposals share one.
public struct Proposal: Sendable, Hashable {
    /// Who proposed.
    public let node: NodeID
    /// Its ``Configuration/incarnation`` at that time.
    public let incarnation: UInt32
    /// Counts the proposals of that incarnation, from 1.
    public let number: UInt64

    /// An identity put together again, for instance from a host's own records.
    public init(node: NodeID, incarnation: UInt32, number: UInt64) {
        self.node = node
        self.incarnation = incarnation
        self.number = number
    }
}

/// What became of several values proposed together: the first ones were taken, in order, up to the
/// first that was not.
public struct Admission: Sendable, Hashable {
    /// The first one's identity, `nil` if none was taken; the numbers of the others follow on.
    public let first: Proposal?
    /// How many were taken.
    public let count: Int
    /// Why the next one was not; `nil`: all were taken.
    public let error: ProposeError?

    /// Identities of all that were taken.
    public var proposals: some Collection<Proposal> {
        let first = first
        return (0..<count).lazy.map { index in
            Proposal(
                node: first!.node, incarnation: first!.incarnation,
                number: first!.number + UInt64(index))
        }
    }
}

/// What became of proposals that did not simply come out as deliveries.
///
/// A proposal that was decided says so by being delivered. One that left for another leader may be
/// refused, or its outcome stays unknown until it is seen delivered; this says which. Nothing is
/// tried again under the same number.
public struct Outcome: Sendable, Hashable {
    /// Why there is an outcome.
    public enum Reason: Sendable, Hashable {
        /// Refused, certainly not decided: the node asked does not lead.
        case notLeader
        /// Refused, certainly not decided: the leader's window, pipeline or arena is full.
        case full
        /// Unknown: the leader changed or did not answer. It may still be delivered, once.
        case unknown
    }

    /// The proposals' numbers; node and incarnation are this replica's own.
    public let numbers: ClosedRange<UInt64>
    /// Refused, or unknown.
    public let reason: Reason
    /// Who leads as far as this node knows.
    public let leader: NodeID?
}
