import CPaxos

package typealias Bytes = [UInt8]

/// One entry as its bytes; the header's fields are read from them.
package struct Entry: Hashable, CustomStringConvertible {
    package let bytes: Bytes

    package init(bytes: Bytes) { self.bytes = bytes }

    /// What the C core makes of a value and an origin.
    package init(
        _ value: Bytes, kind: UInt32 = PAXOS_ENTRY_COMMAND.rawValue, node: UInt16 = 1,
        incarnation: UInt32 = 1, number: UInt64 = 1
    ) {
        var header = paxos_entry_t()
        header.value_bytes = UInt32(value.count)
        header.kind = UInt8(kind)
        header.node = node
        header.incarnation = incarnation
        header.number = number
        var out = Bytes(repeating: 0, count: Int(paxos_entry_bytes(header.value_bytes)))
        _ = value.withUnsafeBufferPointer { paxos_entry_put(&out, header, $0.baseAddress) }
        bytes = out
    }

    package init(_ text: String, node: UInt16 = 1, number: UInt64 = 1) {
        self.init(Bytes(text.utf8), node: node, number: number)
    }

    package var header: paxos_entry_t { paxos_entry_get(bytes) }
    package var value: Bytes {
        let start = Int(PAXOS_ENTRY_HEADER_BYTES)
        return Bytes(bytes[start..<start + Int(header.value_bytes)])
    }
    package var text: String { String(decoding: value, as: UTF8.self) }
    package var isNoop: Bool { UInt32(header.kind) == PAXOS_ENTRY_NOOP.rawValue }
    package var description: String {
        if isNoop { return "no-op" }
        let command = Command(value, count: value.count)
        let what = command.map { "client \($0.client), key \($0.key): \($0.call)" } ?? text
        return "\(what) (\(header.node), \(header.number))"
    }

    /// The entries that stand one behind the other in `bytes`.
    package static func split(_ bytes: Bytes, count: Int) -> [Entry] {
        var entries: [Entry] = []
        var offset = 0
        for _ in 0..<count {
            let length = bytes.withUnsafeBufferPointer {
                Int(paxos_entry_bytes(paxos_get32($0.baseAddress! + offset + 4)))
            }
            entries.append(Entry(bytes: Bytes(bytes[offset..<offset + length])))
            offset += length
        }
        return entries
    }
}

/// The digest of a run, as the frame that brings it must say.
package func runDigest(_ entries: [Entry], from slot: UInt64) -> UInt64 {
    var digest: UInt64 = 0
    for (index, entry) in entries.enumerated() {
        digest &+= paxos_digest_term(slot + UInt64(index), entry.header.checksum)
    }
    return digest
}
