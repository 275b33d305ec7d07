import CPaxos
import PaxosSimulator
import Testing

/// Ng, Haridi, Carbone, "OmniPaxos: Breaking the Chains of Partial Connectivity" (EuroSys 2023),
/// section 2: quorum loss, constrained election, chained. In each a proposal must commit within
/// four election timeouts of the change.
struct ConnectivityTests {
    /// A settled cluster with a leader and some entries.
    private func settled(_ members: Int, _ seed: UInt64) throws -> (World, leader: UInt16) {
        let world = World(
            members: members, mode: seed % 2 == 0 ? .durable : .memoryOnly, seed: seed,
            elections: true
        ) {
            /* Until a silent member counts as dead the window holds what it lacks. */
            $0.window_slots = 512
            $0.arena_bytes = 256 << 10
        }
        world.network.latency = millisecond...(10 * millisecond)
        world.run(for: 3 * second)
        let leader = try #require(world.leader, "seed \(seed)")
        for number in 0..<5 { world.propose("\(number)", at: leader) }
        world.run(for: second)
        #expect(world.isConverged && world.host(leader).log.count == 5, "seed \(seed)")
        return (world, leader)
    }

    /// Only the links between `hub` and the others of `nodes` stay.
    private func star(_ world: World, hub: UInt16, _ nodes: [UInt16]) {
        for a in world.ids {
            for b in world.ids where a != b {
                let isKept = (a == hub || b == hub) && nodes.contains(a) && nodes.contains(b)
                if !isKept { world.cut.insert(World.Link(a, b)) }
            }
        }
        world.drop { world.cut.contains(World.Link($0.from, $0.to)) }
    }

    /// Time until a proposal made after the change is decided somewhere.
    private func timeToCommit(_ world: World, limit: UInt64) -> UInt64? {
        let start = world.now
        var fresh: [(UInt16, UInt64)] = []
        func isDecided() -> Bool { fresh.contains { world.oracle.isDelivered($0.1, of: $0.0) } }
        while world.now < start + limit && world.violations.isEmpty && !isDecided() {
            for id in world.liveIds {
                let result = world.propose("fresh", at: id)
                if result.status == PAXOS_OK { fresh.append((id, result.number)) }
            }
            world.run(for: 20 * millisecond, done: isDecided)
        }
        return isDecided() ? world.now - start : nil
    }

    private func expectCommit(_ world: World, _ case: String) {
        let time = timeToCommit(world, limit: 4 * second)
        #expect(time != nil, "\(`case`), seed \(world.seed): nothing in four election timeouts")
        expectSafe(world)
    }

    @Test("quorum loss: everybody, the leader too, sees the hub alone")
    func quorumLoss() throws {
        for seed in 1...60 as ClosedRange<UInt64> {
            let (world, leader) = try settled(5, seed)
            let hub = world.ids.first { $0 != leader }!
            star(world, hub: hub, world.ids)
            /* Not what the old leader had sent before the cut. */
            world.drop { _ in true }
            expectCommit(world, "quorum loss")
            world.run(for: 4 * second)
            #expect(world[hub].isLeader, "seed \(seed): only the hub can lead")
            #expect(world.isConverged, "seed \(seed)")
        }
    }

    @Test("constrained: the leader is cut off, the only quorum-connected node has a stale log")
    func constrainedElection() throws {
        for seed in 1...60 as ClosedRange<UInt64> {
            let (world, leader) = try settled(5, seed)
            let hub = world.ids.first { $0 != leader }!
            /* The hub misses entries, for less time than makes it a silent member. */
            world.partition([hub], world.ids.filter { $0 != hub })
            for number in 0..<10 { world.propose("late \(number)", at: leader) }
            world.run(for: 300 * millisecond)
            #expect(world.host(leader).log.count > world.host(hub).log.count, "seed \(seed)")
            world.cut = []
            star(world, hub: hub, world.ids.filter { $0 != leader })
            world.partition([leader], world.ids.filter { $0 != leader })
            let known = world.host(leader).log
            world.crash(leader)
            expectCommit(world, "constrained")
            world.run(for: 2 * second)
            #expect(world[hub].isLeader, "seed \(seed): only the hub can lead")
            #expect(Array(world.host(hub).log.prefix(known.count)) == known, "seed \(seed)")
        }
    }

    @Test("chained: A-B-C, the ends not connected; one leader stays")
    func chained() throws {
        for seed in 1...60 as ClosedRange<UInt64> {
            let (world, leader) = try settled(3, seed)
            let others = world.ids.filter { $0 != leader }
            /* The leader is an end, or the middle. */
            let middle = seed % 3 == 0 ? leader : others[0]
            star(world, hub: middle, world.ids)
            expectCommit(world, "chained")
            world.run(for: 4 * second)
            let ballot = try #require(world.leader.map { world[$0].status.ballot })
            world.run(for: 10 * second)
            #expect(world.leader.map { world[$0].status.ballot } == ballot, "seed \(seed): churn")
            #expect(world.isConverged, "seed \(seed): the far end learns through the middle")
        }
    }

    @Test("a link that works one way only does not stop the cluster")
    func oneWayLinks() throws {
        for seed in 1...60 as ClosedRange<UInt64> {
            let (world, leader) = try settled(3, seed)
            let others = world.ids.filter { $0 != leader }
            switch seed % 3 {
            case 0: world.cut = [World.Link(leader, others[0])]
            case 1: world.cut = [World.Link(others[0], leader)]
            default: world.cut = [World.Link(leader, others[0]), World.Link(leader, others[1])]
            }
            expectCommit(world, "one way")
        }
    }

    @Test("one node dead, one 100 times slower: commit latency stays within 2 times")
    func deadMinorityCostsNothing() throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            let (world, leader) = try settled(5, seed)
            world.network.latency = millisecond...millisecond
            world.run(for: second)
            func latency() -> UInt64 {
                var worst: UInt64 = 0
                for number in 0..<200 {
                    let start = world.now
                    let proposal = world.propose("\(number)", at: leader)
                    #expect(proposal.status == PAXOS_OK, "seed \(seed)")
                    world.run(for: second) { world.host(leader).decided.contains(proposal.number) }
                    worst = max(worst, world.now - start)
                    world.run(for: 5 * millisecond)
                }
                return worst
            }
            let before = latency()
            let others = world.ids.filter { $0 != leader }
            world.crash(others[0])
            world.delay = {
                $0.from == others[1] || $0.to == others[1] ? 100 * millisecond : millisecond
            }
            let after = latency()
            #expect(after <= 2 * before, "seed \(seed): \(before) ns, then \(after) ns")
            expectSafe(world)
        }
    }

    @Test("a leader whose disk stalls steps down, and another takes over")
    func stalledDiskStepsDown() throws {
        for seed in 2...41 as ClosedRange<UInt64> where seed % 2 == 0 {
            let (world, leader) = try settled(3, seed)
            world.stallDisk(of: leader)
            world.propose("stuck", at: leader)
            world.run(for: 4 * second) { !world[leader].isLeader }
            #expect(!world[leader].isLeader, "seed \(seed)")
            let others = world.ids.filter { $0 != leader }
            #expect(world.run(for: 4 * second) { others.contains { world[$0].isLeader } })
            expectCommit(world, "stalled disk")
        }
    }
}
