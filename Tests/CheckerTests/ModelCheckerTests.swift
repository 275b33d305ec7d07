import PaxosSimulator
import Testing

/// What the checker says, and that it does say it.
@Suite("model checker")
struct ModelCheckerTests {
    @Test("single decree, two nodes with one ballot each, every node may crash once: all is seen")
    func duelWithCrashes() {
        var explorer = Explorer(
            Space(name: "duel", rounds: [1, 1, 0], restarts: [1, 1, 1]))
        let verdict = explorer.run()
        #expect(verdict == .covered)
        #expect(explorer.progress.depth > 20)
    }

    @Test("both proposers can win, and each of their values can be chosen by every quorum")
    func everyQuorum() {
        var explorer = Explorer(Space(name: "duel", rounds: [1, 1, 0]))
        let verdict = explorer.run()
        #expect(verdict == .covered)
        let outcomes = explorer.outcomes()
        for ballot in ["1.1", "1.2"] {
            for silent in 0..<3 {
                let isReached = outcomes.contains { outcome in
                    let voters = outcome.split(separator: "|", omittingEmptySubsequences: false)
                        .map { $0.contains("1:\(ballot):") }
                    return voters.indices.allSatisfy { voters[$0] == ($0 != silent) }
                }
                #expect(isReached, "\(ballot) chosen without node \(silent + 1)")
            }
        }
    }

    @Test("a search that is not allowed to see everything does not say that it did")
    func unfinished() {
        var explorer = Explorer(Space(name: "duel", rounds: [1, 1, 0]))
        let verdict = explorer.run(within: .init(states: 100))
        #expect(verdict == .unfinished)
    }

    @Test("a search stops before it takes more memory than it is allowed")
    func outOfMemory() {
        var explorer = Explorer(Space(name: "duel", rounds: [1, 1, 0]))
        let verdict = explorer.run(within: .init(bytes: 1_000_000) { 1_000_001 })
        #expect(verdict == .outOfMemory)
    }

    @Test("what an acceptor that forgot its promise leads to comes with the fewest steps")
    func fewestSteps() {
        var space = Space(name: "forgetful", rounds: [1, 1, 0], restarts: [0, 0, 1])
        space.isForgetful = true
        var explorer = Explorer(space)
        guard case .violated(let steps, let rule) = explorer.run() else {
            Issue.record("a disk that loses records was not noticed")
            return
        }
        #expect(rule.contains("node 3 came back without its promise"))
        /* campaign, receive, crash */
        #expect(steps.count == 3, "\(steps)")
        #expect(steps.first?.contains("campaigns") == true)
        #expect(steps.last?.contains("crashes") == true)
    }
}
