import CPaxos

/// What a host keeps beside its replica: the log it was handed, the outcomes, the disk.
package struct Host {
    package enum Outcome: Equatable, Sendable {
        case refused(UInt16)
        case unknown
    }

    /// A body that was handed out and not said to be sent.
    struct Unsent {
        let token: UInt64
        let offset: UInt64
        let body: Bytes
        let due: UInt64
    }

    /// Entries delivered so far, from slot 1 on.
    package internal(set) var log: [Entry] = []
    package internal(set) var outcomes: [UInt64: Outcome] = [:]
    /// Numbers of this node's proposals that came out of its own log.
    package internal(set) var decided: Set<UInt64> = []
    package internal(set) var numbers: [UInt64] = []
    /// Records handed out and not flushed.
    package internal(set) var unflushed: [Packet] = []
    var flushDue = UInt64.max
    /// Nothing is flushed any more.
    var isDiskStalled = false
    var unsent: [Unsent] = []
    package internal(set) var trimmed: UInt64 = 0
    /// Silent: it hears nothing, says nothing, and its clock stands still.
    package internal(set) var isDown = false
    /// FETCH effects so far.
    package internal(set) var fetchCount = 0
    package internal(set) var sentCounts = [Int](repeating: 0, count: 16)

    package func sent(_ kind: paxos_frame_kind) -> Int { sentCounts[Int(kind.rawValue)] }

    /// Own proposals whose outcome the host was never told.
    package var silent: [UInt64] {
        numbers.filter { !decided.contains($0) && outcomes[$0] == nil }
    }
}
