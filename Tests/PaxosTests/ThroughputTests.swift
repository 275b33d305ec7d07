import Paxos
import XCTest

/// How fast, for the reader of the test's output; nothing here fails for being slow. Short enough
/// that XCTest passes over how much it varies, with sanitizers and on a busy machine, too.
final class ThroughputTests: XCTestCase {
    func testCommit_nodes3_value64B_batch1() throws {
        try measureCommits(batch: 1, rounds: 4000)
    }

    func testCommit_nodes3_value64B_batch64() throws {
        try measureCommits(batch: 64, rounds: 400)
    }

    private func measureCommits(batch: Int, rounds: Int) throws {
        let cluster = try LocalCluster(recording: false)
        try cluster.electLeader()
        let bytes = [UInt8](repeating: 7, count: 64 * batch)
        let lengths = [Int](repeating: 64, count: batch)
        let before = cluster.deliveredSlot(by: 1)
        var proposed: UInt64 = 0
        measure {
            for _ in 0..<rounds {
                let admission = cluster.propose(packed: bytes.span.bytes, lengths: lengths.span)
                proposed += UInt64(admission.count)
                cluster.settle()
            }
        }
        cluster.run(for: .seconds(1))
        for node in cluster.nodes {
            XCTAssertEqual(cluster.deliveredSlot(by: node) - before, proposed)
        }
    }
}
