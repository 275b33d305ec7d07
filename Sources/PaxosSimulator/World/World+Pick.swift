import CPaxos

/// Picking messages one by one.
extension World {
    package typealias Choice = (Packet) -> Bool

    /// Take the first message that fits out of the pool.
    package func take(_ fits: Choice) -> Packet? {
        guard let index = pool.firstIndex(where: fits) else { return nil }
        return pool.remove(at: index)
    }

    package func take(_ kind: paxos_frame_kind, from: UInt16, to: UInt16) -> Packet? {
        take { $0.isKind(kind) && $0.from == from && $0.to == to }
    }

    /// Deliver the first message of a kind between two nodes; nil: there is none.
    @discardableResult
    package func deliver(_ kind: paxos_frame_kind, from: UInt16, to: UInt16) -> paxos_status_t? {
        take(kind, from: from, to: to).map { deliver($0) }
    }

    /// Deliver every message that fits, also those that come of it, in the order they were sent.
    package func deliverAll(_ fits: Choice = { _ in true }) {
        var steps = 0
        while let packet = take(fits) {
            deliver(packet)
            steps += 1
            if steps > 100_000 {
                oracle.violate(.conduct, "messages without end")
                return
            }
        }
    }

    package func drop(_ fits: Choice) { pool.removeAll(where: fits) }

    package func pending(_ kind: paxos_frame_kind) -> [Packet] { pool.filter { $0.isKind(kind) } }

    /// Campaign at `id` and deliver everything between all: it leads, and all know it.
    package func elect(_ id: UInt16) {
        campaign(id)
        deliverAll()
    }

    /// Let `id` draw the ballot of round `round` next: a peer names the one before as its promise.
    package func raiseRounds(of id: UInt16, below round: UInt64) {
        let other: UInt16 = id == 1 ? 2 : 1
        inject(
            .heartbeatReply(
                from: other, to: id, nonce: 0, promised: paxos_ballot(round - 1, other),
                fingerprint: self[id].fingerprint, memoryOnly: mode == .memoryOnly))
    }
}
