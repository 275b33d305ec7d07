import CPaxosHost

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file and where its lines are. A newline ends a line, and the end of the file does, too; all
/// other bytes are kept as they are.
final class Lines {
    static let valueBytesMax = 1 << 20

    let path: String
    let bytes: [UInt8]
    /// Where each line starts, and where one more would.
    private let starts: [Int]
    let longest: Int

    /// - Throws: a `BenchError` for a file that cannot be read, is empty, or has too long a line.
    init(path: String) throws {
        self.path = path
        bytes = try Lines.read(path)
        if bytes.isEmpty { throw BenchError("\(path) is empty") }
        var starts = [0]
        var longest = 0
        let newline = UInt8(ascii: "\n")
        for (index, byte) in bytes.enumerated() where byte == newline {
            longest = max(longest, index - starts[starts.count - 1])
            starts.append(index + 1)
            try Lines.check(path, line: starts.count - 1, byteCount: longest)
        }
        if bytes[bytes.count - 1] != newline {
            longest = max(longest, bytes.count - starts[starts.count - 1])
            /* as if a newline followed: its place is not read */
            starts.append(bytes.count + 1)
            try Lines.check(path, line: starts.count - 1, byteCount: longest)
        }
        self.starts = starts
        self.longest = longest
    }

    var count: Int { starts.count - 1 }

    /// The bytes of a line, without its newline.
    func range(_ line: Int) -> Range<Int> { starts[line]..<starts[line + 1] - 1 }

    private static func check(_ path: String, line: Int, byteCount: Int) throws {
        guard byteCount > valueBytesMax else { return }
        throw BenchError(
            "\(path): line \(line) has \(byteCount) bytes; a value has up to \(valueBytesMax) "
                + "(\(sizeText(valueBytesMax)))")
    }

    static func sizeText(_ byteCount: Int) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PAXOS_HOST_TEXT_BYTES)) {
            String(cString: paxos_host_size_text(UInt64(byteCount), $0.baseAddress!))
        }
    }

    private static func read(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "rb") else { throw failure(path) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        let step = 1 << 20
        while true {
            let before = bytes.count
            bytes.append(contentsOf: repeatElement(0, count: step))
            let count = bytes.withUnsafeMutableBytes {
                fread($0.baseAddress! + before, 1, step, file)
            }
            bytes.removeLast(step - count)
            if count < step {
                if ferror(file) != 0 { throw failure(path) }
                return bytes
            }
        }
    }

    private static func failure(_ path: String) -> BenchError {
        BenchError("cannot read \(path): \(String(cString: strerror(errno)))")
    }
}
