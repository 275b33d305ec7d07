import CPaxos
import CPaxosHost
import Foundation
import Testing

/// Entries that were trimmed, read back from a journal that runs: WIRE.md, "What was trimmed".
struct FetchTests {
    let directory = try! Directory()
    var path: String { directory.path + "/j" }

    /// A journal that is formatted, open, and read to its end.
    private func made(
        _ change: (inout paxos_journal_shape_t) -> Void = { _ in }
    ) throws -> OpenJournal {
        #expect(format(path, smallShape(change)) == PAXOS_JOURNAL_OK)
        return try opened()
    }

    private func opened() throws -> OpenJournal {
        let journal = try OpenJournal(path)
        journal.readAll()
        return journal
    }

    private func entry(_ text: String) -> Bytes {
        var header = paxos_entry_t()
        header.value_bytes = UInt32(text.utf8.count)
        (header.kind, header.node) = (UInt8(PAXOS_ENTRY_COMMAND.rawValue), 2)
        (header.incarnation, header.number) = (1, 1)
        var out = Bytes(repeating: 0, count: Int(paxos_entry_bytes(header.value_bytes)))
        _ = Bytes(text.utf8).withUnsafeBufferPointer {
            paxos_entry_put(&out, header, $0.baseAddress)
        }
        return out
    }

    /// The next record, flushed: entries for the slots from `slot` on, or none.
    private func write(
        _ journal: OpenJournal, _ kind: paxos_frame_kind, group: UInt32 = 7, slot: UInt64 = 0,
        _ texts: [String] = [], round: UInt64 = 1, watermark: UInt64 = 0, trim: UInt64 = 0
    ) {
        let body = texts.flatMap(entry)
        let lsn = journal.group(group).last_lsn + 1
        let status = journal.append(lsn, group: group, body: body) {
            $0.kind = UInt8(kind.rawValue)
            $0.slot = slot
            $0.count = UInt32(texts.count)
            $0.ballot = kind == PAXOS_RECORD_ENTRIES ? round << 16 | 2 : 0
            $0.other = round << 16 | 2
            ($0.watermark, $0.trim) = (watermark, trim)
            if body.isEmpty { return }
            _ = paxos_run_verify(
                body, body.count, slot, UInt32(texts.count), PAXOS_VALUE_BYTES_MAX, &$0.digest)
        }
        #expect(status == PAXOS_JOURNAL_OK)
        #expect(journal.flush() == PAXOS_JOURNAL_OK)
    }

    private func fetch(
        _ journal: OpenJournal, group: UInt32 = 7, _ slot: UInt64, _ count: UInt32 = 99,
        bytes room: Int = 4096
    ) -> (status: paxos_journal_status_t, texts: [String]) {
        var out = Bytes(repeating: 0xEE, count: room)
        var (found, bytes) = (UInt32(0), 0)
        let status = paxos_journal_fetch(
            journal.journal, group, slot, count, &out, room, &found, &bytes)
        var (texts, at) = ([String](), 0)
        for _ in 0..<found {
            let length = Int(paxos_get32(Bytes(out[at + 4..<at + 8])))
            texts.append(String(decoding: out[at + 24..<at + 24 + length], as: UTF8.self))
            at += Int(paxos_entry_bytes(UInt32(length)))
        }
        #expect(at == bytes && (status == PAXOS_JOURNAL_OK) == (found > 0))
        return (status, texts)
    }

    private func retained(_ journal: OpenJournal, group: UInt32 = 7) -> UInt64 {
        paxos_journal_retained(journal.journal, group)
    }

    @Test("what is chosen is read back, in answers as large as was asked for, after a restart too")
    func readsBack() throws {
        var journal = try made()
        for slot in 1...30 as ClosedRange<UInt64> {
            let texts = ["a\(slot)", "b\(slot)"]
            write(
                journal, PAXOS_RECORD_ENTRIES, slot: 2 * slot - 1, texts,
                watermark: 2 * slot - 2)
        }
        let all = (1...30).flatMap { ["a\($0)", "b\($0)"] }
        for _ in 1...2 {
            #expect(retained(journal) == 1)
            #expect(fetch(journal, 1).texts == Array(all[..<58]))
            #expect(fetch(journal, 5, 3).texts == ["a3", "b3", "a4"])
            #expect(fetch(journal, 8, 3).texts == ["b4", "a5", "b5"], "goes on")
            #expect(fetch(journal, 57, bytes: 64).texts == ["a29", "b29"])
            #expect(fetch(journal, 3, bytes: 95).texts == ["a2", "b2"])
            #expect(fetch(journal, 3, bytes: 31).status == PAXOS_JOURNAL_ERR_TOO_LARGE)
            #expect(fetch(journal, 59).status == PAXOS_JOURNAL_END, "nobody vouches for it")
            #expect(fetch(journal, group: 8, 1).status == PAXOS_JOURNAL_ERR_GONE)
            #expect(fetch(journal, 0).status == PAXOS_JOURNAL_ERR_GONE)
            journal.close()
            journal = try opened()
        }
    }

