import CPaxos

/// What must hold in every world, whatever happens in it. It sees only what leaves the replicas:
/// frames, records and deliveries.
///
/// Source: Lamport, "Paxos Made Simple" (2001), section 2.1: "Only a value that has been proposed
/// may be chosen; only a single value is chosen; and a process never learns that a value has been
/// chosen unless it actually has been." A value is chosen when q2 nodes have voted for it under one
/// ballot.
package struct Oracle {
    struct Vote: Hashable {
        let ballot: UInt64
        let slot: UInt64
    }
    struct Origin: Hashable {
        let node: UInt16
        let number: UInt64
    }
    struct Durable {
        var promised: UInt64 = 0
        var votes: Set<Vote> = []
    }

    private let q1: Int
    private let q2: Int
    private let isDurable: Bool
    private var proposed: [Vote: Entry] = [:]
    private var voters: [Vote: UInt32] = [:]
    private var disks: [UInt16: Durable] = [:]
    private var promises: [UInt16: UInt64] = [:]
    private var values: [Origin: Bytes] = [:]
    private var slots: [Origin: UInt64] = [:]
    private var refused: Set<Origin> = []
    /// The entry that is chosen in a slot, and the lowest ballot under which it was seen chosen.
    package private(set) var chosen: [UInt64: (entry: Entry, ballot: UInt64)] = [:]
    package private(set) var violations: [String] = []

    init(q1: Int, q2: Int, isDurable: Bool) {
        self.q1 = q1
        self.q2 = q2
        self.isDurable = isDurable
    }

    private mutating func require(_ holds: Bool, _ message: @autoclosure () -> String) {
        if !holds { violations.append(message()) }
    }

    // MARK: What leaves a node

    mutating func saw(sent packet: Packet) {
        let ballot = packet.fields.ballot
        switch packet.kind {
        case PAXOS_FRAME_PREPARE.rawValue:
            requireDurable(packet.from, promise: ballot, packet)
        case PAXOS_FRAME_PROMISE.rawValue:
            requireDurable(packet.from, promise: ballot, packet)
        case PAXOS_FRAME_ACCEPT.rawValue:
            sawAccept(packet)
        case PAXOS_FRAME_ACCEPTED.rawValue:
            for index in 0..<UInt64(packet.fields.count) {
                let vote = Vote(ballot: ballot, slot: packet.fields.slot + index)
                require(
                    !isDurable || disks[packet.from]?.votes.contains(vote) == true,
                    "\(packet) left before its vote for slot \(vote.slot) was durable")
                count(vote, by: packet.from)
            }
        default:
            break
        }
    }

    private mutating func requireDurable(_ node: UInt16, promise ballot: UInt64, _ packet: Packet) {
        guard isDurable else { return }
        require(
            disks[node, default: Durable()].promised >= ballot,
            "\(packet) left before its promise was durable")
    }

    private mutating func sawAccept(_ packet: Packet) {
        for (index, entry) in packet.entries.enumerated() {
            let slot = packet.fields.slot + UInt64(index)
            let vote = Vote(ballot: packet.fields.ballot, slot: slot)
            if let earlier = proposed[vote] {
                require(earlier == entry, "\(packet): two values for one ballot and slot")
            } else {
                proposed[vote] = entry
                requireCarries(vote, entry)
                sawOrigin(entry)
            }
            if packet.has(PAXOS_FLAG_VOTED) {
                require(!isDurable, "\(packet): a durable vote was counted before its flush")
                count(vote, by: packet.from)
            }
        }
    }

    /// P2b: "If a proposal with value v is chosen, then every higher-numbered proposal issued by
    /// any proposer has value v."
    private mutating func requireCarries(_ vote: Vote, _ entry: Entry) {
        guard let chosen = chosen[vote.slot], vote.ballot > chosen.ballot else { return }
        require(
            chosen.entry == entry,
            "slot \(vote.slot): \(entry) proposed although \(chosen.entry) is chosen")
    }

    private mutating func sawOrigin(_ entry: Entry) {
        guard !entry.isNoop else { return }
        let header = entry.header
        let origin = Origin(node: header.node, number: header.number)
        if let value = values[origin] {
            require(value == entry.value, "\(entry) is not what was proposed under its number")
        }
        require(!refused.contains(origin), "\(entry) was refused and is proposed")
    }

    private mutating func count(_ vote: Vote, by node: UInt16) {
        voters[vote, default: 0] |= 1 << UInt32(node)
        guard voters[vote]!.nonzeroBitCount >= q2, let entry = proposed[vote] else { return }
        if let earlier = chosen[vote.slot] {
            require(
                earlier.entry == entry,
                "slot \(vote.slot): chosen \(earlier.entry) and then \(entry)")
            if vote.ballot < earlier.ballot { chosen[vote.slot]!.ballot = vote.ballot }
        } else {
            chosen[vote.slot] = (entry, vote.ballot)
        }
    }

    // MARK: The disk

    /// A record became durable.
    mutating func saw(durable record: Packet, on node: UInt16) {
        let fields = record.fields
        if fields.ballot > disks[node, default: Durable()].promised {
            disks[node, default: Durable()].promised = fields.ballot
        }
        guard fields.ballot != 0 else { return }
        for (index, entry) in record.entries.enumerated() {
            let vote = Vote(ballot: fields.ballot, slot: fields.slot + UInt64(index))
            if proposed[vote] == nil { proposed[vote] = entry }
        }
        for index in 0..<UInt64(fields.count) {
            let vote = Vote(ballot: fields.ballot, slot: fields.slot + index)
            disks[node, default: Durable()].votes.insert(vote)
            count(vote, by: node)
        }
    }

    // MARK: The hosts

    mutating func saw(proposal number: UInt64, of node: UInt16, value: Bytes) {
        let origin = Origin(node: node, number: number)
        require(values[origin] == nil, "node \(node) gave out number \(number) twice")
        values[origin] = value
    }

    mutating func saw(promise: UInt64, of node: UInt16) {
        require(
            promise >= promises[node, default: 0],
            "node \(node) lowered its promise to \(promise)")
        promises[node] = promise
    }

    mutating func saw(refusal number: UInt64, of node: UInt16) {
        let origin = Origin(node: node, number: number)
        require(values[origin] != nil, "node \(node): number \(number) refused, never proposed")
        require(slots[origin] == nil, "node \(node): number \(number) delivered, then refused")
        refused.insert(origin)
    }

    mutating func saw(delivered entry: Entry, in slot: UInt64, at node: UInt16) {
        if let chosen = chosen[slot] {
            require(
                chosen.entry == entry,
                "node \(node) delivered \(entry) in slot \(slot), \(chosen.entry) is chosen")
        } else {
            require(false, "node \(node) delivered \(entry) in slot \(slot): nothing is chosen")
        }
        guard !entry.isNoop else { return }
        let header = entry.header
        let origin = Origin(node: header.node, number: header.number)
        require(values[origin] == entry.value, "\(entry) was never proposed with these bytes")
        require(!refused.contains(origin), "\(entry) was refused and is delivered")
        let earlier = slots[origin] ?? slot
        require(earlier == slot, "\(entry) is in slot \(earlier) and in \(slot)")
        slots[origin] = slot
    }

    mutating func saw(_ violation: String) { violations.append(violation) }

    /// Whether a proposal stands in a slot that someone delivered.
    package func isDelivered(_ number: UInt64, of node: UInt16) -> Bool {
        slots[Origin(node: node, number: number)] != nil
    }

    /// Entries handed to an acceptor from outside the world count as proposed.
    package mutating func saw(outside packet: Packet) {
        if packet.isKind(PAXOS_FRAME_ACCEPT) { sawAccept(packet) }
        for entry in packet.entries where !entry.isNoop {
            values[Origin(node: entry.header.node, number: entry.header.number)] = entry.value
        }
    }
}
