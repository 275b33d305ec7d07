import CPaxos

/// A node's journal, and what a disk does to it. This is all that a host asks of durability: append
/// a record, flush, and after a restart read back what is there.
///
/// What is flushed is there after a power cut, unless a fault says otherwise. Of what is not, any
/// part may be: writes complete in any order, the last may be torn.
struct SimulatedDisk: ~Copyable {
    struct Record: BitwiseCopyable {
        var offset = 0
        var bodyBytes = 0
        var lsn: UInt64 = 0
        var trim: UInt64 = 0
        var last: UInt64 = 0
        /// Where the body is in the block, until it is flushed.
        var blockOffset = 0
        var isGone = false
    }

    static let headerBytes = Int(PAXOS_FRAME_HEADER_BYTES)

    private var bytes: UnsafeMutablePointer<UInt8>
    private var capacity = 64 << 10
    private var used = 0
    private(set) var records = Table(Record())
    /// Records up to here are durable.
    private(set) var flushedCount = 0
    /// The highest lsn that `flushed` was called for.
    private(set) var acknowledged: UInt64 = 0
    /// The lsn that the journal starts with.
    private(set) var firstLSN: UInt64 = 1
    /// Bytes from which on old records are recycled.
    var recycle_bytes = 64 << 10

    init() { bytes = .allocate(capacity: 64 << 10) }

    deinit { bytes.deallocate() }

    mutating func removeAll() {
        records.removeAll()
        (used, flushedCount, acknowledged, firstLSN) = (0, 0, 0, 1)
    }

    var unflushedCount: Int { records.count - flushedCount }

    func record(_ index: Int) -> Record { records.look(index) }
    func header(_ record: Record) -> UnsafeMutablePointer<UInt8> { bytes + record.offset }
    func header(at offset: Int) -> UnsafeMutablePointer<UInt8> { bytes + offset }
    func body(_ record: Record) -> UnsafeMutablePointer<UInt8> {
        bytes + (record.offset + Self.headerBytes)
    }

    // MARK: What a host does

    mutating func append(
        _ header: UnsafeRawPointer, _ body: UnsafeRawPointer, _ bodyBytes: Int, blockOffset: Int
    ) {
        if used > recycle_bytes { recycle() }
        reserve(used + Self.headerBytes + bodyBytes)
        let head = header.assumingMemoryBound(to: UInt8.self)
        let slot = paxos_get64(head + 48)
        let record = Record(
            offset: used, bodyBytes: bodyBytes, lsn: paxos_get64(head + 64),
            trim: paxos_get64(head + 88),
            last: slot == 0 ? 0 : slot + UInt64(paxos_get32(head + 32)) - 1,
            blockOffset: blockOffset)
        UnsafeMutableRawPointer(bytes + used).copyMemory(from: header, byteCount: Self.headerBytes)
        UnsafeMutableRawPointer(bytes + used + Self.headerBytes).copyMemory(
            from: body, byteCount: bodyBytes)
        used += Self.headerBytes + bodyBytes
        _ = records.append(record)
    }

    /// The next record became durable; it.
    mutating func flushNext() -> Record {
        let record = records.look(flushedCount)
        flushedCount += 1
        acknowledged = record.lsn
        return record
    }

