/// The search for a linearization of the operations on one key: an order in which each operation
/// takes effect at one instant between its invocation and its response.
///
/// Depth first: any operation that was invoked before the first response still open may be next. A
/// set of operations done, with the value they lead to, is never tried twice (Lowe). It is known by
/// a 128-bit sum of random words: a collision could cause a false alarm, never hide a violation.
///
/// No value is written twice, so one that was replaced never comes back: a write is next only when
/// every answer that names the present value is placed. This keeps the search linear where clients
/// crash often and leave writes behind that may still happen at any time.
///
/// - Source: Wing, Gong, "Testing and Verifying Concurrent Objects" (1993); Lowe, "Testing for
///   Linearizability" (2017), section 3.
struct Search {
    private struct Configuration: Hashable {
        let low: UInt64
        let high: UInt64
        let value: Operation.Value

        /// Its words are random already.
        func hash(into hasher: inout Hasher) { hasher.combine(low ^ value) }
    }
    private struct Step {
        let operation: Int
        let pendingIndex: Int?
        let before: Operation.Value
    }

    private let operations: [Operation]
    /// Calls and responses of completed operations by time, as a doubly linked list that placed
    /// operations leave: node 2i + 1 is the call of operation i, 2i + 2 its response, 0 the ends.
    private var next: [Int]
    private var previous: [Int]
    /// Operations that may happen at any time after their invocation, or never; by invocation.
    private let pending: [Int]
    private var isPlaced: [Bool]
    private var open: Int
    /// How many answers that name a value are not placed.
    private var observers: [Operation.Value: Int] = [:]
    private var value: Operation.Value = 0
    private var sum = Configuration(low: 0, high: 0, value: 0)
    private var seen: Set<Configuration> = []
    private var steps: [Step] = []
    /// The response that no order reached, where the most operations were placed.
    private(set) var stuck: (operation: Operation, value: Operation.Value, placed: Int)?

    /// - Parameter operations: completed and unknown ones of one key; what they write is unique and
    ///   not 0.
    init(_ operations: [Operation]) {
        self.operations = operations
        var events: [(moment: Moment, node: Int)] = []
        var pending: [Int] = []
        for (index, operation) in operations.enumerated() {
            guard let found = operation.found else {
                pending.append(index)
                continue
            }
            events.append((operation.invoked, 2 * index + 1))
            events.append((operation.responded, 2 * index + 2))
            observers[found, default: 0] += 1
        }
        /* What happened at one moment was concurrent: calls first. */
        events.sort { ($0.moment, $1.node % 2) < ($1.moment, $0.node % 2) }
        next = [Int](repeating: 0, count: 2 * operations.count + 1)
        previous = next
        var last = 0
        for event in events {
            next[last] = event.node
            previous[event.node] = last
            last = event.node
        }
        previous[0] = last
        self.pending = pending.sorted { operations[$0].invoked < operations[$1].invoked }
        isPlaced = [Bool](repeating: false, count: operations.count)
        open = events.count / 2
        steps.reserveCapacity(operations.count)
        seen.reserveCapacity(operations.count)
    }

    private enum Cursor {
        /// A node of the list of calls and responses.
        case event(Int)
        /// An index into `pending`.
        case pending(Int)
    }

    /// Whether there is an order.
    /// - Complexity: O(n log n) for n operations with few concurrent ones; exponential in the number
    ///   of concurrent operations at worst.
    mutating func run() -> Bool {
        var cursor = Cursor.event(next[0])
        while open > 0 {
            switch cursor {
            case .event(let node) where node % 2 == 1:
                let isNext = place((node - 1) / 2, pendingIndex: nil)
                cursor = .event(isNext ? next[0] : next[node])
            case .event:
                /* Before this response nothing else can be next but what may happen at any time. */
                cursor = .pending(0)
            case .pending(let index):
                if index < pending.count && operations[pending[index]].invoked <= firstResponse {
                    let isNext = place(pending[index], pendingIndex: index)
                    cursor = isNext ? .event(next[0]) : .pending(index + 1)
                } else {
                    guard let back = stepBack() else { return false }
                    cursor = back
                }
            }
        }
        return true
    }

    /// The first response of an operation that is not placed.
    private var firstResponseNode: Int {
        var node = next[0]
        while node % 2 == 1 { node = next[node] }
        return node
    }
    private var firstResponse: Moment { operations[firstResponseNode / 2 - 1].responded }

    /// Let an operation be the next one, if it may be and this was not tried before.
    private mutating func place(_ index: Int, pendingIndex: Int?) -> Bool {
        if isPlaced[index] { return false }
        let operation = operations[index]
        guard let after = operation.applied(to: value) else { return false }
        let named = operation.found == nil ? 0 : 1
        if after != value {
            if observers[value, default: 0] > named { return false }
        } else if operation.found == nil {
            return false /* a swap in vain: it may as well never happen */
        }
        let (low, high) = Self.words(index)
        let reached = Configuration(low: sum.low &+ low, high: sum.high &+ high, value: after)
        if !seen.insert(reached).inserted { return false }
        steps.append(Step(operation: index, pendingIndex: pendingIndex, before: value))
        isPlaced[index] = true
        sum = reached
        if operation.found != nil {
            observers[value]! -= 1
            open -= 1
            unlink(2 * index + 1)
            unlink(2 * index + 2)
        }
        value = after
        return true
    }

    /// Take the last operation back; where to go on, nil: nothing is left to try.
    private mutating func stepBack() -> Cursor? {
        if stuck == nil || steps.count > stuck!.placed {
            stuck = (operations[firstResponseNode / 2 - 1], value, steps.count)
        }
        guard let step = steps.popLast() else { return nil }
        let index = step.operation
        let (low, high) = Self.words(index)
        isPlaced[index] = false
        value = step.before
        sum = Configuration(low: sum.low &- low, high: sum.high &- high, value: value)
        if let pendingIndex = step.pendingIndex { return .pending(pendingIndex + 1) }
        observers[value]! += 1
        open += 1
        relink(2 * index + 2)
        relink(2 * index + 1)
        return .event(next[2 * index + 1])
    }

    private mutating func unlink(_ node: Int) {
        next[previous[node]] = next[node]
        previous[next[node]] = previous[node]
    }

    private mutating func relink(_ node: Int) {
        next[previous[node]] = node
        previous[next[node]] = node
    }

    /// Two random words for an operation, the same in every run.
    private static func words(_ index: Int) -> (UInt64, UInt64) {
        var random = SplitMix(seed: UInt64(index))
        return (random.next(), random.next())
    }
}
