import CPaxos
import Testing

/// Memory-only nodes: who forgot its votes is nobody, and two votes may be the decision at once.
struct IdentityTests {
    let x = Entry.command("X")

    private func accept(_ block: AcceptorBlock, flags: UInt32) {
        let run = Run(ballot: ballot(5), slot: 1, entries: [x])
        #expect(block.receive(acceptFrame(run, flags: flags)) == PAXOS_OK)
    }

    @Test("memory only: a member that comes back in another life is refused")
    func memoryOnly_otherIncarnation_isRefused() {
        let block = AcceptorBlock(smallConfig(memoryOnly))
        accept(block, flags: 0)
        _ = block.settle()
        let before = block.imageWithoutCounters
        let run = Run(ballot: ballot(6), slot: 2, entries: [x])
        let frame = acceptFrame(run)
        for incarnation in [2, 7] as [UInt32] {
            var fields = frame.fields!
            fields.incarnation = incarnation
            let reborn = Frame(header: encode(fields), body: frame.body)
            #expect(block.receive(reborn) == PAXOS_ERR_FOREIGN)
        }
        #expect(block.imageWithoutCounters == before)
        #expect(block.receive(frame) == PAXOS_OK, "the life that was known is still heard")
    }

    @Test("durable: a member may start again")
    func durable_otherIncarnation_isHeard() {
        let block = AcceptorBlock()
        accept(block, flags: 0)
        let frame = makeFrame(PAXOS_FRAME_COMMIT) {
            $0.incarnation = 2
            $0.ballot = ballot(5)
            $0.watermark = 1
        }
        #expect(block.receive(frame) == PAXOS_OK)
    }

    @Test("sender and receiver voted, and two are a quorum: decided at once, in memory only")
    func bothVoted_isDecided() {
        let block = AcceptorBlock(smallConfig(memoryOnly))
        accept(block, flags: PAXOS_FLAG_VOTED)
        #expect(block.look(1) == .chosen(ballot(5), x))
        #expect(block.status.decided == 1)
    }

    @Test("not without the sender's vote")
    func senderNotVoted_isNotDecided() {
        let block = AcceptorBlock(smallConfig(memoryOnly))
        accept(block, flags: 0)
        #expect(block.status.decided == 0)
    }

    @Test("not when this node's vote is still to be made durable")
    func durable_isNotDecided() {
        let block = AcceptorBlock()
        accept(block, flags: PAXOS_FLAG_VOTED)
        #expect(block.status.decided == 0)
        #expect(block.look(1) == .accepted(ballot(5), x))
    }

    @Test("not when a quorum is three")
    func largerQuorum_isNotDecided() {
        let config = smallConfig {
            memoryOnly(&$0)
            $0.q2 = 3
        }
        let block = AcceptorBlock(config)
        accept(block, flags: PAXOS_FLAG_VOTED)
        #expect(block.status.decided == 0)
    }

    @Test("members are found whatever their numbers, and who is none is foreign")
    func members_withGaps() {
        let block = AcceptorBlock(
            smallConfig {
                setMembers(&$0, [1, 7, 20])
                $0.reply_ring = 16
            })
        for (index, node) in [1, 7, 20].enumerated() {
            #expect(paxos_member_search(block.acceptor, UInt16(node)) == index)
            #expect(paxos_member_index(block.acceptor, UInt16(node)) == index)
        }
        for node in [0, 2, 3, 6, 8, 19, 21] as [UInt16] {
            #expect(paxos_member_search(block.acceptor, node) == PAXOS_MEMBERS_MAX)
            #expect(paxos_member_index(block.acceptor, node) == PAXOS_MEMBERS_MAX)
        }
        for (node, status) in [(7, PAXOS_OK), (2, PAXOS_ERR_FOREIGN), (20, PAXOS_OK)] {
            let run = Run(ballot: ballot(UInt64(node), node: UInt16(node)), slot: 1, entries: [x])
            #expect(block.receive(acceptFrame(run, sender: UInt16(node))) == status)
        }
        #expect(block.settle().map(\.node) == [7, 20])
    }

    @Test("a heartbeat is answered at once, with its round, the promise and the watermark")
    func heartbeat_isAnswered() throws {
        for memory in [0, 1] as [UInt16] {
            let block = AcceptorBlock(smallConfig { $0.memory_only = memory })
            accept(block, flags: PAXOS_FLAG_VOTED)
            _ = block.settle()
            let heartbeat = makeFrame(PAXOS_FRAME_HEARTBEAT) {
                $0.sender = 3
                $0.nonce = 77
                $0.digest = block.fingerprint
            }
            #expect(block.receive(heartbeat) == PAXOS_OK)
            let reply = try #require(block.poll()?.frame.fields)
            #expect(reply.kind == PAXOS_FRAME_HEARTBEAT_REPLY.byte)
            #expect(reply.receiver == 3 && reply.nonce == 77 && reply.other == ballot(5))
            #expect(reply.watermark == UInt64(memory))
            #expect(reply.flags == (memory == 1 ? UInt16(PAXOS_FLAG_MEMORY) : 0))
            #expect(reply.digest == block.fingerprint && reply.ballot == 0)
            #expect(block.poll() == nil, "one answer, however often it is polled")
        }
    }

    @Test("heartbeats of several members are answered each, the last round of each")
    func heartbeats_ofAll() {
        let block = AcceptorBlock()
        for (sender, round) in [(3, 1), (2, 2), (3, 4)] as [(UInt16, UInt64)] {
            let heartbeat = makeFrame(PAXOS_FRAME_HEARTBEAT) {
                $0.sender = sender
                $0.nonce = round
                $0.digest = block.fingerprint
            }
            #expect(block.receive(heartbeat) == PAXOS_OK)
        }
        let rounds = block.settle().map { [UInt64($0.node), $0.fields.nonce] }
        #expect(rounds == [[2, 2], [3, 4]])
    }

    @Test("a heartbeat of another configuration is refused and leaves no trace")
    func heartbeat_otherFingerprint() {
        let block = AcceptorBlock()
        let before = block.imageWithoutCounters
        let heartbeat = makeFrame(PAXOS_FRAME_HEARTBEAT) { $0.digest = block.fingerprint &+ 1 }
        #expect(block.receive(heartbeat) == PAXOS_ERR_FOREIGN)
        #expect(block.imageWithoutCounters == before)
    }

    @Test("a block that is none is said to be corrupt")
    func noBlock_isCorrupt() {
        let block = AcceptorBlock()
        block.acceptor.pointee.magic ^= 1
        let before = block.image
        #expect(block.receive(commitFrame(ballot(5), upTo: 0)) == PAXOS_ERR_CORRUPT)
        #expect(block.image == before)
    }
}
