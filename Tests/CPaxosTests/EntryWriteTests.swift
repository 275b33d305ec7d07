import CPaxos
import PaxosSimulator
import Testing

/// Entries are written in one pass while they are short; the bytes are those of WIRE.md at any
/// length.
struct EntryWriteTests {
    private func littleEndian(_ number: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
    }

    @Test("header, value, padding and checksum, with nothing written behind them")
    func everyLength() {
        paxos_cpu_detect()
        var random = SplitMix(seed: 11)
        for length in Array(0...300) + [1000, 4096] {
            let value = random.bytes(length)
            let number = random.next()
            let header = paxos_entry_t(
                checksum: 0, value_bytes: UInt32(length), node: 0xABCD,
                kind: UInt8(PAXOS_ENTRY_COMMAND.rawValue), zero: 0, incarnation: 0x0102_0304,
                number: number)
            let padding = [UInt8](repeating: 0, count: (8 - length % 8) % 8)
            let covered =
                littleEndian(UInt64(length), 4) + [0xCD, 0xAB, 1, 0, 4, 3, 2, 1]
                + littleEndian(number, 8) + value + padding
            let checksum = paxos_crc32c_portable(0, covered, covered.count)
            let guardBytes = [UInt8](repeating: 0x5A, count: 64)
            let expected = littleEndian(UInt64(checksum), 4) + covered + guardBytes
            var out = [UInt8](repeating: 0x5A, count: expected.count)
            let bytes = value.withUnsafeBufferPointer { source in
                paxos_entry_put(&out, header, source.baseAddress ?? UnsafePointer(bitPattern: 8)!)
            }
            #expect(Int(bytes) == expected.count - guardBytes.count, "length \(length)")
            #expect(out == expected, "length \(length)")
        }
    }
}
