import CPaxos

/// Records on a disk, and lives of a node.
extension Oracle {
    /// A record became durable.
    package mutating func flushed(
        _ record: UnsafePointer<paxos_frame_t>, _ body: UnsafePointer<UInt8>?, on node: UInt16
    ) {
        let (ballot, slot) = (record.pointee.ballot, record.pointee.slot)
        let count = UInt64(record.pointee.count)
        let known = nodes.at(Int(node))
        let promise = max(ballot, record.pointee.other)
        if promise > known.pointee.durablePromise { known.pointee.durablePromise = promise }
        if count == 0 || !isPlausible(slot, count) { return }
        if var at = body, record.pointee.body_bytes > 0 {
            for slot in slot..<slot + count {
                let entry = paxos_entry_get(at)
                if ballot != 0 {
                    sawProposed(entry, ballot, slot)
                } else {
                    requireChosen(entry, slot, by: node, "learned")
                }
                at += Int(paxos_entry_bytes(entry.value_bytes))
            }
        }
        if ballot == 0 { return }
        for slot in slot..<slot + count {
            vote(ballot, slot).pointee.durable |= 1 << UInt32(node)
            self.count(ballot, slot, by: node)
        }
    }

    /// A node starts anew. `applied`: its state machine's slot; deliveries go on behind it.
    package mutating func restarted(_ node: UInt16, incarnation: UInt32, applied: UInt64) {
        let record = nodes.at(Int(node))
        record.pointee.incarnation = incarnation
        record.pointee.promise = 0
        record.pointee.delivered = applied
        _ = life(node, incarnation)
    }

    /// Its disk was lost: it must never vote again. Or the end of its journal could not be read: it
    /// must not vote as long as it cannot.
    package mutating func wrecked(_ node: UInt16, isLost: Bool, abstains: Bool) {
        let record = nodes.at(Int(node))
        if isLost { record.pointee.isLost = true }
        record.pointee.isWrecked = abstains || record.pointee.isLost
    }
}
