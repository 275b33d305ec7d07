import CPaxos
import PaxosSimulator
import Testing

/// DESIGN.md: "Retention is not the window: catch-up of a peer beyond the window reads the journal".
struct FetchTests {
    /// Node 3 is gone while the others decide and trim `count` slots, many windows of 16.
    private func away(
        _ count: Int, members: Int = 3, seed: UInt64 = 1, elections: Bool = false,
        writeRing: UInt32 = 64
    ) -> World {
        let world = World(
            members: members, mode: .durable, seed: seed, elections: elections
        ) {
            $0.window_slots = 16
            $0.write_ring = writeRing
            $0.pipeline_slots = 16
            $0.frame_bytes_max = 512
        }
        if elections {
            world.run(for: 10 * second) { world.leader == 1 }
            while world.leader != 1 {
                world.campaign(1)
                world.run(for: second)
            }
        } else {
            world.elect(1)
        }
        world.run(for: second)
        world.crash(3)
        world.run(for: 2 * second)
        while world.host(1).log.count < count {
            world.propose("\(world.host(1).log.count)", at: 1)
            world.run(for: 5 * millisecond)
        }
        world.run(for: second)
        #expect(world[1].acceptor.trimmed >= UInt64(count) - 1)
        #expect(world.host(3).log.isEmpty)
        return world
    }

    @Test("a member that was gone for many windows comes back without a snapshot")
    func comesBack() {
        let world = away(400)
        for id in [1, 2] as [UInt16] { world[id].retain(from: 1) }
        world.revive(3)
        world.run(for: second / 2)
        #expect(world.host(3).log == world.host(1).log)
        #expect(world[3].status.behind_to == 0)
        expectSafe(world)
    }

    @Test("each slot is brought once, however long the way", arguments: [1, 5, 20, 30] as [UInt64])
    func isNoStorm(delay: UInt64) {
        let world = away(1000)
        for id in [1, 2] as [UInt16] { world[id].retain(from: 1) }
        world.delay = { _ in delay * millisecond }
        var brought = 0
        world.onSend = {
            if $0.isKind(PAXOS_FRAME_LEARNED) { brought += Int($0.fields.count) }
        }
        world.revive(3)
        world.run(for: 10 * second) { world.host(3).log == world.host(1).log }
        #expect(world.host(3).log == world.host(1).log)
        #expect(brought <= 1016, "\(brought) entries for 1,000 slots")
        expectSafe(world)
    }

    @Test("what found no room for a record is asked for again with the flush")
    func noRoom() {
        let world = away(400, writeRing: 1)
        for id in [1, 2] as [UInt16] { world[id].retain(from: 1) }
        world.revive(3)
        world.run(for: second)
        #expect(world.host(3).log == world.host(1).log)
        expectSafe(world)
    }

    @Test("the others go on meanwhile: nobody waits for one that fetches")
    func othersGoOn() {
        let world = away(400)
        world[2].retain(from: 1)
        world.delay = { $0.from == 3 || $0.to == 3 ? 100 * millisecond : millisecond }
        world.revive(3)
        var (taken, blocked) = (0, 0)
        for _ in 0..<400 {
            let status = world.propose("more", at: 1).status
            taken += status == PAXOS_OK ? 1 : 0
            blocked += status == PAXOS_OK ? 0 : 1
            world.run(for: 5 * millisecond)
        }
        #expect(taken == 400 && blocked == 0)
        world.delay = nil
        world.run(for: 3 * second)
        #expect(world.host(3).log == world.host(1).log)
        expectSafe(world)
    }

    /// Clients that ask for all they can get, and journals of the last 500 slots, until node 3 has
    /// caught up; how many slots were decided meanwhile.
    private func load(_ world: World, for duration: UInt64) -> Int {
        let before = world.host(1).log.count
        let end = world.now + duration
        while world.now < end && world.host(3).log.count < world.host(1).log.count {
            while world.propose("more", at: 1).status == PAXOS_OK {}
            world.run(for: 5 * millisecond)
            for id in [1, 2] as [UInt16] {
                world[id].retain(from: UInt64(max(1, world.host(1).log.count - 500)))
            }
        }
        return world.host(1).log.count - before
    }

    @Test("under full load the others do not run away from one that catches up")
    func isHeldOnTo() {
        let world = away(400)
        for id in [1, 2] as [UInt16] { world[id].retain(from: 1) }
        /* Slower than the others by far: 64 slots a second, where they decide 128. */
        world.delay = { $0.from == 3 || $0.to == 3 ? 125 * millisecond : millisecond }
        world.revive(3)
        let decided = load(world, for: 20 * second)
        #expect(world[3].status.behind_to == 0 && decided > 500)
        world.run(for: 10 * second)
        let isEven = world.host(3).log == world.host(1).log
        #expect(isEven)
        expectSafe(world)
    }

    @Test("one that does not move holds nobody up")
    func isGivenUp() {
        let world = away(400)
        for id in [1, 2] as [UInt16] { world[id].retain(from: 1) }
        world.delay = { $0.to == 3 && $0.isKind(PAXOS_FRAME_LEARNED) ? 1000 * second : millisecond }
        world.revive(3)
        #expect(load(world, for: 8 * second) > 900)
        expectSafe(world)
    }

