import PaxosSimulator

/// What no map could have answered.
extension History {
    static let bad: [History] = [
        History(
            "a stale read",
            [
                operation(1, .put(5), 1...2, .found(0)),
                operation(2, .get, 3...4, .found(0)),
            ]),
        History(
            "a lost update: two swaps of the same value",
            [
                operation(1, .swap(expected: 0, 5), 1...4, .found(0)),
                operation(2, .swap(expected: 0, 6), 2...5, .found(0)),
            ]),
        History(
            "a lost update: a write that nothing shows any more",
            [
                operation(1, .put(5), 1...2, .found(0)),
                operation(2, .put(6), 3...4, .found(0)),
                operation(1, .get, 5...6, .found(6)),
            ]),
        History(
            "a value that was never written",
            [
                operation(1, .put(5), 1...2, .found(0)),
                operation(2, .get, 3...4, .found(7)),
            ]),
        History(
            "a read before the write",
            [
                operation(2, .get, 1...2, .found(5)),
                operation(1, .put(5), 3...4, .found(0)),
            ]),
        History(
            "reads that are not monotonic",
            [
                operation(1, .put(5), 1...10, .found(0)),
                operation(2, .get, 2...3, .found(5)),
                operation(3, .get, 4...5, .found(0)),
            ]),
        History(
            "two readers that see two writes in different orders",
            [
                operation(1, .put(5), 1...20, .found(0)),
                operation(2, .put(6), 1...20, .unknown),
                operation(3, .get, 2...3, .found(5)),
                operation(3, .get, 4...5, .found(6)),
                operation(4, .get, 6...7, .found(5)),
            ]),
        History(
            "a refused write that is read",
            [
                operation(1, .put(5), 1...2, .refused),
                operation(2, .get, 3...4, .found(5)),
            ]),
        History(
            "an unknown write that happened and then did not",
            [
                operation(1, .put(5), 1...2, .unknown),
                operation(2, .get, 3...4, .found(5)),
                operation(2, .get, 5...6, .found(0)),
            ]),
        History(
            "an unknown write that happened twice",
            [
                operation(1, .put(5), 1...2, .unknown),
                operation(2, .get, 3...4, .found(5)),
                operation(2, .put(6), 5...6, .found(5)),
                operation(2, .get, 7...8, .found(5)),
            ]),
        History(
            "an unknown write that was read before it was asked for",
            [
                operation(2, .get, 1...2, .found(5)),
                operation(1, .put(5), 3...4, .unknown),
            ]),
        History(
            "a swap that wrote although it found another value",
            [
                operation(1, .put(5), 1...2, .found(0)),
                operation(2, .swap(expected: 0, 6), 3...4, .found(5)),
                operation(1, .get, 5...6, .found(6)),
            ]),
        History(
            "good keys do not hide a bad one",
            [
                operation(1, .put(5), 1...2, .found(0), key: 1),
                operation(1, .get, 3...4, .found(5), key: 1),
                operation(2, .put(6), 1...2, .found(0), key: 2),
                operation(2, .get, 3...4, .found(0), key: 2),
            ]),
    ]
}
