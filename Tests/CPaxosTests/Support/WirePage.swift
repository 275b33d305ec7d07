import CPaxos
import Foundation

/// `CSources/CPaxos/WIRE.md` as a machine reads it: the golden examples and the table of kinds.
struct WirePage {
    struct Example {
        var name: String
        var fields: [String: UInt64]
        var value: Bytes
        var bytes: Bytes

        func field(_ name: String) -> UInt64 { fields[name] ?? 0 }
    }

    struct Kind {
        var number: UInt8
        var name: String
        var fields: Set<String>
        var flags: Set<String>
        var states: Set<String>
    }

    let examples: [Example]
    let kinds: [Kind]

    init() throws {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(
            contentsOf: root.appendingPathComponent("CSources/CPaxos/WIRE.md"), encoding: .utf8)
        let lines = page.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        examples = Self.examples(in: lines)
        kinds = lines.compactMap(Self.kind)
    }

    private static func examples(in lines: [String]) -> [Example] {
        var examples: [Example] = []
        var open: Example?
        for line in lines {
            if line.hasPrefix("```golden ") {
                let name = String(line.dropFirst("```golden ".count))
                open = Example(name: name, fields: [:], value: [], bytes: [])
            } else if line == "```", let example = open {
                examples.append(example)
                open = nil
            } else if line.contains("=") {
                for word in line.split(separator: " ") { open?.take(String(word)) }
            } else if open != nil {
                open?.bytes += hex(String(line.split(separator: ":")[1]))
            }
        }
        return examples
    }

    /// A row of the table of frame kinds: five columns, the first a number.
    private static func kind(_ line: String) -> Kind? {
        let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        guard cells.count == 5, let number = UInt8(cells[0]), cells[1].hasPrefix("`") else {
            return nil
        }
        func words(_ cell: String) -> Set<String> {
            cell == "-" ? [] : Set(cell.split(separator: " ").map(String.init))
        }
        return Kind(
            number: number, name: cells[1].trimmingCharacters(in: ["`"]),
            fields: words(cells[2]), flags: words(cells[3]), states: words(cells[4]))
    }

    static func hex(_ text: String) -> Bytes {
        let digits = text.filter { !$0.isWhitespace }
        return stride(from: 0, to: digits.count, by: 2).map { at in
            let start = digits.index(digits.startIndex, offsetBy: at)
            return UInt8(digits[start...].prefix(2), radix: 16)!
        }
    }
}

extension WirePage.Example {
    fileprivate mutating func take(_ word: String) {
        let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
        if parts[0] == "value" {
            value += WirePage.hex(parts[1])
        } else if parts[1].hasPrefix("0x") {
            fields[parts[0]] = UInt64(parts[1].dropFirst(2), radix: 16)
        } else {
            fields[parts[0]] = UInt64(parts[1])
        }
    }
}

/// The fields of a frame header by the names that the page gives them.
extension paxos_frame_t {
    init(named fields: [String: UInt64]) {
        self.init()
        for (name, value) in fields { self[name] = value }
    }

    subscript(name: String) -> UInt64 {
        get {
            switch name {
            case "kind": UInt64(kind)
            case "cluster": cluster
            case "group": UInt64(group)
            case "incarnation": UInt64(incarnation)
            case "sender": UInt64(sender)
            case "receiver": UInt64(receiver)
            case "flags": UInt64(flags)
            case "state": UInt64(state)
            case "count": UInt64(count)
            case "body_bytes", "body": UInt64(body_bytes)
            case "ballot": ballot
            case "slot": slot
            case "watermark": watermark
            case "nonce": nonce
            case "digest": digest
            case "other": other
            case "trim": trim
            default: fatalError("the page names a field that is none: \(name)")
            }
        }
        set {
            switch name {
            case "kind": kind = UInt8(newValue)
            case "cluster": cluster = newValue
            case "group": group = UInt32(newValue)
            case "incarnation": incarnation = UInt32(newValue)
            case "sender": sender = UInt16(newValue)
            case "receiver": receiver = UInt16(newValue)
            case "flags": flags = UInt16(newValue)
            case "state": state = UInt16(newValue)
            case "count": count = UInt32(newValue)
            case "body_bytes", "body": body_bytes = UInt32(newValue)
            case "ballot": ballot = newValue
            case "slot": slot = newValue
            case "watermark": watermark = newValue
            case "nonce": nonce = newValue
            case "digest": digest = newValue
            case "other": other = newValue
            case "trim": trim = newValue
            default: fatalError("the page names a field that is none: \(name)")
            }
        }
    }

    static let fieldNames = [
        "kind", "cluster", "group", "incarnation", "sender", "receiver", "flags", "state", "count",
        "body_bytes", "ballot", "slot", "watermark", "nonce", "digest", "other", "trim",
    ]
}
