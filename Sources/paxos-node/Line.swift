/// A line with the identity that makes it known again when it comes twice.
struct Line {
    /// Drawn at random by the process that read the line.
    let session: UInt64
    /// Counts that process's lines, from 1.
    let number: UInt64
    let text: [UInt8]

    static let headerBytes = 16

    /// As a proposed value: session and number, little-endian, then the text.
    var value: [UInt8] {
        var value: [UInt8] = []
        value.reserveCapacity(Self.headerBytes + text.count)
        for word in [session, number] {
            withUnsafeBytes(of: word.littleEndian) { value.append(contentsOf: $0) }
        }
        return value + text
    }

    init(session: UInt64, number: UInt64, text: [UInt8]) {
        self.session = session
        self.number = number
        self.text = text
    }

    /// `nil`: no line's value.
    init?(value: UnsafeRawBufferPointer) {
        guard value.count >= Self.headerBytes else { return nil }
        session = UInt64(littleEndian: value.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
        number = UInt64(littleEndian: value.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        text = Array(value.dropFirst(Self.headerBytes))
    }
}

/// Which lines of a session there have been: all up to a number, and some above it.
struct Seen {
    private var upTo: UInt64 = 0
    private var above: Set<UInt64> = []

    /// `false`: it has been there before.
    mutating func insert(_ number: UInt64) -> Bool {
        guard number > upTo, above.insert(number).inserted else { return false }
        while above.remove(upTo + 1) != nil { upTo += 1 }
        return true
    }
}
