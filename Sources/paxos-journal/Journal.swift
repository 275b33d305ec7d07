import CPaxos
import CPaxosHost
import Foundation

/// A journal that is open to be looked at.
final class Journal {
    private let journal: OpaquePointer

    struct Refused: Error {
        let words: String
    }

    init(_ directory: String) throws(Refused) {
        var options = paxos_journal_options_t()
        options.size_bytes = UInt32(MemoryLayout<paxos_journal_options_t>.size)
        options.is_read_only = 1
        var fault = paxos_journal_fault_t()
        var out: OpaquePointer?
        let status = paxos_journal_open(nil, directory, &options, &out, &fault)
        guard status == PAXOS_JOURNAL_OK, let out else {
            throw Refused(words: Journal.words(status, fault))
        }
        journal = out
    }

    deinit { paxos_journal_close(journal) }

    private static func words(
        _ status: paxos_journal_status_t, _ fault: paxos_journal_fault_t
    ) -> String {
        var words = String(cString: paxos_journal_words(status))
        if let what = fault.what { words += " (\(String(cString: what)))" }
        if fault.error != 0 { words += ": \(String(cString: strerror(fault.error)))" }
        return words
    }

    /// The next record; nil at the end. Its body is there until the next call.
    func next() -> Record? {
        var record = paxos_journal_record_t()
        record.size_bytes = UInt32(MemoryLayout<paxos_journal_record_t>.size)
        guard paxos_journal_read(journal, &record) == PAXOS_JOURNAL_OK else { return nil }
        return Record(record)
    }

    /// Complete when there is no next record.
    var report: paxos_journal_report_t {
        var report = paxos_journal_report_t()
        report.size_bytes = UInt32(MemoryLayout<paxos_journal_report_t>.size)
        paxos_journal_report(journal, &report)
        return report
    }

    var groups: [paxos_journal_group_t] {
        var groups: [paxos_journal_group_t] = []
        var group = paxos_journal_group_t()
        group.size_bytes = UInt32(MemoryLayout<paxos_journal_group_t>.size)
        while paxos_journal_group_at(journal, UInt32(groups.count), &group) { groups.append(group) }
        return groups.sorted { $0.group < $1.group }
    }
}

/// A record as it was written. Its body is there until the next one is read.
struct Record {
    let group: UInt32
    let lsn: UInt64
    let segment: UInt64
    let offset: UInt64
    let frame: paxos_frame_t
    let body: UnsafeBufferPointer<UInt8>

    init(_ record: paxos_journal_record_t) {
        group = record.group
        lsn = record.lsn
        segment = record.segment
        offset = record.offset_bytes
        var frame = paxos_frame_t()
        withUnsafeBytes(of: record.header) { header in
            paxos_frame_read(header.assumingMemoryBound(to: UInt8.self).baseAddress!, &frame)
        }
        self.frame = frame
        body = UnsafeBufferPointer(start: record.body, count: Int(record.body_bytes))
    }

    var kind: String {
        switch UInt32(frame.kind) {
        case PAXOS_RECORD_PROMISED.rawValue: "promised"
        case PAXOS_RECORD_ENTRIES.rawValue: "entries"
        case PAXOS_RECORD_BALLOTS.rawValue: "ballots"
        case PAXOS_RECORD_CHOSEN.rawValue: "chosen"
        default: "mark"
        }
    }

    /// Whether it brings entries.
    var hasEntries: Bool {
        [PAXOS_RECORD_ENTRIES.rawValue, PAXOS_RECORD_CHOSEN.rawValue].contains(UInt32(frame.kind))
    }

    /// The slots that it speaks of.
    var slots: ClosedRange<UInt64>? {
        frame.count == 0 ? nil : frame.slot...(frame.slot + UInt64(frame.count) - 1)
    }

    var abstains: Bool { frame.flags & UInt16(PAXOS_FLAG_ABSTAINS) != 0 }

    /// Whether its entries are those that were accepted, by their checksums and the digest.
    var isWhole: Bool {
        guard hasEntries else { return body.isEmpty }
        var digest: UInt64 = 0
        let status = paxos_run_verify(
            body.baseAddress, body.count, frame.slot, frame.count, PAXOS_VALUE_BYTES_MAX, &digest)
        return status == PAXOS_OK && digest == frame.digest
    }

    struct Entry {
        let slot: UInt64
        let header: paxos_entry_t
        let value: UnsafeBufferPointer<UInt8>

        var kind: String {
            switch UInt32(header.kind) {
            case PAXOS_ENTRY_NOOP.rawValue: "noop"
            case PAXOS_ENTRY_COMMAND.rawValue: "command"
            default: "membership"
            }
        }
    }

    /// Its entries; empty where they are not whole.
    var entries: [Entry] {
        guard hasEntries, isWhole else { return [] }
        var entries: [Entry] = []
        var at = 0
        for index in 0..<UInt64(frame.count) {
            let start = body.baseAddress! + at
            let header = paxos_entry_get(start)
            let value = UnsafeBufferPointer(
                start: start + Int(PAXOS_ENTRY_HEADER_BYTES), count: Int(header.value_bytes))
            entries.append(Entry(slot: frame.slot + index, header: header, value: value))
            at += Int(paxos_entry_bytes(header.value_bytes))
        }
        return entries
    }
}
