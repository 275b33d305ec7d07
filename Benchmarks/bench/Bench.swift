import ArgumentParser

/// `bench`: how fast, against what no implementation can avoid; and `bench replay`, which proves on
/// a real file that what goes in comes out of every replica, once and in order.
@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure swift-paxos against the copies and checksums that it cannot avoid.",
        discussion: """
            Without a subcommand every suite runs, in under a minute. For figures build for \
            release: swift run -c release bench
            """,
        subcommands: [Run.self, List.self, Replay.self, NodeProcess.self],
        defaultSubcommand: Run.self)
}

/// What went wrong, in one line for a person; the process exits with 2.
struct BenchError: Error {
    let message: String

    init(_ message: String) { self.message = message }
}

extension ParsableCommand {
    /// Run `body`; a `BenchError` becomes one line on standard error and exit code 2.
    func reporting(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as BenchError {
            Terminal.error("bench: \(error.message)")
            throw ExitCode(2)
        }
    }
}
