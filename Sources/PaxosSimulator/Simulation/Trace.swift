import CPaxos

/// What happened in a world, event by event, for a person to read and for a diagram to show.
package final class Trace {
    package struct Event {
        package enum Kind {
            case sent(to: UInt16, arrives_ns: UInt64?)
            case received(from: UInt16, status: Int32)
            case wrote
            case flushed
            case delivered
            case told
            case proposed
            case fault
            case note
        }

        package let time_ns: UInt64
        /// 0: the whole world.
        package let node: UInt16
        package let kind: Kind
        package let text: String
        /// Of a frame: what pairs its sending with its arrival.
        package var checksum: UInt32 = 0
        package var frameKind: UInt8 = 0
    }

    static let powerCut = "power cut"

    /// Where each line goes as it comes; nil: nowhere.
    private let line: ((String) -> Void)?
    private let keeps: Int
    /// The last events but heartbeats, oldest first.
    package private(set) var events: [Event] = []
    package private(set) var plan: Plan?

    package func last(_ count: Int) -> [Event] { Array(events.suffix(count)) }

    /// - Parameter keeps: how many of the last events are kept.
    package init(keeps: Int = 0, line: ((String) -> Void)? = nil) {
        self.keeps = keeps
        self.line = line
    }

    /// The version of the lines below; a change of them is a new version.
    package static let version = 1
    package static var header: String {
        "paxos-sim trace \(version) core \(coreVersion(paxos_version()))"
    }

    private static func coreVersion(_ version: UInt32) -> String {
        "\(version >> 16).\(version >> 8 & 0xFF).\(version & 0xFF)"
    }

    func begin(_ plan: Plan) {
        self.plan = plan
        events.removeAll(keepingCapacity: true)
        guard let line else { return }
        line(Trace.header)
        line("seed \(plan.seed) profile \(plan.profile.name)")
        line(
            "world \(plan.drawn.name): \(plan.members) nodes, "
                + (plan.isDurable ? "durable" : "memory only") + (plan.isTiny ? ", tiny" : ""))
        for fault in plan.faults { line("plan \(fault)") }
    }

    func end(hash: UInt64, violations: [Violation]) {
        guard let line else { return }
        for violation in violations { line("violation \(violation)") }
        line("hash \(hexadecimal(hash))")
    }

    @inline(never)
    private func add(_ event: Event) {
        line?(
            "\(milliseconds(event.time_ns)) \(event.node == 0 ? "-" : String(event.node)) \(event.text)"
        )
        /* Heartbeats say little and are many: they are not kept. */
        guard keeps > 0, event.frameKind != 7, event.frameKind != 8 else { return }
        events.append(event)
        if events.count >= 2 * keeps { events.removeFirst(events.count - keeps) }
    }

    @inline(never)
    func sent(
        _ now_ns: UInt64, _ frame: UnsafePointer<paxos_frame_t>, _ header: UnsafePointer<UInt8>,
        _ due: UInt64?
    ) {
        let (from, to) = (frame.pointee.sender, frame.pointee.receiver)
        add(
            Event(
                time_ns: now_ns, node: from, kind: .sent(to: to, arrives_ns: due),
                text: "sends \(describe(frame)) to \(to)" + (due == nil ? ", lost" : ""),
                checksum: paxos_get32(header), frameKind: frame.pointee.kind))
    }

    @inline(never)
    func received(
        _ now_ns: UInt64, _ header: UnsafePointer<UInt8>, _ to: UInt16, _ status: paxos_status_t
    ) {
        var frame = paxos_frame_t()
        paxos_frame_read(header, &frame)
        let suffix = status == PAXOS_OK ? "" : ": \(statusName(status))"
        add(
            Event(
                time_ns: now_ns, node: to,
                kind: .received(from: frame.sender, status: status.rawValue),
                text: "receives \(describe(&frame)) from \(frame.sender)\(suffix)",
                checksum: paxos_get32(header), frameKind: frame.kind))
    }

    @inline(never)
    func wrote(_ now_ns: UInt64, _ header: UnsafePointer<UInt8>, _ id: UInt16) {
        var record = paxos_frame_t()
        paxos_frame_read(header, &record)
        add(
            Event(
                time_ns: now_ns, node: id, kind: .wrote,
                text: "writes \(record.nonce): \(describe(&record))"))
    }

    @inline(never)
    func flushed(_ now_ns: UInt64, _ id: UInt16, _ lsn: UInt64) {
        add(Event(time_ns: now_ns, node: id, kind: .flushed, text: "flushed \(lsn)"))
    }

    @inline(never)
    func delivered(_ now_ns: UInt64, _ id: UInt16, _ slot: UInt64, _ count: UInt32) {
        let slots = count == 1 ? "slot \(slot)" : "slots \(slot) to \(slot + UInt64(count) - 1)"
        add(Event(time_ns: now_ns, node: id, kind: .delivered, text: "delivers \(slots)"))
    }

    @inline(never)
    func told(_ now_ns: UInt64, _ id: UInt16, _ effect: UnsafePointer<paxos_effect_t>) {
        let isLost = UInt32(effect.pointee.reason) == PAXOS_REASON_LOST.rawValue
        let what = isLost ? "unknown" : "refused, reason \(effect.pointee.reason)"
        add(
            Event(
                time_ns: now_ns, node: id, kind: .told,
                text: "proposals \(effect.pointee.number)+\(effect.pointee.count): \(what)"))
    }

    @inline(never)
    func proposed(_ now_ns: UInt64, _ id: UInt16, _ number: UInt64) {
        add(Event(time_ns: now_ns, node: id, kind: .proposed, text: "proposes number \(number)"))
    }

    @inline(never)
    func fault(_ now_ns: UInt64, _ fault: Fault) {
        add(Event(time_ns: now_ns, node: 0, kind: .fault, text: "fault: \(fault)"))
    }

    @inline(never)
    func note(_ now_ns: UInt64, _ id: UInt16, _ text: String) {
        add(Event(time_ns: now_ns, node: id, kind: .note, text: text))
    }
}

