import CPaxos
import PaxosSimulator
import Testing

/// replica.h: PAXOS_ERR_NO_LEADER, PAXOS_ERR_PIPELINE, PAXOS_ERR_FULL, PAXOS_ERR_BUSY: "would
/// block: nothing changed; poll, tick and try again."
struct BackPressureTests {
    private let value = Bytes(repeating: 7, count: 64)

    /// The block, without what housekeeping may change at any time: what may be trimmed, and how
    /// the arena is laid out. Instead of the arena, what stands in each slot.
    private func essence(_ node: Node) -> Bytes {
        let acceptor = node.acceptor
        var image = Bytes(node.image.prefix(Int(acceptor.arena_offset)))
        func clear(_ offset: Int, _ count: Int) {
            image.replaceSubrange(offset..<offset + count, with: repeatElement(0, count: count))
        }
        let housekeeping: [PartialKeyPath<paxos_acceptor_t>] = [
            \.stable, \.arena_head, \.arena_tail, \.open_run, \.open_end, \.open_slot,
        ]
        for field in housekeeping { clear(MemoryLayout<paxos_acceptor_t>.offset(of: field)!, 8) }
        clear(MemoryLayout<paxos_acceptor_t>.offset(of: \.counters)!, 64)
        clear(Int(acceptor.cells_offset), Int(acceptor.window_slots) * 32)
        for slot in acceptor.trimmed + 1..<acceptor.trimmed + 1 + UInt64(acceptor.window_slots) {
            let held = node.look(slot)
            image +=
                [UInt8(held.state), UInt8(truncatingIfNeeded: held.ballot)] + (held.value ?? [])
        }
        return image
    }

    /// Propose at `id` until it would block; what it said, and how many were taken. The refusal
    /// must leave every byte of the block as it was.
    private func fill(_ world: World, at id: UInt16, value: Bytes? = nil) -> (paxos_status_t, Int) {
        let text = String(decoding: value ?? Bytes(repeating: 0x61, count: 8), as: UTF8.self)
        var count = 0
        while true {
            let before = essence(world[id])
            let status = world[id].propose(Bytes(text.utf8), now: world.now).status
            if status != PAXOS_OK {
                let isSame = essence(world[id]) == before
                #expect(isSame, "after \(count) proposals, \(status)")
                return (status, count)
            }
            count += 1
            if count > 10_000 { return (status, count) }
        }
    }

    @Test("the pipeline is full; a decision makes room", arguments: Mode.allCases)
    func pipeline(mode: Mode) {
        let world = World.led(mode: mode) { $0.pipeline_slots = 8 }
        world.trim = .never
        #expect(fill(world, at: 1) == (PAXOS_ERR_PIPELINE, 8))
        world.deliverSilently()
        #expect(world[1].acceptor.decided == 8)
        #expect(fill(world, at: 1) == (PAXOS_ERR_PIPELINE, 8))
    }

    @Test(
        "the window is full of what was not trimmed; a trim makes room", arguments: Mode.allCases)
    func window(mode: Mode) {
        let world = World.led(mode: mode) {
            $0.window_slots = 8
            $0.pipeline_slots = 8
        }
        world.trim = .never
        for _ in 0..<8 {
            #expect(world.propose("v", at: 1).status == PAXOS_OK)
            world.deliverAll()
        }
        #expect(world[1].acceptor.decided == 8)
        #expect(fill(world, at: 1) == (PAXOS_ERR_FULL, 0))
        world.run(for: second)
        #expect(world[1].trim(4) == PAXOS_OK)
        #expect(world[1].acceptor.trimmed == 4)
        #expect(fill(world, at: 1) == (PAXOS_ERR_FULL, 4))
    }

    @Test("bytes in flight are bounded", arguments: Mode.allCases)
    func inFlightBytes(mode: Mode) {
        let world = World.led(mode: mode) { $0.inflight_bytes_max = 1000 }
        let (status, count) = fill(world, at: 1, value: value)
        #expect(status == PAXOS_ERR_PIPELINE)
        #expect(count > 5 && count <= 1000 / 88 + 1)
        world.deliverSilently()
        #expect(fill(world, at: 1, value: value).1 == count)
    }

