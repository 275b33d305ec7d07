import CPaxos
import PaxosSimulator
import Testing

/// Lamport 2001, section 2.2, P2c: "For any v and n, if a proposal with value v and number n is
/// issued, then there is a set S consisting of a majority of acceptors such that either (a) no
/// acceptor in S has accepted any proposal numbered less than n, or (b) v is the value of the
/// highest-numbered proposal among all proposals numbered less than n accepted by the acceptors in
/// S."
struct DuelTests {
    struct Case: CustomStringConvertible, Sendable {
        let mode: Mode
        /// Whether P2 hears that "Y" is chosen; chosen it is either way.
        let isHeard: Bool
        /// Who proposes at the end, and the other acceptor of its quorum.
        let proposer: UInt16
        let other: UInt16
        var description: String { "\(mode) heard \(isHeard) quorum \(proposer) \(other)" }
    }

    static let cases: [Case] = Mode.allCases.flatMap { mode in
        [true, false].flatMap { heard in
            [(1, 2), (1, 3), (3, 2), (2, 3)].map { (proposer: UInt16, other: UInt16) in
                Case(mode: mode, isHeard: heard, proposer: proposer, other: other)
            }
        }
    }

    @Test("nothing but \"Y\" is ever decided, whichever two answer", arguments: cases)
    func duelTwoProposers(example: Case) throws {
        let world = World(mode: example.mode)
        /* P1: Prepare(5) promised by A1 (its own), A2, A3. */
        world.startBallot(5, of: 1)
        _ = try world.promise(from: 2, to: 1)
        _ = try world.promise(from: 3, to: 1)
        world.drop { _ in true }
        /* P2: Prepare(6) promised by A2 (its own), A3; A1 missed it. */
        #expect(world.campaign(2) == PAXOS_OK)
        #expect(world[2].acceptor.promised == paxos_ballot(6, 2))
        _ = try world.promise(from: 3, to: 2)
        #expect(world[2].isLeader && world[1].isLeader, "P1 does not know yet")
        world.propose("Y", at: 2)
        let accept = try #require(world.pending(PAXOS_FRAME_ACCEPT).first)
        #expect(world.deliver(PAXOS_FRAME_ACCEPT, from: 2, to: 3) == PAXOS_OK)
        #expect(world.holding(1, at: 2) == "6 Y" && world.holding(1, at: 3) == "6 Y")
        let chosen = valueID(accept.entries[0].header)
        #expect(world.oracle.chosenValue(1) == chosen, "accepted by A2 and A3: chosen")
        if example.isHeard {
            world.deliver(PAXOS_FRAME_ACCEPTED, from: 3, to: 2)
            #expect(world.texts(at: 2) == ["Y"])
        }
        world.drop { _ in true }
        /* P1: Accept(5,"P1") at A1 accepted, at A2 and A3 rejected, naming 6. */
        let own = world.propose("P1", at: 1)
        #expect(own.status == PAXOS_OK)
        #expect(world.holding(1, at: 1) == "5 P1")
        for acceptor: UInt16 in [2, 3] {
            let accept = try #require(world.take(PAXOS_FRAME_ACCEPT, from: 1, to: acceptor))
            #expect(accept.round == 5)
            #expect(world.deliver(accept) == PAXOS_ERR_STALE)
            let rejected = try #require(world.take(PAXOS_FRAME_REJECTED, from: acceptor, to: 1))
            #expect(rejected.fields.other == paxos_ballot(6, 2))
            world.deliver(rejected)
        }
        #expect(!world[1].isLeader)
        #expect(world.host(1).outcomes[own.number] == .unknown)
        world.drop { _ in true }
        try finish(world, example)
    }

    private func finish(_ world: World, _ example: Case) throws {
        var under: [UInt64: Set<String>] = [:]
        world.onSend = { packet in
            if packet.isKind(PAXOS_FRAME_ACCEPT) && packet.fields.slot == 1 {
                under[packet.round, default: []].insert(packet.entries[0].text)
            }
        }
        #expect(world.campaign(example.proposer) == PAXOS_OK)
        #expect(paxos_ballot_round(world[example.proposer].acceptor.promised) > 6)
        _ = try world.promise(from: example.other, to: example.proposer)
        #expect(world[example.proposer].isLeader)
        let left = world.ids.filter { $0 != example.proposer && $0 != example.other }[0]
        world.partition([left], [example.proposer, example.other])
        world.drop { $0.to == left || $0.from == left }
        world.deliverAll()
        world.run(for: second) { world.texts(at: example.other) == ["Y"] }
        for id in [example.proposer, example.other] { #expect(world.texts(at: id) == ["Y"]) }
        for (round, values) in under where round > 6 { #expect(values == ["Y"]) }
        world.heal()
        world.run(for: second) { world.isConverged }
        for id in world.ids { #expect(world.texts(at: id) == ["Y"]) }
        expectSafe(world)
    }
}
