import PaxosSimulator
import Testing

struct ShrinkTests {
    /// A plan that must break: most nodes are cut off while commits must go on.
    private func hopeless() -> Plan {
        var plan = Plan(seed: 3, profile: .named("partial")!)
        let others = Plan(seed: 5, profile: .named("network")!).faults
        let nodes = UInt16(plan.members)
        var faults = others.filter { $0.from_ns < 2_900_000_000 && $0.node <= nodes }
        for node in 1...nodes {
            faults.append(
                Fault(kind: .isolate, from_ns: 3_000_000_000, to_ns: 9_000_000_000, node: node))
        }
        plan.faults = faults
        return plan
    }

    @Test("what is left breaks the same invariant, and no fault of it can be left out")
    func shrink_isMinimal() throws {
        let plan = hopeless()
        #expect(plan.faults.count > plan.members)
        var shrink = Shrink(plan, breaking: .progress)
        shrink.run()
        let left = shrink.plan.faults
        #expect(left.count < plan.faults.count && !left.isEmpty && shrink.runs > 3)
        #expect(breaks(shrink.plan))
        for index in left.indices {
            var less = shrink.plan
            less.faults.remove(at: index)
            #expect(!breaks(less), "\(left[index]) says nothing")
        }
    }

    private func breaks(_ plan: Plan) -> Bool {
        var simulation = Simulation(plan)
        simulation.run()
        return simulation.violations.contains { $0.invariant == .progress }
    }

    @Test("the diagram has a lane for each node, the violation in words, and arrows")
    func diagram_isDrawn() {
        let plan = Plan(seed: 1, profile: .named("calm")!)
        let trace = Trace(keeps: 4000)
        var simulation = Simulation(plan, trace: trace)
        simulation.run()
        let diagram = Diagram(
            title: "a < b", subtitle: ["progress within four"],
            nodes: plan.members, events: trace.last(100))
        let html = diagram.html()
        #expect(html.contains("a &lt; b") && html.contains("progress within four"))
        #expect(html.contains("node \(plan.members)</text>") && html.contains("marker-end"))
        #expect(trace.last(100).count == 100)
    }
}
