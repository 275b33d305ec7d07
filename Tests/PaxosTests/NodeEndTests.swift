import Foundation
import Paxos
import Synchronization
import Testing

/// Whoever waits gets an end, whatever else happens in the same moment.
@Suite(.serialized)
struct NodeEndTests {
    /// Waits until `count` has come to `goal`; `false`: not within 20 seconds.
    private func comes(_ counter: Counter, to goal: Int) async throws -> Bool {
        let end = ContinuousClock.now + .seconds(20)
        while counter.count.load(ordering: .relaxed) < goal {
            guard ContinuousClock.now < end else { return false }
            try await Task.sleep(for: .milliseconds(1))
        }
        return true
    }

    private final class Counter: Sendable {
        let count = Atomic<Int>(0)
        func add() { count.add(1, ordering: .relaxed) }
    }

    @Test("what is brought in the turn in which it stops is answered, too")
    func shutdown_answersTheLast() async throws {
        let ended = Counter()
        for round in 1...60 {
            let nodes = try Nodes(1)
            let replica = nodes.replicas[0]
            for number in 0..<8 {
                Task {
                    _ = try? await replica.propose("\(number)".utf8)
                    ended.add()
                }
                Task {
                    _ = try? await replica.read()
                    ended.add()
                }
            }
            if round % 2 == 0 { await Task.yield() }
            await nodes.end()
            try #require(await comes(ended, to: 16 * round), "round \(round)")
        }
    }

    @Test("a read ends when its patience does, though a leader answers, without room")
    func fullLeader_endsReads() async throws {
        let nodes = try Nodes(2) {
            $0.configuration.window = 16
            $0.configuration.pipeline = 8
            $0.patience = .milliseconds(400)
        }
        /* Nobody trims: sooner or later nothing fits. */
        var refusals = 0
        let end = ContinuousClock.now + .seconds(20)
        while refusals < 2 && ContinuousClock.now < end {
            do throws(Replica.ProposalError) {
                _ = try await nodes.replicas[0].propose("a value".utf8)
            } catch {
                if case .refused(let why, _) = error, why == .full || why == .leaderFull {
                    refusals += 1
                }
            }
        }
        #expect(refusals == 2)
        for replica in nodes.replicas {
            let before = ContinuousClock.now
            await #expect(throws: Replica.ProposalError.self) { try await replica.read() }
            #expect(before.duration(to: .now) < .seconds(10))
        }
        await nodes.end()
    }

    @Test("a cancelled consumer gets no more, though there is; the next one finds it all")
    func cancelledConsumer_losesNothing() async throws {
        let nodes = try Nodes(1)
        let replica = nodes.replicas[0]
        for number in 1...5 { _ = try await replica.propose("\(number)".utf8) }
        let consumer = Task {
            var batches = replica.deliveries.makeAsyncIterator()
            while !Task.isCancelled { await Task.yield() }
            return try await batches.next() == nil
        }
        consumer.cancel()
        #expect(try await consumer.value)
        let commands = try await replica.take(5)
        let words = commands.map { String(decoding: $0.bytes, as: UTF8.self) }
        #expect(words == (1...5).map(String.init))
        await nodes.end()
    }

    @Test("patience without end is no patience of none")
    func endlessPatience() async throws {
        let nodes = try Nodes(1) { $0.patience = .seconds(Int64.max) }
        _ = try await nodes.replicas[0].propose("a value".utf8)
        await nodes.end()
    }
}
