import CPaxos
import Testing

/// Every rule of a configuration, broken alone, is named in plain words.
struct ConfigTests {
    private func rule(_ change: (inout paxos_config_t) -> Void) -> String? {
        var config = smallConfig(change)
        var rule: UnsafePointer<CChar>?
        let status = paxos_config_check(&config, &rule)
        #expect((status == PAXOS_OK) == (rule == nil))
        #expect(status == PAXOS_OK || status == PAXOS_ERR_CONFIG)
        #expect((paxos_acceptor_block_bytes(&config) == 0) == (status != PAXOS_OK))
        #expect((paxos_replica_block_bytes(&config) == 0) == (status != PAXOS_OK))
        #expect(paxos_config_check(&config, nil) == status)
        return rule.map { String(cString: $0) }
    }

    @Test("the small configuration and the default break none")
    func good() {
        #expect(rule { _ in } == nil)
        var config = paxos_config_t()
        paxos_config_default(&config)
        config.cluster = 1
        config.node = 1
        setMembers(&config, [1])
        #expect(paxos_config_check(&config, nil) == PAXOS_OK)
        #expect(paxos_version() == PAXOS_VERSION)
    }

    @Test("the default says every field, whatever stood there before")
    func default_saysAll() {
        var clean = paxos_config_t()
        paxos_config_default(&clean)
        var used = paxos_config_t()
        withUnsafeMutableBytes(of: &used) { bytes in
            for i in bytes.indices { bytes[i] = 0xA5 }
        }
        paxos_config_default(&used)
        let bytes = withUnsafeBytes(of: &clean) { Bytes($0) }
        #expect(withUnsafeBytes(of: &used) { Bytes($0) } == bytes)
        #expect(clean.zero == 0)
        withUnsafeBytes(of: &clean.members) { members in
            #expect(members.allSatisfy { $0 == 0 })
        }
    }

    @Test("who takes part")
    func members() {
        #expect(rule { $0.cluster = 0 } == "cluster is not 0")
        #expect(rule { $0.incarnation = 0 } == "incarnation counts from 1")
        #expect(rule { $0.member_count = 0 } == "member_count is 1 to 31")
        #expect(rule { $0.member_count = 32 } == "member_count is 1 to 31")
        #expect(rule { setMembers(&$0, [0, 1, 2]) } == "no member is 0")
        #expect(rule { setMembers(&$0, [1, 3, 2]) } == "members are ascending and distinct")
        #expect(rule { setMembers(&$0, [1, 2, 2]) } == "members are ascending and distinct")
        #expect(rule { setMembers(&$0, [2, 1, 3]) } == "members are ascending and distinct")
        #expect(rule { $0.node = 4 } == "node is one of members")
        #expect(rule { $0.q1 = 4 } == "q1 and q2 are at most member_count")
        #expect(rule { $0.q2 = 4 } == "q1 and q2 are at most member_count")
        #expect(rule { $0.q1 = 1 } == "q1 + q2 is over member_count")
        #expect(
            rule {
                $0.q1 = 1
                $0.q2 = 3
            } == nil)
        #expect(rule { $0.memory_only = 2 } == "memory_only is 0 or 1")
        #expect(rule { $0.manual_elections = 2 } == "manual_elections is 0 or 1")
        #expect(rule { setMembers(&$0, Array(1...31)) } == nil)
        let journal = "journal_lsn is over 1 only if incarnation is, and under 2^62"
        #expect(rule { $0.journal_lsn = 1 } == nil)
        #expect(rule { $0.journal_lsn = 2 } == journal)
        #expect(rule { ($0.incarnation, $0.journal_lsn) = (2, 1 << 62) } == journal)
        #expect(rule { ($0.incarnation, $0.journal_lsn) = (2, 1 << 62 - 1) } == nil)
    }

    @Test("sizes")
    func sizes() {
        let window = "window_slots is a power of two up to 1048576"
        #expect(rule { $0.window_slots = 0 } == window)
        #expect(rule { $0.window_slots = 24 } == window)
        #expect(rule { $0.window_slots = 1 << 21 } == window)
        #expect(rule { $0.pipeline_slots = 0 } == "pipeline_slots is 1 to window_slots")
        #expect(rule { $0.pipeline_slots = 17 } == "pipeline_slots is 1 to window_slots")
        #expect(rule { $0.value_bytes_max = 0 } == "value_bytes_max is 1 to 16777216")
        #expect(rule { $0.value_bytes_max = 16 << 20 | 1 } == "value_bytes_max is 1 to 16777216")
        let frame = "frame_bytes_max holds a header and the largest entry, and is at most 33554432"
        #expect(rule { $0.frame_bytes_max = 0 } == frame)
        #expect(rule { $0.frame_bytes_max = 183 } == frame)
        #expect(rule { $0.frame_bytes_max = 184 } == nil)
        #expect(rule { $0.frame_bytes_max = 32 << 20 | 1 } == frame)
        let arena = "arena_bytes is a power of two, at least four frames, at most 2147483648"
        #expect(rule { $0.arena_bytes = 1024 } == arena)
        #expect(rule { $0.arena_bytes = 3072 } == arena)
        let inflight = "inflight_bytes_max leaves two frames of the arena free"
        #expect(rule { $0.inflight_bytes_max = 1313 } == inflight)
        #expect(rule { $0.inflight_bytes_max = 1312 } == nil)
        let rings =
            "reply_ring, write_ring, send_ring and forward_ring are powers of two up to 65536"
        #expect(rule { $0.reply_ring = 3 } == rings)
        #expect(rule { $0.write_ring = 0 } == rings)
        #expect(rule { $0.send_ring = 1 << 17 } == rings)
        #expect(rule { $0.forward_ring = 6 } == rings)
        #expect(rule { $0.election_timeout_ns = 999 } == "election_timeout_ns is 1000 or more")
        #expect(rule { $0.election_timeout_ns = .max } == "election_timeout_ns is 1000 or more")
    }

    @Test("another library's struct")
    func version() {
        let message = "size_bytes and version are those of this library"
        #expect(rule { $0.size_bytes -= 8 } == message)
        #expect(rule { $0.version = 1 << 16 } == message)
        #expect(rule { $0.version = PAXOS_VERSION + 1 } == nil, "a later patch")
    }

    @Test("the fingerprint tells apart what must be agreed, and nothing else")
    func fingerprint() {
        let agreed: [(inout paxos_config_t) -> Void] = [
            { $0.cluster = 5 }, { $0.group = 5 }, { $0.q1 = 3 }, { $0.q2 = 3 },
            { $0.memory_only = 1 }, { $0.pipeline_slots = 5 }, { $0.value_bytes_max = 5 },
            { $0.frame_bytes_max = 400 }, { $0.inflight_bytes_max = 5 },
            { $0.election_timeout_ns = 5000 }, { setMembers(&$0, [1, 2, 4]) },
            { setMembers(&$0, [1, 2]) }, { _ in },
        ]
        let prints = agreed.map { AcceptorBlock(smallConfig($0)).fingerprint }
        #expect(Set(prints).count == agreed.count)
        let own: [(inout paxos_config_t) -> Void] = [
            { $0.incarnation = 5 }, { $0.node = 2 }, { $0.window_slots = 32 }, { $0.seed = 5 },
            { $0.write_ring = 8 }, { $0.manual_elections = 1 }, { $0.q1 = 2 }, { $0.q2 = 2 },
        ]
        #expect(own.allSatisfy { AcceptorBlock(smallConfig($0)).fingerprint == prints.last })
    }
}