    @Test("the arena is full of what was not trimmed; a trim makes room", arguments: Mode.allCases)
    func arena(mode: Mode) {
        let world = World.led(mode: mode) {
            $0.frame_bytes_max = 448
            $0.arena_bytes = 4096
        }
        world.trim = .never
        let text = String(repeating: "v", count: 64)
        while world.propose(text, at: 1).status == PAXOS_OK { world.deliverAll() }
        let held = UInt64(world.texts(at: 1).count)
        #expect(held > 20 && held < 64)
        #expect(fill(world, at: 1, value: value) == (PAXOS_ERR_FULL, 0))
        world.run(for: second)
        for id in world.ids { #expect(world[id].trim(held) == PAXOS_OK) }
        world.run(for: second)
        #expect(world.propose(text, at: 1).status == PAXOS_OK)
        world.run(for: second)
        #expect(world.texts(at: 1).count > Int(held) && world.isConverged)
        expectSafe(world)
    }

    @Test(
        "hosts that trim in chunks: a full pipeline reaches beyond their windows, and goes on",
        arguments: Mode.allCases)
    func chunkedTrim(mode: Mode) {
        let world = World.led(mode: mode) {
            $0.window_slots = 16
            $0.pipeline_slots = 16
        }
        world.trims[2] = .after(7)
        world.crash(3)
        world.run(for: 2 * second)
        for round in 1...40 {
            /* A few are delivered at node 2 and not trimmed; then as many as the pipeline takes. */
            for _ in 0..<3 {
                world.propose("v", at: 1)
                world.run(for: second)
            }
            while world.propose("v", at: 1).status == PAXOS_OK {}
            /* Lost, and so sent again as the one run that they are. */
            world.drop { $0.isKind(PAXOS_FRAME_ACCEPT) }
            let before = world.host(2).log.count
            world.run(for: second)
            #expect(world.host(2).log.count > before, "round \(round)")
        }
        world.run(for: second)
        #expect(world.isConverged)
        expectSafe(world)
    }

    @Test("the ring of forwards is full; an outcome makes room", arguments: Mode.allCases)
    func forwardRing(mode: Mode) {
        let world = World.led(mode: mode) { $0.forward_ring = 2 }
        #expect(world.propose("1", at: 2).status == PAXOS_OK)
        #expect(world.propose("2", at: 2).status == PAXOS_OK)
        #expect(fill(world, at: 2) == (PAXOS_ERR_BUSY, 0))
        world.run(for: second)
        #expect(world.texts(at: 2) == ["1", "2"])
        #expect(world.propose("3", at: 2).status == PAXOS_OK)
        expectSafe(world)
    }

    @Test("the ring of writes is full; a flush makes room")
    func writeRing() {
        let world = World.led { $0.write_ring = 4 }
        world.disk = .manual
        var taken = 0
        while world.propose("v", at: 1).status == PAXOS_OK { taken += 1 }
        #expect(taken == 4)
        #expect(fill(world, at: 1) == (PAXOS_ERR_BUSY, 0))
        world.flush(1, count: 1)
        #expect(world.propose("w", at: 1).status == PAXOS_OK)
        #expect(fill(world, at: 1) == (PAXOS_ERR_BUSY, 0))
        expectSafe(world)
    }

    @Test("nobody leads; a value over the limit", arguments: Mode.allCases)
    func noLeaderAndTooLarge(mode: Mode) {
        let world = World(mode: mode)
        #expect(fill(world, at: 1) == (PAXOS_ERR_NO_LEADER, 0))
        world.elect(1)
        let large = Bytes(repeating: 0x61, count: 65)
        for id in world.ids {
            #expect(fill(world, at: id, value: large) == (PAXOS_ERR_TOO_LARGE, 0))
        }
        expectSafe(world)
    }

    @Test(
        "a full ring of unsent bodies holds that peer's Accepts back, not the other's",
        arguments: Mode.allCases)
    func sendRing(mode: Mode) throws {
        let world = World.led(mode: mode) { $0.send_ring = 1 }
        let leader = world[1]
        var tokens: [UInt16: [UInt64]] = [:]
        func poll() {
            while let effect = leader.poll() {
                if effect.kind == PAXOS_EFFECT_WRITE.rawValue {
                    _ = leader.flushed(effect.lsn, now: world.now)
                }
                if effect.token != 0 { tokens[effect.node, default: []].append(effect.token) }
            }
        }
        for _ in 0..<3 {
            #expect(leader.propose(value, now: world.now).status == PAXOS_OK)
            poll()
        }
        #expect(tokens[2]?.count == 1 && tokens[3]?.count == 1)
        #expect(leader.sent(try #require(tokens[2]?.last)) == PAXOS_OK)
        poll()
        #expect(tokens[2]?.count == 2 && tokens[3]?.count == 1)
        #expect(leader.sent(0xFFFF << 48) == PAXOS_ERR_RANGE)
    }
}

extension World {
    /// Let all frames go through after proposals that bypassed the world's host.
    fileprivate func deliverSilently() {
        for id in ids {
            var frames: [Packet] = []
            drainSilently(id, into: &frames)
            var index = 0
            while index < frames.count {
                let frame = frames[index]
                _ = self[frame.to].receive(frame, now: now)
                drainSilently(frame.to, into: &frames)
                index += 1
            }
        }
    }

    private func drainSilently(_ id: UInt16, into frames: inout [Packet]) {
        while let effect = self[id].poll() {
            let header = withUnsafeBytes(of: effect.header) { Bytes($0) }
            if effect.kind == PAXOS_EFFECT_SEND.rawValue {
                let body = self[id].bytes(at: effect.body_offset, count: effect.body_bytes)
                frames.append(Packet(header: header, body: effect.body_bytes == 0 ? [] : body))
                _ = self[id].sent(effect.token)
            } else if effect.kind == PAXOS_EFFECT_WRITE.rawValue {
                _ = self[id].flushed(effect.lsn, now: now)
            }
        }
    }
}
