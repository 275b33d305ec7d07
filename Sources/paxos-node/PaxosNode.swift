import ArgumentParser
import Foundation
import Logging
import Paxos

/// `paxos-node`: a replicated log of lines, on the library's public interface alone.
@main
struct PaxosNode: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "paxos-node",
        abstract: "A replicated log of lines.",
        discussion: """
            Lines of standard input are proposed; the lines that were decided, wherever they were \
            proposed, go to standard output, in the same order on every node. A node that is started \
            again begins with the first line. Messages go to standard error. SIGINT and SIGTERM end \
            it; the end of its input does not.

            A line that was refused, or whose outcome is unknown because a leader was lost, is \
            proposed again, and applied once.
            """)

    @Option(help: "This node's number, one of the members.")
    var id: UInt16

    @Option(
        help: ArgumentHelp(
            "All members, the same on each of them.", valueName: "1=127.0.0.1:7001,2=..."))
    var members: String

    @Option(help: "The cluster's number, the same on all members; not 0.")
    var cluster: UInt64 = 1

    @Option(help: ArgumentHelp("Where this node keeps its votes and its lines.", valueName: "path"))
    var dir: String?

    @Flag(help: "Make the directory first: once in the node's life, never to replace a lost one.")
    var format = false

    @Flag(
        help: """
            Keep nothing on disk. A node that ends must never come back under its number; it comes \
            back, if at all, in a cluster that has begun anew.
            """)
    var memoryOnly = false

    @Option(
        help: ArgumentHelp(
            "A file of 32 random bytes, the same on all members.", valueName: "path"))
    var keyFile: String?

    @Flag(help: "No key: believe everything that reaches the port.")
    var trusted = false

    @Option(
        help: ArgumentHelp(
            "Say so often, on standard error, where this node stands; it is asked, not guessed.",
            valueName: "seconds"))
    var status: Double?

    @Flag(help: "Log refusals as well.")
    var verbose = false

    /// One line for wrong use, not a page.
    static func main() async {
        do {
            let command = try parse()
            try await command.run()
        } catch {
            if exitCode(for: error) != .validationFailure || error is ExitCode {
                exit(withError: error)
            }
            complain(message(for: error))
            exit(withError: ExitCode(64))
        }
    }

    func run() async throws {
        do {
            try await serve(try options())
        } catch let error as Usage {
            complain(error.message)
            throw ExitCode(64)
        } catch let error as ExitCode {
            throw error
        } catch {
            complain("\(error)")
            throw ExitCode(1)
        }
    }

    /// The replica's options, every argument checked.
    private func options() throws(Usage) -> Replica.Options {
        let addresses = try Arguments.members(members)
        guard let own = addresses[id] else {
            throw Usage("--id \(id) is none of the members")
        }
        guard memoryOnly != (dir != nil) else {
            throw Usage("say either --dir or --memory-only")
        }
        if format && memoryOnly { throw Usage("there is nothing to format with --memory-only") }
        if let status, !(0.01...86400 ~= status) {
            throw Usage("--status is 0.01 to 86400 seconds")
        }
        var configuration = Configuration(
            cluster: cluster, node: id, members: addresses.keys.sorted())
        configuration.durability = memoryOnly ? .memoryOnly : .durable
        var options = Replica.Options(
            configuration, directory: dir.map { $0 + "/journal" }, listen: own,
            security: try Arguments.security(keyFile: keyFile, trusted: trusted))
        options.peers = addresses
        var logger = Logger(label: "paxos-node") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = verbose ? .debug : .info
        options.logger = logger
        return options
    }

    private func serve(_ options: Replica.Options) async throws {
        if let dir, format {
            try makeDirectory(dir)
            try Replica.format(options)
        }
        var log = try LineLog(path: dir.map { $0 + "/lines" })
        let replica = try open(options, applied: log.durableSlot)
        let signals = Signals { Task { await replica.shutdown() } }
        defer { signals.cancel() }
        let proposer = Proposer(replica, options.logger)
        let input = Task { await proposer.run(valueBytes: options.configuration.valueBytes) }
        let reports = status.map { seconds in
            Task { await report(replica, every: .seconds(seconds)) }
        }
        defer {
            input.cancel()
            reports?.cancel()
        }
        try log.printAll()
        try await replica.run(&log)
    }

    /// A broken rule of the options is wrong use; everything else is not.
    private func open(_ options: Replica.Options, applied slot: UInt64) throws -> Replica {
        do throws(Replica.OpenError) {
            return try Replica.open(options, applied: slot)
        } catch {
            if case .options(let rule) = error { throw Usage(rule) }
            throw error
        }
    }

    private func makeDirectory(_ path: String) throws {
        if mkdir(path, 0o777) == 0 {
            try flushName(of: path)
        } else if errno != EEXIST {
            throw Usage("\(path): \(String(cString: strerror(errno)))")
        }
    }

    private func report(_ replica: Replica, every pause: Duration) async {
        while (try? await Task.sleep(for: pause)) != nil {
            let status = await replica.status
            let log = status.log
            complain(
                """
                status: \(log.role), leader \(log.leader.map { "\($0)" } ?? "none"), \
                connected \(status.connected), decided \(log.decided), applied \(status.handed), \
                trimmed \(log.trimmed), waiting \(status.waiting), under way \(status.underway), \
                flushes \(status.flushes)
                """)
        }
    }
}

/// Wrong use, in one line for a person; the process exits with 64.
struct Usage: Error {
    let message: String
    init(_ message: String) { self.message = message }
}

func complain(_ message: String) {
    // Whoever read it may be gone.
    try? FileHandle.standardError.write(contentsOf: Data("paxos-node: \(message)\n".utf8))
}
