import CPaxos
import PaxosSimulator
import Testing

/// replica.h, press: "do not wait for these any longer, as far as that".
struct PressTests {
    /// Node 3 falls silent for good after slot 2; the others decide up to slot 10 of 64.
    private func quiet() -> World {
        let world = World(members: 3, mode: .durable, elections: false)
        world.elect(1)
        world.run(for: second)
        for round in 1...10 {
            world.propose("\(round)", at: 1)
            world.run(for: second)
            if round == 2 { world.crash(3) }
        }
        for id in [1, 2] as [UInt16] {
            #expect(world.host(id).log.count == 10 && world[id].acceptor.trimmed == 2)
        }
        return world
    }

    @Test("a leader that is pressed trims what a silent member lacks, and tells the others")
    func pressLeader() {
        let world = quiet()
        world[1].press(6)
        #expect(world[1].acceptor.trimmed == 6)
        world.run(for: second)
        /* It lacks what is gone now: the rest is not kept for it either. */
        for id in [1, 2] as [UInt16] { #expect(world[id].acceptor.trimmed == 10) }
        expectSafe(world)
    }

    @Test("a follower that is pressed does not wait for its leader's word")
    func pressFollower() {
        let world = quiet()
        world[2].press(6)
        #expect(world[2].acceptor.trimmed == 6 && world[1].acceptor.trimmed == 2)
        world.run(for: second)
        #expect(world[2].acceptor.trimmed == 6)
        /* Nothing is kept for one that is lost; but beyond that the leader's word counts. */
        world[2].press(7)
        #expect(world[2].acceptor.trimmed == 7)
        world.propose("more", at: 1)
        world.run(for: second)
        #expect(world.host(2).log.count == 11 && world.host(1).log == world.host(2).log)
        expectSafe(world)
    }

    @Test("a live member is waited for, whoever is pressed", arguments: [1, 2] as [UInt16])
    func pressKeepsForLive(pressed: UInt16) {
        let world = World(members: 4, mode: .durable, elections: false)
        world.elect(1)
        world.run(for: second)
        /* Node 4 hears heartbeats alone: it is there, and has decided nothing. */
        world.delay = {
            let isHeard =
                $0.isKind(PAXOS_FRAME_HEARTBEAT) || $0.isKind(PAXOS_FRAME_HEARTBEAT_REPLY)
            return $0.to == 4 && !isHeard ? 1000 * second : millisecond
        }
        for _ in 1...10 { world.propose("v", at: 1) }
        world.run(for: 3 * second)
        #expect(world.host(pressed).log.count == 10)
        world[pressed].press(10)
        #expect(world[pressed].acceptor.trimmed == 0)
        expectSafe(world)
    }

    @Test("what fewer than a quorum has decided is kept, whoever is pressed")
    func pressKeepsForQuorum() {
        let world = World(members: 3, mode: .durable, elections: false)
        world.elect(1)
        world.run(for: second)
        for round in 1...4 {
            world.propose("\(round)", at: 1)
            world.deliverAll { !$0.isKind(PAXOS_FRAME_COMMIT) && !$0.isKind(PAXOS_FRAME_HEARTBEAT) }
        }
        for id in [2, 3] as [UInt16] { world.crash(id) }
        world.run(for: 10 * second)
        world[1].press(4)
        #expect(world.host(1).log.count == 4 && world[1].acceptor.trimmed < 4)
        expectSafe(world)
    }

    @Test("a member that lacks what was pressed out says so, and the others go on")
    func pressedOut() {
        let world = quiet()
        world[1].press(100)
        world.run(for: second)
        world.revive(3)
        world.run(for: 3 * second)
        #expect(world[3].status.behind_to == 10)
        world.propose("more", at: 1)
        world.run(for: second)
        #expect(world.host(1).log.count == 11 && world.host(2).log.count == 11)
        expectSafe(world)
    }

    /// Clients that ask for all they can get, until `count` more are decided; how long that took.
    private func fill(_ world: World, _ count: Int) -> UInt64 {
        let (start, end) = (world.now, world.host(1).log.count + count)
        world.run(for: 10 * second) {
            while world.propose("v", at: 1).status == PAXOS_OK {}
            return world.host(1).log.count >= end
        }
        return world.now - start
    }

    @Test(
        "who falls silent under full load is waited for two rounds, if journals bring what it lacks",
        arguments: [true, false])
    func silentUnderLoad(isRetained: Bool) {
        let world = World(members: 3, mode: .durable, elections: false)
        world.elect(1)
        if isRetained { for id in world.ids { world[id].retain(from: 1) } }
        #expect(fill(world, 500) < second)
        world.crash(3)
        let stood = fill(world, 65) /* more than a window */
        let round = world[1].config.election_timeout_ns / 8
        #expect(isRetained ? stood < 3 * round : stood > 7 * round, "\(stood) ns")
        world.revive(3)
        world.run(for: 2 * second)
        #expect(!isRetained || world.host(3).log == world.host(1).log)
        expectSafe(world)
    }
}
