import CPaxos

/// A host's side of FETCH: entries that the replica has trimmed come from its journal.
extension Simulation {
    /// Say from where on the journal brings what was trimmed.
    mutating func retain(_ id: UInt16, from slot: UInt64) {
        let machine = machine(id)
        machine.pointee.retained = slot
        paxos_replica_retain(machine.pointee.replica, slot)
    }

    /// Read what a member lacks, and send it; or say that it is gone.
    mutating func fetch(_ id: UInt16, _ machine: UnsafeMutablePointer<Machine>) {
        let asked = effect.pointee
        let trimmed = machine.pointee.replica.pointee.acceptor.trimmed
        oracle.require(
            .conduct,
            plan.isRetaining && asked.slot >= machine.pointee.retained
                && asked.slot + UInt64(asked.count) - 1 <= trimmed,
            "node \(id) asks its journal for slots \(asked.slot)+\(asked.count): it retains from "
                + "\(machine.pointee.retained), trimmed up to \(trimmed)")
        var retained = SimulatedDisk.Retained()
        let found = machine.pointee.disk.fetch(
            asked.slot, count: Int(asked.count), bytesMax: Int(asked.body_bytes), to: fetched,
            retained: &retained)
        mix(asked.slot ^ UInt64(found.count) << 32 ^ UInt64(id) << 56)
        counts.fetches += 1
        if found.count == 0 {
            trace?.note(
                now_ns, id, "slot \(asked.slot) is gone, retained from \(retained.first)")
            return retain(id, from: max(retained.first, asked.slot + 1))
        }
        if paxos_effect_fetched(effect, UInt32(found.count), fetched, found.bytes) != PAXOS_OK {
            return oracle.violate(.conduct, "node \(id): entries of its journal do not fit")
        }
        paxos_frame_read(header, frame)
        oracle.sent(frame, fetched)
        let due = network.post(
            from: id, to: asked.node, header, fetched, found.bytes, at: now_ns)
        trace?.sent(now_ns, frame, header, due)
    }
}
