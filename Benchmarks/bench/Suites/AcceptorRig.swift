import CPaxos

/// One acceptor of three in memory-only mode, and a ring of messages of its leader for it.
///
/// The acceptor lives on from lap to lap. Between the laps, outside of the measurement, the ring is
/// written anew for the slots that come next, as a socket's buffer would be; its 256 KiB stay in
/// the second-level cache, where a network card puts what it received.
final class AcceptorRig {
    static let leader: UInt16 = 1
    static let ringBytes = 256 << 10
    /// Messages between two trims.
    static let trimInterval = 64

    let acceptor: UnsafeMutablePointer<paxos_acceptor_t>
    let arenaBytes: Int
    let valueBytes: Int
    let batch: Int
    let entryBytes: Int
    /// Messages in the ring, and the bytes from one to the next.
    let count: Int
    let stride: Int
    let ring: Block
    let effect: UnsafeMutablePointer<paxos_effect_t>
    var nextSlot: UInt64 = 1
    private let block: Block

    init(valueBytes: Int, batch: Int, seed: UInt64) throws {
        var config = paxos_config_t.benchmark(
            nodes: 3, node: 2, valueBytes: valueBytes, batch: batch, seed: seed)
        let bytes = paxos_acceptor_block_bytes(&config)
        block = Block(byteCount: bytes)
        var made: UnsafeMutablePointer<paxos_acceptor_t>?
        let status = paxos_acceptor_init(block.base, bytes, &config, &made)
        guard status == PAXOS_OK, let made else { throw BenchError("an acceptor was refused") }
        acceptor = made
        arenaBytes = Int(config.arena_bytes)
        self.valueBytes = valueBytes
        self.batch = batch
        entryBytes = Int(paxos_entry_bytes(UInt32(valueBytes)))
        stride = Int(PAXOS_FRAME_HEADER_BYTES) + batch * entryBytes
        let slots = Int(config.window_slots) / batch
        count = max(1, min(slots, AcceptorRig.ringBytes / stride))
        ring = Block(byteCount: count * stride)
        effect = .allocate(capacity: 1)
        effect.initialize(to: paxos_effect_t())
        effect.pointee.size_bytes = UInt32(MemoryLayout<paxos_effect_t>.size)
        fillEntries(seed: seed)
    }

    func free() {
        effect.deallocate()
        ring.free()
        block.free()
    }

    func message(_ index: Int) -> UnsafeMutablePointer<UInt8> { ring.base + index * stride }

    func entry(_ index: Int, _ position: Int) -> UnsafeMutablePointer<UInt8> {
        message(index) + Int(PAXOS_FRAME_HEADER_BYTES) + position * entryBytes
    }

    private func fillEntries(seed: UInt64) {
        let value = Block(byteCount: max(1, valueBytes))
        fillRandom(value, seed: seed)
        for index in 0..<count {
            for position in 0..<batch {
                var entry = paxos_entry_t()
                entry.value_bytes = UInt32(valueBytes)
                entry.node = AcceptorRig.leader
                entry.kind = UInt8(PAXOS_ENTRY_COMMAND.rawValue)
                entry.incarnation = 1
                entry.number = UInt64(index * batch + position + 1)
                _ = paxos_entry_put(self.entry(index, position), entry, value.base)
            }
        }
        value.free()
    }

    /// Fields of a frame of the leader.
    func frame(_ kind: paxos_frame_kind, ballot: UInt64) -> paxos_frame_t {
        var frame = paxos_frame_t()
        frame.kind = UInt8(kind.rawValue)
        frame.sender = AcceptorRig.leader
        frame.receiver = 2
        frame.incarnation = 1
        frame.cluster = 0xBE7C
        frame.ballot = ballot
        return frame
    }

    /// Digest of the message's entries in the slots from `slot` on.
    func digest(_ index: Int, slot: UInt64) -> UInt64 {
        var digest: UInt64 = 0
        for position in 0..<batch {
            let checksum = paxos_get32(entry(index, position))
            digest &+= paxos_digest_term(slot + UInt64(position), checksum)
        }
        return digest
    }

    /// Write the ring's frame headers for the slots that come next.
    func encodeAccepts() {
        var frame = self.frame(PAXOS_FRAME_ACCEPT, ballot: paxos_ballot(1, AcceptorRig.leader))
        frame.flags = UInt16(PAXOS_FLAG_VOTED)
        frame.count = UInt32(batch)
        frame.body_bytes = UInt32(batch * entryBytes)
        for index in 0..<count {
            frame.slot = nextSlot + UInt64(index * batch)
            frame.watermark = frame.slot - 1
            frame.digest = digest(index, slot: frame.slot)
            paxos_frame_put(message(index), &frame)
        }
    }
}
