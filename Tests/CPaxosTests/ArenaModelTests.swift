import CPaxos
import PaxosSimulator
import Testing

/// Thousands of random steps on tiny arenas, each compared with a dictionary: nothing held is ever
/// lost or changed, and the bytes of an effect stay until it is done.
struct ArenaModelTests {
    @Test("random steps, memory only", arguments: 1...6 as ClosedRange<UInt64>)
    func memoryOnly(seed: UInt64) {
        var walk = RandomWalk(seed: seed, memory: true, arenaBytes: seed % 2 == 0 ? 2048 : 4096)
        walk.run(steps: 4000)
        #expect(walk.block.status.compactions > 0, "seed \(seed): the arena was never short")
        #expect(walk.fulls > 0 && walk.trims > 0, "seed \(seed)")
    }

    @Test("random steps, durable", arguments: 11...16 as ClosedRange<UInt64>)
    func durable(seed: UInt64) {
        var walk = RandomWalk(seed: seed, memory: false, arenaBytes: seed % 2 == 0 ? 2048 : 4096)
        walk.run(steps: 4000)
        #expect(walk.fulls > 0 && walk.trims > 0, "seed \(seed)")
        #expect(walk.recoveries > 10, "seed \(seed)")
    }
}

/// One block, one model, one seed.
struct RandomWalk {
    let block: AcceptorBlock
    let seed: UInt64
    let memory: Bool
    var model: AcceptorModel
    var random: SplitMix
    var round: UInt64 = 1
    var unsent: [Effect] = []
    var unflushed: [Effect] = []
    var journal = Journal()
    var recoveries = 0
    var fulls = 0
    var trims = 0
    private var number: UInt64 = 0
    /// What a ballot proposed for a slot: a proposer never says two things under one ballot.
    private var proposed: [UInt64: [UInt64: Entry]] = [:]

    init(seed: UInt64, memory: Bool, arenaBytes: UInt32) {
        self.seed = seed
        self.memory = memory
        random = SplitMix(seed: seed)
        block = AcceptorBlock(
            smallConfig {
                $0.memory_only = memory ? 1 : 0
                $0.arena_bytes = arenaBytes
                $0.write_ring = 8
                $0.send_ring = 4
                $0.reply_ring = 8
                $0.inflight_bytes_max = 64
            })
        model = AcceptorModel(window: 16)
    }

    mutating func run(steps: Int) {
        for step in 0..<steps {
            let what = takeStep()
            if let fault = fault() {
                Issue.record("seed \(seed), step \(step), after \(what): \(fault)")
                return
            }
            let isWritten = block.acceptor.pointee.writes_polled == block.acceptor.pointee.writes_in
            if !memory && isWritten && step % 40 == 0, let fault = recoveryFault() {
                Issue.record("seed \(seed), step \(step), after a restart: \(fault)")
                return
            }
        }
    }

    private mutating func takeStep() -> String {
        switch random.below(100) {
        case 0..<37: return accept()
        case 37..<42: return lead()
        case 42..<45: return voteAgain()
        case 45..<52: return learn()
        case 52..<64: return commit()
        case 64..<70: return trim()
        case 70..<73: return prepare()
        case 73..<78: return ask()
        case 78..<90: poll(); return "poll"
        default: settleSome(); return "flushed and sent"
        }
    }

    // MARK: Steps

    private mutating func accept() -> String {
        if random.chance(8) { round += 1 }
        let old = random.chance(5) ? UInt64(random.below(3)) : 0
        let ballot = ballot(max(1, round - min(round - 1, old)))
        let back = UInt64(random.below(4))
        let first = max(1, model.decided + 1 + UInt64(random.below(random.chance(60) ? 3 : 16)))
        let slot = max(1, first - min(first - 1, back))
        var entries: [Entry] = []
        var room = 352
        for i in 0..<UInt64(1 + random.below(4)) {
            let entry = proposal(ballot, slot + i)
            room -= entry.bytes.count
            if room < 0 { break }
            entries.append(entry)
        }
        let run = Run(ballot: ballot, slot: slot, entries: entries)
        let status = block.receive(acceptFrame(run))
        return "accept \(slot)+\(entries.count): \(check(run, status))"
    }

