import CPaxosHost

/// A node that was killed starts again, with a full journal: from its opening until the replica has
/// every record, by the wall clock. Its limit reads as many bytes of the same file, front to back.
final class NodeRecoverSuite: Suite {
    typealias Source = RecoverSuite.Source

    let name: String
    let unit = Unit.bytes
    let isAskedFor = true
    let limitWords = "the same file read in pieces of 1 MiB"
    private let source: Source
    private let kind: Processes.Kind
    private let pool: ProcessPool
    private var nodes: Processes!
    private var file: Int32 = -1
    private var piece: Block!
    private var times_ns: [Double] = []

    private static let pieceBytes = 1 << 20
    private static let node = 3

    /// - Parameter journalBytes: of each node.
    init(valueBytes: Int, source: Source, journalBytes: Int, pool: ProcessPool) {
        name = "node.recover nodes=3 value=\(valueBytes)B from=\(source.rawValue)"
        self.source = source
        self.pool = pool
        kind = .nodes(
            valueBytes: valueBytes, isDurable: true, spin_ns: 0, journalBytes: journalBytes)
    }

    func prepare() throws {
        piece = Block(byteCount: Self.pieceBytes)
        nodes = try pool.take(kind)
        while try recovery()[3] == 0 {  // its first segment was given up: it is full
            let decided = try nodes.ask(1, "load \(1 << 16) 500000000")
            try require(decided.count == 7 && decided[0] > 0, "\(name): nothing was committed")
        }
        let files = paxos_files_posix().pointee
        file = files.open(files.context, nodes.journal(of: Self.node), false)
        try require(file >= 0, "\(name): there is no journal")
    }

    private func recovery() throws -> [Int] {
        let answer = try nodes.ask(Self.node, "recovery")
        try require(answer.count == 4, "\(name): it says nothing")
        return answer
    }

    /// The system forgets what it has of the file, or has it all.
    private func place() throws {
        let files = paxos_files_posix().pointee
        if source == .disk {
            try require(
                files.flush(files.context, file) == 0, "\(name): the journal is not flushed")
            files.forget(files.context, file, 0, UInt64(files.size(files.context, file)))
        } else {
            _ = try read(Int(files.size(files.context, file)))
        }
    }

    private func read(_ byteCount: Int) throws -> UInt64 {
        let files = paxos_files_posix().pointee
        let start_ns = paxos_host_clock_ns()
        var offset = 0
        while offset < byteCount {
            let count = files.read(
                files.context, file, piece.base, min(Self.pieceBytes, byteCount - offset),
                UInt64(offset))
            try require(count > 0, "\(name): the limit's read stopped at \(offset)")
            offset += Int(count)
        }
        return paxos_host_clock_ns() - start_ns
    }

    /// Once: it takes as long as it takes.
    func run(for slice_ns: UInt64) throws -> Measure {
        nodes.kill(Self.node)
        nodes.leave(Self.node)
        try place()
        try nodes.comeBack(Self.node)
        let answer = try recovery()
        times_ns.append(Double(answer[0]))
        return Measure(work: UInt64(answer[2]), cost: UInt64(answer[0]))
    }

    func runLimit(for slice_ns: UInt64) throws -> Measure {
        try place()
        let bytes = try recovery()[2]
        return Measure(work: UInt64(bytes), cost: try read(bytes))
    }

    func latency() throws -> Latency? {
        let sorted = times_ns.sorted().map { Int64($0) }
        return Latency(p50_ns: sorted[sorted.count / 2], p99_ns: sorted[sorted.count - 1])
    }

    func release() {
        let files = paxos_files_posix().pointee
        files.close(files.context, file)
        piece.free()
        pool.giveBack(kind)
    }
}
