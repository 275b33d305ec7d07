internal import CPaxos

/// A replica on its way back from a restart: give it the journal, then ``finish(applied:acknowledged:now:)``
/// makes it a ``ManualReplica``.
///
/// The host hands over every ``Record`` that it kept, as it was written, in the order of its lsn. It
/// may have recycled records from the front whose slots a later one says to be trimmed, and then
/// says which one is the first now. A record that is missing is a damaged one.
///
/// - Note: Used by one caller at a time.
public struct Recovery: ~Copyable {
    private let configuration: Configuration
    private let core: ReplicaCore

    /// A replica that waits for its journal.
    ///
    /// - Parameters:
    ///   - configuration: as it was before, with the next ``Configuration/incarnation`` (over 1);
    ///     the window may have grown.
    ///   - lsn: with which ``Record/lsn`` the journal, as the host keeps it, starts.
    ///   - now: the first time; later ones do not run backwards inside.
    /// - Throws: ``ConfigurationError`` naming the broken rule.
    /// - Complexity: O(``Configuration/blockBytes()``).
    public init(
        _ configuration: Configuration, journalStart lsn: UInt64 = 1, now: ManualReplica.Instant
    ) throws(ConfigurationError) {
        core = try ReplicaCore(
            Self.checked(configuration), journalStart: lsn, now: now.nanoseconds)
        self.configuration = configuration
    }

    private static func checked(
        _ configuration: Configuration
    ) throws(ConfigurationError) -> Configuration {
        if configuration.durability == .durable && configuration.incarnation > 1 {
            return configuration
        }
        throw ConfigurationError(rule: "recovery is for a durable node, with an incarnation over 1")
    }

    /// Takes the next record of the journal.
    ///
    /// - Throws: ``RecordError``. Of these ``RecordError/damaged`` and ``RecordError/misplaced`` are
    ///   passed over, the host goes on with the next record; the others end the recovery.
    /// - Complexity: O(body); O(window) where records are missing. No allocation.
    public func take(header: RawSpan, body: RawSpan) throws(RecordError) {
        let status = header.withUnsafeBytes { header in
            body.withUnsafeBytes { body in core.recover(header: header, body: body) }
        }
        if let error = RecordError(status) { throw error }
    }

    /// Says that the journal has no more, and that what was taken is durable.
    ///
    /// - Parameters:
    ///   - slot: the host's state machine is safe up to it: deliveries go on with the next.
    ///   - lsn: the highest lsn that the host knows to have said
    ///     ``ManualReplica/flushed(upTo:now:)`` for; `nil`: it does not know, the journal is not what
    ///     it was. A journal that ends before it has forgotten votes: the replica *abstains* for
    ///     good (``ManualReplica/Status/abstains``), it learns and delivers but neither votes nor
    ///     leads.
    ///   - now: the time.
    /// - Throws: ``RangeError`` if `slot` is below what the host trimmed, or `lsn` was never given out.
    /// - Complexity: O(window).
    public consuming func finish(
        applied slot: UInt64, acknowledged lsn: UInt64?, now: ManualReplica.Instant
    ) throws(RangeError) -> ManualReplica {
        let replica = ManualReplica(core, configuration)
        try replica.core.withLock { core throws(RangeError) in
            try core.recovered(applied: slot, acknowledged: lsn ?? .max, now: now.nanoseconds)
        }
        return replica
    }
}

/// Why a record of the journal was not taken.
public enum RecordError: Error, Sendable, Hashable {
    /// It is damaged, or stands behind a damaged one that was maybe never durable. Go on with the
    /// next. What may have stood there is asked of the other members, never taken for empty.
    case damaged
    /// It came before, or is left from an earlier life: a stale record. Go on with the next.
    case misplaced
    /// A record of another cluster, group or node: this is not the node's journal.
    case foreign
    /// Window or arena cannot hold what they held before: start over with larger ones.
    case logFull

    init?(_ status: paxos_status_t) {
        switch status {
        case PAXOS_OK: return nil
        case PAXOS_ERR_WIRE: self = .damaged
        case PAXOS_ERR_RANGE: self = .misplaced
        case PAXOS_ERR_FOREIGN: self = .foreign
        case PAXOS_ERR_FULL: self = .logFull
        default: fatalError("recover came to status \(status.rawValue)")
        }
    }
}
