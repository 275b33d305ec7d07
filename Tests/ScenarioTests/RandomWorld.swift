import CPaxos
import Foundation
import PaxosSimulator

/// A world made of one number: sizes, faults, clients and their times all follow from the seed.
final class RandomWorld {
    let world: World
    private var random: SplitMix
    private let isElecting = true
    private var gone: Set<UInt16> = []
    private let clientPause: ClosedRange<UInt64>
    private let faultPause: ClosedRange<UInt64>

    init(seed: UInt64) {
        var random = SplitMix(seed: seed &* 0x1234_5677)
        let members = random.chance(60) ? 3 : 5
        let mode: Mode = random.chance(50) ? .durable : .memoryOnly
        let isTiny = random.chance(60)
        let window = UInt32(isTiny ? 8 << random.below(2) : 64)
        func ring(_ most: Int) -> UInt32 { isTiny ? 1 << UInt32(random.below(most)) : 64 }
        let rings = (ring(4), 1 + ring(3), ring(3), ring(3))
        world = World(members: members, mode: mode, seed: seed, elections: true) {
            $0.window_slots = window
            $0.pipeline_slots = window
            if isTiny {
                $0.frame_bytes_max = 448
                $0.arena_bytes = 4096
                $0.reply_ring = rings.0
                $0.write_ring = rings.1 < 3 ? 2 : 4
                $0.send_ring = rings.2
                $0.forward_ring = rings.3
            }
        }
        world.clients = Clients(keys: 1 + random.below(8), seed: seed)
        world.trim = random.chance(50) ? .after(0) : .after(random.below(Int(window) / 2))
        if mode == .durable && random.chance(70) {
            world.disk = .slow(millisecond...(UInt64(1 + random.below(40)) * millisecond))
        }
        if random.chance(50) {
            world.holdsBodies = millisecond...(UInt64(1 + random.below(30)) * millisecond)
        }
        clientPause = millisecond...(UInt64(2 + random.below(60)) * millisecond)
        faultPause = (20 * millisecond)...(UInt64(100 + random.below(1500)) * millisecond)
        self.random = random
    }

    /// The commands that run this very world again.
    var description: String {
        "PAXOS_SEED=\(world.seed) swift test --filter randomWorlds"
    }

    private func shake() {
        world.network.lossPercent = random.chance(50) ? random.below(30) : 0
        world.network.duplicatePercent = random.chance(50) ? random.below(30) : 0
        world.network.latency =
            millisecond...(UInt64(1 + random.below(random.chance(20) ? 300 : 30)) * millisecond)
        let ids = world.ids
        let id = ids[random.below(ids.count)]
        switch random.below(10) {
        case 0, 1:
            world.cut.insert(World.Link(id, ids[random.below(ids.count)]))
        case 2:
            let left = ids.filter { _ in random.chance(50) }
            world.partition(left, ids.filter { !left.contains($0) })
        case 3, 4, 5:
            world.cut = []
        case 6:
            world.crash(id)
        case 7, 8:
            for id in ids where !gone.contains(id) { world.revive(id) }
        default:
            if let leader = world.leader, random.chance(50) { world.crash(leader) }
        }
    }

    private func client() {
        let live = world.liveIds
        if live.isEmpty { return }
        let id = live[random.below(live.count)]
        for _ in 0..<(1 + random.below(4)) {
            world.propose(world.clients!.command(padding: random.below(40)), at: id)
        }
    }

    /// Time passes under faults.
    func suffer(for duration: UInt64) {
        let end = world.now + duration
        var nextFault = world.now
        var nextClient = world.now
        while world.now < end && world.violations.isEmpty {
            world.run(until: min(nextFault, nextClient, end))
            if world.now >= nextFault {
                shake()
                nextFault = world.now + random.time(faultPause)
            }
            if world.now >= nextClient {
                client()
                nextClient = world.now + random.time(clientPause)
            }
        }
    }

    /// Nodes that can still follow the log: others need a snapshot, which does not exist yet.
    var able: [UInt16] {
        let trimmed = world.ids.map { world[$0].acceptor.trimmed }.max()!
        return world.liveIds.filter { world[$0].acceptor.decided >= trimmed }
    }

    /// Faults end, but for one node that may be gone for ever, once the others have caught up.
    func heal() {
        world.heal()
        guard random.chance(30) else { return }
        world.run(for: 6 * second)
        let quorum = max(world[1].acceptor.q1, world[1].acceptor.q2)
        if able.count > Int(quorum) { world.crash(able[random.below(able.count)]) }
    }

    /// Whether a proposal made from now on is decided in time.
    func commits(within duration: UInt64) -> Bool {
        let end = world.now + duration
        var fresh: [(UInt16, UInt64)] = []
        var isDecided: Bool { fresh.contains { world.oracle.isDelivered($0.1, of: $0.0) } }
        while world.now < end && world.violations.isEmpty && !isDecided {
            for id in able {
                let result = world.propose("fresh", at: id)
                if result.status == PAXOS_OK { fresh.append((id, result.number)) }
            }
            world.run(until: min(world.now + 50 * millisecond, end)) { isDecided }
        }
        return isDecided
    }

    var isConverged: Bool { Set(able.map { world.host($0).log.count }).count == 1 }
}

enum Environment {
    /// A number from the environment, for longer runs than the suite's own.
    static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap(UInt64.init)
    }
}
