extension ManualReplica {
    /// Proposes a value: appends it where this node leads, forwards it to the leader otherwise.
    ///
    /// The proposal is *decided* when it comes out of ``drain(pinning:_:)`` as a delivery with this
    /// identity; what else may become of it comes out as an ``Outcome``.
    ///
    /// - Parameters:
    ///   - value: up to ``Configuration/valueBytes`` bytes; copied. May be empty.
    ///   - now: the time; `nil`: the last one this replica was told.
    /// - Throws: ``ProposeError`` if it was not taken; nothing changed.
    /// - Complexity: O(value), no allocation.
    @discardableResult
    public func propose(_ value: RawSpan, now: Instant? = nil) throws(ProposeError) -> Proposal {
        let number = try value.withUnsafeBytes { bytes throws(ProposeError) in
            try core.withLock { core throws(ProposeError) in
                try core.propose(bytes, now: now?.nanoseconds ?? 0)
            }
        }
        return Proposal(node: node, incarnation: incarnation, number: number)
    }

    /// Proposes the bytes of a collection, such as an array or a string's `utf8`.
    ///
    /// - Throws: as ``propose(_:now:)-(RawSpan,_)``.
    /// - Complexity: O(value); one allocation where the collection is not contiguous.
    @discardableResult @inlinable
    public func propose(
        _ value: some Collection<UInt8>, now: Instant? = nil
    ) throws(ProposeError) -> Proposal {
        try value.withRawSpan { span throws(ProposeError) in try propose(span, now: now) }
    }

    /// Proposes many values under one lock, until one is not taken.
    ///
    /// - Parameters:
    ///   - values: the values' bytes, one behind the other.
    ///   - lengths: length of each, in bytes; together not more than `values` has.
    ///   - now: the time; `nil`: the last one this replica was told.
    /// - Returns: how many were taken, under which numbers, and why the next one was not.
    /// - Complexity: O(`values`), no allocation.
    @discardableResult
    public func propose(
        packed values: RawSpan, lengths: Span<Int>, now: Instant? = nil
    ) -> Admission {
        values.withUnsafeBytes { bytes in
            core.withLock {
                $0.propose(packed: bytes, lengths: lengths, now: now?.nanoseconds ?? 0)
            }
        }
    }
}

extension Collection<UInt8> {
    /// Calls `body` with the bytes in one piece, copied only where they are not.
    @inlinable
    func withRawSpan<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // The stored Result carries the typed error past a closure that cannot throw it.
        let outcome: Swift.Result<Result, Failure>? = withContiguousStorageIfAvailable { bytes in
            do throws(Failure) {
                return .success(try body(bytes.span.bytes))
            } catch {
                return .failure(error)
            }
        }
        if let outcome { return try outcome.get() }
        let copy = Array(self)
        return try body(copy.span.bytes)
    }
}
