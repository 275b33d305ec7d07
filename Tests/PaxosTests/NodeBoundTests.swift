import Foundation
import Paxos
import Testing

/// What a replica keeps for its callers has an end, and what it says of others is so.
@Suite(.serialized)
struct NodeBoundTests {
    private func error(_ read: () async throws -> Void) async -> Replica.ProposalError? {
        do {
            try await read()
            return nil
        } catch {
            return error as? Replica.ProposalError
        }
    }

    private func pause() async throws { try await Task.sleep(for: .milliseconds(2)) }

    @Test("reads that were cancelled stand in line until their turn comes, and the line has an end")
    func cancelledReads_areBounded() async throws {
        let nodes = try Nodes(1) { $0.queueCount = 20 }
        let replica = nodes.replicas[0]
        _ = try await replica.persist(Array("a value".utf8))
        // Nobody consumes, so no read comes to an end.
        for _ in 0..<20 {
            let decided = await replica.status.log.decided
            let read = Task { await error { try await replica.read() } }
            while await replica.status.log.decided == decided { try await pause() }  // its mark
            read.cancel()
            #expect(await read.value == .unknown)
        }
        #expect(await error { try await replica.read() } == .refused(.queueFull, leader: nil))
        _ = try await replica.take(1)
        let consumer = Task { for try await _ in replica.deliveries {} }
        while await error({ try await replica.read() }) != nil { try await pause() }
        await nodes.end()
        try await consumer.value
    }

    @Test("a read whose patience ends is refused, though another's mark is still under way")
    func waitingRead_isRefusedInTime() async throws {
        let nodes = try Nodes(3) {
            $0.configuration.electionTimeout = .seconds(10)
            $0.patience = .milliseconds(300)
        }
        nodes.replicas[0].campaign()
        while await nodes.replicas[1].status.log.leader != 1 {
            try await pause()
        }
        await nodes.replicas[0].shutdown()
        let replica = nodes.replicas[1]
        let first = Task { await error { try await replica.read() } }
        while await replica.status.framesSent == 0 { try await pause() }
        try await Task.sleep(for: .milliseconds(100))  // its mark is on the way to nobody
        let before = ContinuousClock.now
        let refusal = await error { try await replica.read() }
        #expect(before.duration(to: .now) < .seconds(4))
        guard case .refused = refusal else {
            Issue.record("\(String(describing: refusal))")
            return
        }
        await nodes.end()
        _ = await first.value
    }

    @Test("who is connected is known, however many connections were refused")
    func connected_isNotForgotten() async throws {
        let nodes = try Nodes(3) { $0.deliveryBytes = 1 }
        let replica = nodes.replicas[0]
        while await replica.status.connected != [2, 3] {
            try await pause()
        }
        // Nobody consumes, so it hands out no event any more, and the oldest are forgotten.
        let proposals = (0..<3).map { number in
            Task { await error { _ = try await replica.propose([UInt8(number)]) } }
        }
        while await replica.status.log.decided < 3 { try await pause() }
        await nodes.replicas[2].shutdown()
        for _ in 0..<100 { try knock(replica.port) }
        let end = ContinuousClock.now + .seconds(10)
        while await replica.status.connected != [2] && ContinuousClock.now < end {
            try await pause()
        }
        #expect(await replica.status.connected == [2])
        await nodes.end()
        for proposal in proposals { _ = await proposal.value }
    }

    /// Connects and says what is no handshake.
    private func knock(_ port: UInt16) throws {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(file) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isConnected = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        try #require(isConnected)
        let bytes = [UInt8](repeating: 7, count: 64)
        try #require(write(file, bytes, 64) == 64)
        var answer: UInt8 = 0
        #expect(read(file, &answer, 1) <= 0)  // it hangs up
    }
}
