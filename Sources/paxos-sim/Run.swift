import ArgumentParser
import Foundation
import PaxosSimulator

/// `paxos-sim run`: seed after seed, until one breaks.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run seed after seed; exit 1 at the first that breaks an invariant.")

    @OptionGroup var world: World

    @Option(help: ArgumentHelp("The first seed; a fresh one if it is not given.", valueName: "s"))
    var seed: String?

    @Option(help: "Minutes to run for; one, if no number of seeds is given.")
    var minutes: Double?

    @Option(help: "How many seeds to run.")
    var seeds: UInt64?

    @Option(help: "Threads.")
    var jobs = 2

    func run() throws {
        let profile = try world.named()
        let first = try seed.map(parseSeed) ?? UInt64.random(in: 1...0xFFFF_FFFF)
        guard (1...256).contains(jobs) else { throw usage("--jobs is 1 to 256") }
        let minutes = minutes ?? (seeds == nil ? 1 : nil)
        if let minutes, !(minutes > 0 && minutes <= 100_000) {
            throw usage("--minutes is over 0, and at most 100000")
        }
        let runner = Runner(first: first, limit: seeds, profile: profile, jobs: jobs)
        print("seed \(first) on, profile \(profile.name), \(jobs) threads")
        let report = Report(isTerminal: isatty(2) == 1)
        runner.start()
        while !runner.wait(seconds: 1) {
            report.progress(runner.progress)
            if let minutes, report.seconds >= minutes * 60 { runner.stop() }
        }
        try report.end(runner.progress, profile)
    }
}

/// What people see while it runs, and in the end.
struct Report {
    let isTerminal: Bool
    private let started = Date()

    init(isTerminal: Bool) { self.isTerminal = isTerminal }

    var seconds: Double { Date().timeIntervalSince(started) }

    func progress(_ progress: Runner.Progress) {
        let line = line(progress)
        if isTerminal {
            FileHandle.standardError.write(Data("\r\u{1B}[K\(line)".utf8))
        } else if Int(seconds) % 10 == 0 {
            FileHandle.standardError.write(Data("\(line)\n".utf8))
        }
    }

    /// Of all threads: a machine that others use, too, changes it little.
    private static var processorSeconds: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let micros = Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
        return max(Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + micros / 1e6, 0.001)
    }

    private func line(_ progress: Runner.Progress) -> String {
        let hours = Double(progress.simulated_ns) / 3.6e12
        let messages = Double(progress.counts.messages) / Report.processorSeconds
        let commits = Double(progress.counts.commits) / seconds
        return "\(progress.seeds) seeds, \(String(format: "%.1f", hours)) simulated hours, "
            + "\(progress.counts.faults) faults, \(progress.counts.restarts) restarts, "
            + "\(progress.counts.messages) messages (\(String(format: "%.2f", messages / 1e6)) M a core and second), "
            + "\(String(format: "%.0f", commits)) commits/s"
    }

    func end(_ progress: Runner.Progress, _ profile: Profile) throws {
        if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
        print(line(progress))
        print(
            "\(progress.counts.proposals) proposals, \(progress.counts.blocked) would block; "
                + "\(progress.counts.withoutQuorum) worlds ended without a quorum; "
                + "\(progress.counts.fetches) times asked a journal, "
                + "\(progress.counts.copies) copies of a state given; "
                + "hash \(hexadecimal(progress.hash))")
        guard let failure = progress.failure else {
            print("clean: \(progress.seeds) seeds in \(String(format: "%.1f", seconds)) s")
            return
        }
        print("seed \(failure.seed), profile \(profile.name), broke:")
        for violation in failure.violations { print("  \(violation)") }
        print("again: paxos-sim replay \(failure.seed) --profile \(profile.name)")
        throw ExitCode(1)
    }
}
