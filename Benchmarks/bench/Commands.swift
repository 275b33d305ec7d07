import ArgumentParser

/// `bench` and `bench run`: measure.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run every suite, or those whose names, or starts of names, are given.")

    @Argument(help: "Names as bench list has them, or how they start.")
    var names: [String] = []

    @Option(help: "Seconds of measuring for each suite, its limit included.")
    var seconds: Double?

    @Option(help: "How often each is measured in that time, 1 to 99; fewer than five say little.")
    var repetitions = 7

    @Flag(help: "One JSON object a line: name, value, unit, limit, spread.")
    var json = false

    @Option(help: ArgumentHelp("Draw the result, too.", valueName: "file.svg"))
    var plot: String?

    @OptionGroup var selection: Selection

    func validate() throws {
        if let seconds, !Limits.seconds.contains(seconds) {
            throw ValidationError("--seconds is 0.01 to 600")
        }
        if !(1...99).contains(repetitions) { throw ValidationError("--repetitions is 1 to 99") }
    }

    func run() throws {
        try reporting {
            let suites = try Catalogue(selection).matching(names)
            let plot = try self.plot.map(Plot.init(path:))
            Build.warnIfDebug()
            let runner = Runner(
                suites: suites, repetitions: repetitions, seconds: seconds ?? Build.seconds)
            let rows = try runner.run()
            (json ? rows.map(\.json) : Table(rows: rows).lines()).forEach(Terminal.print)
            try plot?.draw(rows)
        }
    }
}

/// `bench list`: what there is.
struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Name every suite, its unit, and what its limit contains.")

    @OptionGroup var selection: Selection

    func run() throws {
        let suites = Catalogue(selection).suites
        let names = suites.map { "\($0.name) [\($0.unit.rawValue)]" }
        let width = names.map(\.count).max() ?? 0
        for (name, suite) in zip(names, suites) {
            Terminal.print("\(name.padded(to: width))  limit: \(suite.limitWords)")
        }
        Terminal.print(
            """

            Rates count a second of CPU of the one thread that does all the work; those of the
            journal, of node.* and of replica.* a second of the wall clock, since they wait for disks
            and for each other; the last two run only where they are named. batch=N: N values are proposed, then all
            effects run until every replica has delivered them, then the next N. A row's value
            is the median of its repetitions, its spread half of (largest - smallest) as a part
            of the median.
            """)
    }
}

/// What the compiler was told.
enum Build {
    #if DEBUG
    static let isDebug = true
    #else
    static let isDebug = false
    #endif

    /// Of each suite: the whole in under a minute.
    static let seconds = isDebug ? 0.7 : 1.4

    static func warnIfDebug() {
        guard isDebug else { return }
        Terminal.error(
            """
            This is a debug build, about 10 to 20 times slower than a release build (measured: 21 \
            times for cluster.commit batch=1, 11 for batch=64). For real figures: \
            swift run -c release bench
            """)
    }
}
