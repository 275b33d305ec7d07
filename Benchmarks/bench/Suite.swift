import CPaxosHost

/// What a figure counts.
enum Unit: String {
    case messages = "msg/s"
    case commits = "commits/s"
    case records = "records/s"
    case slots = "slots/s"
    case bytes = "bytes/s"
    case nanoseconds = "ns"
    case events = "events"

    /// Whether more of it is better.
    var isRate: Bool { self != .nanoseconds && self != .events }
}

/// Work done and what it cost: nanoseconds of this thread's CPU, or events where they are counted.
struct Measure {
    var work: UInt64 = 0
    var cost: UInt64 = 0

    /// The figure in its unit: work a second, or the cost of one piece of work.
    func value(in unit: Unit) -> Double {
        let work = Double(max(work, 1))
        return unit.isRate ? work / Double(max(cost, 1)) * 1e9 : Double(cost) / work
    }
}

/// Times that single pieces of work took, in nanoseconds.
struct Latency {
    let p50_ns: Int64
    let p99_ns: Int64
    var p999_ns: Int64?
}

/// One line of the table: something that is measured over and over, and its limit.
protocol Suite: AnyObject {
    /// Stable: later runs are compared by it.
    var name: String { get }
    var unit: Unit { get }
    /// What the limit contains, in words.
    var limitWords: String { get }

    /// Whether it runs only where its name is given.
    var isAskedFor: Bool { get }

    /// Make everything that the measurement needs; called once, before the first repetition.
    func prepare() throws
    /// Work for about so long.
    func run(for slice_ns: UInt64) throws -> Measure
    /// Do what cannot be avoided, for about so long.
    func runLimit(for slice_ns: UInt64) throws -> Measure
    /// Look at single pieces of work, where that says something.
    func latency() throws -> Latency?
    /// Give the memory back; called once, after the last repetition.
    func release()
}

extension Suite {
    var isAskedFor: Bool { false }
    func latency() throws -> Latency? { nil }
}

/// Call `lap` until the laps' own time adds up to the slice.
@inline(__always)
func laps(for slice_ns: UInt64, _ lap: () throws -> Measure) rethrows -> Measure {
    var sum = Measure()
    repeat {
        let measure = try lap()
        sum.work += measure.work
        sum.cost += measure.cost
    } while sum.cost < slice_ns
    return sum
}

/// Time of this thread's CPU that `body` takes.
@inline(__always)
func cpuTime(_ body: () throws -> Void) rethrows -> UInt64 {
    let start_ns = paxos_host_cpu_ns()
    try body()
    return paxos_host_cpu_ns() - start_ns
}

/// A fact that a measurement rests on.
@inline(__always)
func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    if !condition { throw BenchError(message()) }
}
