import Paxos

/// Three or so `ManualReplica`s with frames carried as bytes by hand: what a host does, in small.
struct Mesh {
    let replicas: [ManualReplica]
    var logs: [[LogEntry]]
    var outcomes: [[Outcome]]
    var now = ManualReplica.Instant(nanoseconds: 0)
    /// What `flushed` has to be told; kept back as long as `isFlushing` is false.
    var written: [UInt64]
    var isFlushing = true

    init(nodes: Int = 3, configure: (inout Configuration) -> Void = { _ in }) throws {
        let members = (1...nodes).map { NodeID($0) }
        replicas = try members.map { node in
            var configuration = Configuration.small(node: node, members: members)
            configure(&configuration)
            return try ManualReplica(configuration, now: ManualReplica.Instant(nanoseconds: 0))
        }
        logs = Array(repeating: [], count: nodes)
        outcomes = logs.map { _ in [] }
        written = logs.map { _ in 0 }
    }

    /// Runs all effects until there are none.
    mutating func settle() {
        var frames: [(NodeID, [UInt8])] = []
        var any = true
        while any {
            any = false
            for index in replicas.indices {
                let count = replicas[index].drain { effect in
                    switch effect {
                    case .send(let frame): frames.append((frame.receiver, frame.bytes()))
                    case .write(let record): written[index] = record.lsn
                    case .deliver(let run): run.forEach { logs[index].append($0.copy()) }
                    case .outcome(let outcome): outcomes[index].append(outcome)
                    }
                }
                any = any || count > 0
                if isFlushing && written[index] > 0 {
                    try! replicas[index].flushed(upTo: written[index], now: now)
                    written[index] = 0
                    any = true
                }
            }
            for (receiver, bytes) in frames {
                try? replicas[Int(receiver) - 1].receive(bytes.span.bytes, now: now)
            }
            frames = []
        }
    }

    /// Lets time pass in steps of 10 ms until a replica leads.
    mutating func elect() throws -> ManualReplica {
        for _ in 0..<1000 {
            settle()
            if let leader = replicas.first(where: { $0.status.role == .leader }) { return leader }
            pass(.milliseconds(10))
        }
        throw ProposeError.noLeader
    }

    mutating func pass(_ duration: Duration) {
        now = now.advanced(by: duration)
        for replica in replicas where replica.deadline <= now { replica.tick(now: now) }
        settle()
    }
}

extension Configuration {
    /// Small enough that limits are reached quickly; memory-only.
    static func small(node: NodeID, members: [NodeID]) -> Configuration {
        var configuration = Configuration(cluster: 9, node: node, members: members)
        configuration.durability = .memoryOnly
        configuration.window = 64
        configuration.pipeline = 64
        configuration.valueBytes = 256
        configuration.frameBytes = 4096
        configuration.arenaBytes = 64 << 10
        configuration.seed = UInt64(node)
        return configuration
    }
}

/// The number, as a value.
func value(_ number: Int) -> [UInt8] {
    withUnsafeBytes(of: UInt64(number).littleEndian) { Array($0) }
}

/// What `value(_:)` was made of.
func number(_ bytes: [UInt8]) -> Int {
    bytes.enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
}
