import CPaxos
import PaxosSimulator
import Testing

/// Nothing that must hold was broken; prints the seed that runs it again.
func expectSafe(_ world: World, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(
        world.violations.isEmpty, "seed \(world.seed), \(world.mode)",
        sourceLocation: sourceLocation)
}

extension World {
    func texts(at id: UInt16) -> [String] { host(id).log.map { $0.isNoop ? "-" : $0.text } }

    /// A world whose node `id` leads, with nothing under way.
    static func led(
        by id: UInt16 = 1, members: Int = 3, mode: Mode = .durable,
        change: (inout paxos_config_t) -> Void = { _ in }
    ) -> World {
        let world = World(members: members, mode: mode, change: change)
        world.elect(id)
        return world
    }
}
