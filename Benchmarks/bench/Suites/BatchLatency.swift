import CPaxosHost
import Histogram

/// Times of single batches, from the first proposal to the last delivery, on the wall's clock.
/// - Parameter round: works one batch; false if it failed.
func batchLatency(_ name: String, batch: Int, _ round: () -> Bool) throws -> Latency {
    var histogram = Histogram<UInt64>(
        highestTrackableValue: 10_000_000_000, numberOfSignificantValueDigits: .three)
    for _ in 0..<max(200, 20_000 / batch) {
        let start_ns = paxos_host_clock_ns()
        try require(round(), "\(name): a batch was not delivered everywhere")
        histogram.record(max(1, paxos_host_clock_ns() - start_ns))
    }
    return Latency(
        p50_ns: Int64(histogram.valueAtPercentile(50)),
        p99_ns: Int64(histogram.valueAtPercentile(99)))
}
