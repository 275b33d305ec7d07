import CPaxosTransport
import CTransportModel
import Foundation
import Testing

/// The examples of TRANSPORT.md, which another encoder made, read from the page.
struct PageTests {
    private let golden: [String: [UInt8]]
    private let key = [UInt8](0..<32)

    init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = root.appendingPathComponent("CSources/CPaxosTransport/TRANSPORT.md")
        let blocks = try String(contentsOf: page, encoding: .utf8)
            .components(separatedBy: "```golden ").dropFirst()
        golden = Dictionary(
            uniqueKeysWithValues: blocks.map { block in
                let lines = block.components(separatedBy: "```")[0].split(separator: "\n")
                let bytes = lines.dropFirst().flatMap { line in
                    line.split(separator: " ").dropFirst().map { UInt8($0, radix: 16)! }
                }
                return (String(lines[0]), bytes)
            })
    }

    private func example(_ name: String) throws -> [UInt8] { try #require(golden[name]) }

    private func check(
        _ name: String, sender: UInt16, receiver: UInt16, incarnation: UInt32, instance: UInt64
    ) throws {
        let bytes = try example(name)
        try #require(bytes.count == 64)
        var hello = transport_page_hello_t()
        #expect(transport_page_hello(bytes, &hello))
        #expect(hello.cluster == 77 && hello.sender == sender && hello.receiver == receiver)
        #expect(hello.incarnation == incarnation && hello.instance == instance)
        #expect(hello.version_min == 1 && hello.version_max == 1 && hello.security == 1)
    }

    @Test("the page's hellos are read, and written, as it says")
    func hellos_areRead() throws {
        try check(
            "hello of the dialler", sender: 2, receiver: 1, incarnation: 5,
            instance: 0x1122_3344_5566_7788)
        try check(
            "hello of the listener", sender: 1, receiver: 2, incarnation: 9,
            instance: 0x99AA_BBCC_DDEE_FF00)
    }

    @Test("both sides derive the page's keys and proofs", arguments: [true, false])
    func keys_areDerived(isDialler: Bool) throws {
        var keys = [UInt8](repeating: 0, count: 128)
        transport_page_keys(
            key, try example("hello of the dialler"), try example("hello of the listener"),
            isDialler, &keys)
        #expect(keys == (try example("keys 1 to 4")))
    }

    @Test("the page's refusals are made, and read, as it says; a changed one says nothing")
    func refusals_areRead() throws {
        let proof = Array(try example("keys 1 to 4").suffix(32))
        let page = try example("refusals of the listener, STALE, CLONE and LIVING")
        try #require(page.count == 96)
        let reasons = [
            PAXOS_TRANSPORT_STALE, PAXOS_TRANSPORT_CLONE, PAXOS_TRANSPORT_LIVING,
        ].map(\.rawValue)
        for (index, reason) in reasons.enumerated() {
            var refusal = Array(page[index * 32..<index * 32 + 32])
            var made = [UInt8](repeating: 0, count: 32)
            transport_page_refusal(proof, reason, &made)
            #expect(made == refusal)
            #expect(transport_page_verdict(proof, refusal) == reason)
            refusal[31] ^= 0x80
            #expect(transport_page_verdict(proof, refusal) == PAXOS_TRANSPORT_PROOF.rawValue)
        }
        #expect(transport_page_verdict(proof, proof) == PAXOS_TRANSPORT_NONE.rawValue)
    }

    @Test(
        "the page's frames are decoded, and their tags are the page's",
        arguments: [
            ("frame 0 of lane 0, from the dialler", 0, 0, 0),
            ("frame 37 of lane 1, from the listener", 1, 1, 37),
        ] as [(String, Int, UInt32, UInt32)])
    func frames_areSealed(name: String, key: Int, lane: UInt32, number: UInt32) throws {
        let bytes = try example(name)
        let keys = try example("keys 1 to 4")
        var tag = [UInt8](repeating: 0, count: 16)
        #expect(
            transport_page_frame(
                Array(keys[key * 32..<key * 32 + 32]), lane, number, bytes, UInt32(bytes.count),
                &tag))
        #expect(tag == Array(bytes.suffix(16)))
    }
}
