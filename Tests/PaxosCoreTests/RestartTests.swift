import CPaxos
import PaxosCore
import PaxosSimulator
import Testing

/// One replica by itself, its journal, and the frames that it sends; peers are played by the test.
private final class Restarted {
    private(set) var node: Node
    private(set) var records: [Packet] = []
    private(set) var delivered: [Entry] = []
    var now = second

    init(incarnation: UInt32 = 1) { node = Self.make(incarnation, now) }

    private static func make(_ incarnation: UInt32, _ now: UInt64) -> Node {
        var config = testConfig()
        config.incarnation = incarnation
        return Node(config, now: now)
    }

    /// The frames that come out; what is written is durable at once.
    func settle() -> [Packet] {
        var sent: [Packet] = []
        while let effect = node.poll() {
            let header = withUnsafeBytes(of: effect.header) { Bytes($0) }
            let body = node.bytes(at: effect.body_offset, count: effect.body_bytes)
            switch effect.kind {
            case PAXOS_EFFECT_WRITE.rawValue:
                records.append(Packet(header: header, body: body))
                _ = node.flushed(effect.lsn, now: now)
            case PAXOS_EFFECT_SEND.rawValue:
                sent.append(Packet(header: header, body: body))
                _ = node.sent(effect.token)
            case PAXOS_EFFECT_DELIVER.rawValue:
                delivered += Entry.split(body, count: Int(effect.count))
            default: break
            }
        }
        return sent
    }

    @discardableResult
    func take(_ packet: Packet) -> [Packet] {
        _ = node.receive(packet, now: now)
        return settle()
    }

    func damage(_ record: Int) {
        var body = records[record].body
        body[body.count - 1] ^= 1
        records[record] = Packet(header: records[record].header, body: body)
    }

    func loseLastRecord() { records.removeLast() }

    @discardableResult
    func restart(applied: UInt64 = 0, acknowledged: UInt64 = 0) -> [paxos_status_t] {
        node = Self.make(node.config.incarnation + 1, now)
        delivered = []
        let statuses = records.map { record in
            paxos_replica_recover(
                node.replica, record.header, record.header.count, record.body, record.body.count)
        }
        #expect(paxos_replica_recovered(node.replica, now, applied, acknowledged) == PAXOS_OK)
        return statuses
    }

    func tickUntil(_ end: UInt64) -> [Packet] {
        var sent: [Packet] = []
        while node.deadline <= end {
            now = max(now, node.deadline)
            node.tick(now: now)
            sent += settle()
        }
        now = end
        return sent
    }
}

/// A replica after a restart: what it says, what it delivers, when it leads.
struct RestartTests {
    private let one = Restarted()
    let x = Entry("x", node: 2, number: 1)
    let y = Entry("y", node: 2, number: 2)

    /// The node wins an election, with the promise of node 2.
    private func lead() {
        #expect(one.node.campaign(now: one.now) == PAXOS_OK)
        let prepare = one.settle().first { $0.isKind(PAXOS_FRAME_PREPARE) }!.fields
        one.take(.promise(from: 2, to: 1, ballot: prepare.ballot, slot: prepare.slot))
        #expect(one.node.isLeader)
    }

    /// A value is chosen with the vote of `peer`.
    private func choose(with peer: UInt16) throws {
        #expect(one.node.propose(Bytes("v".utf8), now: one.now).status == PAXOS_OK)
        let accept = try #require(one.settle().first { $0.isKind(PAXOS_FRAME_ACCEPT) }).fields
        one.take(
            Packet(PAXOS_FRAME_ACCEPTED, from: peer, to: 1) {
                $0.ballot = accept.ballot
                $0.slot = accept.slot
                $0.count = accept.count
                $0.digest = accept.digest
            })
        #expect(one.node.status.decided == accept.slot)
    }

