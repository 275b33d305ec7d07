/// What a ``LocalCluster`` could not do in the time it was given.
public enum ClusterError: Error, Sendable, Hashable {
    /// Nobody could be elected.
    case noLeader(within: Duration)
}

extension LocalCluster {
    /// The virtual time.
    public var now: ManualReplica.Instant { ManualReplica.Instant(nanoseconds: state.pointee.now) }

    /// Who leads: the running node that believes so under the highest ballot.
    /// Complexity: O(nodes).
    public var leader: NodeID? { state.pointee.leader().map { NodeID($0 + 1) } }

    /// Runs effects until there are none. No time passes, so delayed frames stay under way.
    ///
    /// - Complexity: O(effects); no allocation on a perfect network without recording.
    public func settle() {
        begin()
        defer { end() }
        state.pointee.settle()
    }

    /// Lets virtual time pass, running everything that falls due.
    public func run(for duration: Duration) {
        let end = state.pointee.now &+ ManualReplica.Instant(duration).nanoseconds
        settle()
        while step(until: end) {}
        begin()
        state.pointee.advance(to: end)
        self.end()
    }

    /// Lets virtual time pass until a condition holds.
    ///
    /// - Parameters:
    ///   - limit: how long to wait for it.
    ///   - condition: asked after every event.
    /// - Returns: whether it held in time.
    @discardableResult
    public func run(within limit: Duration = .seconds(60), until condition: () -> Bool) -> Bool {
        let end = state.pointee.now &+ ManualReplica.Instant(limit).nanoseconds
        settle()
        while !condition() {
            guard step(until: end) else { return condition() }
        }
        return true
    }

    /// Runs until somebody leads.
    ///
    /// - Returns: who.
    /// - Throws: ``ClusterError/noLeader(within:)``.
    @discardableResult
    public func electLeader(within limit: Duration = .seconds(60)) throws(ClusterError) -> NodeID {
        guard run(within: limit, until: { leader != nil }), let leader else {
            throw .noLeader(within: limit)
        }
        return leader
    }

    /// Makes a node try to lead now, if it runs.
    public func campaign(_ node: NodeID) {
        begin()
        defer { end() }
        state.pointee.campaign(seat(of: node))
    }

    /// One event, if it comes by `end`.
    private func step(until end: UInt64) -> Bool {
        begin()
        defer { self.end() }
        let next = state.pointee.nextEvent()
        guard next <= end else { return false }
        state.pointee.advance(to: next)
        return true
    }
}

extension LocalCluster {
    /// What a node delivered, in order, if the cluster is recording. Complexity: O(1).
    public func delivered(by node: NodeID) -> [LogEntry] {
        state.pointee.seats[seat(of: node)].log
    }

    /// Up to which slot a node delivered. Complexity: O(1).
    public func deliveredSlot(by node: NodeID) -> UInt64 {
        state.pointee.seats[seat(of: node)].delivered
    }

    /// What a node learned of its proposals beside deliveries, in order.
    public func outcomes(at node: NodeID) -> [Outcome] {
        state.pointee.seats[seat(of: node)].outcomes
    }

    /// Where a node stands; of a crashed one, where it stood.
    public func status(of node: NodeID) -> ManualReplica.Status {
        state.pointee.seats[seat(of: node)].core.status
    }

    /// Called with each command that each node delivers, read in place. It must not call the
    /// cluster.
    public var onDelivery: ((NodeID, borrowing Delivery) -> Void)? {
        get { state.pointee.onDelivery }
        set { state.pointee.onDelivery = newValue }
    }
}

extension LocalCluster {
    /// What the network does to frames from now on.
    public var faults: Faults {
        get { state.pointee.network.faults }
        set { state.pointee.network.faults = newValue }
    }

    /// What the network did so far.
    public var traffic: Traffic { state.pointee.network.traffic }

    /// Stops a node for good: its memory, and with it its votes, is gone.
    public func crash(_ node: NodeID) {
        state.pointee.setCondition(.crashed, of: seat(of: node))
    }

    /// Stops a node that will go on later where it stopped; frames to it are lost.
    public func pause(_ node: NodeID) {
        let seat = seat(of: node)
        precondition(state.pointee.seats[seat].condition != .crashed, "node \(node) crashed")
        state.pointee.setCondition(.paused, of: seat)
    }

    /// Lets a paused node go on. A crashed one has forgotten its votes and cannot.
    public func resume(_ node: NodeID) {
        let seat = seat(of: node)
        precondition(state.pointee.seats[seat].condition != .crashed, "node \(node) crashed")
        state.pointee.setCondition(.running, of: seat)
    }

    /// Lets frames pass only between nodes that stand together in a group. A node may stand in
    /// several, which makes partial connectivity.
    public func partition(into groups: [NodeID]...) {
        state.pointee.groups = groups
        state.pointee.connect()
    }

    /// Lets frames pass between all running nodes again.
    public func heal() {
        partition(into: Array(nodes))
    }
}
