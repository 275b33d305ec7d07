import CPaxos
import Foundation

/// The small configuration most tests run on: node 1 of three, durable.
func smallConfig(_ change: (inout paxos_config_t) -> Void = { _ in }) -> paxos_config_t {
    var config = paxos_config_t()
    paxos_config_default(&config)
    config.cluster = cluster
    config.group = group
    config.node = 1
    config.member_count = 3
    setMembers(&config, [1, 2, 3])
    config.window_slots = 16
    config.pipeline_slots = 16
    config.value_bytes_max = 64
    config.frame_bytes_max = 448
    config.arena_bytes = 2048
    config.reply_ring = 4
    config.write_ring = 4
    config.send_ring = 4
    config.forward_ring = 1
    change(&config)
    return config
}

func memoryOnly(_ config: inout paxos_config_t) { config.memory_only = 1 }

func setMembers(_ config: inout paxos_config_t, _ nodes: [UInt16]) {
    withUnsafeMutableBytes(of: &config.members) { raw in
        let members = raw.bindMemory(to: UInt16.self)
        for (i, node) in nodes.enumerated() { members[i] = node }
    }
    config.member_count = UInt16(nodes.count)
}

/// What came out of `poll`, with a copy of the body as it was then.
struct Effect: Equatable {
    var kind: UInt32
    var node: UInt16
    var token: UInt64
    var lsn: UInt64
    var offset: Int
    var frame: Frame

    var isWrite: Bool { kind == PAXOS_EFFECT_WRITE.rawValue }

    /// The header's fields, read without the decoder's rules: records are no frames.
    var fields: paxos_frame_t {
        var fields = paxos_frame_t()
        paxos_frame_read(frame.header, &fields)
        return fields
    }
}

/// An acceptor in aligned memory of its own.
final class AcceptorBlock {
    let memory: UnsafeMutableRawPointer
    let byteCount: Int
    let acceptor: UnsafeMutablePointer<paxos_acceptor_t>

    init(_ config: paxos_config_t = smallConfig()) {
        var config = config
        byteCount = paxos_acceptor_block_bytes(&config)
        precondition(byteCount > 0, "the test's configuration breaks a rule")
        memory = .allocate(byteCount: byteCount, alignment: Int(PAXOS_BLOCK_ALIGNMENT))
        var out: UnsafeMutablePointer<paxos_acceptor_t>?
        precondition(paxos_acceptor_init(memory, byteCount, &config, &out) == PAXOS_OK)
        acceptor = out!
    }

    /// The same block, byte for byte, somewhere else.
    init(copyOf other: AcceptorBlock) {
        byteCount = other.byteCount
        memory = .allocate(byteCount: byteCount, alignment: Int(PAXOS_BLOCK_ALIGNMENT))
        memory.copyMemory(from: other.memory, byteCount: byteCount)
        acceptor = memory.assumingMemoryBound(to: paxos_acceptor_t.self)
    }

    deinit { memory.deallocate() }

    /// Every byte of the block as it is now.
    var image: Image { Image(bytes: bytes(at: 0, count: byteCount)) }

    /// Every byte but the counters, which a refusal may change.
    var imageWithoutCounters: Image {
        var image = image
        let start = MemoryLayout<paxos_acceptor_t>.offset(of: \.counters)!
        let length = MemoryLayout<paxos_counters_t>.size
        image.bytes.replaceSubrange(start..<start + length, with: repeatElement(0, count: length))
        /* Who is refused for want of room is told when there is some. */
        let room = MemoryLayout<paxos_acceptor_t>.offset(of: \.room_owed)!
        image.bytes.replaceSubrange(room..<room + 8, with: repeatElement(0, count: 8))
        return image
    }

    var fingerprint: UInt64 { acceptor.pointee.fingerprint }

    func receive(_ frame: Frame) -> paxos_status_t {
        paxos_acceptor_receive(
            acceptor, frame.header, frame.header.count, frame.body, frame.body.count)
    }