    /// A peer answers the round of heartbeats that is under way.
    private func answer(
        from peer: UInt16, decided: UInt64, applied: UInt64 = 0, abstains: Bool = false
    ) {
        one.take(
            Packet(PAXOS_FRAME_HEARTBEAT_REPLY, from: peer, to: 1) {
                $0.nonce = one.node.replica.pointee.round
                $0.digest = one.node.fingerprint
                $0.watermark = decided
                $0.trim = applied
                $0.flags = abstains ? UInt16(PAXOS_FLAG_ABSTAINS) : 0
            })
    }

    @Test("deliveries go on behind what the state machine applied, once they are decided again")
    func deliversBehindApplied() {
        one.take(.accept(from: 2, to: 1, round: 5, slot: 1, [x, y]))
        one.take(.accept(from: 2, to: 1, round: 5, slot: 3, [x], watermark: 2))
        #expect(one.delivered == [x, y])
        one.take(.accept(from: 2, to: 1, round: 5, slot: 4, [x], watermark: 2))
        #expect(one.node.trim(1) == PAXOS_OK)
        one.restart(applied: 1)
        _ = one.settle()
        #expect(one.delivered == [y], "slot 2 is covered by the mark of a record")
        one.take(.accept(from: 2, to: 1, round: 5, slot: 5, [y], watermark: 5))
        #expect(one.delivered == [y, x, x, y])
    }

    @Test("a commit mark of another ballot is not taken for what was accepted (row 15)")
    func otherBallotsMark() {
        one.take(.accept(from: 2, to: 1, round: 5, slot: 1, [x]))
        one.restart()
        let sent = one.take(
            Packet(PAXOS_FRAME_COMMIT, from: 3, to: 1) {
                $0.ballot = paxos_ballot(6, 3)
                $0.watermark = 1
            })
        #expect(one.delivered.isEmpty && one.node.acceptor.decided == 0)
        #expect(sent.contains { $0.isKind(PAXOS_FRAME_LEARN) && $0.fields.slot == 1 })
    }

    @Test("a candidate does not vouch for slots whose record was damaged (row 9)")
    func candidateWithDamage() throws {
        one.take(.accept(from: 2, to: 1, round: 5, slot: 1, [x]))
        one.take(.accept(from: 2, to: 1, round: 5, slot: 2, [y]))
        one.damage(1)
        #expect(one.restart(acknowledged: 2) == [PAXOS_OK, PAXOS_ERR_WIRE])
        #expect(one.node.campaign(now: one.now) == PAXOS_OK)
        let prepare = try #require(one.settle().first { $0.isKind(PAXOS_FRAME_PREPARE) })
        let ballot = prepare.fields.ballot
        #expect(paxos_ballot_round(ballot) == 6)
        one.take(.promise(from: 3, to: 1, ballot: ballot, slot: 1))
        #expect(one.node.isCandidate, "only node 3 knows slot 2 to be empty")
        one.take(
            .promise(
                from: 2, to: 1, ballot: ballot, slot: 1, state: PAXOS_RUN_ACCEPTED,
                accepted: paxos_ballot(5, 2), [x, y]))
        #expect(one.node.isLeader && one.node.look(2).value == y.value)
        #expect(one.node.look(1).value == x.value)
    }

    @Test("proposals of the new life have another origin than those of the old one (row 40)")
    func originsDiffer() {
        for _ in 0..<2 {
            #expect(one.node.campaign(now: one.now) == PAXOS_OK)
            let ballot = one.node.replica.pointee.ballot
            _ = one.settle()
            one.take(.promise(from: 2, to: 1, ballot: ballot, slot: 1))
            #expect(one.node.propose(Bytes("same".utf8), now: one.now) == (PAXOS_OK, 1))
            _ = one.settle()
            one.restart()
        }
        let origins = one.records.filter { $0.isKind(PAXOS_RECORD_ENTRIES) }
            .flatMap(\.entries).map { $0.header.incarnation }
        #expect(Set(origins) == [1, 2])
    }

