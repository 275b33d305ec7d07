import PaxosSimulator

/// What one map could have answered.
extension History {
    static let good: [History] = [
        History(
            "nothing", []),
        History(
            "the initial value", [operation(1, .get, 1...2, .found(0))]),
        History(
            "one after the other",
            [
                operation(1, .put(5), 1...2, .found(0)),
                operation(2, .get, 3...4, .found(5)),
                operation(2, .put(6), 5...6, .found(5)),
                operation(1, .get, 7...8, .found(6)),
            ]),
        History(
            "a read during a write sees the old value",
            [
                operation(1, .put(5), 1...9, .found(0)),
                operation(2, .get, 2...3, .found(0)),
                operation(2, .get, 4...5, .found(5)),
            ]),
        History(
            "overlapping writes in the other order",
            [
                operation(1, .put(5), 1...8, .found(6)),
                operation(2, .put(6), 2...7, .found(0)),
                operation(3, .get, 9...10, .found(5)),
            ]),
        History(
            "responses in the order opposite to the effects",
            [
                operation(1, .swap(expected: 0, 5), 1...20, .found(0)),
                operation(2, .swap(expected: 5, 6), 2...10, .found(5)),
                operation(3, .swap(expected: 6, 7), 3...5, .found(6)),
            ]),
        History(
            "a swap in vain changes nothing",
            [
                operation(1, .put(5), 1...2, .found(0)),
                operation(2, .swap(expected: 4, 6), 3...4, .found(5)),
                operation(1, .get, 5...6, .found(5)),
            ]),
        History(
            "an unknown write that did happen, much later",
            [
                operation(1, .put(5), 1...2, .unknown),
                operation(2, .get, 3...4, .found(0)),
                operation(2, .put(6), 5...6, .found(0)),
                operation(2, .get, 7...8, .found(5)),
            ]),
        History(
            "an unknown write that never happened",
            [
                operation(1, .put(5), 1...2, .unknown),
                operation(2, .get, 3...4, .found(0)),
                operation(2, .get, 5...6, .found(0)),
            ]),
        History(
            "an unknown swap of what an unknown write wrote",
            [
                operation(1, .put(5), 1...2, .unknown),
                operation(2, .swap(expected: 5, 6), 3...4, .unknown),
                operation(3, .get, 5...6, .found(6)),
            ]),
        History(
            "a refused write that did not happen",
            [
                operation(1, .put(5), 1...2, .refused),
                operation(2, .get, 3...4, .found(0)),
            ]),
        History(
            "keys do not touch each other",
            [
                operation(1, .put(5), 1...2, .found(0), key: 1),
                operation(2, .get, 3...4, .found(0), key: 2),
                operation(2, .put(5), 5...6, .found(0), key: 2),
            ]),
    ]
}
