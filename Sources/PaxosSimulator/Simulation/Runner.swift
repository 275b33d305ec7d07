import Foundation
import Synchronization

/// Seed after seed on several threads, each with worlds of its own, until one breaks, or time or
/// seeds are up.
package final class Runner: Sendable {
    package struct Progress: Sendable {
        package var seeds: UInt64 = 0
        package var simulated_ns: UInt64 = 0
        package var counts = Simulation.Counts()
        /// Of all worlds, whatever thread ran them: the sum of their hashes.
        package var hash: UInt64 = 0
        package var failure: Failure?
    }
    package struct Failure: Sendable {
        package let seed: UInt64
        package let violations: [Violation]
    }
    private struct State: Sendable {
        var taken: UInt64 = 0
        var isStopped = false
        var progress = Progress()
    }

    package let first: UInt64
    package let limit: UInt64?
    package let profile: Profile
    private let jobs: Int
    private let state = Mutex(State())
    private let done = DispatchSemaphore(value: 0)

    /// - Parameter limit: how many seeds; nil: until ``stop()``.
    package init(first: UInt64, limit: UInt64?, profile: Profile, jobs: Int) {
        (self.first, self.limit, self.profile, self.jobs) = (first, limit, profile, jobs)
    }

    package var progress: Progress { state.withLock { $0.progress } }

    package func stop() { state.withLock { $0.isStopped = true } }

    package func start() {
        for _ in 0..<jobs {
            let thread = Thread { [self] in
                work()
                done.signal()
            }
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    /// Wait until all threads have ended; whether they had, within `seconds`.
    package func wait(seconds: Double) -> Bool {
        let end = DispatchTime.now() + seconds
        for waited in 0..<jobs where done.wait(timeout: end) == .timedOut {
            for _ in 0..<waited { done.signal() }
            return false
        }
        return true
    }

    private func take() -> UInt64? {
        state.withLock { state in
            if state.isStopped || state.taken == limit { return nil }
            state.taken += 1
            return first &+ (state.taken - 1)
        }
    }

    private func work() {
        guard var seed = take() else { return }
        var simulation = Simulation(Plan(seed: seed, profile: profile))
        while true {
            simulation.run()
            note(simulation, seed)
            guard let next = take() else { return }
            seed = next
            simulation.begin(Plan(seed: seed, profile: profile))
        }
    }

    private func note(_ simulation: borrowing Simulation, _ seed: UInt64) {
        let (counts, hash, now) = (simulation.counts, simulation.hash, simulation.now_ns)
        let violations = simulation.violations
        state.withLock { state in
            state.progress.seeds += 1
            state.progress.simulated_ns += now
            state.progress.counts.add(counts)
            state.progress.hash &+= hash
            if violations.isEmpty || state.progress.failure != nil { return }
            state.progress.failure = Failure(seed: seed, violations: violations)
            state.isStopped = true
        }
    }
}

extension Simulation.Counts {
    mutating func add(_ other: Simulation.Counts) {
        messages += other.messages
        events += other.events
        faults += other.faults
        restarts += other.restarts
        proposals += other.proposals
        blocked += other.blocked
        commits += other.commits
        withoutQuorum += other.withoutQuorum
        fetches += other.fetches
        copies += other.copies
    }
}