    @Test("a ballot is never used twice, over any number of restarts (row 5)")
    func ballotsAreUnique() {
        var used: [UInt64] = []
        for _ in 0..<5 {
            #expect(one.node.campaign(now: one.now) == PAXOS_OK)
            used.append(one.node.replica.pointee.ballot)
            #expect(one.settle().contains { $0.isKind(PAXOS_FRAME_PREPARE) })
            one.restart()
        }
        #expect(Set(used).count == 5 && used == used.sorted())
    }

    @Test("a node that lost votes does not campaign, forwards and learns (rows 7, 11)")
    func abstains() throws {
        one.take(.accept(from: 2, to: 1, round: 5, slot: 1, [x]))
        one.loseLastRecord()
        one.restart(acknowledged: 1)
        #expect(one.node.status.abstains == 1)
        #expect(one.node.campaign(now: one.now) == PAXOS_ERR_ABSTAINS)
        let sent = one.tickUntil(60 * second)
        #expect(sent.allSatisfy { !$0.isKind(PAXOS_FRAME_PREPARE) })
        #expect(sent.contains { $0.isKind(PAXOS_FRAME_HEARTBEAT) && $0.has(PAXOS_FLAG_ABSTAINS) })
        let answers = one.take(.accept(from: 2, to: 1, round: 5, slot: 1, [x, y], watermark: 2))
        #expect(answers.allSatisfy { !$0.isKind(PAXOS_FRAME_ACCEPTED) })
        #expect(answers.contains { $0.isKind(PAXOS_FRAME_LEARN) }, "it follows and asks")
        one.take(
            Packet(PAXOS_FRAME_LEARNED, from: 2, to: 1, entries: [x, y]) {
                $0.slot = 1
                $0.state = UInt16(PAXOS_RUN_CHOSEN.rawValue)
                $0.digest = runDigest([x, y], from: 1)
                $0.watermark = 2
            })
        #expect(one.delivered == [x, y])
        #expect(one.node.propose(Bytes("z".utf8), now: one.now).status == PAXOS_OK)
        let forward = try #require(one.settle().first { $0.isKind(PAXOS_FRAME_FORWARD) })
        #expect(forward.to == 2)
    }

    @Test("a member that abstains is no part of the quorum that a leader needs")
    func abstainingPeer() {
        let fingerprint = one.node.fingerprint
        for abstaining in [false, true] {
            let one = Restarted()
            for round in 1...8 as ClosedRange<UInt64> {
                _ = one.tickUntil(one.now + second / 8)
                one.take(
                    Packet(PAXOS_FRAME_HEARTBEAT_REPLY, from: 2, to: 1) {
                        $0.nonce = round
                        $0.digest = fingerprint
                        $0.flags = abstaining ? UInt16(PAXOS_FLAG_ABSTAINS) : 0
                    })
            }
            #expect(one.node.status.quorum == (abstaining ? 0 : 1))
        }
    }

    @Test("what a peer has trimmed and this node's machine has applied is passed over")
    func passesOver() {
        one.take(.accept(from: 2, to: 1, round: 5, slot: 1, [x, y]))
        one.restart(applied: 2)
        _ = one.settle()
        #expect(one.node.status.decided == 0 && one.node.status.delivered == 2)
        one.take(
            Packet(PAXOS_FRAME_LEARNED, from: 2, to: 1) {
                $0.slot = 1
                $0.count = 7
                $0.state = UInt16(PAXOS_RUN_TRIMMED.rawValue)
                $0.watermark = 7
                $0.trim = 7
            })
        #expect(one.node.status.decided == 2 && one.node.status.trimmed == 2)
        #expect(one.node.status.behind_to == 7, "slots 3 to 7 are missed all the same")
    }

