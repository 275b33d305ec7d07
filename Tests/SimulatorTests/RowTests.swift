import PaxosSimulator
import Testing

/// Rows of the safety list that need a whole world; the others are named in `Safety.md`.
struct RowTests {
    /// A durable world that is calm but for `faults`.
    private func run(
        _ faults: [Fault], seed: UInt64, sourceLocation: SourceLocation = #_sourceLocation
    )
        -> Simulation.Counts
    {
        var seed = seed
        var plan = Plan(seed: seed, profile: .named("crashes")!)
        while plan.isTiny {
            seed += 1000
            plan = Plan(seed: seed, profile: .named("crashes")!)
        }
        plan.faults = faults
        var simulation = Simulation(plan)
        simulation.run()
        #expect(simulation.violations == [], "seed \(seed)", sourceLocation: sourceLocation)
        return simulation.counts
    }

    @Test(
        "row 3: the power fails after each effect, of any node and of the leader: no vote is lost")
    func row3_powerCutAtEveryPoint() {
        var restarts: UInt64 = 0
        for effects in 0..<24 as Range<UInt32> {
            for node in 0...3 as ClosedRange<UInt16> {
                let faults = (6..<14).map { step in
                    Fault(
                        kind: node == 0 ? .crashLeader : .crash,
                        from_ns: UInt64(step) * 300 * millisecond,
                        to_ns: UInt64(step) * 300 * millisecond + 200 * millisecond,
                        node: max(node, 1), amount: effects)
                }
                restarts += run(faults, seed: UInt64(effects) * 4 + UInt64(node)).restarts
            }
        }
        #expect(restarts > 500)
    }

    @Test("row 4: a flush that fails stops the node; it is never tried again")
    func row4_failedFlush() {
        var restarts: UInt64 = 0
        for seed in 1...10 as ClosedRange<UInt64> {
            let faults = (6..<14).map { step in
                Fault(
                    kind: .flushError, from_ns: UInt64(step) * 300 * millisecond,
                    to_ns: UInt64(step) * 300 * millisecond + 200 * millisecond,
                    node: UInt16(1 + step % 3))
            }
            restarts += run(faults, seed: seed).restarts
        }
        #expect(restarts > 20)
    }

    @Test("row 35: partial connectivity, progress within four election timeouts")
    func row35_partialConnectivity() {
        var simulation = Simulation(Plan(seed: 0, profile: .named("partial")!))
        for seed in 1...60 as ClosedRange<UInt64> {
            simulation.begin(Plan(seed: seed, profile: .named("partial")!))
            simulation.run()
            #expect(simulation.violations == [], "paxos-sim replay \(seed) --profile partial")
            #expect(simulation.counts.faults == 1)
        }
    }

    @Test("row 37: a client far faster than the cluster is told so, and nothing grows")
    func row37_overload() {
        var blocked: UInt64 = 0
        for seed in 1...6 as ClosedRange<UInt64> {
            var simulation = Simulation(Plan(seed: seed, profile: .named("overload")!))
            simulation.run()
            #expect(simulation.violations == [], "paxos-sim replay \(seed) --profile overload")
            blocked += simulation.counts.blocked
        }
        #expect(blocked > 10_000)
    }
}
