/// A node's clock: it started somewhere, and runs a little fast or slow.
///
/// Both ways are exact in integers: `local(at: global(at: t)) >= t`.
struct Clock: BitwiseCopyable {
    /// The true time, and what this clock said then.
    private var true_ns: UInt64 = 0
    private var local_ns: UInt64 = 0
    /// 1,024ths of the true speed.
    private(set) var rate: UInt64 = 1024

    init(offset_ns: UInt64 = 0, rate: UInt64 = 1024) {
        local_ns = offset_ns
        self.rate = rate
    }

    @inline(__always)
    func local(at time_ns: UInt64) -> UInt64 {
        let passed = time_ns - true_ns
        return local_ns &+ (rate == 1024 ? passed : (passed &* rate) >> 10)
    }

    /// The first true time at which this clock says `local`, or more.
    @inline(__always)
    func global(at local: UInt64) -> UInt64 {
        if local <= local_ns { return true_ns }
        let left = local - local_ns
        if left >= 1 << 50 { return .max }
        return true_ns + (rate == 1024 ? left : (left << 10 + rate - 1) / rate)
    }

    mutating func setRate(_ rate: UInt64, at time_ns: UInt64) {
        (local_ns, true_ns, self.rate) = (local(at: time_ns), time_ns, rate)
    }

    mutating func jump(_ by_ns: UInt64, back: Bool, at time_ns: UInt64) {
        let now = local(at: time_ns)
        (local_ns, true_ns) = (back ? now - min(now, by_ns) : now + by_ns, time_ns)
    }
}
