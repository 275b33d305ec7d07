import CPaxos

/// The acceptor at the head of a replica's block, made without its proposer.
final class ReplicaBlock {
    let memory: UnsafeMutableRawPointer
    let acceptor: UnsafeMutablePointer<paxos_acceptor_t>

    init() {
        var config = smallConfig {
            memoryOnly(&$0)
            $0.window_slots = 64
            $0.inflight_bytes_max = 64
        }
        let bytes = paxos_replica_block_bytes(&config)
        memory = .allocate(byteCount: bytes, alignment: 64)
        precondition(paxos_block_init(memory, bytes, &config, true) == PAXOS_OK)
        acceptor = memory.assumingMemoryBound(to: paxos_acceptor_t.self)
    }

    deinit { memory.deallocate() }

    func accept(_ round: UInt64, _ slot: UInt64, _ entry: Entry) -> paxos_status_t {
        let bytes = entry.bytes
        return bytes.withUnsafeBufferPointer {
            var run = paxos_run_t(
                ballot: ballot(round), slot: slot, count: 1, bytes: UInt32(bytes.count),
                digest: digestOf(bytes, from: slot), entries: $0.baseAddress!)
            var lsn: UInt64 = 0
            return paxos_voter_accept(acceptor, &run, &lsn)
        }
    }

    func bytes(_ position: UInt64, _ count: Int) -> Bytes {
        let start = memory + Int(paxos_arena_offset(acceptor, position))
        return Bytes(UnsafeRawBufferPointer(start: start, count: count))
    }
}
