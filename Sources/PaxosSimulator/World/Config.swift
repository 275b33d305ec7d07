import CPaxos

package let testCluster: UInt64 = 0x0C10_57E2
package let testGroup: UInt32 = 7

/// Votes survive a crash and count after a flush, or live in memory and count at once.
package enum Mode: CaseIterable, Sendable {
    case durable, memoryOnly
}

/// The configuration that most tests run on: small, one second of election timeout.
package func testConfig(
    members: Int = 3, mode: Mode = .durable, seed: UInt64 = 1,
    _ change: (inout paxos_config_t) -> Void = { _ in }
) -> paxos_config_t {
    var config = paxos_config_t()
    paxos_config_default(&config)
    config.cluster = testCluster
    config.group = testGroup
    config.node = 1
    config.member_count = UInt16(members)
    withUnsafeMutableBytes(of: &config.members) { raw in
        let nodes = raw.bindMemory(to: UInt16.self)
        for index in 0..<members { nodes[index] = UInt16(index + 1) }
    }
    config.memory_only = mode == .memoryOnly ? 1 : 0
    config.window_slots = 64
    config.pipeline_slots = 64
    config.value_bytes_max = 64
    config.frame_bytes_max = 1024
    config.arena_bytes = 32 << 10
    config.reply_ring = 64
    config.write_ring = 64
    config.send_ring = 64
    config.forward_ring = 16
    config.election_timeout_ns = second
    config.seed = seed
    change(&config)
    return config
}

package let second: UInt64 = 1_000_000_000
package let millisecond: UInt64 = 1_000_000
