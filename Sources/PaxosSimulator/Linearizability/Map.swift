/// The state machine that clients use: a map, which a node makes from the entries it is handed.
struct Map {
    private struct Change {
        let slot: UInt64
        let key: UInt32
        let before: Operation.Value
    }

    private var values: [Operation.Value]
    private var changes: [Change] = []
    /// The last slot whose entry it was handed.
    private(set) var applied: UInt64 = 0

    init(keys: Int) { values = [Operation.Value](repeating: 0, count: keys) }

    /// Do what the command in a slot asks, nil: there is none; the value that it found.
    @discardableResult
    mutating func apply(_ command: Command?, in slot: UInt64) -> Operation.Value {
        applied = slot
        guard let command else { return 0 }
        let found = values[Int(command.key)]
        let after: Operation.Value? =
            switch command.call {
            case .get: nil
            case .put(let value): value
            case .swap(let expected, let value): expected == found ? value : nil
            }
        if let after {
            changes.append(Change(slot: slot, key: command.key, before: found))
            values[Int(command.key)] = after
        }
        return found
    }

    /// What it was after `slot`, or now if that is ahead.
    mutating func goBack(to slot: UInt64) {
        applied = min(applied, slot)
        while let change = changes.last, change.slot > slot {
            values[Int(change.key)] = change.before
            changes.removeLast()
        }
    }
}
