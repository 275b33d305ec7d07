import CPaxos

/// A frame on its way: the bytes of header and body, and the header's fields as they were read.
package struct Packet: CustomStringConvertible {
    package var header: Bytes
    package var body: Bytes
    package let fields: paxos_frame_t
    /// When it arrives, where time decides.
    package var due: UInt64 = 0

    package init(header: Bytes, body: Bytes) {
        self.header = header
        self.body = body
        var fields = paxos_frame_t()
        paxos_frame_read(header, &fields)
        self.fields = fields
    }

    /// A frame made by hand, from node `from` to node `to`.
    package init(
        _ kind: paxos_frame_kind, from: UInt16, to: UInt16, entries: [Entry] = [],
        _ change: (inout paxos_frame_t) -> Void
    ) {
        let body = entries.flatMap(\.bytes)
        var fields = paxos_frame_t()
        fields.kind = UInt8(kind.rawValue)
        fields.cluster = testCluster
        fields.group = testGroup
        fields.incarnation = 1
        fields.sender = from
        fields.receiver = to
        fields.count = UInt32(entries.count)
        fields.body_bytes = UInt32(body.count)
        change(&fields)
        var header = Bytes(repeating: 0, count: Int(PAXOS_FRAME_HEADER_BYTES))
        withUnsafePointer(to: fields) { paxos_frame_put(&header, $0) }
        self.init(header: header, body: body)
    }

    package var kind: UInt32 { UInt32(fields.kind) }
    package var from: UInt16 { fields.sender }
    package var to: UInt16 { fields.receiver }
    package var round: UInt64 { paxos_ballot_round(fields.ballot) }
    package var entries: [Entry] {
        body.isEmpty ? [] : Entry.split(body, count: Int(fields.count))
    }
    package func isKind(_ kind: paxos_frame_kind) -> Bool { self.kind == kind.rawValue }
    package func has(_ flag: UInt32) -> Bool { UInt32(fields.flags) & flag != 0 }

    package var description: String {
        let names = [
            "?", "PREPARE", "PROMISE", "REJECTED", "ACCEPT", "ACCEPTED", "COMMIT", "HEARTBEAT",
            "HEARTBEAT_REPLY", "LEARN", "LEARNED", "FORWARD", "REFUSED",
        ]
        let name = Int(kind) < names.count ? names[Int(kind)] : "\(kind)"
        return "\(name) \(from)->\(to) ballot \(round).\(fields.ballot & 0xFFFF) "
            + "slot \(fields.slot)+\(fields.count) state \(fields.state) flags \(fields.flags) "
            + "watermark \(fields.watermark) nonce \(fields.nonce)"
    }
}

extension Packet {
    package static func accept(
        from: UInt16, to: UInt16, round: UInt64, slot: UInt64, _ entries: [Entry],
        watermark: UInt64 = 0
    ) -> Packet {
        Packet(PAXOS_FRAME_ACCEPT, from: from, to: to, entries: entries) {
            $0.ballot = paxos_ballot(round, from)
            $0.slot = slot
            $0.digest = runDigest(entries, from: slot)
            $0.watermark = watermark
        }
    }

    package static func prepare(
        from: UInt16, to: UInt16, round: UInt64, slot: UInt64 = 1, fingerprint: UInt64
    ) -> Packet {
        Packet(PAXOS_FRAME_PREPARE, from: from, to: to) {
            $0.ballot = paxos_ballot(round, from)
            $0.slot = slot
            $0.digest = fingerprint
        }
    }

    /// A page of a promise for the candidate `to`.
    package static func promise(
        from: UInt16, to: UInt16, ballot: UInt64, slot: UInt64,
        state: paxos_run_state = PAXOS_RUN_EMPTY, accepted: UInt64 = 0, count: UInt32 = 0,
        _ entries: [Entry] = [], flags: UInt32 = PAXOS_FLAG_LAST, watermark: UInt64 = 0,
        trim: UInt64 = 0
    ) -> Packet {
        Packet(PAXOS_FRAME_PROMISE, from: from, to: to, entries: entries) {
            $0.ballot = ballot
            $0.slot = slot
            $0.state = UInt16(state.rawValue)
            $0.other = accepted
            $0.flags = UInt16(flags)
            $0.digest = runDigest(entries, from: slot)
            $0.watermark = watermark
            $0.trim = trim
            if entries.isEmpty { $0.count = count }
        }
    }

    package static func heartbeatReply(
        from: UInt16, to: UInt16, nonce: UInt64, promised: UInt64 = 0, following: UInt64 = 0,
        watermark: UInt64 = 0, fingerprint: UInt64, memoryOnly: Bool = false
    ) -> Packet {
        Packet(PAXOS_FRAME_HEARTBEAT_REPLY, from: from, to: to) {
            $0.nonce = nonce
            $0.other = promised
            $0.ballot = following
            $0.watermark = watermark
            $0.digest = fingerprint
            $0.flags = UInt16(memoryOnly ? PAXOS_FLAG_MEMORY : 0)
        }
    }
}
