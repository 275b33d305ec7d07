import CPaxos

/// A node's state together with the messages on their way to it, by number; and for each, what may
/// happen next, worked out once.
///
/// The network is a set. A message stays deliverable after it was delivered (repetition), may never
/// be delivered (loss), and in any order; so one set for each receiver is all there is to know.
struct LocalStates: ~Copyable {
    struct Transition: BitwiseCopyable {
        var next: UInt32
        var event: UInt32
        /// Numbers of the sets of messages that this sends to nodes 1, 2, 3; 0: none.
        var sent: (UInt32, UInt32, UInt32)
        /// Place in `violations`; 0: none.
        var violation: UInt32
        /// Whether votes or beliefs changed: the state of the whole must be looked at.
        var isNews: Bool
        /// Whether somebody may have a question now that is answered in this very step.
        var mayAsk: Bool
    }

    struct Local: BitwiseCopyable {
        var node: UInt32
        var inbox: UInt32
        /// Place of its first transition; -1: not worked out yet.
        var first: Int
        var count: UInt32
        var index: UInt32
        /// Place of its answer, if it has a question that is answered at once; -1: none.
        var answer: Int32 = -1
    }

    /// What becomes of a node that answers a question, and the numbers of the sets of messages that
    /// this sends.
    struct Answer: BitwiseCopyable {
        var next: UInt32
        var sent: (UInt32, UInt32, UInt32)
    }

    let nodes: NodeStates
    private(set) var locals = Column<Local>()
    private(set) var transitions = Column<Transition>()
    private(set) var answers = Column<Answer>()
    private(set) var violations = [""]
    private var numbers = PairTable()
    private var insertions = PairTable()
    private var steps = PairTable()
    private var outcomes: [(next: UInt32, sent: (UInt32, UInt32, UInt32), violation: UInt32)] = []
    private var deaths = PairTable()
    private var sets = MessageSets()
    private let deadMessages: DeadMessages
    private let removesDead: Bool
    let answersPromptly: Bool

    init(_ space: Space) {
        nodes = NodeStates(space)
        deadMessages = DeadMessages(space.reductions)
        removesDead = space.reductions.contains(.deadMessages)
        answersPromptly = space.reductions.contains(.promptAnswers)
    }

    var count: Int { locals.count }
    var setCount: Int { sets.count }

    mutating func first(_ index: Int) -> UInt32 {
        number(node: nodes.first(index), inbox: 0, index: UInt32(index))
    }

    private mutating func number(node: UInt32, inbox: UInt32, index: UInt32) -> UInt32 {
        if let known = numbers.find(node, inbox) { return known }
        let number = UInt32(locals.count)
        numbers.insert(node, inbox, number)
        locals.append(Local(node: node, inbox: inbox, first: -1, count: 0, index: index))
        if answersPromptly { answerFirst(number) }
        return number
    }

    /// Note the answer to the first question, if there is one, of a local state.
    private mutating func answerFirst(_ local: UInt32) {
        let (node, inbox) = (locals[local].node, sets[locals[local].inbox])
        guard let question = inbox.first(where: { isAnswered($0, node) }) else { return }
        let rest = sets.number(of: inbox.filter { $0 != question })
        let next = number(node: node, inbox: rest, index: locals[local].index)
        locals[local].answer = Int32(answers.count)
        answers.append(Answer(next: next, sent: step(node, .deliver(question)).sent))
    }

    /// Whether a message asks for decided slots, and gets them all, by a node that stays as it is.
    private mutating func isAnswered(_ message: UInt32, _ node: UInt32) -> Bool {
        let question = nodes.messages[message]
        let decided = nodes.states[Int(node)].image.acceptor.pointee.decided
        guard question.kind == PAXOS_FRAME_LEARN.rawValue, question.lastSlot <= decided else {
            return false
        }
        let outcome = step(node, .deliver(message))
        return outcome.next == node && !LocalStates.isSilent(outcome.sent)
    }

    func state(_ local: UInt32) -> NodeStates.State { nodes.states[Int(locals[local].node)] }
    func inbox(_ local: UInt32) -> [UInt32] { sets[locals[local].inbox] }
    func sent(_ set: UInt32) -> [UInt32] { sets[set] }

    // MARK: Steps of the whole

    /// The state of the whole after a step of a node: its messages are on their way, and questions
    /// that are to be answered at once are answered.
    @inline(__always)
    mutating func after(
        _ transition: Transition, of node: Int, in state: GlobalState
    ) -> GlobalState {
        var next = state
        next.locals[node] = transition.next
        add(transition.sent, to: &next)
        if transition.mayAsk { answerAll(&next) }
        return next
    }

    @inline(__always)
    private mutating func add(_ sent: (UInt32, UInt32, UInt32), to state: inout GlobalState) {
        if sent.0 != 0 { state.locals[0] = adding(sent.0, to: state.locals[0]) }
        if sent.1 != 0 { state.locals[1] = adding(sent.1, to: state.locals[1]) }
        if sent.2 != 0 { state.locals[2] = adding(sent.2, to: state.locals[2]) }
    }

    /// Each answer takes a question away, and asks none.
    @inline(never)
    private mutating func answerAll(_ state: inout GlobalState) {
        for node in 0..<Space.nodeCount {
            while locals[state.locals[node]].answer >= 0 {
                let answer = answers[Int(locals[state.locals[node]].answer)]
                state.locals[node] = answer.next
                add(answer.sent, to: &state)
            }
        }
    }

