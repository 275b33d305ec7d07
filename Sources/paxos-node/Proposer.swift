import Foundation
import Logging
import Paxos

/// Proposes the lines of standard input, again until they are decided.
struct Proposer {
    private let replica: Replica
    private let logger: Logger
    private let session = UInt64.random(in: 1...UInt64.max)

    init(_ replica: Replica, _ logger: Logger) {
        self.replica = replica
        self.logger = logger
    }

    /// Until the end of the input, or of the task.
    func run(valueBytes: Int) async {
        var number: UInt64 = 0
        for await texts in Input.lines() {
            var lines: [Line] = []
            for text in texts.lines {
                guard text.count <= valueBytes - Line.headerBytes else {
                    logger.warning("a line was too long", metadata: ["bytes": "\(text.count)"])
                    continue
                }
                number += 1
                lines.append(Line(session: session, number: number, text: text))
            }
            await propose(lines)
            texts.done()
        }
    }

    /// A line that was decided but is not known to be is proposed twice, and applied once: the
    /// state machine knows it again.
    private func propose(_ lines: [Line]) async {
        var open = lines
        while !open.isEmpty && !Task.isCancelled {
            let answers = await replica.propose(open.map(\.value))
            var left: [Line] = []
            for (line, answer) in zip(open, answers) {
                switch answer {
                case .success: continue
                case .failure(.refused(.stopped, _)): return
                case .failure: left.append(line)
                }
            }
            if !left.isEmpty {
                logger.debug("lines are proposed again", metadata: ["count": "\(left.count)"])
                try? await Task.sleep(for: .milliseconds(20))
            }
            open = left
        }
    }
}

/// Cuts bytes into lines, whatever the pieces in which they come.
struct Cutter {
    /// A line is given out when it is longer than any value may be, so that none grows for ever.
    static let lineBytesMax = 16 << 20
    private var rest: [UInt8] = []
    /// What comes up to the next end of a line belongs to one that was too long.
    private var isSkipping = false

    /// The lines that are whole now.
    mutating func cut(_ bytes: ArraySlice<UInt8>) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var start = bytes.startIndex
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            if !isSkipping { lines.append(rest + bytes[start..<end]) }
            isSkipping = false
            rest = []
            start = end + 1
        }
        if isSkipping { return lines }
        rest += bytes[start...]
        if rest.count > Self.lineBytesMax {
            lines += end()
            isSkipping = true
        }
        return lines
    }

    /// What is left when there is no more.
    mutating func end() -> [[UInt8]] {
        defer { rest = [] }
        return rest.isEmpty ? [] : [rest]
    }
}

/// Standard input, read by a thread of its own, which reads on when what it read is done with.
enum Input {
    struct Lines: Sendable {
        let lines: [[UInt8]]
        let done: @Sendable () -> Void
    }

    static let bytesMax = 64 << 10

    static func lines() -> AsyncStream<Lines> {
        AsyncStream { continuation in
            Thread.detachNewThread {
                let isDone = DispatchSemaphore(value: 0)
                var cutter = Cutter()
                var bytes = [UInt8](repeating: 0, count: bytesMax)
                while true {
                    let count = read(STDIN_FILENO, &bytes, bytes.count)
                    if count < 0 && errno == EINTR { continue }
                    let lines = count > 0 ? cutter.cut(bytes[..<count]) : cutter.end()
                    if !lines.isEmpty {
                        continuation.yield(Lines(lines: lines) { isDone.signal() })
                        isDone.wait()
                    }
                    if count <= 0 { break }
                }
                continuation.finish()
            }
        }
    }
}
