import Foundation
import Paxos
import Testing

/// Many threads at one replica: what the thread sanitizer looks at.
@Suite struct ThreadTests {
    /// A value that threads share, behind a lock that the thread sanitizer sees.
    final class Shared<Value: Sendable>: @unchecked Sendable {
        private let lock = NSLock()
        private var value: Value

        init(_ value: Value) { self.value = value }

        func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
            lock.withLock { body(&value) }
        }
    }

    /// Runs `body` on as many threads of its own, whatever the number of cores, and waits for them.
    static func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let done = DispatchSemaphore(value: 0)
        for index in 0..<count {
            Thread.detachNewThread {
                body(index)
                done.signal()
            }
        }
        for _ in 0..<count { done.wait() }
    }

    @Test("proposals of many threads are each delivered once")
    func manyThreads_proposeAtOnce() throws {
        var configuration = Configuration.small(node: 1, members: [1])
        configuration.window = 1024
        configuration.pipeline = 1024
        let replica = try ManualReplica(configuration, now: ManualReplica.Instant(nanoseconds: 0))
        replica.campaign(now: ManualReplica.Instant(.seconds(1)))
        let ledger = Shared<[[UInt8]: Int]>([:])
        let threads = 4
        let perThread = 2000
        Self.onThreads(threads) { thread in
            var index = 0
            while index < perThread {
                do {
                    try replica.propose(value(thread * perThread + index))
                    index += 1
                } catch {
                    Self.serve(replica, ledger)
                }
            }
        }
        Self.serve(replica, ledger)
        let delivered = ledger.withLock { $0 }
        #expect(delivered.count == threads * perThread)
        #expect(delivered.values.allSatisfy { $0 == 1 })
        #expect(replica.status.role == .leader)
    }

    /// Drains and trims, as any of the threads may.
    static func serve(_ replica: ManualReplica, _ ledger: Shared<[[UInt8]: Int]>) {
        var last: UInt64 = 0
        var taken: [[UInt8]] = []
        replica.drain { effect in
            switch effect {
            case .deliver(let run):
                last = run.slots.upperBound
                run.forEach { taken.append($0.copy().bytes) }
            default: break
            }
        }
        ledger.withLock { ledger in
            for bytes in taken { ledger[bytes, default: 0] += 1 }
        }
        if last > 0 { try? replica.trim(upTo: last) }
    }

    @Test("three replicas on three threads, proposals from a fourth")
    func replicasOnTheirOwnThreads_agree() throws {
        let members: [NodeID] = [1, 2, 3]
        let origin = ManualReplica.Instant(nanoseconds: 0)
        let replicas = try members.map { node in
            var configuration = Configuration.small(node: node, members: members)
            configuration.window = 4096
            configuration.pipeline = 256
            configuration.arenaBytes = 1 << 20
            // Threads may get little of a busy machine: only a leader that is told to leads.
            configuration.manualElections = true
            configuration.electionTimeout = .seconds(20)
            return try ManualReplica(configuration, now: origin)
        }
        replicas[0].campaign(now: origin)
        let start = ContinuousClock.now
        let count = 500
        let logs = Shared(Array(repeating: [[UInt8]](), count: 3))
        Self.onThreads(4) { thread in
            var proposed = 0
            while start.duration(to: .now) < .seconds(60) {
                let now = ManualReplica.Instant(start.duration(to: .now))
                if thread == 3 {
                    if proposed == count { return }
                    guard let leader = replicas.first(where: { $0.status.role == .leader }) else {
                        continue
                    }
                    if (try? leader.propose(value(proposed), now: now)) != nil { proposed += 1 }
                } else {
                    if Self.host(thread, replicas, now, logs) == count { return }
                }
            }
        }
        let final = logs.withLock { $0 }
        #expect(final.allSatisfy { $0.count == count && $0 == final[0] })
    }

    /// One turn of a replica's host; the number of commands delivered so far.
    static func host(
        _ index: Int, _ replicas: [ManualReplica], _ now: ManualReplica.Instant,
        _ logs: Shared<[[[UInt8]]]>
    ) -> Int {
        let replica = replicas[index]
        if replica.deadline <= now { replica.tick(now: now) }
        var frames: [(NodeID, [UInt8])] = []
        var taken: [[UInt8]] = []
        replica.drain { effect in
            switch effect {
            case .send(let frame): frames.append((frame.receiver, frame.bytes()))
            case .deliver(let run): run.forEach { taken.append($0.copy().bytes) }
            default: break
            }
        }
        for (receiver, bytes) in frames {
            try? replicas[Int(receiver) - 1].receive(bytes.span.bytes, now: now)
        }
        return logs.withLock { logs in
            logs[index] += taken
            return logs.allSatisfy { $0.count >= logs[index].count } ? logs[index].count : 0
        }
    }
}
