import CPaxos
import Paxos

/// Aligned memory, as the core wants it.
struct Block {
    let bytes: UnsafeMutableRawBufferPointer

    init(byteCount: Int) {
        bytes = .allocate(byteCount: byteCount, alignment: Int(PAXOS_BLOCK_ALIGNMENT))
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    var base: UnsafeMutablePointer<UInt8> {
        bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
    }

    func free() { bytes.deallocate() }
}

/// Bytes that look like anything: a value of the benchmarks.
func fillRandom(_ block: Block, seed: UInt64) {
    var random = SplitMix(seed: seed)
    for index in block.bytes.indices {
        block.bytes[index] = UInt8(truncatingIfNeeded: random.next())
    }
}

/// The smallest power of two that is not below `number`.
func powerOfTwo(atLeast number: Int) -> Int {
    var power = 1
    while power < number { power <<= 1 }
    return power
}

extension paxos_config_t {
    /// Members 1 to `nodes`, in memory only, sized for batches of `batch` values.
    ///
    /// Window and arena are those of a busy server with a short way to its peers: small enough to
    /// stay in the CPU's second-level cache, where a window of thousands of slots would not.
    static func benchmark(
        nodes: Int, node: Int, valueBytes: Int, batch: Int, window: Int = 1024, seed: UInt64
    ) -> paxos_config_t {
        var config = paxos_config_t()
        paxos_config_default(&config)
        config.cluster = 0xBE7C
        config.node = UInt16(node)
        config.member_count = UInt16(nodes)
        withUnsafeMutableBytes(of: &config.members) { bytes in
            let members = bytes.assumingMemoryBound(to: UInt16.self)
            for index in 0..<nodes { members[index] = UInt16(index + 1) }
        }
        config.memory_only = 1
        config.seed = seed &+ UInt64(node)
        let entryBytes = Int(paxos_entry_bytes(UInt32(valueBytes)))
        let frameBytes = max(entryBytes, min(entryBytes * batch, 256 << 10)) + 96
        let slots = powerOfTwo(atLeast: max(window, batch))
        config.window_slots = UInt32(slots)
        config.pipeline_slots = UInt32(slots)
        config.value_bytes_max = UInt32(valueBytes)
        config.frame_bytes_max = UInt32(max(frameBytes, 16 << 10))
        /* in flight: a third of what two frames leave */
        let arena = max(4 * entryBytes * batch, 8 * Int(config.frame_bytes_max), 256 << 10)
        config.arena_bytes = UInt32(powerOfTwo(atLeast: arena))
        return config
    }
}
