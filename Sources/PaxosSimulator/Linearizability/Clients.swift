import CPaxos

/// Clients of a replicated map: what they ask, what they are answered, and when.
///
/// A world proposes what ``command(padding:)`` makes, and says what becomes of it: a delivery at the
/// node that was asked answers; a refusal ends the operation; where a node crashes, or says
/// *unknown*, the operation stays open for ever, unless it is seen decided after all. Reads go
/// through the log as writes do. Values that are no commands are nobody's business here.
package struct Clients {
    private struct Origin: Hashable {
        let node: UInt16
        let incarnation: UInt32
        let number: UInt64
    }

    private let keys: Int
    private var random: SplitMix
    private var idle: [Int] = []
    private var clientCount = 0
    private var order: UInt64 = 0
    private var written: Operation.Value = 0
    /// What was last seen of a key: what a swap expects.
    private var seen: [Operation.Value]
    private var maps: [Map] = []
    private var waiting: [Origin: Int] = [:]
    package private(set) var history: [Operation] = []

    package init(keys: Int = 8, seed: UInt64) {
        self.keys = keys
        random = SplitMix(seed: seed)
        seen = [Operation.Value](repeating: 0, count: keys)
    }

    /// What a client that waits for nothing asks next, to be proposed at any node.
    package mutating func command(padding: Int = 0) -> Bytes {
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
        return Command(client: client, key: UInt32(key), call: call).bytes(padding: padding)
    }

    private mutating func moment(_ now: UInt64) -> Moment {
        order += 1
        return Moment(time_ns: now, order: order)
    }

    private func command(_ bytes: Bytes) -> Command? { bytes.withUnsafeBufferPointer(Command.init) }

    /// The command was not taken: it did not happen, and its client may ask again.
    package mutating func saw(declined value: Bytes) {
        if let command = command(value) { idle.append(command.client) }
    }

    package mutating func saw(
        proposal number: UInt64, of node: UInt16, incarnation: UInt32, value: Bytes, now: UInt64
    ) {
        guard let command = command(value) else { return }
        waiting[Origin(node: node, incarnation: incarnation, number: number)] = history.count
        history.append(
            Operation(
                client: command.client, key: command.key, call: command.call, invoked: moment(now)))
    }

    /// An entry came out at a node; if that node was asked for it, this is the answer.
    package mutating func saw(
        delivered entry: Entry, in slot: UInt64, at node: UInt16, now: UInt64
    ) {
        guard !entry.isNoop, let command = command(entry.value) else { return }
        while maps.count <= Int(node) { maps.append(Map()) }
        let found = maps[Int(node)].apply(command, in: slot)
        let header = entry.header
        guard header.node == node else { return }
        let origin = Origin(node: node, incarnation: header.incarnation, number: header.number)
        guard let index = waiting.removeValue(forKey: origin) else { return }
        history[index].outcome = .found(found)
        history[index].responded = moment(now)
        seen[Int(command.key)] = history[index].applied(to: found)!
        idle.append(command.client)
    }

    package mutating func saw(
        refusal number: UInt64, of node: UInt16, incarnation: UInt32, now: UInt64
    ) {
        let origin = Origin(node: node, incarnation: incarnation, number: number)
        guard let index = waiting.removeValue(forKey: origin) else { return }
        history[index].outcome = .refused
        history[index].responded = moment(now)
        idle.append(history[index].client)
    }

    /// A node restarted; its map is what it was after `slot`.
    package mutating func saw(restart node: UInt16, slot: UInt64) {
        if Int(node) < maps.count { maps[Int(node)].goBack(to: slot) }
    }

    /// What no map could have answered so far; nil: nothing.
    package var violation: LinearizabilityChecker.Violation? {
        LinearizabilityChecker.violation(in: history)
    }
}
