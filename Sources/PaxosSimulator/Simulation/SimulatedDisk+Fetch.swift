import CPaxos

/// What was trimmed, read back from the records.
///
/// The last record that brings a slot's entry has what is chosen there, if a record vouches for it:
/// one behind it whose watermark covers the slot while its trim point does not, for then the replica
/// held the entry as it stood here and knew it to be chosen; or that record itself, if it was
/// learned. What nobody vouches for may be an entry that was overwritten: it is not served.
extension SimulatedDisk {
    /// What the records vouch for: slots from `first` to `last`.
    struct Retained: BitwiseCopyable {
        var first: UInt64 = 1
        var last: UInt64 = 0
        /// The highest slot that any record named.
        var highest: UInt64 = 0

        /// A record could not be read: what it said of slots that were named before, nobody knows.
        fileprivate mutating func missed() {
            first = max(first, highest + 1)
            last = max(last, highest)
        }

        fileprivate mutating func read(_ record: paxos_frame_t) {
            if record.count > 0 {
                let end = record.slot + UInt64(record.count) - 1
                highest = max(highest, end)
                let isLearned = UInt32(record.kind) == PAXOS_RECORD_CHOSEN.rawValue
                if isLearned && record.slot <= last + 1 { last = max(last, end) }
            }
            if record.trim > last { (first, last) = (record.trim + 1, record.trim) }
            last = max(last, record.watermark)
        }
    }

    /// Where the entry of a slot was found last.
    private struct Place: BitwiseCopyable {
        var offset = 0
        var bytes = 0
    }

    /// The entries of up to `count` slots from `slot` on, as many as stand in `bytesMax`, one behind
    /// the other at `out`. None: the journal cannot bring the first, `retained` says what it can.
    func fetch(
        _ slot: UInt64, count: Int, bytesMax: Int, to out: UnsafeMutablePointer<UInt8>,
        retained: inout Retained
    ) -> (count: Int, bytes: Int) {
        withUnsafeTemporaryAllocation(of: Place.self, capacity: count) { places in
            places.initialize(repeating: Place())
            retained = scan(slot, places)
            guard slot >= retained.first else { return (0, 0) }
            let served = slot > retained.last ? 0 : min(count, Int(retained.last - slot) + 1)
            var (taken, used) = (0, 0)
            while taken < served && places[taken].bytes > 0
                && used + places[taken].bytes <= bytesMax
            {
                let place = places[taken]
                (out + used).update(from: header(at: place.offset), count: place.bytes)
                used += place.bytes
                taken += 1
            }
            if taken == 0 {
                /* What it lacks came in a record that was recycled, or in none. */
                let next = places.indices.first { places[$0].bytes > 0 } ?? count
                retained.first = max(retained.first, slot + UInt64(max(next, 1)))
            }
            return (taken, used)
        }
    }

    /// The first slot that can be brought, all that follow too.
    func retained() -> UInt64 {
        withUnsafeTemporaryAllocation(of: Place.self, capacity: 1) { scan(1, $0).first }
    }

    /// Whether every one of these slots can be brought.
    func brings(_ slots: ClosedRange<UInt64>) -> Bool {
        withUnsafeTemporaryAllocation(of: Place.self, capacity: slots.count) { places in
            places.initialize(repeating: Place())
            let retained = scan(slots.lowerBound, places)
            return slots.lowerBound >= retained.first && slots.upperBound <= retained.last
                && places.allSatisfy { $0.bytes > 0 }
        }
    }

    /// Read all durable records: what they vouch for, and where the entries of some slots are.
    private func scan(_ slot: UInt64, _ places: UnsafeMutableBufferPointer<Place>) -> Retained {
        var retained = Retained()
        var frame = paxos_frame_t()
        var lowest = UInt64.max
        for index in 0..<flushedCount {
            let record = record(index)
            if index > 0 && record.lsn != self.record(index - 1).lsn + 1 { retained.missed() }
            guard isWhole(record, &frame) else {
                retained.missed()
                continue
            }
            retained.read(frame)
            if frame.body_bytes > 0 {
                lowest = min(lowest, frame.slot)
                note(frame, at: record.offset + Self.headerBytes, slot, places)
            }
        }
        if firstLSN > 1 { retained.first = max(retained.first, lowest == .max ? 0 : lowest) }
        return retained
    }

    /// Whether a record is the one that was written there; its header.
    private func isWhole(_ record: Record, _ frame: inout paxos_frame_t) -> Bool {
        let header = header(record)
        guard !record.isGone, paxos_header_checksum(header) == paxos_get32(header) else {
            return false
        }
        paxos_frame_read(header, &frame)
        guard frame.nonce == record.lsn, Int(frame.body_bytes) == record.bodyBytes else {
            return false
        }
        if frame.body_bytes == 0 { return true }
        var digest: UInt64 = 0
        let status = paxos_run_verify(
            body(record), record.bodyBytes, frame.slot, frame.count, PAXOS_VALUE_BYTES_MAX, &digest)
        return status == PAXOS_OK && digest == frame.digest
    }

    /// Note where the entries of a record are that belong to the slots asked for.
    private func note(
        _ frame: paxos_frame_t, at offset: Int, _ slot: UInt64,
        _ places: UnsafeMutableBufferPointer<Place>
    ) {
        var offset = offset
        for index in 0..<UInt64(frame.count) {
            let bytes = Int(paxos_entry_bytes(paxos_get32(header(at: offset) + 4)))
            let of = frame.slot + index
            if of >= slot && of < slot + UInt64(places.count) {
                places[Int(of - slot)] = Place(offset: offset, bytes: bytes)
            }
            offset += bytes
        }
    }
}
