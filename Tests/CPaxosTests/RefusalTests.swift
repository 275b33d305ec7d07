import CPaxos
import Testing

/// Frames whose checksums are right and whose meaning is not: refused, and nothing but a counter
/// changes.
struct RefusalTests {
    let block = AcceptorBlock()
    let run = Run(ballot: ballot(5), slot: 3, entries: FrameCatalogue.entries)

    /// An ACCEPT of the sender was voted for, so that its next one takes the short way, as far as it
    /// comes.
    init() {
        let first = Run(ballot: ballot(5), slot: 1, entries: [Entry.noop])
        #expect(block.receive(acceptFrame(first)) == PAXOS_OK)
        #expect(block.acceptor.pointee.usual_nodes != 0)
        _ = block.settle()
    }

    private func expectRefused(
        _ frame: Frame, _ status: paxos_status_t, _ what: String,
        location: SourceLocation = #_sourceLocation
    ) {
        let before = block.imageWithoutCounters
        let counted = block.status
        #expect(block.receive(frame) == status, "\(what)", sourceLocation: location)
        #expect(block.imageWithoutCounters == before, "\(what)", sourceLocation: location)
        let malformed = block.status.frames_malformed - counted.frames_malformed
        let foreign = block.status.frames_foreign - counted.frames_foreign
        #expect(malformed == (status == PAXOS_ERR_WIRE ? 1 : 0), sourceLocation: location)
        #expect(foreign == (status == PAXOS_ERR_FOREIGN ? 1 : 0), sourceLocation: location)
    }

    /// The frame with some of its fields changed, under a good checksum.
    private func altered(_ frame: Frame, _ change: (inout paxos_frame_t) -> Void) -> Frame {
        var fields = frame.fields!
        change(&fields)
        return Frame(header: encode(fields), body: frame.body)
    }

    @Test("of another cluster, group, receiver or sender: foreign", arguments: 1...12)
    func foreign(kind: Int) {
        let frame = FrameCatalogue.all(fingerprint: block.fingerprint)[kind - 1]
        expectRefused(altered(frame) { $0.cluster += 1 }, PAXOS_ERR_FOREIGN, "cluster")
        expectRefused(altered(frame) { $0.group += 1 }, PAXOS_ERR_FOREIGN, "group")
        expectRefused(
            altered(frame) { move(&$0, from: 1, to: 4, \.receiver) }, PAXOS_ERR_FOREIGN,
            "receiver")
        expectRefused(
            altered(frame) { move(&$0, from: 2, to: 4, \.sender) }, PAXOS_ERR_FOREIGN, "stranger")
        expectRefused(
            altered(frame) { move(&$0, from: 2, to: 1, \.sender) }, PAXOS_ERR_FOREIGN, "itself")
    }

    @Test("one entry and more behind it: malformed, though the digest is that of the one")
    func oneEntryAndMore() {
        for slot in [2, 3] as [UInt64] {
            let one = acceptFrame(Run(ballot: ballot(5), slot: slot, entries: [run.entries[0]]))
            let body = one.body + run.entries[1].bytes
            var fields = one.fields!
            fields.body_bytes = UInt32(body.count)
            let frame = Frame(header: encode(fields), body: body)
            expectRefused(frame, PAXOS_ERR_WIRE, "slot \(slot)")
            #expect(block.receive(one) == PAXOS_OK)
        }
    }

    @Test("of another configuration: foreign, whatever tells it", arguments: [1, 7, 8])
    func otherFingerprint(kind: Int) {
        let frame = FrameCatalogue.all(fingerprint: block.fingerprint)[kind - 1]
        let other = altered(frame) { $0.digest ^= 1 }
        expectRefused(other, PAXOS_ERR_FOREIGN, "kind \(kind)")
        let fresh = AcceptorBlock()
        let before = fresh.imageWithoutCounters
        #expect(fresh.receive(other) == PAXOS_ERR_FOREIGN)
        #expect(fresh.imageWithoutCounters == before, "its incarnation was noted")
        #expect(fresh.receive(frame) == PAXOS_OK)
    }

