internal import CPaxos
internal import CPaxosRuntime
internal import CPaxosTransport
import Logging

extension Loop {
    /// Hands out what the host has; `false`: the consumer has enough, and there may be more.
    func takeEvents() -> Bool {
        defer { engine.channel.flush() }
        while true {
            guard engine.channel.hasRoom() else { return false }
            guard paxos_host_next(host, &event) else { return true }
            switch event.kind {
            case PAXOS_HOST_DELIVERED.rawValue: delivered()
            case PAXOS_HOST_OUTCOME.rawValue: outcome()
            case PAXOS_HOST_LEADER.rawValue: leads()
            default: linked()
            }
        }
    }

    private func delivered() {
        let slots = event.slot...(event.slot + UInt64(event.count) - 1)
        guard let entries = event.entries else { fatalError("a delivery without entries") }
        // Reads wait for the consumer, which must have been given the mark's slot before.
        engine.channel.append(
            slots, UnsafeBufferPointer(start: entries, count: Int(event.entries_bytes)))
        guard underway.count > 0 || mark != 0 else { return }
        var entry = entries
        for slot in slots {
            let header = paxos_entry_get(entry)
            if header.node == engine.node && header.incarnation == engine.incarnation
                && header.kind == UInt8(truncatingIfNeeded: PAXOS_ENTRY_COMMAND.rawValue)
            {
                decided(header.number, slot)
            }
            entry += Int(paxos_entry_bytes(header.value_bytes))
        }
    }

    private func decided(_ number: UInt64, _ slot: UInt64) {
        if number == mark {
            mark = 0
            engine.channel.await(slot, markedReads)
            markedReads = []
        } else if let (ticket, index) = underway.take(number) {
            let proposal = Proposal(
                node: engine.node, incarnation: engine.incarnation, number: number)
            ticket.answer(index, .success(Replica.Decision(slot: slot, proposal: proposal)))
        }
    }

    private func outcome() {
        let refusal: Replica.Refusal?
        switch UInt32(event.reason) {
        case PAXOS_REASON_LOST.rawValue: refusal = nil
        case PAXOS_REASON_FULL.rawValue: refusal = .leaderFull
        default: refusal = .notLeader
        }
        for number in event.number..<event.number + UInt64(event.count) {
            if number == mark {
                tryMarkAgain()
            } else if let (ticket, index) = underway.take(number) {
                if let refusal {
                    tryAgain(ticket, index, refusal)
                } else {
                    ticket.answer(index, .failure(.unknown))
                }
            }
        }
        engine.logger.debug(
            "proposals were not decided",
            metadata: [
                "count": "\(event.count)", "outcome": "\(refusal?.description ?? "unknown")",
            ])
    }

    private func leads() {
        leader = event.node == 0 ? nil : event.node
        if let leader {
            engine.logger.info("a leader", metadata: ["leader": "\(leader)"])
        } else {
            engine.logger.notice("no leader")
        }
    }

    private func linked() {
        let peer: Logger.MetadataValue = event.node == 0 ? "unproved" : "\(event.node)"
        if event.is_up != 0 {
            engine.logger.info("connected", metadata: ["peer": peer])
        } else {
            engine.logger.notice(
                "not connected",
                metadata: ["peer": peer, "reason": "\(Words.link(event.reason, event.error))"])
        }
    }

    /// Says with what the node begins.
    func greet() {
        let report = report()
        engine.logger.info(
            "the node is up",
            metadata: [
                "incarnation": "\(report.incarnation)", "port": "\(report.port)",
                "records": "\(report.recovered_records)", "bytes": "\(report.recovered_bytes)",
                "recovery": "\(Duration.nanoseconds(Int64(clamping: report.recovery_ns)))",
            ])
        guard report.journal_bytes < report.journal_bytes_good else { return }
        engine.logger.warning(
            "the journal is small: a member that lags may fill it for good",
            metadata: [
                "bytes": "\(report.journal_bytes)", "good": "\(report.journal_bytes_good)",
            ])
    }

    /// The peers with a connection. Events are no way to know: of too many some are forgotten.
    private func connected() -> [NodeID] {
        guard let transport = paxos_host_transport(host) else { return [] }
        return engine.peers.filter { peer in
            var report = paxos_transport_peer_report_t()
            report.size_bytes = UInt32(MemoryLayout<paxos_transport_peer_report_t>.size)
            return paxos_transport_peer_report(transport, peer, &report) && report.is_up != 0
        }
    }

    /// Where the replica stands.
    func status() -> Replica.Status {
        var log = paxos_replica_status_t()
        log.size_bytes = UInt32(MemoryLayout<paxos_replica_status_t>.size)
        if !paxos_host_replica_status(host, group, &log) { fatalError("the host has no group") }
        let report = report()
        return Replica.Status(
            log: ManualReplica.Status(log), incarnation: engine.incarnation, port: engine.port,
            connected: connected(), waiting: engine.intake.withLock { $0.count },
            underway: underway.count + refused.count, handed: engine.channel.handed,
            flushes: report.flushes,
            longestFlush: .nanoseconds(Int64(clamping: report.flush_ns_max)),
            recordsWaiting: Int(report.records_waiting), framesSent: report.frames_sent,
            framesReceived: report.frames_received)
    }
}
