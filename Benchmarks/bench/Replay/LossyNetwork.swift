import Paxos

/// A network that loses, repeats and delays frames, in virtual time and always in the same way for
/// the same seed. A frame on its way is a copy of its bytes.
struct LossyNetwork: ~Copyable {
    /// Of the frames, this part arrives twice.
    static let duplication = 0.05
    static let delay_ns: ClosedRange<UInt64> = 100_000...1_000_000

    struct Frame {
        let arrival_ns: UInt64
        /// Decides between frames that arrive at once.
        let sequence: UInt64
        let receiver: Int
        let bytes: UnsafeMutableRawBufferPointer

        func isBefore(_ other: Frame) -> Bool {
            (arrival_ns, sequence) < (other.arrival_ns, other.sequence)
        }
    }

    private let loss: Double
    private var random: SplitMix
    /// A heap: each frame is before the two at 2i + 1 and 2i + 2.
    private var frames: [Frame] = []
    private(set) var sent: UInt64 = 0
    private(set) var lost: UInt64 = 0
    private(set) var repeated: UInt64 = 0
    private var sequence: UInt64 = 0

    init(loss: Double, seed: UInt64) {
        self.loss = loss
        random = SplitMix(seed: seed)
    }

    deinit {
        for frame in frames { frame.bytes.deallocate() }
    }

    /// When the next frame arrives.
    var nextArrival_ns: UInt64 { frames.first?.arrival_ns ?? .max }

    /// Take a frame, header and body, to `receiver`.
    mutating func send(
        _ header: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, to receiver: Int,
        now_ns: UInt64
    ) {
        sent += 1
        if random.nextUnit() < loss {
            lost += 1
            return
        }
        let copies = random.nextUnit() < LossyNetwork.duplication ? 2 : 1
        if copies == 2 { repeated += 1 }
        for _ in 0..<copies {
            let bytes = UnsafeMutableRawBufferPointer.allocate(
                byteCount: header.count + body.count, alignment: 8)
            bytes.copyMemory(from: header)
            UnsafeMutableRawBufferPointer(rebasing: bytes[header.count...]).copyMemory(from: body)
            let delay_ns = UInt64.random(in: LossyNetwork.delay_ns, using: &random)
            sequence += 1
            push(
                Frame(
                    arrival_ns: now_ns + delay_ns, sequence: sequence, receiver: receiver,
                    bytes: bytes))
        }
    }

    /// The next frame that arrived by `now_ns`; the caller deallocates its bytes.
    mutating func receive(by now_ns: UInt64) -> Frame? {
        guard let first = frames.first, first.arrival_ns <= now_ns else { return nil }
        let last = frames.removeLast()
        if !frames.isEmpty {
            frames[0] = last
            sink()
        }
        return first
    }

    private mutating func push(_ frame: Frame) {
        frames.append(frame)
        var index = frames.count - 1
        while index > 0 && frames[index].isBefore(frames[(index - 1) / 2]) {
            frames.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func sink() {
        var index = 0
        while true {
            var first = index
            for child in [2 * index + 1, 2 * index + 2] where child < frames.count {
                if frames[child].isBefore(frames[first]) { first = child }
            }
            if first == index { return }
            frames.swapAt(index, first)
            index = first
        }
    }
}
