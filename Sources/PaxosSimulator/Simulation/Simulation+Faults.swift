import CPaxos

/// The plan: faults begin and end.
extension Simulation {
    /// How long the hub of `constrained` misses entries before the leader is gone.
    static let staleness_ns = 300 * millisecond

    mutating func stepFaults() {
        active.removeAll { plan.faults[$0].to_ns <= now_ns }
        while faultIndex < plan.faults.count && plan.faults[faultIndex].from_ns <= now_ns {
            beginFault(faultIndex)
            faultIndex += 1
        }
        applyFaults()
        fault_ns = faultIndex < plan.faults.count ? plan.faults[faultIndex].from_ns : .max
        for index in active {
            let fault = plan.faults[index]
            fault_ns = min(fault_ns, fault.to_ns)
            let phase = fault.from_ns + Self.staleness_ns
            if fault.kind == .constrained && phase > now_ns { fault_ns = min(fault_ns, phase) }
        }
        for id in ids where machine(id).pointee.isDown && !machine(id).pointee.isGone {
            if !isHeldDown(id) { restart(id) }
        }
    }

    private mutating func beginFault(_ index: Int) {
        let fault = plan.faults[index]
        let leader = leader ?? fault.node
        let hub = fault.node != leader ? fault.node : fault.node % UInt16(plan.members) + 1
        counts.faults += 1
        mix(now_ns ^ UInt64(fault.kind.rawValue) << 56 ^ UInt64(leader))
        trace?.fault(now_ns, fault)
        active.append(index)
        chosen[index] = (leader, hub)
        let node = fault.kind == .crashLeader ? leader : fault.node
        switch fault.kind {
        case .crash, .crashLeader:
            if mayStop(node) { machine(node).pointee.effectsLeft = Int(fault.amount) }
        case .pause: machine(node).pointee.pausedTo_ns = fault.to_ns
        case .drift: machine(node).pointee.clock.setRate(UInt64(fault.amount), at: now_ns)
        case .jump:
            machine(node).pointee.clock.jump(
                UInt64(fault.amount) * millisecond, back: fault.mask != 0, at: now_ns)
        case .flushError: machine(node).pointee.flushFails = true
        case .bitRot, .misdirected, .staleRead, .lostFlush, .lostDisk: damage(node, fault)
        default: break
        }
        if fault.kind == .pause || fault.kind == .drift || fault.kind == .jump { reschedule(node) }
        if plan.drawn.mustProgressInTrouble {
            beginProbe(after: Self.settling(fault.kind))
        }
    }

    /// How long a fault needs until it is felt: a log becomes stale, the ring of writes full.
    private static func settling(_ kind: Fault.Kind) -> UInt64 {
        switch kind {
        case .constrained: staleness_ns
        case .stall: second / 2
        default: 0
        }
    }

    /// Nodes without a disk stop for good: at most f of them.
    private func mayStop(_ node: UInt16) -> Bool {
        if machine(node).pointee.isDown { return false }
        if plan.isDurable { return true }
        let gone = ids.filter { machine($0).pointee.isGone || machine($0).pointee.effectsLeft >= 0 }
        return gone.count < plan.members - (plan.members / 2 + 1)
    }

    private mutating func damage(_ node: UInt16, _ fault: Fault) {
        let machine = machine(node)
        if !machine.pointee.isDown { cutPower(node) }
        switch fault.kind {
        case .bitRot: machine.pointee.disk.rot(Int(fault.amount), &diskRandom)
        case .misdirected: machine.pointee.disk.misplace(isStale: false, &diskRandom)
        case .staleRead: machine.pointee.disk.misplace(isStale: true, &diskRandom)
        case .lostFlush: machine.pointee.disk.forget(Int(fault.amount))
        default:
            machine.pointee.disk.lose()
            machine.pointee.isDiskLost = true
            /* The state machine lies on the same disk. */
            (machine.pointee.delivered, machine.pointee.trimmed) = (0, 0)
        }
    }

