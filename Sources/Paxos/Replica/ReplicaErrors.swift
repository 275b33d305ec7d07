extension Replica {
    /// A value that was decided.
    public struct Decision: Sendable, Hashable {
        /// Where it stands in the log; the same on every member.
        public let slot: UInt64
        /// The identity with which it is delivered.
        public let proposal: Proposal
    }

    /// What became of one value of a batch.
    public typealias Answer = Result<Decision, ProposalError>

    /// Why a value is not known to be decided.
    public enum ProposalError: Error, Sendable, Hashable {
        /// Certainly not decided, and it never will be: it may be proposed again. `leader` is who
        /// leads as far as this node knows.
        case refused(Refusal, leader: NodeID?)
        /// Nobody can say: the leader changed, the node stopped or the task was cancelled while it
        /// was under way. It may be decided, once, at any time. Proposing it again may decide it
        /// twice, unless the state machine knows commands again.
        case unknown
    }

    /// Why a value was refused.
    public enum Refusal: Sendable, Hashable {
        /// An empty value: those are the marks of ``Replica/read()``.
        case empty
        /// Longer than ``Configuration/valueBytes``.
        case tooLarge(limitBytes: Int)
        /// Too much stands in line, or too many reads do: ``Replica/Options/queueCount``,
        /// ``Replica/Options/queueBytes``.
        case queueFull
        /// Nobody led for as long as ``Replica/Options/patience``.
        case noLeader
        /// The nodes it was forwarded to did not lead, for as long as ``Replica/Options/patience``.
        case notLeader
        /// The leader's window, pipeline or arena was full for as long as
        /// ``Replica/Options/patience``.
        case leaderFull
        /// This node had no room for as long as ``Replica/Options/patience``: is the log trimmed?
        case full
        /// This replica was shut down, or has failed.
        case stopped
    }

    /// Why a replica was not formatted or opened.
    public enum OpenError: Error, Sendable, Hashable {
        /// An option breaks a rule, in plain words.
        case options(String)
        /// Another process has the directory open.
        case directoryLocked(String)
        /// Nothing was formatted there, or a file of it is gone.
        case directoryMissing(String)
        /// Format: a journal, or half of one, is there already.
        case directoryExists(String)
        /// The directory belongs to another cluster or node.
        case directoryForeign(String)
        /// Written by a version that this one does not know.
        case directoryVersion(String)
        /// What is needed to read the directory at all is damaged.
        case directoryCorrupt(String)
        /// The state machine is behind its log: what it lacks was trimmed.
        case applied(String)
        /// The operating system refused something; `error` is its errno.
        case system(String, error: Int32)
    }

    /// Why a replica stopped without being told to.
    public struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        /// In plain words.
        public let description: String
        /// What the operating system said; 0: nothing.
        public let error: Int32
    }

    /// A state machine that is not where the replica was told it is.
    public struct AppliedError: Error, Sendable, Hashable {
        /// What ``Replica/open(_:applied:)`` was told.
        public let opened: UInt64
        /// What the machine says.
        public let durableSlot: UInt64
    }
}

extension Replica.OpenError: CustomStringConvertible {
    /// The cause in one line.
    public var description: String {
        switch self {
        case .options(let what), .applied(let what): what
        case .directoryLocked(let path): "\(path): another process has it open"
        case .directoryMissing(let path): "\(path): no journal was formatted here, or it lost files"
        case .directoryExists(let path): "\(path): a journal is there already"
        case .directoryForeign(let path): "\(path): it belongs to another cluster or node"
        case .directoryVersion(let path): "\(path): written by a version that is not known"
        case .directoryCorrupt(let path): "\(path): neither copy of its superblock can be read"
        case .system(let what, let error): error == 0 ? what : "\(what): \(Words.system(error))"
        }
    }
}

extension Replica.ProposalError: CustomStringConvertible {
    /// The cause in one line.
    public var description: String {
        switch self {
        case .refused(let refusal, let leader):
            "refused: \(refusal)" + (leader.map { "; node \($0) leads" } ?? "")
        case .unknown: "unknown: it may be decided, or not"
        }
    }
}

extension Replica.Refusal: CustomStringConvertible {
    /// The reason in plain words.
    public var description: String {
        switch self {
        case .empty: "an empty value"
        case .tooLarge(let limitBytes): "over \(limitBytes) bytes"
        case .queueFull: "too much stands in line"
        case .noLeader: "no leader was found in time"
        case .notLeader: "the node asked does not lead"
        case .leaderFull: "the leader has no room"
        case .full: "no room was found in time"
        case .stopped: "this replica has stopped"
        }
    }
}
