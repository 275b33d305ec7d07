import CPaxos

/// Breadth-first search of a space: every state of the cluster that can be reached, the nearest
/// first, so that what breaks a rule is found with the fewest steps.
package struct Explorer: ~Copyable {
    /// How it ended.
    package enum Verdict: Sendable, Equatable {
        /// Every reachable state was seen, and every rule holds in each.
        case covered
        /// A rule is broken; the steps that lead there, and which rule.
        case violated(steps: [String], rule: String)
        /// Not everything was seen: more states than were allowed.
        case unfinished
        /// Not everything was seen: the next states need more memory than was allowed.
        case outOfMemory
    }

    /// Where a search gives up.
    package struct Bounds {
        /// So many states, at most.
        package var states: Int
        /// So many bytes, of those that `bytesInUse` says this process takes.
        package var bytes: Int
        package var bytesInUse: () -> Int

        package init(
            states: Int = .max, bytes: Int = .max, bytesInUse: @escaping () -> Int = { 0 }
        ) {
            self.states = states
            self.bytes = bytes
            self.bytesInUse = bytesInUse
        }
    }

    package struct Progress: Sendable {
        package var states = 0
        package var transitions = 0
        package var depth = 0
        package var nodeStates = 0
        package var localStates = 0
        package var messages = 0
        package var codeRuns = 0
        package var waiting = 0
    }

    private var locals: LocalStates
    private var table = GlobalTable()
    private var agreement = Agreement()
    private var transitions = 0
    private var depth = 0
    private var place = 0
    /// At how many states the memory is looked at next.
    private var nextLook = 0
    let space: Space

    package init(_ space: Space) {
        self.space = space
        locals = LocalStates(space)
    }

    package var progress: Progress {
        Progress(
            states: table.count, transitions: transitions, depth: depth,
            nodeStates: locals.nodes.states.count, localStates: locals.count,
            messages: locals.nodes.messages.count, codeRuns: locals.nodes.steps,
            waiting: table.count - place)
    }

    /// Explore until all is seen, a rule is broken, or a bound is reached.
    ///
    /// - Parameter report: called about every million states.
    package mutating func run(
        within bounds: Bounds = Bounds(), report: (Progress) -> Void = { _ in }
    ) -> Verdict {
        let first = GlobalState(
            locals: SIMD4(locals.first(0), locals.first(1), locals.first(2), 0))
        _ = table.insert(first, parent: 0)
        var levelEnd = 1
        while place < table.count {
            if place == levelEnd {
                depth += 1
                levelEnd = table.count
            }
            if let verdict = visit() { return verdict }
            place += 1
            if place & 0xFFFFF == 0 { report(progress) }
            if table.count > bounds.states { return .unfinished }
            if table.count >= nextLook && !hasMemory(bounds) { return .outOfMemory }
        }
        return .covered
    }

    /// Whether there is memory for the states until the next look; looks again then.
    private mutating func hasMemory(_ bounds: Bounds) -> Bool {
        /* Before the hash table doubles, there is to be a look; one state leads to far fewer. */
        let margin = 1 << 14
        let isGrowing = table.room <= margin
        nextLook = table.count + (isGrowing ? margin * 2 : min(1 << 18, table.room - margin))
        let needed = isGrowing ? table.growthBytes : 0
        return bounds.bytesInUse() <= bounds.bytes - needed
    }

    /// Every step out of the state at `place`. Never inlined, and the code of the nodes runs before
    /// anything else: so where it stops the program, ``lastWords()`` finds the tables in order.
    @inline(never)
    private mutating func visit() -> Verdict? {
        let state = table[place]
        for node in 0..<Space.nodeCount where locals.locals[state.locals[node]].first < 0 {
            locals.expand(state.locals[node])
        }
        for node in 0..<Space.nodeCount {
            let local = locals.locals[state.locals[node]]
            for index in local.first..<local.first &+ Int(local.count) {
                let transition = locals.transitions[index]
                let next = locals.after(transition, of: node, in: state)
                transitions &+= 1
                if transition.violation != 0 {
                    return .violated(
                        steps: steps(to: place) + [words(node, transition)],
                        rule: locals.violations[Int(transition.violation)])
                }
                if next == state { continue }
                if table.insert(next, parent: UInt32(place)) && transition.isNews,
                    let rule = broken(next)
                {
                    return .violated(steps: steps(to: table.count - 1), rule: rule)
                }
            }
        }
        return nil
    }

    private mutating func broken(_ state: GlobalState) -> String? {
        let states = (0..<3).map { locals.state(state.locals[$0]) }
        let votes = states.map { locals.nodes.disks[$0.disk].votes }
        return agreement.broken(
            votes: (votes[0], votes[1], votes[2]),
            believed: (states[0].believed, states[1].believed, states[2].believed),
            &locals.nodes.disks.votes)
    }

    /// What the nodes came to vote for, together: every combination of durable votes that was
    /// reached, in words. A reduction that loses none of them loses no decision.
    package func outcomes() -> Set<String> {
        var sets: Set<[VoteSet]> = []
        for place in 0..<table.count {
            let state = table[place]
            sets.insert(
                (0..<3).map { locals.nodes.disks[locals.state(state.locals[$0]).disk].votes })
        }
        return Set(
            sets.map { set in
                set.map { votes in
                    locals.nodes.disks.votes.votes(in: votes)
                        .map { "\($0.slot):\(ballotName($0.ballot)):\($0.entry)" }
                        .sorted().joined(separator: ",")
                }.joined(separator: " | ")
            })
    }

    /// What the nodes came to believe decided, together: every combination that was reached, a set
    /// of values for each node. A reduction that loses none of them lets news through, too.
    package func beliefs() -> Set<[UInt64]> {
        var sets: Set<[UInt64]> = []
        for place in 0..<table.count {
            let state = table[place]
            sets.insert((0..<Space.nodeCount).map { locals.state(state.locals[$0]).believed })
        }
        return sets
    }

    // MARK: Counterexamples

    /// What was done before the code that runs now: for when it stops the program.
    package mutating func lastWords() -> [String] {
        steps(to: place) + [locals.nodes.running.map { words($0.node, $0.event) } ?? "?"]
    }

    /// The steps from the first state to the one at a place, in words.
    private mutating func steps(to place: Int) -> [String] {
        let path = table.path(to: place)
        return zip(path, path.dropFirst()).map { from, to in
            step(from: table[from], to: table[to])
        }
    }

    private mutating func step(from: GlobalState, to: GlobalState) -> String {
        for node in 0..<Space.nodeCount {
            let local = locals.locals[from.locals[node]]
            for index in local.first..<local.first + Int(local.count) {
                let transition = locals.transitions[index]
                let next = locals.after(transition, of: node, in: from)
                if next == to { return words(node, transition) }
            }
        }
        preconditionFailure("a state was reached by no step")
    }

    private func words(_ node: Int, _ event: NodeEvent) -> String {
        let name = "node \(node + 1)"
        switch event {
        case .deliver(let message):
            return "\(name) receives \(locals.nodes.messages.packet(message).title)"
        case .flush(1): return "\(name) has 1 more record on its disk"
        case .flush(let records): return "\(name) has \(records) more records on its disk"
        case .campaign: return "\(name) campaigns"
        case .propose: return "\(name) proposes"
        case .restart: return "\(name) crashes and comes back with what its disk holds"
        }
    }

    private func words(_ node: Int, _ transition: LocalStates.Transition) -> String {
        let words = words(node, NodeEvent(transition.event))
        let sent = [transition.sent.0, transition.sent.1, transition.sent.2]
            .flatMap { locals.sent($0) }.map { locals.nodes.messages.packet($0).title }
        if sent.isEmpty { return words }
        let answered = transition.mayAsk && locals.answersPromptly ? " (answered at once)" : ""
        return words + "; sends " + sent.joined(separator: ", ") + answered
    }
}

extension Packet {
    /// A frame in the words of the algorithm.
    var title: String {
        let name = description.prefix { $0 != " " }
        var words = "\(name) \(ballotName(fields.ballot)) \(from)->\(to)"
        if fields.count > 0 { words += " slot \(fields.slot)" }
        if fields.count > 1 { words += "-\(fields.slot + UInt64(fields.count) - 1)" }
        let values = entries.map { entry in
            entry.bytes.withUnsafeBufferPointer { "\(EntryWords($0.baseAddress!))" }
        }
        if !values.isEmpty { words += " (" + values.joined(separator: ", ") + ")" }
        if isKind(PAXOS_FRAME_PROMISE) && fields.other != 0 {
            words += " accepted under " + ballotName(fields.other)
        }
        if isKind(PAXOS_FRAME_REJECTED) { words += " for " + ballotName(fields.other) }
        return words
    }
}
