extension Replica {
    /// Proposes a value, and waits until it is decided.
    ///
    /// Waits where there is no room or no leader, here or at the leader, for ``Options/patience``
    /// at most; meanwhile it may be proposed several times, but never again after one that may
    /// still be decided. A task that is cancelled learns ``ProposalError/unknown`` at once,
    /// whatever becomes of the value.
    ///
    /// - Parameter value: 1 to ``Configuration/valueBytes`` bytes.
    /// - Returns: where it stands in the log. It was decided, but not applied here yet: ``read()``.
    /// - Throws: ``ProposalError``: refused, or unknown.
    /// - Complexity: O(value); one copy where the collection is no array.
    @discardableResult
    public nonisolated(nonsending) func propose(
        _ value: some Collection<UInt8>
    ) async throws(ProposalError) -> Decision {
        let bytes = Array(value)
        if let refusal = refusal(bytes.count) { throw .refused(refusal, leader: nil) }
        let ticket = Ticket(bytes)
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                submit(ticket, .one(continuation))
            }
        } onCancel: {
            ticket.cancel()
        }
        return try answer.get()
    }

    /// Proposes values in their order, and waits until all of them have an outcome. They need not
    /// become neighbours in the log, because others propose, too; and where a leader refuses some
    /// of them, these come behind the others.
    ///
    /// - Parameter values: each 1 to ``Configuration/valueBytes`` bytes. If one of them is not,
    ///   none is proposed, and each of them is refused for that reason.
    /// - Returns: what became of each. After a cancellation: unknown, for all of them.
    /// - Complexity: O(bytes); one continuation and one copy for all of them.
    @discardableResult
    public nonisolated(nonsending) func propose(
        _ values: [some Collection<UInt8>]
    ) async -> [Answer] {
        if values.isEmpty { return [] }
        for value in values {
            if let refusal = refusal(value.count) {
                return values.map { _ in .failure(.refused(refusal, leader: nil)) }
            }
        }
        let ticket = Ticket(values)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                submit(ticket, .many(continuation))
            }
        } onCancel: {
            ticket.cancel()
        }
    }

    /// Waits until everything that was decided before this call is applied here: what the state
    /// machine says afterwards is linearizable.
    ///
    /// It goes through the log: all reads that come at about the same time share one empty mark,
    /// which is not shown to the consumer of ``deliveries``. *Applied* is a batch when its consumer
    /// asks for the next one; where nobody consumes, nobody reads.
    ///
    /// - Returns: the slot up to which the state machine has applied.
    /// - Throws: ``ProposalError``: refused, or unknown when the task was cancelled.
    @discardableResult
    public nonisolated(nonsending) func read() async throws(ProposalError) -> UInt64 {
        guard let read = ReadTicket(engine.readPlaces) else {
            throw .refused(.queueFull, leader: nil)
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard read.wait(continuation) else { return }
                let isClosed = engine.intake.update { intake in
                    if !intake.isClosed { intake.reads.append(read) }
                    return intake.isClosed
                }
                if isClosed {
                    read.settle(.failure(.refused(.stopped, leader: nil)))
                } else {
                    engine.wake()
                }
            }
        } onCancel: {
            read.settle(.failure(.unknown))
        }
        return try result.get()
    }

    private func refusal(_ count: Int) -> Refusal? {
        if count == 0 { return .empty }
        return count > engine.valueBytes ? .tooLarge(limitBytes: engine.valueBytes) : nil
    }

    private func submit(_ ticket: Ticket, _ waiter: Ticket.Waiter) {
        guard ticket.wait(waiter) else { return }
        let refusal = engine.intake.update { intake in
            intake.add(ticket, countMax: engine.queueCount, bytesMax: engine.queueBytes)
        }
        if let refusal {
            ticket.answerRest(.failure(.refused(refusal, leader: nil)))
        } else {
            engine.wake()
        }
    }
}
