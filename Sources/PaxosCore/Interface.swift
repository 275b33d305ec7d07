internal import CPaxos

// The C interface of the replica (paxos/replica.h), implemented in Swift. The compiler holds each
// signature against the header. What each function requires and ensures is said there.

/// The core of a block that init made a replica's, and whose journal, if it has one, was given
/// back; nil if it is no such block.
@inline(__always)
private func core(_ replica: UnsafeMutablePointer<paxos_replica_t>?) -> Core? {
    guard let replica, replica.pointee.acceptor.magic == PAXOS_BLOCK_REPLICA else { return nil }
    return Core(replica)
}

/// The same before its journal was given back, too.
@inline(__always)
private func made(_ replica: UnsafeMutablePointer<paxos_replica_t>?) -> Core? {
    guard let replica,
        replica.pointee.acceptor.magic & ~PAXOS_BLOCK_RECOVERING == PAXOS_BLOCK_REPLICA
    else { return nil }
    return Core(replica)
}

/// The same, at a time.
@inline(__always)
private func core(_ replica: UnsafeMutablePointer<paxos_replica_t>?, _ now: UInt64) -> Core? {
    guard let core = core(replica) else { return nil }
    core.clock(now)
    return core
}

@c @implementation
func paxos_replica_init(
    _ block: UnsafeMutableRawPointer?, _ blockBytes: Int,
    _ config: UnsafePointer<paxos_config_t>?, _ now: UInt64,
    _ replicaOut: UnsafeMutablePointer<UnsafeMutablePointer<paxos_replica_t>?>?
) -> paxos_status_t {
    guard let block, let config, let replicaOut else { return PAXOS_ERR_CONFIG }
    let status = paxos_block_init(block, blockBytes, config, true)
    if status != PAXOS_OK { return status }
    let replica = block.assumingMemoryBound(to: paxos_replica_t.self)
    Core(replica).start(config, now: now)
    replicaOut.pointee = replica
    return PAXOS_OK
}

@c @implementation
func paxos_replica_recover(
    _ replica: UnsafeMutablePointer<paxos_replica_t>?, _ header: UnsafePointer<UInt8>?,
    _ headerBytes: Int, _ body: UnsafePointer<UInt8>?, _ bodyBytes: Int
) -> paxos_status_t {
    guard let core = made(replica) else { return PAXOS_ERR_CORRUPT }
    guard let header else { return PAXOS_ERR_WIRE }
    return paxos_voter_recover(
        core.a, header, headerBytes, body ?? header, body == nil ? 0 : bodyBytes)
}

@c @implementation
func paxos_replica_recovered(
    _ replica: UnsafeMutablePointer<paxos_replica_t>?, _ now: UInt64, _ appliedSlot: UInt64,
    _ acknowledgedLsn: UInt64
) -> paxos_status_t {
    guard let core = made(replica) else { return PAXOS_ERR_CORRUPT }
    return core.recovered(now, appliedSlot, acknowledgedLsn)
}

@c @implementation
func paxos_replica_receive(
    _ replica: UnsafeMutablePointer<paxos_replica_t>?, _ now: UInt64,
    _ header: UnsafePointer<UInt8>?, _ headerBytes: Int, _ body: UnsafePointer<UInt8>?,
    _ bodyBytes: Int
) -> paxos_status_t {
    guard let core = core(replica, now) else { return PAXOS_ERR_CORRUPT }
    guard let header else { return PAXOS_ERR_WIRE }
    return core.receive(header, headerBytes, body, body == nil ? 0 : bodyBytes)
}

@c @implementation
func paxos_replica_propose(
    _ replica: UnsafeMutablePointer<paxos_replica_t>?, _ now: UInt64,
    _ value: UnsafePointer<UInt8>?, _ valueBytes: Int,
    _ numberOut: UnsafeMutablePointer<UInt64>?
) -> paxos_status_t {
    guard let core = core(replica, now), let numberOut else { return PAXOS_ERR_CORRUPT }
    if let value { return core.propose(value, valueBytes, numberOut) }
    return valueBytes == 0
        ? core.propose(paxos_arena(core.a, 0), 0, numberOut) : PAXOS_ERR_RANGE
}

@c @implementation
func paxos_replica_tick(_ replica: UnsafeMutablePointer<paxos_replica_t>?, _ now: UInt64) {
    core(replica, now)?.tick()
}

@c @implementation
func paxos_replica_deadline(_ replica: UnsafePointer<paxos_replica_t>?) -> UInt64 {
    core(UnsafeMutablePointer(mutating: replica))?.deadline ?? never
}

@c @implementation
func paxos_replica_poll(
    _ replica: UnsafeMutablePointer<paxos_replica_t>?,
    _ effect: UnsafeMutablePointer<paxos_effect_t>?
) -> Bool {
    guard let core = core(replica), let effect else { return false }
    paxos_effect_is_sized(effect)
    return core.poll(effect)
}

