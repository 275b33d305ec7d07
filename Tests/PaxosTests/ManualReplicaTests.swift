import Paxos
import Testing

@Suite struct ManualReplicaTests {
    @Test("three replicas agree through a host's loop")
    func mesh_agrees() throws {
        var mesh = try Mesh()
        let leader = try mesh.elect()
        for number in 0..<50 {
            try leader.propose(value(number))
            mesh.settle()
        }
        mesh.pass(.seconds(1))
        for log in mesh.logs { #expect(log.map(\.bytes) == (0..<50).map(value)) }
        #expect(leader.status.leader == leader.node)
        #expect(leader.status.hasQuorum)
    }

    @Test("no leader, no room in the pipeline, no room in the log: propose says which")
    func propose_saysWhyNot() throws {
        var mesh = try Mesh { $0.pipeline = 4 }
        #expect(throws: ProposeError.noLeader) { try mesh.replicas[0].propose(value(0)) }
        let leader = try mesh.elect()
        #expect(throws: ProposeError.valueTooLarge(limit: 256)) {
            try leader.propose([UInt8](repeating: 0, count: 257))
        }
        for number in 0..<4 { try leader.propose(value(number)) }
        #expect(throws: ProposeError.pipelineFull) { try leader.propose(value(4)) }
        mesh.settle()
        try leader.propose(value(4))
        // Nobody trims, so the window fills in the end.
        let error = #expect(throws: ProposeError.self) {
            for number in 5..<100 {
                try leader.propose(value(number))
                mesh.settle()
            }
        }
        #expect(error == .logFull)
        #expect(error?.isTemporary == true)
        #expect(ProposeError.valueTooLarge(limit: 1).isTemporary == false)
        for replica in mesh.replicas { try replica.trim(upTo: replica.status.delivered) }
        mesh.pass(.seconds(1))
        try leader.propose(value(100))
    }

    @Test("a frame that is none, of others, or cut short is refused and changes nothing")
    func receive_refusesWhatIsNoFrame() throws {
        var mesh = try Mesh()
        _ = try mesh.elect()
        let now = mesh.now
        let replica = mesh.replicas[0]
        #expect(throws: ReceiveError.malformed) {
            try replica.receive([UInt8](repeating: 0, count: 200).span.bytes, now: now)
        }
        #expect(throws: ReceiveError.malformed) {
            try replica.receive([1, 2, 3].span.bytes, now: now)
        }
        #expect(throws: ReceiveError.malformed) {
            try replica.receive([UInt8]().span.bytes, now: now)
        }
        #expect(replica.status.framesMalformed == 3)

        var stranger = Configuration.small(node: 2, members: [1, 2, 3])
        stranger.cluster = 10
        let foreign = try ManualReplica(stranger, now: now)
        foreign.campaign(now: now)
        var frames: [[UInt8]] = []
        foreign.drain { effect in
            switch effect {
            case .send(let frame): if frame.receiver == 1 { frames.append(frame.bytes()) }
            default: break
            }
        }
        #expect(!frames.isEmpty)
        for frame in frames {
            let error = #expect(throws: ReceiveError.self) {
                try replica.receive(frame.span.bytes, now: now)
            }
            #expect(error == .foreign)
        }
    }

    @Test("a frame may come in two pieces; its spans are what its copy holds")
    func frame_inTwoPieces() throws {
        let mesh = try Mesh()
        let now = mesh.now
        mesh.replicas[0].campaign(now: now)
        var taken = 0
        mesh.replicas[0].drain { effect in
            switch effect {
            case .send(let frame):
                guard frame.receiver == 2 else { return }
                #expect(frame.header.byteCount == 96)
                #expect(frame.byteCount == 96 + frame.body.byteCount)
                #expect(frame.bytes().count == frame.byteCount)
                do {
                    try mesh.replicas[1].receive(header: frame.header, body: frame.body, now: now)
                    taken += 1
                } catch {
                    Issue.record("\(error)")
                }
            default: break
            }
        }
        #expect(taken > 0)
        #expect(mesh.replicas[1].status.framesReceived == UInt64(taken))
    }

    @Test("a durable replica says nothing before its write is flushed")
    func durable_waitsForTheFlush() throws {
        var mesh = try Mesh { $0.durability = .durable }
        let leader = try mesh.elect()
        mesh.isFlushing = false
        try leader.propose(value(1))
        mesh.settle()
        #expect(mesh.logs.allSatisfy { $0.isEmpty })
        #expect(mesh.written.allSatisfy { $0 > 0 })
        mesh.isFlushing = true
        mesh.settle()
        #expect(mesh.logs[Int(leader.node) - 1].count == 1)
        #expect(throws: RangeError.self) {
            try leader.flushed(upTo: 1 << 40, now: mesh.now)
        }
    }

    @Test("a pinned body stays until it was sent; tokens and slots out of range are refused")
    func pinnedBody_waitsForSent() throws {
        var mesh = try Mesh()
        let leader = try mesh.elect()
        mesh.pass(.seconds(1))
        try leader.propose([UInt8](repeating: 5, count: 100))
        var tokens: [UInt64] = []
        var bodies: [UnsafeRawBufferPointer] = []
        leader.drain(pinning: true) { effect in
            switch effect {
            case .send(let frame):
                guard frame.token != 0 else { return }
                tokens.append(frame.token)
                bodies.append(frame.unsafeBody)
            default: break
            }
        }
        #expect(tokens.count == 2)
        for body in bodies { #expect(body[24..<124].allSatisfy { $0 == 5 }) }
        for token in tokens { try leader.sent(token) }
        #expect(throws: RangeError.self) { try leader.sent(99 << 48) }
        #expect(throws: RangeError.self) { try leader.trim(upTo: 1000) }
    }

    @Test("with room for one unsent body, a pinning host gets the next one when it said sent")
    func pinnedBodies_areBounded() throws {
        var mesh = try Mesh { $0.sendRing = 1 }
        let leader = try mesh.elect()
        mesh.pass(.seconds(1))
        func bodies(pinning: Bool) -> [UInt64] {
            var tokens: [UInt64] = []
            leader.drain(pinning: pinning) { effect in
                switch effect {
                case .send(let frame): if frame.token != 0 { tokens.append(frame.token) }
                default: break
                }
            }
            return tokens
        }
        try leader.propose(value(1))
        let first = bodies(pinning: true)
        #expect(first.count == 2)
        try leader.propose(value(2))
        #expect(bodies(pinning: true).isEmpty)
        for token in first { try leader.sent(token) }
        #expect(bodies(pinning: false).count == 2)
        try leader.propose(value(3))
        #expect(bodies(pinning: false).count == 2)
    }

    @Test("identities differ between incarnations")
    func incarnation_isPartOfTheIdentity() throws {
        let proposals = try [UInt32(1), 2].map { incarnation in
            var mesh = try Mesh(nodes: 1) { $0.incarnation = incarnation }
            return try mesh.elect().propose(value(1))
        }
        #expect(proposals[0].number == proposals[1].number)
        #expect(proposals[0] != proposals[1])
        #expect(proposals[1] == Proposal(node: 1, incarnation: 2, number: proposals[1].number))
    }

    @Test("a deadline lies ahead, and time given again or backwards does no harm")
    func deadline_liesAhead() throws {
        let mesh = try Mesh()
        let replica = mesh.replicas[0]
        let later = ManualReplica.Instant(.milliseconds(20))
        replica.tick(now: later)
        replica.tick(now: ManualReplica.Instant(nanoseconds: 0))
        #expect(replica.deadline > later)
    }
}
