import CJournalModel
import Testing

/// Random lives of a node on a disk that fails, beside a model of what it must not forget.
struct ModelTests {
    /// Rows 2, 3, 8, 9, 10 and 11 of the safety list, wherever a crash can fall.
    @Test(
        "no vote is lost or denied, and a power cut alone costs nothing, whatever the disk does",
        arguments: [
            JOURNAL_POWER_CUTS, JOURNAL_PAGE_CUTS, JOURNAL_KILLS, JOURNAL_ERRORS,
            JOURNAL_TORN_SECTORS, JOURNAL_ROT, JOURNAL_LOST_PAGES, JOURNAL_STALE,
        ])
    func lives_loseNothing(weather: journal_weather) {
        var tally = journal_tally_t()
        for seed in 1...60 as ClosedRange<UInt64> {
            let wrong = journal_model_run(seed, weather, 25, nil, &tally)
                .map { String(cString: $0) }
            #expect(wrong == nil, "weather \(weather.rawValue), seed \(seed)")
        }
        /* The runs went where they were meant to go. */
        #expect(tally.recycled > 100 && tally.crashes_in_open > 50 && tally.full > 50)
        let isDamaging = weather.rawValue >= JOURNAL_TORN_SECTORS.rawValue
        #expect((tally.damaged > 0) == isDamaging)
        #expect((tally.abstained + tally.unknown > 0) == isDamaging)
        if weather != JOURNAL_STALE { #expect(tally.torn > 10) }
        #expect(tally.fetched > 100 * tally.gone / 10 && tally.fetched > 10_000)
    }

    /// The same, through the operating system: what a fall leaves is done to the real files' bytes.
    @Test(
        "no vote is lost or denied on real files",
        arguments: [
            JOURNAL_POWER_CUTS, JOURNAL_PAGE_CUTS, JOURNAL_KILLS, JOURNAL_ERRORS,
            JOURNAL_TORN_SECTORS, JOURNAL_ROT, JOURNAL_LOST_PAGES, JOURNAL_STALE,
        ])
    func realLives_loseNothing(weather: journal_weather) throws {
        let directory = try Directory()
        var tally = journal_tally_t()
        let wrong = journal_model_run(1, weather, 20, directory.path, &tally)
        #expect(wrong.map { String(cString: $0) } == nil, "weather \(weather.rawValue)")
        #expect(tally.crashes > 0 && tally.flushes > 20)
    }

    @Test("killed at any moment, or stopped by a disk error, it has all that it said was durable")
    func kills_loseNothing() throws { try Self.expectKillsLoseNothing(withUring: false) }

    static func expectKillsLoseNothing(withUring: Bool) throws {
        let directory = try Directory()
        var tally = journal_kills_t()
        let wrong = journal_kill_run(directory.path + "/journal", 40, 40, 1, withUring, &tally)
        #expect(wrong.map { String(cString: $0) } == nil)
        #expect(tally.kills == 40 && tally.errors == 40)
        #expect(tally.flushes > 80 && tally.records > 0)
    }
}
