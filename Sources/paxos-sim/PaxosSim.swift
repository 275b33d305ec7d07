import ArgumentParser
import Foundation
import PaxosSimulator

/// `paxos-sim`: real replicas in a world that tries to break them.
@main
struct PaxosSim: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "paxos-sim",
        abstract: "Run real replicas in a deterministic world that tries to break them.",
        discussion: """
            Everything follows from a seed of 64 bits. For speed build for release: \
            swift run -c release paxos-sim
            """,
        subcommands: [Run.self, Replay.self, Profiles.self, Check.self])
}

/// Which worlds.
struct World: ParsableArguments {
    @Option(help: ArgumentHelp("What kind of world; see paxos-sim profiles.", valueName: "name"))
    var profile = "mixed"

    func named() throws -> Profile {
        if let profile = Profile.named(profile) { return profile }
        let names = Profile.all.map(\.name).joined(separator: ", ")
        throw usage("no profile \"\(profile)\"; there are \(names)")
    }
}

/// A seed as people write it: decimal, or hexadecimal behind 0x.
func parseSeed(_ text: String) throws -> UInt64 {
    let seed = text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
    guard let seed else { throw usage("\"\(text)\" is no seed: a number of 64 bits is") }
    return seed
}

/// One clear line; the process ends with 64, as for every wrong use.
func usage(_ message: String) -> ExitCode {
    complain(message)
    return ExitCode(64)
}

func complain(_ message: String) {
    FileHandle.standardError.write(Data("paxos-sim: \(message)\n".utf8))
}

/// `paxos-sim profiles`: what there is.
struct Profiles: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Name every profile.")

    func run() {
        for profile in Profile.all {
            let name = profile.name.padding(toLength: 10, withPad: " ", startingAt: 0)
            print(name + profile.summary)
        }
    }
}
