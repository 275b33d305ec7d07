import CPaxos

/// Ballots, votes, and what they choose.
extension Oracle {
    /// The vote record of a ballot and slot, made if there is none.
    @inline(__always)
    mutating func vote(_ ballot: UInt64, _ slot: UInt64) -> UnsafeMutablePointer<Vote> {
        let head = slots.at(Int(slot)).pointee.votes
        var index = head
        while index != 0 {
            let record = votes.at(Int(index) - 1)
            if record.pointee.ballot == ballot { return record }
            index = record.pointee.next
        }
        let made = votes.append(Vote(ballot: ballot, next: head))
        slots.at(Int(slot)).pointee.votes = UInt32(made) + 1
        return votes.at(made)
    }

    /// `entry` was proposed for `slot` under `ballot`.
    @inline(__always)
    mutating func sawProposed(_ entry: paxos_entry_t, _ ballot: UInt64, _ slot: UInt64) {
        let value = valueID(entry)
        let record = vote(ballot, slot)
        if record.pointee.value == value { return }
        if record.pointee.value != 0 {
            violate(
                .oneProposal, "slot \(slot), ballot \(name(ballot)): two values, \(name(entry))")
            return
        }
        record.pointee.value = value
        record.pointee.checksum = entry.checksum
        sawFirst(entry, value, ballot, slot)
    }

    /// P2b: "If a proposal with value v is chosen, then every higher-numbered proposal issued by
    /// any proposer has value v."
    private mutating func sawFirst(
        _ entry: paxos_entry_t, _ value: ValueID, _ ballot: UInt64, _ slot: UInt64
    ) {
        let known = slots.at(Int(slot)).pointee
        if known.chosen != 0 && ballot > known.ballot && !vote(ballot, slot).pointee.isOutside {
            require(
                .carried, known.chosen == value,
                "slot \(slot): ballot \(name(ballot)) proposes \(name(entry)), another is chosen")
        }
        if entry.kind == UInt8(PAXOS_ENTRY_COMMAND.rawValue) { requireProposed(entry, value) }
        if vote(ballot, slot).pointee.voters.nonzeroBitCount >= q2 {
            choose(ballot, slot)
        }
    }

    /// Node `node` voted.
    @inline(__always)
    mutating func count(_ ballot: UInt64, _ slot: UInt64, by node: UInt16) {
        let record = vote(ballot, slot)
        let before = record.pointee.voters
        let after = before | 1 << UInt32(node)
        record.pointee.voters = after
        if after != before && after.nonzeroBitCount >= q2 && record.pointee.value != 0 {
            choose(ballot, slot)
        }
    }

    private mutating func choose(_ ballot: UInt64, _ slot: UInt64) {
        let record = vote(ballot, slot).pointee
        let known = slots.at(Int(slot))
        if known.pointee.chosen == 0 {
            known.pointee.chosen = record.value
            known.pointee.checksum = record.checksum
            known.pointee.ballot = ballot
            chosenCount += 1
            while slots.look(Int(chosenTo) + 1).chosen != 0 { chosenTo += 1 }
        } else {
            require(
                .oneValue, known.pointee.chosen == record.value,
                "slot \(slot): another value is chosen under ballot \(name(ballot))")
            if ballot < known.pointee.ballot { known.pointee.ballot = ballot }
        }
        requireCarried(slot)
    }

    /// What higher ballots proposed before it was seen chosen.
    private mutating func requireCarried(_ slot: UInt64) {
        let known = slots.at(Int(slot)).pointee
        var index = known.votes
        while index != 0 {
            let record = votes.at(Int(index) - 1).pointee
            if record.ballot > known.ballot && record.value != 0 && !record.isOutside {
                require(
                    .carried, record.value == known.chosen,
                    "slot \(slot): ballot \(name(record.ballot)) proposed another than is chosen")
            }
            index = record.next
        }
    }

    /// Someone says that `entry` is decided in `slot`.
    @inline(__always)
    mutating func requireChosen(
        _ entry: paxos_entry_t, _ slot: UInt64, by node: UInt16, _ how: StaticString
    ) {
        let known = slots.look(Int(slot)).chosen
        if known == valueID(entry) { return }
        if known == 0 {
            violate(.chosen, "node \(node) \(how) \(name(entry)) in slot \(slot): none is chosen")
        } else {
            violate(.oneValue, "node \(node) \(how) \(name(entry)) in slot \(slot): not chosen")
        }
    }

    /// The value that is chosen in a slot; nil: none yet.
    package func chosenValue(_ slot: UInt64) -> ValueID? {
        let value = slots.look(Int(slot)).chosen
        return value == 0 ? nil : value
    }
}

package func name(_ ballot: UInt64) -> String { "\(ballot >> 16).\(ballot & 0xFFFF)" }

func name(_ entry: paxos_entry_t) -> String {
    entry.kind == UInt8(PAXOS_ENTRY_NOOP.rawValue)
        ? "a no-op of node \(entry.node)"
        : "proposal \(entry.node).\(entry.incarnation).\(entry.number)"
}
