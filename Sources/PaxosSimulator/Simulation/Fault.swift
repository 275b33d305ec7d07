/// One thing that goes wrong, from a time to a time. A plan is a list of them, drawn from the seed
/// before anything runs, so that any part of it can be replayed without the rest.
package struct Fault: Hashable, Sendable {
    package enum Kind: UInt8, CaseIterable, Sendable {
        // Nodes.
        /// The power fails at `node`, after `amount` more effects; it restarts at the end.
        case crash
        /// The same, for whoever leads then.
        case crashLeader
        /// `node` stands still; its clock and its mail do not.
        case pause
        // Links.
        /// `node` is cut off.
        case isolate
        /// The nodes in `mask` and the others do not reach each other.
        case split
        /// Nothing goes from `node` to those in `mask`.
        case oneWay
        /// Only links with a hub work: quorum loss, when it is not the leader.
        case quorumLoss
        /// The leader is gone, and only links with a hub that misses entries work.
        case constrained
        /// Three nodes in a row, the others gone.
        case chained
        /// Frames to and from those in `mask` are lost, `amount` in 1,024.
        case loss
        case duplicate
        /// A bit or two flip on the way.
        case corrupt
        /// Links of `node` are `amount` times slower.
        case slowNode
        // Clocks.
        /// The clock of `node` runs at `amount` / 1,024 of the true speed.
        case drift
        /// It jumps ahead by `amount` milliseconds, or back where `mask` is not 0.
        case jump
        // Disks.
        /// No flush of `node` completes.
        case stall
        /// Flushes of `node` take `amount` times longer.
        case slowDisk
        /// The next flush of `node` fails: it stops, and restarts at the end.
        case flushError
        /// Power cut; `amount` flushed records have flipped bits at the restart.
        case bitRot
        /// Power cut; a flushed record is found in the place of another one.
        case misdirected
        /// Power cut; a flushed record reads as what stood there before.
        case staleRead
        /// Power cut; the disk forgot the last `amount` flushed records.
        case lostFlush
        /// Power cut; the disk is empty.
        case lostDisk
        // Load.
        /// Clients propose `amount` times as often.
        case burst
    }

    package var kind: Kind
    package var from_ns: UInt64
    package var to_ns: UInt64
    /// Number of a node, from 1; 0 where the kind has none.
    package var node: UInt16
    /// Nodes, a bit each.
    package var mask: UInt32
    package var amount: UInt32

    package init(
        kind: Kind, from_ns: UInt64, to_ns: UInt64, node: UInt16 = 0, mask: UInt32 = 0,
        amount: UInt32 = 0
    ) {
        (self.kind, self.from_ns, self.to_ns) = (kind, from_ns, to_ns)
        (self.node, self.mask, self.amount) = (node, mask, amount)
    }

    /// Whether it may take from a node what it had durably promised or accepted.
    package var losesData: Bool {
        switch kind {
        case .bitRot, .misdirected, .staleRead, .lostFlush, .lostDisk: true
        default: false
        }
    }

    /// Whether the node is down while it lasts.
    var stopsNode: Bool { kind == .crash || losesData }
}

extension Fault: CustomStringConvertible {
    package var description: String {
        var text = "\(milliseconds(from_ns)) to \(milliseconds(to_ns)) \(kind)"
        if node != 0 { text += " node \(node)" }
        if mask != 0 {
            text += " nodes 0x\(String(mask, radix: 16))"
        }
        if amount != 0 { text += " amount \(amount)" }
        return text
    }
}

extension Fault {
    /// What ``description`` says, read back; nil: it says nothing of the kind.
    package init?(_ description: String) {
        var words = description.split(separator: " ")[...]
        func time() -> UInt64? {
            guard words.count >= 2, words[words.startIndex + 1] == "ms" else { return nil }
            let parts = words.removeFirst().split(separator: ".")
            words.removeFirst()
            guard parts.count == 2, let whole = UInt64(parts[0]), let part = UInt64(parts[1]) else {
                return nil
            }
            return whole * 1_000_000 + part * 1000
        }
        guard let from = time(), words.popFirst() == "to", let to = time(),
            let name = words.popFirst(),
            let kind = Kind.allCases.first(where: { "\($0)" == name })
        else { return nil }
        self.init(kind: kind, from_ns: from, to_ns: to)
        while let key = words.popFirst(), let value = words.popFirst() {
            switch key {
            case "node": node = UInt16(value) ?? 0
            case "nodes": mask = UInt32(value.dropFirst(2), radix: 16) ?? 0
            case "amount": amount = UInt32(value) ?? 0
            default: return nil
            }
        }
    }
}

/// A time as people read it: "1234.567 ms".
package func milliseconds(_ time_ns: UInt64) -> String {
    let fraction = String(time_ns / 1000 % 1000)
    let zeros = String(repeating: "0", count: 3 - fraction.count)
    return "\(time_ns / 1_000_000).\(zeros)\(fraction) ms"
}
