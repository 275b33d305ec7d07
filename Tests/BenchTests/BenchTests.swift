import Foundation
import Testing

/// The built program from outside: what it prints and how it exits.
@Suite("bench")
struct BenchTests {
    struct Outcome {
        let code: Int32
        let output: String
        let errors: String

        var lines: [Substring] { output.split(separator: "\n") }
        /// Errors are one line for a person.
        var isOneErrorLine: Bool { errors.split(separator: "\n").count == 1 }
    }

    /// Run the program that was built beside this test.
    private func bench(_ arguments: [String], path: String? = nil) throws -> Outcome {
        let process = Process()
        let products = Bundle.main.executableURL!.deletingLastPathComponent()
        process.executableURL = products.appendingPathComponent("bench")
        process.arguments = arguments
        if let path { process.environment = ["PATH": path] }
        let output = try temporaryFile("")
        let errors = try temporaryFile("")
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        return Outcome(
            code: process.terminationStatus,
            output: try String(contentsOf: output, encoding: .utf8),
            errors: try String(contentsOf: errors, encoding: .utf8))
    }

    private func temporaryFile(_ text: String) throws -> URL {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("bench-\(UUID().uuidString)")
        try Data(text.utf8).write(to: url)
        return url
    }

    @Test("list names every suite that later work compares")
    func list_namesStableSuites() throws {
        let outcome = try bench(["list"])
        #expect(outcome.code == 0)
        for name in [
            "acceptor.accept.frame value=64B batch=1", "acceptor.accept.frame value=64B batch=64",
            "acceptor.accept.struct value=64B", "acceptor.prepare.frame",
            "cluster.commit nodes=3 value=64B batch=1", "cluster.commit nodes=3 value=64B batch=64",
            "cluster.commit.c nodes=3 value=64B batch=1",
            "cluster.commit.c nodes=3 value=64B batch=64",
            "cluster.commit nodes=5 value=1024B batch=64", "cluster.takeover nodes=3 window=4096",
            "swift.propose nodes=3 value=64B batch=1", "swift.propose nodes=3 value=64B batch=64",
            "journal.append batch=1 value=64B", "journal.append batch=64 value=64B",
            "journal.recover batch=64 value=64B from=memory",
            "journal.recover batch=64 value=64B from=disk",
            "node.tcp nodes=3 value=64B durable=yes clients=64",
            "node.recover nodes=3 value=64B from=memory",
            "node.recover nodes=3 value=64B from=disk",
            "replica.propose nodes=3 value=64B tasks=1",
            "replica.propose nodes=3 value=64B tasks=1024",
            "node.failover nodes=3 election_timeout=200ms",
            "node.failover nodes=3 election_timeout=200ms durable=yes",
        ] {
            #expect(outcome.lines.contains { $0.hasPrefix(name + " [") }, "\(name)")
        }
    }

    @Test("--json prints one object a line with exactly the five keys")
    func json_hasFiveKeys() throws {
        let outcome = try bench([
            "run", "codec", "cluster.commit nodes=3 value=64B batch=64", "--seconds", "0.05",
            "--json",
        ])
        #expect(outcome.code == 0)
        #expect(outcome.lines.count > 1)
        for line in outcome.lines {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
            let row = try #require(object as? [String: Any])
            #expect(Set(row.keys) == ["name", "value", "unit", "limit", "spread"])
            #expect(try #require(row["value"] as? Double) > 0)
        }
    }

    @Test("values and batches with units select the shapes")
    func options_selectShapes() throws {
        let outcome = try bench(["list", "--values", "1K", "--batch", "7"])
        #expect(
            outcome.lines.contains { $0.hasPrefix("cluster.commit nodes=3 value=1024B batch=7 ") })
        #expect(!outcome.output.contains("value=64B"))
    }

    @Test(
        "bad options exit with 64",
        arguments: [
            ["--values", "0"], ["--values", "1Q"], ["--values", ""], ["--batch", "5000"],
            ["--seconds", "0"], ["--seed", "-1"], ["--kills", "7"],
            ["--repetitions", "0"], ["--bogus"],
            ["replay", "f", "--loss", "1"], ["replay", "f", "--nodes", "32"], ["replay"],
        ])
    func badOption_exits64(_ arguments: [String]) throws {
        let outcome = try bench(arguments)
        #expect(outcome.code == 64)
        #expect(outcome.output.isEmpty && !outcome.errors.isEmpty)
    }

    @Test("an unknown suite and a missing gnuplot exit with 2 before anything runs")
    func impossibleRuns_exit2() throws {
        for outcome in [
            try bench(["run", "no.such.suite"]),
            try bench(["--plot", "/dev/null"], path: "/nonexistent"),
        ] {
            #expect(outcome.code == 2)
            #expect(outcome.output.isEmpty && outcome.isOneErrorLine)
        }
    }

    @Test("files that cannot be replayed exit with 2 and one line")
    func badFiles_exit2() throws {
        let long = String(repeating: "x", count: (1 << 20) + 1)
        for path in [
            "/nonexistent/file", "/tmp", try temporaryFile("").path,
            try temporaryFile("a\n\(long)\nb\n").path,
        ] {
            let outcome = try bench(["replay", path])
            #expect(outcome.code == 2, "\(path)")
            #expect(outcome.output.isEmpty && outcome.isOneErrorLine)
        }
    }

    @Test("every replica delivers every line, whatever its bytes", arguments: [1, 3, 5])
    func replay_deliversAll(nodes: Int) throws {
        var text = "first\n\n\r\n\u{0}\u{1}\u{FFFD}\n"
        for number in 0..<2000 {
            text += "line \(number) \(String(repeating: "-", count: number % 90))\n"
        }
        let path = try temporaryFile(text + "last, without a newline").path
        let outcome = try bench(
            ["replay", path, "--nodes", "\(nodes)", "--loss", "0.2", "--seed", "7"])
        #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("2005 lines"))
        let digests = outcome.lines.filter { $0.hasPrefix("digest") }
            .map { $0.split(separator: " ")[1] }
        #expect(digests.count == nodes + 1 && Set(digests).count == 1)
    }
}
