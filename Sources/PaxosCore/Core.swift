internal import CPaxos

/// A replica: one pointer to the caller's block, and the rules that read and write it.
///
/// All state is in the block, as C structs of fixed layout; this type holds none. Its methods are
/// spread over files by concern: `Core+Propose`, `+Lead`, `+Campaign`, `+Elect`, `+Follow`,
/// `+Forward`, `+Poll`, `+Trim`. `Interface.swift` is the C face of them.
///
/// - Note: One caller at a time per block.
struct Core {
    let r: UnsafeMutablePointer<paxos_replica_t>

    /// The acceptor is the first member of the replica: the same address.
    var a: UnsafeMutablePointer<paxos_acceptor_t> {
        @inline(__always) get {
            UnsafeMutableRawPointer(r).assumingMemoryBound(to: paxos_acceptor_t.self)
        }
    }

    @inline(__always)
    init(_ replica: UnsafeMutablePointer<paxos_replica_t>) { r = replica }

    @inline(__always)
    init(_ replica: UnsafePointer<paxos_replica_t>) { r = UnsafeMutablePointer(mutating: replica) }
}

/// The state of a cell whose entry is chosen.
let chosen = UInt16(truncatingIfNeeded: PAXOS_RUN_CHOSEN.rawValue)

/// Whether what is done with every commit has a short way of its own, see base.h.
let hasShortWay = PAXOS_SHORT_WAY != 0

/// No such time: it never comes.
let never = UInt64.max

/// A decoded header; by pointer, because a copy costs more than all that is done with it.
typealias Frame = UnsafePointer<paxos_frame_t>

/// Status values as Swift sees them.
typealias Status = paxos_status_t

extension Core {
    // MARK: Members

    var memberCount: UInt32 { @inline(__always) get { UInt32(a.pointee.member_count) } }
    var selfIndex: UInt32 { @inline(__always) get { UInt32(a.pointee.self_index) } }

    /// A bit for each member but this one.
    var everyPeer: UInt32 { @inline(__always) get { r.pointee.every_peer } }

    @inline(__always)
    func peer(_ member: UInt32) -> UnsafeMutablePointer<paxos_peer_t> { paxos_peer(r, member) }

    @inline(__always)
    func cell(_ slot: UInt64) -> UnsafeMutablePointer<paxos_cell_t> { paxos_cell(a, slot) }

    @inline(__always)
    func proposal(_ slot: UInt64) -> UnsafeMutablePointer<paxos_proposal_t> {
        paxos_proposal(a, slot)
    }

    @inline(__always)
    func holds(_ slot: UInt64) -> Bool { paxos_cell_holds(cell(slot), slot) }

    @inline(__always)
    func isChosen(_ slot: UInt64) -> Bool {
        holds(slot) && cell(slot).pointee.state == chosen
    }

    /// Last slot that the window can hold now.
    var windowEnd: UInt64 {
        @inline(__always) get { a.pointee.trimmed &+ UInt64(a.pointee.window_slots) }
    }

    // MARK: Role

    var isLeader: Bool { @inline(__always) get { r.pointee.role == PAXOS_ROLE_LEADER.rawValue } }
    var isCandidate: Bool {
        @inline(__always) get { r.pointee.role == PAXOS_ROLE_CANDIDATE.rawValue }
    }

    @inline(__always)
    func isMemoryOnly() -> Bool { a.pointee.memory_only != 0 }

    /// Say that a peer may have something to be sent.
    @inline(__always)
    func wake(_ member: UInt32) { r.pointee.active |= 1 &<< member }

    func owe(_ member: UInt32, _ what: paxos_owed) {
        peer(member).pointee.owed |= UInt16(truncatingIfNeeded: what.rawValue)
        wake(member)
    }

    func isOwed(_ member: UInt32, _ what: paxos_owed) -> Bool {
        peer(member).pointee.owed & UInt16(truncatingIfNeeded: what.rawValue) != 0
    }

    func settle(_ member: UInt32, _ what: paxos_owed) {
        peer(member).pointee.owed &= ~UInt16(truncatingIfNeeded: what.rawValue)
    }

    // MARK: Time and chance

    /// Time never runs backwards inside.
    @inline(__always)
    func clock(_ now: UInt64) { if now > r.pointee.now_ns { r.pointee.now_ns = now } }

    var now: UInt64 { @inline(__always) get { r.pointee.now_ns } }

    /// A round of heartbeats: eight in an election timeout.
    var period: UInt64 { r.pointee.election_timeout_ns &>> 3 }

    /// How long a leader, or a peer, is believed to be alive after its last word: three rounds.
    var patience: UInt64 { period &* 3 }

    /// A number below `bound`, from the seeded state in the block (splitmix64).
    func random(below bound: UInt64) -> UInt64 {
        let number = paxos_random_next(&r.pointee.random)
        return bound == 0 ? 0 : number % bound
    }

    // MARK: Init

    func start(_ config: UnsafePointer<paxos_config_t>, now: UInt64) {
        r.pointee.election_timeout_ns = config.pointee.election_timeout_ns
        r.pointee.inflight_bytes_max = paxos_config_inflight(config)
        r.pointee.pipeline_slots = config.pointee.pipeline_slots
        r.pointee.forward_ring = config.pointee.forward_ring
        r.pointee.manual_elections = config.pointee.manual_elections
        r.pointee.random =
            config.pointee.seed ^ UInt64(config.pointee.node) &<< 32
            ^ UInt64(config.pointee.incarnation)
        r.pointee.now_ns = now
        r.pointee.round_ns = now
        r.pointee.flush_ns = now
        r.pointee.campaign_ns = never
        r.pointee.retry_ns = never
        r.pointee.attempt_ns = never
        r.pointee.overtaken_ns = never
        r.pointee.hold_to = never
        r.pointee.hold_mark = never
        r.pointee.role = PAXOS_ROLE_FOLLOWER.rawValue
        r.pointee.every_peer = ((1 &<< memberCount) &- 1) & ~(1 &<< selfIndex)
    }

    /// The journal was given back: go on from there.
    func recovered(_ now: UInt64, _ appliedSlot: UInt64, _ acknowledgedLsn: UInt64) -> Status {
        let status = paxos_voter_recovered(a, appliedSlot, acknowledgedLsn)
        if status != PAXOS_OK { return status }
        clock(now)
        r.pointee.round_ns = self.now
        r.pointee.flush_ns = self.now
        r.pointee.delivered = appliedSlot
        return PAXOS_OK
    }
}
