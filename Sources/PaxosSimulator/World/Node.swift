import CPaxos
import Foundation
import PaxosCore

/// A replica in aligned memory of its own, and nothing else: each call is one call of the C face.
package final class Node {
    package let id: UInt16
    package let config: paxos_config_t
    package let memory: UnsafeMutableRawPointer
    package let byteCount: Int
    package let replica: UnsafeMutablePointer<paxos_replica_t>

    package init(_ config: paxos_config_t, now: UInt64) {
        var config = config
        byteCount = paxos_replica_block_bytes(&config)
        precondition(byteCount > 0, "the test's configuration breaks a rule")
        memory = .allocate(byteCount: byteCount, alignment: Int(PAXOS_BLOCK_ALIGNMENT))
        var out: UnsafeMutablePointer<paxos_replica_t>?
        precondition(paxos_replica_init(memory, byteCount, &config, now, &out) == PAXOS_OK)
        replica = out!
        id = config.node
        self.config = config
    }

    /// The same block, byte for byte, somewhere else.
    package init(copyOf other: Node) {
        byteCount = other.byteCount
        memory = .allocate(byteCount: byteCount, alignment: Int(PAXOS_BLOCK_ALIGNMENT))
        memory.copyMemory(from: other.memory, byteCount: byteCount)
        replica = memory.assumingMemoryBound(to: paxos_replica_t.self)
        id = other.id
        config = other.config
    }

    deinit { memory.deallocate() }

    package func receive(_ packet: Packet, now: UInt64) -> paxos_status_t {
        paxos_replica_receive(
            replica, now, packet.header, packet.header.count, packet.body, packet.body.count)
    }

    package func propose(_ value: Bytes, now: UInt64) -> (status: paxos_status_t, number: UInt64) {
        var number: UInt64 = 0
        let status = paxos_replica_propose(replica, now, value, value.count, &number)
        return (status, number)
    }

    package func tick(now: UInt64) { paxos_replica_tick(replica, now) }
    package var deadline: UInt64 { paxos_replica_deadline(replica) }
    package func flushed(_ lsn: UInt64, now: UInt64) -> paxos_status_t {
        paxos_replica_flushed(replica, now, lsn)
    }
    package func sent(_ token: UInt64) -> paxos_status_t { paxos_replica_sent(replica, token) }
    package func trim(_ slot: UInt64) -> paxos_status_t { paxos_replica_trim(replica, slot) }
    package func press(_ slot: UInt64) { paxos_replica_press(replica, slot) }
    package func retain(from slot: UInt64) { paxos_replica_retain(replica, slot) }
    package func campaign(now: UInt64) -> paxos_status_t { paxos_replica_campaign(replica, now) }

    package func poll() -> paxos_effect_t? {
        var effect = paxos_effect_t()
        effect.size_bytes = UInt32(MemoryLayout<paxos_effect_t>.size)
        return paxos_replica_poll(replica, &effect) ? effect : nil
    }

    package var status: paxos_replica_status_t {
        var status = paxos_replica_status_t()
        status.size_bytes = UInt32(MemoryLayout<paxos_replica_status_t>.size)
        paxos_replica_status(replica, &status)
        return status
    }

    package var isLeader: Bool { replica.pointee.role == PAXOS_ROLE_LEADER.rawValue }
    package var isCandidate: Bool { replica.pointee.role == PAXOS_ROLE_CANDIDATE.rawValue }
    package var acceptor: paxos_acceptor_t { replica.pointee.acceptor }
    package var fingerprint: UInt64 { replica.pointee.acceptor.fingerprint }

    package func bytes(at offset: UInt64, count: UInt32) -> Bytes {
        Bytes(UnsafeRawBufferPointer(start: memory + Int(offset), count: Int(count)))
    }

    package func bytes(at offset: UInt64, equal bytes: Bytes) -> Bool {
        memcmp(memory + Int(offset), bytes, bytes.count) == 0
    }

    /// Every byte of the block as it is now.
    package var image: Bytes { bytes(at: 0, count: UInt32(byteCount)) }

    /// Whether the block has these bytes; by `memcmp`, because a debug build is slow otherwise.
    package func isLike(_ image: Bytes) -> Bool {
        image.count == byteCount && bytes(at: 0, equal: image)
    }

    /// What the acceptor holds in a slot.
    package func look(_ slot: UInt64) -> (state: UInt32, ballot: UInt64, value: Bytes?) {
        var state: UInt32 = 0
        var ballot: UInt64 = 0
        var value: UnsafePointer<UInt8>?
        var valueBytes: UInt32 = 0
        let acceptor = UnsafeMutableRawPointer(replica)
            .assumingMemoryBound(to: paxos_acceptor_t.self)
        paxos_acceptor_look(acceptor, slot, &state, &ballot, &value, &valueBytes)
        let bytes = value.map { Bytes(UnsafeBufferPointer(start: $0, count: Int(valueBytes))) }
        return (state, ballot, bytes)
    }
}
