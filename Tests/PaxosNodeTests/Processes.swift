import Foundation

/// The built `paxos-node` from outside: real processes, real sockets, real files.
final class NodeProcess {
    let id: Int
    private let process = Process()
    private let input = Pipe()
    private let output: URL
    private let errors: URL

    /// - Parameter arguments: all of them.
    init(id: Int, _ arguments: [String], in folder: URL) throws {
        self.id = id
        output = folder.appendingPathComponent("out-\(UUID().uuidString)")
        errors = folder.appendingPathComponent("err-\(UUID().uuidString)")
        for url in [output, errors] { try Data().write(to: url) }
        let products = Bundle.main.executableURL!.deletingLastPathComponent()
        process.executableURL = products.appendingPathComponent("paxos-node")
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    func feed(_ lines: [String]) throws {
        try input.fileHandleForWriting.write(
            contentsOf: Data(lines.map { $0 + "\n" }.joined().utf8))
    }

    func lines() throws -> [Substring] {
        try String(contentsOf: output, encoding: .utf8).split(separator: "\n")
    }

    func messages() throws -> [Substring] {
        try String(contentsOf: errors, encoding: .utf8).split(separator: "\n")
    }

    /// Whom it took for the leader when it last said so.
    func leader() throws -> Int? {
        let said = try messages().last { $0.contains(" leader=") || $0.contains("no leader") }
        guard let name = said?.firstRange(of: /leader=([0-9]+)/) else { return nil }
        return said.flatMap { Int($0[name].dropFirst("leader=".count)) }
    }

    func end(_ signal: Int32) -> Int32 {
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        return process.terminationStatus
    }

    func exitCode() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }
}

/// Waits for at most a minute.
func eventually(_ condition: () throws -> Bool) throws -> Bool {
    let end = Date().addingTimeInterval(60)
    while Date() < end {
        if try condition() { return true }
        usleep(20_000)
    }
    return false
}

/// Ports of loopback that were free a moment ago.
func freePorts(_ count: Int) -> [UInt16] {
    let sockets = (0..<count).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
    defer { sockets.forEach { close($0) } }
    return sockets.map { socket in
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutableBytes(of: &address) { bytes in
            let address = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            precondition(bind(socket, address, length) == 0)
            precondition(getsockname(socket, address, &length) == 0)
        }
        return UInt16(bigEndian: address.sin_port)
    }
}
