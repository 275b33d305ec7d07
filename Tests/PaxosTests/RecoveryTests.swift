import Paxos
import Testing

/// A durable node that stops and comes back with its journal.
@Suite struct RecoveryTests {
    private struct Kept {
        var header: [UInt8]
        var body: [UInt8]
    }

    private func configuration(_ incarnation: UInt32) -> Configuration {
        var configuration = Configuration.small(node: 1, members: [1])
        configuration.durability = .durable
        configuration.incarnation = incarnation
        return configuration
    }

    /// Runs the effects of a cluster of one: what was written, and what was delivered.
    private func settle(
        _ replica: ManualReplica, at now: ManualReplica.Instant
    ) throws -> ([Kept], [LogEntry]) {
        var records: [Kept] = []
        var log: [LogEntry] = []
        var last: UInt64 = 0
        while replica.drain({ effect in
            switch effect {
            case .write(let record):
                records.append(
                    Kept(
                        header: record.header.withUnsafeBytes { Array($0) },
                        body: record.body.withUnsafeBytes { Array($0) }))
                last = record.lsn
            case .deliver(let run): run.forEach { log.append($0.copy()) }
            default: break
            }
        }) > 0 {
            if last > 0 { try replica.flushed(upTo: last, now: now) }
        }
        return (records, log)
    }

    private func firstLife(values: Int) throws -> [Kept] {
        let replica = try ManualReplica(configuration(1), now: .init(nanoseconds: 0))
        var now = ManualReplica.Instant(nanoseconds: 0)
        var records: [Kept] = []
        while replica.status.role != .leader {
            now = now.advanced(by: .milliseconds(100))
            replica.tick(now: now)
            records += try settle(replica, at: now).0
        }
        for number in 0..<values {
            try replica.propose(value(number))
            records += try settle(replica, at: now).0
        }
        return records
    }

    @Test("deliveries go on behind what the state machine applied")
    func recovers() throws {
        let records = try firstLife(values: 5)
        var now = ManualReplica.Instant(nanoseconds: 0)
        let recovery = try Recovery(configuration(2), now: now)
        for record in records {
            try recovery.take(header: record.header.span.bytes, body: record.body.span.bytes)
        }
        let replica = try recovery.finish(applied: 2, acknowledged: 6, now: now)
        #expect(replica.incarnation == 2 && !replica.status.abstains)
        var log: [LogEntry] = []
        while log.count < 3 {
            now = now.advanced(by: .milliseconds(100))
            replica.tick(now: now)
            log += try settle(replica, at: now).1
            try #require(now < .init(nanoseconds: 60_000_000_000))
        }
        #expect(log.map(\.bytes) == (2..<5).map(value))
    }

    @Test("the host says where its journal starts: a record that is missing there is noticed")
    func journalStart() throws {
        let records = try firstLife(values: 3)
        for (start, leads) in [(3, true), (2, false)] as [(UInt64, Bool)] {
            var now = ManualReplica.Instant(nanoseconds: 0)
            let recovery = try Recovery(configuration(2), journalStart: start, now: now)
            for record in records[2...] {
                try recovery.take(header: record.header.span.bytes, body: record.body.span.bytes)
            }
            let replica = try recovery.finish(applied: 0, acknowledged: 4, now: now)
            while now < .init(nanoseconds: 5_000_000_000) {
                now = now.advanced(by: .milliseconds(100))
                replica.tick(now: now)
                _ = try settle(replica, at: now)
            }
            #expect((replica.status.role == .leader) == leads)
        }
        #expect(throws: ConfigurationError.self) {
            _ = try Recovery(
                configuration(2), journalStart: 1 << 62, now: .init(nanoseconds: 0))
        }
    }

    @Test("a journal that ends too early, or of which nothing is known: the node abstains")
    func abstains() throws {
        let records = try firstLife(values: 2)
        for acknowledged in [9, nil] as [UInt64?] {
            let now = ManualReplica.Instant(nanoseconds: 0)
            let recovery = try Recovery(configuration(2), now: now)
            for record in records {
                try recovery.take(header: record.header.span.bytes, body: record.body.span.bytes)
            }
            let replica = try recovery.finish(applied: 0, acknowledged: acknowledged, now: now)
            #expect(replica.status.abstains && !replica.campaign(now: now))
        }
    }

    private func take(_ record: Kept, by recovery: borrowing Recovery) -> RecordError? {
        do throws(RecordError) {
            try recovery.take(header: record.header.span.bytes, body: record.body.span.bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test("what is no record of this node, or stale, is said to be that")
    func refusals() throws {
        let records = try firstLife(values: 2)
        let now = ManualReplica.Instant(nanoseconds: 0)
        let none = take(Kept(header: [], body: []), by: try Recovery(configuration(2), now: now))
        #expect(none == .damaged)
        var other = configuration(2)
        other.cluster += 1
        let ofAnother = take(records[0], by: try Recovery(other, now: now))
        #expect(ofAnother == .foreign)
        let recovery = try Recovery(configuration(2), now: now)
        let first = take(records[0], by: recovery)
        let again = take(records[0], by: recovery)
        #expect(first == nil && again == .misplaced)
    }

    @Test("only a durable node in a later life is recovered, and it is not made in another way")
    func order() throws {
        let now = ManualReplica.Instant(nanoseconds: 0)
        #expect(throws: ConfigurationError.self) { try ManualReplica(configuration(2), now: now) }
        #expect(throws: ConfigurationError.self) { _ = try Recovery(configuration(1), now: now) }
        var memory = configuration(2)
        memory.durability = .memoryOnly
        #expect(throws: ConfigurationError.self) { _ = try Recovery(memory, now: now) }
    }
}
