#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Standard output and standard error, and whether a person sits behind them.
enum Terminal {
    static func error(_ line: String) { write(line + "\n", to: 2) }

    static func print(_ line: String) { write(line + "\n", to: 1) }

    /// Progress goes to standard error, and only where it can be wiped out again.
    static let showsProgress = isatty(2) == 1

    static func progress(_ text: String) {
        if showsProgress { write("\r\u{1B}[K" + text, to: 2) }
    }

    /// Width of the terminal on standard error; 80 where it does not say.
    static var columns: Int {
        var size = winsize()
        return ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                #if canImport(Glibc)
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                #elseif canImport(Musl)
                let count = Musl.write(descriptor, rest.baseAddress, rest.count)
                #else
                let count = Darwin.write(descriptor, rest.baseAddress, rest.count)
                #endif
                if count < 0 && errno == EINTR { continue }
                if count <= 0 { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }
}
