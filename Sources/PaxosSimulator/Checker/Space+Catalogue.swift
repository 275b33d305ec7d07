/// The spaces that `paxos-sim check` knows by name.
extension Space {
    /// A few seconds to a minute each: what every change must pass.
    package static let quick: [Space] = [
        Space(
            name: "duel", rounds: [1, 1, 0],
            reductions: [.deadMessages, .likeMessages, .likeReplies, .noHeartbeats]),
        Space(name: "single-2x2", rounds: [2, 2, 0], reductions: .usual.subtracting(.promptFlush)),
        Space(name: "single-2x2-crash-1", rounds: [2, 2, 0], restarts: [1, 0, 0]),
        Space(name: "single-2x2-crash-2", rounds: [2, 2, 0], restarts: [0, 1, 0]),
        Space(name: "single-2x2-crash-3", rounds: [2, 2, 0], restarts: [0, 0, 1]),
        Space(
            name: "takeover", rounds: [1, 1, 0], slots: 2,
            reductions: .usual.union(.noLearning)),
    ]

    /// Minutes each.
    package static let thorough: [Space] = [
        Space(name: "single-2x2-crash-all", rounds: [2, 2, 0], restarts: [1, 1, 1]),
        Space(name: "single-2x3", rounds: [3, 3, 0]),
        Space(
            name: "takeover-again", rounds: [2, 2, 0], slots: 2,
            reductions: .usual.union(.noLearning)),
        Space(name: "takeover-learning", rounds: [1, 1, 0], slots: 2),
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
