import CPaxos

/// Every state that a node was seen in, and what each event makes of it.
///
/// A state is what a replica's block says (``NodeEncoding``), what its disk holds, and the records
/// on their way to the disk. A step is a function of the state and the event, since a replica has
/// no clock, no generator outside of its block and no input but the call: so the shipping code runs
/// once for each pair, and its outcome is remembered.
final class NodeStates {
    struct State {
        let image: Scratch.Image
        let disk: UInt32
        /// Records that the host was given and that are not durable yet.
        let pending: [Packet]
        /// The slots that the node believes to be decided, a bit for each slot and entry.
        let believed: UInt64
        /// What it would come back as after a crash now; nil: it does not crash any more.
        let recovered: UInt32?
    }

    struct Outcome {
        var next: UInt32
        /// Numbers of the messages sent.
        var sends: [UInt32] = []
        /// What was broken in this step; empty: nothing.
        var violation = ""
    }

    let space: Space
    private(set) var states: [State] = []
    private(set) var steps = 0
    private var last: (disk: UInt32, pending: [Packet]) = (0, [])
    /// The step whose code runs now.
    private(set) var running: (node: Int, event: NodeEvent)?
    var messages: MessageTable
    var disks = DiskTable()
    private let scratch: Scratch
    /// One more for each life: what a node comes back as is looked at while another is at hand.
    private let spares: [Scratch]
    private var unreadable: Set<UInt32> = []
    private var recoveries: [Recovery: UInt32] = [:]
    private var numbers: [[UInt64]: UInt32] = [:]

    private struct Recovery: Hashable {
        let disk: UInt32
        let node: UInt16
        let incarnation: UInt32
    }

    init(_ space: Space) {
        self.space = space
        scratch = Scratch(space)
        messages = MessageTable(space.reductions)
        spares = (0...(space.restarts.max() ?? 0)).map { _ in Scratch(space) }
    }

    /// Where a node begins: formatted, and greeted once by each of the others.
    func first(_ index: Int) -> UInt32 {
        scratch.start(space.config(node: UInt16(index + 1), incarnation: 1))
        greet(scratch)
        return intern(scratch, disk: 0, pending: [])
    }

    /// A heartbeat of each other node, from before anything was promised: a leader sends only to
    /// whom it heard of.
    private func greet(_ scratch: Scratch) {
        let acceptor = scratch.acceptor.pointee
        for other in 1...UInt16(Space.nodeCount) where other != acceptor.node {
            let packet = Packet(PAXOS_FRAME_HEARTBEAT, from: other, to: acceptor.node) {
                $0.cluster = acceptor.cluster
                $0.group = acceptor.group
                $0.nonce = 1
                $0.digest = acceptor.fingerprint
            }
            precondition(scratch.receive(packet) == PAXOS_OK)
        }
        var answers = Scratch.Effects()
        scratch.drain(into: &answers)
    }

    /// The state that a node comes back to from a disk, if it may crash once more.
    private func recover(_ disk: UInt32, after acceptor: paxos_acceptor_t) -> UInt32? {
        guard acceptor.incarnation <= space.restarts[Int(acceptor.self_index)] else { return nil }
        let life = acceptor.incarnation + 1
        let recovery = Recovery(disk: disk, node: acceptor.node, incarnation: life)
        if let known = recoveries[recovery] { return known }
        let spare = spares[Int(acceptor.incarnation)]
        spare.start(space.config(node: acceptor.node, incarnation: life))
        let records = disks.records(disk).dropLast(space.isForgetful ? 1 : 0)
        if !spare.recover(Array(records)) {
            /* It comes back with nothing, and the step that leads here says why. */
            unreadable.insert(disk)
            spare.start(space.config(node: acceptor.node, incarnation: life))
            precondition(spare.recover([]))
        }
        greet(spare)
        let number = intern(spare, disk: disk, pending: [])
        recoveries[recovery] = number
        return number
    }

    /// The number of the state that is in a scratch.
    private func intern(_ scratch: Scratch, disk: UInt32, pending: [Packet]) -> UInt32 {
        let recovered = recover(disk, after: scratch.acceptor.pointee)
        var encoding = NodeEncoding(space)
        encoding.add(scratch.replica)
        encoding.add(UInt64(pending.count))
        for record in pending { encoding.add(record) }
        encoding.add(disks[disk])
        encoding.add(recovered.map { UInt64($0) + 1 } ?? 0)
        if let number = numbers[encoding.words] { return number }
        let number = UInt32(states.count)
        numbers[encoding.words] = number
        states.append(
            State(
                image: scratch.store(), disk: disk, pending: pending, believed: beliefs(scratch),
                recovered: recovered))
        return number
    }

    private func beliefs(_ scratch: Scratch) -> UInt64 {
        let a = scratch.acceptor
        var set: UInt64 = 0
        for slot in 1...UInt64(a.pointee.window_slots) {
            let cell = paxos_cell(a, slot).pointee
            guard cell.slot == slot,
                UInt32(cell.state) == PAXOS_RUN_CHOSEN.rawValue || slot <= a.pointee.decided
            else { continue }
            let entry = EntryWords(paxos_arena(a, cell.position))
            set |= disks.votes.valueBit(slot: Int(slot), entry: entry)
        }
        return set
    }

