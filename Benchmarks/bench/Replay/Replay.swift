import ArgumentParser
import CPaxosHost

/// `bench replay`: a real file through a bad network.
struct Replay: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Replicate the lines of a file through a network that loses frames.",
        discussion: """
            Every line becomes a value, without its newline; an empty line is an empty value. \
            Frames are lost at the given probability, one in twenty arrives twice, and all travel \
            for 0.1 to 1 ms of virtual time, so that they overtake each other. Exits with 0 if \
            every replica delivered every line once and in order, with 1 if not.
            """)

    @Argument(help: "Any file; values are up to 1M.", completion: .file())
    var file: String

    @Option(
        help: "How many replicas, 1 to 31.",
        transform: { Int(try Parse.number($0, min: 1, max: 31)) })
    var nodes = 3

    @Option(help: ArgumentHelp("Probability that a frame is lost, below 1.", valueName: "p"))
    var loss = 0.0

    @Option(help: "Seed of losses and delays.", transform: Parse.seed)
    var seed: UInt64 = 1

    func validate() throws {
        guard loss >= 0, loss < 1 else { throw ValidationError("--loss is 0 or more, and below 1") }
    }

    func run() throws {
        var isEqual = false
        try reporting {
            let lines = try Lines(path: file)
            let replayer = try Replayer(lines: lines, nodes: nodes, loss: loss, seed: seed)
            let start_ns = paxos_host_clock_ns()
            let end = replayer.run()
            let seconds = Double(paxos_host_clock_ns() - start_ns) / 1e9
            isEqual = ReplayReport(lines: lines, replayer: replayer, seconds: seconds).print(end)
        }
        if !isEqual { throw ExitCode(1) }
    }
}
