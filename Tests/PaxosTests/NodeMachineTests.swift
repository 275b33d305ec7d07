import Foundation
import Paxos
import Testing

/// State machines, reads and restarts of replicas that run.
@Suite(.serialized, .timeLimit(.minutes(3))) struct NodeMachineTests {
    /// What a machine has applied, for those who read beside it.
    final class Counter: StateMachine, Sendable {
        let numbers = ThreadTests.Shared<[Int]>([])
        let slot = ThreadTests.Shared<UInt64>(0)
        var durableSlot: UInt64 { slot.withLock { $0 } }

        func apply(_ batch: Replica.Batch) {
            let applied = batch.commands.map { number($0.bytes) }
            numbers.withLock { $0 += applied }
            slot.withLock { $0 = batch.slots.upperBound }
        }
    }

    @Test("a read at any node sees every value decided before it; its mark is not shown")
    func read_isLinearizable() async throws {
        let nodes = try Nodes()
        let counters = nodes.replicas.map { _ in Counter() }
        let running = nodes.replicas.indices.map { index in
            let (replica, counter) = (nodes.replicas[index], counters[index])
            return Task {
                var machine = counter
                try await replica.run(&machine)
            }
        }
        for turn in 0..<30 {
            let decision = try await nodes.replicas[turn % 3].persist(value(turn))
            let reader = (turn + 1) % 3
            let slot = try await nodes.replicas[reader].read()
            #expect(slot > decision?.slot ?? 0)
            #expect(counters[reader].numbers.withLock { $0 } == Array(0...turn))
        }
        let trimmed = await nodes.replicas[0].status.log.trimmed
        #expect(trimmed >= 30)
        await nodes.end()
        for task in running { try await task.value }
    }

    @Test("run ends with what a machine throws, and with a machine that is not where it should be")
    func run_endsWithTheMachine() async throws {
        let nodes = try Nodes(2)
        var machine = Recorder()
        machine.durableSlot = 4
        let error = await #expect(throws: Replica.AppliedError.self) {
            try await nodes.replicas[0].run(&machine)
        }
        #expect(error?.opened == 0 && error?.durableSlot == 4)
        await nodes.end()

        let single = try Nodes(1)
        let replica = single.replicas[0]
        let proposing = Task { await replica.propose((0..<3).map { value($0) }) }
        machine = Recorder(failsAt: 1)
        await #expect(throws: Recorder.Broken.self) { try await replica.run(&machine) }
        _ = await proposing.value
        await #expect(throws: Replica.ProposalError.refused(.stopped, leader: nil)) {
            try await replica.propose(value(9))
        }
        await single.end()
    }

    @Test("cancelling run shuts the replica down, with a machine and without")
    func cancel_shutsDown() async throws {
        let nodes = try Nodes(2)
        let (first, second) = (nodes.replicas[0], nodes.replicas[1])
        let plain = Task { try await first.run() }
        let machine = Task {
            var machine = Recorder()
            try await second.run(&machine)
        }
        plain.cancel()
        machine.cancel()
        try await plain.value
        try await machine.value
        for replica in nodes.replicas {
            await #expect(throws: Replica.ProposalError.refused(.stopped, leader: nil)) {
                try await replica.read()
            }
        }
        await nodes.end()
    }

    @Test("a durable node that starts again goes on behind what was applied, and forgets nothing")
    func restart_goesOn() async throws {
        var nodes = try Nodes(isDurable: true)
        var machines = [Recorder(), Recorder(), Recorder()]
        /* A machine that is busy may let a leader go: what was under way then is unknown. */
        var unknown: Set<Int> = []
        for life in 0..<3 {
            let (replicas, before) = (nodes.replicas, machines)
            machines = try await withThrowingTaskGroup(of: (Int, Recorder).self) { group in
                for index in 0..<3 {
                    group.addTask {
                        var machine = before[index]
                        try await replicas[index].run(&machine)
                        return (index, machine)
                    }
                }
                for turn in 0..<20 {
                    let number = life * 20 + turn
                    if let decision = try await replicas[life].persist(value(number)) {
                        #expect(decision.proposal.incarnation == UInt32(life + 1))
                    } else {
                        unknown.insert(number)
                    }
                }
                for replica in replicas { try await replica.read() }
                for replica in replicas { await replica.shutdown() }
                var machines = before
                for try await (index, machine) in group { machines[index] = machine }
                return machines
            }
            for index in 0..<3 {
                try nodes.reopen(index, applied: machines[index].durableSlot)
            }
        }
        for machine in machines {
            let known = machine.commands.map { number($0.bytes) }.filter { !unknown.contains($0) }
            #expect(known == (0..<60).filter { !unknown.contains($0) })
            #expect(machine.commands == machines[0].commands)
        }
        #expect(unknown.count <= 6)
        await nodes.end()
    }

    @Test("while one of three is down the others go on; it comes back and catches up")
    func oneDown_catchesUp() async throws {
        var nodes = try Nodes(isDurable: true)
        let last = value(40)
        let log = Task { [replica = nodes.replicas[0]] in try await replica.take(until: last) }
        var decided: Set<Int> = []
        for turn in 0..<40 {
            if turn == 20 { await nodes.replicas[2].shutdown() }
            let replica = nodes.replicas[turn % 2]
            // Node 3 may have led: a value that was under way to it has an unknown outcome.
            if try await replica.persist(value(turn)) != nil { decided.insert(turn) }
        }
        #expect(decided.count >= 38)
        while try await nodes.replicas[0].persist(last) == nil {}
        try nodes.reopen(2)
        let late = try await nodes.replicas[2].take(until: last)
        let numbers = late.map { number($0.bytes) }
        #expect(numbers == Array(Set(numbers)).sorted() && decided.isSubset(of: numbers))
        #expect(try await log.value == late)
        await nodes.end()
    }
}
