import CPaxos
import CPaxosTransport
import CTransportModel
import Foundation
import Testing

/// Connections as this version and those before it have them, kept in Tests/Samples and made from
/// TRANSPORT.md by a program that shares no code with the library.
struct SampleTests {
    private struct Sample: Decodable {
        struct Frame: Decodable {
            let name: String
            let fields: [String: UInt64]
            let header: String
            let body: String
            let tags: [String]
        }
        let key: String
        let dialler: String
        let listener: String
        let dialler_proof: String
        let listener_proof: String
        let frames: [Frame]
    }

    static let versions = 1...PAXOS_TRANSPORT_VERSION

    private func sample(_ version: UInt32) throws -> Sample {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Samples")
        let file = folder.appendingPathComponent("transport-\(version).json")
        return try JSONDecoder().decode(Sample.self, from: try Data(contentsOf: file))
    }

    /// Bytes that stay where they are.
    private func bytes(_ text: String) -> UnsafePointer<UInt8> {
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: text.count / 2 + 1)
        for index in 0..<text.count / 2 {
            bytes[index] = UInt8(text.dropFirst(2 * index).prefix(2), radix: 16)!
        }
        return UnsafePointer(bytes)
    }

    @Test(
        "both ends say hello, prove it, and seal every frame as it is written", arguments: versions)
    func connection_isTheSame(version: UInt32) throws {
        let sample = try sample(version)
        let parts = transport_sample_t(
            key: bytes(sample.key), dialler: bytes(sample.dialler),
            listener: bytes(sample.listener), dialler_proof: bytes(sample.dialler_proof),
            listener_proof: bytes(sample.listener_proof))
        let rounds = sample.frames[0].tags.count
        let frames = (0..<rounds).flatMap { round in
            sample.frames.map {
                transport_sample_frame_t(
                    header: bytes($0.header), body: bytes($0.body),
                    body_bytes: UInt32($0.body.count / 2), tag: bytes($0.tags[round]))
            }
        }
        defer {
            for part in [
                parts.key, parts.dialler, parts.listener, parts.dialler_proof,
                parts.listener_proof,
            ] { part?.deallocate() }
            for frame in frames {
                for part in [frame.header, frame.body, frame.tag] { part?.deallocate() }
            }
        }
        var copy = parts
        let wrong = transport_sample_check(&copy, frames, UInt32(frames.count))
        #expect(wrong.map { String(cString: $0) } == nil)
    }

    @Test("every frame decodes to the fields that are written beside it", arguments: versions)
    func frames_decode(version: UInt32) throws {
        let frames = try sample(version).frames
        #expect(Set(frames.map { $0.fields["kind"] }) == Set((1...12).map { UInt64($0) }))
        for sealed in frames {
            let (header, body) = (bytes(sealed.header), bytes(sealed.body))
            defer { header.deallocate(); body.deallocate() }
            var frame = paxos_frame_t()
            #expect(paxos_frame_decode(header, 96, &frame) == PAXOS_OK, "\(sealed.name)")
            #expect(fields(frame) == sealed.fields.filter { $0.value != 0 }, "\(sealed.name)")
            if frame.body_bytes == 0 { continue }
            var digest: UInt64 = 0
            let first = frame.kind == UInt8(PAXOS_FRAME_FORWARD.rawValue) ? 1 : frame.slot
            #expect(
                paxos_run_verify(
                    body, Int(frame.body_bytes), first, frame.count, 1024, &digest) == PAXOS_OK)
            #expect(digest == frame.digest, "\(sealed.name)")
        }
    }

    private func fields(_ frame: paxos_frame_t) -> [String: UInt64] {
        let all: [String: UInt64] = [
            "kind": UInt64(frame.kind), "sender": UInt64(frame.sender),
            "receiver": UInt64(frame.receiver), "flags": UInt64(frame.flags),
            "state": UInt64(frame.state), "group": UInt64(frame.group),
            "incarnation": UInt64(frame.incarnation), "count": UInt64(frame.count),
            "body_bytes": UInt64(frame.body_bytes), "cluster": frame.cluster,
            "ballot": frame.ballot, "slot": frame.slot, "watermark": frame.watermark,
            "nonce": frame.nonce, "digest": frame.digest, "other": frame.other,
            "trim": frame.trim,
        ]
        return all.filter { $0.value != 0 }
    }
}
