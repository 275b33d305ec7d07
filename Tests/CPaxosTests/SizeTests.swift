import CPaxos
import Testing

/// How many bytes a block takes, and what init does with memory that does not suit it.
struct SizeTests {
    /// PAXOS_ACCEPTOR_BLOCK_BYTES, spelt out: a function-like macro is not seen from Swift.
    private func expected(_ config: paxos_config_t) -> Int {
        let members = Int(config.member_count)
        let parts =
            512 + members * 32 + members * Int(config.send_ring) * 8
            + Int(config.window_slots) * 32 + Int(config.reply_ring) * 64
            + Int(config.write_ring) * 64 + Int(config.arena_bytes)
        return (parts + 63) / 64 * 64
    }

    private func replicaExtra(_ config: paxos_config_t) -> Int {
        let parts =
            512 + Int(config.member_count) * 128 + Int(config.window_slots) * 32
            + Int(config.forward_ring) * 48
        return (parts + 63) / 64 * 64
    }

    @Test("a block is as long as its parts")
    func blockBytes() {
        var defaults = paxos_config_t()
        paxos_config_default(&defaults)
        defaults.cluster = 1
        defaults.node = 1
        setMembers(&defaults, [1])
        let configs = [
            smallConfig(), defaults,
            smallConfig { setMembers(&$0, [1]) },
            smallConfig { $0.send_ring = 1 },
            smallConfig { $0.window_slots = 1 << 20 },
            smallConfig {
                setMembers(&$0, Array(1...31))
                $0.send_ring = 1
                $0.reply_ring = 1
                $0.write_ring = 1
            },
        ]
        for var config in configs {
            #expect(paxos_acceptor_block_bytes(&config) == expected(config))
            #expect(paxos_replica_block_bytes(&config) == expected(config) + replicaExtra(config))
        }
    }

    @Test("an acceptor for a microcontroller: 16 slots of 64 bytes under 4 KiB", arguments: [2, 4])
    func microcontroller(sendRing: UInt32) {
        let block = AcceptorBlock(smallConfig { $0.send_ring = sendRing })
        #expect(block.byteCount < 4096)
    }

    @Test("and it works: 16 slots of 64 bytes are accepted, decided and trimmed, over and over")
    func microcontroller_works() {
        let block = AcceptorBlock(smallConfig { $0.send_ring = 2 })
        for slot in 1...500 as ClosedRange<UInt64> {
            let entry = Entry(value: Bytes(repeating: UInt8(slot & 0xFF), count: 64))
            let run = Run(ballot: ballot(5), slot: slot, entries: [entry])
            #expect(block.receive(acceptFrame(run, watermark: slot - 1)) == PAXOS_OK)
            _ = block.settle()
            #expect(block.look(slot) == .accepted(ballot(5), entry))
            if slot > 8 { #expect(block.trim(slot - 8) == PAXOS_OK) }
        }
    }

    @Test("init refuses memory that is too short or not aligned, and leaves it as it was")
    func badMemory() {
        var config = smallConfig()
        let needed = paxos_acceptor_block_bytes(&config)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: needed + 64, alignment: 64)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0xA5, count: needed + 64)
        var out: UnsafeMutablePointer<paxos_acceptor_t>?
        #expect(paxos_acceptor_init(memory, needed - 1, &config, &out) == PAXOS_ERR_CONFIG)
        #expect(paxos_acceptor_init(memory + 8, needed, &config, &out) == PAXOS_ERR_CONFIG)
        var broken = smallConfig { $0.cluster = 0 }
        #expect(paxos_acceptor_init(memory, needed, &broken, &out) == PAXOS_ERR_CONFIG)
        #expect(out == nil)
        let bytes = UnsafeRawBufferPointer(start: memory, count: needed + 64)
        #expect(bytes.allSatisfy { $0 == 0xA5 })
        #expect(paxos_acceptor_init(memory, needed + 64, &config, &out) == PAXOS_OK)
        #expect(out.map(UnsafeMutableRawPointer.init) == memory)
        #expect(bytes[needed...].allSatisfy { $0 == 0xA5 }, "what is not its own is not touched")
    }

    @Test("a new acceptor promised and accepted nothing")
    func fresh() {
        let block = AcceptorBlock()
        let status = block.status
        #expect(status.promised == 0 && status.decided == 0 && status.trimmed == 0)
        #expect(status.last_slot == 0 && status.lsn == 0 && status.flushed == 0)
        #expect(status.arena_free_bytes == 2048)
        #expect(block.poll() == nil)
        for slot in 1...40 as ClosedRange<UInt64> { #expect(block.look(slot) == .empty) }
        #expect(AcceptorBlock().image == block.image, "the same bytes, wherever it is made")
    }
}
