import CPaxos

/// What must hold in every single step of a node, whatever the others do.
struct StepRules {
    private let scratch: Scratch
    private let disks: DiskTable
    private let disk: UInt32

    /// - Parameter disk: what is durable after the step.
    init(_ scratch: Scratch, _ disks: DiskTable, _ disk: UInt32) {
        self.scratch = scratch
        self.disks = disks
        self.disk = disk
    }

    /// What was broken; empty: nothing.
    func broken(
        _ event: NodeEvent, status: paxos_status_t, promisedBefore: UInt64, diskBefore: UInt32,
        effects: Scratch.Effects
    ) -> String {
        let node = scratch.acceptor.pointee.node
        switch status {
        case PAXOS_OK, PAXOS_ERR_STALE, PAXOS_ERR_BUSY: break
        case PAXOS_ERR_CONFLICT: return "node \(node) holds another value under that very ballot"
        default: return "node \(node) refused what a correct node sent: status \(status.rawValue)"
        }
        let promised = scratch.acceptor.pointee.promised
        if promised < promisedBefore {
            return
                "node \(node) lowered its promise from \(name(promisedBefore)) to \(name(promised))"
        }
        if event == .campaign && status == PAXOS_OK && promised <= promisedBefore {
            return "node \(node) campaigns, and not above its promise of \(name(promisedBefore))"
        }
        if disks[disk].promised < disks[diskBefore].promised {
            return "node \(node) lowered its durable promise"
        }
        for frame in effects.frames {
            let words = broken(by: frame)
            if !words.isEmpty { return "node \(node): " + words }
        }
        return ""
    }

    /// What a frame says must be so already, and durably.
    private func broken(by frame: Packet) -> String {
        let fields = frame.fields
        switch frame.kind {
        case PAXOS_FRAME_PREPARE.rawValue, PAXOS_FRAME_PROMISE.rawValue:
            return disks[disk].promised >= fields.ballot
                ? "" : "\(frame.title) left before the promise was durable"
        case PAXOS_FRAME_ACCEPTED.rawValue:
            let votes = disks.votes.votes(in: disks[disk].votes)
            for index in 0..<Int(fields.count) {
                let slot = Int(fields.slot) + index
                let isDurable = votes.contains { $0.slot == slot && $0.ballot == fields.ballot }
                if !isDurable { return "\(frame.title) left before the vote was durable" }
            }
            return ""
        case PAXOS_FRAME_ACCEPT.rawValue: return brokenAccept(frame)
        case PAXOS_FRAME_REJECTED.rawValue:
            let isStale = fields.state == UInt16(PAXOS_REASON_STALE.rawValue)
            return !isStale || fields.other > fields.ballot
                ? "" : "\(frame.title), though it promised nothing higher"
        default: return ""
        }
    }

    private func brokenAccept(_ frame: Packet) -> String {
        for (index, entry) in frame.entries.enumerated() {
            let slot = frame.fields.slot + UInt64(index)
            let header = entry.header
            let value = [
                UInt8(truncatingIfNeeded: header.node), UInt8(truncatingIfNeeded: header.number),
            ]
            if !entry.isNoop && entry.value != value {
                return "\(frame.title) brings a value that nobody proposed"
            }
            let cell = paxos_cell(scratch.acceptor, slot).pointee
            let own = entry.bytes.withUnsafeBufferPointer { EntryWords($0.baseAddress!) }
            if cell.slot != slot || cell.ballot != frame.fields.ballot
                || EntryWords(paxos_arena(scratch.acceptor, cell.position)) != own
            {
                return "\(frame.title) brings what its sender itself did not vote for"
            }
        }
        return ""
    }

    /// What a node that came back does not know, though its disk holds it; empty: nothing.
    static func forgotten(
        by replica: UnsafeMutablePointer<paxos_replica_t>, _ disk: DiskTable.Disk
    ) -> String {
        let a = UnsafeMutableRawPointer(replica).assumingMemoryBound(to: paxos_acceptor_t.self)
        if a.pointee.promised < disk.promised {
            return "node \(a.pointee.node) came back without its promise of "
                + ballotName(disk.promised)
        }
        for (index, held) in disk.held.enumerated() where held.ballot != 0 {
            let cell = paxos_cell(a, UInt64(index + 1)).pointee
            if cell.slot != UInt64(index + 1) || cell.ballot != held.ballot
                || EntryWords(paxos_arena(a, cell.position)) != held.entry
            {
                return "node \(a.pointee.node) came back without its vote in slot \(index + 1)"
            }
        }
        return ""
    }

    private func name(_ ballot: UInt64) -> String { ballotName(ballot) }
}

/// A ballot as people write it: round and node.
func ballotName(_ ballot: UInt64) -> String {
    "\(paxos_ballot_round(ballot)).\(paxos_ballot_node(ballot))"
}
