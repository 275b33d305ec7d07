import ArgumentParser
import CPaxosHost

/// `paxos-journal verify`: every byte that is used, against its checksums.
struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read everything, and name what is not as it was written.",
        discussion: "Exit status: 0 all is as it was written, 1 not, 2 it cannot be opened.")

    @OptionGroup var place: Place

    func run() throws {
        let journal = try place.open()
        var output = Output()
        var isDamaged = false
        func damage(_ words: String) {
            output.line("damage: \(words)")
            isDamaged = true
        }
        while let record = journal.next() {
            if !record.isWhole {
                damage(
                    "\(record.kind) of group \(record.group), lsn \(record.lsn), at segment "
                        + "\(record.segment) offset \(record.offset): its entries cannot be read")
            }
        }
        let report = journal.report
        for stretch in stretches(report) { damage(stretch) }
        for words in more(report) { damage(words) }
        for group in journal.groups where group.acknowledged_lsn == .max {
            damage("group \(group.group) is unsure: votes may be lost")
        }
        if report.torn_bytes > 0 {
            output.line("torn: \(report.torn_bytes) bytes of a last flush that was cut short")
        }
        output.line(
            "\(isDamaged ? "damaged" : "whole"): \(report.batches_found) batches,"
                + " \(report.records_found) records")
        output.flush()
        if isDamaged { throw ExitCode(1) }
    }

    /// Stretches of the journal that are not as written, by segment and offset.
    private func stretches(_ report: paxos_journal_report_t) -> [String] {
        var lines: [String] = withUnsafeBytes(of: report.damage) { raw in
            let named = min(report.damages, UInt64(PAXOS_JOURNAL_DAMAGES_MAX))
            return raw.bindMemory(to: paxos_journal_damage_t.self).prefix(Int(named)).map {
                "segment \($0.segment) offset \($0.offset_bytes): \($0.length_bytes) bytes"
            }
        }
        let rest = report.damages - UInt64(lines.count)
        if rest > 0 { lines.append("\(rest) more stretches") }
        return lines
    }

    private func more(_ report: paxos_journal_report_t) -> [String] {
        var lines: [String] = []
        if report.superblock_copies != 2 { lines.append("a copy of the superblock") }
        if report.has_fallen_back != 0 {
            lines.append("the journal ends before what was durable")
        }
        if report.unreadable_pages > 0 {
            lines.append("the disk refused \(report.unreadable_pages) pages of 4096 bytes")
        }
        return lines
    }
}
