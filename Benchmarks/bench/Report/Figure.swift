/// Numbers for a person: three digits that count, and a unit of a thousand.
enum Figure {
    /// `18.2 M`, `812 k`, `10.7 `, as is usual for measures.
    static func text(_ number: Double) -> String {
        let units = ["", "k", "M", "G", "T"]
        var scaled = number
        var unit = 0
        while unit < units.count - 1 && abs(scaled) >= 999.5 {
            scaled /= 1000
            unit += 1
        }
        let digits = abs(scaled) >= 99.95 ? 0 : (abs(scaled) >= 9.995 ? 1 : 2)
        return fixed(scaled, digits) + (unit == 0 ? "" : " " + units[unit])
    }

    /// So many digits behind the point.
    static func fixed(_ number: Double, _ digits: Int) -> String {
        guard number.isFinite else { return "-" }
        var power = 1.0
        for _ in 0..<digits { power *= 10 }
        let scaled = (abs(number) * power).rounded()
        let whole = (scaled / power).rounded(.down)
        let sign = number < 0 && scaled > 0 ? "-" : ""
        if digits == 0 { return sign + String(UInt64(whole)) }
        let rest = UInt64(scaled - whole * power)
        let zeros = String(repeating: "0", count: digits - String(rest).count)
        return "\(sign)\(UInt64(whole)).\(zeros)\(rest)"
    }

    /// A time in the unit that suits it: `812 ns`, `4.12 us`, `1.30 ms`, `2.00 s`.
    static func time(_ time_ns: Double) -> String {
        if time_ns < 999.5 { return text(time_ns) + " ns" }
        if time_ns < 999.5e3 { return text(time_ns / 1e3) + " us" }
        if time_ns < 999.5e6 { return text(time_ns / 1e6) + " ms" }
        return text(time_ns / 1e9) + " s"
    }

    /// A value with its unit.
    static func text(_ value: Double, _ unit: Unit) -> String {
        switch unit {
        case .nanoseconds: time(value)
        case .events: text(value) + " events"
        /* the prefix belongs to the unit: 18.2 Mmsg/s reads badly, 18.2 M msg/s does not */
        case .messages, .commits, .records, .slots, .bytes: text(value) + " " + unit.rawValue
        }
    }
}
