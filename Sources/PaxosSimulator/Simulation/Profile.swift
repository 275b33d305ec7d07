/// What kind of world a seed draws: how large, how fast, and what goes wrong in it.
///
/// All numbers are integers: the same world on every machine.
///
/// Faults that take durable data from a node (``Fault/losesData``) strike at most f nodes of a world,
/// where f = members - max(q1, q2): the algorithm promises nothing beyond. All others may strike
/// every node at once.
package struct Profile: Sendable {
    package let name: String
    package let summary: String
    var members: [Int] = [3, 3, 5]
    /// Per cent of the worlds that keep votes in memory only.
    var memoryOnlyPercent: UInt64 = 30
    /// Per cent of the worlds with windows, arenas and rings as small as they can be.
    var tinyPercent: UInt64 = 30
    /// Per cent of the durable worlds whose hosts bring from their journals what was trimmed.
    var retainingPercent: UInt64 = 75
    /// How long faults go on.
    var trouble_ms: ClosedRange<UInt64> = 3000...8000
    /// Between the start of one fault and the next.
    var pause_ms: ClosedRange<UInt64> = 50...800
    /// How long a fault lasts.
    var lasts_ms: ClosedRange<UInt64> = 20...2500
    var faults: [Fault.Kind] = []
    /// One way, when nothing is wrong.
    var latency_us: ClosedRange<UInt64> = 50...500
    /// The spread of the latency, drawn up to this for each world.
    var jitter_us: UInt64 = 5000
    /// Background loss and duplication, drawn up to this for each world, in 1,024.
    var lossMax: UInt64 = 0
    var duplicateMax: UInt64 = 0
    var flush_us: ClosedRange<UInt64> = 20...5000
    /// Time between two visits of clients.
    var visit_us: ClosedRange<UInt64> = 500...20_000
    /// Most proposals in a visit.
    var burst: UInt64 = 8
    var valueBytes: UInt64 = 64
    /// Clock rates of the nodes, up to so many 1,024ths off; offsets up to so many seconds.
    var drift: UInt64 = 0
    var skew_s: UInt64 = 0
    /// Commits must go on although faults do: from the first fault on.
    var mustProgressInTrouble = false
    /// Whether `mixed` draws it.
    var isMixedIn = true
    /// A member that is silent for this long must not fill the window.
    var window: UInt32 = 64

    package static let all: [Profile] = [
        mixed, calm, network, partial, stalled, crashes, disks, away, clocks, overload, tiny,
        memory, cruel,
    ]

    package static func named(_ name: String) -> Profile? { all.first { $0.name == name } }

    /// The profile that a seed's world is drawn from: `mixed` picks another one.
    func drawn(by random: inout SplitMix) -> Profile {
        guard name == Profile.mixed.name else { return self }
        let others = Profile.all.filter(\.isMixedIn)
        return others[Int(random.draw(UInt64(others.count)))]
    }
}

extension Profile {
    private static let links: [Fault.Kind] = [
        .isolate, .split, .split, .oneWay, .loss, .loss, .duplicate, .corrupt, .slowNode,
        .quorumLoss,
    ]
    private static let stops: [Fault.Kind] = [.crash, .crash, .crashLeader, .crashLeader, .pause]
    private static let disk: [Fault.Kind] = [.stall, .slowDisk, .flushError]
    private static let damage: [Fault.Kind] = [
        .bitRot, .misdirected, .staleRead, .lostFlush, .lostDisk,
    ]
    private static let time: [Fault.Kind] = [.drift, .jump, .jump, .pause]

