import CPaxos

/// All that a seed decides before its world starts.
package struct Plan: Sendable {
    package let seed: UInt64
    /// As it was asked for; `drawn` is what `mixed` came to.
    package let profile: Profile
    package let drawn: Profile
    package let members: Int
    package let isDurable: Bool
    package let isTiny: Bool
    /// Nodes that may lose durable data, a bit each: at most f.
    package let victims: UInt32
    package let trouble_ns: UInt64
    package var faults: [Fault]
    let config: paxos_config_t
    let latency_ns: UInt64
    let jitter_ns: UInt64
    let loss: UInt64
    let duplicate: UInt64
    let flush_ns: ClosedRange<UInt64>
    let visit_ns: UInt64
    let burst: UInt64
    /// Delivered slots that hosts keep before they trim.
    let held: UInt64
    /// How long bodies stay unsent; 0: not at all.
    let hold_ns: UInt64
    /// Bytes of a journal from which on older records are recycled.
    let recycle_bytes: Int
    /// Journals bring what was trimmed to members that lack it.
    let isRetaining: Bool
    /// Hosts say that journals are short of room when they are half full. Not where those that stay
    /// connected must go on: who was pressed out cannot lead before it was helped.
    let isPressing: Bool

    package init(seed: UInt64, profile: Profile) {
        var random = SplitMix(seed: seed)
        _ = random.next()
        self.seed = seed
        self.profile = profile
        let drawn = profile.drawn(by: &random)
        self.drawn = drawn
        members = drawn.members[Int(random.draw(UInt64(drawn.members.count)))]
        isDurable = random.draw(100) >= drawn.memoryOnlyPercent
        isTiny = random.draw(100) < drawn.tinyPercent
        trouble_ns = random.draw(drawn.trouble_ms) * millisecond
        latency_ns = random.draw(drawn.latency_us) * 1000
        jitter_ns = random.drawSkewed(0...drawn.jitter_us) * 1000
        loss = random.draw(2) == 0 ? 0 : random.draw(drawn.lossMax + 1)
        duplicate = random.draw(2) == 0 ? 0 : random.draw(drawn.duplicateMax + 1)
        let slowest = random.drawSkewed(drawn.flush_us)
        flush_ns =
            (drawn.flush_us.lowerBound * 1000)...(max(slowest, drawn.flush_us.lowerBound) * 1000)
        visit_ns = random.drawSkewed(drawn.visit_us) * 1000
        burst = 1 + random.draw(drawn.burst)
        hold_ns = random.draw(2) == 0 ? 0 : random.drawSkewed(1000...20_000_000)
        recycle_bytes = 4096 << Int(random.draw(6))
        var other = SplitMix(seed: seed ^ 0xFE7C_0000_0000_0001)
        isRetaining = isDurable && other.draw(100) < drawn.retainingPercent
        isPressing = isDurable && !drawn.mustProgressInTrouble && other.draw(2) == 0
        let config = Plan.config(
            members: members, isDurable: isDurable, isTiny: isTiny, profile: drawn, &random)
        self.config = config
        held = random.draw(2) == 0 ? 0 : random.draw(UInt64(config.window_slots) / 2)
        let majority = members / 2 + 1
        victims = Plan.victims(members: members, count: members - majority, &random)
        faults = []
        faults = drawFaults(&random)
    }

    private static func victims(members: Int, count: Int, _ random: inout SplitMix) -> UInt32 {
        var mask: UInt32 = 0
        while mask.nonzeroBitCount < count { mask |= 1 << UInt32(1 + random.draw(UInt64(members))) }
        return mask
    }

    private static func config(
        members: Int, isDurable: Bool, isTiny: Bool, profile: Profile, _ random: inout SplitMix
    ) -> paxos_config_t {
        var config = testConfig(members: members, mode: isDurable ? .durable : .memoryOnly)
        config.seed = random.next()
        config.window_slots = isTiny ? 8 << UInt32(random.draw(2)) : profile.window
        config.pipeline_slots = config.window_slots
        config.value_bytes_max = UInt32(profile.valueBytes)
        if isTiny {
            config.frame_bytes_max = 448
            config.arena_bytes = 4096
            config.reply_ring = 1 << UInt32(random.draw(4))
            config.write_ring = 1 << UInt32(random.draw(4))
            config.send_ring = 1 << UInt32(random.draw(3))
            config.forward_ring = 1 << UInt32(random.draw(3))
        } else {
            config.frame_bytes_max = 2048
            config.arena_bytes = profile.window > 64 ? 128 << 10 : 32 << 10
        }
        return config
    }

    /// Faults one after the other, each with an end of its own.
    private func drawFaults(_ random: inout SplitMix) -> [Fault] {
        guard !drawn.faults.isEmpty else { return [] }
        var faults: [Fault] = []
        /* Let it settle: the first leader is elected within a second or two. */
        var at = drawn.mustProgressInTrouble ? 3 * second : random.draw(10...2000) * millisecond
        let end = at + trouble_ns
        while at < end && faults.count < 200 {
            let kind = drawn.faults[Int(random.draw(UInt64(drawn.faults.count)))]
            let lasts = random.drawSkewed(drawn.lasts_ms) * millisecond
            if let fault = fault(kind, from: at, to: min(at + lasts, end), &random) {
                faults.append(fault)
            }
            at += random.drawSkewed(drawn.pause_ms) * millisecond
        }
        return faults
    }

    private func fault(
        _ kind: Fault.Kind, from: UInt64, to: UInt64, _ random: inout SplitMix
    ) -> Fault? {
        var fault = Fault(kind: kind, from_ns: from, to_ns: to)
        fault.node = UInt16(1 + random.draw(UInt64(members)))
        let everyone = (UInt32(1) << UInt32(members + 1)) - 2
        let some = UInt32(truncatingIfNeeded: random.next()) & everyone
        let size = random.next()
        if fault.losesData && (victims & 1 << UInt32(fault.node) == 0 || !isDurable) { return nil }
        switch kind {
        case .crash, .crashLeader: fault.amount = UInt32(size % 6)
        case .split, .oneWay: fault.mask = some
        case .loss: (fault.mask, fault.amount) = (some, UInt32(size % 600))
        case .duplicate: (fault.mask, fault.amount) = (some, UInt32(size % 400))
        case .corrupt: (fault.mask, fault.amount) = (some, UInt32(size % 200))
        case .slowNode, .slowDisk: fault.amount = UInt32(2 + size % 100)
        case .drift: fault.amount = UInt32(1024 - drawn.drift + size % (2 * drawn.drift + 1))
        case .jump: (fault.amount, fault.mask) = (UInt32(1 + size % 500), UInt32(size >> 32 & 1))
        case .bitRot, .lostFlush: fault.amount = UInt32(1 + size % 3)
        case .burst: fault.amount = UInt32(2 + size % 7)
        case .stall, .flushError: if !isDurable { return nil }
        case .pause, .isolate, .quorumLoss, .constrained, .chained, .misdirected, .staleRead,
            .lostDisk:
            break
        }
        return fault
    }
}