    /// Another node in a field and as the ballot's owner, so that the frame stays well-formed.
    private func move(
        _ fields: inout paxos_frame_t, from: UInt16, to: UInt16,
        _ path: WritableKeyPath<paxos_frame_t, UInt16>
    ) {
        fields[keyPath: path] = to
        if paxos_ballot_node(fields.ballot) == from {
            fields.ballot = paxos_ballot(paxos_ballot_round(fields.ballot), to)
        }
    }

    @Test("a ballot that is not the sender's own is malformed")
    func strangersBallot() {
        let accept = acceptFrame(run)
        for other in [0, ballot(6, node: 1), ballot(6, node: 3), ballot(6, node: 0)] {
            expectRefused(altered(accept) { $0.ballot = other }, PAXOS_ERR_WIRE, "ACCEPT")
            let prepare = prepareFrame(other, fingerprint: block.fingerprint)
            expectRefused(prepare, PAXOS_ERR_WIRE, "PREPARE")
            expectRefused(commitFrame(other, upTo: 1), PAXOS_ERR_WIRE, "COMMIT")
        }
    }

    @Test("a body over the agreed frame size is foreign")
    func oversizeBody() {
        let value = Bytes(repeating: 1, count: 64)
        let entries = (0..<5).map { Entry(value: value, number: $0) }
        let large = Run(ballot: ballot(5), slot: 2, entries: entries)
        #expect(large.bytes.count == 440)
        expectRefused(acceptFrame(large), PAXOS_ERR_FOREIGN, "440 bytes")
        let fits = Run(ballot: ballot(5), slot: 2, entries: Array(entries[..<4]))
        #expect(fits.bytes.count == 352, "with the header, the agreed size exactly")
        #expect(block.receive(acceptFrame(fits)) == PAXOS_OK)
    }

    @Test("count and body that do not fit each other are malformed")
    func countAndBody() {
        let accept = acceptFrame(run)
        for count in [1, 2, 4, .max] as [UInt32] {
            expectRefused(altered(accept) { $0.count = count }, PAXOS_ERR_WIRE, "count \(count)")
        }
        let shorter = Frame(header: accept.header, body: Bytes(accept.body.dropLast(8)))
        expectRefused(shorter, PAXOS_ERR_WIRE, "a body shorter than said")
        expectRefused(
            Frame(
                header: encode(fieldsOf(accept, bodyBytes: shorter.body.count)),
                body: shorter.body),
            PAXOS_ERR_WIRE, "a body that ends within an entry")
        let longer = accept.body + Bytes(repeating: 0, count: 8)
        expectRefused(
            Frame(header: encode(fieldsOf(accept, bodyBytes: longer.count)), body: longer),
            PAXOS_ERR_WIRE, "a body that goes on after its entries")
    }

    private func fieldsOf(_ frame: Frame, bodyBytes: Int) -> paxos_frame_t {
        var fields = frame.fields!
        fields.body_bytes = UInt32(bodyBytes)
        return fields
    }

    @Test("a digest that is not that of the entries in their slots is malformed")
    func digest() {
        let accept = acceptFrame(run)
        expectRefused(altered(accept) { $0.digest += 1 }, PAXOS_ERR_WIRE, "digest")
        expectRefused(altered(accept) { $0.slot += 1 }, PAXOS_ERR_WIRE, "other slots")
        var swapped = run
        swapped.entries.swapAt(0, 1)
        expectRefused(
            Frame(header: accept.header, body: swapped.bytes), PAXOS_ERR_WIRE, "swapped entries")
    }

