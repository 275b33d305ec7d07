import CPaxos
import PaxosSimulator
import Testing

/// The same seed is the same world: in debug and release, on every machine, today and tomorrow.
struct HashTests {
    /// A sum of all that a plan says, in integers.
    private func sum(_ plan: Plan) -> UInt64 {
        var sum = plan.seed &+ UInt64(plan.members)
        for byte in plan.faults.map(\.description).joined().utf8 {
            sum = (sum ^ UInt64(byte)) &* 0x9E37_79B9_7F4A_7C15
            sum ^= sum >> 29
        }
        return sum
    }

    /// They change with the profiles and with nothing else. CI compares the hashes of whole worlds
    /// in debug and release; they change with the core, too, and so are no constants here.
    @Test("what a seed draws is the same everywhere")
    func plan_isGolden() {
        let sums = (1...3).map { sum(Plan(seed: $0, profile: .named("cruel")!)) }
        #expect(
            sums == [
                0xdf4a99fb66f07796, 0x3077c610c7b286ff, 0x22f13e5210d506ed,
            ], "\(sums.map { "0x" + hexadecimal($0) })")
    }

    @Test("memory that another world has used, and a trace, change nothing")
    func hash_staysTheSame() throws {
        let plans = [UInt64](1...6).map { Plan(seed: $0, profile: .named("cruel")!) }
        var used = Simulation(plans[0])
        for plan in plans {
            used.begin(plan)
            used.run()
            var fresh = Simulation(plan, trace: Trace(keeps: 10))
            fresh.run()
            #expect(used.hash == fresh.hash && used.counts.messages == fresh.counts.messages)
            #expect(used.counts.messages > 0)
        }
    }

    @Test("another seed is another world, and so is another part of the plan")
    func hash_differs() {
        var hashes: Set<UInt64> = []
        for seed in 1...20 as ClosedRange<UInt64> {
            var simulation = Simulation(Plan(seed: seed, profile: .named("mixed")!))
            simulation.run()
            hashes.insert(simulation.hash)
        }
        #expect(hashes.count == 20)
    }
}