    @Test("any peer that brings them will do, whatever the others say")
    func anyPeer() {
        let world = away(200)
        world[2].retain(from: 1)
        world.revive(3)
        world.run(for: second)
        #expect(world.host(3).log == world.host(1).log && world.host(1).fetchCount == 0)
        expectSafe(world)
    }

    @Test("behind_to says what nobody brings, and not what somebody may")
    func behindTo() {
        let world = away(200)
        world[1].retain(from: 100)
        world.cut.insert(World.Link(3, 1))
        world.revive(3)
        world.run(for: second)
        #expect(world.host(2).sent(PAXOS_FRAME_LEARNED) > 0)
        #expect(world[3].status.behind_to == 0, "node 1 is there, and was not asked yet")
        world.cut = []
        world.run(for: second)
        #expect(world[3].status.behind_to >= 199, "node 2 has trimmed all of it")
        #expect(world.host(3).log.isEmpty && world.host(1).fetchCount == 0)
        world[2].retain(from: 1)
        world.run(for: second)
        #expect(world[3].status.behind_to == 0 && world.host(3).log == world.host(1).log)
        expectSafe(world)
    }

    @Test("lost questions and answers are asked again", arguments: [1, 2, 3] as [UInt64])
    func lossy(seed: UInt64) {
        let world = away(200)
        world.random = SplitMix(seed: seed)
        for id in [1, 2] as [UInt16] { world[id].retain(from: 1) }
        world.network.lossPercent = 30
        world.network.duplicatePercent = 30
        world.revive(3)
        world.run(for: 20 * second) { world.host(3).log.count == world.host(1).log.count }
        #expect(world.host(3).log == world.host(1).log)
        expectSafe(world)
    }

    @Test("whoever is too far behind does not stand in the way of one who can lead")
    func candidateTooFarBehind() {
        let world = away(400, elections: true)
        world[2].retain(from: 1)
        /* Its pages come slowly; and the leader is gone before it has caught up. */
        world.delay = { $0.isKind(PAXOS_FRAME_LEARNED) ? 20 * second : millisecond }
        var ballots: Set<UInt64> = []
        world.onSend = {
            if $0.isKind(PAXOS_FRAME_PREPARE) && $0.from == 3 { ballots.insert($0.fields.ballot) }
        }
        world.campaign(3)
        world.revive(3)
        world.crash(1)
        let began = world.now
        world.run(for: 4 * second) { world[2].isLeader }
        #expect(world[2].isLeader, "four election timeouts")
        #expect(world.now - began <= 4 * second)
        world.campaign(3)
        world.run(for: 4 * second)
        #expect(world[2].isLeader && ballots.count <= 2, "it was told, and asked to, twice")
        world.delay = nil
        world.run(for: 4 * second)
        #expect(world.host(3).log.count >= 400 && world.host(3).log == world.host(2).log)
        expectSafe(world)
    }

    @Test(
        "who lacks what is gone elsewhere stands for nothing",
        arguments: 1...12 as ClosedRange<UInt64>)
    func standsBack(seed: UInt64) {
        let world = away(100, seed: seed, elections: true)
        world.revive(3)
        world.run(for: second / 2)
        #expect(world[3].status.behind_to >= 99)
        var stood = 0
        world.onSend = {
            if $0.isKind(PAXOS_FRAME_PREPARE) && $0.from == 3 { stood += 1 }
        }
        world.crash(1)
        world.run(for: 4 * second) { world[2].isLeader }
        #expect(world[2].isLeader && stood == 0)
        expectSafe(world)
    }

    @Test("a host that trims late is asked on when there is room")
    func trimsLate() {
        let world = away(200)
        world[2].retain(from: 1)
        world.trims[3] = .after(7)
        world.revive(3)
        world.run(for: second)
        #expect(world.host(3).log == world.host(1).log)
        expectSafe(world)
    }

    /// WIRE.md: "A voucher is ... a later record with `trim` < s <= `watermark`": so none may carry a
    /// trim point that is ahead of all watermarks before it.
    @Test("a follower trims what a durable record vouches for, however early the leader's word is")
    func wordBeforeRecord() {
        let world = World.led { $0.window_slots = 64 }
        world.run(for: second)
        for number in 0..<5 { world.propose("\(number)", at: 1) }
        world.run(for: second / 10)
        let (decided, trimmed) = (world[2].acceptor.decided, world[2].acceptor.trimmed)
        #expect(decided == 5 && world[2].acceptor.mark < decided)
        world.inject(
            Packet(PAXOS_FRAME_COMMIT, from: 1, to: 2) {
                $0.ballot = world[1].acceptor.promised
                $0.watermark = decided
                $0.trim = decided
            })
        world.run(for: millisecond)
        #expect(world[2].acceptor.stable == decided && world[2].acceptor.trimmed == trimmed)
        for number in 5..<7 { world.propose("\(number)", at: 1) }
        world.run(for: second / 10)
        #expect(world[2].acceptor.trimmed >= decided)
        expectSafe(world)
    }
}
