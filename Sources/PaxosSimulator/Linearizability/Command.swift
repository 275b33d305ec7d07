import CPaxos

/// An operation of a client as the bytes that are proposed; the rest of the value is padding.
///
///     0  mark        1  which call     2  key (2)     4  client (4)
///     8  value that is written (8)    16  value that is expected (8)
struct Command {
    static let byteCount = 24
    private static let mark: UInt8 = 0xC5

    let client: Int
    let key: UInt32
    let call: Operation.Call

    init(client: Int, key: UInt32, call: Operation.Call) {
        self.client = client
        self.key = key
        self.call = call
    }

    /// nil: these bytes are no command.
    @inline(__always)
    init?(_ bytes: UnsafePointer<UInt8>, count: Int) {
        guard count >= Self.byteCount, bytes[0] == Self.mark else { return nil }
        let value = paxos_get64(bytes + 8)
        switch bytes[1] {
        case 0: call = .get
        case 1: call = .put(value)
        case 2: call = .swap(expected: paxos_get64(bytes + 16), value)
        default: return nil
        }
        key = UInt32(bytes[2]) | UInt32(bytes[3]) << 8
        client = Int(paxos_get32(bytes + 4))
    }

    /// Write it to memory for ``byteCount`` bytes.
    func write(to bytes: UnsafeMutablePointer<UInt8>) {
        var (kind, value, expected): (UInt8, UInt64, UInt64) = (0, 0, 0)
        switch call {
        case .get: break
        case .put(let new): (kind, value) = (1, new)
        case .swap(let old, let new): (kind, value, expected) = (2, new, old)
        }
        bytes[0] = Self.mark
        bytes[1] = kind
        bytes[2] = UInt8(truncatingIfNeeded: key)
        bytes[3] = UInt8(truncatingIfNeeded: key >> 8)
        paxos_put32(bytes + 4, UInt32(client))
        paxos_put64(bytes + 8, value)
        paxos_put64(bytes + 16, expected)
    }
}
