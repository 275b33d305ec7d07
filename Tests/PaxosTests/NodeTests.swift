import Foundation
import Paxos
import Testing

/// Replicas that run: a thread each, real sockets, real files.
@Suite(.serialized, .timeLimit(.minutes(3))) struct NodeTests {
    @Test("many tasks at three nodes: each value is decided once, and all deliver the same")
    func manyTasks_decideEachValueOnce() async throws {
        let nodes = try Nodes()
        let tasks = 8
        let perTask = 40
        let total = 3 * tasks * perTask
        let logs = try await withThrowingTaskGroup(of: (Int, [LogEntry]).self) { group in
            for (index, replica) in nodes.replicas.enumerated() {
                group.addTask { (index, try await replica.take(total)) }
                for task in 0..<tasks {
                    group.addTask {
                        for turn in 0..<perTask {
                            let number = (index * tasks + task) * perTask + turn
                            let decision = try await replica.persist(value(number))
                            #expect(decision?.proposal.node == replica.node)
                        }
                        return (-1, [])
                    }
                }
            }
            var logs: [[LogEntry]] = [[], [], []]
            for try await (index, log) in group where index >= 0 { logs[index] = log }
            return logs
        }
        #expect(logs[0].count == total)
        #expect(logs[1] == logs[0] && logs[2] == logs[0])
        #expect(Set(logs[0].map { number($0.bytes) }) == Set(0..<total))
        await nodes.end()
    }

    @Test("a decision names the slot and the identity that are delivered")
    func decision_namesWhatIsDelivered() async throws {
        let nodes = try Nodes(1)
        let replica = nodes.replicas[0]
        async let taken = replica.take(5)
        let first = try #require(try await replica.persist(value(0)))
        let answers = await replica.propose((1...4).map { value($0) })
        let log = try await taken
        #expect(log.map { number($0.bytes) } == [0, 1, 2, 3, 4])
        #expect(log[0].slot == first.slot && log[0].origin == first.proposal)
        let decisions = try answers.map { try $0.get() }
        #expect(decisions.map(\.slot) == log[1...].map(\.slot))
        #expect(decisions.map(\.proposal) == log[1...].map(\.origin))
        await nodes.end()
    }

    @Test("where the leader has no room, proposers at other nodes wait: none is refused")
    func fullLeader_letsWait() async throws {
        let nodes = try Nodes { $0.configuration.pipeline = 4 }
        let count = 200
        let taking = nodes.replicas.map { replica in Task { try await replica.take(3 * count) } }
        let answers = await withTaskGroup(of: [Replica.Answer].self) { group in
            for (index, replica) in nodes.replicas.enumerated() {
                group.addTask {
                    await replica.propose((0..<count).map { value(index * count + $0) })
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        for answer in answers { #expect(throws: Never.self) { try answer.get() } }
        let logs = [
            try await taking[0].value, try await taking[1].value, try await taking[2].value,
        ]
        #expect(logs[1] == logs[0] && logs[2] == logs[0])
        #expect(Set(logs[0].map { number($0.bytes) }) == Set(0..<3 * count))
        await nodes.end()
    }

    @Test("what can never be decided is refused, with the reason")
    func badValues_areRefused() async throws {
        let nodes = try Nodes(1)
        let replica = nodes.replicas[0]
        await #expect(throws: Replica.ProposalError.refused(.empty, leader: nil)) {
            try await replica.propose([])
        }
        let limit = nodes.options[0].configuration.valueBytes
        let large = [UInt8](repeating: 1, count: limit + 1)
        let tooLarge = Replica.ProposalError.refused(.tooLarge(limitBytes: limit), leader: nil)
        await #expect(throws: tooLarge) { try await replica.propose(large) }
        let answers = await replica.propose([value(1), large])
        #expect(answers == [.failure(tooLarge), .failure(tooLarge)])
        #expect(await replica.propose([[UInt8]]()) == [])
        #expect(throws: RangeError.self) { try replica.trim(upTo: 1) }
        await nodes.end()
    }

    @Test("without a quorum: the line is bounded, patience ends, cancellation is unknown at once")
    func noQuorum_refusesInTime() async throws {
        let nodes = try Nodes(3, running: 1) {
            $0.queueCount = 3
            $0.patience = .milliseconds(400)
        }
        let replica = nodes.replicas[0]
        let start = ContinuousClock.now
        let waiting = Task { await replica.propose([value(1), value(2)]) }
        let cancelled = Task { () -> Replica.ProposalError? in
            do throws(Replica.ProposalError) {
                try await replica.propose(value(3))
                return nil
            } catch { return error }
        }
        while await replica.status.waiting < 3 { await Task.yield() }
        await #expect(throws: Replica.ProposalError.refused(.queueFull, leader: nil)) {
            try await replica.propose(value(4))
        }
        cancelled.cancel()
        #expect(await cancelled.value == .unknown)
        #expect(start.duration(to: .now) < .milliseconds(400))
        let refused = Replica.ProposalError.refused(.noLeader, leader: nil)
        #expect(await waiting.value == [.failure(refused), .failure(refused)])
        await #expect(throws: refused) { try await replica.read() }
        #expect(start.duration(to: .now) >= .milliseconds(800))
        #expect(await replica.status.waiting == 0)
        await nodes.end()
    }

    @Test("a task that was cancelled before proposes and reads nothing")
    func cancelledTask_isUnknown() async throws {
        let nodes = try Nodes(1)
        let replica = nodes.replicas[0]
        _ = try await replica.persist(value(0))
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            await #expect(throws: Replica.ProposalError.unknown) {
                try await replica.propose(value(1))
            }
            await #expect(throws: Replica.ProposalError.unknown) { try await replica.read() }
            let answers = await replica.propose([value(2), value(3)])
            #expect(answers == [.failure(.unknown), .failure(.unknown)])
            var batches = replica.deliveries.makeAsyncIterator()
            _ = try await batches.next()  // what is there already is given out
            #expect(try await batches.next() == nil)
        }
        task.cancel()
        try await task.value
        #expect(await replica.status.log.lastSlot == 1)
        await nodes.end()
    }

    @Test("a shutdown in the middle gives every waiter an outcome; afterwards all is refused")
    func shutdown_answersEverybody() async throws {
        let nodes = try Nodes()
        let replica = nodes.replicas[1]
        _ = try await nodes.replicas[0].persist(value(0))
        let outcomes = await withTaskGroup(of: Replica.ProposalError?.self) { group in
            for task in 0..<200 {
                group.addTask {
                    do throws(Replica.ProposalError) {
                        for turn in 0..<1_000_000 {
                            try await replica.propose(value(task * 1_000_000 + turn))
                        }
                        return nil
                    } catch { return error }
                }
            }
            group.addTask {
                try? await Task.sleep(for: .milliseconds(50))
                await replica.shutdown()
                return .unknown
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count == 201 && outcomes.allSatisfy { $0 != nil })
        let stopped = Replica.ProposalError.refused(.stopped, leader: nil)
        await #expect(throws: stopped) { try await replica.propose(value(1)) }
        await #expect(throws: stopped) { try await replica.read() }
        #expect(await replica.status.log.node == 2)
        try await replica.run()  // returns at once
        await replica.shutdown()
        await nodes.end()
    }

    @Test("what waits for the consumer is bounded in bytes; when it takes them, the rest comes")
    func waitingDeliveries_areBounded() async throws {
        let nodes = try Nodes(1) { $0.deliveryBytes = 1 }
        let replica = nodes.replicas[0]
        let first = await replica.propose((0..<64).map { value($0) })
        let second = Task { await replica.propose((64..<128).map { value($0) }) }
        var status = await replica.status
        while status.log.decided < 128 { status = await replica.status }
        try await Task.sleep(for: .milliseconds(20))
        status = await replica.status
        #expect(status.log.delivered < 128 && status.underway == 128 - status.log.delivered)
        try await Task.sleep(for: .milliseconds(20))  // the loop sleeps again: it has to be woken
        var log: [LogEntry] = []
        var batches = replica.deliveries.makeAsyncIterator()
        while log.count < 128, let batch = try await batches.next() { log += batch.commands }
        #expect(log.map { number($0.bytes) } == Array(0..<128))
        for answer in first + (await second.value) {
            #expect(throws: Never.self) { try answer.get() }
        }
        await nodes.end()
    }

    @Test("a consumer that stays away holds the log back; then it finds everything, in order")
    func slowConsumer_holdsBack() async throws {
        let nodes = try Nodes(1) {
            $0.configuration.window = 64
            $0.configuration.pipeline = 64
            $0.deliveryBytes = 256
            $0.patience = .seconds(120)
        }
        let replica = nodes.replicas[0]
        let count = 5000
        let proposing = Task { await replica.propose((0..<count).map { value($0) }) }
        var handed = await replica.status
        while handed.log.lastSlot < 64 { handed = await replica.status }
        try await Task.sleep(for: .milliseconds(100))
        handed = await replica.status
        #expect(handed.handed == 0 && handed.log.lastSlot == 64)
        #expect(handed.waiting + handed.underway > count - 64 - 1)
        let log = try await replica.take(count)
        #expect(log.map { number($0.bytes) } == Array(0..<count))
        #expect(log.map(\.slot) == Array(log[0].slot..<log[0].slot + UInt64(count)))
        for answer in await proposing.value { #expect(throws: Never.self) { try answer.get() } }
        await nodes.end()
    }
}
