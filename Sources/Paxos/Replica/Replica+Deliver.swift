extension Replica {
    /// What is decided, in order, each slot once in the life of a replica, from the slot behind the
    /// one it was opened with.
    ///
    /// It has **one consumer**, an iteration from its first batch until it is gone: a second one
    /// beside it traps. A consumer that falls
    /// behind finds larger batches, and holds back the log from ``Options/deliveryBytes`` on:
    /// nothing is lost, nothing grows. Who asks for the next batch says that the one before is
    /// applied (``read()``). A consumer must not wait for its own proposals: they may be decided
    /// behind what it still has to take.
    ///
    /// It ends when the replica is shut down, and throws ``Failure`` when it failed; before, it
    /// gives out what it holds.
    public var deliveries: Batches { Batches(engine: engine) }

    /// An asynchronous sequence of batches.
    public struct Batches: AsyncSequence, Sendable {
        let engine: Engine

        /// The one iterator.
        public func makeAsyncIterator() -> Iterator {
            Iterator(engine: engine, claim: Channel.Claim(engine.channel))
        }

        /// Gives out one batch after the other.
        public struct Iterator: AsyncIteratorProtocol {
            let engine: Engine
            let claim: Channel.Claim

            /// The next batch; `nil`: the replica was shut down, or the task cancelled.
            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(Replica.Failure) -> Batch? {
                let engine = engine
                return try await engine.channel.next(claim, isolation: actor) { engine.wake() }
                    .get()
            }

            /// The next batch; `nil`: the replica was shut down, or the task cancelled.
            public mutating func next() async throws(Replica.Failure) -> Batch? {
                try await next(isolation: nil)
            }
        }
    }

    /// Applies what is decided to a state machine, and trims the log by what it says is durable,
    /// until the replica is shut down or the task cancelled: then the replica is shut down, too.
    ///
    /// It is the one consumer of ``deliveries``.
    ///
    /// - Throws: what ``StateMachine/apply(_:)`` throws, ``Failure`` if the replica failed, and
    ///   ``AppliedError`` if the machine is not where the replica was opened. In each case the
    ///   replica is shut down.
    public nonisolated(nonsending) func run<Machine: StateMachine>(
        _ machine: inout Machine
    ) async throws {
        do {
            guard machine.durableSlot == engine.applied else {
                throw AppliedError(opened: engine.applied, durableSlot: machine.durableSlot)
            }
            let thread = try MachineThread()
            defer { thread.end() }
            try await withTaskExecutorPreference(thread) { try await apply(to: &machine) }
            await shutdown()
        } catch {
            await shutdown()
            throw error
        }
    }

    @concurrent
    private func apply<Machine: StateMachine>(to machine: inout Machine) async throws {
        var trimmed = machine.durableSlot
        for try await batch in deliveries {
            try machine.apply(batch)
            if machine.durableSlot > trimmed {
                trimmed = machine.durableSlot
                try trim(upTo: trimmed)
            }
        }
    }
}
