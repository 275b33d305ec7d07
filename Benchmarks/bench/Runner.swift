import CPaxosHost

/// One line of the result.
struct Row {
    let name: String
    let unit: Unit
    let value: Double
    let limit: Double
    /// Half of (largest - smallest), as a part of the median.
    let spread: Double
    let latency: Latency?

    /// How near to its limit, 1 being there, whichever way the unit counts.
    var partOfLimit: Double { unit.isRate ? value / limit : limit / value }
}

/// Runs suites in turn, so that noise from outside hits all of them alike.
struct Runner {
    let suites: [any Suite]
    let repetitions: Int
    /// Of measuring, for each suite, all repetitions and its limit together.
    let seconds: Double

    /// What is taken from a repetition's time for the limit.
    private static let limitPart = 0.2

    func run() throws -> [Row] {
        var progress = Progress(steps: suites.count * (repetitions + 1))
        defer { progress.clear() }
        for suite in suites {
            progress.step("preparing \(suite.name)")
            try suite.prepare()
            _ = try suite.run(for: slice_ns(0.05))
            _ = try suite.runLimit(for: slice_ns(0.02))
        }
        var values = [[Double]](repeating: [], count: suites.count)
        var limits = values
        for repetition in 1...repetitions {
            for (index, suite) in suites.enumerated() {
                progress.step("\(repetition) of \(repetitions)  \(suite.name)")
                let slice = 1 - Runner.limitPart
                values[index].append(try suite.run(for: slice_ns(slice)).value(in: suite.unit))
                let limit = try suite.runLimit(for: slice_ns(Runner.limitPart))
                limits[index].append(limit.value(in: suite.unit))
            }
        }
        return try suites.indices.map { index in
            defer { suites[index].release() }
            return try row(of: suites[index], values: values[index], limits: limits[index])
        }
    }

    private func slice_ns(_ part: Double) -> UInt64 {
        UInt64(max(1, seconds / Double(repetitions) * part * 1e9))
    }

    private func row(of suite: any Suite, values: [Double], limits: [Double]) throws -> Row {
        let value = median(values)
        let spread = (values.max()! - values.min()!) / 2 / value
        return Row(
            name: suite.name, unit: suite.unit, value: value, limit: median(limits),
            spread: spread, latency: try suite.latency())
    }
}

/// The middle one, or the mean of the middle two. Pre: not empty.
func median(_ numbers: [Double]) -> Double {
    let sorted = numbers.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
