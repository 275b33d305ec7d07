import CPaxos

/// Clients of a replicated map: what they ask, what they are answered, and when.
///
/// A world proposes what ``command(to:)`` makes, and says what becomes of it: a delivery at the node
/// that was asked answers; a refusal ends the operation; where a node crashes, or says *unknown*,
/// the operation stays open for ever, unless it is seen decided after all. Reads go through the log
/// as writes do. Values that are no commands are nobody's business here.
package struct Clients {
    /// Bytes of a command; a value may be longer.
    package static let commandBytes = Command.byteCount

    /// The operations of a node in one of its lives, by their numbers.
    private struct Life {
        var operations: [Int32] = []
        static let none: Int32 = -1

        subscript(number: UInt64) -> Int32 {
            get { number < operations.count ? operations[Int(number)] : Self.none }
            set {
                while number >= operations.count { operations.append(Self.none) }
                operations[Int(number)] = newValue
            }
        }
    }

    private let keys: Int
    private var random: SplitMix
    private var idle: [Int] = []
    private var clientCount = 0
    private var order: UInt64 = 0
    private var written: Operation.Value = 0
    /// What was last seen of a key: what a swap expects.
    private var seen: [Operation.Value]
    /// By node.
    private var maps: [Map] = []
    /// By node and incarnation: what waits for an answer.
    private var lives: [[Life]] = []
    package private(set) var history: [Operation] = []

    /// - Parameter keys: up to 65,536.
    package init(keys: Int = 8, seed: UInt64) {
        precondition(keys > 0 && keys <= 1 << 16)
        self.keys = keys
        random = SplitMix(seed: seed)
        seen = [Operation.Value](repeating: 0, count: keys)
    }

    /// What a client that waits for nothing asks next, to be proposed at any node.
    package mutating func command(to bytes: UnsafeMutablePointer<UInt8>) {
        let client = idle.popLast() ?? clientCount
        clientCount = max(clientCount, client + 1)
        let key = random.below(keys)
        written += 1
        let call: Operation.Call =
            switch random.below(4) {
            case 0: .get
            case 1: .put(written)
            default: .swap(expected: seen[key], written)
            }
        Command(client: client, key: UInt32(key), call: call).write(to: bytes)
    }

    package mutating func command(padding: Int = 0) -> Bytes {
        var bytes = Bytes(repeating: 0, count: Self.commandBytes + padding)
        command(to: &bytes)
        return bytes
    }

    /// The command in a value; nil: it is none of these clients'.
    @inline(__always)
    private func command(_ value: UnsafePointer<UInt8>, _ count: Int) -> Command? {
        guard let command = Command(value, count: count), command.key < keys else { return nil }
        return command
    }

    private mutating func moment(_ now: UInt64) -> Moment {
        order += 1
        return Moment(time_ns: now, order: order)
    }

    /// The command was not taken: it did not happen, and its client may ask again.
    package mutating func declined(_ value: UnsafePointer<UInt8>, count: Int) {
        if let command = command(value, count) { idle.append(command.client) }
    }

    /// A node took a value; `entry` is its header.
    package mutating func proposed(
        _ entry: paxos_entry_t, _ value: UnsafePointer<UInt8>, at node: UInt16, now: UInt64
    ) {
        guard let command = command(value, Int(entry.value_bytes)) else { return }
        while lives.count <= Int(node) { lives.append([]) }
        while lives[Int(node)].count <= Int(entry.incarnation) { lives[Int(node)].append(Life()) }
        lives[Int(node)][Int(entry.incarnation)][entry.number] = Int32(history.count)
        history.append(
            Operation(
                client: command.client, key: command.key, call: command.call, invoked: moment(now)))
    }

    /// The operation of a node's proposal that waits for an answer; it does so no longer.
    private mutating func end(_ node: UInt16, _ incarnation: UInt32, _ number: UInt64) -> Int? {
        guard Int(node) < lives.count, incarnation < lives[Int(node)].count else { return nil }
        let index = lives[Int(node)][Int(incarnation)][number]
        if index == Life.none { return nil }
        lives[Int(node)][Int(incarnation)][number] = Life.none
        return Int(index)
    }

    /// An entry came out at a node; if that node was asked for it, this is the answer.
    package mutating func delivered(
        _ entry: paxos_entry_t, _ value: UnsafePointer<UInt8>, in slot: UInt64, at node: UInt16,
        now: UInt64
    ) {
        addMap(node)
        let command = command(value, Int(entry.value_bytes))
        let found = maps[Int(node)].apply(command, in: slot)
        guard let command, entry.node == node,
            let index = end(node, entry.incarnation, entry.number)
        else { return }
        history[index].outcome = .found(found)
        history[index].responded = moment(now)
        seen[Int(command.key)] = history[index].applied(to: found)!
        idle.append(command.client)
    }

    package mutating func refused(
        _ number: UInt64, at node: UInt16, incarnation: UInt32, now: UInt64
    ) {
        guard let index = end(node, incarnation, number) else { return }
        history[index].outcome = .refused
        history[index].responded = moment(now)
        idle.append(history[index].client)
    }

    /// A node restarted; its map is what it was after `slot`. If it had not come so far, it was
    /// given a copy of another's.
    package mutating func restarted(_ node: UInt16, slot: UInt64) {
        addMap(node)
        if maps[Int(node)].applied < slot {
            maps[Int(node)] = maps.max { $0.applied < $1.applied }!
        }
        maps[Int(node)].goBack(to: slot)
    }

    private mutating func addMap(_ node: UInt16) {
        while maps.count <= Int(node) { maps.append(Map(keys: keys)) }
    }

    /// What no map could have answered so far; nil: nothing.
    package var violation: LinearizabilityChecker.Violation? {
        LinearizabilityChecker.violation(in: history)
    }
}
