import CPaxos

/// What the rules of the checker read of a message.
struct Message: BitwiseCopyable {
    var ballot: UInt64
    var slot: UInt64
    var watermark: UInt64
    var other: UInt64
    var count: UInt32
    var kind: UInt32
    var state: UInt32
    var flags: UInt32
    /// Indices among the members.
    var sender: Int
    var receiver: Int

    var lastSlot: UInt64 { slot &+ UInt64(count) &- 1 }
}

/// The two words that tell an entry from any other: its checksum covers its bytes.
struct EntryWords: Hashable, BitwiseCopyable {
    var origin: UInt64
    var number: UInt64

    init(_ bytes: UnsafePointer<UInt8>) {
        let entry = paxos_entry_get(bytes)
        origin = UInt64(entry.checksum) << 32 | UInt64(entry.kind) << 16 | UInt64(entry.node)
        number = UInt64(entry.incarnation) << 32 | entry.number
    }
}

/// Every message that was ever sent, by number; the bytes of each are those that were sent first.
struct MessageTable {
    private(set) var messages: [Message] = []
    private var frames: [Packet] = []
    private var numbers: [[UInt64]: UInt32] = [:]
    private let areLikeOnesOne: Bool
    private let areFollowersQuiet: Bool

    init(_ reductions: Reductions) {
        areLikeOnesOne = reductions.contains(.likeMessages)
        areFollowersQuiet = reductions.contains(.noNews)
    }

    var count: Int { messages.count }

    subscript(number: UInt32) -> Message { messages[Int(number)] }
    func packet(_ number: UInt32) -> Packet { frames[Int(number)] }

    mutating func number(of sent: Packet) -> UInt32 {
        let packet = areFollowersQuiet && isFollowers(sent) ? quiet(sent) : sent
        let key = key(packet)
        if let number = numbers[key] { return number }
        let fields = packet.fields
        let number = UInt32(messages.count)
        numbers[key] = number
        frames.append(packet)
        messages.append(
            Message(
                ballot: fields.ballot, slot: fields.slot, watermark: fields.watermark,
                other: fields.other, count: fields.count, kind: UInt32(fields.kind),
                state: UInt32(fields.state), flags: UInt32(fields.flags),
                sender: Int(fields.sender) - 1, receiver: Int(fields.receiver) - 1))
        return number
    }

    /// Whether a message is an answer, which decides nothing by its watermark.
    private func isFollowers(_ packet: Packet) -> Bool {
        switch packet.kind {
        case PAXOS_FRAME_PROMISE.rawValue, PAXOS_FRAME_REJECTED.rawValue,
            PAXOS_FRAME_ACCEPTED.rawValue, PAXOS_FRAME_LEARNED.rawValue:
            return true
        default: return false
        }
    }

    /// The same message without its sender's watermark.
    private func quiet(_ packet: Packet) -> Packet {
        var packet = packet
        var fields = packet.fields
        fields.watermark = 0
        paxos_frame_put(&packet.header, &fields)
        return Packet(header: packet.header, body: packet.body)
    }

    /// What the receiver reads of a message. Where votes are durable nobody looks at the sender's
    /// incarnation, of a rejection only at who sent it, why, and the promise it names, and of what
    /// is learned at everything but who sent it, if there is no more to be had from there.
    private func key(_ packet: Packet) -> [UInt64] {
        let fields = packet.fields
        let isRejection = fields.kind == UInt8(PAXOS_FRAME_REJECTED.rawValue)
        let isLike = areLikeOnesOne
        let isNamed = !(isLike && isRejection && fields.state != PAXOS_REASON_CONFLICT.rawValue)
        let isLearned = packet.isKind(PAXOS_FRAME_LEARNED)
        let isSigned = !(isLike && isLearned && fields.watermark == 0 && fields.flags == 0)
        return [
            UInt64(fields.kind) << 48 | UInt64(isSigned ? fields.sender : 0) << 32
                | UInt64(fields.receiver) << 16,
            UInt64(fields.flags) << 16 | UInt64(fields.state),
            isNamed ? fields.ballot : 0,
            isNamed ? fields.slot : 0,
            isNamed ? UInt64(fields.count) : 0,
            isNamed ? fields.digest : 0, /* covers the entries */
            fields.watermark, fields.nonce, fields.other, fields.trim,
            isLike ? 0 : UInt64(fields.incarnation),
        ]
    }
}
