internal import CPaxos

/// A run of decided entries, in the order of their slots.
public struct Deliveries: ~Copyable {
    /// First and last slot; the next run starts behind it. Never empty.
    public let slots: ClosedRange<UInt64>
    let entries: UnsafePointer<UInt8>

    /// Gives each command to `body`, in order.
    ///
    /// No-ops, with which a new leader fills gaps, are passed over, so slots may jump.
    ///
    /// - Complexity: O(slots), no allocation, no copy.
    public func forEach<Failure: Error>(
        _ body: (borrowing Delivery) throws(Failure) -> Void
    ) throws(Failure) {
        var entry = entries
        for slot in slots {
            let header = paxos_entry_get(entry)
            if header.kind == UInt8(truncatingIfNeeded: PAXOS_ENTRY_COMMAND.rawValue) {
                let value = UnsafeRawPointer(entry) + Int(PAXOS_ENTRY_HEADER_BYTES)
                try body(
                    Delivery(
                        slot: slot,
                        origin: Proposal(
                            node: header.node, incarnation: header.incarnation,
                            number: header.number),
                        unsafeBytes: UnsafeRawBufferPointer(
                            start: value, count: Int(header.value_bytes))))
            }
            entry += Int(paxos_entry_bytes(header.value_bytes))
        }
    }
}

/// One decided command, read in place.
public struct Delivery: ~Copyable {
    /// Where it stands in the log; the same on every node.
    public let slot: UInt64
    /// Who proposed it.
    public let origin: Proposal
    let unsafeBytes: UnsafeRawBufferPointer

    /// The value.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { _overrideLifetime(RawSpan(_unsafeBytes: unsafeBytes), borrowing: self) }
    }

    /// Calls `body` with the value in place; the pointer is valid within the call only.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(unsafeBytes)
    }

    /// A copy of slot, origin and value. Complexity: O(value), one allocation.
    public func copy() -> LogEntry {
        LogEntry(slot: slot, origin: origin, bytes: Array(unsafeBytes))
    }
}

/// One decided command, copied out of the log.
public struct LogEntry: Sendable, Hashable {
    /// Where it stands in the log.
    public let slot: UInt64
    /// Who proposed it.
    public let origin: Proposal
    /// The value.
    public let bytes: [UInt8]
}
