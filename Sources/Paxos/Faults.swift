extension LocalCluster {
    /// What the network between the replicas does to frames.
    public struct Faults: Sendable, Hashable {
        /// Every frame arrives at once, unharmed: the fastest network.
        public static let none = Faults()

        /// Probability, 0 to 1, that a frame is lost.
        public var loss: Double
        /// Probability, 0 to 1, that a frame arrives twice.
        public var duplication: Double
        /// How long frames travel, each drawn anew: a range also reorders them.
        public var delay: ClosedRange<Duration>

        /// A network of these faults; what is not named does not occur.
        public init(
            loss: Double = 0, duplication: Double = 0,
            delay: ClosedRange<Duration> = .zero ... .zero
        ) {
            self.loss = loss
            self.duplication = duplication
            self.delay = delay
        }
    }

    /// What the network did so far, in frames.
    public struct Traffic: Sendable, Hashable {
        /// Handed to the network.
        public internal(set) var sent = 0
        /// Lost by chance, by a partition, or because the receiver does not run.
        public internal(set) var lost = 0
        /// Delivered twice.
        public internal(set) var duplicated = 0
        /// Given to a receiver that did not take them.
        public internal(set) var refused = 0
    }
}

/// A frame under way, with the time of its arrival in ns.
struct FrameInFlight {
    let arrival: UInt64
    let sequence: Int
    let receiver: Int
    let bytes: [UInt8]
}

/// The faulty network: draws the fate of each frame from its seed and keeps what is under way.
struct Network {
    var faults: LocalCluster.Faults { didSet { isPerfect = faults == .none && inFlight.isEmpty } }
    var traffic = LocalCluster.Traffic()
    /// Whether frames may be handed over without passing through here.
    private(set) var isPerfect: Bool
    private var random: SplitMix
    private var inFlight: [FrameInFlight] = []
    private(set) var nextArrival = UInt64.max

    init(faults: LocalCluster.Faults, seed: UInt64) {
        self.faults = faults
        isPerfect = faults == .none
        random = SplitMix(seed: seed)
    }

    /// Copies a frame and decides what becomes of it.
    mutating func send(_ bytes: [UInt8], to receiver: Int, now: UInt64) {
        if random.chance(faults.loss) {
            traffic.lost += 1
            return
        }
        let twice = random.chance(faults.duplication)
        if twice { traffic.duplicated += 1 }
        for _ in 0..<(twice ? 2 : 1) {
            let shortest = ManualReplica.Instant(faults.delay.lowerBound).nanoseconds
            let longest = ManualReplica.Instant(faults.delay.upperBound).nanoseconds
            let arrival = now + UInt64.random(in: shortest...max(shortest, longest), using: &random)
            inFlight.append(
                FrameInFlight(
                    arrival: arrival, sequence: traffic.sent, receiver: receiver, bytes: bytes))
            nextArrival = min(nextArrival, arrival)
        }
    }

    /// Takes out what has arrived by `now`, in the order of arrival.
    mutating func arrivals(by now: UInt64) -> [FrameInFlight] {
        guard nextArrival <= now else { return [] }
        let arrived = inFlight.filter { $0.arrival <= now }
        inFlight.removeAll { $0.arrival <= now }
        nextArrival = inFlight.lazy.map(\.arrival).min() ?? .max
        isPerfect = faults == .none && inFlight.isEmpty
        return arrived.sorted { ($0.arrival, $0.sequence) < ($1.arrival, $1.sequence) }
    }
}
