import CPaxos
import PaxosSimulator
import Testing

/// A follower whose window is full, and the Accepts that find no room in it: nobody waits for a
/// heartbeat. No time passes in these tests.
struct RoomTests {
    /// A window of 16 slots; of 64 where a record must say what is decided before it is forgotten.
    private func world(_ mode: Mode) -> World {
        World.led(mode: mode) {
            $0.window_slots = mode == .durable ? 64 : 16
            $0.pipeline_slots = 16
        }
    }

    private func propose(_ count: Int, _ world: World) {
        for _ in 0..<count { #expect(world.propose("v", at: 1).status == PAXOS_OK) }
    }

    /// One run: polled when all of it is there.
    private func proposeRun(_ count: Int, _ world: World) {
        for _ in 0..<count {
            #expect(world[1].propose([7], now: world.now).status == PAXOS_OK)
        }
        world.drain(1)
    }

    /// As many slots are decided as the windows hold; those of `ids` are full.
    private func fill(_ world: World, at ids: [UInt16]) -> Int {
        let window = Int(world[1].acceptor.window_slots)
        for id in ids { world.trims[id] = .never }
        for _ in 0..<window / 16 {
            propose(16, world)
            world.deliverAll()
        }
        for id in ids {
            #expect(world[id].acceptor.trimmed == 0 && world.host(id).log.count == window)
        }
        return window
    }

    @Test("an Accept that finds no room brings its leader's word, which makes some")
    func acceptBringsRoom() {
        let world = world(.memoryOnly)
        for round in 1...5 {
            propose(16, world)
            world.deliverAll()
            for id in world.ids { #expect(world.host(id).log.count == 16 * round) }
        }
        expectSafe(world)
    }

    @Test("one that finds room for its first slots alone does so before the others are cut off")
    func acceptBringsRoomForItsEnd() {
        let world = world(.memoryOnly)
        world.onSend = { #expect(!$0.isKind(PAXOS_FRAME_HEARTBEAT_REPLY), "room is asked for") }
        for round in 1...8 {
            proposeRun(12, world)
            world.deliverAll()
            for id in world.ids { #expect(world.host(id).log.count == 12 * round, "\(round)") }
        }
    }

    @Test(
        "what found no room is sent again as soon as the host made some", arguments: Mode.allCases)
    func roomIsSaid(mode: Mode) {
        let world = world(mode)
        let window = fill(world, at: [2, 3])
        propose(16, world)
        world.deliverAll()
        #expect(world[2].status.refused_full > 0)
        for id in world.ids { #expect(world.host(id).log.count == window) }
        var told = 0
        world.onSend = { if $0.isKind(PAXOS_FRAME_HEARTBEAT_REPLY) { told += 1 } }
        for slot in 1...UInt64(window) {
            #expect(world[2].trim(slot) == PAXOS_OK)
            world.drain(2)
            #expect(told == (world[2].acceptor.trimmed < window / 4 ? 0 : 1), "once")
        }
        world.deliverAll()
        #expect(world.host(1).log.count == window + 16 && world.host(2).log.count == window + 16)
        expectSafe(world)
    }

    @Test("what the others decided meanwhile is asked for", arguments: Mode.allCases)
    func decidedMeanwhile(mode: Mode) {
        let world = world(mode)
        let window = fill(world, at: [2])
        for _ in 0..<16 {
            propose(1, world)
            world.deliverAll()
        }
        #expect(world.host(2).log.count == window && world.host(3).log.count == window + 16)
        #expect(world[2].trim(UInt64(window)) == PAXOS_OK)
        world.drain(2)
        world.deliverAll()
        /* Of the last one nobody said yet that it is decided. */
        #expect(world.host(2).log.count >= window + 15)
        expectSafe(world)
    }

    @Test("the end of a run that did not fit is sent again, too", arguments: Mode.allCases)
    func partOfARun(mode: Mode) {
        let world = world(mode)
        let window = fill(world, at: [2, 3])
        for id in [2, 3] as [UInt16] { #expect(world[id].trim(4) == PAXOS_OK) }
        proposeRun(16, world)
        world.deliverAll()
        #expect(world[2].acceptor.trimmed == 4 && world.host(2).log.count == window + 4)
        #expect(world[2].trim(UInt64(window)) == PAXOS_OK)
        world.drain(2)
        world.deliverAll()
        #expect(world.host(2).log.count == window + 16)
    }
}
