/// Whether what clients saw could have come from one map, each operation at one instant between its
/// invocation and its response. Keys are independent: the history is checked key by key (Herlihy and
/// Wing, "Linearizability" (1990), theorem 1: locality).
package enum LinearizabilityChecker {
    package struct Violation: Error, CustomStringConvertible, Sendable {
        package let key: UInt32
        package let reason: String
        /// What was done with the values in question, by time.
        package let operations: [Operation]

        package var description: String {
            let lines = operations.map { "\n  \($0)" }.joined()
            return "key \(key) is not linearizable: \(reason)\(lines)"
        }
    }

    /// The first violation of a history; nil: it is linearizable.
    ///
    /// - Parameter history: operations in any order; written values are unique and not 0.
    /// - Complexity: as ``Search/run()`` for each key.
    package static func violation(in history: [Operation]) -> Violation? {
        let keys = Dictionary(grouping: history, by: \.key)
        for key in keys.keys.sorted() {
            if let violation = violation(of: key, keys[key]!) { return violation }
        }
        return nil
    }

    private static func violation(of key: UInt32, _ operations: [Operation]) -> Violation? {
        var writers: [Operation.Value: Int] = [:]
        writers.reserveCapacity(operations.count)
        for (index, operation) in operations.enumerated() {
            guard let value = operation.written else { continue }
            precondition(value != 0, "0 is what a key holds before it is written")
            precondition(writers[value] == nil, "\(value) is written twice: \(operation)")
            writers[value] = index
        }
        func violation(_ reason: String, about values: Set<Operation.Value>) -> Violation {
            let related = operations.filter { operation in
                [operation.written, operation.found].contains { $0.map(values.contains) ?? false }
            }
            return Violation(
                key: key, reason: reason, operations: related.sorted { $0.invoked < $1.invoked })
        }
        for operation in operations {
            guard let found = operation.found, found != 0 else { continue }
            guard let writer = writers[found] else {
                return violation("\(found) was never written", about: [found])
            }
            if operations[writer].outcome == .refused {
                return violation("\(found) was refused, and is read", about: [found])
            }
        }
        var search = Search(relevant(operations, writers))
        if search.run() { return nil }
        let stuck = search.stuck!
        let values = Set(
            [stuck.value, stuck.operation.found, stuck.operation.written].compactMap(\.self))
        return violation(
            "after \(stuck.placed) operations it holds \(stuck.value); no place for \(stuck.operation)",
            about: values)
    }

    /// Without what was refused, and without what may have happened but left no trace: a write whose
    /// value no answer names was replaced by a write without an answer, if it happened at all, and
    /// what it had replaced could have been replaced by that one.
    private static func relevant(
        _ operations: [Operation], _ writers: [Operation.Value: Int]
    ) -> [Operation] {
        var named: Set<Operation.Value> = []
        var unseen = operations.compactMap(\.found)
        while let value = unseen.popLast() {
            guard named.insert(value).inserted, let writer = writers[value] else { continue }
            /* A swap of unknown outcome that did happen found what it expected. */
            if case .swap(let expected, _) = operations[writer].call,
                operations[writer].outcome == .unknown
            {
                unseen.append(expected)
            }
        }
        return operations.filter { operation in
            switch operation.outcome {
            case .found: true
            case .refused: false
            case .unknown: operation.written.map(named.contains) ?? false
            }
        }
    }
}
