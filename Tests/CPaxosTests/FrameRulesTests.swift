import CPaxos
import Testing

/// The table of kinds in WIRE.md against the decoder: a field, flag or state that a kind does not
/// use is refused, under a good checksum too; one that it uses is taken.
struct FrameRulesTests {
    let page: WirePage

    init() throws { page = try WirePage() }

    private static let optional = [
        "count", "body", "ballot", "slot", "watermark", "nonce", "digest", "other", "trim",
    ]
    private static let flags: [(String, UInt32)] = [
        ("LAST", PAXOS_FLAG_LAST), ("PAUSE", PAXOS_FLAG_PAUSE), ("VOTED", PAXOS_FLAG_VOTED),
        ("LEADING", PAXOS_FLAG_LEADING), ("QUORUM", PAXOS_FLAG_QUORUM),
        ("MEMORY", PAXOS_FLAG_MEMORY), ("ABSTAINS", PAXOS_FLAG_ABSTAINS),
        ("ROOM", PAXOS_FLAG_ROOM),
    ]

    private func example(_ kind: WirePage.Kind) -> paxos_frame_t {
        let example = page.examples.first { $0.name == kind.name }!
        return paxos_frame_t(named: example.fields)
    }

    private func accepts(_ fields: paxos_frame_t) -> Bool {
        var decoded = paxos_frame_t()
        let bytes = encode(fields)
        return paxos_frame_decode(bytes, bytes.count, &decoded) == PAXOS_OK
    }

    @Test("a field that the kind does not use is refused")
    func unusedField_isRefused() {
        for kind in page.kinds {
            for field in Self.optional where !kind.fields.contains(field) {
                for bit in 0..<(field == "count" || field == "body" ? 32 : 64) as Range<UInt64> {
                    var fields = example(kind)
                    fields[field] = 1 << bit
                    #expect(!accepts(fields), "\(kind.name) with bit \(bit) of \(field)")
                }
            }
            for field in kind.fields {
                #expect(
                    example(kind)[field] != 0 || mayBeZero(kind, field), "\(kind.name) \(field)")
            }
        }
    }

    /// The examples set every field that the kind uses, but for these.
    private func mayBeZero(_ kind: WirePage.Kind, _ field: String) -> Bool {
        kind.name == "REJECTED" && field == "digest"
    }

    @Test("a flag that the kind does not use is refused; the others go alone")
    func unusedFlag_isRefused() {
        for kind in page.kinds {
            for bit in 0..<16 {
                var fields = example(kind)
                let flag = Self.flags.first { $0.1 == 1 << UInt32(bit) }?.0
                let used = flag.map(kind.flags.contains) ?? false
                fields.flags = UInt16(1) << UInt16(bit)
                if kind.name == "HEARTBEAT" && flag != "LEADING" {
                    fields.ballot = 0
                }
                #expect(accepts(fields) == used, "\(kind.name) with flag \(1 << bit)")
            }
        }
    }

    @Test("a state that the kind does not use is refused")
    func unusedState_isRefused() {
        let runs = ["EMPTY", "ACCEPTED", "CHOSEN", "UNKNOWN", "TRIMMED", "", ""]
        let reasons = ["", "STALE", "CONFLICT", "NOT_LEADER", "FULL", "LOST", ""]
        for kind in page.kinds {
            let isPage = kind.name == "PROMISE" || kind.name == "LEARNED"
            for state in Array(0..<7) + (3..<16).map({ 1 << $0 }) {
                var fields = example(kind)
                fields.state = UInt16(state)
                if isPage { fit(&fields) }
                let name = state < 7 ? (isPage ? runs : reasons)[state] : ""
                let used = kind.states.isEmpty ? state == 0 : kind.states.contains(name)
                #expect(accepts(fields) == used, "\(kind.name) in state \(state)")
            }
        }
    }

    /// Make the rest of a page fit its state, so that the state alone decides.
    private func fit(_ fields: inout paxos_frame_t) {
        let full = fields.state == 1 || fields.state == 2
        fields.body_bytes = full ? 56 : 0
        fields.digest = full ? 5 : 0
        let isPromise = fields.kind == PAXOS_FRAME_PROMISE.byte
        fields.other = isPromise && fields.state == 1 ? ballot(3) : 0
    }

    @Test("identity, ranges and ballots: each rule, broken alone")
    func rules_brokenAlone() {
        for kind in page.kinds {
            func refuses(_ what: String, _ change: (inout paxos_frame_t) -> Void) {
                var fields = example(kind)
                change(&fields)
                #expect(!accepts(fields), "\(kind.name): \(what)")
            }
            refuses("kind 0") { $0.kind = 0 }
            refuses("no cluster") { $0.cluster = 0 }
            refuses("no incarnation") { $0.incarnation = 0 }
            refuses("no sender") { $0.sender = 0 }
            refuses("no receiver") { $0.receiver = 0 }
            for field in ["slot", "watermark", "trim"] where kind.fields.contains(field) {
                refuses("\(field) over the largest") { $0[field] = 1 << 62 }
            }
            if kind.fields.contains("body") {
                refuses("a body that is no multiple of 8") { $0.body_bytes += 4 }
                refuses("a body over the largest frame") { $0.body_bytes = 32 << 20 }
            }
            if kind.fields.contains("ballot") && kind.name != "HEARTBEAT_REPLY" {
                refuses("no ballot") { $0.ballot = 0 }
            }
            if kind.fields.contains("ballot")
                && !["HEARTBEAT_REPLY", "REFUSED"].contains(kind.name)
            {
                refuses("a stranger's ballot") { $0.ballot = ballot(5, node: 9) }
            }
            if kind.fields.contains("count") && kind.name != "REJECTED" {
                refuses("a run of none") { $0.count = 0 }
            }
            if kind.fields.contains("slot") { refuses("no slot") { $0.slot = 0 } }
        }
    }

    @Test("magic, version and the kinds of records are refused")
    func prelude_isRefused() {
        var good = encode(example(page.kinds[0]))
        for (at, value) in [(4, 0x51), (5, 0x59), (6, 0), (6, 2), (7, 13), (7, 64), (7, 255)] {
            let kept = good[at]
            good[at] = UInt8(value)
            reseal(&good, to: headerBytes)
            #expect(Frame(header: good).fields == nil, "byte \(at) as \(value)")
            good[at] = kept
        }
        reseal(&good, to: headerBytes)
        #expect(Frame(header: good).fields != nil)
    }
}

