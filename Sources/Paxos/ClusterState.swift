internal import CPaxos

/// One replica of a ``LocalCluster`` and what its host keeps of it.
struct Seat: ~Copyable {
    enum Condition { case running, paused, crashed }

    let core: ReplicaCore
    var condition = Condition.running
    var delivered: UInt64 = 0
    var untrimmedBytes = 0
    var trimmed: UInt64 = 0
    var writtenTo: UInt64 = 0
    var log: [LogEntry] = []
    var outcomes: [Outcome] = []

    init(_ core: consuming ReplicaCore) { self.core = core }
}

/// What a ``LocalCluster`` consists of. Lives behind a pointer, so that its hot loop pays no
/// exclusivity checks; allocates only where logs are recorded or the network is faulty.
struct ClusterState: ~Copyable {
    let seats: UnsafeMutablePointer<Seat>
    let reach: UnsafeMutablePointer<UInt32>
    private(set) var count = 0
    let isRecording: Bool
    private let trimSlots: UInt64
    private let trimBytes: Int
    private(set) var now: UInt64 = 0
    /// Seats that may have effects, a bit each.
    private var pending: UInt32 = 0
    private var leaderSeat: Int?
    var network: Network
    var groups: [[NodeID]]
    var onDelivery: ((NodeID, borrowing Delivery) -> Void)?

    init(
        configurations: [Configuration], network: Network, isRecording: Bool
    ) throws(ConfigurationError) {
        seats = .allocate(capacity: configurations.count)
        reach = .allocate(capacity: configurations.count)
        self.network = network
        self.isRecording = isRecording
        // An eighth of the arena is trimmed at a time: rarely enough to cost nothing, often enough
        // to leave room, and late enough that a short pause does not fall behind.
        trimSlots = UInt64(configurations[0].window / 4)
        trimBytes = configurations[0].arenaBytes / 8
        groups = [configurations.map(\.node)]
        reach.initialize(repeating: 0, count: configurations.count)
        for configuration in configurations {
            (seats + count).initialize(to: Seat(try ReplicaCore(configuration, now: 0)))
            count += 1
        }
        connect()
    }

    deinit {
        seats.deinitialize(count: count)
        seats.deallocate()
        reach.deallocate()
    }

    /// Recomputes who reaches whom from groups and conditions.
    mutating func connect() {
        for from in 0..<count {
            var bits: UInt32 = 0
            for to in 0..<count where to != from && seats[to].condition == .running {
                let together = groups.contains {
                    $0.contains(NodeID(from + 1)) && $0.contains(NodeID(to + 1))
                }
                if together { bits |= 1 << UInt32(to) }
            }
            reach[from] = bits
        }
        leaderSeat = nil
    }

    mutating func setCondition(_ condition: Seat.Condition, of index: Int) {
        seats[index].condition = condition
        if condition == .running {
            seats[index].core.tick(now: now)
            touch(index)
        } else {
            pending &= ~(1 << UInt32(index))
        }
        connect()
    }

    /// Notes that a seat may have effects.
    @inline(__always)
    mutating func touch(_ index: Int) { pending |= 1 << UInt32(index) }

    /// The running seat that leads under the highest ballot. Complexity: O(nodes).
    func leader() -> Int? {
        var found: Int?
        var highest: UInt64 = 0
        for index in 0..<count where seats[index].condition == .running {
            let status = seats[index].core.status
            if status.role == .leader && status.ballot > highest {
                highest = status.ballot
                found = index
            }
        }
        return found
    }

    /// The leader, looked for again only after something that may have changed it: a tick, a
    /// delayed frame, a connection.
    @inline(__always)
    mutating func knownLeader() throws(ProposeError) -> Int {
        if let leaderSeat { return leaderSeat }
        leaderSeat = leader()
        guard let leaderSeat else { throw .noLeader }
        return leaderSeat
    }
}

extension ClusterState {
    /// Runs effects until there are none; no time passes.
    mutating func settle() {
        while pending != 0 {
            let index = pending.trailingZeroBitCount
            pending &= pending &- 1
            run(index)
        }
    }

    private mutating func run(_ index: Int) {
        let seat = seats + index
        while let effect = seat.pointee.core.poll() {
            switch effect.pointee.kind {
            case PAXOS_EFFECT_SEND.rawValue: send(effect, from: index)
            case PAXOS_EFFECT_DELIVER.rawValue: deliver(effect, at: index)
            case PAXOS_EFFECT_WRITE.rawValue: seat.pointee.writtenTo = effect.pointee.lsn
            default: seat.pointee.outcomes.append(seat.pointee.core.outcome(of: effect))
            }
        }
        if seat.pointee.writtenTo != 0 { flush(index) }
    }