@c @implementation
func paxos_replica_poll_io(
    _ replica: UnsafeMutablePointer<paxos_replica_t>?,
    _ effect: UnsafeMutablePointer<paxos_effect_t>?
) -> Bool {
    guard let core = core(replica), let effect else { return false }
    paxos_effect_is_sized(effect)
    return core.pollIO(effect)
}

@c @implementation
func paxos_replica_poll_log(
    _ replica: UnsafeMutablePointer<paxos_replica_t>?,
    _ effect: UnsafeMutablePointer<paxos_effect_t>?
) -> Bool {
    guard let core = core(replica), let effect else { return false }
    paxos_effect_is_sized(effect)
    return core.pollLog(effect)
}

@c @implementation
func paxos_replica_has_log(_ replica: UnsafePointer<paxos_replica_t>?) -> Bool {
    core(UnsafeMutablePointer(mutating: replica))?.hasLog ?? false
}

@c @implementation
func paxos_replica_flushed(
    _ replica: UnsafeMutablePointer<paxos_replica_t>?, _ now: UInt64, _ lsn: UInt64
) -> paxos_status_t {
    guard let core = core(replica, now) else { return PAXOS_ERR_CORRUPT }
    if lsn > core.a.pointee.lsn { return PAXOS_ERR_RANGE }
    core.countOwnVotes(lsn)
    let status = paxos_voter_flushed(core.a, lsn)
    core.trimWhatWaits()
    if core.isCandidate { core.r.pointee.active |= core.everyPeer }
    core.checkPromises()
    if core.isLeader { core.recover() }
    core.goOnLearning()
    return status
}

@c @implementation
func paxos_replica_sent(
    _ replica: UnsafeMutablePointer<paxos_replica_t>?, _ token: UInt64
) -> paxos_status_t {
    guard let core = core(replica) else { return PAXOS_ERR_CORRUPT }
    let member = UInt32(truncatingIfNeeded: (token &>> 48) &- 1)
    let wasFull = member < core.memberCount && paxos_sends_full(core.a, member)
    let status = paxos_voter_sent_hot(core.a, token)
    if wasFull { core.wake(member) }
    return status
}

@c @implementation
func paxos_replica_trim(
    _ replica: UnsafeMutablePointer<paxos_replica_t>?, _ slot: UInt64
) -> paxos_status_t {
    guard let core = core(replica) else { return PAXOS_ERR_CORRUPT }
    return core.trim(slot)
}

@c @implementation
func paxos_replica_press(
    _ replica: UnsafeMutablePointer<paxos_replica_t>?, _ slot: UInt64
) {
    core(replica)?.press(slot)
}

@c @implementation
func paxos_replica_retain(
    _ replica: UnsafeMutablePointer<paxos_replica_t>?, _ firstSlot: UInt64
) {
    guard let core = core(replica) else { return }
    paxos_voter_retain(core.a, firstSlot)
}

@c @implementation
func paxos_replica_campaign(
    _ replica: UnsafeMutablePointer<paxos_replica_t>?, _ now: UInt64
) -> paxos_status_t {
    guard let core = core(replica, now) else { return PAXOS_ERR_CORRUPT }
    return core.campaign()
}

@c @implementation
func paxos_replica_status(
    _ replica: UnsafePointer<paxos_replica_t>?,
    _ status: UnsafeMutablePointer<paxos_replica_status_t>?
) {
    guard let replica, let status else { return }
    let core = made(UnsafeMutablePointer(mutating: replica))
    paxos_status_is_sized(core != nil, status)
    guard let core else { return }
    let r = core.r.pointee
    status.pointee.node = core.a.pointee.node
    status.pointee.leader = paxos_ballot_node(core.a.pointee.following)
    status.pointee.role = r.role
    status.pointee.quorum = core.a.pointee.quorum == 0 ? 0 : 1
    status.pointee.ballot = r.leader_ballot
    status.pointee.promised = core.a.pointee.promised
    status.pointee.decided = core.a.pointee.decided
    status.pointee.delivered = r.delivered
    status.pointee.trimmed = core.a.pointee.trimmed
    status.pointee.last_slot = core.a.pointee.last_slot
    status.pointee.behind_to = core.behindTo
    status.pointee.campaigns = UInt64(r.attempts)
    status.pointee.abstains = UInt64(core.a.pointee.abstains)
    status.pointee.arena_free_bytes = UInt64(paxos_arena_free(core.a))
    let counters = core.a.pointee.counters
    status.pointee.frames_received = counters.frames
    status.pointee.frames_malformed = counters.wire
    status.pointee.frames_foreign = counters.foreign
    status.pointee.refused_stale = counters.stale
    status.pointee.refused_conflict = counters.conflict
    status.pointee.refused_full = counters.full
    status.pointee.refused_busy = counters.busy
    status.pointee.compactions = counters.compactions
}