    @Test("an entry that was overwritten is not what is read back, wherever the records stand")
    func overwritten() throws {
        let journal = try made()
        write(journal, PAXOS_RECORD_ENTRIES, slot: 1, ["lost", "lost too", "c"])
        write(journal, PAXOS_RECORD_ENTRIES, slot: 4, ["d"])
        write(journal, PAXOS_RECORD_ENTRIES, slot: 2, ["longer than it was"], round: 2)
        write(journal, PAXOS_RECORD_ENTRIES, slot: 1, ["won"], round: 3)
        write(journal, PAXOS_RECORD_MARK, round: 3)
        #expect(fetch(journal, 1).status == PAXOS_JOURNAL_END)
        write(journal, PAXOS_RECORD_MARK, round: 3, watermark: 4)
        var (slot, texts) = (UInt64(1), [String]())
        while slot <= 4 {
            let more = fetch(journal, slot).texts
            #expect(!more.isEmpty)
            texts += more
            slot += UInt64(max(more.count, 1))
        }
        #expect(texts == ["won", "longer than it was", "c", "d"])
    }

    @Test("what was learned vouches for itself")
    func learned() throws {
        let journal = try made()
        write(journal, PAXOS_RECORD_ENTRIES, slot: 1, ["lost", "b"])
        write(journal, PAXOS_RECORD_CHOSEN, slot: 1, ["a"])
        #expect(fetch(journal, 1).texts == ["a"])
        #expect(fetch(journal, 2).status == PAXOS_JOURNAL_END)
        write(journal, PAXOS_RECORD_CHOSEN, slot: 3, ["c"], trim: 1)
        write(journal, PAXOS_RECORD_CHOSEN, slot: 2, ["b"], trim: 1)
        #expect(fetch(journal, 2).texts.first == "b")
    }

    @Test("slots that were passed over may hold what lost: they are gone")
    func passedOver() throws {
        for isReopened in [false, true] {
            let directory = try Directory()
            #expect(format(directory.path + "/k", smallShape()) == PAXOS_JOURNAL_OK)
            var journal = try OpenJournal(directory.path + "/k")
            journal.readAll()
            write(journal, PAXOS_RECORD_ENTRIES, slot: 1, ["a", "b"])
            write(journal, PAXOS_RECORD_ENTRIES, slot: 3, ["lost", "lost"], watermark: 2)
            write(journal, PAXOS_RECORD_MARK, watermark: 5, trim: 4)
            write(journal, PAXOS_RECORD_ENTRIES, slot: 5, ["e", "f"], watermark: 4, trim: 4)
            write(journal, PAXOS_RECORD_MARK, watermark: 6, trim: 4)
            if isReopened {
                journal.close()
                journal = try OpenJournal(directory.path + "/k")
                journal.readAll()
            }
            #expect(retained(journal) == 5)
            for slot in 1...4 as ClosedRange<UInt64> {
                #expect(fetch(journal, slot).status == PAXOS_JOURNAL_ERR_GONE)
            }
            #expect(fetch(journal, 5).texts == ["e", "f"])
        }
    }

