/// A whole cluster in one process: for tests, examples and measurements.
///
/// Its replicas are the shipping ones and keep their votes in memory. Frames go from one to another
/// as bytes, through a network that is perfect unless ``faults`` says otherwise; time is virtual
/// and passes only in ``run(for:)`` and its relatives, so the same seed gives the same run. Nodes
/// are numbered from 1.
///
///     let cluster = try LocalCluster(nodes: 3)
///     try cluster.electLeader()
///     try cluster.propose("hello".utf8)
///     cluster.settle()
///     cluster.delivered(by: 2)  // the same on every node
///
/// - Note: Not for more than one thread at a time; the delivery handler must not call the cluster.
public final class LocalCluster {
    /// All nodes, whatever their condition.
    public let nodes: ClosedRange<NodeID>
    let state: UnsafeMutablePointer<ClusterState>
    private let isBusy: UnsafeMutablePointer<Bool>

    /// A cluster in which nobody leads yet.
    ///
    /// - Parameters:
    ///   - nodes: how many, 1 to 31.
    ///   - seed: of the delays and faults.
    ///   - faults: what the network does to frames.
    ///   - recording: whether ``delivered(by:)`` keeps what was delivered. If not, the cluster
    ///     allocates nothing while it runs on a perfect network.
    ///   - configure: changes the configuration of each node before it is made. The default is
    ///     memory-only, values up to 16 KiB, an arena of 2 MiB.
    /// - Throws: ``ConfigurationError`` naming the broken rule.
    public init(
        nodes: Int = 3, seed: UInt64 = 1, faults: Faults = .none, recording: Bool = true,
        configure: (inout Configuration) -> Void = { _ in }
    ) throws(ConfigurationError) {
        guard 1...31 ~= nodes else { throw ConfigurationError(rule: "members are 1 to 31") }
        let members = (1...nodes).map { NodeID($0) }
        let configurations = members.map { node in
            var configuration = Configuration(cluster: 1, node: node, members: members)
            configuration.durability = .memoryOnly
            configuration.valueBytes = 16 << 10
            configuration.frameBytes = 64 << 10
            configuration.arenaBytes = 2 << 20
            configuration.seed = seed &* 31 &+ UInt64(node)
            configure(&configuration)
            return configuration
        }
        let state = try ClusterState(
            configurations: configurations, network: Network(faults: faults, seed: seed),
            isRecording: recording)
        self.nodes = 1...NodeID(nodes)
        self.state = .allocate(capacity: 1)
        self.state.initialize(to: state)
        isBusy = .allocate(capacity: 1)
        isBusy.initialize(to: false)
    }

    deinit {
        state.deinitialize(count: 1)
        state.deallocate()
        isBusy.deallocate()
    }

    /// Proposes a value at the leader. ``settle()`` then carries it through.
    ///
    /// - Throws: ``ProposeError``; nothing changed.
    /// - Complexity: O(value), no allocation.
    @discardableResult
    public func propose(_ value: RawSpan) throws(ProposeError) -> Proposal {
        let leader = try state.pointee.knownLeader()
        return try propose(value, seat: leader)
    }

    /// Proposes the bytes of a collection, such as an array or a string's `utf8`, at the leader.
    ///
    /// - Throws: ``ProposeError``; nothing changed.
    @discardableResult @inlinable
    public func propose(_ value: some Collection<UInt8>) throws(ProposeError) -> Proposal {
        try value.withRawSpan { span throws(ProposeError) in try propose(span) }
    }

    /// Proposes the bytes of a collection at any node, which forwards it to the leader.
    ///
    /// - Throws: ``ProposeError``; ``ProposeError/noLeader`` also where the node does not run.
    @discardableResult
    public func propose(
        _ value: some Collection<UInt8>, at node: NodeID
    ) throws(ProposeError) -> Proposal {
        let seat = seat(of: node)
        guard state.pointee.seats[seat].condition == .running else { throw .noLeader }
        return try value.withRawSpan { span throws(ProposeError) in try propose(span, seat: seat) }
    }

    /// Proposes many values at the leader, until one is not taken.
    ///
    /// - Parameters:
    ///   - values: the values' bytes, one behind the other.
    ///   - lengths: length of each, in bytes; together not more than `values` has.
    /// - Returns: how many were taken, and why the next one was not.
    /// - Complexity: O(`values`), no allocation.
    @discardableResult
    public func propose(packed values: RawSpan, lengths: Span<Int>) -> Admission {
        begin()
        defer { end() }
        do throws(ProposeError) {
            let leader = try state.pointee.knownLeader()
            state.pointee.touch(leader)
            let now = state.pointee.now
            return values.withUnsafeBytes { bytes in
                state.pointee.seats[leader].core.propose(packed: bytes, lengths: lengths, now: now)
            }
        } catch {
            return Admission(first: nil, count: 0, error: error)
        }
    }

    @inline(__always)
    private func propose(_ value: RawSpan, seat: Int) throws(ProposeError) -> Proposal {
        begin()
        defer { end() }
        state.pointee.touch(seat)
        let now = state.pointee.now
        let number = try value.withUnsafeBytes { bytes throws(ProposeError) in
            try state.pointee.seats[seat].core.propose(bytes, now: now)
        }
        return state.pointee.seats[seat].core.proposal(number)
    }

    /// Enters a call that may run effects; a delivery handler that got here is a mistake.
    @inline(__always)
    func begin() {
        precondition(!isBusy.pointee, "a delivery handler must not call its cluster")
        isBusy.pointee = true
    }

    @inline(__always)
    func end() { isBusy.pointee = false }

    func seat(of node: NodeID) -> Int {
        precondition(nodes ~= node, "the cluster has no node \(node)")
        return Int(node) - 1
    }
}
