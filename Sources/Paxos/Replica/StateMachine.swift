/// What decided commands are applied to, on every member alike.
///
/// The same commands come to every member in the same order, so `apply` decides by nothing but the
/// state and the commands: no clock, no chance, no iteration over unordered collections.
/// ``Replica/run(_:)`` applies what is decided, and trims the log by ``durableSlot``.
public protocol StateMachine: Sendable {
    /// Every slot up to it is applied, in a way that outlives this program; 0: nothing is.
    ///
    /// After a restart deliveries go on behind it. What lies above it stays in the log: a machine
    /// that never raises it brings its cluster to a halt when the window is full. A machine in
    /// memory does for a memory-only cluster, whose nodes never come back: there it is what is
    /// applied.
    var durableSlot: UInt64 { get }

    /// Applies all commands of a batch, in order, and takes note of `batch.slots.upperBound`.
    ///
    /// Called by one task at a time, each batch once in the life of a ``Replica``. A machine that
    /// takes long holds back the log, not the node: votes and heartbeats go on meanwhile.
    ///
    /// - Throws: whatever keeps it from being applied; ``Replica/run(_:)`` ends with it.
    mutating func apply(_ batch: Replica.Batch) throws
}
