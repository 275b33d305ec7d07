import CPaxos
import PaxosSimulator
import Testing

/// An oracle that cannot fail is none: each invariant is fed what breaks it.
struct OracleTests {
    private let x = Entry("x", node: 1, number: 1)
    private let y = Entry("y", node: 1, number: 2)

    /// Three durable nodes; node 1 proposed x and y.
    private func oracle(isDurable: Bool = true) -> Oracle {
        var oracle = Oracle(members: 3, q2: 2, isDurable: isDurable)
        oracle.proposed(x.header, at: 1)
        oracle.proposed(y.header, at: 1)
        return oracle
    }

    private func expect(
        _ invariant: Invariant, _ oracle: borrowing Oracle,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let found = oracle.violations.map(\.invariant)
        #expect(found.contains(invariant), "\(found)", sourceLocation: sourceLocation)
    }

    private func send(_ packet: Packet, to oracle: inout Oracle) {
        withUnsafePointer(to: packet.fields) { oracle.sent($0, packet.body) }
    }

    private func accept(
        _ round: UInt64, _ slot: UInt64, _ entry: Entry, from: UInt16 = 1, to oracle: inout Oracle
    ) {
        send(.accept(from: from, to: 3, round: round, slot: slot, [entry]), to: &oracle)
    }

    /// A record of a vote reaches the disk.
    private func flush(
        _ node: UInt16, _ ballot: UInt64, _ slot: UInt64, _ entry: Entry, to oracle: inout Oracle
    ) {
        var record = paxos_frame_t()
        record.kind = UInt8(PAXOS_RECORD_ENTRIES.rawValue)
        (record.ballot, record.other, record.slot) = (ballot, ballot, slot)
        (record.count, record.body_bytes) = (1, UInt32(entry.bytes.count))
        oracle.flushed(&record, entry.bytes, on: node)
    }

    private func accepted(
        _ node: UInt16, _ ballot: UInt64, _ slot: UInt64, _ entry: Entry, to oracle: inout Oracle
    ) {
        let packet = Packet(PAXOS_FRAME_ACCEPTED, from: node, to: 1) {
            ($0.ballot, $0.slot, $0.count) = (ballot, slot, 1)
            $0.digest = runDigest([entry], from: slot)
        }
        send(packet, to: &oracle)
    }

    /// x is chosen in slot 1 under ballot 1.1.
    private func chosen() -> Oracle {
        var oracle = oracle()
        accept(1, 1, x, to: &oracle)
        for node in 1...2 as ClosedRange<UInt16> {
            flush(node, paxos_ballot(1, 1), 1, x, to: &oracle)
        }
        #expect(oracle.violations.isEmpty && oracle.chosenTo == 1)
        return oracle
    }

    @Test("a run as it should be breaks nothing")
    func good() {
        var oracle = chosen()
        accepted(2, paxos_ballot(1, 1), 1, x, to: &oracle)
        for node in 1...3 as ClosedRange<UInt16> { oracle.delivered(x.header, in: 1, at: node) }
        oracle.refused(2, at: 1, incarnation: 1)
        oracle.requireOutcomes(of: 1, incarnation: 1)
        #expect(oracle.violations.isEmpty)
    }

    @Test("one value a slot")
    func oneValue() {
        var oracle = chosen()
        oracle.delivered(y.header, in: 1, at: 2)
        expect(.oneValue, oracle)
    }

    @Test("one value a ballot and slot; votes are for its bytes")
    func oneProposal() {
        var oracle = oracle()
        accept(1, 1, x, to: &oracle)
        accept(1, 1, y, to: &oracle)
        expect(.oneProposal, oracle)
        var other = chosen()
        accepted(2, paxos_ballot(1, 1), 1, y, to: &other)
        expect(.oneProposal, other)
    }

    @Test("a higher ballot carries what is chosen, whichever is seen first")
    func carried() {
        var oracle = chosen()
        accept(2, 1, y, from: 2, to: &oracle)
        expect(.carried, oracle)
        var late = self.oracle()
        accept(2, 1, y, from: 2, to: &late)
        accept(1, 1, x, to: &late)
        for node in 1...2 as ClosedRange<UInt16> {
            flush(node, paxos_ballot(1, 1), 1, x, to: &late)
        }
        expect(.carried, late)
    }

    @Test("only what was proposed, with its very bytes")
    func proposed() {
        var oracle = oracle()
        accept(1, 1, Entry("x", node: 1, number: 9), to: &oracle)
        expect(.proposed, oracle)
        var changed = self.oracle()
        accept(1, 1, Entry("z", node: 1, number: 1), to: &changed)
        expect(.proposed, changed)
    }

