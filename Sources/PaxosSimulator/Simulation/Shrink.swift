/// The smallest part of a plan that still breaks the same invariant.
///
/// Zeller, Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002): delta debugging.
/// Chunks of the list of faults are left out, smaller and smaller ones, as long as the world still
/// breaks; what is left cannot lose any one fault more. Then the end of each fault is moved forward.
package struct Shrink: ~Copyable {
    private var simulation: Simulation
    private let invariant: Invariant
    package private(set) var plan: Plan
    /// Worlds that were run.
    package private(set) var runs = 0
    private let limit: Int

    /// - Parameter limit: how many worlds may be run at most.
    package init(_ plan: Plan, breaking invariant: Invariant, limit: Int = 2000) {
        simulation = Simulation(plan)
        (self.plan, self.invariant, self.limit) = (plan, invariant, limit)
    }

    /// Whether the plan with these faults breaks the invariant.
    private mutating func breaks(_ faults: [Fault]) -> Bool {
        if runs >= limit { return false }
        runs += 1
        var smaller = plan
        smaller.faults = faults
        simulation.begin(smaller)
        simulation.run()
        return simulation.violations.contains { $0.invariant == invariant }
    }

    package mutating func run() {
        leaveOut()
        shorten()
    }

    private mutating func leaveOut() {
        var chunk = max(1, plan.faults.count / 2)
        while !plan.faults.isEmpty {
            var start = 0
            var isSmaller = false
            while start < plan.faults.count {
                var faults = plan.faults
                faults.removeSubrange(start..<min(start + chunk, faults.count))
                if breaks(faults) {
                    plan.faults = faults
                    isSmaller = true
                } else {
                    start += chunk
                }
            }
            if chunk == 1 && !isSmaller { return }
            chunk = max(1, chunk / 2)
        }
    }

    private mutating func shorten() {
        for index in plan.faults.indices {
            for _ in 0..<6 {
                var faults = plan.faults
                let lasts = faults[index].to_ns - faults[index].from_ns
                if lasts < 2_000_000 { break }
                faults[index].to_ns = faults[index].from_ns + lasts / 2000 * 1000
                if !breaks(faults) { break }
                plan.faults = faults
            }
        }
    }
}
