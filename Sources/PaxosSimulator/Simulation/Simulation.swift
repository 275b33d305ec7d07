import CPaxos

/// A whole world that follows from a seed: replicas, their clocks and disks, the network, clients,
/// faults, and the oracle that watches.
///
/// One after the other: what is due first happens first, and after each step the oracle has seen
/// all that left the replica. Memory is taken once and used again for the next seed. Nothing here
/// depends on the order of a hash table, on floating point or on the machine: the same seed and
/// profile give the same ``hash`` everywhere.
///
/// Its files: `+Step` what happens next, `+Effects` a host's duties, `+Fetch` what its journal brings
/// again, `+Restart` power cuts and what comes after, `+Faults` the plan, `+Load` clients, `+End` what must hold when faults stop.
///
/// - Note: One thread at a time.
package struct Simulation: ~Copyable {
    package struct Counts: Sendable {
        package var messages: UInt64 = 0
        package var events: UInt64 = 0
        package var faults: UInt64 = 0
        package var restarts: UInt64 = 0
        package var proposals: UInt64 = 0
        /// Proposals that were not taken: would block.
        package var blocked: UInt64 = 0
        package var commits: UInt64 = 0
        /// Worlds in which too few nodes could vote in the end for progress to be promised.
        package var withoutQuorum: UInt64 = 0
        /// Questions that a journal was asked for what its node had trimmed.
        package var fetches: UInt64 = 0
        /// Copies of a state machine that nodes needed in the end, for want of a snapshot.
        package var copies: UInt64 = 0
    }

    package private(set) var plan: Plan
    package internal(set) var now_ns: UInt64 = 0
    package internal(set) var counts = Counts()
    /// Of all that happened, in its order.
    package internal(set) var hash: UInt64 = 0
    package internal(set) var oracle: Oracle
    var network = Network(frameBytesMax: 2048 + 96)
    let machines: UnsafeMutablePointer<Machine>
    let effect: UnsafeMutablePointer<paxos_effect_t>
    let frame: UnsafeMutablePointer<paxos_frame_t>
    let value: UnsafeMutablePointer<UInt8>
    let entry: UnsafeMutablePointer<UInt8>
    /// Entries read from a journal.
    let fetched: UnsafeMutablePointer<UInt8>
    var random = SplitMix(seed: 0)
    var diskRandom = SplitMix(seed: 0)
    /// The next fault of the plan that begins.
    var faultIndex = 0
    /// Indices of the plan's faults that go on now.
    var active: [Int] = []
    /// Faults that chose a node when they began: who led then, and who was the hub.
    var chosen: [Int: (leader: UInt16, hub: UInt16)] = [:]
    var fault_ns: UInt64 = .max
    var visit_ns: UInt64 = .max
    var load: UInt64 = 1
    /// What clients are answered must be linearizable.
    package internal(set) var clients: Clients
    /// The probe of progress: proposals made since, one of which must be delivered.
    var probe = Probe()
    /// What happened, where someone wants to read it.
    var trace: Trace?

    package init(_ plan: Plan, trace: Trace? = nil) {
        self.plan = plan
        self.trace = trace
        machines = .allocate(capacity: Network.nodesMax)
        for id in 0..<UInt16(Network.nodesMax) {
            (machines + Int(id)).initialize(to: Machine(id: id))
        }
        effect = .allocate(capacity: 1)
        effect.initialize(to: paxos_effect_t())
        effect.pointee.size_bytes = UInt32(MemoryLayout<paxos_effect_t>.size)
        frame = .allocate(capacity: 1)
        frame.initialize(to: paxos_frame_t())
        value = .allocate(capacity: 4096)
        value.initialize(repeating: 0, count: 4096)
        entry = .allocate(capacity: 8192)
        fetched = .allocate(capacity: 4096)
        clients = Clients(seed: plan.seed)
        oracle = Oracle(members: plan.members, q2: plan.members / 2 + 1, isDurable: true)
        begin(plan)
    }

    deinit {
        machines.deinitialize(count: Network.nodesMax)
        machines.deallocate()
        effect.deallocate()
        frame.deallocate()
        value.deallocate()
        entry.deallocate()
        fetched.deallocate()
    }

    /// A new world, in the memory of the last one.
    package mutating func begin(_ plan: Plan) {
        self.plan = plan
        var random = SplitMix(seed: plan.seed ^ 0x5EED_0000_0000_0001)
        now_ns = 1_000_000
        counts = Counts()
        hash = plan.seed
        oracle.begin(
            members: plan.members, q2: plan.members / 2 + 1, isDurable: plan.isDurable)
        network.removeAll()
        network.random = SplitMix(seed: random.next())
        diskRandom = SplitMix(seed: random.next())
        faultIndex = 0
        active.removeAll(keepingCapacity: true)
        chosen.removeAll(keepingCapacity: true)
        fault_ns = plan.faults.first?.from_ns ?? .max
        visit_ns = second
        load = 1
        clients = Clients(keys: 1 + Int(plan.seed % 16), seed: plan.seed)
        probe = Probe()
        for id in ids {
            let drift = random.draw(2 * plan.drawn.drift + 1)
            let clock = Clock(
                offset_ns: second + random.draw(plan.drawn.skew_s + 1) * second,
                rate: 1024 - plan.drawn.drift + drift)
            machine(id).pointee.reset(plan.config, clock: clock)
            machine(id).pointee.disk.recycle_bytes = plan.recycle_bytes
            machine(id).pointee.start(at: now_ns)
            if plan.isRetaining { retain(id, from: 1) }
            machine(id).pointee.tick_ns = now_ns
            machine(id).pointee.updateDue()
        }
        self.random = random
        setLinks()
    }

    @inline(__always)
    func machine(_ id: UInt16) -> UnsafeMutablePointer<Machine> { machines + Int(id) }

    @inline(__always)
    var ids: ClosedRange<UInt16> { 1...UInt16(plan.members) }

    package var violations: [Violation] { oracle.violations }

    /// The one who leads under the highest ballot; nil: nobody.
    var leader: UInt16? {
        var best: UInt16?
        for id in ids where !machine(id).pointee.isDown && machine(id).pointee.isLeader {
            let ballot = machine(id).pointee.replica.pointee.ballot
            if best == nil || ballot > machine(best!).pointee.replica.pointee.ballot { best = id }
        }
        return best
    }

    /// Fold something that happened into the hash.
    @inline(__always)
    mutating func mix(_ word: UInt64) {
        hash = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 29
    }
}
