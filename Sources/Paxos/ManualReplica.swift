internal import CPaxos

/// One member of a cluster: the whole replicated log of one node, behind a lock.
///
/// It does nothing by itself. The host, that is the program around it,
///
/// 1. hands every received frame to ``receive(_:now:)``; lost, repeated and reordered ones do no
///    harm;
/// 2. calls ``tick(now:)`` when ``deadline`` says so;
/// 3. after any call, calls ``drain(pinning:_:)`` and does what each effect asks;
/// 4. never retries a journal write that failed: it stops the node;
/// 5. calls ``trim(upTo:)`` when its state machine is safe up to a slot, or the window fills;
/// 6. after a restart, raises the incarnation and comes back through ``Recovery``.
///
/// All memory is taken by ``init(_:now:)`` and none afterwards.
///
/// - Note: Any thread may call at any time; calls wait for each other. The visitor of a drain must
///   not call the same replica.
public final class ManualReplica: Sendable {
    /// This node.
    public let node: NodeID
    /// Which of this node's lives this is; part of the identity of its proposals.
    public let incarnation: UInt32
    let core: Lock<ReplicaCore>

    /// A replica that has promised and accepted nothing. A durable node that starts again comes from
    /// ``Recovery``.
    ///
    /// - Parameters:
    ///   - configuration: checked here; kept as it is now.
    ///   - now: the first time; later ones do not run backwards inside.
    /// - Throws: ``ConfigurationError`` naming the broken rule.
    /// - Complexity: O(``Configuration/blockBytes()``).
    public convenience init(
        _ configuration: Configuration, now: Instant
    ) throws(ConfigurationError) {
        if configuration.durability == .durable && configuration.incarnation > 1 {
            throw ConfigurationError(
                rule: "a durable node with an incarnation over 1 comes from Recovery")
        }
        self.init(try ReplicaCore(configuration, now: now.nanoseconds), configuration)
    }

    init(_ core: consuming ReplicaCore, _ configuration: Configuration) {
        node = configuration.node
        incarnation = configuration.incarnation
        self.core = Lock(core)
    }

    /// Takes one frame of another member; keeps none of its bytes.
    ///
    /// - Throws: ``ReceiveError`` if it was refused or answered with a refusal. All but
    ///   ``ReceiveError/corrupt`` are routine.
    /// - Complexity: O(frame), no allocation.
    public func receive(_ frame: RawSpan, now: Instant) throws(ReceiveError) {
        let status = frame.withUnsafeBytes { bytes in
            core.withLock { $0.receive(bytes, now: now.nanoseconds) }
        }
        if let error = ReceiveError(status) { throw error }
    }

    /// Takes one frame that came in two pieces.
    ///
    /// - Parameters:
    ///   - header: its first 96 bytes.
    ///   - body: the rest.
    ///   - now: the time.
    /// - Throws: as ``receive(_:now:)``.
    /// - Complexity: O(frame), no allocation.
    public func receive(header: RawSpan, body: RawSpan, now: Instant) throws(ReceiveError) {
        let status = header.withUnsafeBytes { header in
            body.withUnsafeBytes { body in
                core.withLock { $0.receive(header: header, body: body, now: now.nanoseconds) }
            }
        }
        if let error = ReceiveError(status) { throw error }
    }

    /// Says that time has passed. Complexity: O(members + window), no allocation.
    public func tick(now: Instant) {
        core.withLock { $0.tick(now: now.nanoseconds) }
    }

    /// When ``tick(now:)`` wants to be called at the latest. Any other call may move it.
    public var deadline: Instant {
        Instant(nanoseconds: core.withLock { $0.deadline })
    }

    /// Hands out all effects that are due, under one lock.
    ///
    /// - Parameters:
    ///   - pinning: `false`: the visitor sends or copies frames before it returns. `true`: the
    ///     bodies of frames stay as they are until ``sent(_:)`` is told their ``Frame/token``.
    ///   - visit: does what the effect asks; must not call this replica, and should not block long.
    /// - Returns: how many effects there were.
    /// - Complexity: O(effects and the slots they name), no allocation.
    @discardableResult
    public func drain(pinning: Bool = false, _ visit: (borrowing Effect) -> Void) -> Int {
        core.withLock { core in
            var count = 0
            while let effect = core.poll() {
                let token = effect.pointee.token
                visit(core.view(effect))
                if token != 0 && !pinning { core.sentOwn(token) }
                count += 1
            }
            return count
        }
    }

    /// Says that every write up to `lsn` is durable: what waited for it comes out of the next
    /// drain.
    ///
    /// - Throws: ``RangeError`` if `lsn` was never given out; nothing changed.
    /// - Complexity: O(records flushed), no allocation.
    public func flushed(upTo lsn: UInt64, now: Instant) throws(RangeError) {
        try core.withLock { core throws(RangeError) in
            try core.flushed(upTo: lsn, now: now.nanoseconds)
        }
    }

    /// Says that the pinned body of this frame, and of those before it to the same member, is
    /// needed no longer: it was sent, copied or given up.
    ///
    /// - Throws: ``RangeError`` if the token was never given out; nothing changed.
    /// - Complexity: O(1), no allocation.
    public func sent(_ token: UInt64) throws(RangeError) {
        try core.withLock { core throws(RangeError) in try core.sent(token) }
    }

    /// Says that the state machine is safe up to `slot`: the bytes of those deliveries may go. They
    /// do go when no live member lacks them.
    ///
    /// - Throws: ``RangeError`` beyond what was delivered; nothing changed.
    /// - Complexity: O(runs freed), no allocation.
    public func trim(upTo slot: UInt64) throws(RangeError) {
        try core.withLock { core throws(RangeError) in try core.trim(upTo: slot) }
    }

    /// Tries to lead now, whoever else does: for hosts that run their own election or hand
    /// leadership over.
    ///
    /// - Returns: `false` if the effects had no room: drain them and call again. Always `false` for
    ///   a node that abstains.
    /// - Complexity: O(members + window), no allocation.
    @discardableResult
    public func campaign(now: Instant) -> Bool {
        core.withLock { $0.campaign(now: now.nanoseconds) }
    }

    /// Where this replica stands. Complexity: O(members).
    public var status: Status {
        core.withLock { $0.status }
    }
}

extension ReplicaCore {
    /// An effect as the public type.
    @inline(__always)
    func view(_ effect: UnsafeMutablePointer<paxos_effect_t>) -> Effect {
        switch effect.pointee.kind {
        case PAXOS_EFFECT_SEND.rawValue:
            return .send(
                Frame(
                    receiver: effect.pointee.node, token: effect.pointee.token,
                    unsafeBody: body(of: effect), unsafeHeader: header(of: effect)))
        case PAXOS_EFFECT_WRITE.rawValue:
            return .write(
                Record(
                    lsn: effect.pointee.lsn, unsafeBody: body(of: effect),
                    unsafeHeader: header(of: effect)))
        case PAXOS_EFFECT_DELIVER.rawValue:
            return .deliver(deliveries(of: effect))
        default:
            return .outcome(outcome(of: effect))
        }
    }

    /// Releases a body whose token this very core gave out.
    @inline(__always)
    func sentOwn(_ token: UInt64) {
        do throws(RangeError) {
            try sent(token)
        } catch {
            deny("its own token", token)
        }
    }
}
