import CPaxos
import PaxosSimulator
import Testing

/// Lamport 2001, section 2.4: "It's easy to construct a scenario in which two proposers each keep
/// issuing a sequence of proposals with increasing numbers, none of which are ever chosen."
struct LivelockTests {
    /// One step of the adversary: the other proposer's Prepare is promised by all before the
    /// Accepts of the one who leads arrive.
    private func overtake(_ world: World, by proposer: UInt16) {
        world.campaign(proposer)
        world.deliverAll { $0.isKind(PAXOS_FRAME_PREPARE) && $0.from == proposer }
        world.deliverAll { $0.isKind(PAXOS_FRAME_ACCEPT) }
        world.deliverAll { $0.isKind(PAXOS_FRAME_REJECTED) || $0.isKind(PAXOS_FRAME_ACCEPTED) }
        world.deliverAll { $0.isKind(PAXOS_FRAME_PROMISE) && $0.to == proposer }
        if world[proposer].isLeader { world.propose("of \(proposer)", at: proposer) }
        world.drop { !$0.isKind(PAXOS_FRAME_ACCEPT) }
    }

    @Test("the schedule shows at least 1,000 ballots without a decision", arguments: Mode.allCases)
    func livelockWithoutBackoff(mode: Mode) {
        let world = World(mode: mode)
        var led = 0
        for step in 0..<1200 {
            let proposer: UInt16 = step % 2 == 0 ? 1 : 2
            overtake(world, by: proposer)
            if world[proposer].isLeader { led += 1 }
            if !world.violations.isEmpty { break }
        }
        #expect(led >= 1000, "each of them finished phase 1")
        #expect(paxos_ballot_round(world[3].acceptor.promised) >= 1000)
        #expect(world.oracle.chosenCount == 0)
        for id in world.ids { #expect(world.host(id).log.isEmpty) }
        expectSafe(world)
    }

    /// Two proposers under deliveries at fixed times, whatever the seed: every 100 ms all that is
    /// under way arrives, Prepares before everything else. Whether something was decided in time.
    private func duel(_ world: World, until end: UInt64, retry: (UInt16) -> Void) -> Bool {
        world.network.latency = (3600 * second)...(3600 * second)
        world.campaign(1)
        world.campaign(2)
        while world.oracle.chosenCount == 0 && world.now < end && world.violations.isEmpty {
            world.run(for: 100 * millisecond)
            let arrived = world.pool
            world.pool = []
            for packet in arrived where packet.isKind(PAXOS_FRAME_PREPARE) { world.deliver(packet) }
            for packet in arrived where !packet.isKind(PAXOS_FRAME_PREPARE) {
                world.deliver(packet)
            }
            for id: UInt16 in [1, 2] {
                if world[id].isLeader { world.propose("of \(id)", at: id) }
                if !world[id].isLeader && !world[id].isCandidate { retry(id) }
            }
        }
        return world.oracle.chosenCount > 0
    }

    @Test("decided, in every one of 1,000 seeds: the delays come from the core alone")
    func backoffEndsLivelock() {
        var slowest: UInt64 = 0
        for seed in 1...1000 as ClosedRange<UInt64> {
            let world = World(mode: seed % 2 == 0 ? .memoryOnly : .durable, seed: seed)
            let start = world.now
            #expect(duel(world, until: start + 60 * second) { _ in }, "seed \(seed)")
            slowest = max(slowest, world.now - start)
            expectSafe(world)
        }
        print("backoffEndsLivelock: slowest of 1,000 seeds \(slowest / millisecond) ms")
    }

    @Test("the same deliveries without a delay before the next attempt: never decided")
    func backoffEndsLivelock_notWithoutIt() {
        let world = World()
        #expect(!duel(world, until: 100 * second) { id in world.campaign(id) })
        #expect(paxos_ballot_round(world[3].acceptor.promised) > 400)
        expectSafe(world)
    }

    @Test("the adversarial schedule, leader election on: decided, and the others defer")
    func leaderElectionEndsLivelock() throws {
        var slowest: UInt64 = 0
        for seed in 1...1000 as ClosedRange<UInt64> {
            let world = World(
                mode: seed % 2 == 0 ? .memoryOnly : .durable, seed: seed, elections: true)
            world.run(for: 300 * millisecond)
            world.drop { _ in true }
            for step in 0..<10 { overtake(world, by: step % 2 == 0 ? 1 : 2) }
            #expect(world.oracle.chosenCount == 0, "seed \(seed)")
            /* On with the schedule: a Prepare, should there be one, overtakes every Accept. */
            world.drop { _ in true }
            world.delay = { $0.isKind(PAXOS_FRAME_PREPARE) ? millisecond : 100 * millisecond }
            let start = world.now
            world.run(for: 4 * second) {
                for id in world.ids where world[id].isLeader && world[id].acceptor.last_slot == 0 {
                    world.propose("of \(id)", at: id)
                }
                return world.oracle.chosenCount > 0
            }
            slowest = max(slowest, world.now - start)
            #expect(world.oracle.chosenCount > 0, "seed \(seed)")
            /* Whoever leads now is left alone. */
            world.run(for: second)
            let leader = try #require(world.leader, "seed \(seed)")
            world.onSend = { #expect(!$0.isKind(PAXOS_FRAME_PREPARE), "seed \(seed)") }
            world.run(for: 3 * second)
            #expect(world.leader == leader, "seed \(seed)")
            #expect(world.isConverged && !world.host(leader).log.isEmpty, "seed \(seed)")
            expectSafe(world)
        }
        print("leaderElectionEndsLivelock: slowest of 1,000 seeds \(slowest / millisecond) ms")
    }
}
