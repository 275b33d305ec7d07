import PaxosSimulator
import Testing

/// One operation by its times; key 1, no end: it has no answer.
func operation(
    _ client: Int, _ call: Operation.Call, _ times: ClosedRange<UInt64>,
    _ outcome: Operation.Outcome, key: UInt32 = 1
) -> Operation {
    Operation(
        client: client, key: key, call: call,
        invoked: Moment(time_ns: times.lowerBound, order: 0),
        responded: outcome == .unknown ? .never : Moment(time_ns: times.upperBound, order: 0),
        outcome: outcome)
}

/// The same question, answered by trying every order of every choice of operations: for histories
/// of a few operations on one key.
func hasOrder(_ history: [Operation]) -> Bool {
    func extend(_ placed: Set<Int>, _ value: Operation.Value) -> Bool {
        let left = history.indices.filter {
            !placed.contains($0) && history[$0].outcome != .refused
        }
        if left.allSatisfy({ history[$0].found == nil }) { return true }
        let firstResponse = left.map { history[$0].responded }.min()!
        return left.contains { index in
            guard history[index].invoked <= firstResponse,
                let after = history[index].applied(to: value)
            else { return false }
            return extend(placed.union([index]), after)
        }
    }
    return extend([], 0)
}

/// A history made by hand.
struct History: CustomTestStringConvertible {
    let name: String
    let operations: [Operation]
    var testDescription: String { name }

    init(_ name: String, _ operations: [Operation]) {
        self.name = name
        self.operations = operations
    }
}
