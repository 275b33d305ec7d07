import CPaxos

/// Whether a cluster that can make progress does.
struct Probe {
    static let none = UInt64.max
    /// When the next proposals are made; never: there is no probe.
    var next_ns = Probe.none
    /// By when one of them must be delivered.
    var until_ns = Probe.none
    var began_ns = Probe.none
    /// The highest slot that was delivered before.
    var slot: UInt64 = 0
    var proposals: [(node: UInt16, incarnation: UInt32, number: UInt64)] = []
    /// How long the last probe took.
    var took_ns: UInt64?
}

/// What must hold when faults stop.
extension Simulation {
    private var timeout_ns: UInt64 { plan.config.election_timeout_ns }

    // MARK: Progress

    /// In how many election timeouts a proposal must be decided. Where the network goes on losing
    /// more than one message in twenty for ever, no bound holds always: one in a million worlds
    /// loses each of the few messages that an election and a vote hang on.
    private var patience: UInt64 { plan.loss > 51 ? 8 : 4 }

    /// From `delay` on a proposal must be decided in four election timeouts, or eight.
    mutating func beginProbe(after delay: UInt64 = 0) {
        probe = Probe()
        probe.began_ns = now_ns + delay
        probe.slot = oracle.deliveredTo
        probe.next_ns = now_ns + delay
        probe.until_ns = now_ns + delay + patience * timeout_ns
    }

    mutating func stepProbe() {
        if hasProgressed {
            let took = now_ns - probe.began_ns
            probe = Probe()
            probe.took_ns = took
            return
        }
        if now_ns >= probe.until_ns {
            let since = milliseconds(probe.began_ns)
            probe.next_ns = .max
            return oracle.violate(
                .progress,
                "nothing that was proposed since \(since) is decided in \(patience) timeouts")
        }
        for id in ids where !machine(id).pointee.isDown && machine(id).pointee.pausedTo_ns <= now_ns
        {
            if let number = propose(at: id) {
                let incarnation = machine(id).pointee.config.incarnation
                probe.proposals.append((id, incarnation, number))
            }
            drain(id)
        }
        probe.next_ns = now_ns + 50 * millisecond
    }

    /// Rings of one or two records are full of old proposals for a while: there, any will do.
    private var hasProgressed: Bool {
        if plan.isTiny && oracle.deliveredTo > probe.slot { return true }
        return probe.proposals.contains {
            oracle.isDelivered($0.number, of: $0.node, incarnation: $0.incarnation)
        }
    }

    // MARK: Healing

    /// Faults stop; then a proposal commits in time, all that can follow come to the same log, and
    /// every proposal has an outcome.
    mutating func finish() {
        heal()
        var copies = [Copies](repeating: Copies(), count: plan.members)
        catchUp(&copies)
        let healed_ns = now_ns
        /* Who catches up through a ring of one write takes its time; but it goes on. */
        var (moved_ns, reached) = (now_ns, deliveredByAll)
        if !hasQuorum { return endWithoutQuorum() }
        beginProbe()
        while isWell
            && (probe.next_ns != Probe.none
                || !isConverged && now_ns < moved_ns + 12 * timeout_ns)
        {
            run(until: now_ns + 100 * millisecond)
            if deliveredByAll > reached { (moved_ns, reached) = (now_ns, deliveredByAll) }
            catchUp(&copies)
            /* What those who were cut off lack may go before they are heard again. */
            let isEarly = !plan.isDurable && now_ns <= healed_ns + timeout_ns
            if isEarly && isWell && !hasQuorum { return endWithoutQuorum() }
        }
        if !isWell { return }
        if !isConverged { return violateKept() }
        run(until: now_ns + 3 * timeout_ns)
        if !isWell { return }
        for id in ids where !machine(id).pointee.isDown {
            oracle.requireOutcomes(of: id, incarnation: machine(id).pointee.config.incarnation)
            oracle.require(
                .memory, machine(id).pointee.isGuarded, "node \(id) wrote beside its block")
        }
    }

    /// Nodes that keep their votes in memory only may be gone, or lack what no snapshot brings.
    private mutating func endWithoutQuorum() {
        probe = Probe()
        counts.withoutQuorum += 1
    }

