import CPaxos
import PaxosSimulator
import Testing

/// Safety under whatever happens, progress when it stops. `PAXOS_WORLDS=100000 swift test --filter
/// randomWorlds` runs more of them, `PAXOS_SEED=n` that one again.
struct RandomWorldTests {
    private static let seeds: ClosedRange<UInt64> = {
        if let seed = Environment.number("PAXOS_SEED") { return seed...seed }
        return 1...(Environment.number("PAXOS_WORLDS") ?? 200)
    }()

    @Test("nothing breaks; when faults stop a proposal commits in four timeouts and logs converge")
    func randomWorlds() {
        var delivered = 0
        var operations = 0
        for seed in Self.seeds {
            let random = RandomWorld(seed: seed)
            let world = random.world
            random.suffer(for: 8 * second)
            random.heal()
            let healed = world.now
            #expect(random.commits(within: 4 * second), "progress: \(random.description)")
            let isConverged = world.run(until: healed + 12 * second) { random.isConverged }
            #expect(isConverged, "convergence: \(random.description)")
            world.run(for: 2 * second)
            for id in world.liveIds {
                let silent = world.host(id).silent
                #expect(silent.isEmpty, "outcomes of node \(id): \(random.description)")
            }
            expectSafe(world)
            let violation = world.clients!.violation
            #expect(violation == nil, "\(violation!): \(random.description)")
            operations += world.clients!.history.count
            delivered += world.host(random.able.first ?? 1).log.count
            if !world.violations.isEmpty { print(random.description) }
        }
        print(
            "randomWorlds: \(Self.seeds.count) worlds, \(delivered) entries delivered,",
            "\(operations) operations of clients")
    }
}
