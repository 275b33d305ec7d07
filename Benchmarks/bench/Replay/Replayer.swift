import CPaxos
import CPaxosHost

/// Brings every line of a file into the log of every replica, once and in order.
///
/// The client here proposes at the leader alone, in the order of the file, many lines ahead of what
/// is decided. While one leader stands, its log has the lines in that order. When it falls, some of
/// what was under way is decided and some is not, and there may be gaps: so the client waits until
/// the next leader has delivered all that it took over, which settles for good what became of the
/// old ballot's proposals, and goes on with the first line that is missing. A line that a replica
/// delivers out of turn (it was decided behind a gap, and is proposed again, or comes a second
/// time) is passed over by its origin, as a state machine with client sessions does: the same ones
/// on every replica, because the log is the same.
final class Replayer {
    let nodes: Int
    let lines: Lines
    private(set) var replicas: [ReplayReplica] = []
    private(set) var leaderships = 0
    private(set) var now_ns: UInt64 = 0
    let loss: Double
    let seed: UInt64
    var network: LossyNetwork
    private let effect: UnsafeMutablePointer<paxos_effect_t>
    /// For each node, the lines that it was given, by its proposal numbers, from 1.
    private var linesOfNode: [[Int]]
    private var ballot: UInt64 = 0
    /// The next line to propose; nil: the leader has not yet delivered what it took over.
    private var nextLine: Int?
    private var settledSlot: UInt64 = 0

    static let window = 1024

    /// An hour in which no replica delivers anything is the end.
    private static let patience_ns: UInt64 = 3_600_000_000_000

    enum End { case delivered, stuck }

    init(lines: Lines, nodes: Int, loss: Double, seed: UInt64) throws {
        self.lines = lines
        self.nodes = nodes
        self.loss = loss
        self.seed = seed
        network = LossyNetwork(loss: loss, seed: seed)
        linesOfNode = Array(repeating: [], count: nodes)
        effect = .allocate(capacity: 1)
        effect.initialize(to: paxos_effect_t())
        effect.pointee.size_bytes = UInt32(MemoryLayout<paxos_effect_t>.size)
        for node in 1...nodes {
            let (block, replica) = try makeReplica(config(node: node))
            replicas.append(ReplayReplica(block: block, replica: replica))
        }
    }

    deinit {
        for replica in replicas { replica.block.free() }
        effect.deallocate()
    }

    private func config(node: Int) -> paxos_config_t {
        .benchmark(
            nodes: nodes, node: node, valueBytes: max(64, lines.longest), batch: 64,
            window: Self.window,
            seed: seed &* 31)
    }

    func run() -> End {
        var progress = ReplayProgress(lines: lines.count)
        defer { progress.clear() }
        var delivered: UInt64 = 0
        var delivered_ns = now_ns
        while true {
            propose()
            for index in 0..<nodes { drain(index) }
            let applied = replicas.reduce(0) { $0 + $1.applied }
            if applied == nodes * lines.count { return .delivered }
            let slots = replicas.reduce(0) { $0 + $1.slot }
            if slots != delivered {
                delivered = slots
                delivered_ns = now_ns
                trim()
            } else if now_ns - delivered_ns > Replayer.patience_ns {
                return .stuck
            }
            progress.show(applied / nodes)
            advance()
        }
    }

    /// Who leads under the highest ballot.
    private func leader() -> Int? {
        var found: Int?
        var highest: UInt64 = 0
        for index in 0..<nodes {
            let status = statusOf(replicas[index].replica)
            if status.role == 2 && status.ballot > highest {
                highest = status.ballot
                found = index
                if status.ballot > ballot {
                    ballot = status.ballot
                    leaderships += 1
                    settledSlot = status.last_slot
                    nextLine = nil
                }
            }
        }
        return highest == ballot ? found : nil
    }

    /// Propose until the leader would block.
    private func propose() {
        guard let leader = leader() else { return }
        if nextLine == nil && replicas[leader].slot >= settledSlot {
            nextLine = replicas[leader].applied
        }
        guard var line = nextLine else { return }
        lines.bytes.withUnsafeBufferPointer { bytes in
            while line < lines.count {
                let range = lines.range(line)
                var number: UInt64 = 0
                let status = paxos_replica_propose(
                    replicas[leader].replica, now_ns, bytes.baseAddress! + range.lowerBound,
                    range.count, &number)
                if status != PAXOS_OK { break }
                remember(line, leader, number)
                line += 1
            }
        }
        nextLine = line
    }

