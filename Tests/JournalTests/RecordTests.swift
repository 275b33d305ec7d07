import CPaxos
import CPaxosHost
import Testing

/// Records in, records out, on real files; and what is refused.
struct RecordTests {
    let directory: Directory
    private var path: String { directory.file("journal") }

    init() throws {
        directory = try Directory()
        #expect(format(path) == PAXOS_JOURNAL_OK)
    }

    private func opened() throws -> OpenJournal {
        let journal = try OpenJournal(path)
        journal.readAll()
        return journal
    }

    @Test("what was flushed is given back, of every group; what was not is not")
    func flushed_isGivenBack() throws {
        do {
            let journal = try opened()
            for lsn in 1...5 as ClosedRange<UInt64> {
                #expect(journal.append(lsn, body: makeBody(lsn)) == PAXOS_JOURNAL_OK)
                #expect(journal.append(lsn, group: 9) == PAXOS_JOURNAL_OK)
                if lsn == 3 { #expect(journal.flush() == PAXOS_JOURNAL_OK) }
            }
        }
        let journal = try OpenJournal(path)
        #expect(journal.group(7).last_lsn == 3 && journal.group(9).acknowledged_lsn == 3)
        #expect(journal.group(8).first_lsn == 1 && journal.group(8).last_lsn == 0)
        let records = journal.readAll()
        #expect(records.map(\.lsn) == [1, 1, 2, 2, 3, 3])
        #expect(records.map(\.group) == [7, 9, 7, 9, 7, 9])
        #expect(records[4].body == makeBody(3) && records[5].body.isEmpty)
        #expect(journal.report.damages == 0 && journal.report.records_found == 6)
        #expect(journal.append(4, body: makeBody(4)) == PAXOS_JOURNAL_OK, "its number comes again")
    }

    @Test("a record that is not whole, not of this node, or not the next of its group is refused")
    func append_checksRecord() throws {
        let journal = try opened()
        #expect(journal.append(2) == PAXOS_JOURNAL_ERR_RECORD)
        #expect(journal.append(1) { $0.cluster = 3 } == PAXOS_JOURNAL_ERR_RECORD)
        #expect(journal.append(1) { $0.sender = 2 } == PAXOS_JOURNAL_ERR_RECORD)
        #expect(journal.append(1) { $0.kind = 4 } == PAXOS_JOURNAL_ERR_RECORD)
        var header = makeHeader(1, slot: 1, body: makeBody(1))
        let body = makeBody(1)
        #expect(
            paxos_journal_append(journal.journal, header, 95, body, 64) == PAXOS_JOURNAL_ERR_RECORD)
        #expect(
            paxos_journal_append(journal.journal, header, 96, body, 56) == PAXOS_JOURNAL_ERR_RECORD)
        header[50] ^= 1
        #expect(
            paxos_journal_append(journal.journal, header, 96, body, 64) == PAXOS_JOURNAL_ERR_RECORD)
        #expect(journal.append(1, body: makeBody(1)) == PAXOS_JOURNAL_OK)
        #expect(journal.append(1, body: makeBody(1)) == PAXOS_JOURNAL_ERR_RECORD)
    }

    @Test("too large for a batch, no room in this batch, too many groups: nothing changes")
    func append_hasLimits() throws {
        let journal = try opened()
        #expect(
            journal.append(1, body: makeBody(1, count: 16 << 10)) == PAXOS_JOURNAL_ERR_TOO_LARGE)
        #expect(journal.append(1, body: makeBody(1, count: 10 << 10)) == PAXOS_JOURNAL_OK)
        #expect(journal.append(2, body: makeBody(2, count: 10 << 10)) == PAXOS_JOURNAL_ERR_BUSY)
        #expect(journal.flush() == PAXOS_JOURNAL_OK)
        #expect(journal.append(2, body: makeBody(2, count: 10 << 10)) == PAXOS_JOURNAL_OK)
        #expect(journal.flush() == PAXOS_JOURNAL_OK)
        #expect(journal.append(1, group: 8) == PAXOS_JOURNAL_OK)
        #expect(journal.append(1, group: 9) == PAXOS_JOURNAL_ERR_GROUPS)
        #expect(journal.report.group_count == 2)
    }

    @Test("nothing is appended before the end was read, nor to a journal that is only looked at")
    func append_wantsReading() throws {
        let journal = try OpenJournal(path)
        #expect(journal.append(1) == PAXOS_JOURNAL_ERR_STATE)
        #expect(journal.flush() == PAXOS_JOURNAL_ERR_STATE)
        #expect(journal.readAll().isEmpty)
        #expect(journal.append(1) == PAXOS_JOURNAL_OK)
        let other = directory.file("other")
        #expect(format(other) == PAXOS_JOURNAL_OK)
        let look = try OpenJournal(other, readOnly: true)
        look.readAll()
        #expect(look.append(1) == PAXOS_JOURNAL_ERR_STATE)
    }

    /// Fill it until it refuses; the first lsn that it refused.
    private func fill(_ journal: OpenJournal, from lsn: UInt64) -> UInt64 {
        var next = lsn
        while next < lsn + 1000 {
            let status = journal.append(next, body: makeBody(next, count: 4096))
            if status != PAXOS_JOURNAL_OK {
                #expect(status == PAXOS_JOURNAL_ERR_FULL)
                break
            }
            #expect(journal.flush() == PAXOS_JOURNAL_OK)
            next += 1
        }
        return next
    }

    @Test("a full journal says which group holds it, and goes on when that is trimmed")
    func full_untilTrimmed() throws {
        var next: UInt64 = 0
        do {
            let journal = try opened()
            #expect(journal.append(1, group: 9, body: makeBody(1)) == PAXOS_JOURNAL_OK)
            next = fill(journal, from: 1)
            #expect(next > 15 && next < 30)
            #expect(journal.report.is_held == 1)
            paxos_journal_trim(journal.journal, 7, next)
            #expect(journal.flush() == PAXOS_JOURNAL_OK)
            #expect(journal.append(next, body: makeBody(1)) == PAXOS_JOURNAL_ERR_FULL)
            #expect(journal.report.held_by == 9 && journal.report.held_slot == 1)
            paxos_journal_trim(journal.journal, 9, 1)
            #expect(journal.flush() == PAXOS_JOURNAL_OK)
            #expect(journal.report.recycled == 1)
            next = fill(journal, from: next)
        }
        /* What was recycled is a MARK now; the trim points that the host gave are there. */
        let journal = try OpenJournal(path)
        let records = journal.readAll()
        let nine = try #require(records.first { $0.group == 9 })
        #expect(nine.kind == UInt8(PAXOS_RECORD_MARK.rawValue) && nine.lsn == 1 && nine.trim == 1)
        let seven = records.filter { $0.group == 7 }
        #expect(seven.first?.kind == UInt8(PAXOS_RECORD_MARK.rawValue))
        #expect(seven.first?.lsn == journal.group(7).first_lsn && seven.last?.lsn == next - 1)
        #expect(zip(seven, seven.dropFirst()).allSatisfy { $0.lsn + 1 == $1.lsn })
    }
}
