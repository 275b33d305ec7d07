import Foundation
import Testing

/// What the README promises of three nodes in three terminals.
@Suite(.serialized, .timeLimit(.minutes(3))) struct NodeProcessTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("paxos-node-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    }

    private func start(_ id: Int, members: String, _ more: [String]) throws -> NodeProcess {
        let arguments = ["--id", "\(id)", "--members", members, "--status", "0.2"] + more
        return try NodeProcess(id: id, arguments, in: folder)
    }

    private func members() -> String {
        let ports = freePorts(3)
        return (1...3).map { "\($0)=127.0.0.1:\(ports[$0 - 1])" }.joined(separator: ",")
    }

    @Test("the leader is killed under load and comes back: nothing is lost, nothing comes twice")
    func killedLeader_losesNothing() throws {
        let key = folder.appendingPathComponent("key")
        try Data((0..<32).map { _ in UInt8.random(in: 0...255) }).write(to: key)
        let members = members()
        func arguments(_ id: Int) -> [String] {
            ["--dir", folder.appendingPathComponent("\(id)").path, "--key-file", key.path]
        }
        var nodes = try (1...3).map {
            try start($0, members: members, arguments($0) + ["--format"])
        }
        var expected: Set<String> = []
        for node in nodes {
            let lines = (1...100).map { "first \(node.id) \($0)" }
            try node.feed(lines)
            expected.formUnion(lines)
        }
        try #require(eventually { try nodes.allSatisfy { try $0.lines().count == 300 } })

        let leader = try #require(try nodes[0].leader())
        let survivors = nodes.filter { $0.id != leader }
        for node in survivors {
            let lines = (1...500).map { "second \(node.id) \($0)" }
            try node.feed(lines)
            expected.formUnion(lines)
        }
        #expect(nodes[leader - 1].end(SIGKILL) == SIGKILL)
        let all = expected.count
        #expect(try eventually { try survivors.allSatisfy { try $0.lines().count >= all } })

        nodes[leader - 1] = try start(leader, members: members, arguments(leader))
        #expect(try eventually { try nodes[leader - 1].lines().count >= all })
        try nodes[leader - 1].feed(["third"])
        expected.insert("third")
        #expect(try eventually { try nodes.allSatisfy { try $0.lines().count > all } })
        let logs = try nodes.map { try $0.lines() }
        #expect(logs[1] == logs[0] && logs[2] == logs[0])
        #expect(logs[0].count == expected.count && Set(logs[0].map(String.init)) == expected)
        for node in nodes {
            #expect(
                try eventually {
                    try node.messages().contains { $0.hasPrefix("paxos-node: status: ") }
                })
        }
        for node in nodes { #expect(node.end(node.id == 1 ? SIGINT : SIGTERM) == 0) }
        try FileManager.default.removeItem(at: folder)
    }

    @Test("wrong use is one line, and the process ends with 64")
    func wrongUse_isOneLine() throws {
        let good = ["--id", "1", "--members", "1=127.0.0.1:0", "--memory-only", "--trusted"]
        func without(_ option: String, _ count: Int) -> [String] {
            let at = good.firstIndex(of: option)!
            return Array(good[..<at] + good[(at + count)...])
        }
        let bad = [
            [], ["--nonsense"], good + ["--id", "0x"], without("--id", 2), without("--trusted", 1),
            without("--memory-only", 1), good + ["--dir", "x"], good + ["--key-file", "none"],
            without("--members", 2) + ["--members", "1:127.0.0.1:7001"],
            without("--members", 2) + ["--members", "1=127.0.0.1:7001,1=127.0.0.1:7002"],
            without("--members", 2) + ["--members", "2=127.0.0.1:7001"],
            without("--members", 2) + ["--members", "1=localhost"],
            without("--trusted", 1) + ["--key-file", "/no/such/file"],
            good + ["--format"], good + ["--status", "0"], good + ["--cluster", "0"],
        ]
        for arguments in bad {
            let node = try NodeProcess(id: 1, arguments, in: folder)
            #expect(node.exitCode() == 64, "\(arguments)")
            let messages = try node.messages()
            #expect(messages.count == 1, "\(arguments): \(messages)")
            #expect(try node.lines().isEmpty)
        }
        let missing = folder.appendingPathComponent("missing").path
        let node = try NodeProcess(
            id: 1, without("--memory-only", 1) + ["--dir", missing], in: folder)
        #expect(node.exitCode() == 1)
        #expect(try node.messages().count == 1)
        try FileManager.default.removeItem(at: folder)
    }
}
