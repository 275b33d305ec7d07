internal import CPaxos

/// Why a value was not taken. Nothing changed; the caller decides whether and when to try again.
public enum ProposeError: Error, Sendable, Hashable {
    /// Nobody leads as far as this node knows: try again when an election is over.
    case noLeader
    /// The leader runs as far ahead as it may: run the effects, then try again.
    case pipelineFull
    /// Window or arena is full: ``ManualReplica/trim(upTo:)`` what was applied, then try again.
    case logFull
    /// A ring of effects is full: drain the effects, then try again.
    case busy
    /// The value is longer than ``Configuration/valueBytes``. It will never be taken.
    case valueTooLarge(limit: Int)

    @inline(never)
    init(_ status: paxos_status_t, valueBytes limit: Int) {
        switch status {
        case PAXOS_ERR_NO_LEADER: self = .noLeader
        case PAXOS_ERR_PIPELINE: self = .pipelineFull
        case PAXOS_ERR_FULL: self = .logFull
        case PAXOS_ERR_BUSY: self = .busy
        case PAXOS_ERR_TOO_LARGE: self = .valueTooLarge(limit: limit)
        default: fatalError("propose came to status \(status.rawValue)")
        }
    }

    /// Whether the same value may be taken later.
    public var isTemporary: Bool {
        if case .valueTooLarge = self { false } else { true }
    }
}

/// Why a frame was not taken, or was answered with a refusal. All but ``corrupt`` are routine: a
/// host may count them and go on.
public enum ReceiveError: Error, Sendable, Hashable {
    /// The sender's ballot is behind; the reply that says so comes out of the effects.
    case stale
    /// Window or arena is full; the same frame may come again.
    case logFull
    /// The bytes are no frame of this version: dropped, nothing changed.
    case malformed
    /// A frame of another cluster, group or node, or of one configured differently: dropped.
    case foreign
    /// Other bytes stand under this very ballot and slot; the refusal comes out of the effects.
    /// On an authenticated link a member is broken: stop this node.
    case conflict
    /// No room for the reply; the same frame may come again.
    case busy
    /// A vote was asked of a node that lost what it promised: it does not answer.
    case abstains
    /// This node's own memory is damaged: stop it.
    case corrupt

    /// `nil` where the frame was taken.
    @inline(never)
    init?(_ status: paxos_status_t) {
        switch status {
        case PAXOS_OK, PAXOS_ERR_TRIMMED: return nil
        case PAXOS_ERR_STALE: self = .stale
        case PAXOS_ERR_FULL: self = .logFull
        case PAXOS_ERR_WIRE: self = .malformed
        case PAXOS_ERR_FOREIGN: self = .foreign
        case PAXOS_ERR_CONFLICT: self = .conflict
        case PAXOS_ERR_BUSY: self = .busy
        case PAXOS_ERR_ABSTAINS: self = .abstains
        case PAXOS_ERR_CORRUPT: self = .corrupt
        default: fatalError("receive came to status \(status.rawValue)")
        }
    }
}

/// A slot, lsn or token that was never given out, or lies ahead of what was delivered.
public struct RangeError: Error, Sendable, Hashable {}
