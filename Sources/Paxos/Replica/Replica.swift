internal import CPaxosRuntime

/// One member of a cluster that runs by itself: a thread, a journal, connections to the others.
///
/// ```swift
/// let replica = try Replica.open(options, applied: machine.durableSlot)
/// let running = Task { try await replica.run(&machine) }  // applies what is decided
/// let decision = try await replica.propose("a command".utf8)
/// try await replica.read()  // whatever was decided before is applied here
/// await replica.shutdown()
/// ```
///
/// It owns one thread, which alone talks to journal and network; callers hand it their values and
/// are resumed when the outcome is known. Nothing grows without a bound: proposals stand in a line
/// of ``Options/queueCount`` values, as many reads may be under way, and a consumer of
/// ``deliveries`` that falls behind holds back the log. **Somebody has to consume them**,
/// ``run(_:)`` or an iteration of ``deliveries``, and to ``trim(upTo:)`` what is applied, or the
/// window fills and everybody waits.
///
/// - Note: Any task and any thread may call at any time. A replica that is let go of is shut down.
public final class Replica: Sendable {
    let engine: Engine

    private init(_ engine: Engine) { self.engine = engine }

    deinit { engine.stop() }

    /// Makes the journal of a durable node, once in its life; never to bring one back that is lost.
    ///
    /// The directory is made if it is missing; its parent exists. Blocks the thread.
    ///
    /// - Throws: ``OpenError``. After ``OpenError/directoryExists(_:)`` what was there is as it
    ///   was.
    /// - Complexity: O(the journal's size): all of it is written once.
    public static func format(_ options: Options) throws(OpenError) {
        guard let directory = options.directory else {
            throw .options("a memory-only node has no directory to format")
        }
        var fault = paxos_host_fault_t()
        let status = try options.withHost(applied: 0) { host in
            paxos_host_format(&host, &fault)
        }
        if status != PAXOS_HOST_OK { throw OpenError(status, fault, directory: directory) }
    }

    /// Begins a life of this node: gives the journal back, listens, dials, starts the thread.
    ///
    /// Blocks the thread while it reads the journal.
    ///
    /// - Parameters:
    ///   - options: who it is, with whom, where.
    ///   - slot: up to where the state machine is durable; deliveries go on behind it.
    /// - Throws: ``OpenError``; nothing is left open.
    /// - Complexity: O(the journal's records); memory as ``Configuration/blockBytes()``, and
    ///   buffers for each peer.
    public static func open(
        _ options: Options, applied slot: UInt64 = 0
    ) throws(OpenError) -> Replica {
        var fault = paxos_host_fault_t()
        var opened: OpaquePointer?
        let status = try options.withHost(applied: slot) { host in
            paxos_host_open(&host, &opened, &fault)
        }
        guard status == PAXOS_HOST_OK, let host = opened else {
            throw OpenError(status, fault, directory: options.directory ?? "memory")
        }
        let engine = Engine(options, applied: slot, host: host)
        let replica = Replica(engine)
        let loop = Loop(host, engine)
        let error = LoopThread.start { loop.run() }
        if error != 0 {
            paxos_host_close(host)
            throw .system("no thread", error: error)
        }
        return replica
    }

    /// This node.
    public var node: NodeID { engine.node }

    /// Which of this node's lives this is; part of the identity of its proposals.
    public var incarnation: UInt32 { engine.incarnation }

    /// The port that is listened on; 0: none.
    public var port: UInt16 { engine.port }

    /// Where the replica stands; after its end, where it stood then.
    public nonisolated(nonsending) var status: Status {
        get async { await engine.status(isolation: #isolation) }
    }

    /// Says that the state machine is safe up to `slot`: the log may forget it. Returns at once.
    ///
    /// - Throws: ``RangeError`` beyond what the consumer of ``deliveries`` was given; nothing
    ///   changed.
    /// - Complexity: O(1).
    public func trim(upTo slot: UInt64) throws(RangeError) {
        if slot > engine.channel.handed { throw RangeError() }
        if slot == 0 { return }
        engine.intake.update { $0.trimSlot = max($0.trimSlot, slot) }
        engine.wake()
    }

    /// Tries to lead now, whoever else does: for ``Configuration/manualElections``, or to hand
    /// leadership over. Returns at once.
    public func campaign() {
        engine.intake.update { $0.wantsToLead = true }
        engine.wake()
    }

    /// Waits until the replica has stopped; shuts it down when the task is cancelled. For programs
    /// that run their services as tasks of a group.
    ///
    /// - Throws: ``Failure`` if it stopped by itself.
    public nonisolated(nonsending) func run() async throws(Failure) {
        let result = await withTaskCancellationHandler {
            await engine.ended(isolation: #isolation)
        } onCancel: {
            engine.stop()
        }
        try result.get()
    }

    /// Stops the node, gracefully: what stands in line is refused, what is under way becomes
    /// unknown, ``deliveries`` end, the journal is closed. Returns when all of it is done; may be
    /// called again.
    public nonisolated(nonsending) func shutdown() async {
        engine.stop()
        _ = await engine.ended(isolation: #isolation)
    }
}
