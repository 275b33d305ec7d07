import CPaxos
import Testing

/// What a record may say, under a good checksum too: the table of records in WIRE.md.
struct RecordRulesTests {
    private let x = Entry.command("X")
    private let last: UInt64 = 1 << 62 - 1

    private func record(_ kind: paxos_frame_kind) -> Frame {
        let run = Run(ballot: ballot(5), slot: 2, entries: [x])
        let hasBody = kind == PAXOS_RECORD_ENTRIES || kind == PAXOS_RECORD_CHOSEN
        return makeFrame(kind, body: hasBody ? run.bytes : []) {
            ($0.sender, $0.receiver, $0.nonce, $0.other) = (1, 1, 1, ballot(7))
            if kind != PAXOS_RECORD_MARK && kind != PAXOS_RECORD_CHOSEN { $0.ballot = run.ballot }
            if kind != PAXOS_RECORD_MARK && kind != PAXOS_RECORD_PROMISED {
                ($0.slot, $0.count, $0.digest) = (2, 1, run.digest)
            }
        }
    }

    private func status(_ record: Frame) -> paxos_status_t { Journal.restarted().recover(record) }

    private func status(
        _ record: Frame, _ change: (inout paxos_frame_t) -> Void
    ) -> paxos_status_t {
        var fields = paxos_frame_t()
        paxos_frame_read(record.header, &fields)
        change(&fields)
        return status(Frame(header: encode(fields), body: record.body))
    }

    @Test(
        "each rule, broken alone",
        arguments: [
            PAXOS_RECORD_PROMISED, PAXOS_RECORD_ENTRIES, PAXOS_RECORD_BALLOTS, PAXOS_RECORD_CHOSEN,
            PAXOS_RECORD_MARK,
        ].map(\.rawValue))
    func rules_brokenAlone(kind: UInt32) {
        let record = record(paxos_frame_kind(rawValue: kind))
        #expect(status(record) == PAXOS_OK)
        func refuses(_ what: String, _ change: (inout paxos_frame_t) -> Void) {
            #expect(status(record, change) == PAXOS_ERR_WIRE, "\(kind): \(what)")
        }
        for flag in 0..<16 where flag != 6 {
            refuses("flag \(flag)") { $0.flags = 1 << UInt16(flag) }
        }
        #expect(status(record) { $0.flags = UInt16(PAXOS_FLAG_ABSTAINS) } == PAXOS_OK)
        refuses("no lsn") { $0.nonce = 0 }
        refuses("an lsn over the largest") { $0.nonce = last + 1 }
        refuses("more pending than came before") { $0.state = 1 }
        #expect(status(record) { ($0.nonce, $0.state) = (2, 1) } != PAXOS_ERR_RANGE)
        refuses("a ballot, or none") { $0.ballot = $0.ballot == 0 ? ballot(5) : 0 }
        refuses("a slot, or none") { $0.slot = $0.slot == 0 ? 2 : 0 }
        refuses("a count, or none") { $0.count = $0.count == 0 ? 1 : 0 }
        refuses("a body, or none") { $0.body_bytes = $0.body_bytes == 0 ? 32 : 0 }
        refuses("a body over the largest frame") { $0.body_bytes = 32 << 20 }
        for field in ["slot", "watermark", "trim"] {
            refuses("\(field) over the largest") { $0[field] = last + 1 }
        }
        if kind <= PAXOS_RECORD_BALLOTS.rawValue {
            refuses("a ballot over the promise") { $0.other = $0.ballot - 1 }
            #expect(status(record) { $0.other = $0.ballot } == PAXOS_OK)
        }
        for other in [0, 1, 12, 63, 69, 255] as [UInt8] { refuses("kind") { $0.kind = other } }
        for bit in 0..<24 {
            var damaged = record
            damaged.header[4 + bit / 8] ^= 1 << UInt8(bit % 8)
            reseal(&damaged.header, to: 96)
            #expect(status(damaged) == PAXOS_ERR_WIRE, "magic or version, bit \(bit)")
        }
    }
}