    /// When a node wants to be called, after its clock changed.
    private mutating func reschedule(_ id: UInt16) {
        let machine = machine(id)
        if machine.pointee.isDown { return }
        let deadline = paxos_replica_deadline(machine.pointee.replica)
        machine.pointee.tick_ns = machine.pointee.clock.global(at: deadline)
        machine.pointee.updateDue()
    }

    private func isHeldDown(_ id: UInt16) -> Bool {
        active.contains { index in
            let fault = plan.faults[index]
            switch fault.kind {
            case .crashLeader: return chosen[index]!.leader == id
            case .flushError: return fault.node == id
            default: return fault.stopsNode && fault.node == id
            }
        }
    }

    /// What the active faults make of links, disks and clients.
    private mutating func applyFaults() {
        setLinks()
        load = 1
        for id in ids { (machine(id).pointee.isStalled, machine(id).pointee.slowness) = (false, 1) }
        for index in active {
            let fault = plan.faults[index]
            switch fault.kind {
            case .stall: machine(fault.node).pointee.isStalled = true
            case .slowDisk: machine(fault.node).pointee.slowness = UInt64(fault.amount)
            case .burst: load = UInt64(fault.amount)
            default: break
            }
        }
        for id in ids where machine(id).pointee.effectsLeft >= 0 || machine(id).pointee.flushFails {
            if !isHeldDown(id) {
                (machine(id).pointee.effectsLeft, machine(id).pointee.flushFails) = (-1, false)
            }
        }
    }

    // MARK: Links

    /// Every link as it is now: its own nature, and what the active faults make of it.
    mutating func setLinks() {
        for from in ids {
            for to in ids where to != from {
                network.link(from, to).pointee = Network.Link(
                    loss: plan.loss, duplicate: plan.duplicate, latency_ns: plan.latency_ns,
                    jitter_ns: plan.jitter_ns)
            }
        }
        for index in active { setLinks(plan.faults[index], chosen[index]!) }
    }

    private mutating func setLinks(_ fault: Fault, _ chosen: (leader: UInt16, hub: UInt16)) {
        for from in ids {
            for to in ids where to != from {
                let link = network.link(from, to)
                if isCut(fault, chosen, from, to) { link.pointee.isCut = true }
                let isNamed = fault.mask & (1 << UInt32(from) | 1 << UInt32(to)) != 0
                switch fault.kind {
                case .loss where isNamed: link.pointee.loss += UInt64(fault.amount)
                case .duplicate where isNamed: link.pointee.duplicate += UInt64(fault.amount)
                case .corrupt where isNamed: link.pointee.corrupt += UInt64(fault.amount)
                case .slowNode where from == fault.node || to == fault.node:
                    link.pointee.latency_ns *= UInt64(fault.amount)
                    link.pointee.jitter_ns = min(
                        link.pointee.jitter_ns * UInt64(fault.amount), 4 * second)
                default: break
                }
            }
        }
    }

    private func isCut(
        _ fault: Fault, _ chosen: (leader: UInt16, hub: UInt16), _ from: UInt16, _ to: UInt16
    ) -> Bool {
        func isIn(_ node: UInt16) -> Bool { fault.mask & 1 << UInt32(node) != 0 }
        let hub = chosen.hub
        switch fault.kind {
        case .isolate: return from == fault.node || to == fault.node
        case .split: return isIn(from) != isIn(to)
        case .oneWay: return from == fault.node && isIn(to)
        case .quorumLoss: return from != hub && to != hub
        case .constrained:
            if now_ns < fault.from_ns + Self.staleness_ns { return from == hub || to == hub }
            let isWithLeader = from == chosen.leader || to == chosen.leader
            return isWithLeader || from != hub && to != hub
        case .chained:
            /* The middle, its left and its right neighbour in the ring of nodes. */
            let middle = fault.node
            return
                !(from == middle && isNeighbour(to, middle)
                || to == middle && isNeighbour(from, middle))
        default: return false
        }
    }

    private func isNeighbour(_ node: UInt16, _ middle: UInt16) -> Bool {
        let distance = (Int(node) - Int(middle) + plan.members) % plan.members
        return distance == 1 || distance == plan.members - 1
    }
}
