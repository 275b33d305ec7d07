import PaxosSimulator
import Testing

/// The checker against histories made by hand.
struct CheckerTests {
    @Test("good histories pass", arguments: History.good)
    func goodHistories_pass(_ history: History) {
        let violation = LinearizabilityChecker.violation(in: history.operations)
        #expect(violation == nil, "\(violation?.description ?? "")")
    }

    @Test("bad histories do not", arguments: History.bad)
    func badHistories_doNotPass(_ history: History) {
        #expect(LinearizabilityChecker.violation(in: history.operations) != nil)
    }

    @Test("a violation names the key, the value and who is concerned")
    func violation_isReadable() throws {
        let history = History.bad.first { $0.name == "a refused write that is read" }!.operations
        let violation = try #require(LinearizabilityChecker.violation(in: history))
        #expect(
            violation.description == """
                key 1 is not linearizable: 5 was refused, and is read
                  client 1, key 1: put 5, refused [1..2 ns]
                  client 2, key 1: get, found 5 [3..4 ns]
                """)
    }
}
