import CPaxos
import PaxosSimulator
import Testing

/// Lamport 2001, section 2.2, phase 1(b): "If an acceptor receives a prepare request with number n
/// greater than that of any prepare request to which it has already responded, then it responds to
/// the request with a promise not to accept any more proposals numbered less than n and with the
/// highest-numbered proposal (if any) that it has accepted." Phase 2(b): "If an acceptor receives
/// an accept request for a proposal numbered n, it accepts the proposal unless it has already
/// responded to a prepare request having a number greater than n."
struct AcceptorScenarioTests {
    private func prepare(_ world: World, _ round: UInt64, from: UInt16, to: UInt16)
        -> paxos_status_t
    {
        world.inject(
            .prepare(from: from, to: to, round: round, fingerprint: world[to].fingerprint))
    }

    @Test(
        "the first accepts and now promises 7; the second rejects and names 10",
        arguments: Mode.allCases)
    func acceptByPromise(mode: Mode) throws {
        let world = World(mode: mode)
        #expect(prepare(world, 5, from: 3, to: 1) == PAXOS_OK)
        #expect(prepare(world, 10, from: 3, to: 2) == PAXOS_OK)
        let entry = Entry("X", node: 3, number: 1)
        world.drop { _ in true }
        #expect(world.inject(.accept(from: 3, to: 1, round: 7, slot: 1, [entry])) == PAXOS_OK)
        #expect(world[1].acceptor.promised == paxos_ballot(7, 3))
        #expect(world.holding(1, at: 1) == "7 X")
        let accepted = try #require(world.take(PAXOS_FRAME_ACCEPTED, from: 1, to: 3))
        #expect(accepted.round == 7 && accepted.fields.slot == 1 && accepted.fields.count == 1)
        #expect(
            world.inject(.accept(from: 3, to: 2, round: 7, slot: 1, [entry])) == PAXOS_ERR_STALE)
        #expect(world.holding(1, at: 2) == nil)
        #expect(world[2].acceptor.promised == paxos_ballot(10, 3))
        let rejected = try #require(world.take(PAXOS_FRAME_REJECTED, from: 2, to: 3))
        #expect(rejected.round == 7 && rejected.fields.other == paxos_ballot(10, 3))
        expectSafe(world)
    }

    @Test(
        "rejected, naming 6: it learns through the rejection and retries higher",
        arguments: Mode.allCases)
    func promiseCannotComeFromHigherAccept(mode: Mode) throws {
        let world = World(mode: mode)
        world.hold("Y", at: 2, round: 6, of: 3)
        world.startBallot(5, of: 1)
        #expect(world.deliver(PAXOS_FRAME_PREPARE, from: 1, to: 2) == PAXOS_ERR_STALE)
        #expect(world.pending(PAXOS_FRAME_PROMISE).isEmpty)
        let rejected = try #require(world.take(PAXOS_FRAME_REJECTED, from: 2, to: 1))
        #expect(rejected.fields.other == paxos_ballot(6, 3) && rejected.body.isEmpty)
        world.deliver(rejected)
        #expect(!world[1].isLeader)
        world.drop { _ in true }
        world.cut = [World.Link(1, 3), World.Link(3, 1)]
        world.onSend = { #expect(!$0.isKind(PAXOS_FRAME_ACCEPT) || $0.entries[0].text == "Y") }
        #expect(world.run(for: 4 * second) { world[1].isLeader }, "it retries by itself")
        #expect(paxos_ballot_round(world[1].acceptor.promised) > 6)
        #expect(world.run(for: second) { world.texts(at: 1) == ["Y"] })
        expectSafe(world)
    }

    @Test("Promise(7, accepted = (3,\"X\"))", arguments: Mode.allCases)
    func promiseReportsAccepted(mode: Mode) throws {
        let world = World(mode: mode)
        world.hold("X", at: 1, round: 3, of: 3)
        #expect(prepare(world, 7, from: 2, to: 1) == PAXOS_OK)
        let promise = try #require(world.take(PAXOS_FRAME_PROMISE, from: 1, to: 2))
        #expect(promise.round == 7 && promise.fields.state == PAXOS_RUN_ACCEPTED.rawValue)
        #expect(promise.fields.other == paxos_ballot(3, 3))
        #expect(promise.fields.slot == 1 && promise.entries.map(\.text) == ["X"])
        #expect(world[1].acceptor.promised == paxos_ballot(7, 2))
        #expect(world.holding(1, at: 1) == "3 X")
        expectSafe(world)
    }

    @Test(
        "a promise covers slots never seen: an older Accept for one is rejected",
        arguments: Mode.allCases)
    func promiseCoversUnseenSlots(mode: Mode) {
        let world = World(mode: mode)
        #expect(prepare(world, 7, from: 2, to: 1) == PAXOS_OK)
        let entry = Entry("X", node: 3, number: 1)
        #expect(
            world.inject(.accept(from: 3, to: 1, round: 6, slot: 40, [entry])) == PAXOS_ERR_STALE)
        #expect(world.holding(40, at: 1) == nil)
        expectSafe(world)
    }
}