    // MARK: Messages come in

    /// A local state with a set of messages more on their way.
    @inline(__always)
    mutating func adding(_ set: UInt32, to local: UInt32) -> UInt32 {
        if let known = insertions.find(local, set) { return known }
        return addingNew(set, to: local)
    }

    @inline(never)
    private mutating func addingNew(_ set: UInt32, to local: UInt32) -> UInt32 {
        let old = locals[local]
        var inbox = sets[old.inbox]
        for message in sets[set] where !inbox.contains(message) && !isDead(message, old.node) {
            inbox.append(message)
        }
        let next = number(node: old.node, inbox: sets.number(of: inbox), index: old.index)
        insertions.insert(local, set, next)
        return next
    }

    private mutating func isDead(_ message: UInt32, _ node: UInt32) -> Bool {
        guard removesDead else { return false }
        if let known = deaths.find(message, node) { return known != 0 }
        let state = nodes.states[Int(node)]
        var isDead =
            deadMessages.isDead(nodes.messages[message], at: state.image.replica)
            && doesNothing(message, node)
        if isDead, let recovered = state.recovered { isDead = self.isDead(message, recovered) }
        deaths.insert(message, node, isDead ? 1 : 0)
        return isDead
    }

    /// Whether a message that is held to be dead does nothing now, or only repeats its answer: what
    /// a rule says is believed only where the shipping code agrees.
    private mutating func doesNothing(_ message: UInt32, _ node: UInt32) -> Bool {
        let outcome = step(node, .deliver(message))
        let kind = nodes.messages[message].kind
        let isRequest =
            kind == PAXOS_FRAME_PREPARE.rawValue || kind == PAXOS_FRAME_ACCEPT.rawValue
        return outcome.next == node && outcome.violation == 0
            && (isRequest || LocalStates.isSilent(outcome.sent))
    }

    private static func isSilent(_ sent: (UInt32, UInt32, UInt32)) -> Bool {
        sent.0 | sent.1 | sent.2 == 0
    }

    // MARK: What may happen

    /// Work out what may happen next in a local state.
    @inline(never)
    mutating func expand(_ local: UInt32) {
        let old = locals[local]
        let first = transitions.count
        let state = nodes.states[Int(old.node)]
        if nodes.isEnabled(.campaign, in: state) { add(.campaign, old, state) }
        if nodes.isEnabled(.propose, in: state) { add(.propose, old, state) }
        for message in sets[old.inbox] { add(.deliver(message), old, state) }
        for records in 0..<state.pending.count { add(.flush(records + 1), old, state) }
        if nodes.isEnabled(.restart, in: state) { add(.restart, old, state) }
        locals[local].first = first
        locals[local].count = UInt32(transitions.count - first)
    }

    private mutating func add(_ event: NodeEvent, _ old: Local, _ before: NodeStates.State) {
        let outcome = step(old.node, event)
        var inbox = sets[old.inbox]
        if outcome.next != old.node {
            inbox.removeAll { isDead($0, outcome.next) }
        }
        let next = number(node: outcome.next, inbox: sets.number(of: inbox), index: old.index)
        let after = nodes.states[Int(outcome.next)]
        let votes = nodes.disks[after.disk].votes != nodes.disks[before.disk].votes
        let sent = [outcome.sent.0, outcome.sent.1, outcome.sent.2].flatMap { sets[$0] }
        let asks = sent.contains { nodes.messages[$0].kind == PAXOS_FRAME_LEARN.rawValue }
        transitions.append(
            Transition(
                next: next, event: event.code, sent: outcome.sent, violation: outcome.violation,
                isNews: votes || after.believed != before.believed,
                mayAsk: asks || locals[next].answer >= 0))
    }

    private mutating func step(
        _ node: UInt32, _ event: NodeEvent
    ) -> (next: UInt32, sent: (UInt32, UInt32, UInt32), violation: UInt32) {
        if let known = steps.find(node, event.code) { return outcomes[Int(known)] }
        let outcome = nodes.step(node, event)
        var sent: [[UInt32]] = [[], [], []]
        for message in outcome.sends { sent[nodes.messages[message].receiver].append(message) }
        var violation: UInt32 = 0
        if !outcome.violation.isEmpty {
            violation = UInt32(violations.count)
            violations.append(outcome.violation)
        }
        steps.insert(node, event.code, UInt32(outcomes.count))
        outcomes.append(
            (
                outcome.next,
                (sets.number(of: sent[0]), sets.number(of: sent[1]), sets.number(of: sent[2])),
                violation
            ))
        return outcomes.last!
    }
}

/// Sets of messages, by number; 0 is the empty one.
struct MessageSets {
    private var sets: [[UInt32]] = [[]]
    private var numbers: [[UInt32]: UInt32] = [[]: 0]

    var count: Int { sets.count }
    subscript(number: UInt32) -> [UInt32] { sets[Int(number)] }

    mutating func number(of messages: [UInt32]) -> UInt32 {
        let sorted = messages.sorted()
        if let number = numbers[sorted] { return number }
        let number = UInt32(sets.count)
        numbers[sorted] = number
        sets.append(sorted)
        return number
    }
}
