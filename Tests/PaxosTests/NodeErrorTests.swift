import Foundation
import Logging
import Paxos
import Synchronization
import Testing

/// What keeps a replica from being opened, and what stops one.
@Suite(.serialized, .timeLimit(.minutes(3))) struct NodeErrorTests {
    private func options(_ root: URL) -> Replica.Options {
        var options = Replica.Options(
            Configuration(cluster: 7, node: 1, members: [1]),
            directory: root.appendingPathComponent("1").path, listen: "127.0.0.1:0",
            security: .trusted)
        options.configuration.arenaBytes = 2 << 20
        options.journalBytes = 16 << 20
        options.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return options
    }

    @Test("a directory that is missing, twice formatted, in use or another's is named as such")
    func directories() async throws {
        let root = try Nodes.temporaryDirectory()
        let good = options(root)
        let path = try #require(good.directory)
        #expect(throws: Replica.OpenError.directoryMissing(path)) { try Replica.open(good) }
        try Replica.format(good)
        #expect(throws: Replica.OpenError.directoryExists(path)) { try Replica.format(good) }
        let replica = try Nodes.open(good)
        #expect(throws: Replica.OpenError.directoryLocked(path)) { try Replica.open(good) }
        await replica.shutdown()
        var foreign = good
        foreign.configuration.cluster = 8
        #expect(throws: Replica.OpenError.directoryForeign(path)) { try Nodes.open(foreign) }
        try await Nodes.open(good).shutdown()
        try FileManager.default.removeItem(at: root)
    }

    @Test("options that break a rule are refused in plain words")
    func badOptions() throws {
        let root = try Nodes.temporaryDirectory()
        let good = options(root)
        try Replica.format(good)
        let bad: [(inout Replica.Options) -> Void] = [
            { $0.directory = nil },
            { $0.configuration.durability = .memoryOnly },
            { $0.configuration.window = 3 },
            { $0.configuration.node = 9 },
            { $0.security = .key([1, 2, 3]) },
            { $0.listen = "localhost:7001" },
            { $0.queueCount = 0 },
            {
                $0.configuration.members = [1, 2]
                $0.configuration.node = 2
            },
        ]
        for change in bad {
            var options = good
            change(&options)
            let error = #expect(throws: Replica.OpenError.self) { try Replica.open(options) }
            guard case .options(let rule) = error else {
                Issue.record("\(String(describing: error)) is not about options")
                continue
            }
            #expect(!rule.isEmpty && !rule.contains("_"), "\(rule)")
        }
        var memory = good
        memory.configuration.durability = .memoryOnly
        memory.directory = nil
        #expect(throws: Replica.OpenError.self) { try Replica.format(memory) }
        try FileManager.default.removeItem(at: root)
    }

    @Test("a journal that one lagging member can fill is warned of, and only such a one")
    func smallJournal() async throws {
        let root = try Nodes.temporaryDirectory()
        for (bytes, warnings) in [(10 << 20, 1), (nil, 0)] as [(Int?, Int)] {
            let log = Log()
            var options = options(root)
            options.configuration.window = 1024
            options.configuration.pipeline = 256
            options.directory = root.appendingPathComponent("journal\(warnings)").path
            options.journalBytes = bytes
            options.logger = Logger(label: "test") { _ in log }
            try Replica.format(options)
            try await Nodes.open(options).shutdown()
            let said = log.lines.withLock { $0.filter { $0.contains("journal") } }
            #expect(said.count == warnings, "\(said)")
            for line in said {
                #expect(line.contains("warning") && line.contains("10485760"), "\(line)")
            }
        }
        try FileManager.default.removeItem(at: root)
    }

    @Test("a state machine behind what was trimmed is refused")
    func machineBehindTheLog() async throws {
        let nodes = try Nodes(1, isDurable: true)
        let replica = nodes.replicas[0]
        let taking = Task { try await replica.take(20) }
        for turn in 0..<20 { _ = try await replica.persist(value(turn)) }
        _ = try await taking.value
        _ = try await replica.persist(value(20))
        await replica.shutdown()
        let error = #expect(throws: Replica.OpenError.self) {
            try Nodes.open(nodes.options[0], applied: 3)
        }
        guard case .applied = error else {
            Issue.record("\(String(describing: error)) is not about what was applied")
            return
        }
        try await Nodes.open(nodes.options[0], applied: 20).shutdown()
        await nodes.end()
    }

    @Test("a disk that fails stops the node: all are answered, deliveries and run throw the cause")
    func diskFailure_stopsTheNode() async throws {
        let nodes = try Nodes(1, isDurable: true)
        let replica = nodes.replicas[0]
        let directory = try #require(nodes.options[0].directory)
        let running = Task { try await replica.run() }
        let first = Task { try await replica.take(1) }
        _ = try await replica.persist(value(0))
        _ = try await first.value
        try Self.breakFiles(of: directory)
        /* A record that was under way may meet the broken disk first, with its flush. */
        let answer = await #expect(throws: Replica.ProposalError.self) {
            try await replica.propose(value(1))
        }
        #expect(answer == .unknown || answer == .refused(.stopped, leader: nil))
        let failure = await #expect(throws: Replica.Failure.self) { try await running.value }
        #expect(failure?.error == ENOSPC || failure?.error == EINVAL)
        await #expect(throws: Replica.Failure.self) { try await replica.take(1) }
        await #expect(throws: Replica.ProposalError.refused(.stopped, leader: nil)) {
            try await replica.propose(value(2))
        }
        await nodes.end()
    }

    /// Lets every descriptor of a file in `directory` stand for a device that is always full.
    private static func breakFiles(of directory: String) throws {
        let full = open("/dev/full", O_RDWR)
        #expect(full >= 0)
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            let target = try? FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/self/fd/\(name)")
            guard let descriptor = Int32(name), let target else { continue }
            if target.hasPrefix(directory + "/") { #expect(dup2(full, descriptor) >= 0) }
        }
        close(full)
    }
}

/// What a replica said to those who operate it.
private final class Log: LogHandler {
    let lines = Mutex<[String]>([])
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }

    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        let metadata = event.metadata ?? [:]
        lines.withLock { $0.append("\(event.level): \(event.message) \(metadata)") }
    }
}
