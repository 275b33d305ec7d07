import CPaxosHost
import Foundation
import Testing

/// A directory is made once, belongs to one node, and is open in one place at a time.
struct DirectoryTests {
    let directory: Directory

    init() throws { directory = try Directory() }

    private var path: String { directory.file("journal") }

    private func refusal(
        node: UInt16 = 1, cluster: UInt64 = OpenJournal.cluster, waits: Bool = true
    ) -> paxos_journal_status_t {
        do {
            _ = try OpenJournal(path, node: node, cluster: cluster, waits: waits)
            return PAXOS_JOURNAL_OK
        } catch let refused as OpenJournal.Refused {
            return refused.status
        } catch {
            return PAXOS_JOURNAL_ERR_STATE
        }
    }

    @Test("what was never formatted is not opened, and opening makes nothing")
    func open_neverCreates() {
        #expect(refusal() == PAXOS_JOURNAL_ERR_MISSING)
        #expect(refusal() == PAXOS_JOURNAL_ERR_MISSING)
        #expect(format(directory.path) == PAXOS_JOURNAL_OK, "a directory that is there will do")
        #expect((try? OpenJournal(directory.path)) != nil)
    }

    @Test("formatting what is formatted is refused, and changes nothing")
    func format_once() throws {
        #expect(format(path) == PAXOS_JOURNAL_OK)
        let before = try (directory.read("journal/superblock"), directory.read("journal/journal"))
        #expect(format(path) == PAXOS_JOURNAL_ERR_EXISTS)
        #expect(try directory.read("journal/superblock") == before.0)
        #expect(try directory.read("journal/journal") == before.1)
    }

    @Test("what a larger format has left is in the way of a smaller one, which says so")
    func format_isSmaller() throws {
        #expect(mkdir(path, 0o700) == 0)
        let left = directory.file("journal/journal.new")
        #expect(FileManager.default.createFile(atPath: left, contents: Data(count: 1 << 20)))
        #expect(format(path) == PAXOS_JOURNAL_ERR_SYSTEM)
        #expect(unlink(left) == 0)
        #expect(format(path) == PAXOS_JOURNAL_OK)
        #expect(refusal() == PAXOS_JOURNAL_OK)
    }

    @Test("a half-made journal is no journal, and can be made again")
    func format_isAtomic() throws {
        #expect(format(path, smallShape { $0.segment_count = 2 }) == PAXOS_JOURNAL_ERR_SHAPE)
        #expect(format(path) == PAXOS_JOURNAL_OK)
        /* The superblock comes last: without it there is none; but the records may be somebody's. */
        #expect(rename(directory.file("journal/superblock"), directory.file("other")) == 0)
        #expect(refusal() == PAXOS_JOURNAL_ERR_MISSING)
        #expect(format(path) == PAXOS_JOURNAL_ERR_EXISTS)
        #expect(unlink(directory.file("journal/journal")) == 0)
        #expect(format(path) == PAXOS_JOURNAL_OK)
    }

    @Test(
        "shapes that do not fit are refused",
        arguments: [
            smallShape { $0.node = 0 }, smallShape { $0.cluster = 0 },
            smallShape { $0.segment_bytes = 65_000 }, smallShape { $0.segment_bytes = 16 << 10 },
            smallShape { $0.segment_bytes = 2 << 30 }, smallShape { $0.segment_count = 5000 },
            smallShape { $0.batch_bytes_max = 4096 }, smallShape { $0.batch_bytes_max = 10_000 },
            smallShape { $0.batch_bytes_max = 64 << 10 }, smallShape { $0.groups_max = 100_000 },
        ])
    func format_checksShape(shape: paxos_journal_shape_t) {
        #expect(format(path, shape) == PAXOS_JOURNAL_ERR_SHAPE)
        #expect(refusal() == PAXOS_JOURNAL_ERR_MISSING)
    }

    @Test("row 7: a directory that is gone, or a journal in it, is said to be missing")
    func open_missingFiles() throws {
        #expect(format(path) == PAXOS_JOURNAL_OK)
        let journal = directory.file("journal/journal")
        #expect(truncate(journal, 100) == 0)
        #expect(refusal() == PAXOS_JOURNAL_ERR_MISSING)
        #expect(unlink(journal) == 0)
        #expect(refusal() == PAXOS_JOURNAL_ERR_MISSING)
        #expect(unlink(directory.file("journal/superblock")) == 0)
        #expect(refusal() == PAXOS_JOURNAL_ERR_MISSING)
        #expect(rmdir(path) == 0)
        #expect(refusal() == PAXOS_JOURNAL_ERR_MISSING)
    }

    @Test("another cluster's or node's journal is refused")
    func open_foreign() {
        #expect(format(path) == PAXOS_JOURNAL_OK)
        #expect(refusal(node: 2) == PAXOS_JOURNAL_ERR_FOREIGN)
        #expect(refusal(cluster: 1) == PAXOS_JOURNAL_ERR_FOREIGN)
        #expect(refusal(node: 0, cluster: 0) == PAXOS_JOURNAL_OK)
    }

    @Test("a second one who opens it is told that it is locked, while the first has it")
    func open_locked() throws {
        #expect(format(path) == PAXOS_JOURNAL_OK)
        do {
            let first = try OpenJournal(path)
            #expect(refusal(waits: false) == PAXOS_JOURNAL_ERR_LOCKED)
            #expect(first.report.incarnation == 1)
        }
        #expect(refusal() == PAXOS_JOURNAL_OK)
    }

    @Test("each life has an incarnation of its own, also over a damaged copy; a look has none")
    func incarnation_rises() throws {
        #expect(format(path) == PAXOS_JOURNAL_OK)
        #expect(try OpenJournal(path).report.incarnation == 1)
        #expect(try OpenJournal(path, readOnly: true).report.incarnation == 1)
        #expect(try OpenJournal(path).report.incarnation == 2)
        for copy in 0..<2 {
            try directory.flip("journal/superblock", byte: copy * 4096 + 60)
            let journal = try OpenJournal(path)
            #expect(journal.report.superblock_copies == 1)
            #expect(journal.report.incarnation == 4 + 2 * UInt32(copy))
        }
        #expect(try OpenJournal(path).report.superblock_copies == 2)
    }

    @Test("no readable superblock: corrupt; one of a later version: said so")
    func open_badSuperblock() throws {
        #expect(format(path) == PAXOS_JOURNAL_OK)
        let good = try directory.read("journal/superblock")
        try directory.flip("journal/superblock", byte: 20)
        try directory.flip("journal/superblock", byte: 4096 + 20)
        #expect(refusal() == PAXOS_JOURNAL_ERR_CORRUPT)
        var later = Bytes(good[..<512])
        later[8] = 2
        let checksum = paxos_crc32c(0, Bytes(later[4...]), 508)
        for i in 0..<4 { later[i] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(i))) }
        try directory.write(later, to: "journal/superblock", at: 0)
        try directory.write(Bytes(good[4096..<4608]), to: "journal/superblock", at: 4096)
        #expect(refusal() == PAXOS_JOURNAL_ERR_VERSION)
    }

    @Test("every status has words")
    func status_words() {
        for status in -14...1 {
            let words = String(
                cString: paxos_journal_words(paxos_journal_status_t(rawValue: Int32(status))))
            #expect(words != "unknown" && !words.isEmpty)
        }
    }
}
