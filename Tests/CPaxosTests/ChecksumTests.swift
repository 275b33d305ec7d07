import CPaxos
import PaxosSimulator
import Testing

/// CRC32C: the known values, and the hardware against the plain code at every length and alignment.
struct ChecksumTests {
    private func all(_ bytes: Bytes, start: UInt32 = 0) -> Set<UInt32> {
        var values: Set<UInt32> = [
            paxos_crc32c(start, bytes, bytes.count),
            paxos_crc32c_portable(start, bytes, bytes.count),
        ]
        if bytes.count % 4 == 0 { values.insert(paxos_crc32c_words(start, bytes, bytes.count)) }
        return values
    }

    @Test("the examples of RFC 3720, appendix B.4, and the check value")
    func knownValues() {
        paxos_cpu_detect()
        #expect(all(Bytes("123456789".utf8)) == [0xE306_9283])
        #expect(all(Bytes(repeating: 0, count: 32)) == [0x8A91_36AA])
        #expect(all(Bytes(repeating: 0xFF, count: 32)) == [0x62A8_AB43])
        #expect(all(Bytes(0..<32)) == [0x46DD_794E])
        #expect(all(Bytes((0..<32).reversed())) == [0x113F_DB5C])
        let read10 = WirePage.hex(
            "01c00000 00000000 00000000 00000000 14000000 00000400 00000014 00000018"
                + "28000000 00000000 02000000 00000000")
        #expect(all(read10) == [0xD996_3A56])
        #expect(all([]) == [0])
        #expect(paxos_crc32c(0xABCD, nil, 0) == 0xABCD)
    }

    /// Compare over lengths and alignments; recorded once, for a `#expect` each would take minutes.
    private func compare(_ lengths: [Int], alignments: Int, seed: UInt64) {
        var random = SplitMix(seed: seed)
        let bytes = random.bytes(lengths.max()! + alignments)
        bytes.withUnsafeBufferPointer { buffer in
            for length in lengths {
                for alignment in 0..<alignments {
                    let start = buffer.baseAddress! + alignment
                    let crc = UInt32(truncatingIfNeeded: random.next())
                    let expected = paxos_crc32c_portable(crc, start, length)
                    var same = paxos_crc32c(crc, start, length) == expected
                    if length % 4 == 0 {
                        same = same && paxos_crc32c_words(crc, start, length) == expected
                    }
                    if !same {
                        Issue.record("seed \(seed), length \(length), alignment \(alignment)")
                        return
                    }
                }
            }
        }
    }

    @Test("hardware and plain code agree at every short length and every alignment")
    func hardware_short() {
        paxos_cpu_detect()
        compare(Array(0...1100), alignments: 9, seed: 1)
    }

    @Test("hardware and plain code agree at long lengths")
    func hardware_long() {
        paxos_cpu_detect()
        compare([1500, 2048, 4096, 5000, 8191, 65_536, 70_001], alignments: 3, seed: 2)
    }

    @Test("a checksum goes on where another ended")
    func continued() {
        paxos_cpu_detect()
        var random = SplitMix(seed: 3)
        let bytes = random.bytes(600)
        let whole = paxos_crc32c(0, bytes, bytes.count)
        for cut in 0...bytes.count {
            let first = paxos_crc32c(0, bytes, cut)
            let rest = Bytes(bytes[cut...])
            #expect(paxos_crc32c(first, rest, rest.count) == whole)
        }
    }

    @Test("the digest tells apart checksums in a slot, slots of a checksum, and entries exchanged")
    func digest_isBound() {
        let checksums: [UInt32] = [0, 1, 2, 0xFFFF_FFFE, 0xFFFF_FFFF, 0x8000_0000]
        let slots: [UInt64] = Array(1...64) + [1 << 32, (1 << 62) - 1]
        for slot in slots {
            #expect(Set(checksums.map { paxos_digest_term(slot, $0) }).count == checksums.count)
        }
        for checksum in checksums {
            #expect(Set(slots.map { paxos_digest_term($0, checksum) }).count == slots.count)
        }
        for slot in slots {
            let next = slot + 1
            #expect(
                paxos_digest_term(slot, 7) &+ paxos_digest_term(next, 9)
                    != paxos_digest_term(slot, 9) &+ paxos_digest_term(next, 7))
        }
    }
}
