import CPaxos

/// Power cuts, and what comes after.
extension Simulation {
    /// The power fails at a node, now. It is down until the fault that did it ends.
    mutating func cutPower(_ id: UInt16) {
        let machine = machine(id)
        trace?.note(now_ns, id, Trace.powerCut)
        mix(now_ns ^ UInt64(id) << 40)
        oracle.require(.memory, machine.pointee.isGuarded, "node \(id) wrote beside its block")
        machine.pointee.disk.cutPower(&diskRandom)
        machine.pointee.isDown = true
        machine.pointee.isGone = !plan.isDurable
        (machine.pointee.effectsLeft, machine.pointee.flushFails) = (-1, false)
        machine.pointee.due_ns = .max
    }

    /// The node starts again, with what its disk gives back.
    mutating func restart(_ id: UInt16, appliedAtLeast applied: UInt64 = 0) {
        let machine = machine(id)
        machine.pointee.isDown = false
        machine.pointee.config.incarnation += 1
        machine.pointee.config.journal_lsn = machine.pointee.disk.firstLSN
        machine.pointee.start(at: now_ns)
        counts.restarts += 1
        /* What it gave to trim is durable, and maybe more of what it delivered. */
        let more =
            machine.pointee.delivered - min(machine.pointee.delivered, machine.pointee.trimmed)
        let kept = machine.pointee.trimmed + diskRandom.draw(more + 1)
        let slot = max(applied, kept)
        machine.pointee.delivered = slot
        machine.pointee.trimmed = slot
        let incarnation = machine.pointee.config.incarnation
        oracle.restarted(id, incarnation: incarnation, applied: slot)
        clients.restarted(id, slot: slot)
        giveBack(id, machine, slot, isLost: machine.pointee.isDiskLost)
        trace?.note(now_ns, id, "restart: life \(incarnation), applied \(slot)")
        drain(id)
    }

    /// Every record to the replica, in the order of the journal.
    private mutating func giveBack(
        _ id: UInt16, _ machine: UnsafeMutablePointer<Machine>, _ applied: UInt64, isLost: Bool
    ) {
        let acknowledged = machine.pointee.disk.acknowledged
        let flushed = machine.pointee.disk.flushedCount
        /* A careful host drops what follows the first damage behind the flushed part itself. */
        let isCareful = diskRandom.draw(2) == 0
        var end = machine.pointee.disk.records.count
        var (last, index, damaged) = (UInt64(0), 0, [UInt64]())
        while index < end {
            let record = machine.pointee.disk.record(index)
            let status = giveBack(id, machine, record, isFlushed: index < flushed)
            let header = machine.pointee.disk.header(record)
            let lsn = paxos_get64(header + 64)
            if !record.isGone && isWhole(header) && lsn <= record.lsn { last = max(last, lsn) }
            if status != PAXOS_OK { damaged.append(record.lsn) }
            if status != PAXOS_OK && index >= flushed && isCareful { end = index }
            index += 1
        }
        if let first = damaged.first {
            trace?.note(now_ns, id, "\(damaged.count) records not taken, from \(first) on")
        }
        let mark = isLost ? UInt64.max : plan.isDurable ? headMark(id, acknowledged) : 0
        let status = paxos_replica_recovered(
            machine.pointee.replica, machine.pointee.clock.local(at: now_ns), applied, mark)
        oracle.require(
            .conduct, status == PAXOS_OK, "node \(id): status \(status.rawValue) of recovered")
        /* What the replica took for a torn tail is overwritten: its numbers come again. */
        let taken = max(machine.pointee.replica.pointee.acceptor.flushed, 1)
        machine.pointee.disk.restarted(upTo: taken, count: end)
        if plan.isRetaining { retain(id, from: machine.pointee.disk.retained()) }
        oracle.wrecked(id, isLost: isLost, abstains: machine.pointee.abstains)
        oracle.require(
            .vote, mark <= last || machine.pointee.abstains,
            "node \(id) acknowledged \(acknowledged), recovered \(last), and votes")
    }

    private mutating func giveBack(
        _ id: UInt16, _ machine: UnsafeMutablePointer<Machine>, _ record: SimulatedDisk.Record,
        isFlushed: Bool
    ) -> paxos_status_t {
        let header = machine.pointee.disk.header(record)
        let body = machine.pointee.disk.body(record)
        if record.isGone { return PAXOS_ERR_WIRE }
        /* The host knows which record belongs here: one from further on is no record of this place. */
        if isWhole(header) && paxos_get64(header + 64) > record.lsn { return PAXOS_ERR_WIRE }
        let status = paxos_replica_recover(
            machine.pointee.replica, header, SimulatedDisk.headerBytes, body, record.bodyBytes)
        mix(UInt64(bitPattern: Int64(status.rawValue)) ^ record.lsn)
        switch status {
        case PAXOS_OK:
            if isFlushed { break }
            paxos_frame_read(header, frame)
            oracle.flushed(frame, body, on: id)
        case PAXOS_ERR_WIRE, PAXOS_ERR_RANGE: break
        default:
            oracle.violate(.conduct, "node \(id): status \(status.rawValue) for its own record")
        }
        return status
    }

    /// Whether the header of a record is as it was written.
    private func isWhole(_ header: UnsafeMutablePointer<UInt8>) -> Bool {
        paxos_header_checksum(header) == paxos_get32(header)
    }

    /// The highest lsn that the host remembers to have acknowledged: it may lag where no fault
    /// damages what is flushed.
    private mutating func headMark(_ id: UInt16, _ acknowledged: UInt64) -> UInt64 {
        let isVictim = plan.victims & 1 << UInt32(id) != 0
        return isVictim ? acknowledged : acknowledged - diskRandom.draw(min(acknowledged, 3) + 1)
    }
}
