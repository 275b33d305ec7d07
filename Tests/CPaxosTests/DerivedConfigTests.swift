import CPaxos
import Testing

/// What init makes of a configuration: the defaults, the limits that follow, and where the parts
/// of the block stand.
struct DerivedConfigTests {
    @Test("the defaults, one by one")
    func defaults() {
        var config = paxos_config_t()
        paxos_config_default(&config)
        #expect(config.size_bytes == MemoryLayout<paxos_config_t>.size)
        #expect(config.version == PAXOS_VERSION && config.incarnation == 1 && config.seed == 1)
        #expect(config.cluster == 0 && config.group == 0 && config.node == 0)
        #expect(config.member_count == 0 && config.q1 == 0 && config.q2 == 0)
        #expect(config.memory_only == 0 && config.manual_elections == 0)
        #expect(config.journal_lsn == 0 && config.inflight_bytes_max == 0)
        #expect(config.window_slots == 4096 && config.pipeline_slots == 4096)
        #expect(config.value_bytes_max == 64 << 10 && config.frame_bytes_max == 256 << 10)
        #expect(config.arena_bytes == 16 << 20)
        #expect(config.reply_ring == 256 && config.write_ring == 1024)
        #expect(config.send_ring == 64 && config.forward_ring == 256)
        #expect(config.election_timeout_ns == 500_000_000)
    }

    /// The block's own account of itself, just after init.
    private func state(_ config: paxos_config_t) -> paxos_acceptor_t {
        let block = AcceptorBlock(config)
        return withExtendedLifetime(block) { block.acceptor.pointee }
    }

    private func check(_ change: (inout paxos_config_t) -> Void) -> Bool {
        var config = smallConfig(change)
        return paxos_config_check(&config, nil) == PAXOS_OK
    }

    @Test("each limit, and one beyond it")
    func limits() {
        #expect(check { $0.window_slots = 1 << 20 } && !check { $0.window_slots = 1 << 21 })
        #expect(check { ($0.window_slots, $0.pipeline_slots) = (1, 1) })
        #expect(check { $0.value_bytes_max = 1 })
        func large(_ value: UInt32, _ frame: UInt32, _ arena: UInt32) -> Bool {
            check {
                ($0.value_bytes_max, $0.frame_bytes_max, $0.arena_bytes) = (value, frame, arena)
            }
        }
        #expect(large(16 << 20, 16 << 20 + 120, 1 << 27))
        #expect(!large(16 << 20 + 1, 32 << 20, 1 << 27))
        #expect(large(64, 32 << 20, 1 << 31) && !large(64, 32 << 20 + 1, 1 << 31))
        #expect(large(64, 184, 512) && !large(64, 184, 256))
        #expect(large(64, 96 + 1008, 4096) && !large(64, 96 + 1009 + 7, 4096))
        for ring: WritableKeyPath<paxos_config_t, UInt32> in [
            \.reply_ring, \.write_ring, \.send_ring, \.forward_ring,
        ] {
            for good in [1, 2, 1 << 16] as [UInt32] { #expect(check { $0[keyPath: ring] = good }) }
            for bad in [0, 3, 6, 1 << 17] as [UInt32] {
                #expect(!check { $0[keyPath: ring] = bad })
            }
        }
        #expect(check { $0.election_timeout_ns = 1000 } && !check { $0.election_timeout_ns = 999 })
        #expect(check { $0.election_timeout_ns = .max >> 8 })
        #expect(!check { $0.election_timeout_ns = .max >> 8 + 1 })
    }

    @Test("majorities, where no quorum is named")
    func majorities() {
        for (count, majority) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (31, 16)] {
            let config = smallConfig { setMembers(&$0, Array(1...UInt16(count))) }
            let a = state(config)
            #expect(a.q1 == majority && a.q2 == majority && a.member_count == count)
        }
        let named = state(smallConfig { ($0.q1, $0.q2) = (1, 3) })
        #expect(named.q1 == 1 && named.q2 == 3)
    }

