import ArgumentParser
import Foundation
import PaxosSimulator

/// `paxos-sim replay`: one seed again, event by event.
struct Replay: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what happens in the world of one seed; shrink and draw what breaks.",
        discussion: """
            The trace goes to standard output. Where an invariant breaks, the plan of faults is \
            shrunk to a part of which nothing more can be left out, and the last events are drawn. \
            Instead of a seed, a file with a printed trace may be given: it is replayed and compared.
            """)

    @OptionGroup var world: World

    @Argument(help: "The seed, or a file with a trace.")
    var seed: String

    @Option(help: ArgumentHelp("Where to draw the last events.", valueName: "file.html"))
    var diagram: String?

    @Option(help: "How many events to draw.")
    var events = 160

    @Flag(help: "Print the trace of the whole plan, and do not shrink it.")
    var whole = false

    func run() throws {
        guard (1...5000).contains(events) else { throw usage("--events is 1 to 5000") }
        if FileManager.default.fileExists(atPath: seed) { return try compare(file: seed) }
        var plan = Plan(seed: try parseSeed(seed), profile: try world.named())
        let count = plan.faults.count
        if !whole, let invariant = broken(plan) {
            complain(
                "seed \(plan.seed) breaks \"\(invariant.rawValue)\"; shrinking \(count) faults")
            var shrink = Shrink(plan, breaking: invariant)
            shrink.run()
            plan = shrink.plan
            complain("\(plan.faults.count) faults are left after \(shrink.runs) runs")
        }
        let trace = Trace(keeps: 4 * events, line: { print($0) })
        var simulation = Simulation(plan, trace: trace)
        simulation.run()
        let violations = simulation.violations
        if let diagram = diagram ?? (violations.isEmpty ? nil : "paxos-sim-\(plan.seed).html") {
            try draw(plan, trace, violations, to: diagram, of: count)
        }
        if !violations.isEmpty { throw ExitCode(1) }
    }

    private func broken(_ plan: Plan) -> Invariant? {
        var simulation = Simulation(plan)
        simulation.run()
        return simulation.violations.first?.invariant
    }

    private func draw(
        _ plan: Plan, _ trace: Trace, _ violations: [Violation], to path: String, of count: Int
    ) throws {
        let what = violations.first.map { "broke: \($0.invariant.rawValue)" } ?? "nothing broke"
        let diagram = Diagram(
            title: "seed \(plan.seed), profile \(plan.profile.name): \(what)",
            subtitle: violations.map(\.description)
                + ["\(plan.faults.count) of \(count) faults:"] + plan.faults.map(\.description),
            nodes: plan.members, events: trace.last(events))
        do {
            try diagram.html().write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            complain("cannot write \(path): \(error.localizedDescription)")
            throw ExitCode(2)
        }
        complain("the last \(trace.last(events).count) events are drawn in \(path)")
    }

    // MARK: A trace again

    private func compare(file: String) throws {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            complain("cannot read \(file)")
            throw ExitCode(2)
        }
        let lines = text.split(separator: "\n").map(String.init)
        guard let header = lines.first, header.hasPrefix("paxos-sim trace ") else {
            throw usage("\(file) is no trace")
        }
        guard header == Trace.header else {
            throw usage("\(file) is of another version: \"\(header)\", this is \"\(Trace.header)\"")
        }
        let words = lines.count > 1 ? lines[1].split(separator: " ") : []
        guard words.count == 4, let seed = UInt64(words[1]),
            let profile = Profile.named(String(words[3]))
        else { throw usage("\(file) names no seed and profile") }
        var plan = Plan(seed: seed, profile: profile)
        plan.faults = lines.compactMap {
            $0.hasPrefix("plan ") ? Fault(String($0.dropFirst(5))) : nil
        }
        let again = Lines()
        var simulation = Simulation(plan, trace: Trace(line: { again.lines.append($0) }))
        simulation.run()
        if let at = zip(lines, again.lines).enumerated().first(where: { $0.1.0 != $0.1.1 }) {
            print("line \(at.0 + 1) differs:\n  was: \(at.1.0)\n  is:  \(at.1.1)")
            throw ExitCode(1)
        }
        print("the same, \(min(lines.count, again.lines.count)) lines")
    }

    private final class Lines {
        var lines: [String] = []
    }
}
