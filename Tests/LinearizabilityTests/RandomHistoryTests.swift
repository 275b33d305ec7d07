import PaxosSimulator
import Testing

/// The checker against histories that are made good, spoilt, or left to chance.
struct RandomHistoryTests {
    /// What clients of a true map see: an operation takes effect at one instant within its time.
    /// Some get no answer; half of those never happen. Some are refused.
    static func trueHistory(
        operations: Int, clients: Int, keys: UInt32, withoutAnswer: Int, seed: UInt64
    ) -> [Operation] {
        var random = SplitMix(seed: seed)
        var history: [Operation] = []
        var effects: [(time: UInt64, index: Int)] = []
        var free = [UInt64](repeating: 0, count: clients)
        var hint = [UInt32: Operation.Value]()
        for index in 0..<operations {
            let client = random.below(clients)
            let start = free[client] + 1 + UInt64(random.below(20))
            let effect = start + UInt64(random.below(50))
            let end = effect + 1 + UInt64(random.below(50))
            free[client] = end
            let key = UInt32(random.below(Int(keys)))
            let value = UInt64(index) + 1
            let call: Operation.Call =
                switch random.below(3) {
                case 0: .get
                case 1: .put(value)
                default: .swap(expected: hint[key, default: 0], value)
                }
            hint[key] = value
            var outcome = Operation.Outcome.found(0)
            if random.chance(withoutAnswer) { outcome = random.chance(80) ? .unknown : .refused }
            history.append(
                Operation(
                    client: client, key: key, call: call,
                    invoked: Moment(time_ns: start, order: UInt64(index)),
                    responded: outcome == .unknown
                        ? .never : Moment(time_ns: end, order: UInt64(index)),
                    outcome: outcome))
            if outcome == .found(0) {
                effects.append((effect, index))
            } else if outcome == .unknown && random.chance(50) {
                effects.append((effect + UInt64(random.below(5000)), index))
            }
        }
        var values: [UInt32: Operation.Value] = [:]
        for (_, index) in effects.sorted(by: { $0 < $1 }) {
            let found = values[history[index].key, default: 0]
            if history[index].outcome != .unknown { history[index].outcome = .found(found) }
            values[history[index].key] = history[index].applied(to: found)!
        }
        return history
    }

    @Test("true histories pass: 10,000 operations of 10 clients on 10 keys in milliseconds")
    func trueHistories_pass() {
        let clock = ContinuousClock()
        for withoutAnswer in [0, 5, 30] {
            var times: [Duration] = []
            for seed in 1...5 as ClosedRange<UInt64> {
                let history = Self.trueHistory(
                    operations: 10_000, clients: 10, keys: 10, withoutAnswer: withoutAnswer,
                    seed: seed)
                times.append(
                    clock.measure {
                        let violation = LinearizabilityChecker.violation(in: history)
                        #expect(violation == nil, "seed \(seed): \(violation!)")
                    })
            }
            print(
                "linearizability: 10,000 operations, \(withoutAnswer) % without answer,",
                "best of 5: \(times.min()!)")
        }
    }

    @Test("a true history with one answer changed does not pass")
    func oneWrongAnswer_isFound() {
        for seed in 1...100 as ClosedRange<UInt64> {
            var history = Self.trueHistory(
                operations: 1000, clients: 6, keys: 3, withoutAnswer: 10, seed: seed)
            var random = SplitMix(seed: seed)
            let completed = history.indices.filter { history[$0].found != nil }
            let index = completed[random.below(completed.count)]
            let others = history.filter { $0.key == history[index].key && $0.outcome != .refused }
                .compactMap(\.written)
            let wrong = others[random.below(others.count)]
            if wrong == history[index].found || history[index].written == wrong { continue }
            history[index].outcome = .found(wrong)
            let isFound = LinearizabilityChecker.violation(in: history) != nil
            /* Reads that overlap much may be moved; a write that finds another value may not. */
            if history[index].written != nil { #expect(isFound, "seed \(seed)") }
        }
    }

    @Test("as trying every order says, in 20,000 histories of a few operations")
    func smallHistories_areJudgedAsByTryingAll() {
        var random = SplitMix(seed: 1)
        var verdicts = [0, 0]
        for round in 1...20_000 {
            let count = 2 + random.below(5)
            let history = (0..<count).map { index in
                let start = UInt64(random.below(12))
                let value = UInt64(index) + 1
                let any = UInt64(random.below(count + 1))
                let call: Operation.Call =
                    switch random.below(3) {
                    case 0: .get
                    case 1: .put(value)
                    default: .swap(expected: any == value ? 0 : any, value)
                    }
                let found = UInt64(random.below(count + 1))
                let outcome: Operation.Outcome =
                    switch random.below(10) {
                    case 0: .refused
                    case 1, 2: .unknown
                    default: .found(random.chance(40) ? 0 : found)
                    }
                return operation(
                    index, call, start...(start + 1 + UInt64(random.below(9))), outcome)
            }
            let violation = LinearizabilityChecker.violation(in: history)
            verdicts[violation == nil ? 1 : 0] += 1
            #expect(hasOrder(history) == (violation == nil), "round \(round): \(history)")
        }
        #expect(verdicts.min()! > 1000, "bad and good: \(verdicts)")
    }
}
