/// When something happened: the simulated time, and the order among what happened at one time.
package struct Moment: Comparable, Sendable {
    package let time_ns: UInt64
    package let order: UInt64

    package init(time_ns: UInt64, order: UInt64) {
        self.time_ns = time_ns
        self.order = order
    }

    package static let never = Moment(time_ns: .max, order: .max)

    package static func < (left: Moment, right: Moment) -> Bool {
        left.time_ns != right.time_ns ? left.time_ns < right.time_ns : left.order < right.order
    }
}

/// One operation of a client on one key of a map, from its invocation to its response.
///
/// Every operation answers with the value that it found, and no value is written twice: so an answer
/// says after which write its operation came. A key that nobody wrote holds 0.
package struct Operation: Sendable {
    package typealias Value = UInt64

    package enum Call: Hashable, Sendable {
        case get
        case put(Value)
        /// Writes the value if the expected one is found.
        case swap(expected: Value, Value)
    }

    package enum Outcome: Hashable, Sendable {
        /// Done, on this value.
        case found(Value)
        /// It may have happened, may happen later, or never.
        case unknown
        /// It did not happen and never will.
        case refused
    }

    package let client: Int
    package let key: UInt32
    package let call: Call
    package let invoked: Moment
    package var responded: Moment
    package var outcome: Outcome

    package init(
        client: Int, key: UInt32, call: Call, invoked: Moment, responded: Moment = .never,
        outcome: Outcome = .unknown
    ) {
        self.client = client
        self.key = key
        self.call = call
        self.invoked = invoked
        self.responded = responded
        self.outcome = outcome
    }

    /// What it would write; nil: it only reads.
    package var written: Value? {
        switch call {
        case .get: nil
        case .put(let value), .swap(_, let value): value
        }
    }

    /// What a completed operation found.
    package var found: Value? {
        if case .found(let value) = outcome { value } else { nil }
    }

    /// The value after it, if it happens where `value` stands; nil: by its answer it did not.
    package func applied(to value: Value) -> Value? {
        if let found, found != value { return nil }
        switch call {
        case .get: return value
        case .put(let new): return new
        case .swap(let expected, let new): return expected == value ? new : value
        }
    }
}

extension Operation: CustomStringConvertible {
    package var description: String {
        let call =
            switch self.call {
            case .get: "get"
            case .put(let value): "put \(value)"
            case .swap(let expected, let value): "swap \(expected) for \(value)"
            }
        let outcome =
            switch self.outcome {
            case .found(let value): "found \(value)"
            case .unknown: "unknown"
            case .refused: "refused"
            }
        let end = responded == .never ? "" : "\(responded.time_ns)"
        return "client \(client), key \(key): \(call), \(outcome) [\(invoked.time_ns)..\(end) ns]"
    }
}