    /// The journal of this cluster is durable at once and forgotten at once.
    private mutating func flush(_ index: Int) {
        let lsn = seats[index].writtenTo
        seats[index].writtenTo = 0
        do throws(RangeError) {
            try seats[index].core.flushed(upTo: lsn, now: now)
        } catch {
            seats[index].core.deny("its own lsn", lsn)
        }
        touch(index)
    }

    @inline(__always)
    private mutating func send(_ effect: UnsafeMutablePointer<paxos_effect_t>, from index: Int) {
        let receiver = Int(effect.pointee.node) - 1
        let token = effect.pointee.token
        network.traffic.sent &+= 1
        if reach[index] & (1 << UInt32(receiver)) == 0 {
            network.traffic.lost &+= 1
        } else if network.isPerfect {
            let core = seats + index
            give(
                receiver, core.pointee.core.header(of: effect), core.pointee.core.body(of: effect))
        } else {
            var bytes = Array(seats[index].core.header(of: effect))
            bytes.append(contentsOf: seats[index].core.body(of: effect))
            network.send(bytes, to: receiver, now: now)
        }
        if token != 0 { seats[index].core.sentOwn(token) }
    }

    @inline(__always)
    private mutating func give(
        _ receiver: Int, _ header: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer
    ) {
        let status = seats[receiver].core.receive(header: header, body: body, now: now)
        if status != PAXOS_OK {
            network.traffic.refused &+= 1
            if status == PAXOS_ERR_CORRUPT { seats[receiver].core.deny("its own block", 0) }
        }
        touch(receiver)
    }

    @inline(__always)
    private mutating func deliver(
        _ effect: UnsafeMutablePointer<paxos_effect_t>, at index: Int
    ) {
        let seat = seats + index
        let last = effect.pointee.slot &+ UInt64(effect.pointee.count) &- 1
        seat.pointee.delivered = last
        if isRecording || onDelivery != nil { show(effect, at: index) }
        seat.pointee.untrimmedBytes &+= Int(effect.pointee.body_bytes)
        let untrimmed = last &- seat.pointee.trimmed
        if untrimmed >= trimSlots || seat.pointee.untrimmedBytes >= trimBytes { trim(index) }
    }

    private mutating func show(_ effect: UnsafeMutablePointer<paxos_effect_t>, at index: Int) {
        let node = NodeID(index + 1)
        let deliveries = seats[index].core.deliveries(of: effect)
        if let onDelivery { deliveries.forEach { onDelivery(node, $0) } }
        if isRecording {
            let seat = seats + index
            deliveries.forEach { seat.pointee.log.append($0.copy()) }
        }
    }

    private mutating func trim(_ index: Int) {
        let seat = seats + index
        do throws(RangeError) {
            try seat.pointee.core.trim(upTo: seat.pointee.delivered)
        } catch {
            seat.pointee.core.deny("a slot it delivered", seat.pointee.delivered)
        }
        seat.pointee.trimmed = seat.pointee.delivered
        seat.pointee.untrimmedBytes = 0
    }
}

extension ClusterState {
    /// When something happens next without anybody's doing, at least 1 ns from now.
    func nextEvent() -> UInt64 {
        var next = network.nextArrival
        for index in 0..<count where seats[index].condition == .running {
            next = min(next, seats[index].core.deadline)
        }
        return max(next, now + 1)
    }

    mutating func campaign(_ index: Int) {
        guard seats[index].condition == .running else { return }
        leaderSeat = nil
        _ = seats[index].core.campaign(now: now)
        touch(index)
        settle()
    }

    /// Lets time pass up to `time` and runs what is due then.
    mutating func advance(to time: UInt64) {
        now = time
        if network.nextArrival <= now { arrive() }
        for index in 0..<count where seats[index].condition == .running {
            if seats[index].core.deadline <= now {
                seats[index].core.tick(now: now)
                touch(index)
                leaderSeat = nil
            }
        }
        settle()
    }

    /// Hands over the frames whose time has come.
    private mutating func arrive() {
        leaderSeat = nil
        for frame in network.arrivals(by: now) {
            guard seats[frame.receiver].condition == .running else {
                network.traffic.lost += 1
                continue
            }
            frame.bytes.withUnsafeBytes { bytes in
                let header = UnsafeRawBufferPointer(rebasing: bytes.prefix(96))
                give(frame.receiver, header, UnsafeRawBufferPointer(rebasing: bytes.dropFirst(96)))
            }
        }
    }
}
