import CPaxos
import PaxosSimulator
import Testing

/// Nothing that must hold was broken; prints the seed that runs it again.
func expectSafe(_ world: World, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(
        world.violations.isEmpty, "seed \(world.seed), \(world.mode)",
        sourceLocation: sourceLocation)
}
