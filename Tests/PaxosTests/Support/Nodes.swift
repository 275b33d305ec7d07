import Foundation
import Logging
import Paxos
import Testing

/// Replicas that run, in one process, on free ports of loopback; their directories go with them.
struct Nodes {
    private(set) var replicas: [Replica] = []
    private(set) var options: [Replica.Options] = []
    private let root: URL?
    /// Shuts everything down when a test takes too long, so that it fails rather than hangs.
    private var watchdog: Task<Void, Never>?

    /// - Parameters:
    ///   - count: members 1 to `count`.
    ///   - running: how many of them are opened, from 1 on.
    ///   - isDurable: formats a directory for each.
    init(
        _ count: Int = 3, running: Int? = nil, isDurable: Bool = false,
        configure: (inout Replica.Options) -> Void = { _ in }
    ) throws {
        let root = isDurable ? try Self.temporaryDirectory() : nil
        self.root = root
        var addresses: [NodeID: String] = [:]
        for node in (1...(running ?? count)).map({ NodeID($0) }) {
            var configuration = Configuration(
                cluster: 7, node: node, members: (1...count).map { NodeID($0) })
            configuration.durability = isDurable ? .durable : .memoryOnly
            configuration.window = 1024
            configuration.pipeline = 256
            configuration.arenaBytes = 2 << 20
            configuration.electionTimeout = .seconds(2)  // the machine may be busy
            var options = Replica.Options(
                configuration, directory: root?.appendingPathComponent("\(node)").path,
                listen: "127.0.0.1:0", security: .trusted)
            options.peers = addresses
            options.patience = .seconds(60)
            options.journalBytes = isDurable ? 16 << 20 : nil
            options.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            configure(&options)
            if isDurable { try Replica.format(options) }
            let replica = try Self.open(options)
            addresses[node] = "127.0.0.1:\(replica.port)"
            options.listen = addresses[node]
            self.options.append(options)
            replicas.append(replica)
        }
        watch()
    }

    private mutating func watch() {
        watchdog?.cancel()
        watchdog = Task { [replicas] in
            guard (try? await Task.sleep(for: .seconds(100))) != nil else { return }
            Issue.record("replicas were shut down because the test took too long")
            for replica in replicas { await replica.shutdown() }
        }
    }

    static func temporaryDirectory() throws -> URL {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("paxos-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        return url
    }

    /// Opens a replica whose directory was open before. A process that another test starts may hold
    /// the lock until it has become another program.
    static func open(_ options: Replica.Options, applied slot: UInt64 = 0) throws -> Replica {
        let end = ContinuousClock.now + .seconds(5)
        while true {
            do throws(Replica.OpenError) {
                return try Replica.open(options, applied: slot)
            } catch {
                guard case .directoryLocked = error, ContinuousClock.now < end else { throw error }
                usleep(1000)
            }
        }
    }

    /// Opens the node of this index again, on its old port.
    mutating func reopen(_ index: Int, applied slot: UInt64 = 0) throws {
        replicas[index] = try Self.open(options[index], applied: slot)
        watch()
    }

    /// Shuts all of them down and removes what they wrote.
    func end() async {
        watchdog?.cancel()
        for replica in replicas { await replica.shutdown() }
        if let root { try? FileManager.default.removeItem(at: root) }
    }
}

extension Replica {
    /// Proposes until it is decided; `nil` if its outcome is unknown.
    func persist(_ value: [UInt8]) async throws -> Decision? {
        while true {
            do throws(ProposalError) {
                return try await propose(value)
            } catch {
                switch error {
                case .unknown: return nil
                case .refused(let why, _):
                    guard [.leaderFull, .notLeader, .noLeader].contains(why) else { throw error }
                }
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Takes deliveries, and trims them, until `count` commands have come, or one with these bytes.
    func take(_ count: Int = .max, until last: [UInt8] = []) async throws -> [LogEntry] {
        var commands: [LogEntry] = []
        var batches = deliveries.makeAsyncIterator()
        while commands.count < count, commands.last?.bytes != last,
            let batch = try await batches.next()
        {
            commands += batch.commands
            try trim(upTo: batch.slots.upperBound)
        }
        return commands
    }
}

/// A machine that keeps all commands; durable as far as it is told to say.
struct Recorder: StateMachine {
    var commands: [LogEntry] = []
    var durableSlot: UInt64 = 0
    var failsAt: Int?
    struct Broken: Error {}

    mutating func apply(_ batch: Replica.Batch) throws {
        commands += batch.commands
        if let failsAt, commands.count >= failsAt { throw Broken() }
        durableSlot = batch.slots.upperBound
    }
}
