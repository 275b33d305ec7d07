import CAllocationCount
import Paxos
import Testing

/// After init nobody asks for memory; the Embedded library is counted by a C program of its own.
///
/// Only optimized code is counted: without the optimizer, the standard library's own loops over
/// ranges allocate. `swift test -c release --filter AllocationTests` runs these.
@Suite struct AllocationTests {
    static var isOptimized: Bool {
        #if DEBUG
        false
        #else
        true
        #endif
    }

    @Test("the counter counts")
    func counter_counts() {
        let before = allocation_count()
        let array = [UInt8](repeating: 1, count: Int.random(in: 100...200))
        #expect(array.count >= 100)
        #expect(allocation_count() > before || !allocation_count_works())
    }

    @Test("over a million messages nobody asks for memory", .enabled(if: isOptimized))
    func aMillionMessages_allocateNothing() throws {
        let cluster = try LocalCluster(recording: false)
        var delivered = 0
        cluster.onDelivery = { _, _ in delivered += 1 }
        try cluster.electLeader()
        let bytes = [UInt8](repeating: 3, count: 64)
        func commit() {
            do throws(ProposeError) { try cluster.propose(bytes.span.bytes) } catch {
                Issue.record("\(error)")
            }
            cluster.settle()
        }
        // The first calls let the runtime make what it keeps for good.
        for _ in 0..<100 { commit() }
        cluster.run(for: .seconds(1))
        let before = allocation_count()
        while cluster.traffic.sent < 1_000_000 {
            for _ in 0..<1000 { commit() }
            cluster.run(for: .milliseconds(1))
        }
        #expect(allocation_count() == before)
        #expect(delivered > 600_000)
    }

    @Test("a replica behind its lock allocates nothing either", .enabled(if: isOptimized))
    func replica_allocatesNothing() throws {
        var configuration = Configuration.small(node: 1, members: [1])
        configuration.durability = .durable
        let replica = try ManualReplica(configuration, now: ManualReplica.Instant(nanoseconds: 0))
        replica.campaign(now: ManualReplica.Instant(.seconds(1)))
        var lsn: UInt64 = 0
        var slot: UInt64 = 0
        let bytes = [UInt8](repeating: 3, count: 64)
        func turn() throws {
            replica.drain { effect in
                switch effect {
                case .write(let record): lsn = record.lsn
                case .deliver(let run): slot = run.slots.upperBound
                default: break
                }
            }
            try replica.flushed(upTo: lsn, now: ManualReplica.Instant(.seconds(1)))
            if slot > 0 { try replica.trim(upTo: slot) }
        }
        func round() throws {
            try turn()
            try turn()
            try replica.propose(bytes.span.bytes)
        }
        for _ in 0..<100 { try round() }
        let before = allocation_count()
        for _ in 0..<10_000 { try round() }
        #expect(allocation_count() == before)
        #expect(slot > 10_000)
    }
}
