internal import CPaxos
internal import CPaxosHost
internal import CPaxosRuntime
import Logging
import Synchronization

/// What the one thread of a ``Replica`` does: it alone calls the host.
///
/// Each turn takes what callers brought, proposes as much of it as there is room for, hands out
/// what the host has for them, and lets the host work or sleep. Sendable because it is handed over
/// to its thread, once, and used by nobody else.
final class Loop: @unchecked Sendable {
    /// Why the first in line is not proposed yet.
    enum Block { case noLeader, noRoom, stopped }

    /// How long the host may sleep while somebody waits for room or for a leader: room comes
    /// without an event.
    private static let impatientNs: UInt64 = 5_000_000
    private static let patientNs: UInt64 = 60_000_000_000
    /// How long values that a leader refused wait before they are proposed again.
    private static let pauseNs: UInt64 = 1_000_000

    let host: OpaquePointer
    let engine: Engine
    let group: UInt32
    var event = paxos_host_event_t()
    var line = Line()
    var underway: Underway
    var leader: NodeID?
    private var block: Block?
    /// Values that were refused, so certainly not decided: proposed again, under new numbers,
    /// before anything else is.
    private(set) var refused: [(ticket: Ticket, index: Int, refusal: Replica.Refusal)] = []
    private var retryAtNs: UInt64 = 0

    /// Reads whose mark is not proposed yet, and those whose mark is under way under this number.
    var reads: [ReadTicket] = []
    var markedReads: [ReadTicket] = []
    var mark: UInt64 = 0
    /// When a mark that a leader refused may be proposed again.
    private var markAtNs: UInt64 = 0

    init(_ host: OpaquePointer, _ engine: Engine) {
        self.host = host
        self.engine = engine
        group = engine.group
        underway = Underway(capacity: max(64, engine.underwayMax))
        event.size_bytes = UInt32(MemoryLayout<paxos_host_event_t>.size)
    }

    func run() {
        greet()
        while true {
            let taken = engine.intake.update { $0.take() }
            accept(taken)  // also when it stops: what was brought is answered at the end
            if taken.isStopping { return end(.success(())) }
            proposeMark()
            proposeRefused()
            if refused.isEmpty { proposeLine() }
            let isStalled = !takeEvents()
            if !work(isStalled) { return end(.failure(fault())) }
        }
    }

    private func accept(_ taken: Intake) {
        if !taken.tickets.isEmpty || !taken.reads.isEmpty {
            let (sum, isOver) = paxos_host_clock_ns().addingReportingOverflow(engine.patienceNs)
            let deadline = isOver ? UInt64.max : sum
            for ticket in taken.tickets { ticket.deadline = deadline }
            for read in taken.reads { read.deadline = deadline }
            line.append(taken.tickets)
            reads += taken.reads
        }
        if taken.trimSlot > 0 && paxos_host_trim(host, group, taken.trimSlot) != PAXOS_OK {
            fatalError("node \(engine.node) cannot trim what it delivered: \(taken.trimSlot)")
        }
        if taken.wantsToLead && paxos_host_campaign(host, group) != PAXOS_OK {
            engine.logger.notice("a campaign was refused")
        }
        if !taken.statuses.isEmpty {
            let status = status()
            for waiter in taken.statuses { waiter.resume(returning: status) }
        }
    }

    /// Lets the host work, and sleep if nobody has brought anything meanwhile.
    private func work(_ isStalled: Bool) -> Bool {
        let isWaiting = !line.isEmpty || !reads.isEmpty
        let timeout =
            refused.isEmpty ? isWaiting ? Self.impatientNs : Self.patientNs : Self.pauseNs
        let left = line.takeLeft()
        engine.isParked.store(true, ordering: .sequentiallyConsistent)
        let isIdle = engine.intake.update { intake in
            intake.release(count: left.count, bytes: left.bytes)
            return intake.isEmpty
        }
        let hasRoomAgain = isStalled && engine.channel.hasRoom()
        let status = paxos_host_poll(host, isIdle && !hasRoomAgain ? timeout : 0)
        engine.isParked.store(false, ordering: .relaxed)
        return status == PAXOS_HOST_OK
    }

    /// Proposes the tickets in line until one has to wait; gives up those that waited too long.
    private func proposeLine() {
        while let ticket = line.first, propose(ticket) { line.removeFirst() }
        guard let block, let ticket = line.first else { return }
        let now = paxos_host_clock_ns()
        guard ticket.deadline <= now else { return }
        let refusal: Replica.Refusal = block == .noLeader ? .noLeader : .full
        var count = 0
        while let ticket = line.first, ticket.deadline <= now {
            count += ticket.count - ticket.next
            ticket.answerRest(.failure(.refused(refusal, leader: leader)))
            line.removeFirst()
        }
        engine.logger.warning(
            "proposals were refused", metadata: ["reason": "\(refusal)", "count": "\(count)"])
    }