    private func remember(_ line: Int, _ node: Int, _ number: UInt64) {
        while linesOfNode[node].count < Int(number) { linesOfNode[node].append(-1) }
        linesOfNode[node][Int(number) - 1] = line
    }

    private func drain(_ index: Int) {
        let replica = replicas[index].replica
        while paxos_replica_poll(replica, effect) {
            let body = UnsafeRawBufferPointer(
                start: replicas[index].block.base + Int(effect.pointee.body_offset),
                count: Int(effect.pointee.body_bytes))
            if effect.pointee.kind == PAXOS_EFFECT_SEND.rawValue {
                let offset = MemoryLayout<paxos_effect_t>.offset(of: \.header)!
                let header = UnsafeRawBufferPointer(
                    start: UnsafeRawPointer(effect) + offset, count: Int(PAXOS_FRAME_HEADER_BYTES))
                network.send(header, body, to: Int(effect.pointee.node) - 1, now_ns: now_ns)
                _ = paxos_replica_sent(replica, effect.pointee.token)
            } else if effect.pointee.kind == PAXOS_EFFECT_DELIVER.rawValue {
                deliver(body, at: index)
            }
        }
    }

    /// Apply what is delivered: the line whose turn it is, nothing else.
    private func deliver(_ body: UnsafeRawBufferPointer, at index: Int) {
        var entry = body.baseAddress!.assumingMemoryBound(to: UInt8.self)
        for _ in 0..<effect.pointee.count {
            let header = paxos_entry_get(entry)
            if header.kind == UInt8(PAXOS_ENTRY_COMMAND.rawValue) {
                let line = linesOfNode[Int(header.node) - 1][Int(header.number) - 1]
                let value = UnsafeRawBufferPointer(
                    start: entry + Int(PAXOS_ENTRY_HEADER_BYTES), count: Int(header.value_bytes))
                replicas[index].apply(line, value)
            }
            entry += Int(paxos_entry_bytes(header.value_bytes))
        }
        replicas[index].slot = effect.pointee.slot + UInt64(effect.pointee.count) - 1
    }

    /// Let go of what every replica has: so none is ever left behind, however bad the network.
    private func trim() {
        let slot = replicas.reduce(UInt64.max) { min($0, $1.slot) }
        for replica in replicas { _ = paxos_replica_trim(replica.replica, slot) }
    }

    /// On to the next thing that happens: a frame arrives, or a replica wants to be called.
    private func advance() {
        var next_ns = network.nextArrival_ns
        for replica in replicas { next_ns = min(next_ns, paxos_replica_deadline(replica.replica)) }
        now_ns = max(now_ns + 1, next_ns)
        while let frame = network.receive(by: now_ns) {
            let bytes = UnsafePointer(
                frame.bytes.baseAddress!.assumingMemoryBound(to: UInt8.self))
            let headerBytes = Int(PAXOS_FRAME_HEADER_BYTES)
            /* a refused frame is as good as a lost one: the protocol sees to it */
            _ = paxos_replica_receive(
                replicas[frame.receiver].replica, now_ns, bytes, headerBytes, bytes + headerBytes,
                frame.bytes.count - headerBytes)
            frame.bytes.deallocate()
        }
        for replica in replicas where paxos_replica_deadline(replica.replica) <= now_ns {
            paxos_replica_tick(replica.replica, now_ns)
        }
    }
}

/// A replica, and the state machine behind its log: a chain over the lines.
struct ReplayReplica {
    let block: Block
    let replica: UnsafeMutablePointer<paxos_replica_t>
    /// Last slot delivered.
    var slot: UInt64 = 0
    /// Lines applied so far, which is also the number of the next.
    private(set) var applied = 0
    /// Lines passed over, because it was not their turn.
    private(set) var skipped = 0
    private(set) var digest = Digest()

    init(block: Block, replica: UnsafeMutablePointer<paxos_replica_t>) {
        self.block = block
        self.replica = replica
    }

    mutating func apply(_ line: Int, _ value: UnsafeRawBufferPointer) {
        guard line == applied else {
            skipped += 1
            return
        }
        digest.add(value)
        applied += 1
    }
}
