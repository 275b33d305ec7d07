import CPaxos

typealias Bytes = [UInt8]

/// One entry as a test thinks of it; `bytes` is what the C core makes of it.
struct Entry: Hashable {
    var value: Bytes
    var kind: UInt8 = UInt8(PAXOS_ENTRY_COMMAND.rawValue)
    var node: UInt16 = 1
    var incarnation: UInt32 = 1
    var number: UInt64 = 1

    static func command(_ text: String, number: UInt64 = 1) -> Entry {
        Entry(value: Bytes(text.utf8), number: number)
    }

    static let noop = Entry(
        value: [], kind: UInt8(PAXOS_ENTRY_NOOP.rawValue), node: 1, incarnation: 1, number: 0)

    /// Header, value and padding, as `paxos_entry_put` writes them.
    var bytes: Bytes {
        var header = paxos_entry_t()
        header.value_bytes = UInt32(value.count)
        header.kind = kind
        header.node = node
        header.incarnation = incarnation
        header.number = number
        var out = Bytes(repeating: 0xEE, count: Int(paxos_entry_bytes(UInt32(value.count))))
        let written = value.withUnsafeBufferPointer { source in
            paxos_entry_put(&out, header, source.baseAddress)
        }
        precondition(Int(written) == out.count)
        return out
    }
}

/// A run of entries under one ballot, with the digest that binds them to their slots.
struct Run {
    var ballot: UInt64
    var slot: UInt64
    var entries: [Entry]

    var bytes: Bytes { entries.flatMap(\.bytes) }

    var digest: UInt64 { digestOf(bytes, from: slot) }
}

/// Sum of the digest terms of entries that stand one behind the other.
func digestOf(_ body: Bytes, from slot: UInt64) -> UInt64 {
    var digest: UInt64 = 0
    var offset = 0
    var slot = slot
    while offset < body.count {
        digest &+= paxos_digest_term(slot, little32(body, offset))
        offset += Int(paxos_entry_bytes(little32(body, offset + 4)))
        slot += 1
    }
    return digest
}

func little32(_ bytes: Bytes, _ at: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << (8 * $1) }
}

func little64(_ bytes: Bytes, _ at: Int) -> UInt64 {
    UInt64(little32(bytes, at)) | UInt64(little32(bytes, at + 4)) << 32
}

/// CRC32C of bytes 4..<end, put in front of them.
func reseal(_ bytes: inout Bytes, from start: Int = 0, to end: Int) {
    let crc = bytes.withUnsafeBufferPointer {
        paxos_crc32c_portable(0, $0.baseAddress! + start + 4, end - start - 4)
    }
    for i in 0..<4 { bytes[start + i] = UInt8(truncatingIfNeeded: crc >> (8 * UInt32(i))) }
}
