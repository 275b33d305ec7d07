import CPaxos

/// A node with all that is its own: block, clock, disk, state machine, and what its host still owes.
struct Machine: ~Copyable {
    /// A body that was handed out and is not said to be sent.
    struct Unsent: BitwiseCopyable {
        var token: UInt64
        var offset: Int
        var bytes: Int
        var sum: UInt64
        var due_ns: UInt64
    }

    static let guardBytes = 64
    private static let guardByte: UInt8 = 0xA5

    let id: UInt16
    var config = paxos_config_t()
    private(set) var block: UnsafeMutableRawPointer
    private var capacity = 0
    private(set) var blockBytes = 0
    var replica: UnsafeMutablePointer<paxos_replica_t>
    var disk = SimulatedDisk()
    var clock = Clock()
    /// The power is off.
    var isDown = false
    /// Its journal is lost, and no mark of that is durable yet.
    var isDiskLost = false
    /// No flush completes.
    var isStalled = false
    /// Flushes take so many times longer.
    var slowness: UInt64 = 1
    /// Down for good: it lost its votes and must not come back under its number.
    var isGone = false
    /// It hears nothing before; 0: it is not paused.
    var pausedTo_ns: UInt64 = 0
    /// The power fails after so many more effects; negative: it does not.
    var effectsLeft = -1
    var flushFails = false

    // When it wants to be called, by the true time.
    var tick_ns: UInt64 = .max
    var flush_ns: UInt64 = .max
    var sent_ns: UInt64 = .max
    var due_ns: UInt64 = .max

    // Its state machine.
    var delivered: UInt64 = 0
    var trimmed: UInt64 = 0
    /// The first trimmed slot that its journal brings, as its replica was told; 0: it brings none.
    var retained: UInt64 = 0

    private let unsent: UnsafeMutablePointer<Unsent>
    private static let unsentMax = 1024
    private var unsentFirst = 0
    private(set) var unsentCount = 0

    init(id: UInt16) {
        self.id = id
        block = .allocate(byteCount: 64, alignment: Int(PAXOS_BLOCK_ALIGNMENT))
        replica = block.assumingMemoryBound(to: paxos_replica_t.self)
        unsent = .allocate(capacity: Self.unsentMax)
    }

    deinit {
        block.deallocate()
        unsent.deallocate()
    }

    /// A new world begins.
    mutating func reset(_ config: paxos_config_t, clock: Clock) {
        self.config = config
        self.config.node = id
        self.clock = clock
        disk.removeAll()
        (isDown, isGone, isDiskLost, pausedTo_ns) = (false, false, false, 0)
        (isStalled, slowness) = (false, 1)
        (delivered, trimmed, retained) = (0, 0, 0)
        blockBytes = paxos_replica_block_bytes(&self.config)
        precondition(blockBytes > 0, "a plan's configuration breaks a rule")
        if blockBytes + Self.guardBytes > capacity {
            block.deallocate()
            capacity = blockBytes + Self.guardBytes
            block = .allocate(byteCount: capacity, alignment: Int(PAXOS_BLOCK_ALIGNMENT))
        }
    }

    /// A life begins, in a block of garbage.
    mutating func start(at now_ns: UInt64) {
        unsentFirst = 0
        unsentCount = 0
        (tick_ns, flush_ns, sent_ns, due_ns) = (.max, .max, .max, .max)
        effectsLeft = -1
        flushFails = false
        (block + blockBytes).initializeMemory(
            as: UInt8.self, repeating: Self.guardByte, count: Self.guardBytes)
        var out: UnsafeMutablePointer<paxos_replica_t>?
        let status = paxos_replica_init(block, blockBytes, &config, clock.local(at: now_ns), &out)
        precondition(status == PAXOS_OK && out != nil, "init of a checked configuration")
        replica = out!
    }

    /// Whether the bytes behind the block are as they were.
    var isGuarded: Bool {
        let bytes = UnsafeRawBufferPointer(start: block + blockBytes, count: Self.guardBytes)
        return bytes.allSatisfy { $0 == Self.guardByte }
    }

    var isLeader: Bool { replica.pointee.role == PAXOS_ROLE_LEADER.rawValue }
    var abstains: Bool { replica.pointee.acceptor.abstains != 0 }
    var isBehind: Bool { replica.pointee.behind_to > replica.pointee.acceptor.decided }

    @inline(__always)
    mutating func updateDue() {
        let due = min(tick_ns, min(flush_ns, sent_ns))
        due_ns = due == .max ? due : max(due, pausedTo_ns)
    }

    // MARK: Bodies under way

    /// Whether one more body may be held back.
    var canHold: Bool { unsentCount < Self.unsentMax }

    /// Hold a body back until `due_ns`, or until those before it are gone.
    mutating func hold(_ token: UInt64, _ offset: Int, _ bytes: Int, until due_ns: UInt64) {
        let sum = Machine.sum(block + offset, bytes)
        unsent[(unsentFirst + unsentCount) % Self.unsentMax] = Unsent(
            token: token, offset: offset, bytes: bytes, sum: sum, due_ns: due_ns)
        unsentCount += 1
        if unsentCount == 1 { sent_ns = due_ns }
    }

    /// The oldest body that is under way; nil: it changed before it was sent.
    mutating func release() -> UInt64? {
        let first = unsent[unsentFirst]
        unsentFirst = (unsentFirst + 1) % Self.unsentMax
        unsentCount -= 1
        sent_ns = unsentCount == 0 ? .max : unsent[unsentFirst].due_ns
        return Machine.sum(block + first.offset, first.bytes) == first.sum ? first.token : nil
    }

    /// A sum of bytes, in words; bodies are multiples of 8.
    static func sum(_ start: UnsafeMutableRawPointer, _ bytes: Int) -> UInt64 {
        var sum: UInt64 = 0
        for at in Swift.stride(from: 0, to: bytes, by: 8) {
            sum =
                (sum &* 0x9E37_79B9_7F4A_7C15)
                ^ start.loadUnaligned(
                    fromByteOffset: at, as: UInt64.self)
        }
        return sum
    }
}
