/// The state machine that clients use: a map, which a node makes from the entries it is handed.
struct Map {
    private struct Change {
        let slot: UInt64
        let key: UInt32
        let before: Operation.Value
    }

    private var values: [Operation.Value]
    private var changes: [Change] = []

    init(keys: Int) { values = [Operation.Value](repeating: 0, count: keys) }

    /// Do what a command asks; the value that it found.
    mutating func apply(_ command: Command, in slot: UInt64) -> Operation.Value {
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

    /// The node restarted, and what it had made safe of the map ends at `slot`.
    mutating func goBack(to slot: UInt64) {
        while let change = changes.last, change.slot > slot {
            values[Int(change.key)] = change.before
            changes.removeLast()
        }
    }
}
