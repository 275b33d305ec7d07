import CPaxosHost

/// What a replay came to, in words.
struct ReplayReport {
    let lines: Lines
    let replayer: Replayer
    let seconds: Double

    /// - Returns: whether every replica has what the file has.
    func print(_ end: Replayer.End) -> Bool {
        let size = Lines.sizeText(lines.bytes.count)
        let applied = replayer.replicas.map(\.applied).min() ?? 0
        let part = Double(applied) / Double(lines.count)
        let rate = Figure.text(Double(applied) / seconds)
        let bytes = Lines.sizeText(Int(Double(lines.bytes.count) * part / seconds))
        Terminal.print("file      \(lines.path): \(lines.count) lines, \(size)")
        Terminal.print(
            "replicas  \(replayer.nodes), loss \(Figure.fixed(replayer.loss, 2)), duplication "
                + "\(Figure.fixed(LossyNetwork.duplication, 2)), delay 0.1 to 1 ms, "
                + "seed \(replayer.seed)")
        Terminal.print(
            "network   \(replayer.network.sent) frames sent, \(replayer.network.lost) lost, "
                + "\(replayer.network.repeated) repeated")
        Terminal.print(
            "leaders   \(replayer.leaderships), \(replayer.replicas.map(\.skipped).max() ?? 0) "
                + "entries delivered out of turn and passed over")
        Terminal.print(
            "rate      \(rate) lines/s, \(bytes)/s, in \(Figure.time(seconds * 1e9)) "
                + "(\(Figure.time(Double(replayer.now_ns))) of virtual time)")
        return printDigests(end)
    }

    private func printDigests(_ end: Replayer.End) -> Bool {
        var expected = Digest()
        lines.bytes.withUnsafeBytes { bytes in
            for line in 0..<lines.count {
                expected.add(UnsafeRawBufferPointer(rebasing: bytes[lines.range(line)]))
            }
        }
        Terminal.print("digest    \(expected.text)  the file's lines (length and CRC32C, chained)")
        var allEqual = end == .delivered
        for (index, replica) in replayer.replicas.enumerated() {
            let isEqual = replica.digest == expected && replica.applied == lines.count
            allEqual = allEqual && isEqual
            let verdict = isEqual ? "equal" : "DIFFERS after \(replica.applied) lines"
            Terminal.print("digest    \(replica.digest.text)  replica \(index + 1): \(verdict)")
        }
        if end == .stuck {
            Terminal.error("bench: nothing was delivered for an hour of virtual time; giving up")
        }
        return allEqual
    }
}

/// How far a replay is, ten times a second at most.
struct ReplayProgress {
    private let lines: Int
    private var shown_ns = paxos_host_clock_ns()
    private var calls = 0

    init(lines: Int) { self.lines = lines }

    mutating func show(_ applied: Int) {
        calls += 1
        guard Terminal.showsProgress, calls % 256 == 0 else { return }
        let now_ns = paxos_host_clock_ns()
        guard now_ns - shown_ns > 100_000_000 else { return }
        shown_ns = now_ns
        Terminal.progress("\(applied * 100 / lines) %  \(applied) of \(lines) lines everywhere")
    }

    func clear() { Terminal.progress("") }
}
