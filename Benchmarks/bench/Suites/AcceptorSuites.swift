import CBenchLimits
import CPaxos

/// Frame bytes in, verified, stored; reply frame bytes out.
final class AcceptFrameSuite: Suite {
    let name: String
    let unit = Unit.messages
    let limitWords =
        "two frame headers (one verified, one made), each entry verified and copied once, a digest"
    private let valueBytes: Int
    private let batch: Int
    private let seed: UInt64
    private var rig: AcceptorRig!
    private var limit: Limit!

    init(valueBytes: Int, batch: Int, seed: UInt64) {
        name = "acceptor.accept.frame value=\(valueBytes)B batch=\(batch)"
        self.valueBytes = valueBytes
        self.batch = batch
        self.seed = seed
    }

    func prepare() throws {
        rig = try AcceptorRig(valueBytes: valueBytes, batch: batch, seed: seed)
        var recipe = bench_recipe_t()
        recipe.value_bytes = UInt32(valueBytes)
        recipe.batch = UInt32(batch)
        recipe.takes = 1
        recipe.digests = true
        recipe.header_makes = 1
        recipe.header_takes = 1
        limit = Limit(recipe, ringBytes: rig.arenaBytes, seed: seed)
    }

    func run(for slice_ns: UInt64) throws -> Measure {
        try laps(for: slice_ns) {
            rig.encodeAccepts()
            var replies = 0
            let cpu_ns = cpuTime { replies = lap() }
            try require(replies == rig.count, "\(name): an ACCEPT was not answered")
            return Measure(work: UInt64(rig.count * batch), cost: cpu_ns)
        }
    }

    /// Feed the whole ring; the number of replies that came out.
    private func lap() -> Int {
        let acceptor = rig.acceptor
        let effect = rig.effect
        let headerBytes = Int(PAXOS_FRAME_HEADER_BYTES)
        let stride = rig.stride
        let trimInterval = max(1, AcceptorRig.trimInterval / batch)
        var slot = rig.nextSlot
        var replies = 0
        var untrimmed = 0
        var frame = rig.message(0)
        for _ in 0..<rig.count {
            let status = paxos_acceptor_receive(
                acceptor, frame, headerBytes, frame + headerBytes, stride - headerBytes)
            if status != PAXOS_OK { return -1 }
            while paxos_acceptor_poll(acceptor, effect) { replies &+= 1 }
            slot &+= UInt64(batch)
            frame += stride
            untrimmed &+= 1
            if untrimmed == trimInterval {
                untrimmed = 0
                if paxos_acceptor_trim(acceptor, slot &- 1) != PAXOS_OK { return -1 }
            }
        }
        rig.nextSlot = slot
        return paxos_acceptor_trim(acceptor, slot - 1) == PAXOS_OK ? replies : -1
    }

    func runLimit(for slice_ns: UInt64) -> Measure { limit.run(for: slice_ns, workPerRound: batch) }

    func release() {
        rig.free()
        limit.free()
    }
}

/// The rule of the voter alone: a verified run in, stored. A COMMIT frame and a trim every 64 runs
/// make room again and count as part of the work.
final class AcceptStructSuite: Suite {
    let name: String
    let unit = Unit.messages
    let limitWords = "each entry copied once"
    private let valueBytes: Int
    private let seed: UInt64
    private var rig: AcceptorRig!
    private var limit: Limit!
    private var runs: UnsafeMutablePointer<paxos_run_t>!
    private var commits: Block!

    init(valueBytes: Int, seed: UInt64) {
        name = "acceptor.accept.struct value=\(valueBytes)B"
        self.valueBytes = valueBytes
        self.seed = seed
    }

    func prepare() throws {
        rig = try AcceptorRig(valueBytes: valueBytes, batch: 1, seed: seed)
        runs = .allocate(capacity: rig.count)
        runs.initialize(repeating: paxos_run_t(), count: rig.count)
        commits = Block(byteCount: rig.count * Int(PAXOS_FRAME_HEADER_BYTES))
        var recipe = bench_recipe_t()
        recipe.value_bytes = UInt32(valueBytes)
        recipe.batch = 1
        recipe.copies = 1
        limit = Limit(recipe, ringBytes: rig.arenaBytes, seed: seed)
    }

