import PaxosSimulator
import Testing

/// Each fault of nodes, links, clocks and disks, alone and again and again, in a world that is calm
/// otherwise: it does what it says, and breaks nothing.
struct FaultTests {
    private static let kinds = Fault.Kind.allCases

    /// A durable world of five with one kind of fault, at one node, every 200 ms.
    private func plan(_ kind: Fault.Kind) -> Plan {
        var seed: UInt64 = 1
        var plan = Plan(seed: seed, profile: .named("crashes")!)
        while plan.members != 5 || plan.isTiny || !plan.isDurable {
            seed += 1
            plan = Plan(seed: seed, profile: .named("crashes")!)
        }
        let victim = UInt16(plan.victims.trailingZeroBitCount)
        plan.faults = (10..<20).map { step in
            let from = UInt64(step) * 200 * millisecond
            let amount: UInt32 = kind == .drift ? 1100 : 3
            return Fault(
                kind: kind, from_ns: from, to_ns: from + 120 * millisecond, node: victim,
                mask: 0b10110, amount: amount)
        }
        return plan
    }

    private func count(_ lines: [String], _ part: String) -> Int {
        lines.count { $0.contains(part) }
    }

    private final class Lines {
        var all: [String] = []
    }

    @Test("the world survives it, and shows it", arguments: kinds)
    func fault_isSurvived(kind: Fault.Kind) {
        let lines = Lines()
        let plan = plan(kind)
        var simulation = Simulation(plan, trace: Trace(line: { lines.all.append($0) }))
        simulation.run()
        #expect(simulation.violations == [])
        #expect(simulation.counts.faults == 10 && simulation.counts.commits > 50)
        let restarts = count(lines.all, "restart: life")
        switch kind {
        case .crash, .crashLeader, .flushError: #expect(restarts > 0)
        case .bitRot, .misdirected, .staleRead: #expect(count(lines.all, "not taken") > 0)
        case .lostFlush, .lostDisk: #expect(count(lines.all, ": abstains") > 0)
        case .isolate, .split, .oneWay, .quorumLoss, .constrained, .chained, .loss:
            #expect(count(lines.all, ", lost") > 0)
        case .corrupt: #expect(count(lines.all, ": damaged") > 0)
        default: #expect(!lines.all.isEmpty)
        }
        if kind == .flushError { #expect(count(lines.all, "a flush fails") > 0) }
    }
}
