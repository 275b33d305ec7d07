import CPaxosHost
import Foundation

/// Three processes of this very program, on loopback: nodes of a cluster, or what measures their
/// limits. They end with this one.
final class Processes {
    enum Kind: Hashable {
        /// The last one's journal may be another size: of one that nobody reads.
        case nodes(
            valueBytes: Int, isDurable: Bool, spin_ns: UInt64, journalBytes: Int = 0,
            lastJournalBytes: Int? = nil)
        /// With elections of their own.
        case electing(timeout_ns: UInt64, isDurable: Bool)
        case raw
    }

    private let kind: Kind
    private let directory: String
    private var children: [Child] = []
    private var ports = [0, 0, 0]
    /// Who led when all were ready; 0 among raw processes.
    private(set) var leader = 0

    /// - Parameter parent: where a directory for their files is made, and removed afterwards.
    init(_ kind: Kind, parent: String) throws {
        self.kind = kind
        directory = parent + "/bench-node-\(paxos_host_seed())"
        signal(SIGPIPE, SIG_IGN)  // a child that ended is seen by its silence
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: false)
        for node in 1...3 { children.append(try start(node)) }
        for child in children { leader = try child.hear("ready").first ?? 0 }
    }

    /// SIGKILL: no word to anybody.
    func kill(_ node: Int) { children[node - 1].kill() }

    /// Where a node that is durable has its journal.
    func journal(of node: Int) -> String { "\(directory)/\(node)/journal" }

    private func start(_ node: Int) throws -> Child {
        let child = try Child(arguments(node))
        try child.say("ports \(ports[0]) \(ports[1]) 0")
        ports[node - 1] = try child.hear("port").first ?? 0
        return child
    }

    /// A node ends, as it should, if it was not killed ...
    func leave(_ node: Int) { children[node - 1].end() }

    /// ... and comes back, with what its disk has.
    func comeBack(_ node: Int) throws {
        children[node - 1] = try start(node)
        _ = try children[node - 1].hear("ready")
    }

    private func arguments(_ node: Int) -> [String] {
        var words = ["node-process", "--node", "\(node)", "--directory", "\(directory)/\(node)"]
        switch kind {
        case .raw: words.append("--raw")
        case .electing(let timeout_ns, let isDurable):
            words += ["--election-ns", "\(timeout_ns)"]
            if isDurable { words.append("--durable") }
        case .nodes(let valueBytes, let isDurable, let spin_ns, let journalBytes, let last):
            words += ["--value-bytes", "\(valueBytes)", "--spin-ns", "\(spin_ns)"]
            words += ["--journal-bytes", "\(node == 3 ? last ?? journalBytes : journalBytes)"]
            if isDurable { words.append("--durable") }
        }
        return words
    }

    /// Tell one of them what to do. Returns the numbers of its answer.
    func ask(_ node: Int, _ line: String) throws -> [Int] {
        try tell(node, line)
        return try answer(of: node)
    }

    func tell(_ node: Int, _ line: String) throws { try children[node - 1].say(line) }

    func answer(of node: Int) throws -> [Int] { try children[node - 1].hear("done") }

    func end() {
        children.forEach { $0.end() }
        try? FileManager.default.removeItem(atPath: directory)
    }
}

/// One process, and the pipes to it.
private final class Child {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var unread = ""

    init(_ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    func say(_ line: String) throws {
        try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    }

    /// The numbers behind the first word of its next line, which must be `word`.
    func hear(_ word: String) throws -> [Int] {
        while !unread.contains("\n") {
            let data = output.fileHandleForReading.availableData
            try require(!data.isEmpty, "a process of the measurement has ended")
            unread += String(decoding: data, as: UTF8.self)
        }
        let end = unread.firstIndex(of: "\n")!
        let words = unread[..<end].split(separator: " ")
        unread = String(unread[unread.index(after: end)...])
        try require(words.first == word[...], "a process of the measurement said \(words)")
        return words.dropFirst().compactMap { Int($0) }
    }

    func kill() { Foundation.kill(process.processIdentifier, SIGKILL) }

    func end() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}

/// Processes that several suites share, because starting them takes longer than measuring.
final class ProcessPool {
    private let parent: String
    private var running: [Processes.Kind: (processes: Processes, users: Int)] = [:]

    init(parent: String) { self.parent = parent }

    func take(_ kind: Processes.Kind) throws -> Processes {
        let known = try running[kind] ?? (Processes(kind, parent: parent), 0)
        running[kind] = (known.processes, known.users + 1)
        return known.processes
    }

    func giveBack(_ kind: Processes.Kind) {
        guard let known = running[kind] else { return }
        running[kind] = known.users > 1 ? (known.processes, known.users - 1) : nil
        if known.users == 1 { known.processes.end() }
    }
}
