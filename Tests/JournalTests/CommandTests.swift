import CPaxos
import CPaxosHost
import Foundation
import Testing

/// `paxos-journal` from outside: what it prints of real journals, and how it ends.
struct CommandTests {
    let directory: Directory
    private var path: String { directory.file("journal") }

    /// Eight records of group 7 and one of group 9.
    init() throws {
        directory = try Directory()
        #expect(format(path) == PAXOS_JOURNAL_OK)
        let journal = try OpenJournal(path)
        journal.readAll()
        for lsn in 1...8 as ClosedRange<UInt64> {
            try append(journal, lsn, value: "set x \(lsn) \u{1}")
        }
        #expect(journal.append(1, group: 9) { $0.trim = 5 } == PAXOS_JOURNAL_OK)
        #expect(journal.flush() == PAXOS_JOURNAL_OK)
    }

    /// A record as a replica writes it: entries that are whole.
    private func append(_ journal: OpenJournal, _ lsn: UInt64, value: String) throws {
        var origin = paxos_entry_t()
        (origin.value_bytes, origin.node, origin.kind) = (UInt32(value.utf8.count), 2, 1)
        (origin.incarnation, origin.number) = (3, lsn)
        var body = Bytes(repeating: 0, count: Int(paxos_entry_bytes(origin.value_bytes)))
        paxos_entry_put(&body, origin, Bytes(value.utf8))
        let status = journal.append(lsn, body: body) {
            ($0.ballot, $0.other, $0.slot) = (0x50002, 0x50002, lsn + 10)
            ($0.watermark, $0.trim) = (lsn + 9, 5)
            $0.digest = paxos_digest_term(lsn + 10, paxos_get32(body))
        }
        #expect(status == PAXOS_JOURNAL_OK)
        #expect(journal.flush() == PAXOS_JOURNAL_OK)
    }

    private struct Outcome {
        let code: Int32
        let output: String
        let errors: String
        var lines: [Substring] { output.split(separator: "\n") }
    }

    /// Run the program that was built beside this test. Where it finds the journal locked it is run
    /// again: a process that another test starts holds all locks for a moment.
    private func command(_ arguments: String..., waits: Bool = true) throws -> Outcome {
        var outcome = try run(arguments)
        for _ in 0..<100 where waits && outcome.errors.contains("another process") {
            usleep(20_000)
            outcome = try run(arguments)
        }
        return outcome
    }

    private func run(_ arguments: [String]) throws -> Outcome {
        let process = Process()
        let products = Bundle.main.executableURL!.deletingLastPathComponent()
        process.executableURL = products.appendingPathComponent("paxos-journal")
        process.arguments = arguments
        let (output, errors) = (directory.file("output"), directory.file("errors"))
        for file in [output, errors] {
            #expect(FileManager.default.createFile(atPath: file, contents: nil))
        }
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle(forWritingAtPath: errors)
        try process.run()
        process.waitUntilExit()
        return Outcome(
            code: process.terminationStatus,
            output: try String(contentsOfFile: output, encoding: .utf8),
            errors: try String(contentsOfFile: errors, encoding: .utf8))
    }

    @Test("inspect says whose it is, its shape, and what each group has")
    func inspect_saysWhatIsThere() throws {
        let outcome = try command("inspect", path)
        #expect(outcome.code == 0)
        #expect(
            outcome.output == """
                node         1 of cluster 0xc1057e2
                lives        1
                format       version 1
                size         192K: 3 segments of 64K
                limits       batches of 16K, 2 groups
                used         segments 1 to 1 (1 of 3), 10 batches, 9 records
                free         140K
                held         segment 1 by group 7, until it trims up to slot 18
                group 7
                  lsn        1 to 8, 8 records
                  promised   5.2
                  slots      trimmed to 5, decided to 17 at least, last 18
                group 9
                  lsn        1 to 1, 1 records
                  promised   1.1
                  slots      trimmed to 5, decided to 0 at least, last 0

                """)
    }

    @Test("dump prints a record a line, values cut for people and whole for programs")
    func dump_printsRecords() throws {
        let all = try command("dump", path)
        #expect(all.code == 0 && all.lines.count == 9)
        #expect(
            all.lines[2] == "group 7  lsn 3  entries  ballot 5.2  slot 13  promise 5.2  "
                + #"decided 12  trimmed 5  "set x 3 \x01""#)
        #expect(all.lines[8] == "group 9  lsn 1  mark  promise 1.1  decided 0  trimmed 5")
        let some = try command("dump", path, "--group", "7", "--from", "7", "--json")
        #expect(some.lines.count == 2)
        let object = try JSONSerialization.jsonObject(with: Data(some.lines[1].utf8))
        let record = try #require(object as? [String: Any])
        #expect(record["lsn"] as? Int == 8 && record["ballot"] as? Int == 0x50002)
        let entries = try #require(record["entries"] as? [[String: Any]])
        #expect(entries.count == 1 && entries[0]["slot"] as? Int == 18)
        #expect(entries[0]["value"] as? String == Data("set x 8 \u{1}".utf8).base64EncodedString())
    }

    @Test("verify: whole, then damage by segment and offset, and by record")
    func verify_namesDamage() throws {
        let whole = try command("verify", path)
        #expect(whole.code == 0 && whole.lines.count == 1)
        #expect(whole.output.hasPrefix("whole: 10 batches, 9 records\n"))
        try directory.flip("journal/journal", byte: (64 << 10) + 4096 * 3 + 512 + 96 + 24)
        let damaged = try command("verify", path)
        #expect(damaged.code == 1)
        #expect(
            damaged.lines.dropLast() == [
                "damage: entries of group 7, lsn 3, at segment 1 offset 12800: "
                    + "its entries cannot be read",
                "damage: segment 1 offset 12288: 4096 bytes",
            ])
        #expect(try command("inspect", path).lines.last?.hasPrefix("damage ") == true)
        #expect(try command("dump", path).lines[2].hasSuffix("DAMAGED"))
    }

    @Test("a journal that is open, one that is not there, wrong use: 2, 2, 64; nothing is changed")
    func refused_changesNothing() throws {
        let before = try directory.read("journal/journal") + directory.read("journal/superblock")
        for name in ["inspect", "verify", "dump"] { #expect(try command(name, path).code == 0) }
        #expect(
            try directory.read("journal/journal") + directory.read("journal/superblock") == before)
        let held = try OpenJournal(path)
        for name in ["inspect", "verify", "dump"] {
            let outcome = try command(name, path, waits: false)
            #expect(outcome.code == 2 && outcome.output.isEmpty)
            #expect(
                outcome.errors
                    == "paxos-journal: \(path): another process has the journal open (superblock)\n"
            )
        }
        held.close()
        let nowhere = try command("verify", directory.file("nowhere"))
        #expect(nowhere.code == 2 && nowhere.errors.contains("no journal is there"))
        #expect(try command("dump", path, "--from", "x").code == 64)
    }
}
