import ArgumentParser
import CPaxosHost
import Foundation

/// `paxos-journal`: what a node's journal holds, for people.
@main
struct PaxosJournal: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "paxos-journal",
        abstract: "Look at the journal of a node that is stopped, and change nothing.",
        discussion: """
            While a node has its journal open, every command refuses; while a command looks, the \
            node cannot start.

            Exit status: 0 all is well, 1 verify found damage, 2 the journal cannot be opened, \
            64 the command line is wrong.
            """,
        subcommands: [Inspect.self, Verify.self, Dump.self])
}

/// Where the journal is.
struct Place: ParsableArguments {
    @Argument(help: ArgumentHelp("The node's directory.", valueName: "directory"))
    var directory: String

    func open() throws -> Journal {
        do {
            return try Journal(directory)
        } catch {
            complain("\(directory): \(error.words)")
            throw ExitCode(2)
        }
    }
}

/// One line on standard error.
func complain(_ message: String) {
    FileHandle.standardError.write(Data("paxos-journal: \(message)\n".utf8))
}

/// Lines on standard output, many at a time; where nobody reads them any more, the process ends.
struct Output {
    private var bytes: [UInt8] = []

    mutating func line(_ text: String) {
        bytes.append(contentsOf: text.utf8)
        bytes.append(UInt8(ascii: "\n"))
        if bytes.count > 1 << 16 { flush() }
    }

    mutating func flush() {
        FileHandle.standardOutput.write(Data(bytes))
        bytes.removeAll(keepingCapacity: true)
    }
}

/// A size as people read it.
func size(_ bytes: UInt64) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PAXOS_HOST_TEXT_BYTES)) { room in
        String(cString: paxos_host_size_text(bytes, room.baseAddress!))
    }
}

/// A ballot as round and node; none is a dash.
func ballot(_ ballot: UInt64) -> String {
    ballot == 0 ? "-" : "\(ballot >> 16).\(ballot & 0xFFFF)"
}
