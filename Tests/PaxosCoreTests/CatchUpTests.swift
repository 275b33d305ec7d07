import CPaxos
import PaxosSimulator
import Testing

/// WIRE.md: "LEARN asks for count (from 1) decided entries from slot on. LEARNED brings them, in
/// pages".
struct CatchUpTests {
    /// Node 3 misses `count` entries, none of which stand together anywhere.
    private func missing(_ count: Int, mode: Mode) -> World {
        let world = World.led(mode: mode) {
            $0.window_slots = 256
            $0.pipeline_slots = 256
            $0.frame_bytes_max = 192
        }
        world.run(for: second)
        world.crash(3)
        for number in 0..<count {
            world.propose("\(number) \(String(repeating: "v", count: 50))", at: 1)
            world.deliverAll { !$0.isKind(PAXOS_FRAME_HEARTBEAT) }
        }
        #expect(world.host(2).log.count == count && world[1].acceptor.trimmed == 0)
        return world
    }

    @Test(
        "a member that missed entries asks page by page: no slot travels much more than once",
        arguments: Mode.allCases, [0, 30])
    func catchUpIsNoStorm(mode: Mode, duplicatePercent: Int) {
        let world = missing(120, mode: mode)
        world.revive(3)
        world.network.duplicatePercent = duplicatePercent
        world.run(for: 2 * second)
        #expect(world.host(3).log == world.host(1).log)
        let pages =
            world.host(1).sent(PAXOS_FRAME_LEARNED) + world.host(2).sent(PAXOS_FRAME_LEARNED)
        #expect(world.host(3).sent(PAXOS_FRAME_LEARN) <= 60)
        #expect(pages >= 120 && pages <= 600, "\(pages) pages for 120 slots")
        expectSafe(world)
    }

    @Test(
        "catching up goes on at once where a page says that more follows", arguments: Mode.allCases)
    func catchUpIsQuick(mode: Mode) {
        let world = missing(120, mode: mode)
        world.revive(3)
        world.run(for: second / 4)
        #expect(world.host(3).log == world.host(1).log)
        expectSafe(world)
    }

    @Test("a lost page is asked for again", arguments: Mode.allCases)
    func lostPages(mode: Mode) {
        let world = missing(60, mode: mode)
        world.revive(3)
        world.network.lossPercent = 40
        world.run(for: 10 * second) { world.host(3).log.count == 60 }
        #expect(world.host(3).log == world.host(1).log)
        expectSafe(world)
    }
}
