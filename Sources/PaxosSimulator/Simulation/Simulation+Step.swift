import CPaxos

/// What happens next.
extension Simulation {
    /// Run the world to its end: trouble, healing, and what must hold after it.
    package mutating func run() {
        trace?.begin(plan)
        let end = (plan.faults.map(\.to_ns).max() ?? plan.trouble_ns) + 1
        run(until: end)
        if isWell { finish() }
        if isWell, let violation = clients.violation {
            oracle.violate(.linearizable, "\(violation)")
        }
        counts.commits = oracle.deliveredTo
        trace?.end(hash: hash, violations: violations)
    }

    @inline(__always)
    var isWell: Bool { oracle.violations.isEmpty }

    /// Let time pass until `end_ns`, or until something breaks.
    mutating func run(until end_ns: UInt64) {
        while isWell && step(until: end_ns) {}
    }

    /// Do what is due first, if it is due by `end_ns`; whether there was anything.
    @inline(__always)
    private mutating func step(until end_ns: UInt64) -> Bool {
        var time = network.queue.first_ns
        var node: UInt16 = 0
        for id in ids where machine(id).pointee.due_ns < time {
            time = machine(id).pointee.due_ns
            node = id
        }
        let other = min(fault_ns, min(visit_ns, probe.next_ns))
        if min(time, other) > end_ns {
            now_ns = max(now_ns, end_ns)
            return false
        }
        counts.events += 1
        if other < time {
            now_ns = max(now_ns, other)
            stepOther(other)
        } else {
            now_ns = max(now_ns, time)
            if node == 0 { arrive(network.queue.pop()) } else { call(node) }
        }
        return true
    }

    private mutating func stepOther(_ time: UInt64) {
        if time == fault_ns {
            stepFaults()
        } else if time == visit_ns {
            visit()
        } else {
            stepProbe()
        }
    }

    /// A frame arrives.
    @inline(__always)
    private mutating func arrive(_ packet: UInt32) {
        let to = network.receiver(packet)
        let machine = machine(to)
        if machine.pointee.isDown { return network.release(packet) }
        if machine.pointee.pausedTo_ns > now_ns {
            return network.queue.push(packet, at: machine.pointee.pausedTo_ns)
        }
        let header = network.header(packet)
        let bodyBytes = Int(paxos_get32(header + 36))
        let isDamaged = network.wasDamaged(packet)
        counts.messages += 1
        let status = paxos_replica_receive(
            machine.pointee.replica, machine.pointee.clock.local(at: now_ns), header,
            Int(PAXOS_FRAME_HEADER_BYTES), network.body(packet),
            isDamaged ? min(bodyBytes, 2048 - 96) : bodyBytes)
        mix(now_ns ^ UInt64(paxos_get32(header)) << 32 ^ UInt64(to))
        mix(UInt64(bitPattern: Int64(status.rawValue)))
        trace?.received(now_ns, header, to, status)
        if status != PAXOS_OK { judge(status, packet, isDamaged) }
        network.release(packet)
        drain(to)
    }

    /// What a replica may say of a frame that another replica made.
    @inline(never)
    private mutating func judge(_ status: paxos_status_t, _ packet: UInt32, _ isDamaged: Bool) {
        switch status {
        case PAXOS_ERR_STALE, PAXOS_ERR_FULL, PAXOS_ERR_BUSY, PAXOS_ERR_ABSTAINS: break
        case PAXOS_ERR_WIRE, PAXOS_ERR_FOREIGN:
            oracle.require(
                .conduct, isDamaged,
                "node \(network.receiver(packet)) refuses a frame of kind "
                    + "\(network.header(packet)[7]) of a peer: status \(status.rawValue)")
        default:
            oracle.violate(
                .conduct,
                "node \(network.receiver(packet)): status \(status.rawValue) for a frame of kind "
                    + "\(network.header(packet)[7])")
        }
    }

    /// A node's own time has come: a tick, a flush, or a body that is sent.
    private mutating func call(_ id: UInt16) {
        let machine = machine(id)
        let local = machine.pointee.clock.local(at: now_ns)
        if machine.pointee.sent_ns <= now_ns {
            if let token = machine.pointee.release() {
                let status = paxos_replica_sent(machine.pointee.replica, token)
                oracle.require(
                    .conduct, status == PAXOS_OK, "node \(id) does not know its own token")
            } else {
                oracle.violate(.bytes, "node \(id): a body changed before it was sent")
            }
        } else if machine.pointee.flush_ns <= now_ns {
            flush(id)
            if machine.pointee.isDown { return }
        } else {
            paxos_replica_tick(machine.pointee.replica, local)
            mix(now_ns ^ UInt64(id) << 56)
            if paxos_replica_deadline(machine.pointee.replica) <= local {
                oracle.violate(.conduct, "node \(id) wants a tick at once after a tick")
            }
        }
        drain(id)
    }
}
