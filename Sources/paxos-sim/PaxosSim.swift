import ArgumentParser

/// `paxos-sim`: real replicas in a world that tries to break them.
@main
struct PaxosSim: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "paxos-sim",
        abstract: "Run real replicas in a deterministic world that tries to break them.",
        discussion: """
            Everything follows from a seed of 64 bits. For speed build for release: \
            swift run -c release paxos-sim
            """,
        subcommands: [Check.self])
}