    /// Name the slots that come next, and make the commit marks for them.
    private func encode() {
        let rig = self.rig!
        let runs = self.runs!
        let commits = self.commits!
        let ballot = paxos_ballot(1, AcceptorRig.leader)
        var mark = rig.frame(PAXOS_FRAME_COMMIT, ballot: ballot)
        for index in 0..<rig.count {
            let slot = rig.nextSlot + UInt64(index)
            runs[index].ballot = ballot
            runs[index].slot = slot
            runs[index].count = 1
            runs[index].bytes = UInt32(rig.entryBytes)
            runs[index].digest = rig.digest(index, slot: slot)
            runs[index].entries = UnsafePointer(rig.entry(index, 0))
            mark.watermark = slot
            paxos_frame_put(commits.base + index * Int(PAXOS_FRAME_HEADER_BYTES), &mark)
        }
    }

    func run(for slice_ns: UInt64) throws -> Measure {
        try laps(for: slice_ns) {
            encode()
            var accepted = 0
            let cpu_ns = cpuTime { accepted = lap() }
            try require(accepted == rig.count, "\(name): a run was not accepted")
            return Measure(work: UInt64(accepted), cost: cpu_ns)
        }
    }

    /// Offer every run; the number of those accepted.
    private func lap() -> Int {
        let acceptor = rig.acceptor
        let headerBytes = Int(PAXOS_FRAME_HEADER_BYTES)
        let runs = self.runs!
        let marks = commits.base
        let last = rig.count - 1
        var lsn: UInt64 = 0
        for index in 0...last {
            if paxos_acceptor_accept(acceptor, runs + index, &lsn) != PAXOS_OK { return -1 }
            if index % AcceptorRig.trimInterval == AcceptorRig.trimInterval - 1 || index == last {
                let mark = marks + index * headerBytes
                let slot = rig.nextSlot &+ UInt64(index)
                if paxos_acceptor_receive(acceptor, mark, headerBytes, nil, 0) != PAXOS_OK
                    || paxos_acceptor_trim(acceptor, slot) != PAXOS_OK
                {
                    return -1
                }
            }
        }
        rig.nextSlot &+= UInt64(rig.count)
        return rig.count
    }

    func runLimit(for slice_ns: UInt64) -> Measure { limit.run(for: slice_ns, workPerRound: 1) }

    func release() {
        rig.free()
        limit.free()
        runs.deallocate()
        commits.free()
    }
}

/// A PREPARE with a ballot higher than the last, and the PROMISE of an acceptor that holds nothing.
final class PrepareFrameSuite: Suite {
    let name = "acceptor.prepare.frame"
    let unit = Unit.messages
    let limitWords = "two frame headers: one verified, one made"
    private let seed: UInt64
    private var rig: AcceptorRig!
    private var limit: Limit!
    private var round: UInt64 = 1

    init(seed: UInt64) { self.seed = seed }

    func prepare() throws {
        rig = try AcceptorRig(valueBytes: 64, batch: 1, seed: seed)
        limit = .headers(makes: 1, takes: 1, seed: seed)
    }

    private func encode() {
        for index in 0..<rig.count {
            var frame = rig.frame(
                PAXOS_FRAME_PREPARE, ballot: paxos_ballot(round, AcceptorRig.leader))
            frame.slot = 1
            frame.digest = rig.acceptor.pointee.fingerprint
            paxos_frame_put(rig.message(index), &frame)
            round += 1
        }
    }

    func run(for slice_ns: UInt64) throws -> Measure {
        try laps(for: slice_ns) {
            encode()
            var promises = 0
            let cpu_ns = cpuTime { promises = lap() }
            try require(promises == rig.count, "\(name): a PREPARE was not answered")
            return Measure(work: UInt64(promises), cost: cpu_ns)
        }
    }

    private func lap() -> Int {
        let acceptor = rig.acceptor
        let effect = rig.effect
        let headerBytes = Int(PAXOS_FRAME_HEADER_BYTES)
        var promises = 0
        for index in 0..<rig.count {
            let frame = rig.message(index)
            if paxos_acceptor_receive(acceptor, frame, headerBytes, nil, 0) != PAXOS_OK {
                return -1
            }
            while paxos_acceptor_poll(acceptor, effect) { promises &+= 1 }
        }
        return promises
    }

    func runLimit(for slice_ns: UInt64) -> Measure { limit.run(for: slice_ns, workPerRound: 1) }

    func release() {
        rig.free()
        limit.free()
    }
}
