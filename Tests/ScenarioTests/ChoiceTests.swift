import CPaxos
import PaxosSimulator
import Testing

/// Lamport 2001, section 2.2, phase 2(a): "If the proposer receives a response to its prepare
/// requests (numbered n) from a majority of acceptors, then it sends an accept request to each of
/// those acceptors for a proposal numbered n with a value v, where v is the value of the
/// highest-numbered proposal among the responses, or is any value if the responses reported no
/// proposals."
struct ChoiceTests {
    /// The proposer is node 2 with ballot 5; node 1 holds `earlier` under 2 of node 3.
    private func world(
        _ mode: Mode, members: Int = 3, change: (inout paxos_config_t) -> Void = { _ in }
    ) -> World {
        World(members: members, mode: mode, change: change)
    }

    @Test(
        "P must propose \"X\", not its own value; \"X\" decided with 3 of 3",
        arguments: Mode.allCases)
    func carriesEarlierValue(mode: Mode) throws {
        let world = world(mode)
        world.hold("X", at: 1, round: 2, of: 3)
        world.startBallot(5, of: 2)
        #expect(try world.promise(from: 1, to: 2).fields.other == paxos_ballot(2, 3))
        #expect(world[2].isLeader)
        world.propose("own", at: 2)
        #expect(try world.promise(from: 3, to: 2).fields.state == PAXOS_RUN_EMPTY.rawValue)
        for acceptor: UInt16 in [1, 3] {
            let accept = try #require(world.pending(PAXOS_FRAME_ACCEPT).first { $0.to == acceptor })
            #expect(accept.round == 5 && accept.fields.slot == 1)
            #expect(accept.entries.first?.text == "X")
            #expect(world.deliver(PAXOS_FRAME_ACCEPT, from: 2, to: acceptor) == PAXOS_OK)
            #expect(world.holding(1, at: acceptor) == "5 X")
            #expect(world.deliver(PAXOS_FRAME_ACCEPTED, from: acceptor, to: 2) == PAXOS_OK)
        }
        #expect(world.holding(1, at: 2) == "5 X")
        world.deliverAll()
        for id in world.ids { #expect(world.host(id).log.map(\.text) == ["X", "own"]) }
        expectSafe(world)
    }

    @Test("P proposes its own value", arguments: Mode.allCases)
    func freeChoiceWhenNoneAccepted(mode: Mode) throws {
        let world = world(mode)
        world.startBallot(5, of: 2)
        #expect(try world.promise(from: 1, to: 2).fields.state == PAXOS_RUN_EMPTY.rawValue)
        world.propose("own", at: 2)
        let accept = try #require(world.pending(PAXOS_FRAME_ACCEPT).first)
        #expect(accept.round == 5 && accept.fields.slot == 1)
        #expect(accept.entries.map(\.text) == ["own"])
        world.deliverAll()
        for id in world.ids { #expect(world.host(id).log.map(\.text) == ["own"]) }
        expectSafe(world)
    }

    @Test("P proposes \"Y\", whatever the order of the promises", arguments: Mode.allCases)
    func highestOfSeveral(mode: Mode) throws {
        let orders: [[UInt16]] = [
            [1, 3, 4], [1, 4, 3], [3, 1, 4], [3, 4, 1], [4, 1, 3], [4, 3, 1],
        ]
        for order in orders {
            let world = world(mode, members: 5) {
                $0.q1 = 4
                $0.q2 = 3
            }
            world.hold("X", at: 1, round: 2, of: 5)
            world.hold("Y", at: 3, round: 4, of: 5)
            world.startBallot(5, of: 2)
            for acceptor in order {
                #expect(!world[2].isLeader)
                _ = try world.promise(from: acceptor, to: 2)
            }
            #expect(world[2].isLeader)
            for accept in world.pending(PAXOS_FRAME_ACCEPT) {
                #expect(accept.round == 5 && accept.entries.map(\.text) == ["Y"])
            }
            #expect(world.pending(PAXOS_FRAME_ACCEPT).count == 3)
            world.deliverAll()
            for id in world.ids { #expect(world.host(id).log.map(\.text) == ["Y"]) }
            expectSafe(world)
        }
    }

    @Test(
        "one promise of the quorum reports (3,\"foo\"): P proposes \"foo\"",
        arguments: Mode.allCases)
    func loneReportOfThreeFoo(mode: Mode) throws {
        for first: UInt16 in [1, 3] {
            let world = world(mode, members: 5)
            world.hold("foo", at: 1, round: 3, of: 4)
            world.startBallot(5, of: 2)
            let promise = try world.promise(from: first, to: 2)
            #expect(!world[2].isLeader)
            let other = try world.promise(from: 4 - first, to: 2)
            let report = first == 1 ? promise : other
            #expect(report.fields.other == paxos_ballot(3, 4))
            #expect(report.entries.map(\.text) == ["foo"])
            let accept = try #require(world.pending(PAXOS_FRAME_ACCEPT).first)
            #expect(accept.round == 5 && accept.entries.map(\.text) == ["foo"])
            world.deliverAll()
            for id in world.ids { #expect(world.host(id).log.map(\.text) == ["foo"]) }
            expectSafe(world)
        }
    }

    @Test("slot by slot the highest ballot is chosen: three ballots, three values, several slots")
    func highestOfEachSlot() throws {
        let world = world(.durable, members: 5) {
            $0.q1 = 4
            $0.q2 = 3
        }
        let held: [(UInt16, UInt64, UInt64, String)] = [
            (1, 2, 1, "a2"), (1, 3, 2, "b3"), (1, 4, 3, "c4"),
            (3, 3, 1, "a3"), (3, 4, 2, "b4"), (3, 5, 3, "c5"),
            (4, 4, 1, "a4"), (4, 5, 4, "d5"),
        ]
        for (node, round, slot, text) in held {
            world.hold(text, at: node, round: round, of: 5, slot: slot)
        }
        world.startBallot(9, of: 2)
        for acceptor: UInt16 in [3, 1, 4] {
            world.deliver(PAXOS_FRAME_PREPARE, from: 2, to: acceptor)
            world.deliverAll { $0.isKind(PAXOS_FRAME_PROMISE) && $0.from == acceptor }
        }
        #expect(world[2].isLeader)
        world.deliverAll()
        for id in world.ids {
            #expect(world.host(id).log.map(\.text) == ["a4", "b4", "c5", "d5"])
        }
        expectSafe(world)
    }

    @Test("phase 2 starts at the second promise, not before", arguments: Mode.allCases)
    func majorityOfThree(mode: Mode) throws {
        /* This node's own acceptor is the first of the two. */
        let world = world(mode)
        world.startBallot(5, of: 2)
        #expect(world[2].acceptor.promised == paxos_ballot(5, 2))
        #expect(world.propose("v", at: 2).status == PAXOS_ERR_NO_LEADER)
        #expect(world.deliver(PAXOS_FRAME_PREPARE, from: 2, to: 1) == PAXOS_OK)
        #expect(!world[2].isLeader && world.pending(PAXOS_FRAME_ACCEPT).isEmpty)
        world.deliver(PAXOS_FRAME_PROMISE, from: 1, to: 2)
        #expect(world[2].isLeader)
        #expect(world.propose("v", at: 2).status == PAXOS_OK)
        #expect(!world.pending(PAXOS_FRAME_ACCEPT).isEmpty)
        expectSafe(world)
    }

    @Test("the candidate's own promise counts only when it is durable")
    func majorityOfThree_ownPromiseDurable() {
        let world = world(.durable)
        world.disk = .manual
        world.startBallot(5, of: 2)
        #expect(
            world.pending(PAXOS_FRAME_PREPARE).isEmpty, "it left before the promise was durable")
        world.flush(2)
        #expect(world.pending(PAXOS_FRAME_PREPARE).count == 2)
        world.deliver(PAXOS_FRAME_PREPARE, from: 2, to: 1)
        #expect(world.pending(PAXOS_FRAME_PROMISE).isEmpty)
        world.flush(1)
        world.deliver(PAXOS_FRAME_PROMISE, from: 1, to: 2)
        #expect(world[2].isLeader)
        expectSafe(world)
    }

    @Test(
        "no Accept is sent; after its timeout the proposer retries higher",
        arguments: Mode.allCases)
    func oneOfThreeIsNotEnough(mode: Mode) throws {
        let world = world(mode, members: 3) { $0.q1 = 3 }
        world.startBallot(5, of: 2)
        world.cut = [World.Link(3, 2), World.Link(2, 3)]
        world.deliver(PAXOS_FRAME_PREPARE, from: 2, to: 1)
        world.deliver(PAXOS_FRAME_PROMISE, from: 1, to: 2)
        world.drop { _ in true }
        var prepared: [UInt64] = []
        world.onSend = { packet in
            #expect(!packet.isKind(PAXOS_FRAME_ACCEPT))
            if packet.isKind(PAXOS_FRAME_PREPARE) { prepared.append(packet.round) }
        }
        world.run(for: 4 * second) { prepared.contains { $0 > 5 } }
        #expect(prepared.contains(6), "the silent are asked again, then a higher ballot is drawn")
        #expect(!world[2].isLeader && world[2].status.campaigns > 0)
        expectSafe(world)
    }
}
