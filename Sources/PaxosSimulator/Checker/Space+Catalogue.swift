/// The spaces that `paxos-sim check` knows by name.
extension Space {
    /// Seconds each, but for the crashes, a minute or two: what every change must pass.
    package static let quick: [Space] = [
        Space(
            name: "duel", rounds: [1, 1, 0],
            reductions: [.deadMessages, .likeMessages, .likeReplies, .noHeartbeats]),
        Space(name: "single-2x2", rounds: [2, 2, 0], reductions: .usual.subtracting(.promptFlush)),
        Space(name: "single-2x2-crash", rounds: [2, 2, 0], restarts: [1, 1, 1]),
        Space(name: "single-2x3", rounds: [3, 3, 0]),
        Space(name: "takeover", rounds: [1, 1, 0], slots: 2),
    ]

    /// Minutes each.
    package static let thorough: [Space] = [
        Space(
            name: "takeover-again", rounds: [2, 2, 0], slots: 2,
            reductions: .usual.union(.noLearning)),
        Space(name: "takeover-crash-1", rounds: [1, 1, 0], slots: 2, restarts: [1, 0, 0]),
        Space(name: "takeover-crash-3", rounds: [1, 1, 0], slots: 2, restarts: [0, 0, 1]),
        Space(
            name: "late-crash-1", rounds: [2, 2, 0], restarts: [1, 0, 0],
            reductions: .usual.subtracting(.promptFlush)),
        Space(
            name: "late-crash-3", rounds: [2, 2, 0], restarts: [0, 0, 1],
            reductions: .usual.subtracting(.promptFlush)),
    ]

    /// Seconds each: where a mistake shows with few steps.
    package static let small: [Space] = [
        Space(name: "alone", rounds: [2, 0, 0], restarts: [1, 1, 1]),
        Space(name: "duel-crash", rounds: [1, 1, 0], restarts: [1, 1, 1]),
    ]

    package static let groups = ["small": small, "quick": quick, "thorough": thorough]
    package static let catalogue = small + quick + thorough

    package static func named(_ name: String) -> Space? { catalogue.first { $0.name == name } }

    /// What it is, in a line.
    package var summary: String {
        let ballots = rounds.enumerated().filter { $1 > 0 }
            .map { "node \($0 + 1): \($1)" }.joined(separator: ", ")
        let crashes = restarts.enumerated().filter { $1 > 0 }
            .map { "node \($0 + 1): \($1)" }.joined(separator: ", ")
        return "\(slots) slot\(slots == 1 ? "" : "s"); ballots of \(ballots); crashes of "
            + (crashes.isEmpty ? "none" : crashes)
    }
}
