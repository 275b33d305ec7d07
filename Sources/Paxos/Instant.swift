extension ManualReplica {
    /// A time that a host tells a replica: nanoseconds since an origin of the host's choice, by any
    /// clock that never runs backwards. The replica itself reads no clock.
    public struct Instant: Sendable, Hashable, InstantProtocol {
        /// Since the host's origin.
        public let nanoseconds: UInt64

        /// The time so many nanoseconds after the origin.
        public init(nanoseconds: UInt64) {
            self.nanoseconds = nanoseconds
        }

        /// The time so long after the origin; negative times are the origin, and what is over 584
        /// years is that.
        ///
        ///     let start = ContinuousClock.now
        ///     try replica.tick(now: .init(start.duration(to: .now)))
        public init(_ sinceOrigin: Duration) {
            let parts = sinceOrigin.components
            guard parts.seconds >= 0, parts.attoseconds >= 0 else {
                nanoseconds = 0
                return
            }
            let (whole, isOver) = UInt64(parts.seconds)
                .multipliedReportingOverflow(by: 1_000_000_000)
            let part = UInt64(parts.attoseconds / 1_000_000_000)
            nanoseconds = isOver || whole > .max - part ? .max : whole + part
        }

        /// The time `duration` later; never before the origin.
        public func advanced(by duration: Duration) -> Instant {
            Instant(Duration.nanoseconds(Int64(clamping: nanoseconds)) + duration)
        }

        /// How much later `other` is.
        public func duration(to other: Instant) -> Duration {
            other.nanoseconds >= nanoseconds
                ? .nanoseconds(Int64(clamping: other.nanoseconds - nanoseconds))
                : .nanoseconds(-Int64(clamping: nanoseconds - other.nanoseconds))
        }

        /// Whether `left` is earlier.
        public static func < (left: Instant, right: Instant) -> Bool {
            left.nanoseconds < right.nanoseconds
        }
    }
}
