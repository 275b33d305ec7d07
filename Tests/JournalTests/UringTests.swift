import CJournalModel
import CPaxosHost
import Foundation
import Testing

/// The same journal through io_uring: the same promises, the same errors.
struct UringTests {
    private static let isThere: Bool = {
        var files = paxos_files_t()
        guard paxos_files_uring_open(&files) else { return false }
        paxos_files_uring_close(&files)
        return true
    }()

    @Test("where liburing is installed and the system allows it, there is a ring")
    func open_findsIt() {
        let isAllowed = try? String(
            contentsOfFile: "/proc/sys/kernel/io_uring_disabled", encoding: .utf8)
        if isAllowed == "0\n", dlopen("liburing.so.2", RTLD_NOW) != nil {
            #expect(Self.isThere)
        }
    }

    @Test(
        "killed at any moment, or stopped by a disk error, it has all that it said was durable",
        .enabled(if: isThere))
    func kills_loseNothing() throws {
        try ModelTests.expectKillsLoseNothing(withUring: true)
    }

    @Test(
        "what a disk refuses is told as write and flush tell it, and it works on",
        .enabled(if: isThere))
    func errors_areTold() throws {
        let directory = try Directory()
        let wrong = journal_uring_errors(directory.file("file"))
        #expect(wrong.map { String(cString: $0) } == nil)
    }
}