    // MARK: Steps

    /// Whether an event other than a delivery may happen in a state.
    func isEnabled(_ event: NodeEvent, in state: State) -> Bool {
        let replica = state.image.replica.pointee
        switch event {
        case .deliver: return true
        case .flush(let records): return records <= state.pending.count
        case .campaign:
            let isLate = replica.acceptor.decided >= space.slots
            if isLate && space.reductions.contains(.noIdleLeaders) { return false }
            let highest = (0..<UInt32(Space.nodeCount)).reduce(replica.acceptor.promised) {
                max($0, paxos_peer(state.image.replica, $1).pointee.promised)
            }
            let limit = space.rounds[Int(replica.acceptor.self_index)]
            return paxos_ballot_round(highest) + 1 <= limit
        case .propose:
            return replica.role == PAXOS_ROLE_LEADER.rawValue && replica.next_slot <= space.slots
                && replica.next_slot > replica.high_slot
        case .restart: return state.recovered != nil
        }
    }

    /// What one event makes of a state.
    func step(_ number: UInt32, _ event: NodeEvent) -> Outcome {
        let (state, sends, violation) = run(states[Int(number)], event)
        return Outcome(next: state, sends: sends, violation: violation)
    }

    /// Run the shipping code for one event; afterwards the block is in the scratch, except after a
    /// restart.
    func run(
        _ state: State, _ event: NodeEvent
    ) -> (next: UInt32, sends: [UInt32], violation: String) {
        steps += 1
        if event == .restart {
            let next = state.recovered!
            let replica = states[Int(next)].image.replica
            if unreadable.contains(state.disk) {
                return (
                    next, [], "node \(replica.pointee.acceptor.node) cannot read its own journal"
                )
            }
            return (next, [], StepRules.forgotten(by: replica, disks[state.disk]))
        }
        scratch.load(state.image)
        running = (Int(scratch.acceptor.pointee.self_index), event)
        defer { running = nil }
        let before = scratch.acceptor.pointee.promised
        let isPrompt = space.reductions.contains(.promptFlush) && state.pending.isEmpty
        var disk = state.disk
        var pending = state.pending
        let status = call(event, &disk, &pending)
        var effects = Scratch.Effects()
        pending += drain(into: &effects)
        while isPrompt && effects.frames.isEmpty && !pending.isEmpty {
            for record in pending { disk = disks.append(record, to: disk) }
            precondition(scratch.flushed(pending.last!.fields.nonce) == PAXOS_OK)
            pending = drain(into: &effects)
        }
        let next = intern(scratch, disk: disk, pending: pending)
        let violation = StepRules(scratch, disks, disk).broken(
            event, status: status, promisedBefore: before, diskBefore: state.disk, effects: effects)
        let sends = effects.frames.filter(isExplored).map { messages.number(of: $0) }
        last = (disk, pending)
        return (next, sends, violation)
    }

    private func call(
        _ event: NodeEvent, _ disk: inout UInt32, _ pending: inout [Packet]
    ) -> paxos_status_t {
        switch event {
        case .deliver(let message): return scratch.receive(messages.packet(message))
        case .campaign: return scratch.campaign()
        case .propose: return scratch.propose(value())
        case .flush(let records):
            let status = scratch.flushed(pending[records - 1].fields.nonce)
            for record in pending[..<records] { disk = disks.append(record, to: disk) }
            pending.removeFirst(records)
            return status
        case .restart: preconditionFailure("a restart is no call")
        }
    }

    /// What the last run led to, with a block of its own: not that of the first one that came to
    /// the same state.
    func lastState(_ number: UInt32) -> State {
        let known = states[Int(number)]
        return State(
            image: scratch.store(), disk: last.disk, pending: last.pending,
            believed: known.believed, recovered: recover(last.disk, after: scratch.acceptor.pointee)
        )
    }

    /// Drain the scratch; the records that came out.
    private func drain(into effects: inout Scratch.Effects) -> [Packet] {
        effects.records = []
        scratch.drain(into: &effects)
        return effects.records
    }

    /// The value that the node in the scratch proposes next: its number, and which of its own.
    private func value() -> Bytes {
        [UInt8(scratch.acceptor.pointee.node), UInt8(scratch.replica.pointee.number + 1)]
    }

    private func isExplored(_ frame: Packet) -> Bool {
        let reductions = space.reductions
        switch frame.kind {
        case PAXOS_FRAME_HEARTBEAT.rawValue, PAXOS_FRAME_HEARTBEAT_REPLY.rawValue:
            return !reductions.contains(.noHeartbeats)
        case PAXOS_FRAME_REJECTED.rawValue: return !reductions.contains(.noRejections)
        case PAXOS_FRAME_COMMIT.rawValue:
            let leadsNothing = scratch.replica.pointee.first_slot > space.slots
            return !(leadsNothing && reductions.contains(.noIdleLeaders))
        case PAXOS_FRAME_LEARN.rawValue: return !reductions.contains(.noLearning)
        default: return true
        }
    }
}
