import CPaxos
import Testing

/// The acceptor as a struct call, for callers that verified the entries themselves.
struct AcceptWithoutFrameTests {
    let block = AcceptorBlock(smallConfig(memoryOnly))
    let x = Entry.command("X")
    let y = Entry.command("Y")

    private func accept(_ run: Run) -> paxos_status_t {
        let body = run.bytes
        return body.withUnsafeBufferPointer { entries in
            var raw = paxos_run_t(
                ballot: run.ballot, slot: run.slot, count: UInt32(run.entries.count),
                bytes: UInt32(body.count), digest: run.digest, entries: entries.baseAddress)
            var lsn: UInt64 = 99
            let status = paxos_acceptor_accept(block.acceptor, &raw, &lsn)
            if status == PAXOS_OK { #expect(lsn == 0, "memory only: nothing to wait for") }
            return status
        }
    }

    @Test("each status of accept, and what it leaves")
    func statuses() {
        #expect(accept(Run(ballot: ballot(5), slot: 1, entries: [x])) == PAXOS_OK)
        #expect(accept(Run(ballot: ballot(4), slot: 2, entries: [x])) == PAXOS_ERR_STALE)
        #expect(accept(Run(ballot: ballot(5), slot: 1, entries: [y])) == PAXOS_ERR_CONFLICT)
        #expect(accept(Run(ballot: ballot(5), slot: 17, entries: [y])) == PAXOS_ERR_FULL)
        #expect(block.receive(commitFrame(ballot(5), upTo: 1)) == PAXOS_OK)
        #expect(accept(Run(ballot: ballot(6), slot: 1, entries: [y])) == PAXOS_ERR_TRIMMED)
        #expect(block.trim(1) == PAXOS_OK)
        #expect(accept(Run(ballot: ballot(6), slot: 1, entries: [x])) == PAXOS_ERR_TRIMMED)
        #expect(accept(Run(ballot: ballot(6), slot: 17, entries: [y])) == PAXOS_OK)
        #expect(block.status.promised == ballot(6))
        #expect(block.poll() == nil, "no frame came in, none goes out")
    }
}
