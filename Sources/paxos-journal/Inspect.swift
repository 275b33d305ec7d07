import ArgumentParser
import CPaxosHost

/// `paxos-journal inspect`: whose it is, its shape, what is used, and what each group has.
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say whose journal it is, how full, and what each group has.")

    @OptionGroup var place: Place

    /// What the records of a group add up to.
    private struct Sum {
        var records = 0
        var promised: UInt64 = 0
        var lastSlot: UInt64 = 0
        var watermark: UInt64 = 0
        var trim: UInt64 = 0
        var abstains = false

        mutating func add(_ record: Record) {
            records += 1
            promised = max(promised, record.frame.other, record.frame.ballot)
            lastSlot = max(lastSlot, record.slots?.upperBound ?? 0)
            watermark = max(watermark, record.frame.watermark)
            trim = max(trim, record.frame.trim)
            abstains = abstains || record.abstains
        }
    }

    func run() throws {
        let journal = try place.open()
        var sums: [UInt32: Sum] = [:]
        while let record = journal.next() { sums[record.group, default: Sum()].add(record) }
        let report = journal.report
        var output = Output()
        for line in identity(report) { output.line(line) }
        for group in journal.groups {
            for line in lines(group, sums[group.group] ?? Sum()) { output.line(line) }
        }
        if report.damages > 0 || report.has_fallen_back != 0 || report.superblock_copies != 2 {
            output.line("damage       yes: see paxos-journal verify")
        }
        output.flush()
    }

    private func identity(_ report: paxos_journal_report_t) -> [String] {
        let capacity = UInt64(report.segment_count) * report.segment_bytes
        let cluster = String(report.cluster, radix: 16)
        let used =
            report.segments_used == 0
            ? "nothing"
            : "segments \(report.oldest_segment) to \(report.newest_segment)"
                + " (\(report.segments_used) of \(report.segment_count))"
        var lines = [
            "node         \(report.node) of cluster 0x\(cluster)",
            "lives        \(report.incarnation)",
            "format       version \(report.version)",
            "size         \(size(capacity)): \(report.segment_count) segments"
                + " of \(size(report.segment_bytes))",
            "limits       batches of \(size(UInt64(report.batch_bytes_max))),"
                + " \(report.groups_max) groups",
            "used         \(used), \(report.batches_found) batches, \(report.records_found) records",
            "free         \(size(report.free_bytes))",
        ]
        if report.is_held != 0 {
            lines.append(
                "held         segment \(report.oldest_segment) by group \(report.held_by),"
                    + " until it trims up to slot \(report.held_slot)")
        }
        return lines
    }

    private func lines(_ group: paxos_journal_group_t, _ sum: Sum) -> [String] {
        var lines = [
            "group \(group.group)",
            "  lsn        \(group.first_lsn) to \(group.last_lsn), \(sum.records) records",
            "  promised   \(ballot(sum.promised))",
            "  slots      trimmed to \(sum.trim), decided to \(sum.watermark) at least,"
                + " last \(sum.lastSlot)",
        ]
        if group.acknowledged_lsn == .max {
            lines.append("  unsure     votes may be lost: the node abstains")
        } else if sum.abstains {
            lines.append("  abstains   the node lost what it promised, and votes no more")
        }
        return lines
    }
}
