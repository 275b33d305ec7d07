import CPaxosHost

/// A line on the terminal that says how far it is; nothing where nobody looks.
struct Progress {
    private let steps: Int
    private var done = 0
    private let start_ns = paxos_host_clock_ns()

    init(steps: Int) { self.steps = steps }

    /// One step starts now.
    mutating func step(_ text: String) {
        guard Terminal.showsProgress else { return }
        let part = Double(done) / Double(max(steps, 1))
        let width = 24
        let full = Int(part * Double(width))
        let bar = String(repeating: "#", count: full) + String(repeating: ".", count: width - full)
        let percent = String(Int(part * 100)).padded(to: 3, left: true)
        let line = "[\(bar)] \(percent) %\(remaining(part))  \(text)"
        Terminal.progress(String(line.prefix(max(20, Terminal.columns - 1))))
        done += 1
    }

    /// Seconds to go, as soon as that can be told.
    private func remaining(_ part: Double) -> String {
        guard part > 0.1 else { return "" }
        let elapsed = Double(paxos_host_clock_ns() - start_ns) / 1e9
        let seconds = Int((elapsed / part - elapsed).rounded(.up))
        return "  " + "\(seconds) s left".padded(to: 10, left: true)
    }

    mutating func clear() { Terminal.progress("") }
}

extension String {
    /// With blanks on one side, so long.
    func padded(to width: Int, left: Bool = false) -> String {
        let blanks = String(repeating: " ", count: max(0, width - count))
        return left ? blanks + self : self + blanks
    }
}
