import ArgumentParser
import CBenchNode

/// `bench node-process`: one of the processes that `node.tcp` starts. It talks to its parent, and
/// ends with it.
struct NodeProcess: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node-process", abstract: "One process of a measurement.",
        shouldDisplay: false)

    @Flag var raw = false
    @Flag var durable = false
    @Option var node: UInt16
    @Option var valueBytes: UInt32 = 64
    @Option var spinNs: UInt64 = 0
    @Option var journalBytes: UInt64 = 0
    @Option var electionNs: UInt64 = 0
    @Option var directory: String

    func run() throws {
        let status = directory.withCString { directory in
            var how = bench_node_t()
            how.node = node
            how.is_durable = durable ? 1 : 0
            how.value_bytes = valueBytes
            how.spin_ns = spinNs
            how.journal_bytes = journalBytes
            how.election_timeout_ns = electionNs
            how.directory = directory
            return raw ? bench_raw_serve(&how) : bench_node_serve(&how)
        }
        if status != 0 { throw ExitCode(2) }
    }
}
