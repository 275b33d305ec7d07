import CPaxos
import PaxosSimulator
import Testing

/// DESIGN.md, idea 1: "All state lives in it, as structs of fixed layout with offsets instead of
/// pointers. So it can [...] be copied with memcpy"; idea 3: "the same inputs give the same bytes".
struct CopyTests {
    private enum Input {
        case frame(Packet, UInt64)
        case tick(UInt64)
        case propose(Bytes, UInt64)
        case flush(UInt64, UInt64)
        case trim(UInt64)
        case campaign(UInt64)
    }

    /// Polls until nothing is due; all that came out, as bytes.
    private func effects(_ node: Node) -> [Bytes] {
        var out: [Bytes] = []
        while let effect = node.poll() {
            out.append(withUnsafeBytes(of: effect) { Bytes($0) })
            if effect.body_bytes > 0 {
                out.append(node.bytes(at: effect.body_offset, count: effect.body_bytes))
            }
            if effect.token != 0 { _ = node.sent(effect.token) }
        }
        return out
    }

    private func apply(_ input: Input, to node: Node) -> Int32 {
        switch input {
        case .frame(let packet, let now): node.receive(packet, now: now).rawValue
        case .tick(let now):
            {
                node.tick(now: now); return 0
            }()
        case .propose(let value, let now): node.propose(value, now: now).status.rawValue
        case .flush(let lsn, let now): node.flushed(lsn, now: now).rawValue
        case .trim(let slot): node.trim(slot).rawValue
        case .campaign(let now): node.campaign(now: now).rawValue
        }
    }

    @Test(
        "a copy of a block, made in the middle of a run, goes on identically",
        arguments: Mode.allCases)
    func copyContinues(mode: Mode) {
        for seed in 1...20 as ClosedRange<UInt64> {
            var random = SplitMix(seed: seed)
            var inputs: [Input] = []
            record(mode, seed, &inputs)
            let config = testConfig(mode: mode, seed: seed) { $0.node = 1 }
            let original = Node(config, now: second)
            var copy: Node?
            let at = random.below(inputs.count)
            for (index, input) in inputs.enumerated() {
                if index == at { copy = Node(copyOf: original) }
                let status = apply(input, to: original)
                let out = effects(original)
                guard let copy else { continue }
                #expect(apply(input, to: copy) == status, "seed \(seed) input \(index)")
                #expect(effects(copy) == out, "seed \(seed) input \(index)")
            }
            #expect(copy?.isLike(original.image) == true, "seed \(seed)")
        }
    }

    /// What node 1 was told in a world with elections, faults and clients.
    private func record(_ mode: Mode, _ seed: UInt64, _ inputs: inout [Input]) {
        let world = World(mode: mode, seed: seed, elections: true)
        world.network.latency = millisecond...(20 * millisecond)
        world.network.lossPercent = 5
        for step in 0..<400 where world.violations.isEmpty {
            if let index = world.pool.indices.min(by: { world.pool[$0].due < world.pool[$1].due }),
                world.pool[index].due <= world.now
            {
                let packet = world.pool.remove(at: index)
                if packet.to == 1 { inputs.append(.frame(packet, world.now)) }
                deliver(packet, world, &inputs)
                continue
            }
            world.pass(5 * millisecond)
            for id in world.ids where world[id].deadline <= world.now {
                if id == 1 { inputs.append(.tick(world.now)) }
                world.tick(id, at: world.now)
                noteFlush(world, &inputs)
            }
            let id = UInt16(1 + step % 3)
            if id == 1 { inputs.append(.propose(Bytes("\(step)".utf8), world.now)) }
            world.propose("\(step)", at: id)
            noteFlush(world, &inputs)
            if step % 150 == 149 {
                inputs.append(.campaign(world.now))
                world.campaign(1)
                noteFlush(world, &inputs)
            }
        }
        expectSafe(world)
    }

    private func deliver(_ packet: Packet, _ world: World, _ inputs: inout [Input]) {
        world.deliver(packet)
        noteFlush(world, &inputs)
    }

    /// The world flushes and trims in the same step: say so to the others too.
    private func noteFlush(_ world: World, _ inputs: inout [Input]) {
        let acceptor = world[1].acceptor
        inputs.append(.flush(acceptor.flushed, world.now))
        inputs.append(.trim(world.host(1).trimmed))
    }
}
