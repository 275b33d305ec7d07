import ArgumentParser
import Foundation
import PaxosSimulator

/// `paxos-sim replay`: one seed again, event by event.
struct Replay: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what happens in the world of one seed.")

    @OptionGroup var world: World

    @Argument(help: "The seed.")
    var seed: String

    func run() throws {
        let plan = Plan(seed: try parseSeed(seed), profile: try world.named())
        let trace = Trace(line: { print($0) })
        var simulation = Simulation(plan, trace: trace)
        simulation.run()
        if !simulation.violations.isEmpty { throw ExitCode(1) }
    }
}