    static let mixed = Profile(
        name: "mixed", summary: "each seed draws one of the others (the default)",
        isMixedIn: false)
    static let calm = Profile(
        name: "calm", summary: "nothing goes wrong", memoryOnlyPercent: 40, tinyPercent: 0,
        trouble_ms: 2000...4000, jitter_us: 300, visit_us: 100...2000, burst: 16)
    static let network = Profile(
        name: "network",
        summary: "loss, duplication, reordering, damage, slow links, partitions of all kinds",
        faults: links, jitter_us: 40_000, lossMax: 100, duplicateMax: 100)
    static let partial = Profile(
        name: "partial",
        summary: "quorum loss, constrained, chained: progress within four election timeouts",
        members: [3, 5, 5], tinyPercent: 0, trouble_ms: 4500...4500, pause_ms: 10_000...10_000,
        lasts_ms: 10_000...10_000, faults: [.quorumLoss, .constrained, .chained],
        latency_us: 500...2000, visit_us: 20_000...50_000, burst: 2, mustProgressInTrouble: true,
        window: 512)
    static let stalled = Profile(
        name: "stalled",
        summary: "a disk stops and stays so: who leads with it steps down, and the others go on",
        memoryOnlyPercent: 0, tinyPercent: 100, trouble_ms: 5500...5500,
        pause_ms: 10_000...10_000, lasts_ms: 10_000...10_000, faults: [.stall],
        latency_us: 500...2000, visit_us: 500...5000, mustProgressInTrouble: true,
        isMixedIn: false)
    static let crashes = Profile(
        name: "crashes", summary: "power cuts and restarts at any step, also of whoever leads",
        memoryOnlyPercent: 0, pause_ms: 20...500, lasts_ms: 5...1500, faults: stops + [.split],
        lossMax: 20)
    static let disks = Profile(
        name: "disks",
        summary: "stalls, errors, bit rot, misdirected and stale reads, lost flushes and disks",
        memoryOnlyPercent: 0, pause_ms: 20...500, lasts_ms: 5...1500,
        faults: disk + damage + [.crash, .crashLeader], flush_us: 20...40_000)
    static let away = Profile(
        name: "away",
        summary: "members are gone for many windows, and catch up from journals, damaged or not",
        memoryOnlyPercent: 0, tinyPercent: 60, retainingPercent: 100, trouble_ms: 3000...6000,
        pause_ms: 200...1500, lasts_ms: 800...4000,
        faults: [
            .isolate, .crash, .crash, .crashLeader, .split, .bitRot, .misdirected, .staleRead,
        ],
        lossMax: 40, visit_us: 200...3000, burst: 16)
    static let clocks = Profile(
        name: "clocks", summary: "skew, drift, jumps, pauses",
        faults: time + [.split, .crashLeader], drift: 200, skew_s: 1000)
    static let overload = Profile(
        name: "overload", summary: "clients ask for far more than the cluster can do",
        trouble_ms: 1500...3000, faults: [.burst, .slowNode, .slowDisk, .pause, .split],
        visit_us: 100...1000, burst: 64)
    static let tiny = Profile(
        name: "tiny", summary: "windows, arenas and rings as small as they can be",
        tinyPercent: 100, faults: links + stops + disk, jitter_us: 20_000, lossMax: 50,
        duplicateMax: 50)
    static let memory = Profile(
        name: "memory", summary: "votes in memory only; nodes stop for good",
        memoryOnlyPercent: 100,
        faults: links + [.pause, .crash, .crashLeader], jitter_us: 20_000, lossMax: 30)
    static let cruel = Profile(
        name: "cruel", summary: "everything at once", pause_ms: 10...200, lasts_ms: 5...2000,
        faults: links + stops + stops + disk + damage + time + [.burst], jitter_us: 40_000,
        lossMax: 100, duplicateMax: 100, flush_us: 20...40_000, drift: 100, skew_s: 100)
}

extension SplitMix {
    /// A number below `bound`, without a division.
    @inline(__always)
    mutating func draw(_ bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }

    @inline(__always)
    mutating func draw(_ range: ClosedRange<UInt64>) -> UInt64 {
        range.lowerBound + draw(range.upperBound - range.lowerBound + 1)
    }

    /// More often small than large, over several orders of magnitude.
    mutating func drawSkewed(_ range: ClosedRange<UInt64>) -> UInt64 {
        let span = range.upperBound - range.lowerBound
        return range.lowerBound + draw((span >> draw(7)) + 1)
    }
}
