import CPaxos

/// What stands for a log: a 64-bit chain over the length and the CRC32C of each line, in order.
struct Digest: Equatable {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var checksum: UInt32 = 0
        if let start = bytes.baseAddress, !bytes.isEmpty {
            checksum = paxos_crc32c(0, start.assumingMemoryBound(to: UInt8.self), bytes.count)
        }
        value = (value ^ (UInt64(bytes.count) << 32 | UInt64(checksum))) &* 0x9E37_79B9_7F4A_7C15
        value ^= value >> 29
    }

    /// Sixteen hexadecimal digits.
    var text: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
