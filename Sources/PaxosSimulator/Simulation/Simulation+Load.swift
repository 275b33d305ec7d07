import CPaxos

/// Clients: they come at any time, to any node, with as much as they like.
extension Simulation {
    mutating func visit() {
        let pause = plan.visit_ns / load + 1
        visit_ns = now_ns + 1 + random.draw(2 * pause)
        let id = UInt16(1 + random.draw(UInt64(plan.members)))
        let machine = machine(id)
        if machine.pointee.isDown || machine.pointee.pausedTo_ns > now_ns { return }
        for _ in 0..<(1 + random.draw(plan.burst)) {
            if propose(at: id) == nil { break }
        }
        drain(id)
    }

    /// Propose a value that was never proposed before; its number, nil where that would block.
    mutating func propose(at id: UInt16) -> UInt64? {
        let machine = machine(id)
        counts.proposals += 1
        let length = Int(random.draw(UInt64(plan.config.value_bytes_max) + 1))
        fill(length)
        if length >= Clients.commandBytes { clients.command(to: value) }
        var number: UInt64 = 0
        let status = paxos_replica_propose(
            machine.pointee.replica, machine.pointee.clock.local(at: now_ns), value, length, &number
        )
        switch status {
        case PAXOS_OK:
            var header = paxos_entry_t()
            header.value_bytes = UInt32(length)
            header.kind = UInt8(PAXOS_ENTRY_COMMAND.rawValue)
            header.node = id
            header.incarnation = machine.pointee.config.incarnation
            header.number = number
            _ = paxos_entry_put(entry, header, value)
            oracle.proposed(paxos_entry_get(entry), at: id)
            clients.proposed(header, value, at: id, now: now_ns)
            trace?.proposed(now_ns, id, number)
            return number
        case PAXOS_ERR_NO_LEADER, PAXOS_ERR_PIPELINE, PAXOS_ERR_FULL, PAXOS_ERR_BUSY:
            counts.blocked += 1
            clients.declined(value, count: length)
        default:
            oracle.violate(.conduct, "node \(id): status \(status.rawValue) of propose")
        }
        return nil
    }

    private mutating func fill(_ length: Int) {
        for at in stride(from: 0, to: length, by: 8) {
            UnsafeMutableRawPointer(value).storeBytes(
                of: random.next().littleEndian, toByteOffset: at, as: UInt64.self)
        }
    }
}