package func hexadecimal(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

private func statusName(_ status: paxos_status_t) -> String {
    switch status {
    case PAXOS_ERR_STALE: "stale"
    case PAXOS_ERR_FULL: "full"
    case PAXOS_ERR_WIRE: "damaged"
    case PAXOS_ERR_FOREIGN: "foreign"
    case PAXOS_ERR_CONFLICT: "conflict"
    case PAXOS_ERR_BUSY: "busy"
    case PAXOS_ERR_ABSTAINS: "abstains"
    default: "status \(status.rawValue)"
    }
}

/// What a frame or record of this kind is called.
package func frameName(_ kind: UInt8) -> String {
    let frames = [
        "?", "PREPARE", "PROMISE", "REJECTED", "ACCEPT", "ACCEPTED", "COMMIT", "HEARTBEAT",
        "HEARTBEAT_REPLY", "LEARN", "LEARNED", "FORWARD", "REFUSED",
    ]
    let records = ["PROMISED", "ENTRIES", "BALLOTS", "CHOSEN", "MARK"]
    if Int(kind) < frames.count { return frames[Int(kind)] }
    let record = Int(kind) - Int(PAXOS_RECORD_PROMISED.rawValue)
    return records.indices.contains(record) ? records[record] : "kind \(kind)"
}

private func describe(_ frame: UnsafePointer<paxos_frame_t>) -> String {
    let states = ["EMPTY", "ACCEPTED", "CHOSEN", "UNKNOWN", "TRIMMED"]
    var text = frameName(frame.pointee.kind)
    if frame.pointee.ballot != 0 { text += " ballot \(name(frame.pointee.ballot))" }
    if frame.pointee.slot != 0 { text += " slot \(frame.pointee.slot)+\(frame.pointee.count)" }
    if UInt32(frame.pointee.kind) == PAXOS_FRAME_PROMISE.rawValue {
        text += " \(states[Int(min(frame.pointee.state, 4))])"
        if frame.pointee.other != 0 { text += " in \(name(frame.pointee.other))" }
    }
    if UInt32(frame.pointee.kind) == PAXOS_FRAME_REJECTED.rawValue {
        text += " promised \(name(frame.pointee.other))"
    }
    if frame.pointee.watermark != 0 { text += " decided \(frame.pointee.watermark)" }
    return text
}