    private mutating func check(_ run: Run, _ status: paxos_status_t) -> String {
        let verdict = model.verdict(run)
        let fits: Bool
        switch verdict {
        case .stale: fits = status == PAXOS_ERR_STALE
        case .full: fits = status == PAXOS_ERR_FULL
        case .conflict: fits = status == PAXOS_ERR_CONFLICT
        case .below, .chosenElse: fits = status == PAXOS_OK
        case .taken: fits = status == PAXOS_OK || status == PAXOS_ERR_FULL
        }
        if verdict == .taken && status == PAXOS_OK {
            model.accept(run)
            model.mark(run.ballot, 0)
            model.advance()
        }
        if status == PAXOS_ERR_FULL { fulls += 1 }
        if !fits && status != PAXOS_ERR_BUSY {
            Issue.record("seed \(seed): \(verdict), but status \(status.rawValue)")
        }
        return "\(verdict), status \(status.rawValue)"
    }

    /// What the proposer of a ballot says for a slot: what is chosen, mostly; else what was
    /// accepted before, or something new.
    private mutating func proposal(_ ballot: UInt64, _ slot: UInt64) -> Entry {
        if let said = proposed[ballot]?[slot] { return said }
        let held = model.slots[slot]
        let keep = held.map { $0.chosen ? !random.chance(10) : random.chance(50) } ?? false
        let entry = keep ? held!.entry : fresh()
        proposed[ballot, default: [:]][slot] = entry
        return entry
    }

    private mutating func fresh() -> Entry {
        number += 1
        return Entry(value: random.bytes(random.below(65)), number: number)
    }

    private mutating func learn() -> String {
        let slot = model.decided + 1 + UInt64(random.below(4))
        var entries: [Entry] = []
        for i in 0..<UInt64(1 + random.below(2)) {
            let held = model.slots[slot + i]
            let keep = held.map { $0.chosen || random.chance(60) } ?? false
            entries.append(keep ? held!.entry : fresh())
        }
        let status = block.receive(learnedFrame(slot: slot, entries))
        // Not all of it need have been held: the block itself says how far it came.
        for (i, entry) in entries.enumerated() {
            let at = slot + UInt64(i)
            if block.look(at).state == PAXOS_RUN_CHOSEN.rawValue { model.learn(entry, at: at) }
        }
        if status == PAXOS_OK {
            for i in entries.indices where !(model.slots[slot + UInt64(i)]?.chosen ?? true) {
                Issue.record("seed \(seed): a learned entry was not taken")
            }
        }
        if status == PAXOS_ERR_FULL { fulls += 1 }
        model.advance()
        return "learned \(slot)+\(entries.count), status \(status.rawValue)"
    }

    private mutating func commit() -> String {
        let ballot = ballot(max(1, round - UInt64(random.below(2))))
        var end = model.decided
        while let next = model.slots[end + 1], next.chosen || next.ballot == ballot { end += 1 }
        if end > model.decided {
            end = model.decided + 1 + UInt64(random.below(Int(end - model.decided)))
        }
        let status = block.receive(commitFrame(ballot, upTo: end))
        if status != PAXOS_OK { Issue.record("seed \(seed): commit \(status.rawValue)") }
        model.mark(ballot, end)
        return "commit \(end)"
    }

    private mutating func trim() -> String {
        let slot = model.trimmed + UInt64(random.below(Int(model.decided - model.trimmed) + 1))
        let beyond = block.trim(model.decided + 1)
        if beyond != PAXOS_ERR_RANGE || block.trim(slot) != PAXOS_OK {
            Issue.record("seed \(seed): trim \(slot)")
        }
        if slot > model.trimmed { trims += 1 }
        model.trim(slot)
        return "trim \(slot)"
    }

    private mutating func prepare() -> String {
        if random.chance(30) { round += 1 }
        let ballot = ballot(round)
        let frame = prepareFrame(
            ballot, slot: 1 + UInt64(random.below(Int(model.decided) + 3)),
            fingerprint: block.fingerprint)
        let status = block.receive(frame)
        if status == PAXOS_OK { model.promised = max(model.promised, ballot) }
        return "prepare, status \(status.rawValue)"
    }

    private mutating func ask() -> String {
        let slot = max(1, model.decided - min(model.decided - 0, UInt64(random.below(6))))
        let status = block.receive(learnFrame(slot: slot, count: UInt32(1 + random.below(8))))
        return "learn \(slot), status \(status.rawValue)"
    }

    private mutating func poll() {
        while let effect = block.poll() {
            if effect.isWrite {
                unflushed.append(effect)
                journal.records.append(effect.frame)
            } else if effect.token != 0 {
                unsent.append(effect)
            }
            if random.chance(10) { return }
        }
    }

