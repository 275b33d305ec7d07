internal import CPaxosRuntime
import Logging
import Synchronization

/// What callers and the loop share.
final class Engine: Sendable {
    /// How the replica ended, and who waits for that.
    struct Ending {
        var result: Result<Void, Replica.Failure>?
        var waiters: [CheckedContinuation<Result<Void, Replica.Failure>, Never>] = []
        var lastStatus: Replica.Status?
        var statusWaiters: [CheckedContinuation<Replica.Status, Never>] = []
    }

    /// The host as those see it who may wake it at any time.
    struct Waker: @unchecked Sendable {
        var host: OpaquePointer?
    }

    let node: NodeID
    let peers: [NodeID]
    let incarnation: UInt32
    let group: UInt32
    let port: UInt16
    let valueBytes: Int
    let underwayMax: Int
    let patienceNs: UInt64
    let queueCount: Int
    let readPlaces: ReadTicket.Places
    let queueBytes: Int
    let applied: UInt64
    let logger: Logger

    let intake = Lock(Intake())
    let channel: Channel
    let ending = Lock(Ending())
    private let waker: Lock<Waker>
    /// Whether the loop sleeps, or is about to: who brings work then has to wake it.
    let isParked = Atomic<Bool>(false)

    init(_ options: Replica.Options, applied: UInt64, host: OpaquePointer) {
        var report = paxos_host_report_t()
        report.size_bytes = UInt32(MemoryLayout<paxos_host_report_t>.size)
        paxos_host_report(host, &report)
        let configuration = options.configuration
        node = configuration.node
        peers = configuration.members.filter { $0 != configuration.node }.sorted()
        group = configuration.group
        incarnation = report.incarnation
        port = report.port
        valueBytes = configuration.valueBytes
        underwayMax = 2 * configuration.window
        let patience = options.patience ?? configuration.electionTimeout * 8
        patienceNs = ManualReplica.Instant(patience).nanoseconds
        queueCount = options.queueCount
        readPlaces = ReadTicket.Places(options.queueCount)
        queueBytes = options.queueBytes
        self.applied = applied
        var logger = options.logger
        logger[metadataKey: "node"] = "\(configuration.node)"
        logger[metadataKey: "group"] = "\(configuration.group)"
        self.logger = logger
        channel = Channel(applied: applied, bytesMax: options.deliveryBytes)
        waker = Lock(Waker(host: host))
    }

    /// To be called after work was brought, and only then.
    func wake() {
        guard isParked.exchange(false, ordering: .sequentiallyConsistent) else { return }
        waker.withLock { if let host = $0.host { paxos_host_wake(host) } }
    }

    /// From now on nobody wakes the host, so it may be closed.
    func forgetHost() { waker.update { $0.host = nil } }

    func stop() {
        intake.update { $0.isStopping = true }
        wake()
    }

    /// Waits until the loop has ended.
    func ended(isolation: isolated (any Actor)?) async -> Result<Void, Replica.Failure> {
        await withCheckedContinuation(isolation: isolation) { continuation in
            let result = ending.update { ending in
                if ending.result == nil { ending.waiters.append(continuation) }
                return ending.result
            }
            if let result { continuation.resume(returning: result) }
        }
    }

    /// Where the replica stands, from the loop or, after its end, from what it left behind.
    func status(isolation: isolated (any Actor)?) async -> Replica.Status {
        await withCheckedContinuation(isolation: isolation) { continuation in
            let isClosed = intake.update { intake in
                if !intake.isClosed { intake.statuses.append(continuation) }
                return intake.isClosed
            }
            if !isClosed { return wake() }
            let last = ending.update { ending in
                if ending.lastStatus == nil { ending.statusWaiters.append(continuation) }
                return ending.lastStatus
            }
            if let last { continuation.resume(returning: last) }
        }
    }

    func end(_ result: Result<Void, Replica.Failure>, _ status: Replica.Status) {
        let before = ending.update { ending in
            let before = ending
            ending = Ending(result: result, lastStatus: status)
            return before
        }
        for waiter in before.waiters { waiter.resume(returning: result) }
        for waiter in before.statusWaiters { waiter.resume(returning: status) }
    }
}