    @Test("an answer to a heartbeat says what the host has applied: its sender does not lack that")
    func tellsApplied() throws {
        one.take(.accept(from: 2, to: 1, round: 5, slot: 1, [x, y]))
        one.restart(applied: 2)
        let reply = try #require(
            one.take(
                Packet(PAXOS_FRAME_HEARTBEAT, from: 2, to: 1) {
                    $0.nonce = 1
                    $0.digest = one.node.fingerprint
                }
            ).first { $0.isKind(PAXOS_FRAME_HEARTBEAT_REPLY) })
        #expect(reply.fields.watermark == 0 && reply.fields.trim == 2)
    }

    @Test("what follows is kept for a member whose host applied more than its log knows")
    func keepsWhatFollowsApplied() throws {
        lead()
        for _ in 1...4 { try choose(with: 2) }
        answer(from: 2, decided: 4)
        answer(from: 3, decided: 2)
        #expect(one.node.trim(4) == PAXOS_OK && one.node.status.trimmed == 2)
        one.now += 1
        lead() /* words of before count no more */
        answer(from: 2, decided: 4)
        one.take(
            Packet(PAXOS_FRAME_HEARTBEAT, from: 3, to: 1) {
                $0.digest = one.node.fingerprint
                $0.trim = 2
            })
        answer(from: 3, decided: 0, applied: 2)
        _ = one.tickUntil(one.now + second / 8)
        #expect(one.node.status.trimmed == 2, "node 3 goes on from slot 3")
        answer(from: 3, decided: 4)
        _ = one.tickUntil(one.now + second / 8)
        #expect(one.node.status.trimmed == 4)
    }

    @Test("who may not vote does not count among those that could go on without the leader")
    func keepsForVoters() throws {
        lead()
        for _ in 1...4 { try choose(with: 2) }
        answer(from: 2, decided: 2)
        answer(from: 3, decided: 4, abstains: true)
        #expect(one.node.trim(4) == PAXOS_OK && one.node.status.trimmed == 2)
        one.now += 1
        lead()
        answer(from: 3, decided: 4, abstains: true)
        answer(from: 2, decided: 0) /* it is lost: nobody waits for it */
        _ = one.tickUntil(one.now + second / 8)
        #expect(one.node.status.trimmed == 2)
        answer(from: 3, decided: 4)
        _ = one.tickUntil(one.now + second / 8)
        #expect(one.node.status.trimmed == 4)
    }

    @Test("a write that is new when the first round begins is no stall")
    func firstWriteIsNoStall() {
        one.now = 90 * second
        one.take(.accept(from: 2, to: 1, round: 5, slot: 1, [x]))
        one.loseLastRecord()
        one.restart(acknowledged: 1) /* abstains, and writes that first of all */
        one.node.tick(now: one.now)
        let sent = one.settle()
        #expect(sent.contains { $0.isKind(PAXOS_FRAME_HEARTBEAT) && $0.to == 2 })
    }

    @Test("applied slots are decided again, and not delivered again")
    func appliedIsNotDeliveredAgain() {
        one.take(.accept(from: 2, to: 1, round: 5, slot: 1, [x]))
        one.restart(applied: 1)
        one.take(.accept(from: 2, to: 1, round: 5, slot: 2, [y], watermark: 2))
        #expect(one.node.status.decided == 2 && one.delivered == [y])
        #expect(one.node.trim(2) == PAXOS_OK)
    }

    @Test("no call but recover is taken before the journal was given back")
    func recoveringRefuses() {
        one.take(.accept(from: 2, to: 1, round: 5, slot: 1, [x]))
        var config = testConfig()
        config.incarnation = 2
        let node = Node(config, now: one.now)
        let accept = Packet.accept(from: 2, to: 1, round: 6, slot: 1, [y])
        #expect(node.receive(accept, now: one.now) == PAXOS_ERR_CORRUPT)
        #expect(node.propose([1], now: one.now).status == PAXOS_ERR_CORRUPT)
        #expect(node.campaign(now: one.now) == PAXOS_ERR_CORRUPT && node.poll() == nil)
        node.tick(now: one.now + 9 * second)
        #expect(node.poll() == nil)
    }
}
