/// Frames under way, and what the links between the nodes do to them.
///
/// Memory is taken once: a pool of packets, and a queue of when they arrive. What does not fit is
/// lost, as in a switch.
struct Network: ~Copyable {
    /// What a link is like now, in one direction.
    struct Link: BitwiseCopyable {
        var isCut = false
        /// In 1,024.
        var loss: UInt64 = 0
        var duplicate: UInt64 = 0
        var corrupt: UInt64 = 0
        var latency_ns: UInt64 = 0
        var jitter_ns: UInt64 = 0
    }

    static let nodesMax = 8
    private static let capacity = 4096
    private static let headerBytes = 96

    let links: UnsafeMutablePointer<Link>
    private let bytes: UnsafeMutablePointer<UInt8>
    private let stride: Int
    private let free: UnsafeMutablePointer<UInt32>
    private var freeCount = 0
    private let isDamaged: UnsafeMutablePointer<Bool>
    private let receivers: UnsafeMutablePointer<UInt16>
    var queue = EventQueue(capacity: Network.capacity)
    var random = SplitMix(seed: 0)
    private(set) var lostCount: UInt64 = 0

    init(frameBytesMax: Int) {
        stride = (frameBytesMax + 63) / 64 * 64
        bytes = .allocate(capacity: Self.capacity * stride)
        bytes.initialize(repeating: 0, count: Self.capacity * stride)
        free = .allocate(capacity: Self.capacity)
        isDamaged = .allocate(capacity: Self.capacity)
        isDamaged.initialize(repeating: false, count: Self.capacity)
        receivers = .allocate(capacity: Self.capacity)
        receivers.initialize(repeating: 0, count: Self.capacity)
        links = .allocate(capacity: Self.nodesMax * Self.nodesMax)
        links.initialize(repeating: Link(), count: Self.nodesMax * Self.nodesMax)
        removeAll()
    }

    deinit {
        bytes.deallocate()
        free.deallocate()
        isDamaged.deallocate()
        receivers.deallocate()
        links.deallocate()
    }

    mutating func removeAll() {
        queue.removeAll()
        lostCount = 0
        freeCount = Self.capacity
        /* Low numbers on top: a small part of the pool stays in the cache. */
        for index in 0..<Self.capacity { free[index] = UInt32(Self.capacity - 1 - index) }
    }

    @inline(__always)
    func link(_ from: UInt16, _ to: UInt16) -> UnsafeMutablePointer<Link> {
        links + (Int(from) * Self.nodesMax + Int(to))
    }

    @inline(__always)
    func header(_ packet: UInt32) -> UnsafeMutablePointer<UInt8> { bytes + Int(packet) * stride }

    @inline(__always)
    func body(_ packet: UInt32) -> UnsafeMutablePointer<UInt8> {
        header(packet) + Self.headerBytes
    }

    /// Where it goes, also if its bytes are damaged.
    @inline(__always)
    func receiver(_ packet: UInt32) -> UInt16 { receivers[Int(packet)] }

    @inline(__always)
    func wasDamaged(_ packet: UInt32) -> Bool { isDamaged[Int(packet)] }

    @inline(__always)
    mutating func release(_ packet: UInt32) {
        free[freeCount] = packet
        freeCount += 1
    }

    /// A frame enters a link. Returns when it will arrive; nil: never.
    @inline(__always)
    mutating func post(
        from: UInt16, to: UInt16, _ header: UnsafeRawPointer, _ body: UnsafeRawPointer,
        _ bodyBytes: Int, at now_ns: UInt64
    ) -> UInt64? {
        let link = link(from, to)
        let chance = random.next()
        if link.pointee.isCut || chance & 1023 < link.pointee.loss {
            lostCount += 1
            return nil
        }
        let due = put(link, to, chance, header, body, bodyBytes, now_ns)
        if chance >> 10 & 1023 < link.pointee.duplicate {
            _ = put(link, to, random.next(), header, body, bodyBytes, now_ns)
        }
        return due
    }

    @inline(__always)
    private mutating func put(
        _ link: UnsafeMutablePointer<Link>, _ to: UInt16, _ chance: UInt64,
        _ header: UnsafeRawPointer, _ body: UnsafeRawPointer, _ bodyBytes: Int, _ now_ns: UInt64
    ) -> UInt64? {
        guard freeCount > 0 else {
            lostCount += 1
            return nil
        }
        freeCount -= 1
        let packet = free[freeCount]
        let bytes = self.header(packet)
        UnsafeMutableRawPointer(bytes).copyMemory(from: header, byteCount: Self.headerBytes)
        UnsafeMutableRawPointer(bytes + Self.headerBytes).copyMemory(
            from: body, byteCount: bodyBytes)
        isDamaged[Int(packet)] = false
        receivers[Int(packet)] = to
        if chance >> 20 & 1023 < link.pointee.corrupt { damage(packet, bodyBytes) }
        let due =
            now_ns + link.pointee.latency_ns
            + ((chance >> 32) &* link.pointee.jitter_ns) >> 32
        queue.push(packet, at: due)
        return due
    }

    private mutating func damage(_ packet: UInt32, _ bodyBytes: Int) {
        isDamaged[Int(packet)] = true
        let bit = Int(random.draw(UInt64(8 * (Self.headerBytes + bodyBytes))))
        header(packet)[bit / 8] ^= 1 << UInt8(bit % 8)
    }
}
