import CPaxos
import Testing

/// What only this library, or its host, can break stops the program, in release builds too.
struct PanicTests {
    @Test("polling with the effect of another library stops the program")
    func wrongEffectSize() async {
        await #expect(processExitsWith: .failure) {
            let block = AcceptorBlock()
            var effect = paxos_effect_t()
            effect.size_bytes = 8
            _ = paxos_acceptor_poll(block.acceptor, &effect)
        }
    }

    @Test("an entry over the largest value stops the program before it writes")
    func entryTooLarge() async {
        await #expect(processExitsWith: .failure) {
            var header = paxos_entry_t()
            header.value_bytes = PAXOS_VALUE_BYTES_MAX + 1
            var out: [UInt8] = [0]
            _ = paxos_entry_put(&out, header, [1])
        }
    }

    @Test("a voter that waits for its journal is shown, and so is a replica's")
    func recoveringIsShown() {
        let config = smallConfig { $0.incarnation = 2 }
        #expect(AcceptorBlock(config).status.lsn == 0)
        #expect(AcceptorBlock(config).look(1) == .empty)
        let replica = ReplicaBlock()
        for magic in [PAXOS_BLOCK_REPLICA, PAXOS_BLOCK_REPLICA + PAXOS_BLOCK_RECOVERING] {
            replica.acceptor.pointee.magic = magic
            var status = paxos_acceptor_status_t()
            status.size_bytes = UInt32(MemoryLayout<paxos_acceptor_status_t>.size)
            paxos_acceptor_status(replica.acceptor, &status)
            #expect(status.arena_free_bytes == replica.acceptor.pointee.arena_bytes)
        }
    }

    @Test("to look at what is no block stops the program")
    func foreignIsNotShown() async {
        await #expect(processExitsWith: .failure) {
            let block = AcceptorBlock()
            block.acceptor.pointee.magic ^= 1
            _ = block.status
        }
    }
}