    func poll() -> Effect? {
        var effect = paxos_effect_t()
        effect.size_bytes = UInt32(MemoryLayout<paxos_effect_t>.size)
        guard paxos_acceptor_poll(acceptor, &effect) else { return nil }
        let header = withUnsafeBytes(of: effect.header) { Bytes($0) }
        let offset = Int(effect.body_offset)
        let body = bytes(at: offset, count: Int(effect.body_bytes))
        return Effect(
            kind: effect.kind, node: effect.node, token: effect.token, lsn: effect.lsn,
            offset: offset, frame: Frame(header: header, body: body))
    }

    /// Everything that may come out now.
    func pollAll() -> [Effect] {
        var effects: [Effect] = []
        while let effect = poll() { effects.append(effect) }
        return effects
    }

    /// Poll, flush what was written, say that all was sent: the replies that come out.
    func settle() -> [Effect] {
        var replies: [Effect] = []
        while true {
            let effects = pollAll()
            if effects.isEmpty { return replies }
            for effect in effects {
                if effect.isWrite { _ = flushed(effect.lsn) } else { replies.append(effect) }
                _ = sent(effect.token)
            }
        }
    }

    func flushed(_ lsn: UInt64) -> paxos_status_t { paxos_acceptor_flushed(acceptor, lsn) }
    func sent(_ token: UInt64) -> paxos_status_t { paxos_acceptor_sent(acceptor, token) }
    func trim(_ slot: UInt64) -> paxos_status_t { paxos_acceptor_trim(acceptor, slot) }

    func bytes(at offset: Int, count: Int) -> Bytes {
        Bytes(UnsafeRawBufferPointer(start: memory + offset, count: count))
    }

    struct Held: Equatable {
        var state: UInt32
        var ballot: UInt64
        var value: Bytes?
    }

    func look(_ slot: UInt64) -> Held {
        var state: UInt32 = 0
        var ballot: UInt64 = 0
        var value: UnsafePointer<UInt8>?
        var valueBytes: UInt32 = 0
        paxos_acceptor_look(acceptor, slot, &state, &ballot, &value, &valueBytes)
        let bytes = value.map { Bytes(UnsafeBufferPointer(start: $0, count: Int(valueBytes))) }
        return Held(state: state, ballot: ballot, value: bytes)
    }

    var status: paxos_acceptor_status_t {
        var status = paxos_acceptor_status_t()
        status.size_bytes = UInt32(MemoryLayout<paxos_acceptor_status_t>.size)
        paxos_acceptor_status(acceptor, &status)
        return status
    }
}

/// The bytes of a block. A failed comparison prints a checksum of each, not thousands of numbers.
struct Image: Equatable, CustomStringConvertible, CustomReflectable {
    var bytes: Bytes

    /// By `memcmp`: element by element a debug build would take most of the tests' time.
    static func == (a: Image, b: Image) -> Bool {
        a.bytes.count == b.bytes.count && memcmp(a.bytes, b.bytes, a.bytes.count) == 0
    }

    var description: String { "\(bytes.count) bytes, crc \(paxos_crc32c(0, bytes, bytes.count))" }
    var customMirror: Mirror { Mirror(self, children: [:]) }

    /// Where two images of one length differ first.
    func firstDifference(_ other: Image) -> Int? {
        bytes.indices.first { bytes[$0] != other.bytes[$0] }
    }
}

extension AcceptorBlock.Held {
    static let empty = Self(state: PAXOS_RUN_EMPTY.rawValue, ballot: 0, value: nil)
    static let trimmed = Self(state: PAXOS_RUN_TRIMMED.rawValue, ballot: 0, value: nil)

    static func accepted(_ ballot: UInt64, _ entry: Entry) -> Self {
        Self(state: PAXOS_RUN_ACCEPTED.rawValue, ballot: ballot, value: entry.value)
    }

    static func chosen(_ ballot: UInt64, _ entry: Entry) -> Self {
        Self(state: PAXOS_RUN_CHOSEN.rawValue, ballot: ballot, value: entry.value)
    }
}
