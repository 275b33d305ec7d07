import CPaxos

/// One replica of a `Cluster`, and what its host keeps of it.
struct Seat {
    var replica: UnsafeMutablePointer<paxos_replica_t>
    var block: Block
    /// Last slot delivered, how many slots were, and up to where they were let go.
    var slot: UInt64 = 0
    var trimmed: UInt64 = 0
    var delivered: UInt64 = 0
    /// The last write to be made durable; 0: none.
    var written: UInt64 = 0
    /// Proposal number of the last command, and a chain over all commands, where they are looked
    /// at.
    var number: UInt64 = 0
    var digest: UInt64 = 0
    /// Whether all that was looked at was whole and in order.
    var isSound = true
    var isAlive = true
}

/// A replica in a block of its own.
/// - Throws: a `BenchError` that names the broken rule of the configuration.
func makeReplica(
    _ config: paxos_config_t
) throws -> (block: Block, replica: UnsafeMutablePointer<paxos_replica_t>) {
    var config = config
    var rule: UnsafePointer<CChar>?
    if paxos_config_check(&config, &rule) != PAXOS_OK, let rule {
        throw BenchError("a replica was refused: \(String(cString: rule))")
    }
    let bytes = paxos_replica_block_bytes(&config)
    let block = Block(byteCount: bytes)
    var made: UnsafeMutablePointer<paxos_replica_t>?
    guard paxos_replica_init(block.base, bytes, &config, 0, &made) == PAXOS_OK, let made else {
        block.free()
        throw BenchError("a replica was refused")
    }
    return (block, made)
}

/// Where a replica stands.
func statusOf(_ replica: UnsafeMutablePointer<paxos_replica_t>) -> paxos_replica_status_t {
    var status = paxos_replica_status_t()
    status.size_bytes = UInt32(MemoryLayout<paxos_replica_status_t>.size)
    paxos_replica_status(replica, &status)
    return status
}

/// Replicas in one process, driven through the C interface by one thread.
///
/// Frames go from replica to replica as bytes: the receiver is shown header and body where the
/// sender has them, verifies and copies. No network, no queue, no allocation; votes that must be
/// durable are so at once. The struct holds pointers only, so that the hot loop touches no Swift
/// object.
struct Cluster {
    /// Slots between two trims.
    private static let trimInterval: UInt64 = 64
    /// Virtual time between two looks at who wants to be called: far below a heartbeat's period.
    private static let lookInterval_ns: UInt64 = 64_000

    let count: Int
    let seats: UnsafeMutablePointer<Seat>
    private let effect: UnsafeMutablePointer<paxos_effect_t>
    private let state: UnsafeMutablePointer<State>

    private struct State {
        var now_ns: UInt64 = 0
        var nextLook_ns: UInt64 = 0
        /// Ticks, frames and flushes handed in.
        var events: UInt64 = 0
        var looksAtEntries = false
    }

    init(nodes: Int, configure: (Int) -> paxos_config_t) throws {
        count = nodes
        seats = .allocate(capacity: nodes)
        effect = .allocate(capacity: 1)
        effect.initialize(to: paxos_effect_t())
        effect.pointee.size_bytes = UInt32(MemoryLayout<paxos_effect_t>.size)
        state = .allocate(capacity: 1)
        state.initialize(to: State())
        for index in 0..<nodes {
            let (block, made) = try makeReplica(configure(index + 1))
            (seats + index).initialize(to: Seat(replica: made, block: block))
        }
    }

    func free() {
        for index in 0..<count { seats[index].block.free() }
        seats.deallocate()
        effect.deallocate()
        state.deallocate()
    }

    var events: UInt64 { state.pointee.events }
    var now_ns: UInt64 { state.pointee.now_ns }

    /// From now on each delivered entry is verified and goes into its replica's digest.
    func lookAtEntries() { state.pointee.looksAtEntries = true }

    func status(_ index: Int) -> paxos_replica_status_t { statusOf(seats[index].replica) }

    func leads(_ index: Int) -> Bool { status(index).role == 2 }

    @inline(__always)
    func propose(at index: Int, _ value: Block, _ valueBytes: Int) -> paxos_status_t {
        var number: UInt64 = 0
        return paxos_replica_propose(
            seats[index].replica, state.pointee.now_ns, value.base, valueBytes, &number)
    }

    /// Let time pass and call whoever wanted to be called by then.
    @inline(__always)
    func advance(to now_ns: UInt64) {
        state.pointee.now_ns = now_ns
        if now_ns < state.pointee.nextLook_ns { return }
        state.pointee.nextLook_ns = now_ns &+ Cluster.lookInterval_ns
        for index in 0..<count where seats[index].isAlive {
            if paxos_replica_deadline(seats[index].replica) <= now_ns {
                paxos_replica_tick(seats[index].replica, now_ns)
                state.pointee.events &+= 1
            }
        }
    }

