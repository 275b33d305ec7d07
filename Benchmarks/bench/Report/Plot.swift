#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A picture of the result through gnuplot: how near each suite is to its limit.
struct Plot {
    let path: String

    /// - Throws: a `BenchError`, before anything was measured, if there could be no picture after.
    init(path: String) throws {
        self.path = path
        guard Plot.hasGnuplot else {
            throw BenchError("--plot needs gnuplot: apt-get install gnuplot-nox")
        }
        guard let file = fopen(path, "a") else {
            throw BenchError("cannot write \(path): \(String(cString: strerror(errno)))")
        }
        fclose(file)
    }

    private static var hasGnuplot: Bool {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        return path.split(separator: ":").contains { access("\($0)/gnuplot", X_OK) == 0 }
    }

    func draw(_ rows: [Row]) throws {
        guard let gnuplot = popen("gnuplot", "w") else { throw BenchError("cannot run gnuplot") }
        fputs(script(rows), gnuplot)
        guard pclose(gnuplot) == 0 else { throw BenchError("gnuplot could not draw \(path)") }
    }

    /// Bars from top to bottom in the order of the table, each with its figure behind it.
    private func script(_ rows: [Row]) -> String {
        let right = max(1, rows.map(\.partOfLimit).max() ?? 1) * 1.45
        var lines = [
            "set terminal svg size 1000,\(110 + 26 * rows.count) "
                + "font 'sans-serif,13' background 'white'",
            "set output \(Plot.quoted(path))",
            "set title 'swift-paxos: part of the limit "
                + "(1.0: the unavoidable copies and checksums alone)'",
            "set xrange [0:\(right)]",
            "set yrange [\(rows.count).5:0.5]",
            "set xtics 0.25",
            "set grid xtics lc rgb '#dddddd'",
            "set border 3",
            "unset key",
            "set arrow from 1, graph 0 to 1, graph 1 nohead back lc rgb '#c0392b' lw 2",
            "set ytics nomirror noenhanced scale 0",
            "set xtics nomirror",
            "$rows << END",
        ]
        for (index, row) in rows.enumerated() {
            let figure = Figure.text(row.value, row.unit)
            lines.append(
                "\(index + 1) \(row.partOfLimit) \(row.partOfLimit * row.spread) "
                    + "\"\(row.name)\" \"\(figure)\"")
        }
        lines += [
            "END",
            "plot $rows using (0):1:(0):2:($1-0.32):($1+0.32):ytic(4) with boxxyerror "
                + "fs solid 0.85 noborder lc rgb '#2e6da4', \\",
            "  $rows using 2:1:3 with xerrorbars pt 0 lc rgb '#1b3f5f' lw 1.5, \\",
            "  $rows using ($2+$3+\(right * 0.012)):1:5 with labels left noenhanced",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    /// In single quotes, as gnuplot has them.
    private static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
            + "'"
    }
}