    private mutating func settleSome() {
        if !unflushed.isEmpty {
            let count = 1 + random.below(unflushed.count)
            if block.flushed(unflushed[count - 1].lsn) != PAXOS_OK {
                Issue.record("seed \(seed): flushed")
            }
            unflushed.removeFirst(count)
        }
        if !unsent.isEmpty {
            let count = 1 + random.below(unsent.count)
            if block.sent(unsent[count - 1].token) != PAXOS_OK {
                Issue.record("seed \(seed): sent")
            }
            unsent.removeFirst(count)
        }
    }

    /// Promise a ballot of this node's own, and append to the log as a leader does.
    private mutating func lead() -> String {
        var promised: UInt64 = 0
        var lsn: UInt64 = 0
        if paxos_ballot_node(model.promised) != 1 {
            round = max(round, paxos_ballot_round(model.promised)) + 1
            let own = ballot(round, node: 1)
            let status = paxos_acceptor_prepare(block.acceptor, own, &promised, &lsn)
            if status != PAXOS_OK { return "own promise, status \(status.rawValue)" }
            model.promised = own
        }
        var count = 0
        while count < 1 + random.below(3), model.lastSlot < model.trimmed + 16 {
            let entry = fresh()
            var header = paxos_entry_get(entry.bytes)
            let slot = model.lastSlot + 1
            let status = paxos_log_append(
                block.acceptor, model.promised, slot, &header, entry.value, &lsn)
            if status != PAXOS_OK { return "append \(slot), status \(status.rawValue)" }
            model.accept(Run(ballot: model.promised, slot: slot, entries: [entry]))
            proposed[model.promised, default: [:]][slot] = entry
            count += 1
        }
        return "append \(count)"
    }

    /// Vote for what is held, under the node's own ballot, without a copy.
    private mutating func voteAgain() -> String {
        let writesFull = !memory && paxos_writes_full(block.acceptor)
        guard paxos_ballot_node(model.promised) == 1, !writesFull else { return "no vote" }
        let slot = model.decided + 1 + UInt64(random.below(6))
        guard let held = model.slots[slot], !held.chosen else { return "no vote" }
        let cell = paxos_cell(block.acceptor, slot).pointee
        _ = paxos_log_revote(block.acceptor, model.promised, slot, cell.position, cell.bytes)
        model.slots[slot]?.ballot = model.promised
        proposed[model.promised, default: [:]][slot] = held.entry
        return "vote again \(slot)"
    }

    // MARK: What must hold after each

    private func fault() -> String? {
        let status = block.status
        if status.promised != model.promised { return "promised" }
        if status.decided != model.decided {
            return "decided \(status.decided), not \(model.decided)"
        }
        if status.trimmed != model.trimmed { return "trimmed" }
        if status.last_slot != model.lastSlot { return "last slot" }
        for slot in max(1, model.trimmed)...model.trimmed + 17 {
            let held = block.look(slot)
            if held != model.held(slot) { return "slot \(slot): \(held), not \(model.held(slot))" }
        }
        for effect in unsent + unflushed {
            let body = effect.frame.body
            if block.bytes(at: effect.offset, count: body.count) != body {
                return "the bytes of an effect changed: \(effect.isWrite ? "write" : "send")"
            }
        }
        return block.arenaFault()
    }

    /// A restart now, with all that was written: the same promise and votes, nothing chosen that was
    /// not. Records below the trim point are recycled on the way.
    private mutating func recoveryFault() -> String? {
        recoveries += 1
        let (after, statuses, end) = journal.recovered(
            applied: model.trimmed,
            smallConfig { $0.arena_bytes = block.acceptor.pointee.arena_bytes })
        if end != PAXOS_OK || statuses.contains(where: { $0 != PAXOS_OK }) { return "refused" }
        if after.status.promised != model.promised { return "promised" }
        if after.status.trimmed > model.trimmed { return "trimmed \(after.status.trimmed)" }
        let told = paxos_log_durable(block.acceptor)
        if max(after.status.decided, model.trimmed) < told || after.status.decided > model.decided {
            return "decided"
        }
        for slot in model.trimmed + 1...model.trimmed + 16 {
            let held = after.look(slot)
            let before = model.held(slot)
            let isForgotten =
                before.state == PAXOS_RUN_CHOSEN.rawValue
                && held.state == PAXOS_RUN_ACCEPTED.rawValue
            if held.ballot != before.ballot || held.value != before.value
                || (held.state != before.state && !isForgotten)
            {
                return "slot \(slot): \(held), not \(before)"
            }
        }
        journal.recycle()
        return after.arenaFault()
    }
}
