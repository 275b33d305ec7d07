import ArgumentParser
import CPaxos
import Foundation
import PaxosSimulator

/// One space explored, and what is said of it on the way and at the end.
struct CheckReport {
    private let space: Space
    private let before = Usage()

    init(_ space: Space) { self.space = space }

    /// - Parameter memoryBytes: that this process may take.
    func run(limit: Int, memoryBytes: Int) -> ExitCode {
        say("\(space.name): \(space.summary)")
        let reductions = space.reductions.words.joined(separator: ", ")
        say("  reductions: \(reductions.isEmpty ? "none" : reductions)")
        let explorer = UnsafeMutablePointer<Explorer>.allocate(capacity: 1)
        explorer.initialize(to: Explorer(space))
        LastWords.explorer = explorer
        defer {
            LastWords.explorer = nil
            explorer.deinitialize(count: 1)
            explorer.deallocate()
        }
        let bounds = Explorer.Bounds(states: limit, bytes: memoryBytes) { Usage().memoryBytes }
        let verdict = explorer.pointee.run(within: bounds) { progress in
            say("  \(line(progress)), \(progress.waiting) to look at")
        }
        let progress = explorer.pointee.progress
        say("  \(line(progress))")
        say(
            "  \(progress.nodeStates) states of a node, \(progress.messages) messages, "
                + "\(progress.codeRuns) runs of the code for \(progress.transitions) steps")
        switch verdict {
        case .covered:
            say("  covered: every reachable state was seen, every rule holds")
            return .success
        case .violated(let steps, let rule):
            say("  violation: \(rule)")
            CheckReport.say(steps)
            return .failure
        case .unfinished:
            say("  unfinished: more than \(limit) states")
            return ExitCode(2)
        case .outOfMemory:
            say(
                String(
                    format: "  unfinished: the next states need more than --memory %.1f GiB",
                    Double(memoryBytes) / 1_073_741_824))
            return ExitCode(3)
        }
    }

    fileprivate static func say(_ steps: [String]) {
        say("  the fewest steps that lead there:")
        for (index, step) in steps.enumerated() { say("  \(index + 1). \(step)") }
    }

    fileprivate static func say(_ words: String) {
        FileHandle.standardOutput.write(Data((words + "\n").utf8))
    }

    private func say(_ words: String) { CheckReport.say(words) }

    private func line(_ progress: Explorer.Progress) -> String {
        let usage = Usage()
        let seconds = usage.seconds - before.seconds
        let rate = Double(progress.states) / max(seconds, 0.001)
        return "\(progress.states) states, depth \(progress.depth), "
            + String(
                format: "%.1f s of CPU, %.0f states/s, %d MiB", seconds, rate,
                usage.memoryBytes / 1_048_576)
    }
}

/// What this process has used so far: time of CPU, and memory at most.
private struct Usage {
    let seconds: Double
    let memoryBytes: Int

    init() {
        var usage = rusage()
        #if canImport(Glibc)
        let status = getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let unitBytes = 1024
        #else
        let status = getrusage(RUSAGE_SELF, &usage)
        let unitBytes = 1
        #endif
        precondition(status == 0)
        let times = [usage.ru_utime, usage.ru_stime]
        seconds = times.reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
        memoryBytes = Int(usage.ru_maxrss) * unitBytes
    }
}

/// The search under way, for when the core stops the program.
private enum LastWords {
    nonisolated(unsafe) static var explorer: UnsafeMutablePointer<Explorer>?
}

/// The core found its own state broken: a violation like any other, and the last one.
@c @implementation
func paxos_panic(
    _ condition: UnsafePointer<CChar>?, _ file: UnsafePointer<CChar>?, _ line: Int32
) -> Never {
    let words = condition.map { String(cString: $0) } ?? "?"
    CheckReport.say("violation: the core's own assertion: \(words)")
    if let explorer = LastWords.explorer { CheckReport.say(explorer.pointee.lastWords()) }
    exit(1)
}
