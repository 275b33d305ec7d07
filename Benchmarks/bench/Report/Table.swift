/// The result as an aligned table, and the sentences under it.
struct Table {
    let rows: [Row]

    func lines() -> [String] {
        let header = ["suite", "value", "limit", "of limit", "spread", "p50", "p99", "p99.9"]
        let hasLatency = rows.contains { $0.latency != nil }
        let hasRarest = rows.contains { $0.latency?.p999_ns != nil }
        let columns = header.count - (hasRarest ? 0 : hasLatency ? 1 : 3)
        let cells = [header] + rows.map(Table.cells)
        let widths = (0..<columns).map { column in cells.map { $0[column].count }.max()! }
        var lines = cells.map { line in
            (0..<columns).map { line[$0].padded(to: widths[$0], left: $0 > 0) }
                .joined(separator: "  ").trimmedRight()
        }
        lines.insert(
            widths.map { String(repeating: "-", count: $0) }.joined(separator: "  "), at: 1)
        return lines + [""] + verdict()
    }

    private static func cells(_ row: Row) -> [String] {
        [
            row.name, Figure.text(row.value, row.unit), Figure.text(row.limit, row.unit),
            Figure.fixed(row.partOfLimit, 2), "+-\(Figure.fixed(row.spread * 100, 1)) %",
            row.latency.map { Figure.time(Double($0.p50_ns)) } ?? "",
            row.latency.map { Figure.time(Double($0.p99_ns)) } ?? "",
            row.latency?.p999_ns.map { Figure.time(Double($0)) } ?? "",
        ]
    }

    /// Who is ahead of the limit and who is behind it, nearest first. A difference within the
    /// spread is none.
    private func verdict() -> [String] {
        let ahead = rows.filter { $0.partOfLimit >= 1 - $0.spread }
        let behind = rows.filter { $0.partOfLimit < 1 - $0.spread }
            .sorted { $0.partOfLimit > $1.partOfLimit }
        var lines: [String] = []
        if !ahead.isEmpty {
            lines.append("ahead of the limit, or at it:")
            lines += ahead.map { "  \(Figure.fixed($0.partOfLimit, 2))  \($0.name)" }
        }
        if !behind.isEmpty {
            lines.append("behind the limit (1.00 is at it):")
            lines += behind.map {
                "  \(Figure.fixed($0.partOfLimit, 2))  \($0.name) [\($0.unit.rawValue)]"
            }
        }
        return lines
    }
}

extension String {
    func trimmedRight() -> String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
