internal import CPaxos

/// Deliveries on their way from the loop to their one consumer, and reads that wait for it.
///
/// The loop appends runs; the consumer takes all there is in one batch. When more than a limit
/// waits, the loop takes no more out of the host, and the log itself holds back.
final class Channel: Sendable {
    typealias Next = Result<Replica.Batch?, Replica.Failure>

    private struct State {
        var first: UInt64 = 0
        var last: UInt64 = 0
        var bytes: [UInt8] = []
        var consumer: CheckedContinuation<Next, Never>?
        /// The one iteration that takes batches, from its first to its end.
        var owner: ObjectIdentifier?
        /// Last slot that the consumer was given.
        var handed: UInt64
        /// Last slot that it is done with: it has asked for more since.
        var applied: UInt64
        var reads: [(slot: UInt64, ticket: ReadTicket)] = []
        var isStalled = false
        var end: Result<Void, Replica.Failure>?

        init(applied: UInt64) {
            handed = applied
            self.applied = applied
        }

        mutating func takeBatch() -> Replica.Batch? {
            guard first != 0 else { return nil }
            let batch = Replica.Batch(slots: first...last, entries: bytes)
            bytes = []
            handed = last
            first = 0
            return batch
        }

        mutating func takeNext() -> Next? {
            if let batch = takeBatch() { return .success(batch) }
            switch end {
            case nil: return nil
            case .success: return .success(nil)
            case .failure(let failure): return .failure(failure)
            }
        }

        /// Whether the loop waits for room, of which there is some now.
        mutating func takeStall() -> Bool {
            defer { isStalled = false }
            return isStalled
        }

        mutating func takeReads() -> [ReadTicket] {
            guard !reads.isEmpty else { return [] }
            let ready = reads.filter { $0.slot <= applied }.map(\.ticket)
            if !ready.isEmpty { reads.removeAll { $0.slot <= applied } }
            return ready
        }
    }

    private let state: Lock<State>
    private let bytesMax: Int

    init(applied: UInt64, bytesMax: Int) {
        state = Lock(State(applied: applied))
        self.bytesMax = bytesMax
    }

    /// Last slot that the consumer was given.
    var handed: UInt64 { state.withLock { $0.handed } }

    // MARK: The loop's side.

    /// Whether the loop may take another run out of the host; if not, the consumer's next call
    /// returns `true` for it to be woken.
    func hasRoom() -> Bool {
        state.update { state in
            state.isStalled = state.bytes.count >= bytesMax
            return !state.isStalled
        }
    }

    /// Appends a run; its bytes are copied.
    func append(_ slots: ClosedRange<UInt64>, _ entries: UnsafeBufferPointer<UInt8>) {
        state.update { state in
            if state.first == 0 { state.first = slots.lowerBound }
            state.last = slots.upperBound
            state.bytes.append(contentsOf: entries)
        }
    }

    /// Gives the consumer, if it waits, what has been appended.
    func flush() {
        let (consumer, next) = state.update { state in
            guard state.consumer != nil, let next = state.takeNext() else {
                return (nil as CheckedContinuation<Next, Never>?, nil as Next?)
            }
            return (state.consumer.take(), next)
        }
        if let consumer, let next { consumer.resume(returning: next) }
    }

    /// Settles reads when the consumer is done with `slot`.
    func await(_ slot: UInt64, _ reads: [ReadTicket]) {
        let (ready, applied) = state.update { state in
            state.reads += reads.map { (slot, $0) }
            return (state.takeReads(), state.applied)
        }
        for read in ready { read.settle(.success(applied)) }
    }

    /// There will be no more.
    func finish(_ end: Result<Void, Replica.Failure>) {
        let reads = state.update { state in
            state.end = end
            defer { state.reads = [] }
            return state.reads
        }
        for read in reads { read.ticket.settle(.failure(.refused(.stopped, leader: nil))) }
        flush()
    }

    // MARK: The consumer's side.

    /// An iteration is the consumer from its first batch until it is gone.
    final class Claim: Sendable {
        private let channel: Channel

        init(_ channel: Channel) { self.channel = channel }

        deinit {
            let id = ObjectIdentifier(self)
            channel.state.update { if $0.owner == id { $0.owner = nil } }
        }
    }

    /// The next batch; `nil`: the replica was shut down, or the task cancelled. `wake` is called
    /// when the loop may go on.
    func next(
        _ claim: Claim, isolation: isolated (any Actor)?, wake: @Sendable () -> Void
    ) async -> Next {
        if let ready = takeReady(claim, isCancelled: Task.isCancelled, wake: wake) { return ready }
        return await withTaskCancellationHandler(
            operation: {
                await withCheckedContinuation(isolation: isolation) { continuation in
                    if self.wait(continuation) { wake() }
                    if Task.isCancelled { self.cancel() }
                }
            }, onCancel: { self.cancel() }, isolation: isolation)
    }

    /// The consumer is done with what it was given: reads of it end. What there is for it already.
    private func takeReady(_ claim: Claim, isCancelled: Bool, wake: @Sendable () -> Void) -> Next? {
        let (ready, reads, applied, isStalled) = state.update { state in
            let id = ObjectIdentifier(claim)
            precondition(
                state.owner == nil || state.owner == id, "deliveries have one consumer at a time")
            state.owner = id
            state.applied = state.handed
            let reads = state.takeReads()
            let ready = isCancelled ? .success(nil) : state.takeNext()
            return (ready, reads, state.applied, ready != nil && state.takeStall())
        }
        for read in reads { read.settle(.success(applied)) }
        if isStalled { wake() }
        return ready
    }

    /// Keeps the consumer, or gives it what came meanwhile; `true`: the loop may go on.
    private func wait(_ continuation: CheckedContinuation<Next, Never>) -> Bool {
        let (next, isStalled) = state.update { state in
            let next = state.takeNext()
            if next == nil { state.consumer = continuation }
            return (next, next != nil && state.takeStall())
        }
        if let next { continuation.resume(returning: next) }
        return isStalled
    }

    private func cancel() {
        let consumer = state.update { $0.consumer.take() }
        consumer?.resume(returning: .success(nil))
    }
}