    @Test("two votes are a decision where votes live in memory and a quorum is two or one")
    func choosesEarly() {
        for (memory, q2, early) in [(1, 2, 1), (1, 3, 0), (0, 2, 0), (1, 1, 1)]
            as [(UInt16, UInt16, UInt32)]
        {
            let config = smallConfig { ($0.memory_only, $0.q1, $0.q2) = (memory, 3, q2) }
            #expect(state(config).chooses_early == early)
        }
    }

    @Test("how much a run, the reserve and what is in flight may take")
    func derivedBytes() {
        /* (value, frame, arena) and then body, reserve, run, in flight */
        let cases: [([UInt32], [UInt64])] = [
            ([64, 448, 2048], [352, 368, 256, (2048 - 736) / 3 + 1]),
            ([64, 440, 8192], [344, 368, 368, (8192 - 736) / 3 + 1]),
            ([64, 455, 2048], [352, 368, 256, (2048 - 736) / 3 + 1]),
            ([64, 184, 512], [88, 112, 112, (512 - 224) / 3 + 1]),
            ([64, 1024, 4096], [928, 944, 512, (4096 - 1888) / 3 + 1]),
        ]
        for (sizes, expected) in cases {
            var config = smallConfig {
                ($0.value_bytes_max, $0.frame_bytes_max, $0.arena_bytes) =
                    (sizes[0], sizes[1], sizes[2])
            }
            let a = state(config)
            let derived = [
                UInt64(a.body_bytes_max), UInt64(a.reserve_bytes), UInt64(a.run_bytes_max),
                paxos_config_inflight(&config),
            ]
            #expect(derived == expected, "\(sizes)")
        }
        var named = smallConfig { $0.inflight_bytes_max = 77 }
        #expect(paxos_config_inflight(&named) == 77)
    }

    @Test("the parts of a block stand one behind the other, the arena at a multiple of 16")
    func offsets() {
        var config = smallConfig {
            setMembers(&$0, [1, 2, 3, 4, 5])
            ($0.reply_ring, $0.write_ring, $0.send_ring, $0.forward_ring) = (2, 8, 1, 4)
        }
        let a = state(config)
        #expect(a.is_replica == 0 && a.self_index == 0 && a.node == 1)
        #expect(a.cells_offset == 512 && a.replies_offset == 512 + 16 * 32)
        #expect(a.writes_offset == a.replies_offset + 2 * 64)
        #expect(a.members_offset == a.writes_offset + 8 * 64)
        #expect(a.sends_offset == a.members_offset + 5 * 32)
        #expect(a.arena_offset == a.sends_offset + 5 * 8 + 8)
        #expect(a.block_bytes == UInt64(paxos_acceptor_block_bytes(&config)))

        let bytes = paxos_replica_block_bytes(&config)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        defer { memory.deallocate() }
        #expect(paxos_block_init(memory, bytes, &config, true) == PAXOS_OK)
        let r = memory.assumingMemoryBound(to: paxos_acceptor_t.self).pointee
        #expect(r.is_replica == 1 && r.cells_offset == 1024)
        #expect(r.writes_offset == 1024 + 16 * 32 + 2 * 64)
        #expect(r.peers_offset == r.writes_offset + 8 * 64)
        #expect(r.proposals_offset == r.peers_offset + 5 * 128)
        #expect(r.forwards_offset == r.proposals_offset + 16 * 32)
        #expect(r.members_offset == r.forwards_offset + 4 * 48)
        #expect(r.sends_offset == r.members_offset + 5 * 32)
        #expect(r.arena_offset == r.sends_offset + 5 * 8 + 8)
        #expect(r.block_bytes == UInt64(bytes))
    }

    @Test("only a durable node in a later life waits for its journal, from the lsn that is named")
    func recovering() {
        for (memory, incarnation, lsn, isRecovering, last) in [
            (0, 1, 1, false, 0), (0, 2, 0, true, 0), (0, 2, 1, true, 0), (0, 2, 2, true, 1),
            (0, 2, 9, true, 8), (1, 2, 9, false, 0),
        ] as [(UInt16, UInt32, UInt64, Bool, UInt64)] {
            let config = smallConfig {
                ($0.memory_only, $0.incarnation, $0.journal_lsn) = (memory, incarnation, lsn)
            }
            let a = state(config)
            #expect((a.magic != state(smallConfig()).magic) == isRecovering)
            #expect(a.lsn == last)
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
}
