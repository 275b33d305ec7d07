/// What must hold, by name. A violation names one of them.
package enum Invariant: String, CaseIterable, Sendable {
    /// A slot has one value, for ever.
    case oneValue = "one value a slot"
    /// A ballot proposes one value in a slot, whatever happens to its leader.
    case oneProposal = "one value a ballot and slot"
    /// P2b: what is chosen is what every higher ballot proposes.
    case carried = "a higher ballot carries what is chosen"
    /// What is decided was proposed, byte for byte.
    case proposed = "only what was proposed is decided"
    /// Only what a quorum accepted is said to be decided.
    case chosen = "decided is what a quorum accepted"
    /// Deliveries come slot by slot, without holes, and go on after a restart where they ended.
    case order = "deliveries are without holes"
    /// What was delivered once is never gone: all that can follow reach it.
    case kept = "no acknowledged proposal is lost"
    /// A node's promise only rises, also across its crashes.
    case promise = "promises never decrease"
    /// A vote that was sent is never denied or contradicted, also after a restart.
    case vote = "a vote that was sent is never denied"
    /// A ballot has one leader in one of its lives.
    case ballot = "one leader a ballot"
    /// What must be durable first is on the disk when it leaves.
    case durable = "nothing leaves before it is durable"
    /// Refused was not, and will not be, decided.
    case refused = "refused is not decided"
    /// A proposal is decided once.
    case once = "decided once"
    /// Each proposal ends as decided, refused or unknown.
    case outcome = "no outcome is passed over in silence"
    /// What clients of a map are answered could have come from one map.
    case linearizable = "what clients see is linearizable"
    /// The bytes that an effect names stay until flushed or sent.
    case bytes = "bytes of an effect stay as they are"
    /// The block keeps its size and nothing writes beside it; the host's rings never overflow.
    case memory = "memory is fixed"
    /// A frame of ours is never malformed; a replica never calls itself corrupt; no busy loop.
    case conduct = "a replica keeps to its interface"
    /// When faults stop and a quorum is connected, a proposal commits in four election timeouts; in
    /// eight where the network goes on losing many messages.
    case progress = "progress within four election timeouts"
}

/// An invariant that did not hold, and how it was seen.
package struct Violation: CustomStringConvertible, Sendable, Equatable {
    package let invariant: Invariant
    package let detail: String
    package var description: String { "\(invariant.rawValue): \(detail)" }
}
