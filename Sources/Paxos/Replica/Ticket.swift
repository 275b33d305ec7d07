import Synchronization

/// One call of `propose`: its values, who waits for what becomes of them, and what did so far.
///
/// Made by a caller, handed through the ``Intake`` to the loop; from then on only the loop touches
/// what is not atomic. Whoever moves `phase` to `settled` first, the loop or a cancellation,
/// resumes the caller, and nobody else does.
final class Ticket: @unchecked Sendable {
    enum Waiter {
        case nobody
        case one(CheckedContinuation<Replica.Answer, Never>)
        case many(CheckedContinuation<[Replica.Answer], Never>)
    }

    private enum Phase {
        static let fresh: UInt8 = 0
        static let waiting: UInt8 = 1
        static let settled: UInt8 = 2
    }

    /// The values, one behind the other.
    let bytes: [UInt8]
    /// Where each value ends; empty: there is one.
    private let ends: [Int]
    private let phase = Atomic<UInt8>(Phase.fresh)
    private var waiter = Waiter.nobody

    /// Index of the first value that was not proposed yet.
    var next = 0
    /// Until when it may stand in line, in nanoseconds of the host's clock; 0: not known yet.
    var deadline: UInt64 = 0
    private var answers: [Replica.Answer]
    private var unanswered: Int

    init(_ value: [UInt8]) {
        bytes = value
        ends = []
        answers = []
        unanswered = 1
    }

    init(_ values: some Sequence<some Collection<UInt8>>) {
        var bytes: [UInt8] = []
        var ends: [Int] = []
        for value in values {
            bytes.append(contentsOf: value)
            ends.append(bytes.count)
        }
        self.bytes = bytes
        self.ends = ends
        answers = Array(repeating: .failure(.unknown), count: ends.count)
        unanswered = ends.count
    }

    var count: Int { ends.isEmpty ? 1 : ends.count }

    /// Calls `body` with the value of this index.
    func withValue<Result>(_ index: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { bytes in
            if ends.isEmpty { return body(bytes) }
            let start = index == 0 ? 0 : ends[index - 1]
            return body(UnsafeBufferPointer(rebasing: bytes[start..<ends[index]]))
        }
    }

    /// Keeps the caller; `false`: it was cancelled before, and has been resumed.
    func wait(_ waiter: Waiter) -> Bool {
        self.waiter = waiter
        let (done, _) = phase.compareExchange(
            expected: Phase.fresh, desired: Phase.waiting, ordering: .acquiringAndReleasing)
        if !done { resume(with: .failure(.unknown)) }
        return done
    }

    /// The caller's task was cancelled: it learns *unknown* at once, whatever becomes of the
    /// values.
    func cancel() {
        let before = phase.exchange(Phase.settled, ordering: .acquiringAndReleasing)
        if before == Phase.waiting { resume(with: .failure(.unknown)) }
    }

    var isSettled: Bool { phase.load(ordering: .acquiring) == Phase.settled }

    /// What became of the value of this index. The last one resumes the caller.
    func answer(_ index: Int, _ answer: Replica.Answer) {
        unanswered -= 1
        if ends.isEmpty {
            settle { self.resume(with: answer) }
        } else {
            answers[index] = answer
            if unanswered == 0 { settle { self.resume(with: self.answers) } }
        }
    }

    /// What became of all values that were not proposed.
    func answerRest(_ answer: Replica.Answer) {
        for index in next..<count { self.answer(index, answer) }
        next = count
    }

    private func settle(_ resume: () -> Void) {
        let before = phase.exchange(Phase.settled, ordering: .acquiringAndReleasing)
        if before == Phase.waiting { resume() }
    }

    private func resume(with answer: Replica.Answer) {
        switch waiter {
        case .nobody: break
        case .one(let continuation): continuation.resume(returning: answer)
        case .many(let continuation):
            continuation.resume(returning: Array(repeating: answer, count: count))
        }
    }

    private func resume(with answers: [Replica.Answer]) {
        if case .many(let continuation) = waiter { continuation.resume(returning: answers) }
    }
}

/// One call of `read`. Settled once, by the loop, the consumer of deliveries or a cancellation.
///
/// It takes a place until nobody has it any more: one that was cancelled still stands in a line.
final class ReadTicket: @unchecked Sendable {
    /// How many there may be.
    final class Places: Sendable {
        private let left: Atomic<Int>

        init(_ count: Int) { left = Atomic(count) }

        func take() -> Bool {
            if left.subtract(1, ordering: .relaxed).newValue >= 0 { return true }
            give()
            return false
        }

        func give() { left.add(1, ordering: .relaxed) }
    }

    private let places: Places
    private let state = Lock(State())
    /// Until when it may wait for a leader, in nanoseconds of the host's clock.
    var deadline: UInt64 = 0

    struct State {
        var isSettled = false
        var continuation: CheckedContinuation<Result<UInt64, Replica.ProposalError>, Never>?
    }

    /// `nil`: there is no place.
    init?(_ places: Places) {
        guard places.take() else { return nil }
        self.places = places
    }

    deinit { places.give() }

    /// Keeps the caller; `false`: it was cancelled before, and has been resumed.
    func wait(
        _ continuation: CheckedContinuation<Result<UInt64, Replica.ProposalError>, Never>
    ) -> Bool {
        let isCancelled = state.update { state in
            if !state.isSettled { state.continuation = continuation }
            return state.isSettled
        }
        if isCancelled { continuation.resume(returning: .failure(.unknown)) }
        return !isCancelled
    }

    var isSettled: Bool { state.withLock { $0.isSettled } }

    func settle(_ result: Result<UInt64, Replica.ProposalError>) {
        let continuation = state.update { state in
            state.isSettled = true
            return state.continuation.take()
        }
        continuation?.resume(returning: result)
    }
}