    private mutating func reserve(_ needed: Int) {
        if needed <= capacity { return }
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: max(needed, capacity * 2))
        larger.update(from: bytes, count: used)
        bytes.deallocate()
        (bytes, capacity) = (larger, max(needed, capacity * 2))
    }

    /// Drop the oldest records whose slots a durable trim point covers.
    private mutating func recycle() {
        guard flushedCount > 0 else { return }
        let trim = records.look(flushedCount - 1).trim
        var dropped = 0
        while dropped < flushedCount - 1 && records.look(dropped).last <= trim { dropped += 1 }
        if dropped == 0 {
            recycle_bytes *= 2
            return
        }
        keep(from: dropped)
    }

    /// Up to where slots would have to be trimmed for half of it to be recycled; 0: there is room.
    var heldSlot: UInt64 {
        if used <= recycle_bytes / 2 { return 0 }
        return (0..<records.count / 2).map { records.look($0).last }.max() ?? 0
    }

    /// Forget the first records. Each is copied by itself: two may have come to one place.
    private mutating func keep(from first: Int) {
        let count = records.count - first
        var size = 0
        for index in 0..<count { size += Self.headerBytes + records.look(first + index).bodyBytes }
        let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: max(size, capacity))
        var at = 0
        for index in 0..<count {
            var record = records.look(first + index)
            let length = Self.headerBytes + record.bodyBytes
            (fresh + at).update(from: bytes + record.offset, count: length)
            record.offset = at
            records.at(index).pointee = record
            at += length
        }
        bytes.deallocate()
        (bytes, capacity, used) = (fresh, max(size, capacity), at)
        records.truncate(to: count)
        flushedCount -= first
        firstLSN = records.look(0).lsn
    }

    // MARK: What happens to it

    /// The power fails: of what was not flushed some is there, some is torn, some is not.
    mutating func cutPower(_ random: inout SplitMix) {
        let tail = unflushedCount
        if tail == 0 { return }
        let mode = random.draw(4)
        if mode == 0 { return truncate(to: flushedCount) }
        let kept = flushedCount + Int(random.draw(UInt64(tail + 1)))
        if mode == 1 { return truncate(to: kept) }
        for index in kept..<records.count where random.draw(2) == 0 {
            if mode == 2 { wipe(index) } else { tear(index, &random) }
        }
    }

    /// Nothing of a record was written.
    private mutating func wipe(_ index: Int) {
        records.at(index).pointee.isGone = true
        let record = records.look(index)
        (bytes + record.offset).update(repeating: 0, count: Self.headerBytes + record.bodyBytes)
    }

    private mutating func truncate(to count: Int) { records.truncate(to: count) }

    /// Only the first sectors of a record were written.
    private func tear(_ index: Int, _ random: inout SplitMix) {
        let record = records.look(index)
        let whole = Self.headerBytes + record.bodyBytes
        let kept = Int(random.draw(UInt64(whole)))
        (bytes + record.offset + kept).update(repeating: 0, count: whole - kept)
    }

    /// Bits of flushed records flip.
    func rot(_ count: Int, _ random: inout SplitMix) {
        guard flushedCount > 0 else { return }
        for _ in 0..<count {
            let record = records.look(recent(&random))
            let bit = Int(random.draw(UInt64(8 * (Self.headerBytes + record.bodyBytes))))
            bytes[record.offset + bit / 8] ^= 1 << UInt8(bit % 8)
        }
    }

    /// A flushed record stands where another one should; or, stale, what stood there before.
    mutating func misplace(isStale: Bool, _ random: inout SplitMix) {
        guard flushedCount > 1 else { return }
        let place = recent(&random)
        let other = isStale ? Int(random.draw(UInt64(place + 1))) : recent(&random)
        if place == other { return wipe(place) }
        let found = records.look(other)
        records.at(place).pointee.offset = found.offset
        records.at(place).pointee.bodyBytes = found.bodyBytes
    }

    /// The last flushed records were never written.
    mutating func forget(_ count: Int) {
        truncate(to: max(0, flushedCount - count))
        flushedCount = records.count
    }

    /// Nothing is left.
    mutating func lose() {
        truncate(to: 0)
        (used, flushedCount, acknowledged, firstLSN) = (0, 0, 0, 1)
    }

    /// One of the last flushed records, more often than not.
    private func recent(_ random: inout SplitMix) -> Int {
        flushedCount - 1 - Int(random.drawSkewed(0...UInt64(flushedCount - 1)))
    }

    // MARK: Restart

    /// The first `count` records, as far as they reach to `lsn`, are all that there is from now on.
    /// They were flushed again.
    mutating func restarted(upTo lsn: UInt64, count: Int) {
        var kept = min(count, records.count)
        while kept > 0 && records.look(kept - 1).lsn > lsn { kept -= 1 }
        truncate(to: kept)
        flushedCount = kept
        acknowledged = max(acknowledged, kept > 0 ? records.look(kept - 1).lsn : 0)
    }
}