    /// An ACCEPT of one entry whose bytes were damaged and sealed again.
    private func sealed(_ entry: Entry, _ damage: (inout Bytes) -> Void) -> Frame {
        var body = entry.bytes
        damage(&body)
        reseal(&body, to: body.count)
        return makeFrame(PAXOS_FRAME_ACCEPT, body: body) {
            $0.ballot = ballot(5)
            $0.slot = 1
            $0.count = 1
            $0.digest = paxos_digest_term(1, little32(body, 0))
        }
    }

    @Test("an entry that no encoder writes is malformed, whatever its checksum")
    func entries() {
        let entry = Entry.command("12345")
        #expect(AcceptorBlock().receive(sealed(entry) { _ in }) == PAXOS_OK)
        for at in 29..<32 {
            expectRefused(sealed(entry) { $0[at] = 1 }, PAXOS_ERR_WIRE, "padding byte \(at)")
        }
        expectRefused(sealed(entry) { $0[10] = 3 }, PAXOS_ERR_WIRE, "kind 3")
        expectRefused(sealed(entry) { $0[11] = 1 }, PAXOS_ERR_WIRE, "the byte that is zero")
        expectRefused(sealed(entry) { $0[10] = 0 }, PAXOS_ERR_WIRE, "a no-op with a value")
        expectRefused(sealed(entry) { $0[4] = 9 }, PAXOS_ERR_WIRE, "longer than the body")
        expectRefused(sealed(entry) { $0[4] = 0 }, PAXOS_ERR_WIRE, "shorter than the body")
        expectRefused(sealed(entry) { $0[7] = 0xFF }, PAXOS_ERR_WIRE, "over every limit")
        let membership = Entry(value: [1], kind: UInt8(PAXOS_ENTRY_MEMBERSHIP.rawValue))
        #expect(AcceptorBlock().receive(sealed(membership) { _ in }) == PAXOS_OK)
    }

    @Test("a forward of entries that are not its sender's is malformed, and nobody was heard")
    func forwardOfOthers() {
        let own = Entry(value: [1], node: 2, number: 5)
        let others = [
            Entry(value: [1], node: 3, number: 6),
            Entry(value: [1], node: 2, incarnation: 2, number: 6),
            Entry(value: [], kind: UInt8(PAXOS_ENTRY_NOOP.rawValue), node: 2, number: 6),
            Entry(value: [1], kind: UInt8(PAXOS_ENTRY_MEMBERSHIP.rawValue), node: 2, number: 6),
        ]
        for other in others {
            for entries in [[own, other], [other, own]] {
                let run = Run(ballot: ballot(5, node: 1), slot: 1, entries: entries)
                let forward = makeFrame(PAXOS_FRAME_FORWARD, body: run.bytes) {
                    $0.count = 2
                    $0.ballot = run.ballot
                    $0.digest = run.digest
                }
                expectRefused(forward, PAXOS_ERR_WIRE, "\(other)")
                let fresh = AcceptorBlock()
                let before = fresh.imageWithoutCounters
                #expect(fresh.receive(forward) == PAXOS_ERR_WIRE)
                #expect(fresh.imageWithoutCounters == before, "its incarnation was noted")
            }
        }
        #expect(block.receive(FrameCatalogue.forward) == PAXOS_OK)
    }

    @Test("an entry alone: too short for a header, for its value, and its length when it is good")
    func entryVerify() {
        let bytes = Entry.command("12345").bytes
        var length: UInt32 = 77
        for count in 0..<bytes.count {
            #expect(paxos_entry_verify(bytes, count, 64, &length) == PAXOS_ERR_WIRE)
        }
        #expect(length == 77, "a refusal sets nothing")
        #expect(paxos_entry_verify(bytes, bytes.count, 4, &length) == PAXOS_ERR_WIRE)
        #expect(paxos_entry_verify(bytes, bytes.count, 5, &length) == PAXOS_OK)
        #expect(length == 32)
        #expect(paxos_entry_verify(bytes + bytes, 64, 5, &length) == PAXOS_OK)
        #expect(length == 32, "what comes after is not its business")
    }
}
