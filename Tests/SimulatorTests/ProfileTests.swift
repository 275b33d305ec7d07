import PaxosSimulator
import Testing

/// Every profile runs clean here for a few seeds; `paxos-sim run` does so for as long as one likes.
struct ProfileTests {
    private static let names = Profile.all.map(\.name)

    /// Two that were given copies asked each other and the leader in strict turn, and the leader only
    /// ever when its ring of sends was full; a leader that had not taken up yet what it then learned
    /// sent Accepts of no entries; two whose windows were too small campaigned in turn before the one
    /// whose window was not; one that caught up was sent Accepts that it had no room for, until the ring
    /// of sends had none for what it had asked for.
    @Test(
        "worlds that broke once",
        arguments: [
            (29_495_091_388, "disks"), (900_000_154_077, "mixed"), (1_587_340_827, "mixed"),
            (2238, "away"),
        ] as [(UInt64, String)])
    func brokeOnce(seed: UInt64, profile: String) {
        var simulation = Simulation(Plan(seed: seed, profile: .named(profile)!))
        simulation.run()
        #expect(simulation.violations == [])
    }

    @Test("seeds run clean, and something happens in them", arguments: names)
    func profile_isClean(name: String) throws {
        let profile = try #require(Profile.named(name))
        var simulation = Simulation(Plan(seed: 0, profile: profile))
        var (commits, faults) = (UInt64(0), UInt64(0))
        for seed in 1...6 as ClosedRange<UInt64> {
            simulation.begin(Plan(seed: seed, profile: profile))
            simulation.run()
            #expect(
                simulation.violations.isEmpty, "paxos-sim replay \(seed) --profile \(name)")
            commits += simulation.counts.commits
            faults += simulation.counts.faults
        }
        #expect(commits > 100)
        #expect(name == "calm" ? faults == 0 : faults > 0)
    }

    @Test("at most f nodes of a world lose what they had made durable")
    func victims_areFew() {
        for seed in 1...300 as ClosedRange<UInt64> {
            let plan = Plan(seed: seed, profile: .named("cruel")!)
            let struck = Set(plan.faults.filter(\.losesData).map(\.node))
            #expect(struck.count <= (plan.members - 1) / 2, "seed \(seed)")
        }
    }

    @Test("a plan is a list in the order of time, and reads back as it is printed")
    func plan_isAList() {
        for seed in 1...100 as ClosedRange<UInt64> {
            let plan = Plan(seed: seed, profile: .named("cruel")!)
            #expect(
                zip(plan.faults, plan.faults.dropFirst()).allSatisfy { $0.from_ns <= $1.from_ns })
            for fault in plan.faults { #expect(Fault(fault.description) == fault) }
        }
        #expect(Fault("nothing of the kind") == nil)
    }
}
