internal import CPaxos

/// A generator with 64 bits of state: the same seed gives the same run on every machine.
/// - Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
package struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 { paxos_random_next(&state) }

    /// A number of [0, 1).
    package mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Whether something of this probability happens now.
    mutating func chance(_ probability: Double) -> Bool {
        probability > 0 && nextUnit() < probability
    }
}
