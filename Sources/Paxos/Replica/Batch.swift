internal import CPaxos

extension Replica {
    /// A run of decided slots, copied out of the log in one piece.
    ///
    /// It covers every slot of ``slots``, but not every slot holds a command: no-ops, with which a
    /// new leader fills gaps, and the marks of ``Replica/read()`` are passed over. A batch may even
    /// hold no command at all; a state machine takes note of its last slot all the same.
    public struct Batch: Sendable {
        /// First and last slot; the next batch starts behind it. Never empty.
        public let slots: ClosedRange<UInt64>
        let entries: [UInt8]

        /// Gives each command to `body`, in order.
        ///
        /// - Complexity: O(bytes), no allocation, no copy.
        public func forEach<Failure: Error>(
            _ body: (borrowing Delivery) throws(Failure) -> Void
        ) throws(Failure) {
            var failure: Failure?
            entries.withUnsafeBufferPointer { bytes in
                guard let start = bytes.baseAddress else { return }
                do throws(Failure) {
                    try Deliveries(slots: slots, entries: start).forEach {
                        (delivery) throws(Failure) in
                        if delivery.unsafeBytes.count > 0 { try body(delivery) }
                    }
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
        }

        /// Copies of all commands, in order. Complexity: O(bytes), an allocation for each.
        public var commands: [LogEntry] {
            var commands: [LogEntry] = []
            forEach { commands.append($0.copy()) }
            return commands
        }
    }
}