    /// A leader refused a value: it waits a little, unless it has waited long enough.
    func tryAgain(_ ticket: Ticket, _ index: Int, _ refusal: Replica.Refusal) {
        if refused.isEmpty { retryAtNs = paxos_host_clock_ns() &+ Self.pauseNs }
        refused.append((ticket, index, refusal))
    }

    private func proposeRefused() {
        guard !refused.isEmpty else { return }
        let now = paxos_host_clock_ns()
        guard retryAtNs <= now else { return }
        var done = 0
        for (ticket, index, refusal) in refused {
            if ticket.isSettled {
                ticket.answer(index, .failure(.unknown))
            } else if ticket.deadline <= now {
                ticket.answer(index, .failure(.refused(refusal, leader: leader)))
            } else if !propose(ticket, index) {
                break
            }
            done += 1
        }
        refused.removeFirst(done)
    }

    /// Proposes what is left of a ticket; `false`: it has to wait.
    private func propose(_ ticket: Ticket) -> Bool {
        if ticket.isSettled {  // cancelled in line: the rest stays unproposed
            ticket.answerRest(.failure(.unknown))
            return true
        }
        while ticket.next < ticket.count {
            guard propose(ticket, ticket.next) else { return false }
            ticket.next += 1
        }
        return true
    }

    /// Proposes one value; `false`: it has to wait.
    private func propose(_ ticket: Ticket, _ index: Int) -> Bool {
        guard underway.hasRoom else {
            block = .noRoom
            return false
        }
        var number: UInt64 = 0
        let status = ticket.withValue(index) { value in
            paxos_host_propose(host, group, value.baseAddress, value.count, &number)
        }
        guard status == PAXOS_OK else {
            block = Self.block(status)
            return false
        }
        underway.add(number, ticket, index)
        return true
    }

    private static func block(_ status: paxos_status_t) -> Block {
        switch status {
        case PAXOS_ERR_NO_LEADER: .noLeader
        case PAXOS_ERR_PIPELINE, PAXOS_ERR_FULL, PAXOS_ERR_BUSY: .noRoom
        case PAXOS_ERR_CORRUPT: .stopped  // the next poll says why
        default: fatalError("propose came to status \(status.rawValue)")
        }
    }

    /// Proposes the mark that all waiting reads share, one at a time: those that come later wait
    /// for the next.
    private func proposeMark() {
        reads.removeAll { $0.isSettled }
        guard !reads.isEmpty else { return }
        let now = paxos_host_clock_ns()
        giveUpReads(now, leader == nil ? .noLeader : .full)
        guard mark == 0 && markAtNs <= now && !reads.isEmpty else { return }
        var none: UInt8 = 0
        var number: UInt64 = 0
        let status =
            underway.hasRoom ? paxos_host_propose(host, group, &none, 0, &number) : PAXOS_ERR_BUSY
        if status == PAXOS_OK {
            underway.pass(number)
            mark = number
            swap(&reads, &markedReads)
            return
        }
        if Self.block(status) == .stopped { return }  // the next poll says why
        markAtNs = now &+ Self.pauseNs
    }

    /// A mark came to nothing, which says nothing: it may be proposed again, after a while.
    func tryMarkAgain() {
        mark = 0
        reads += markedReads
        markedReads = []
        markAtNs = paxos_host_clock_ns() &+ Self.pauseNs
    }

    private func giveUpReads(_ now: UInt64, _ refusal: Replica.Refusal) {
        for read in reads where read.deadline <= now {
            read.settle(.failure(.refused(refusal, leader: leader)))
        }
        reads.removeAll { $0.isSettled }
    }

    private func fault() -> Replica.Failure { Replica.Failure(report().fault) }

    func report() -> paxos_host_report_t {
        var report = paxos_host_report_t()
        report.size_bytes = UInt32(MemoryLayout<paxos_host_report_t>.size)
        paxos_host_report(host, &report)
        return report
    }

    /// Answers everybody and closes the host.
    private func end(_ result: Result<Void, Replica.Failure>) {
        if case .failure(let failure) = result {
            engine.logger.critical("the node has stopped", metadata: ["cause": "\(failure)"])
        } else {
            engine.logger.info("the node was shut down")
        }
        let status = status()
        let taken = engine.intake.update { $0.take(closing: true) }
        line.append(taken.tickets)
        while let ticket = line.first {
            ticket.answerRest(.failure(.refused(.stopped, leader: nil)))
            line.removeFirst()
        }
        for (ticket, index, _) in refused {
            ticket.answer(index, .failure(.refused(.stopped, leader: nil)))
        }
        underway.takeAll { $0.answer($1, .failure(.unknown)) }
        for read in reads + markedReads + taken.reads {
            read.settle(.failure(.refused(.stopped, leader: nil)))
        }
        for waiter in taken.statuses { waiter.resume(returning: status) }
        engine.forgetHost()
        paxos_host_close(host)
        engine.channel.finish(result)
        engine.end(result, status)
    }
}
