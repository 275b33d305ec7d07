import CPaxos

/// A cluster in one place: replicas, their hosts, the messages between them and the time.
///
/// Nothing happens by itself. A test takes messages from `pool` one by one, or lets `run` do it by
/// the clock. After each call into a replica its effects are drained and the oracle looks at them.
package final class World {
    package enum Disk: Equatable, Sendable {
        /// Flushed within the same step.
        case immediate
        /// Flushed so many nanoseconds after it was written, by the clock of `run`.
        case slow(ClosedRange<UInt64>)
        /// Flushed when the test says so.
        case manual
    }
    package enum Trim: Equatable, Sendable {
        case never
        /// When more than so many delivered slots are held.
        case after(Int)
    }
    package struct Link: Hashable, Sendable {
        package let from: UInt16
        package let to: UInt16
        package init(_ from: UInt16, _ to: UInt16) {
            self.from = from
            self.to = to
        }
    }
    package struct Network: Sendable {
        package var lossPercent = 0
        package var duplicatePercent = 0
        package var latency: ClosedRange<UInt64> = millisecond...millisecond
        package init() {}
    }

    package let seed: UInt64
    package let mode: Mode
    package let nodes: [Node]
    package internal(set) var hosts: [Host]
    package internal(set) var oracle: Oracle
    package var pool: [Packet] = []
    package var cut: Set<Link> = []
    package var network = Network()
    package var disk: Disk = .immediate
    package var trim: Trim = .after(0)
    /// Where a node's host trims otherwise.
    package var trims: [UInt16: Trim] = [:]
    /// Overrides the latency, frame by frame.
    package var delay: ((Packet) -> UInt64)?
    /// How long bodies stay unsent, by the clock of `run`; nil: not at all.
    package var holdsBodies: ClosedRange<UInt64>?
    package internal(set) var now: UInt64
    package var random: SplitMix
    /// Clients of a map, whose commands are among what is proposed.
    package var clients: Clients?
    /// Called with each frame that leaves a node, before the network has its way with it.
    package var onSend: ((Packet) -> Void)?

    package init(
        members: Int = 3, mode: Mode = .durable, seed: UInt64 = 1, elections: Bool = false,
        change: (inout paxos_config_t) -> Void = { _ in }
    ) {
        self.seed = seed
        self.mode = mode
        now = second
        random = SplitMix(seed: seed)
        var nodes: [Node] = []
        for id in 1...UInt16(members) {
            var config = testConfig(members: members, mode: mode, seed: seed, change)
            config.node = id
            config.manual_elections = elections ? 0 : 1
            nodes.append(Node(config, now: now))
        }
        self.nodes = nodes
        hosts = nodes.map { _ in Host() }
        let acceptor = nodes[0].acceptor
        oracle = Oracle(
            members: members, q2: Int(acceptor.q2), isDurable: acceptor.memory_only == 0)
    }

    package subscript(id: UInt16) -> Node { nodes[Int(id) - 1] }
    package func host(_ id: UInt16) -> Host { hosts[Int(id) - 1] }
    package var ids: [UInt16] { nodes.map(\.id) }
    package var liveIds: [UInt16] { ids.filter { !host($0).isDown } }
    package var violations: [Violation] { oracle.violations }

    // MARK: Calls into a replica

    @discardableResult
    package func deliver(_ packet: Packet) -> paxos_status_t {
        if host(packet.to).isDown { return PAXOS_OK }
        let status = self[packet.to].receive(packet, now: now)
        drain(packet.to)
        return status
    }

    /// Hand over a frame that no node of this world sent.
    @discardableResult
    package func inject(_ packet: Packet) -> paxos_status_t {
        withUnsafePointer(to: packet.fields) { oracle.outside($0, packet.body) }
        return deliver(packet)
    }

    @discardableResult
    package func propose(_ text: String, at id: UInt16) -> (status: paxos_status_t, number: UInt64)
    {
        propose(Bytes(text.utf8), at: id)
    }

    @discardableResult
    package func propose(_ value: Bytes, at id: UInt16) -> (status: paxos_status_t, number: UInt64)
    {
        let result = self[id].propose(value, now: now)
        if result.status == PAXOS_OK {
            let entry = Entry(
                value, node: id, incarnation: self[id].config.incarnation, number: result.number)
            oracle.proposed(entry.header, at: id)
            hosts[Int(id) - 1].numbers.append(result.number)
            clients?.proposed(entry.header, value, at: id, now: now)
        } else {
            clients?.declined(value, count: value.count)
        }
        drain(id)
        return result
    }

    @discardableResult
    package func campaign(_ id: UInt16) -> paxos_status_t {
        let status = self[id].campaign(now: now)
        drain(id)
        return status
    }

    package func tick(_ id: UInt16, at time: UInt64) {
        if time > now { now = time }
        self[id].tick(now: now)
        drain(id)
    }

    package func pass(_ duration: UInt64) { now += duration }

    /// Make what was written durable: all of it, or the first `count` records.
    package func flush(_ id: UInt16, count: Int = .max) {
        let index = Int(id) - 1
        let records = hosts[index].unflushed.prefix(count)
        guard let last = records.last else { return }
        hosts[index].unflushed.removeFirst(records.count)
        for record in records { sawFlushed(record, on: id) }
        if self[id].flushed(last.fields.nonce, now: now) != PAXOS_OK {
            oracle.violate(.conduct, "node \(id) does not know its own lsn")
        }
        drain(id)
    }

    package func stallDisk(of id: UInt16) { hosts[Int(id) - 1].isDiskStalled = true }
    package func crash(_ id: UInt16) { hosts[Int(id) - 1].isDown = true }
    package func revive(_ id: UInt16) { hosts[Int(id) - 1].isDown = false }

    /// Cut every link between the two groups, both ways.
    package func partition(_ left: [UInt16], _ right: [UInt16]) {
        for a in left {
            for b in right {
                cut.insert(Link(a, b))
                cut.insert(Link(b, a))
            }
        }
    }
}
