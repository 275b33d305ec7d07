import PaxosSimulator
import Testing

/// Each reduction of the checker switched off once, in a space small enough to do without it: the
/// verdict is the same, and so is every combination of votes that the nodes can come to, and of what
/// they can come to believe decided.
@Suite("reductions")
struct ReductionTests {
    private let all: Reductions = .usual
    /// What a search that copies blocks can do as well: it keeps all messages.
    private static let plain = Reductions.usual.subtracting([.deadMessages, .promptAnswers])

    private struct Seen {
        var verdict: Explorer.Verdict
        var outcomes: Set<String>
        var beliefs: Set<[UInt64]>
        var states: Int
    }

    private func explore(_ space: Space) -> Seen {
        var explorer = Explorer(space)
        let verdict = explorer.run(within: .init(states: 400_000))
        return Seen(
            verdict: verdict, outcomes: explorer.outcomes(), beliefs: explorer.beliefs(),
            states: explorer.progress.states)
    }

    /// The reduction lost states, and nothing else.
    private func expectSame(
        _ with: Seen, _ without: Seen, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(with.verdict == .covered, sourceLocation: sourceLocation)
        #expect(without.verdict == .covered, sourceLocation: sourceLocation)
        #expect(with.outcomes == without.outcomes, sourceLocation: sourceLocation)
        #expect(with.beliefs == without.beliefs, sourceLocation: sourceLocation)
        #expect(with.states < without.states, sourceLocation: sourceLocation)
    }

    private func expectSame(
        without reduction: Reductions, _ rounds: [UInt64], _ restarts: [UInt32] = [0, 0, 0],
        slots: UInt64 = 1,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let with = explore(
            Space(
                name: "with", rounds: rounds, slots: slots, restarts: restarts, reductions: all))
        let without = explore(
            Space(
                name: "without", rounds: rounds, slots: slots, restarts: restarts,
                reductions: all.subtracting(reduction)))
        expectSame(with, without, sourceLocation: sourceLocation)
    }

    @Test("messages that can do nothing are removed")
    func deadMessages() {
        expectSame(without: .deadMessages, [1, 1, 0])
        expectSame(without: .deadMessages, [1, 0, 0], [1, 0, 1])
    }

    @Test("messages that differ in what nobody reads are one")
    func likeMessages() { expectSame(without: .likeMessages, [1, 0, 0], [1, 0, 1]) }

    @Test("rejections are not delivered")
    func noRejections() { expectSame(without: .noRejections, [1, 1, 0]) }

    @Test("heartbeats are not delivered")
    func noHeartbeats() { expectSame(without: .noHeartbeats, [1, 0, 0]) }

    @Test("nobody asks to learn")
    func noLearning() {
        let learning = Space(name: "learning", rounds: [1, 1, 0], reductions: all)
        var silent = learning
        silent.reductions.insert(.noLearning)
        let with = explore(silent)
        let without = explore(learning)
        expectSame(with, without)
    }

    @Test("only leaders say what is decided")
    func noNews() { expectSame(without: .noNews, [1, 1, 0], [0, 0, 1]) }

    @Test("who knows all decided neither campaigns nor leads")
    func noIdleLeaders() { expectSame(without: .noIdleLeaders, [2, 1, 0]) }

    @Test("a question that can be answered is answered at once, and once")
    func promptAnswers() { expectSame(without: .promptAnswers, [1, 1, 0], [0, 0, 1]) }

    @Test(
        "what holds of one slot holds of two",
        arguments: [.deadMessages, .noNews, .promptAnswers, .promptFlush] as [Reductions])
    func twoSlots(_ reduction: Reductions) { expectSame(without: reduction, [1, 0, 0], slots: 2) }

    @Test("a flush happens at once where nothing left before it")
    func promptFlush() { expectSame(without: .promptFlush, [1, 1, 0]) }

    @Test("a reply like one that waits already is the same one")
    func likeReplies() {
        var space = Space(
            name: "slow", rounds: [1, 0, 0], reductions: all.subtracting(.promptFlush))
        space.replies = 2
        let with = explore(space)
        space.reductions.subtract(.likeReplies)
        let without = explore(space)
        expectSame(with, without)
    }

    @Test(
        "remembered steps are those that the code takes from any block of the same state",
        arguments: [
            Space(name: "votes", rounds: [1, 0, 0], reductions: ReductionTests.plain),
            Space(
                name: "flushes", rounds: [1, 0, 0],
                reductions: ReductionTests.plain.subtracting(.promptFlush)),
            Space(
                name: "crashes", rounds: [1, 0, 0], restarts: [1, 0, 0],
                reductions: ReductionTests.plain),
            Space(name: "duel", rounds: [1, 1, 0], reductions: ReductionTests.plain),
        ])
    func steps(_ space: Space) {
        var explorer = Explorer(space)
        let verdict = explorer.run()
        #expect(verdict == .covered)
        var search = CopyingSearch(space, limit: 50_000)
        let isWhole = search.run()
        #expect(isWhole)
        #expect(search.violations == [])
        #expect(search.states == explorer.progress.states)
        #expect(search.transitions == explorer.progress.transitions)
        #expect(search.messages == explorer.progress.messages)
    }
}
