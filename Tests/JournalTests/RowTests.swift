import CJournalModel
import CPaxosHost
import Foundation
import Testing

/// Rows of the safety list on real files, step by step; JOURNAL.md says where the others are.
struct RowTests {
    let directory: Directory

    init() throws { directory = try Directory() }

    private func words(_ wrong: UnsafePointer<CChar>?) -> String? {
        wrong.map { String(cString: $0) }
    }

    @Test("row 2: killed right after an acceptance, it refuses an older Prepare in its next life")
    func acceptance_raisesPromise() {
        #expect(words(journal_row_accept_raises(directory.path)) == nil)
    }

    @Test("row 3: the power fails at every call of a node's life: no vote that was told is lost")
    func power_failsEverywhere() {
        var cuts: UInt32 = 0
        #expect(words(journal_row_power_cuts(directory.path, &cuts)) == nil)
        #expect(cuts > 100)
    }

    @Test("row 4: a call fails once and would succeed then: nothing is called again, it is over")
    func error_isFinal() {
        var errors: UInt32 = 0
        #expect(words(journal_row_errors(directory.path, &errors)) == nil)
        #expect(errors > 40)
    }

    @Test("row 20: the power fails at every call while the journal's start moves: all or nothing")
    func base_movesAtOnce() {
        var cuts: UInt32 = 0
        #expect(words(journal_row_base_moves(directory.path, &cuts)) == nil)
        #expect(cuts > 40)
    }

    @Test("the power fails at every call of a format, or the call does: it can be tried again")
    func format_failsEverywhere() {
        var points: UInt32 = 0
        #expect(words(journal_row_format(&points)) == nil)
        #expect(points > 80)
    }

    @Test("row 42: a copied directory is the same node in the same life: only peers can tell")
    func copy_isTheSameLife() throws {
        let (original, copy) = (directory.file("journal"), directory.file("copy"))
        #expect(format(original) == PAXOS_JOURNAL_OK)
        try FileManager.default.copyItem(atPath: original, toPath: copy)
        let (one, other) = (try OpenJournal(original), try OpenJournal(copy))
        #expect(one.report.node == other.report.node)
        #expect(one.report.incarnation == other.report.incarnation)
        /* Neither can tell from its files, but each peer can: the story of a runtime whose directory
         * is copied and started twice is in Tests/CRuntimeModel/directories.c. */
        one.close()
        #expect(try OpenJournal(original).report.incarnation == other.report.incarnation + 1)
    }
}