/// What kinds say beyond the table.
struct FrameMeaningTests {
    private func accepts(_ kind: paxos_frame_kind, _ change: (inout paxos_frame_t) -> Void) -> Bool
    {
        makeFrame(kind, change: change).fields != nil
    }

    @Test("only the end of a promise covers no slot, and no page both ends and pauses")
    func promise_flags() {
        func page(_ state: paxos_run_state, _ count: UInt32, _ flags: UInt32) -> Bool {
            accepts(PAXOS_FRAME_PROMISE) {
                $0.ballot = ballot(5, node: 1)
                $0.slot = 4
                $0.state = UInt16(state.rawValue)
                $0.count = count
                $0.flags = UInt16(flags)
            }
        }
        #expect(page(PAXOS_RUN_EMPTY, 0, PAXOS_FLAG_LAST))
        #expect(!page(PAXOS_RUN_EMPTY, 0, 0))
        #expect(!page(PAXOS_RUN_EMPTY, 0, PAXOS_FLAG_PAUSE))
        #expect(!page(PAXOS_RUN_TRIMMED, 0, PAXOS_FLAG_LAST))
        #expect(page(PAXOS_RUN_TRIMMED, 3, PAXOS_FLAG_LAST))
        #expect(!page(PAXOS_RUN_TRIMMED, 3, PAXOS_FLAG_LAST | PAXOS_FLAG_PAUSE))
        #expect(!page(PAXOS_RUN_CHOSEN, 3, 0), "chosen, but no entries")
    }

    @Test("a rejection for a higher promise names one; one for a conflict names a run")
    func rejection_names() {
        func rejection(_ reason: paxos_reason, _ other: UInt64, _ count: UInt32) -> Bool {
            accepts(PAXOS_FRAME_REJECTED) {
                $0.ballot = ballot(5, node: 1)
                $0.slot = 4
                $0.state = UInt16(reason.rawValue)
                $0.other = other
                $0.count = count
            }
        }
        #expect(rejection(PAXOS_REASON_STALE, ballot(6), 0))
        #expect(!rejection(PAXOS_REASON_STALE, ballot(5, node: 1), 0))
        #expect(rejection(PAXOS_REASON_CONFLICT, ballot(5, node: 1), 1))
        #expect(!rejection(PAXOS_REASON_CONFLICT, ballot(5, node: 1), 0))
        #expect(!rejection(PAXOS_REASON_NONE, ballot(6), 1))
    }

    @Test("an acknowledgement of nothing names nothing")
    func accepted_ofNothing() {
        func accepted(_ slot: UInt64, _ count: UInt32, _ digest: UInt64) -> Bool {
            accepts(PAXOS_FRAME_ACCEPTED) {
                $0.ballot = ballot(5, node: 1)
                $0.slot = slot
                $0.count = count
                $0.digest = digest
                $0.watermark = 9
            }
        }
        #expect(accepted(0, 0, 0))
        #expect(!accepted(1, 0, 0) && !accepted(0, 1, 0) && !accepted(0, 0, 1))
    }

    @Test("only a leader's heartbeat names a ballot: its own")
    func heartbeat_ofLeader() {
        func heartbeat(_ flags: UInt32, _ ballot: UInt64, _ trim: UInt64) -> Bool {
            accepts(PAXOS_FRAME_HEARTBEAT) {
                $0.flags = UInt16(flags)
                $0.ballot = ballot
                $0.trim = trim
                $0.watermark = 9
            }
        }
        #expect(heartbeat(0, 0, 0) && heartbeat(0, 0, 3))
        #expect(heartbeat(PAXOS_FLAG_LEADING, ballot(5), 3))
        #expect(!heartbeat(0, ballot(5), 0) && !heartbeat(PAXOS_FLAG_LEADING, 0, 0))
        #expect(!heartbeat(PAXOS_FLAG_LEADING, ballot(5, node: 3), 3))
    }
}