    private mutating func heal() {
        trace?.note(now_ns, 0, "faults stop")
        active.removeAll(keepingCapacity: true)
        (fault_ns, visit_ns) = (.max, .max)
        setLinks()
        /* What slow links and disks still hold ends with the faults. */
        let soon_ns = now_ns + timeout_ns / 8
        network.queue.clamp(to: soon_ns)
        for id in ids {
            let machine = machine(id)
            if machine.pointee.flush_ns != .max {
                machine.pointee.flush_ns = min(machine.pointee.flush_ns, soon_ns)
            }
            (machine.pointee.isStalled, machine.pointee.slowness) = (false, 1)
            (machine.pointee.effectsLeft, machine.pointee.flushFails) = (-1, false)
            machine.pointee.pausedTo_ns = 0
            machine.pointee.clock.setRate(1024, at: now_ns)
            if machine.pointee.isGone { continue }
            if machine.pointee.isDown {
                restart(id)
            } else {
                drain(id)
            }
        }
    }

    /// Copies of a state that one node was given; what follows within a timeout is the same one.
    private struct Copies {
        private(set) var counted = 0
        private var next_ns: UInt64 = 0

        mutating func count(_ now_ns: UInt64, apart_ns: UInt64) {
            if now_ns < next_ns { return }
            counted += 1
            next_ns = now_ns + apart_ns
        }
    }

    /// A host gives a node that fell behind what all others have trimmed a copy of a state machine.
    /// There are no snapshots in the core yet: it does so by a restart. What was free to go before
    /// the others hear of the copy may go: those that are short of room trim it one after the other,
    /// and each step may ask for a copy again. But a live node is waited for, once that is through.
    private mutating func catchUp(_ copies: inout [Copies]) {
        guard plan.isDurable else { return }
        let trimmed = trimmedBySome
        for id in ids where isWell && !machine(id).pointee.isDown && !canFollow(id) {
            counts.copies += 1
            copies[Int(id) - 1].count(now_ns, apart_ns: timeout_ns)
            oracle.require(
                .progress, copies[Int(id) - 1].counted <= 3,
                "the others do not wait for node \(id): it was given three copies of the state")
            cutPower(id)
            restart(id, appliedAtLeast: trimmed)
        }
    }

    /// What some node let go of: it cannot tell it to others.
    private var trimmedBySome: UInt64 {
        ids.map { machine($0).pointee.replica.pointee.acceptor.trimmed }.max()!
    }

    /// Whether enough nodes may vote, and hold what they need to.
    private var hasQuorum: Bool {
        ids.filter { canFollow($0) && !machine($0).pointee.abstains }.count > plan.members / 2
    }

    /// Whether a node can come to the end of the log without a snapshot: it passes over what it has
    /// applied, and gets from a journal what all have trimmed.
    private func canFollow(_ id: UInt16) -> Bool {
        if machine(id).pointee.isDown { return false }
        let replica = machine(id).pointee.replica
        let lacks = max(replica.pointee.acceptor.decided, replica.pointee.delivered) + 1
        if lacks > trimmedBySome { return true }
        return plan.isRetaining
            && ids.contains { $0 != id && !machine($0).pointee.isDown && brings(lacks, $0) }
    }

    /// Whether a node brings all slots from one on that anybody has trimmed: from its journal as far
    /// as it has trimmed them itself, from memory the others.
    private func brings(_ slot: UInt64, _ id: UInt16) -> Bool {
        let machine = machine(id)
        let acceptor = machine.pointee.replica.pointee.acceptor
        return acceptor.decided >= trimmedBySome
            && (slot > acceptor.trimmed
                || machine.pointee.retained <= slot
                    && machine.pointee.disk.brings(slot...acceptor.trimmed))
    }

    private var deliveredByAll: UInt64 { ids.map { oracle.delivered(by: $0) }.reduce(0, +) }

    private var isConverged: Bool {
        ids.allSatisfy { !canFollow($0) || oracle.delivered(by: $0) == oracle.deliveredTo }
    }

    private mutating func violateKept() {
        let ends = ids.map { "\($0): \(oracle.delivered(by: $0))" }.joined(separator: ", ")
        oracle.violate(
            .kept, "slot \(oracle.deliveredTo) was delivered, and not by all that can: \(ends)")
    }
}