    @Test("decided is what a quorum accepted: deliveries and watermarks")
    func onlyChosen() {
        var oracle = oracle()
        accept(1, 1, x, to: &oracle)
        flush(1, paxos_ballot(1, 1), 1, x, to: &oracle)
        oracle.delivered(x.header, in: 1, at: 1)
        expect(.chosen, oracle)
        var marked = chosen()
        send(Packet(PAXOS_FRAME_COMMIT, from: 1, to: 2) { $0.watermark = 2 }, to: &marked)
        expect(.chosen, marked)
    }

    @Test("deliveries are without holes")
    func order() {
        var oracle = chosen()
        oracle.delivered(x.header, in: 2, at: 2)
        expect(.order, oracle)
    }

    @Test("promises never decrease: in a life, and over lives by what left the node")
    func promise() {
        var oracle = oracle()
        oracle.saw(promise: 5, of: 2)
        oracle.saw(promise: 4, of: 2)
        expect(.promise, oracle)
        var told = chosen()
        accepted(2, paxos_ballot(1, 1), 1, x, to: &told)
        told.restarted(2, incarnation: 2, applied: 0)
        let heartbeat = Packet(PAXOS_FRAME_HEARTBEAT, from: 2, to: 1) { $0.other = 5 }
        send(heartbeat, to: &told)
        expect(.promise, told)
    }

    @Test("a vote that was sent is told in every later promise")
    func vote() {
        var oracle = chosen()
        accepted(2, paxos_ballot(1, 1), 1, x, to: &oracle)
        oracle.restarted(2, incarnation: 2, applied: 0)
        send(.promise(from: 2, to: 3, ballot: paxos_ballot(2, 3), slot: 1), to: &oracle)
        expect(.vote, oracle)
    }

    @Test("a node that lost its disk votes no more")
    func wrecked() {
        var oracle = chosen()
        oracle.wrecked(2, isLost: true, abstains: true)
        oracle.wrecked(2, isLost: false, abstains: false)
        accepted(2, paxos_ballot(1, 1), 1, x, to: &oracle)
        expect(.vote, oracle)
    }

    @Test("a ballot is its node's own, and of one life")
    func ballot() {
        var oracle = oracle()
        accept(3, 1, x, to: &oracle)
        accept(2, 1, y, to: &oracle)
        expect(.ballot, oracle)
        var reused = self.oracle()
        for life in 1...2 as ClosedRange<UInt32> {
            let prepare = Packet(PAXOS_FRAME_PREPARE, from: 1, to: 2) {
                ($0.ballot, $0.incarnation) = (paxos_ballot(3, 1), life)
            }
            send(prepare, to: &reused)
        }
        expect(.ballot, reused)
    }

    @Test("nothing leaves before it is durable")
    func durable() {
        var oracle = oracle()
        accept(1, 1, x, to: &oracle)
        accepted(2, paxos_ballot(1, 1), 1, x, to: &oracle)
        expect(.durable, oracle)
        var prepare = self.oracle()
        send(.prepare(from: 1, to: 2, round: 1, fingerprint: 0), to: &prepare)
        expect(.durable, prepare)
    }

    @Test("refused is not decided: before and after")
    func refused() {
        var oracle = chosen()
        oracle.delivered(x.header, in: 1, at: 1)
        oracle.refused(1, at: 1, incarnation: 1)
        expect(.refused, oracle)
        var later = chosen()
        later.refused(1, at: 1, incarnation: 1)
        later.delivered(x.header, in: 1, at: 1)
        expect(.refused, later)
        var never = self.oracle()
        never.refused(7, at: 1, incarnation: 1)
        expect(.refused, never)
    }

    @Test("decided once; an outcome for each; numbers count up")
    func outcomes() {
        var oracle = chosen()
        accept(1, 2, x, to: &oracle)
        for node in 1...2 as ClosedRange<UInt16> {
            flush(node, paxos_ballot(1, 1), 2, x, to: &oracle)
        }
        oracle.delivered(x.header, in: 1, at: 1)
        oracle.delivered(x.header, in: 2, at: 1)
        expect(.once, oracle)
        var silent = chosen()
        silent.requireOutcomes(of: 1, incarnation: 1)
        expect(.outcome, silent)
        var again = self.oracle()
        again.proposed(x.header, at: 1)
        expect(.conduct, again)
    }
}
