import CPaxos
import Testing

/// The examples of WIRE.md, read from the page: encode gives these bytes, decode these fields.
struct WirePageTests {
    let page: WirePage

    init() throws { page = try WirePage() }

    private var entries: [WirePage.Example] { page.examples.filter { $0.name == "ENTRY" } }
    private var headed: [WirePage.Example] { page.examples.filter { $0.name != "ENTRY" } }

    @Test("every kind of frame, record and entry has an example")
    func everyKind_hasExample() {
        let kinds = Set(headed.map { $0.field("kind") })
        #expect(kinds == Set(1...12).union(64...68))
        #expect(Set(entries.map { $0.field("kind") }) == [0, 1, 2])
        #expect(Set(entries.map(\.value.count)).isSuperset(of: [0, 1, 8, 64]))
        #expect(page.kinds.map(\.number) == Array(1...12))
    }

    @Test("entries: encode gives the page's bytes, decode its fields")
    func entries_matchPage() {
        for example in entries {
            let entry = Entry(
                value: example.value, kind: UInt8(example.field("kind")),
                node: UInt16(example.field("node")),
                incarnation: UInt32(example.field("incarnation")),
                number: example.field("number"))
            #expect(entry.bytes == example.bytes)
            var length: UInt32 = 0
            let status = paxos_entry_verify(
                example.bytes, example.bytes.count, PAXOS_VALUE_BYTES_MAX, &length)
            #expect(status == PAXOS_OK && Int(length) == example.bytes.count)
            #expect(decodeEntry(example.bytes) == entry)
        }
    }

    @Test("headers: encode gives the page's bytes, decode its fields")
    func headers_matchPage() {
        for example in headed {
            let fields = paxos_frame_t(named: example.fields)
            #expect(encode(fields) == Bytes(example.bytes[..<headerBytes]), "\(example.name)")
            var decoded = paxos_frame_t()
            paxos_frame_read(example.bytes, &decoded)
            for name in paxos_frame_t.fieldNames {
                #expect(decoded[name] == example.field(name), "\(example.name) \(name)")
            }
        }
    }

    @Test("the decoder takes every frame of the page, and no record")
    func decoder_takesFramesOnly() {
        for example in headed {
            var decoded = paxos_frame_t()
            let status = paxos_frame_decode(example.bytes, headerBytes, &decoded)
            let isFrame = example.field("kind") <= 12
            #expect(status == (isFrame ? PAXOS_OK : PAXOS_ERR_WIRE), "\(example.name)")
        }
    }

    @Test("bodies: verified, with the header's digest, and the same bytes when encoded again")
    func bodies_matchDigest() {
        for example in headed where example.field("body_bytes") > 0 {
            let body = Bytes(example.bytes[headerBytes...])
            #expect(body.count == Int(example.field("body_bytes")))
            let isForward = example.field("kind") == UInt64(PAXOS_FRAME_FORWARD.rawValue)
            let slot = isForward ? 1 : example.field("slot")
            var digest: UInt64 = 0
            let status = paxos_run_verify(
                body, body.count, slot, UInt32(example.field("count")), 64, &digest)
            #expect(status == PAXOS_OK && digest == example.field("digest"), "\(example.name)")
            #expect(digestOf(body, from: slot) == digest)
            #expect(splitEntries(body).flatMap(\.bytes) == body, "\(example.name)")
        }
    }

    @Test("names and numbers of the page are those of the headers")
    func names_matchHeaders() {
        let names = [
            "PREPARE": PAXOS_FRAME_PREPARE, "PROMISE": PAXOS_FRAME_PROMISE,
            "REJECTED": PAXOS_FRAME_REJECTED, "ACCEPT": PAXOS_FRAME_ACCEPT,
            "ACCEPTED": PAXOS_FRAME_ACCEPTED, "COMMIT": PAXOS_FRAME_COMMIT,
            "HEARTBEAT": PAXOS_FRAME_HEARTBEAT, "HEARTBEAT_REPLY": PAXOS_FRAME_HEARTBEAT_REPLY,
            "LEARN": PAXOS_FRAME_LEARN, "LEARNED": PAXOS_FRAME_LEARNED,
            "FORWARD": PAXOS_FRAME_FORWARD, "REFUSED": PAXOS_FRAME_REFUSED,
            "PROMISED": PAXOS_RECORD_PROMISED, "ENTRIES": PAXOS_RECORD_ENTRIES,
            "BALLOTS": PAXOS_RECORD_BALLOTS, "CHOSEN": PAXOS_RECORD_CHOSEN,
            "MARK": PAXOS_RECORD_MARK,
        ]
        for example in headed {
            #expect(names[example.name]?.rawValue == UInt32(example.field("kind")))
        }
        for kind in page.kinds { #expect(names[kind.name]?.byte == kind.number) }
        #expect(names[page.kinds.last!.name] == PAXOS_FRAME_KIND_MAX)
    }

    @Test("the fingerprint is what the page says")
    func fingerprint_matchesPage() {
        let config = smallConfig {
            $0.q1 = 3
            $0.q2 = 1
            $0.inflight_bytes_max = 999
        }
        var hash = config.cluster
        let agreed: [UInt64] = [
            UInt64(config.group), 3, 1, 0, UInt64(config.pipeline_slots),
            UInt64(config.value_bytes_max), UInt64(config.frame_bytes_max), 999,
            config.election_timeout_ns, 1, 2, 3,
        ]
        for value in agreed {
            hash = (hash ^ value) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 29
        }
        #expect(AcceptorBlock(config).fingerprint == hash)
    }
}

func decodeEntry(_ bytes: Bytes) -> Entry {
    let header = paxos_entry_get(bytes)
    let end = Int(PAXOS_ENTRY_HEADER_BYTES) + Int(header.value_bytes)
    return Entry(
        value: Bytes(bytes[Int(PAXOS_ENTRY_HEADER_BYTES)..<end]), kind: header.kind,
        node: header.node, incarnation: header.incarnation, number: header.number)
}

/// The entries of a verified body.
func splitEntries(_ body: Bytes) -> [Entry] {
    var entries: [Entry] = []
    var offset = 0
    while offset < body.count {
        let length = Int(paxos_entry_bytes(little32(body, offset + 4)))
        entries.append(decodeEntry(Bytes(body[offset..<offset + length])))
        offset += length
    }
    return entries
}
