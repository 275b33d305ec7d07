import CPaxos
import PaxosCore

/// One block in which every step of every node is run: restored, called, drained, stored again.
final class Scratch {
    let memory: UnsafeMutableRawPointer
    let byteCount: Int
    private let config: paxos_config_t

    /// The bytes of a block that came out of a scratch; what lies beyond the arena's head is not
    /// kept, since nothing was written there.
    struct Image {
        let bytes: UnsafeMutableRawPointer
        let count: Int
        /// For looking at it as it lies there: of the arena only what is in use may be read.
        var replica: UnsafeMutablePointer<paxos_replica_t> {
            bytes.assumingMemoryBound(to: paxos_replica_t.self)
        }
        var acceptor: UnsafeMutablePointer<paxos_acceptor_t> {
            bytes.assumingMemoryBound(to: paxos_acceptor_t.self)
        }
    }

    /// What left a node in one step.
    struct Effects {
        var records: [Packet] = []
        var frames: [Packet] = []
        var delivered: UInt64 = 0
    }

    init(_ space: Space) {
        config = space.config(node: 1, incarnation: 1)
        var config = config
        byteCount = paxos_replica_block_bytes(&config)
        precondition(byteCount > 0, "the space's configuration breaks a rule")
        memory = .allocate(byteCount: byteCount, alignment: Int(PAXOS_BLOCK_ALIGNMENT))
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }

    deinit { memory.deallocate() }

    var replica: UnsafeMutablePointer<paxos_replica_t> {
        memory.assumingMemoryBound(to: paxos_replica_t.self)
    }
    var acceptor: UnsafeMutablePointer<paxos_acceptor_t> {
        memory.assumingMemoryBound(to: paxos_acceptor_t.self)
    }

    func load(_ image: Image) {
        memory.copyMemory(from: image.bytes, byteCount: image.count)
    }

    func store() -> Image {
        let acceptor = acceptor.pointee
        let head = Int(min(acceptor.arena_head, UInt64(acceptor.arena_bytes)))
        let count = Int(acceptor.arena_offset) + head
        let bytes = UnsafeMutableRawPointer.allocate(
            byteCount: count, alignment: Int(PAXOS_BLOCK_ALIGNMENT))
        bytes.copyMemory(from: memory, byteCount: count)
        return Image(bytes: bytes, count: count)
    }

    func start(_ config: paxos_config_t) {
        var config = config
        var out: UnsafeMutablePointer<paxos_replica_t>?
        precondition(paxos_replica_init(memory, byteCount, &config, 0, &out) == PAXOS_OK)
    }

    /// Give back a journal of which nothing was lost that was said to be durable; whether it could
    /// be read.
    func recover(_ records: [Packet]) -> Bool {
        for record in records {
            let status = paxos_replica_recover(
                replica, record.header, record.header.count, record.body, record.body.count)
            if status != PAXOS_OK { return false }
        }
        return paxos_replica_recovered(replica, now, 0, records.last?.fields.nonce ?? 0) == PAXOS_OK
    }

    /// Each call comes later than the last one by more than any pause that a replica makes between
    /// two of the same questions; the checker never ticks, so nothing else depends on the time.
    private var now: UInt64 { replica.pointee.now_ns + replica.pointee.election_timeout_ns / 8 }

    func receive(_ packet: Packet) -> paxos_status_t {
        paxos_replica_receive(
            replica, now, packet.header, packet.header.count, packet.body, packet.body.count)
    }

    func campaign() -> paxos_status_t { paxos_replica_campaign(replica, now) }

    func propose(_ value: Bytes) -> paxos_status_t {
        var number: UInt64 = 0
        return paxos_replica_propose(replica, now, value, value.count, &number)
    }

    func flushed(_ lsn: UInt64) -> paxos_status_t { paxos_replica_flushed(replica, now, lsn) }

    func drain(into effects: inout Effects) {
        var effect = paxos_effect_t()
        effect.size_bytes = UInt32(MemoryLayout<paxos_effect_t>.size)
        while paxos_replica_poll(replica, &effect) {
            switch effect.kind {
            case PAXOS_EFFECT_SEND.rawValue:
                effects.frames.append(packet(effect))
                precondition(paxos_replica_sent(replica, effect.token) == PAXOS_OK)
            case PAXOS_EFFECT_WRITE.rawValue: effects.records.append(packet(effect))
            case PAXOS_EFFECT_DELIVER.rawValue:
                effects.delivered = effect.slot + UInt64(effect.count) - 1
            default: break /* an outcome is for who proposed, and says nothing of the log */
            }
        }
    }

    private func packet(_ effect: paxos_effect_t) -> Packet {
        let body = UnsafeRawBufferPointer(
            start: memory + Int(effect.body_offset), count: Int(effect.body_bytes))
        return withUnsafeBytes(of: effect.header) { Packet(header: Bytes($0), body: Bytes(body)) }
    }
}
