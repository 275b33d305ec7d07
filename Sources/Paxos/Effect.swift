internal import CPaxos

/// One thing that a replica asks its host to do. It comes out only when it may be done at once.
///
/// Effects are handed to the visitor of ``ManualReplica/drain(pinning:_:)`` and live as long as
/// that call: they cannot be copied out, their bytes can.
public enum Effect: ~Copyable {
    /// Send this to another member.
    case send(Frame)
    /// Append this to the journal, make it durable, then say ``ManualReplica/flushed(upTo:now:)``.
    /// Records come in the order of their ``Record/lsn``. A write that failed is never tried again:
    /// stop the node.
    case write(Record)
    /// These entries are decided: apply them, in order.
    case deliver(Deliveries)
    /// Proposals of this node were refused, or their outcome is unknown.
    case outcome(Outcome)
}

/// A message for one member: ``header``, then ``body``, sent as one unit.
public struct Frame: ~Copyable {
    /// To whom.
    public let receiver: NodeID
    /// What to say to ``ManualReplica/sent(_:)`` if the body was pinned; 0 where there is no body.
    public let token: UInt64
    /// Where the body stands. Valid until the visitor returns, or, where the drain was `pinning`,
    /// until ``ManualReplica/sent(_:)`` has been told the ``token``.
    public let unsafeBody: UnsafeRawBufferPointer
    let unsafeHeader: UnsafeRawBufferPointer

    /// The first 96 bytes.
    public var header: RawSpan {
        @_lifetime(borrow self)
        get { _overrideLifetime(RawSpan(_unsafeBytes: unsafeHeader), borrowing: self) }
    }

    /// The entries that follow the header; often none.
    public var body: RawSpan {
        @_lifetime(borrow self)
        get { _overrideLifetime(RawSpan(_unsafeBytes: unsafeBody), borrowing: self) }
    }

    /// Length of the whole frame.
    public var byteCount: Int { unsafeHeader.count + unsafeBody.count }

    /// A copy of the whole frame. Complexity: O(`byteCount`), one allocation.
    public func bytes() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            let out = UnsafeMutableRawBufferPointer(buffer)
            out.copyMemory(from: unsafeHeader)
            UnsafeMutableRawBufferPointer(rebasing: out[unsafeHeader.count...])
                .copyMemory(from: unsafeBody)
            count = byteCount
        }
    }
}

/// A journal record: ``header``, then ``body``.
public struct Record: ~Copyable {
    /// Its place in the journal; what ``ManualReplica/flushed(upTo:now:)`` is told.
    public let lsn: UInt64
    /// Where the body stands. Valid until ``ManualReplica/flushed(upTo:now:)`` covers the ``lsn``.
    public let unsafeBody: UnsafeRawBufferPointer
    let unsafeHeader: UnsafeRawBufferPointer

    /// The first 96 bytes.
    public var header: RawSpan {
        @_lifetime(borrow self)
        get { _overrideLifetime(RawSpan(_unsafeBytes: unsafeHeader), borrowing: self) }
    }

    /// The entries that follow the header; often none.
    public var body: RawSpan {
        @_lifetime(borrow self)
        get { _overrideLifetime(RawSpan(_unsafeBytes: unsafeBody), borrowing: self) }
    }
}
