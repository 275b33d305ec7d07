/// The plain way: every state of the cluster carries blocks of its own, copied from the state it was
/// reached from, and every step runs the code. Nothing is remembered but which states were seen.
///
/// If two blocks that ``NodeEncoding`` takes for one did something else from there on, this search
/// would reach other states than ``Explorer`` does, or take other steps: a test counts both.
/// It removes no messages.
package struct CopyingSearch {
    private struct Member {
        let state: NodeStates.State
        let number: UInt32
        let inbox: [UInt32]
    }

    private let nodes: NodeStates
    private var seen: Set<[UInt32]> = []
    private var queue: [[Member]] = []
    private let limit: Int
    package private(set) var transitions = 0
    package private(set) var violations: [String] = []

    package init(_ space: Space, limit: Int) {
        precondition(space.reductions.isDisjoint(with: [.deadMessages, .promptAnswers]))
        nodes = NodeStates(space)
        self.limit = limit
    }

    package var states: Int { seen.count }
    package var messages: Int { nodes.messages.count }

    /// Explore; false: there are more states than the limit.
    package mutating func run() -> Bool {
        add(
            (0..<Space.nodeCount).map { index in
                let number = nodes.first(index)
                return Member(state: nodes.states[Int(number)], number: number, inbox: [])
            })
        var place = 0
        while place < queue.count {
            visit(queue[place])
            queue[place] = []
            place += 1
            if seen.count > limit { return false }
        }
        return true
    }

    private mutating func add(_ members: [Member]) {
        let key = members.flatMap { [$0.number, UInt32.max] + $0.inbox + [UInt32.max] }
        if seen.insert(key).inserted { queue.append(members) }
    }

    private mutating func visit(_ members: [Member]) {
        for (index, member) in members.enumerated() {
            var events = member.inbox.map { NodeEvent.deliver($0) }
            events += member.state.pending.indices.map { NodeEvent.flush($0 + 1) }
            for event in [NodeEvent.campaign, .propose, .restart]
            where nodes.isEnabled(event, in: member.state) {
                events.append(event)
            }
            for event in events { step(members, index, event) }
        }
    }

    private mutating func step(_ members: [Member], _ index: Int, _ event: NodeEvent) {
        transitions += 1
        let outcome = nodes.run(members[index].state, event)
        if !outcome.violation.isEmpty { violations.append(outcome.violation) }
        let state =
            event == .restart
            ? nodes.states[Int(outcome.next)] : nodes.lastState(outcome.next)
        var next = members
        next[index] = Member(state: state, number: outcome.next, inbox: members[index].inbox)
        for message in outcome.sends {
            let to = next[nodes.messages[message].receiver]
            guard !to.inbox.contains(message) else { continue }
            next[nodes.messages[message].receiver] = Member(
                state: to.state, number: to.number, inbox: (to.inbox + [message]).sorted())
        }
        add(next)
    }
}
