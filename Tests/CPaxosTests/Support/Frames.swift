import CPaxos

/// A frame as bytes: the header's 96 and the entries behind them.
struct Frame: Equatable {
    var header: Bytes
    var body: Bytes = []

    var bytes: Bytes { header + body }

    /// The fields of the header, or nil if the decoder refuses it.
    var fields: paxos_frame_t? {
        var frame = paxos_frame_t()
        return paxos_frame_decode(header, header.count, &frame) == PAXOS_OK ? frame : nil
    }
}

extension paxos_frame_kind {
    var byte: UInt8 { UInt8(rawValue) }
}

let cluster: UInt64 = 0x0C10_57E2
let group: UInt32 = 7
let headerBytes = Int(PAXOS_FRAME_HEADER_BYTES)

/// A frame from node 2 to node 1, with whatever `change` sets on top.
func makeFrame(
    _ kind: paxos_frame_kind, body: Bytes = [], change: (inout paxos_frame_t) -> Void
) -> Frame {
    var fields = paxos_frame_t()
    fields.kind = kind.byte
    fields.cluster = cluster
    fields.group = group
    fields.incarnation = 1
    fields.sender = 2
    fields.receiver = 1
    fields.body_bytes = UInt32(body.count)
    change(&fields)
    return Frame(header: encode(fields), body: body)
}

func encode(_ fields: paxos_frame_t) -> Bytes {
    var header = Bytes(repeating: 0xEE, count: headerBytes)
    withUnsafePointer(to: fields) { paxos_frame_put(&header, $0) }
    return header
}

func ballot(_ round: UInt64, node: UInt16 = 2) -> UInt64 { paxos_ballot(round, node) }

func prepareFrame(
    _ ballot: UInt64, slot: UInt64 = 1, fingerprint: UInt64, sender: UInt16 = 2
) -> Frame {
    makeFrame(PAXOS_FRAME_PREPARE) {
        $0.sender = sender
        $0.ballot = ballot
        $0.slot = slot
        $0.digest = fingerprint
    }
}

func acceptFrame(
    _ run: Run, watermark: UInt64 = 0, trim: UInt64 = 0, flags: UInt32 = 0, sender: UInt16 = 2
) -> Frame {
    makeFrame(PAXOS_FRAME_ACCEPT, body: run.bytes) {
        $0.sender = sender
        $0.flags = UInt16(flags)
        $0.ballot = run.ballot
        $0.slot = run.slot
        $0.count = UInt32(run.entries.count)
        $0.digest = run.digest
        $0.watermark = watermark
        $0.trim = trim
    }
}

func commitFrame(_ ballot: UInt64, upTo watermark: UInt64, sender: UInt16 = 2) -> Frame {
    makeFrame(PAXOS_FRAME_COMMIT) {
        $0.sender = sender
        $0.ballot = ballot
        $0.watermark = watermark
    }
}

func learnFrame(slot: UInt64, count: UInt32) -> Frame {
    makeFrame(PAXOS_FRAME_LEARN) {
        $0.slot = slot
        $0.count = count
    }
}

func learnedFrame(slot: UInt64, _ entries: [Entry]) -> Frame {
    let run = Run(ballot: 0, slot: slot, entries: entries)
    return makeFrame(PAXOS_FRAME_LEARNED, body: run.bytes) {
        $0.state = UInt16(PAXOS_RUN_CHOSEN.rawValue)
        $0.slot = slot
        $0.count = UInt32(entries.count)
        $0.digest = run.digest
        $0.watermark = slot + UInt64(entries.count) - 1
    }
}
