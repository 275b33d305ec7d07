import ArgumentParser
import Foundation
import PaxosSimulator

/// `paxos-sim check`: explore whole spaces of small clusters.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Explore every behaviour of a small cluster of real replicas.",
        discussion: """
            All orders, losses and repetitions of messages, all delays of flushes, and crashes with \
            restart, breadth first. A broken rule is printed with the fewest steps that lead to it.

            Exit status: 0 all was seen and every rule holds, 1 a rule is broken, 2 there are more \
            states than --limit, 3 they need more memory than --memory, 64 the command line is \
            wrong.
            """)

    @Argument(
        help:
            "Spaces as --list names them; 'small', 'quick', 'thorough' are several (default: quick)."
    )
    var spaces: [String] = []

    @Flag(help: "Name every space and reduction.")
    var list = false

    @Option(help: ArgumentHelp("Do without a reduction; may be repeated.", valueName: "reduction"))
    var without: [String] = []

    @Option(help: ArgumentHelp("Use one more reduction; may be repeated.", valueName: "reduction"))
    var with: [String] = []

    @Option(help: "Give up beyond so many states, each about 40 bytes.")
    var limit = 4_000_000_000

    @Option(
        help: ArgumentHelp(
            "Give up before this process takes more memory (default: half of the machine's).",
            valueName: "GiB"))
    var memory: Double?

    func run() throws {
        if list { return printList() }
        let spaces: [Space]
        do {
            spaces = try chosen()
        } catch {
            FileHandle.standardError.write(Data("paxos-sim check: \(error.words)\n".utf8))
            throw ExitCode.validationFailure
        }
        var status = ExitCode.success
        for space in spaces {
            let ended = CheckReport(space).run(limit: limit, memoryBytes: memoryBytes)
            if status == .success || ended == .failure { status = ended }
        }
        throw status
    }

    private struct BadInput: Error {
        let words: String
    }

    private var memoryBytes: Int {
        let machine = Double(ProcessInfo.processInfo.physicalMemory)
        return Int(memory.map { $0 * 1_073_741_824 } ?? machine / 2)
    }

    /// The spaces asked for, with the reductions asked for.
    private func chosen() throws(BadInput) -> [Space] {
        guard (1...4_000_000_000).contains(limit) else {
            throw BadInput(words: "--limit is 1 to 4000000000")
        }
        guard memory.map({ (0.1...65_536).contains($0) }) ?? true else {
            throw BadInput(words: "--memory is 0.1 to 65536 GiB")
        }
        var spaces: [Space] = []
        for name in self.spaces.isEmpty ? ["quick"] : self.spaces {
            guard let some = Space.groups[name] ?? Space.named(name).map({ [$0] }) else {
                throw BadInput(words: "no space is called '\(name)': see --list")
            }
            spaces += some
        }
        let more = try reductions(with)
        let less = try reductions(without)
        return spaces.map { space in
            var space = space
            space.reductions = space.reductions.union(more).subtracting(less)
            return space
        }
    }

    private func reductions(_ names: [String]) throws(BadInput) -> Reductions {
        var set: Reductions = []
        for name in names {
            guard let known = Reductions.names.first(where: { $0.name == name }) else {
                throw BadInput(words: "no reduction is called '\(name)': see --list")
            }
            set.formUnion(known.reduction)
        }
        return set
    }

    private func printList() {
        print("spaces (3 nodes each):")
        for space in Space.catalogue {
            print(
                "  \(space.name): \(space.summary); \(space.reductions.words.joined(separator: " "))"
            )
        }
        print("reductions:", Reductions.names.map(\.name).joined(separator: " "))
    }
}
