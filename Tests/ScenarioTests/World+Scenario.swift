import CPaxos
import PaxosSimulator
import Testing

/// Steps in the words of the scenarios.
extension World {
    /// Node `id` accepted `text` under ballot `round` of node `of`, by a real Accept of it.
    func hold(_ text: String, at id: UInt16, round: UInt64, of node: UInt16, slot: UInt64 = 1) {
        let entry = Entry(text, node: node, number: round * 1000 + slot)
        #expect(
            inject(.accept(from: node, to: id, round: round, slot: slot, [entry])) == PAXOS_OK)
        drop { $0.from == id && $0.isKind(PAXOS_FRAME_ACCEPTED) }
    }

    /// Node `id` sends Prepare(round); its own acceptor promises.
    func startBallot(_ round: UInt64, of id: UInt16) {
        raiseRounds(of: id, below: round)
        #expect(campaign(id) == PAXOS_OK)
        #expect(pending(PAXOS_FRAME_PREPARE).allSatisfy { $0.round == round })
    }

    /// Deliver Prepare to an acceptor, and the one page of its promise back; the page.
    func promise(from acceptor: UInt16, to proposer: UInt16) throws -> Packet {
        #expect(deliver(PAXOS_FRAME_PREPARE, from: proposer, to: acceptor) == PAXOS_OK)
        let page = try #require(take(PAXOS_FRAME_PROMISE, from: acceptor, to: proposer))
        #expect(page.has(PAXOS_FLAG_LAST))
        deliver(page)
        return page
    }

    /// "5 X": X was accepted under round 5; nil: nothing is held.
    func holding(_ slot: UInt64, at id: UInt16) -> String? {
        let held = self[id].look(slot)
        return held.value.map {
            "\(paxos_ballot_round(held.ballot)) \(String(decoding: $0, as: UTF8.self))"
        }
    }

    func texts(at id: UInt16) -> [String] { host(id).log.map { $0.isNoop ? "-" : $0.text } }
}
