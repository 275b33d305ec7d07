import Paxos
import Testing

/// A configuration that breaks one rule, and what the error must name.
struct BrokenRule: Sendable, CustomTestStringConvertible {
    let names: String
    let breaks: @Sendable (inout Configuration) -> Void
    var testDescription: String { names }

    init(_ names: String, _ breaks: @escaping @Sendable (inout Configuration) -> Void) {
        self.names = names
        self.breaks = breaks
    }
}

@Suite struct ConfigurationTests {
    let valid = Configuration(cluster: 1, node: 2, members: [3, 1, 2])

    @Test("the default is valid, durable, and takes a known amount of memory")
    func defaultIsValid() throws {
        try valid.validate()
        #expect(valid.durability == .durable)
        #expect(try (17 << 20...18 << 20).contains(valid.blockBytes()))
    }

    @Test(
        "every broken rule is named in the words of this interface",
        arguments: [
            BrokenRule("cluster") { $0.cluster = 0 },
            BrokenRule("incarnation") { $0.incarnation = 0 },
            BrokenRule("node is one of members") { $0.node = 7 },
            BrokenRule("members are 1 to 31") { $0.members = [] },
            BrokenRule("members are 1 to 31") { $0.members = Array(1...32) },
            BrokenRule("distinct") { $0.members = [1, 2, 2] },
            BrokenRule("no member is 0") { $0.members = [0, 1, 2] },
            BrokenRule("q1 + q2") { $0.q1 = 1 },
            BrokenRule("q1 and q2") { $0.q2 = 4 },
            BrokenRule("q1 is 0 to") { $0.q1 = -1 },
            BrokenRule("window is a power of two") { $0.window = 100 },
            BrokenRule("window is 0 to") { $0.window = -1 },
            BrokenRule("pipeline is 1 to window") { $0.pipeline = 20000 },
            BrokenRule("valueBytes") { $0.valueBytes = 0 },
            BrokenRule("frameBytes") { $0.frameBytes = 1000 },
            BrokenRule("arenaBytes") { $0.arenaBytes = 1000 },
            BrokenRule("inflightBytes") { $0.inflightBytes = 16 << 20 },
            BrokenRule("replyRing") { $0.replyRing = 3 },
            BrokenRule("writeRing") { $0.writeRing = 0 },
            BrokenRule("sendRing") { $0.sendRing = 1 << 17 },
            BrokenRule("forwardRing") { $0.forwardRing = 5 },
            BrokenRule("electionTimeout") { $0.electionTimeout = .zero },
            BrokenRule("electionTimeout") { $0.electionTimeout = .seconds(-1) },
        ])
    func brokenRule_isNamed(_ rule: BrokenRule) {
        var configuration = valid
        rule.breaks(&configuration)
        let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
        #expect(error?.description.contains(rule.names) == true, "\(error?.description ?? "valid")")
        #expect(error?.rule.contains("_") == false, "\(error?.rule ?? "")")
        #expect(throws: ConfigurationError.self) { try configuration.blockBytes() }
        #expect(throws: ConfigurationError.self) {
            try ManualReplica(configuration, now: ManualReplica.Instant(nanoseconds: 0))
        }
    }

    @Test("a cluster of no or too many nodes is refused")
    func clusterSize_isChecked() {
        #expect(throws: ConfigurationError.self) { try LocalCluster(nodes: 0) }
        #expect(throws: ConfigurationError.self) { try LocalCluster(nodes: 32) }
        #expect(throws: ConfigurationError.self) { try LocalCluster { $0.window = 3 } }
    }

    @Test("times convert to and from durations without running backwards")
    func instant_converts() {
        let start = ManualReplica.Instant(.seconds(2))
        #expect(start.nanoseconds == 2_000_000_000)
        #expect(start.advanced(by: .milliseconds(-500)).nanoseconds == 1_500_000_000)
        #expect(start.advanced(by: .seconds(-3)).nanoseconds == 0)
        #expect(start.duration(to: ManualReplica.Instant(.seconds(1))) == .seconds(-1))
        #expect(start.duration(to: ManualReplica.Instant(.seconds(5))) == .seconds(3))
        #expect(start < start.advanced(by: .nanoseconds(1)))
    }
}