    /// When the next of the living wants to be called.
    var deadline_ns: UInt64 {
        var deadline_ns = UInt64.max
        for index in 0..<count where seats[index].isAlive {
            deadline_ns = min(deadline_ns, paxos_replica_deadline(seats[index].replica))
        }
        return max(deadline_ns, state.pointee.now_ns + 1)
    }

    /// Do all that one replica asks for; the number of effects.
    @inline(__always)
    func drain(_ index: Int) -> Int {
        let seat = seats + index
        let effect = effect
        var effects = 0
        while paxos_replica_poll(seat.pointee.replica, effect) {
            effects &+= 1
            switch effect.pointee.kind {
            case PAXOS_EFFECT_SEND.rawValue: send(from: seat)
            case PAXOS_EFFECT_DELIVER.rawValue: deliver(at: seat)
            case PAXOS_EFFECT_WRITE.rawValue: seat.pointee.written = effect.pointee.lsn
            default: break
            }
        }
        if seat.pointee.written != 0 { flush(seat) }
        return effects
    }

    @inline(__always)
    private func send(from seat: UnsafeMutablePointer<Seat>) {
        let receiver = seats + Int(effect.pointee.node &- 1)
        if receiver.pointee.isAlive {
            state.pointee.events &+= 1
            let header =
                UnsafeRawPointer(effect) + MemoryLayout<paxos_effect_t>.offset(of: \.header)!
            /* what the receiver makes of it comes back as its reply, or as none */
            _ = paxos_replica_receive(
                receiver.pointee.replica, state.pointee.now_ns,
                header.assumingMemoryBound(to: UInt8.self), Int(PAXOS_FRAME_HEADER_BYTES),
                seat.pointee.block.base + Int(effect.pointee.body_offset),
                Int(effect.pointee.body_bytes))
        }
        /* one word for sixteen small bodies to a peer: a later token speaks for those before it */
        let token = effect.pointee.token
        if token != 0 && (token & 15 == 0 || effect.pointee.body_bytes >= 1024) {
            _ = paxos_replica_sent(seat.pointee.replica, token)
        }
    }

    @inline(__always)
    private func deliver(at seat: UnsafeMutablePointer<Seat>) {
        let slot = effect.pointee.slot &+ UInt64(effect.pointee.count) &- 1
        seat.pointee.delivered &+= UInt64(effect.pointee.count)
        if state.pointee.looksAtEntries { look(at: seat) }
        seat.pointee.slot = slot
        /* as a state machine would: now and then, not for each slot */
        if slot &- seat.pointee.trimmed >= Cluster.trimInterval {
            seat.pointee.trimmed = slot
            _ = paxos_replica_trim(seat.pointee.replica, slot)
        }
    }

    private func flush(_ seat: UnsafeMutablePointer<Seat>) {
        state.pointee.events &+= 1
        _ = paxos_replica_flushed(seat.pointee.replica, state.pointee.now_ns, seat.pointee.written)
        seat.pointee.written = 0
    }

    /// Verify what is delivered: no slot twice or left out, every entry whole, numbers rising.
    private func look(at seat: UnsafeMutablePointer<Seat>) {
        var isSound = effect.pointee.slot == seat.pointee.slot + 1
        var entry = seat.pointee.block.base + Int(effect.pointee.body_offset)
        for _ in 0..<effect.pointee.count {
            let header = paxos_entry_get(entry)
            let room = Int(paxos_entry_bytes(header.value_bytes))
            var bytes: UInt32 = 0
            isSound = isSound && paxos_entry_verify(entry, room, .max, &bytes) == PAXOS_OK
            if header.kind == UInt8(PAXOS_ENTRY_COMMAND.rawValue) {
                isSound = isSound && header.number > seat.pointee.number
                seat.pointee.number = header.number
                /* an odd factor loses nothing of what came before */
                let mixed = seat.pointee.digest ^ UInt64(header.checksum)
                seat.pointee.digest = mixed &* 0x9E37_79B9_7F4A_7C15
            }
            entry += room
        }
        seat.pointee.isSound = seat.pointee.isSound && isSound
    }

    /// Run effects until nobody has any; false if that never happens.
    func settle() -> Bool {
        for _ in 0..<100_000 {
            var effects = 0
            for index in 0..<count where seats[index].isAlive { effects += drain(index) }
            if effects == 0 { return true }
        }
        return false
    }

    /// Make the first replica lead.
    func elect() throws {
        for _ in 0..<10_000 {
            if leads(0) && settle() { return }
            if paxos_replica_deadline(seats[0].replica) > 0 {
                _ = paxos_replica_campaign(seats[0].replica, now_ns)
            }
            try require(settle(), "the replicas never came to rest")
            advance(to: now_ns + 1_000_000)
        }
        throw BenchError("nobody could be elected")
    }
}
