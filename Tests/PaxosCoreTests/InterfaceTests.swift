import CPaxos
import PaxosSimulator
import Testing

/// The C face refuses what its header says it refuses, and never follows a null pointer.
struct InterfaceTests {
    let node = Node(testConfig(), now: second)

    @Test("no block, no configuration, no place for the result, a block too small or askew")
    func initRefuses() {
        var config = testConfig()
        let bytes = paxos_replica_block_bytes(&config)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes + 64, alignment: 64)
        defer { memory.deallocate() }
        var out: UnsafeMutablePointer<paxos_replica_t>?
        #expect(paxos_replica_init(nil, bytes, &config, 0, &out) == PAXOS_ERR_CONFIG)
        #expect(paxos_replica_init(memory, bytes, nil, 0, &out) == PAXOS_ERR_CONFIG)
        #expect(paxos_replica_init(memory, bytes, &config, 0, nil) == PAXOS_ERR_CONFIG)
        #expect(paxos_replica_init(memory, bytes - 1, &config, 0, &out) == PAXOS_ERR_CONFIG)
        #expect(paxos_replica_init(memory + 8, bytes, &config, 0, &out) == PAXOS_ERR_CONFIG)
        config.cluster = 0
        #expect(paxos_replica_init(memory, bytes, &config, 0, &out) == PAXOS_ERR_CONFIG)
        #expect(out == nil)
    }

    @Test("no replica, or a block that is none")
    func noReplica() {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: 4096)
        defer { memory.deallocate() }
        let bad = memory.assumingMemoryBound(to: paxos_replica_t.self)
        var effect = paxos_effect_t()
        effect.size_bytes = UInt32(MemoryLayout<paxos_effect_t>.size)
        var number: UInt64 = 0
        var status = paxos_replica_status_t()
        let header = Bytes(repeating: 0, count: 96)
        for replica in [nil, bad] {
            #expect(paxos_replica_receive(replica, 0, header, 96, nil, 0) == PAXOS_ERR_CORRUPT)
            #expect(paxos_replica_propose(replica, 0, header, 1, &number) == PAXOS_ERR_CORRUPT)
            #expect(paxos_replica_flushed(replica, 0, 0) == PAXOS_ERR_CORRUPT)
            #expect(paxos_replica_sent(replica, 0) == PAXOS_ERR_CORRUPT)
            #expect(paxos_replica_trim(replica, 0) == PAXOS_ERR_CORRUPT)
            #expect(paxos_replica_campaign(replica, 0) == PAXOS_ERR_CORRUPT)
            #expect(!paxos_replica_poll(replica, &effect))
            paxos_replica_tick(replica, 0)
            paxos_replica_press(replica, 1)
        }
        paxos_replica_status(nil, &status)
        paxos_replica_status(node.replica, nil)
        #expect(status.node == 0)
        #expect(paxos_replica_deadline(nil) == .max)
        #expect(!paxos_replica_poll(node.replica, nil))
    }

    @Test("a frame without a header, a proposal without bytes or a place for its number")
    func nullArguments() {
        #expect(paxos_replica_receive(node.replica, 0, nil, 96, nil, 0) == PAXOS_ERR_WIRE)
        let world = World.led()
        let leader = world[1].replica
        var number: UInt64 = 0
        #expect(paxos_replica_propose(leader, 0, nil, 1, &number) == PAXOS_ERR_RANGE)
        #expect(paxos_replica_propose(leader, 0, [1], 1, nil) == PAXOS_ERR_CORRUPT)
        #expect(paxos_replica_propose(leader, 0, nil, 0, &number) == PAXOS_OK, "an empty value")
        #expect(number == 1)
    }

    @Test("a body that is announced and not there is malformed")
    func missingBody() {
        let entry = Entry("x", node: 2)
        let accept = Packet.accept(from: 2, to: 1, round: 1, slot: 1, [entry])
        #expect(
            paxos_replica_receive(node.replica, 0, accept.header, 96, nil, accept.body.count)
                == PAXOS_ERR_WIRE)
        #expect(
            paxos_replica_receive(
                node.replica, 0, accept.header, 95, accept.body, accept.body.count)
                == PAXOS_ERR_WIRE)
        #expect(node.look(1).value == nil && node.status.frames_malformed == 2)
    }

    @Test("what was never given out, and what was never delivered, is out of range")
    func outOfRange() {
        #expect(node.flushed(1, now: 0) == PAXOS_ERR_RANGE)
        #expect(node.sent(1) == PAXOS_ERR_RANGE)
        #expect(node.sent(2 << 48 | 1) == PAXOS_ERR_RANGE)
        #expect(node.trim(1) == PAXOS_ERR_RANGE)
        #expect(node.trim(0) == PAXOS_OK && node.sent(0) == PAXOS_OK)
    }

    @Test("status says what the header says")
    func statusFields() {
        let world = World.led(mode: .memoryOnly)
        world.propose("v", at: 1)
        world.run(for: second)
        let leader = world[1].status
        #expect(leader.node == 1 && leader.leader == 1 && leader.role == 2 && leader.quorum == 1)
        #expect(leader.decided == 1 && leader.delivered == 1 && leader.last_slot == 1)
        #expect(leader.trimmed == 1 && leader.behind_to == 0 && leader.campaigns == 0)
        #expect(leader.ballot == leader.promised && leader.frames_received > 0)
        #expect(leader.arena_free_bytes <= 32 << 10 && leader.frames_malformed == 0)
        let follower = world[2].status
        #expect(follower.role == 0 && follower.leader == 1 && follower.ballot == leader.ballot)
    }
}
