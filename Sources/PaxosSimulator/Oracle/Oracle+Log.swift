import CPaxos

/// Proposals, deliveries and outcomes.
extension Oracle {
    private static let livesMax = 256

    /// Where the proposals of a node's life stand; made if it is new.
    mutating func life(_ node: UInt16, _ incarnation: UInt32) -> UnsafeMutablePointer<Life> {
        lives.at(Int(node) * Self.livesMax + Int(incarnation) % Self.livesMax)
    }

    /// Index of a proposal's record; nil: no such proposal.
    @inline(__always)
    private func index(_ node: UInt16, _ incarnation: UInt32, _ number: UInt64) -> Int? {
        guard Int(node) <= members, incarnation < Self.livesMax else { return nil }
        let life = lives.look(Int(node) * Self.livesMax + Int(incarnation))
        guard number >= 1, number <= UInt64(life.count) else { return nil }
        return place(node, life.first + Int(number) - 1)
    }

    /// The records of all nodes are in one table, turn by turn.
    @inline(__always)
    private func place(_ node: UInt16, _ index: Int) -> Int { index * (members + 1) + Int(node) }

    /// A proposal was taken: `entry` is what it is in a slot, header and checksum.
    package mutating func proposed(_ entry: paxos_entry_t, at node: UInt16) {
        let life = life(node, entry.incarnation)
        require(
            .conduct, entry.number == UInt64(life.pointee.count) + 1,
            "node \(node) gave out number \(entry.number) after \(life.pointee.count)")
        record(entry, node)
    }

    /// Entries that were handed to a node from outside the world count as proposed.
    package mutating func outside(
        _ frame: UnsafePointer<paxos_frame_t>, _ body: UnsafePointer<UInt8>?
    ) {
        guard var at = body, frame.pointee.body_bytes > 0 else { return }
        for index in 0..<UInt64(frame.pointee.count) {
            let entry = paxos_entry_get(at)
            if entry.kind != UInt8(PAXOS_ENTRY_NOOP.rawValue) { record(entry, entry.node) }
            if UInt32(frame.pointee.kind) == PAXOS_FRAME_ACCEPT.rawValue {
                let (ballot, slot) = (frame.pointee.ballot, frame.pointee.slot + index)
                vote(ballot, slot).pointee.isOutside = true
                sawProposed(entry, ballot, slot)
            }
            at += Int(paxos_entry_bytes(entry.value_bytes))
        }
    }

    private mutating func record(_ entry: paxos_entry_t, _ node: UInt16) {
        guard entry.number >= 1, entry.number < 1 << 20 else { return }
        let life = life(node, entry.incarnation)
        if life.pointee.count == 0 { life.pointee.first = nodes.look(Int(node)).proposalCount }
        if entry.number > UInt64(life.pointee.count) {
            life.pointee.count = Int(entry.number)
            nodes.at(Int(node)).pointee.proposalCount = life.pointee.first + life.pointee.count
        }
        let place = place(node, life.pointee.first + Int(entry.number) - 1)
        proposals.at(place).pointee.value = valueID(entry)
    }

    /// Whoever proposes it in a slot: it must be what a client proposed, and not refused.
    mutating func requireProposed(_ entry: paxos_entry_t, _ value: ValueID) {
        guard let index = index(entry.node, entry.incarnation, entry.number) else {
            violate(.proposed, "\(name(entry)) was never made")
            return
        }
        let proposal = proposals.look(index)
        require(.proposed, proposal.value == value, "\(name(entry)): other bytes than were made")
        require(.refused, !proposal.isRefused, "\(name(entry)) was refused and is proposed")
    }

    /// An entry came out of a replica. Its checksum is of its bytes: the caller verified that.
    @inline(__always)
    package mutating func delivered(_ entry: paxos_entry_t, in slot: UInt64, at node: UInt16) {
        let record = nodes.at(Int(node))
        if slot != record.pointee.delivered + 1 {
            violate(.order, "node \(node): slot \(slot) after \(nodes.look(Int(node)).delivered)")
        }
        nodes.at(Int(node)).pointee.delivered = slot
        requireChosen(entry, slot, by: node, "delivered")
        if slot > deliveredTo { deliveredTo = slot }
        if entry.kind != UInt8(PAXOS_ENTRY_COMMAND.rawValue) { return }
        guard let index = index(entry.node, entry.incarnation, entry.number) else {
            violate(.proposed, "node \(node) delivered \(name(entry)), which was never made")
            return
        }
        let proposal = proposals.at(index)
        if proposal.pointee.slot == slot { return }
        require(
            .once, proposal.pointee.slot == 0,
            "\(name(entry)) is in slot \(slot) and in \(proposal.pointee.slot)")
        let made = proposal.pointee
        require(.refused, !made.isRefused, "\(name(entry)) was refused and is delivered")
        require(.proposed, made.value == valueID(entry), "\(name(entry)): other bytes than made")
        proposals.at(index).pointee.slot = slot
    }

    /// A node was told that its proposal was refused.
    package mutating func refused(_ number: UInt64, at node: UInt16, incarnation: UInt32) {
        guard let index = index(node, incarnation, number), proposals.look(index).value != 0 else {
            violate(.refused, "node \(node): number \(number) is refused, it was never made")
            return
        }
        let slot = proposals.look(index).slot
        require(.refused, slot == 0, "node \(node): number \(number) is refused after slot \(slot)")
        proposals.at(index).pointee.isRefused = true
    }

    /// A node was told that it will not be told.
    package mutating func unknown(_ number: UInt64, at node: UInt16, incarnation: UInt32) {
        guard let index = index(node, incarnation, number), proposals.look(index).value != 0 else {
            violate(.outcome, "node \(node): number \(number) is unknown, it was never made")
            return
        }
        proposals.at(index).pointee.isUnknown = true
    }

    /// Every proposal of a node's present life has an outcome by now.
    package mutating func requireOutcomes(of node: UInt16, incarnation: UInt32) {
        let life = life(node, incarnation).pointee
        for number in 0..<life.count {
            let proposal = proposals.look(place(node, life.first + number))
            require(
                .outcome, proposal.slot != 0 || proposal.isRefused || proposal.isUnknown,
                "node \(node) was never told of its number \(number + 1)")
        }
    }

    /// Whether a proposal stands in a slot that someone delivered.
    package func isDelivered(_ number: UInt64, of node: UInt16, incarnation: UInt32 = 1) -> Bool {
        index(node, incarnation, number).map { proposals.look($0).slot != 0 } ?? false
    }

    /// Up to where a node has delivered.
    package func delivered(by node: UInt16) -> UInt64 { nodes.look(Int(node)).delivered }
}
