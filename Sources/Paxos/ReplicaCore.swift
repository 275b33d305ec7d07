internal import CPaxos

/// A replica's block and the calls into it, without a lock: what ``ManualReplica`` and
/// ``LocalCluster`` share.
///
/// Owns the block and one effect record; allocates both once and nothing afterwards. Its owner
/// sees to one call at a time.
struct ReplicaCore: ~Copyable {
    let node: NodeID
    let incarnation: UInt32
    let valueBytes: Int
    private let block: UnsafeMutableRawPointer
    private let replica: UnsafeMutablePointer<paxos_replica_t>
    private let effect: UnsafeMutablePointer<paxos_effect_t>

    init(
        _ configuration: Configuration, journalStart: UInt64 = 0, now: UInt64
    ) throws(ConfigurationError) {
        var config = try configuration.checked(journalStart: journalStart)
        let byteCount = Configuration.blockBytes(&config)
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: byteCount, alignment: Int(PAXOS_BLOCK_ALIGNMENT))
        var replica: UnsafeMutablePointer<paxos_replica_t>?
        let status = paxos_replica_init(block, byteCount, &config, now, &replica)
        guard status == PAXOS_OK, let replica else {
            block.deallocate()
            throw ConfigurationError(rule: "the block is \(byteCount) aligned bytes")
        }
        node = configuration.node
        incarnation = configuration.incarnation
        valueBytes = configuration.valueBytes
        self.block = block
        self.replica = replica
        effect = .allocate(capacity: 1)
        effect.initialize(to: paxos_effect_t())
        effect.pointee.size_bytes = UInt32(MemoryLayout<paxos_effect_t>.size)
    }

    deinit {
        effect.deallocate()
        block.deallocate()
    }

    /// Proposes; returns the proposal's number.
    @inline(__always)
    func propose(_ value: UnsafeRawBufferPointer, now: UInt64) throws(ProposeError) -> UInt64 {
        var number: UInt64 = 0
        let start = value.baseAddress ?? UnsafeRawPointer(effect)
        let status = paxos_replica_propose(
            replica, now, start.assumingMemoryBound(to: UInt8.self), value.count, &number)
        if status != PAXOS_OK { throw ProposeError(status, valueBytes: valueBytes) }
        return number
    }

    /// Proposes values that stand one behind the other, until one is not taken.
    func propose(
        packed values: UnsafeRawBufferPointer, lengths: Span<Int>, now: UInt64
    ) -> Admission {
        var first: UInt64 = 0
        var offset = 0
        for index in lengths.indices {
            let value = UnsafeRawBufferPointer(rebasing: values[offset..<offset + lengths[index]])
            do throws(ProposeError) {
                let number = try propose(value, now: now)
                if index == 0 { first = number }
            } catch {
                return admission(first: first, count: index, error: error)
            }
            offset += lengths[index]
        }
        return admission(first: first, count: lengths.count, error: nil)
    }

    func admission(first: UInt64, count: Int, error: ProposeError?) -> Admission {
        Admission(first: count == 0 ? nil : proposal(first), count: count, error: error)
    }

    func proposal(_ number: UInt64) -> Proposal {
        Proposal(node: node, incarnation: incarnation, number: number)
    }

    @inline(__always)
    func receive(
        header: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer, now: UInt64
    ) -> paxos_status_t {
        let none = UnsafeRawPointer(effect)
        return paxos_replica_receive(
            replica, now,
            (header.baseAddress ?? none).assumingMemoryBound(to: UInt8.self), header.count,
            (body.baseAddress ?? none).assumingMemoryBound(to: UInt8.self), body.count)
    }

    /// Takes a frame in one piece.
    func receive(_ frame: UnsafeRawBufferPointer, now: UInt64) -> paxos_status_t {
        let split = min(frame.count, Int(PAXOS_FRAME_HEADER_BYTES))
        return receive(
            header: UnsafeRawBufferPointer(rebasing: frame[..<split]),
            body: UnsafeRawBufferPointer(rebasing: frame[split...]), now: now)
    }

    /// Takes a record of the journal.
    func recover(
        header: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer
    ) -> paxos_status_t {
        let none = UnsafeRawPointer(effect)
        return paxos_replica_recover(
            replica, (header.baseAddress ?? none).assumingMemoryBound(to: UInt8.self), header.count,
            (body.baseAddress ?? none).assumingMemoryBound(to: UInt8.self), body.count)
    }

    func recovered(applied slot: UInt64, acknowledged lsn: UInt64, now: UInt64) throws(RangeError) {
        if paxos_replica_recovered(replica, now, slot, lsn) != PAXOS_OK { throw RangeError() }
    }

    @inline(__always)
    func tick(now: UInt64) { paxos_replica_tick(replica, now) }

    var deadline: UInt64 {
        @inline(__always)
        get { paxos_replica_deadline(replica) }
    }

    func flushed(upTo lsn: UInt64, now: UInt64) throws(RangeError) {
        if paxos_replica_flushed(replica, now, lsn) != PAXOS_OK { throw RangeError() }
    }

    @inline(__always)
    func sent(_ token: UInt64) throws(RangeError) {
        if paxos_replica_sent(replica, token) != PAXOS_OK { throw RangeError() }
    }

    @inline(__always)
    func trim(upTo slot: UInt64) throws(RangeError) {
        if paxos_replica_trim(replica, slot) != PAXOS_OK { throw RangeError() }
    }

    /// `false`: no room for the effects of a campaign now.
    func campaign(now: UInt64) -> Bool {
        paxos_replica_campaign(replica, now) == PAXOS_OK
    }

    var status: ManualReplica.Status {
        var status = paxos_replica_status_t()
        status.size_bytes = UInt32(MemoryLayout<paxos_replica_status_t>.size)
        paxos_replica_status(replica, &status)
        return ManualReplica.Status(status)
    }

    /// The next effect as the core gives it, valid until the next call; `nil`: none is due.
    @inline(__always)
    func poll() -> UnsafeMutablePointer<paxos_effect_t>? {
        paxos_replica_poll(replica, effect) ? effect : nil
    }

    @inline(__always)
    func header(of effect: UnsafeMutablePointer<paxos_effect_t>) -> UnsafeRawBufferPointer {
        let offset = MemoryLayout<paxos_effect_t>.offset(of: \.header)!
        return UnsafeRawBufferPointer(
            start: UnsafeRawPointer(effect) + offset, count: Int(PAXOS_FRAME_HEADER_BYTES))
    }

    @inline(__always)
    func body(of effect: UnsafeMutablePointer<paxos_effect_t>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: block + Int(effect.pointee.body_offset), count: Int(effect.pointee.body_bytes))
    }

    @inline(__always)
    func deliveries(of effect: UnsafeMutablePointer<paxos_effect_t>) -> Deliveries {
        let first = effect.pointee.slot
        let entries = UnsafeRawPointer(block + Int(effect.pointee.body_offset))
        return Deliveries(
            slots: first...(first + UInt64(effect.pointee.count) - 1),
            entries: entries.assumingMemoryBound(to: UInt8.self))
    }

    /// Stops the program: the core refused what it gave out itself.
    @inline(never)
    func deny(_ what: StaticString, _ number: UInt64) -> Never {
        fatalError("node \(node) does not know \(what): \(number)")
    }

    func outcome(of effect: UnsafeMutablePointer<paxos_effect_t>) -> Outcome {
        let reason: Outcome.Reason
        switch UInt32(effect.pointee.reason) {
        case PAXOS_REASON_FULL.rawValue: reason = .full
        case PAXOS_REASON_LOST.rawValue: reason = .unknown
        default: reason = .notLeader
        }
        let first = effect.pointee.number
        return Outcome(
            numbers: first...(first + UInt64(effect.pointee.count) - 1), reason: reason,
            leader: effect.pointee.node == 0 ? nil : effect.pointee.node)
    }
}
