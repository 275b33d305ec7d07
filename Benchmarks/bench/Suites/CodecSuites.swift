import CBenchLimits
import CPaxos

extension Limit {
    /// Frame headers alone.
    static func headers(makes: UInt32, takes: UInt32, seed: UInt64) -> Limit {
        var recipe = bench_recipe_t()
        recipe.batch = 1
        recipe.header_makes = makes
        recipe.header_takes = takes
        return Limit(recipe, ringBytes: 64 << 10, seed: seed)
    }
}

/// One function of the codec in a loop over a buffer of 64 KiB.
final class CodecSuite: Suite {
    /// Pieces of work in a round of the limit: the loop around them is no part of it.
    private static let limitBatch = 64

    enum Work { case encodeFrame, decodeFrame, putEntry, verifyEntry, checksum }

    let name: String
    let unit = Unit.nanoseconds
    private let work: Work
    private let valueBytes: Int
    private let seed: UInt64
    private var buffer: Block!
    private var value: Block!
    private var limit: Limit!
    private var stride = 0
    private var count = 0
    private var sum: UInt64 = 0

    init(_ work: Work, valueBytes: Int = 0, seed: UInt64) {
        switch work {
        case .encodeFrame: name = "codec.encode.frame"
        case .decodeFrame: name = "codec.decode.frame"
        case .putEntry: name = "codec.entry.put value=\(valueBytes)B"
        case .verifyEntry: name = "codec.entry.verify value=\(valueBytes)B"
        case .checksum: name = "codec.crc32c value=\(valueBytes)B"
        }
        self.work = work
        self.valueBytes = valueBytes
        self.seed = seed
    }

    var limitWords: String {
        switch work {
        case .encodeFrame: "a header's bytes written and checksummed"
        case .decodeFrame: "a header's bytes checksummed"
        case .putEntry: "the value copied behind a header, both checksummed"
        case .verifyEntry: "the entry checksummed"
        case .checksum: "every byte read once, eight at a time"
        }
    }

    func prepare() throws {
        value = Block(byteCount: max(8, valueBytes))
        fillRandom(value, seed: seed)
        var recipe = bench_recipe_t()
        recipe.value_bytes = UInt32(valueBytes)
        recipe.batch = UInt32(CodecSuite.limitBatch)
        switch work {
        case .encodeFrame, .decodeFrame:
            stride = Int(PAXOS_FRAME_HEADER_BYTES)
            recipe.header_makes = work == .encodeFrame ? recipe.batch : 0
            recipe.header_takes = work == .decodeFrame ? recipe.batch : 0
        case .putEntry, .verifyEntry, .checksum:
            stride = work == .checksum ? valueBytes : Int(paxos_entry_bytes(UInt32(valueBytes)))
            if work == .putEntry { recipe.makes = 1 } else { recipe.looks = 1 }
        }
        count = max(1, (64 << 10) / stride)
        buffer = Block(byteCount: count * stride)
        limit = Limit(recipe, ringBytes: 64 << 10, seed: seed)
        fill()
    }

    private var frame: paxos_frame_t {
        var frame = paxos_frame_t()
        frame.kind = UInt8(PAXOS_FRAME_ACCEPTED.rawValue)
        frame.sender = 2
        frame.receiver = 1
        frame.incarnation = 1
        frame.cluster = 0xBE7C
        frame.ballot = paxos_ballot(1, 1)
        frame.slot = 1
        frame.count = 1
        return frame
    }

    private var entry: paxos_entry_t {
        var entry = paxos_entry_t()
        entry.value_bytes = UInt32(valueBytes)
        entry.node = 1
        entry.kind = UInt8(PAXOS_ENTRY_COMMAND.rawValue)
        entry.incarnation = 1
        entry.number = 1
        return entry
    }

    private func fill() {
        switch work {
        case .encodeFrame, .decodeFrame: encodeFrames()
        case .putEntry, .verifyEntry: putEntries()
        case .checksum: fillRandom(buffer, seed: seed)
        }
    }

    func run(for slice_ns: UInt64) throws -> Measure {
        var bad = 0
        let measure = laps(for: slice_ns) {
            let cpu_ns = cpuTime {
                for _ in 0..<8 { bad &+= lap() }
            }
            return Measure(work: UInt64(8 * count), cost: cpu_ns)
        }
        try require(bad == 0, "\(name): refused its own bytes")
        return measure
    }

    private func lap() -> Int {
        switch work {
        case .encodeFrame: encodeFrames()
        case .decodeFrame: return decodeFrames()
        case .putEntry: putEntries()
        case .verifyEntry: return verifyEntries()
        case .checksum: checksum()
        }
        return 0
    }

    private func encodeFrames() {
        var frame = self.frame
        var at = buffer.base
        for index in 0..<count {
            frame.slot = UInt64(index + 1)
            paxos_frame_put(at, &frame)
            at += stride
        }
    }

    private func decodeFrames() -> Int {
        var frame = paxos_frame_t()
        var bad = 0
        var at = buffer.base
        for _ in 0..<count {
            if paxos_frame_decode(at, stride, &frame) != PAXOS_OK { bad &+= 1 }
            at += stride
        }
        return bad
    }

    private func putEntries() {
        var entry = self.entry
        var at = buffer.base
        for index in 0..<count {
            entry.number = UInt64(index + 1)
            _ = paxos_entry_put(at, entry, value.base)
            at += stride
        }
    }

    private func verifyEntries() -> Int {
        let valueBytes = UInt32(self.valueBytes)
        var entryBytes: UInt32 = 0
        var bad = 0
        var at = buffer.base
        for _ in 0..<count {
            if paxos_entry_verify(at, stride, valueBytes, &entryBytes) != PAXOS_OK { bad &+= 1 }
            at += stride
        }
        return bad
    }

    private func checksum() {
        var at = buffer.base
        for _ in 0..<count {
            sum &+= UInt64(paxos_crc32c(0, at, stride))
            at += stride
        }
    }

    func runLimit(for slice_ns: UInt64) -> Measure {
        guard work == .checksum else {
            return limit.run(for: slice_ns, workPerRound: CodecSuite.limitBatch)
        }
        return laps(for: slice_ns) {
            let cpu_ns = cpuTime {
                for _ in 0..<8 { sum &+= bench_limit_read(buffer.base, stride, UInt64(count)) }
            }
            return Measure(work: UInt64(8 * count), cost: cpu_ns)
        }
    }

    func release() {
        buffer.free()
        value.free()
        limit.free()
    }
}
