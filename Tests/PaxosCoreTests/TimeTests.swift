import CPaxos
import PaxosSimulator
import Testing

/// replica.h: "Call tick when paxos_replica_deadline says so. Time never runs backwards inside."
struct TimeTests {
    @Test("time running backwards is ignored", arguments: Mode.allCases)
    func timeRunsForwardOnly(mode: Mode) {
        let node = Node(testConfig(mode: mode), now: 100 * second)
        node.tick(now: 100 * second)
        _ = drain(node)
        let before = node.image
        let deadline = node.deadline
        for now in [0, second, 99 * second] as [UInt64] {
            node.tick(now: now)
            #expect(node.poll() == nil && node.deadline == deadline)
            #expect(node.propose([1], now: now).status == PAXOS_ERR_NO_LEADER)
            #expect(node.flushed(0, now: now) == PAXOS_OK)
        }
        #expect(node.isLike(before))
        node.tick(now: deadline)
        #expect(node.replica.pointee.now_ns == deadline && node.poll() != nil)
    }

    @Test("a tick is due in the future, whatever is under way", arguments: Mode.allCases)
    func deadlineIsAhead(mode: Mode) {
        for seed in 1...40 as ClosedRange<UInt64> {
            let world = World(mode: mode, seed: seed, elections: true) { $0.write_ring = 2 }
            world.disk = seed % 2 == 0 ? .immediate : .manual
            for step in 0..<400 {
                let id = UInt16(1 + world.random.below(3))
                world.tick(id, at: world.now + UInt64(world.random.below(60)) * millisecond)
                #expect(world[id].deadline > world.now, "seed \(seed) step \(step)")
                world.deliverAll { _ in world.random.chance(80) }
                if step % 5 == 0 { world.propose("v", at: id) }
                if world.random.chance(20) { world.flush(id) }
            }
            expectSafe(world)
        }
    }

    @Test("a forward that cannot leave asks for no tick", arguments: Mode.allCases)
    func stuckForwardAsksForNothing(mode: Mode) {
        let world = World.led(mode: mode) { $0.send_ring = 1 }
        let node = world[2]
        /* One body stays unsent; the next forward has to wait for it. */
        for _ in 0..<2 {
            #expect(node.propose([1], now: world.now).status == PAXOS_OK)
            while let effect = node.poll() {
                #expect(effect.kind != PAXOS_EFFECT_OUTCOME.rawValue)
            }
        }
        for step in 1...30 as ClosedRange<UInt64> {
            /* The leader's heartbeats go on. */
            let heartbeat = Packet(PAXOS_FRAME_HEARTBEAT, from: 1, to: 2) {
                $0.ballot = world[1].acceptor.promised
                $0.flags = UInt16(PAXOS_FLAG_LEADING)
                $0.nonce = step
                $0.digest = node.fingerprint
                $0.other = world[1].acceptor.promised
            }
            let now = world.now + step * 100 * millisecond
            #expect(node.receive(heartbeat, now: now) == PAXOS_OK)
            node.tick(now: now)
            while node.poll() != nil {}
            #expect(node.deadline > now)
        }
    }

    @Test("a campaign that finds the ring of writes full waits, and comes when there is room")
    func fullRingDelaysCampaign() {
        let world = World { $0.write_ring = 1 }
        world.disk = .manual
        world.campaign(1)
        world.flush(1)
        world.drop { _ in true }
        /* A promise to another fills the ring and ends the attempt; then the next one is due. */
        let prepare = Packet.prepare(from: 2, to: 1, round: 9, fingerprint: world[1].fingerprint)
        #expect(world.inject(prepare) == PAXOS_OK)
        #expect(!world[1].isCandidate)
        for _ in 0..<200 {
            world.tick(1, at: world[1].deadline)
            #expect(world[1].deadline > world.now)
            #expect(!world[1].isCandidate)
        }
        #expect(world.campaign(1) == PAXOS_ERR_BUSY)
        world.flush(1)
        world.run(for: second) { world[1].isCandidate }
        #expect(world[1].isCandidate)
        expectSafe(world)
    }

    private func drain(_ node: Node) -> Int {
        var count = 0
        while node.poll() != nil { count += 1 }
        return count
    }
}