    @Test(
        "where a record is damaged, what it may have replaced is not read back",
        arguments: [false, true], [false, true])
    func damaged(isReopened: Bool, inHeaders: Bool) throws {
        var journal = try made()
        write(journal, PAXOS_RECORD_ENTRIES, slot: 1, ["lost", "b"])
        write(journal, PAXOS_RECORD_ENTRIES, slot: 1, ["the one that won"], round: 2)
        write(journal, PAXOS_RECORD_MARK, round: 2, watermark: 2)
        write(journal, PAXOS_RECORD_ENTRIES, slot: 3, ["c", "d"], round: 2, watermark: 2)
        write(journal, PAXOS_RECORD_MARK, round: 2, watermark: 4)
        let place = try #require(
            Data(try directory.read("j/journal")).range(of: Data("the one that won".utf8)))
        try directory.flip("j/journal", byte: place.lowerBound)
        if inHeaders {
            /* Both copies of its header: nobody can tell what it was about. */
            let batch = place.lowerBound / 4096 * 4096
            try directory.flip("j/journal", byte: batch + 512 + 60)
            try directory.flip("j/journal", byte: batch + 1024 + 60)
        }
        if isReopened {
            journal.close()
            journal = try opened()
        }
        #expect(fetch(journal, 1).texts.isEmpty)
        #expect(retained(journal) > 1 && retained(journal) <= 3)
        #expect(fetch(journal, 3).texts == ["c", "d"])
    }

    @Test("segments are recycled while somebody reads on: what is left is read, the rest is gone")
    func recycled() throws {
        var journal = try made { $0.segment_count = 4 }
        var (slot, asked) = (UInt64(1), UInt64(1))
        func grow(_ count: Int) {
            for _ in 0..<count {
                write(
                    journal, PAXOS_RECORD_ENTRIES, slot: slot, ["\(slot)"], watermark: slot - 1,
                    trim: max(slot, 3) - 3)
                slot += 1
            }
        }
        grow(30) /* fifteen batches a segment: the second is full */
        let first = fetch(journal, 1, 10)
        #expect(first.texts == (1...10).map(String.init))
        asked = 11
        grow(10)
        #expect(fetch(journal, asked, 10).texts == (11...20).map(String.init))
        asked = 21
        grow(60)
        #expect(journal.report.recycled >= 3)
        #expect(fetch(journal, asked, 10).status == PAXOS_JOURNAL_ERR_GONE)
        for _ in 1...2 {
            asked = retained(journal)
            #expect(asked > 30 && asked < 75)
            if fetch(journal, asked).status == PAXOS_JOURNAL_ERR_GONE {
                /* After a restart nobody knows how far what was recycled reached. */
                #expect(retained(journal) > asked && retained(journal) <= asked + 3)
                asked = retained(journal)
            }
            var texts: [String] = []
            while asked < 98 {
                let (status, more) = fetch(journal, asked, 7)
                #expect(status == PAXOS_JOURNAL_OK, "slot \(asked) of \(retained(journal)) on")
                if more.isEmpty { break }
                texts += more
                asked += UInt64(more.count)
            }
            #expect(texts == (asked - UInt64(texts.count)..<asked).map(String.init))
            journal.close()
            journal = try opened()
        }
    }

    @Test("groups share segments, and nothing else")
    func groups() throws {
        let journal = try made()
        for slot in 1...20 as ClosedRange<UInt64> {
            for group in [7, 9] as [UInt32] {
                write(
                    journal, PAXOS_RECORD_ENTRIES, group: group, slot: slot, ["\(group).\(slot)"],
                    watermark: slot - 1)
            }
        }
        for group in [7, 9] as [UInt32] {
            #expect(fetch(journal, group: group, 3, 4).texts == (3...6).map { "\(group).\($0)" })
            #expect(fetch(journal, group: group, 7, 4).texts == (7...10).map { "\(group).\($0)" })
        }
    }

    @Test("a slot that is far from where a search may begin is found in several calls")
    func search() throws {
        let journal = try made {
            ($0.segment_bytes, $0.batch_bytes_max) = (16 << 20, 2 << 20)
        }
        let long = String(repeating: "v", count: 1 << 20)
        for slot in 1...12 as ClosedRange<UInt64> {
            write(journal, PAXOS_RECORD_ENTRIES, slot: slot, [long], watermark: slot - 1)
        }
        var calls = 1
        while fetch(journal, 11, 1, bytes: 2 << 20).status == PAXOS_JOURNAL_ERR_BUSY && calls < 9 {
            calls += 1
        }
        #expect(calls == 3, "four MiB a call")
        #expect(fetch(journal, 11, 1, bytes: 2 << 20).texts.isEmpty, "and it is forgotten again")
    }

    @Test("not before all is read, and not where a journal is only looked at")
    func state() throws {
        var journal = try made()
        write(journal, PAXOS_RECORD_CHOSEN, slot: 1, ["a"])
        journal.close()
        journal = try OpenJournal(path)
        #expect(fetch(journal, 1).status == PAXOS_JOURNAL_ERR_STATE)
        journal.readAll()
        #expect(fetch(journal, 1).texts == ["a"])
        journal.close()
        journal = try OpenJournal(path, readOnly: true)
        journal.readAll()
        #expect(fetch(journal, 1).status == PAXOS_JOURNAL_ERR_STATE)
    }
}
