import CPaxos
import CPaxosHost
import Testing

/// One damage at a time, on real files: rows of the safety list by name.
struct DamageTests {
    let directory: Directory
    private var path: String { directory.file("journal") }
    /// Where the batches stand: a table, then one page for each record.
    private static let first = (64 << 10) + 4096
    private static let batchBytes = 4096

    init() throws {
        directory = try Directory()
        #expect(format(path) == PAXOS_JOURNAL_OK)
        let journal = try OpenJournal(path)
        journal.readAll()
        for lsn in 1...4 as ClosedRange<UInt64> {
            #expect(journal.append(lsn, body: makeBody(lsn, count: 2048)) == PAXOS_JOURNAL_OK)
            #expect(journal.flush() == PAXOS_JOURNAL_OK)
        }
    }

    private func place(_ record: Int) -> Int { Self.first + (record - 1) * Self.batchBytes }

    private func found() throws -> (OpenJournal, [OpenJournal.Record]) {
        let journal = try OpenJournal(path)
        return (journal, journal.readAll())
    }

    @Test("row 8: a bit of the last record flips: it is damaged, not torn, and still counts")
    func lastBody_isDamaged() throws {
        try forgetMark()
        try directory.flip("journal/journal", byte: place(4) + 512 + 96 + 1000)
        let (journal, records) = try found()
        #expect(
            records.map(\.lsn) == [1, 2, 3, 4]
                && records.map(\.isDamaged) == [false, false, false, true])
        #expect(journal.group(7).acknowledged_lsn == 4)
        #expect(journal.report.damages == 1 && journal.report.torn_bytes == 0)
        #expect(journal.report.damage.0.segment == 1)
        #expect(Int(journal.report.damage.0.offset_bytes) == place(4) - (64 << 10))
    }

    @Test(
        "damage to a header, in any of its places, costs nothing: there is another copy",
        arguments: [20, 512 + 50, 3072 + 60, 4096 - 512 + 30])
    func header_hasCopies(byte: Int) throws {
        for record in [2, 4] {
            try directory.flip("journal/journal", byte: place(record) + byte)
        }
        let (journal, records) = try found()
        #expect(records.map(\.lsn) == [1, 2, 3, 4])
        #expect(records.map(\.body) == (1...4).map { makeBody($0, count: 2048) })
        #expect(journal.group(7).acknowledged_lsn == 4 && journal.report.damages == 2)
    }

    @Test("row 9: a record that cannot be read is a gap, and at the end the group is unsure")
    func record_isLost() throws {
        for byte in [512 + 50, 3072 + 60] {
            try directory.flip("journal/journal", byte: place(2) + byte)
        }
        var (journal, records) = try found()
        #expect(records.map(\.lsn) == [1, 3, 4] && journal.group(7).acknowledged_lsn == 4)
        for byte in [512 + 50, 3072 + 60] {
            try directory.flip("journal/journal", byte: place(4) + byte)
        }
        journal.close()
        (journal, records) = try found()
        #expect(records.map(\.lsn) == [1, 3])
        #expect(journal.group(7).acknowledged_lsn == .max)
        #expect(journal.group(8).acknowledged_lsn == .max, "it may have been of a group unheard of")
    }

    @Test("a segment whose records cannot be read is kept until a whole window behind is trimmed")
    func lost_holdsItsSegment() throws {
        for byte in [512 + 50, 3072 + 60] {
            try directory.flip("journal/journal", byte: place(2) + byte)
        }
        let (journal, records) = try found()
        #expect(records.map(\.lsn) == [1, 3, 4])
        var lsn: UInt64 = 5
        let body = makeBody(5, count: 8192)
        while journal.append(lsn, body: body) == PAXOS_JOURNAL_OK {
            #expect(journal.flush() == PAXOS_JOURNAL_OK)
            lsn += 1
            try #require(lsn < 100)
        }
        /* What is lost there may speak of any slot of a window: trimming what is known is not it. */
        let window = UInt64(PAXOS_WINDOW_SLOTS_MAX)
        for slot in [lsn, window - 1] {
            paxos_journal_trim(journal.journal, 7, slot)
            #expect(journal.flush() == PAXOS_JOURNAL_OK)
            #expect(journal.append(lsn, body: body) == PAXOS_JOURNAL_ERR_FULL)
            #expect(journal.report.is_held == 1 && journal.report.held_slot == window)
        }
        paxos_journal_trim(journal.journal, 7, window)
        #expect(journal.flush() == PAXOS_JOURNAL_OK)
        #expect(journal.append(lsn, body: body) == PAXOS_JOURNAL_OK)
        #expect(journal.report.recycled == 1)
    }

    @Test("row 10: a whole batch in another's place is refused")
    func batch_isMisplaced() throws {
        let bytes = try directory.read("journal/journal")
        let second = Bytes(bytes[place(2)..<place(3)])
        try directory.write(second, to: "journal/journal", at: place(3))
        let (journal, records) = try found()
        #expect(records.map(\.lsn) == [1, 2, 4] && journal.report.damages == 1)
        #expect(journal.group(7).acknowledged_lsn == 4)
    }

    @Test("row 11: the journal ends before its head mark: nobody votes")
    func head_fellBack() throws {
        let zeros = Bytes(repeating: 0, count: Self.batchBytes)
        try directory.write(zeros, to: "journal/journal", at: place(4))
        let (journal, records) = try found()
        #expect(records.map(\.lsn) == [1, 2, 3])
        #expect(journal.report.has_fallen_back == 1)
        #expect(journal.group(7).acknowledged_lsn == .max)
    }

    @Test("a tail of which a sector is missing is torn, where nothing says that it was durable")
    func tail_isTorn() throws {
        try forgetMark()
        let zeros = Bytes(repeating: 0, count: 512)
        try directory.write(zeros, to: "journal/journal", at: place(4) + 1024)
        var (journal, records) = try found()
        #expect(records.map(\.lsn) == [1, 2, 3] && journal.group(7).acknowledged_lsn == 3)
        #expect(journal.report.torn_bytes == UInt64(Self.batchBytes))
        #expect(journal.report.damages == 0)
        #expect(journal.append(4, body: makeBody(9)) == PAXOS_JOURNAL_OK)
        #expect(journal.flush() == PAXOS_JOURNAL_OK)
        journal.close()
        (journal, records) = try found()
        #expect(records.last?.body == makeBody(9) && journal.report.damages == 0)
    }

    /// Not even the mark that close wrote.
    private func forgetMark() throws {
        try directory.write(
            Bytes(repeating: 0, count: 512), to: "journal/superblock", at: 2 * 4096)
    }
}
