/// What must hold of the cluster as a whole: computed from what is durable, not from what nodes
/// believe.
struct Agreement {
    private var known: [VoteSet: UInt64] = [0: 0]

    /// What is broken in a state of the cluster; nil: nothing.
    mutating func broken(
        votes: (VoteSet, VoteSet, VoteSet), believed: (UInt64, UInt64, UInt64),
        _ table: inout VoteTable
    ) -> String? {
        let all = votes.0 | votes.1 | votes.2
        if let words = contradiction(all, table) { return words }
        /* Chosen: two of three voted for the same entry under the same ballot. */
        let chosen = (votes.0 & votes.1) | (votes.0 & votes.2) | (votes.1 & votes.2)
        var values: UInt64 = 0
        if let set = known[chosen] {
            values = set
        } else {
            for vote in table.votes(in: chosen) {
                values |= table.valueBit(slot: vote.slot, entry: vote.entry)
            }
            if let words = disagreement(values, chosen, table) { return words }
            known[chosen] = values
        }
        for (index, set) in [believed.0, believed.1, believed.2].enumerated()
        where set & ~values != 0 {
            let value = table.values(in: set & ~values)[0]
            return "node \(index + 1) believes \(value.entry) decided in slot \(value.slot), "
                + "which no quorum voted for"
        }
        return nil
    }

    private var consistent: Set<VoteSet> = [0]

    /// Two entries voted for under one ballot in one slot.
    private mutating func contradiction(_ all: VoteSet, _ table: VoteTable) -> String? {
        if consistent.contains(all) { return nil }
        let votes = table.votes(in: all)
        for (index, vote) in votes.enumerated() {
            for other in votes[..<index]
            where other.slot == vote.slot && other.ballot == vote.ballot {
                return "slot \(vote.slot): \(other.entry) and \(vote.entry) under one ballot, "
                    + ballotName(vote.ballot)
            }
        }
        consistent.insert(all)
        return nil
    }

    private func disagreement(
        _ values: UInt64, _ chosen: VoteSet, _ table: VoteTable
    ) -> String? {
        let all = table.values(in: values)
        for (index, value) in all.enumerated() {
            for other in all[..<index] where other.slot == value.slot {
                let ballots = [other, value].map { wanted in
                    table.votes(in: chosen)
                        .filter { $0.slot == wanted.slot && $0.entry == wanted.entry }
                        .map { ballotName($0.ballot) }.joined(separator: ", ")
                }
                return "slot \(value.slot): \(other.entry) was chosen under \(ballots[0]), "
                    + "and \(value.entry) under \(ballots[1])"
            }
        }
        return nil
    }
}

extension EntryWords: CustomStringConvertible {
    var description: String {
        if origin >> 16 & 0xFF == 0 { return "a no-op of node \(origin & 0xFFFF)" }
        let life = number >> 32 == 1 ? "" : " in its life \(number >> 32)"
        return "value \(number & 0xFFFF_FFFF) of node \(origin & 0xFFFF)\(life)"
    }
}
