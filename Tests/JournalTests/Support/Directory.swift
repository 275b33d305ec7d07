import CPaxos
import CPaxosHost
import Foundation

typealias Bytes = [UInt8]

/// A directory of its own, gone with the value.
final class Directory {
    let path: String

    init() throws {
        var template = Bytes(
            (NSTemporaryDirectory() + "/journal-XXXXXX").utf8CString.map(UInt8.init(bitPattern:)))
        let made = template.withUnsafeMutableBytes { raw in
            mkdtemp(raw.baseAddress!.assumingMemoryBound(to: CChar.self)) != nil
        }
        guard made else { throw CocoaError(.fileWriteUnknown) }
        path = String(decoding: template.dropLast(), as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    func read(_ name: String) throws -> Bytes {
        Bytes(try Data(contentsOf: URL(fileURLWithPath: file(name))))
    }

    /// Other bytes at a place of a file, in place.
    func write(_ bytes: Bytes, to name: String, at offset: Int) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file(name)))
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: Data(bytes))
        try handle.close()
    }

    func flip(_ name: String, byte: Int) throws {
        try write([try read(name)[byte] ^ 1], to: name, at: byte)
    }
}

/// A journal that is open, in a directory.
final class OpenJournal {
    static let cluster: UInt64 = 0xC1057E2
    private(set) var journal: OpaquePointer!

    /// Other tests start processes, and for a moment, before it becomes another program, each of
    /// these holds the locks of all that is open here.
    private static let waits_ms = 5000

    /// - Throws: the status, where it is refused; at once, or after a while, where it is locked.
    init(
        _ path: String, node: UInt16 = 1, cluster: UInt64 = cluster, readOnly: Bool = false,
        waits: Bool = true
    ) throws {
        var options = paxos_journal_options_t()
        options.size_bytes = UInt32(MemoryLayout<paxos_journal_options_t>.size)
        options.node = node
        options.cluster = cluster
        options.is_read_only = readOnly ? 1 : 0
        var out: OpaquePointer?
        var fault = paxos_journal_fault_t()
        var status = paxos_journal_open(nil, path, &options, &out, &fault)
        var left_ms = waits ? Self.waits_ms : 0
        while status == PAXOS_JOURNAL_ERR_LOCKED && left_ms > 0 {
            usleep(10_000)
            left_ms -= 10
            status = paxos_journal_open(nil, path, &options, &out, &fault)
        }
        guard status == PAXOS_JOURNAL_OK, let out else { throw Refused(status: status) }
        journal = out
    }

    deinit { close() }

    func close() {
        paxos_journal_close(journal)
        journal = nil
    }

    struct Refused: Error, Equatable {
        let status: paxos_journal_status_t
    }

    struct Record: Equatable {
        var group: UInt32
        var lsn: UInt64
        var kind: UInt8
        var trim: UInt64
        var flags: UInt16
        var body: Bytes
        var isDamaged: Bool
        var offset: Int
    }

    func read() -> Record? {
        var record = paxos_journal_record_t()
        record.size_bytes = UInt32(MemoryLayout<paxos_journal_record_t>.size)
        guard paxos_journal_read(journal, &record) == PAXOS_JOURNAL_OK else { return nil }
        let header = withUnsafeBytes(of: record.header) { Bytes($0) }
        var frame = paxos_frame_t()
        paxos_frame_read(header, &frame)
        precondition(frame.state == 0)
        return Record(
            group: record.group, lsn: record.lsn, kind: frame.kind, trim: frame.trim,
            flags: frame.flags,
            body: Bytes(UnsafeBufferPointer(start: record.body, count: Int(record.body_bytes))),
            isDamaged: record.is_damaged != 0, offset: Int(record.offset_bytes))
    }

    @discardableResult
    func readAll() -> [Record] {
        var records: [Record] = []
        while let record = read() { records.append(record) }
        return records
    }

    func group(_ id: UInt32) -> paxos_journal_group_t {
        var group = paxos_journal_group_t()
        group.size_bytes = UInt32(MemoryLayout<paxos_journal_group_t>.size)
        paxos_journal_group(journal, id, &group)
        return group
    }

    var report: paxos_journal_report_t {
        var report = paxos_journal_report_t()
        report.size_bytes = UInt32(MemoryLayout<paxos_journal_report_t>.size)
        paxos_journal_report(journal, &report)
        return report
    }

    func append(
        _ lsn: UInt64, group: UInt32 = 7, slot: UInt64? = nil, body: Bytes = [],
        _ change: (inout paxos_frame_t) -> Void = { _ in }
    ) -> paxos_journal_status_t {
        let header = makeHeader(lsn, group: group, slot: slot ?? lsn, body: body, change)
        return paxos_journal_append(journal, header, header.count, body, body.count)
    }

    func flush() -> paxos_journal_status_t { paxos_journal_flush(journal) }
}

/// A record's header: entries with a body, and nothing but a mark without one.
func makeHeader(
    _ lsn: UInt64, group: UInt32 = 7, slot: UInt64, body: Bytes,
    _ change: (inout paxos_frame_t) -> Void = { _ in }
) -> Bytes {
    var frame = paxos_frame_t()
    frame.kind = UInt8((body.isEmpty ? PAXOS_RECORD_MARK : PAXOS_RECORD_ENTRIES).rawValue)
    (frame.cluster, frame.group) = (OpenJournal.cluster, group)
    (frame.sender, frame.receiver, frame.incarnation) = (1, 1, 1)
    (frame.nonce, frame.other) = (lsn, 0x10001)
    if !body.isEmpty {
        (frame.ballot, frame.slot, frame.count) = (0x10001, slot, 1)
        frame.body_bytes = UInt32(body.count)
    }
    change(&frame)
    var header = Bytes(repeating: 0, count: Int(PAXOS_FRAME_HEADER_BYTES))
    paxos_frame_put(&header, &frame)
    return header
}

func makeBody(_ seed: UInt64, count: Int = 64) -> Bytes {
    (0..<count).map { UInt8(truncatingIfNeeded: (seed &* 31 &+ UInt64($0)) | 1) }
}

/// A small shape: three segments of 64 KiB.
func smallShape(_ change: (inout paxos_journal_shape_t) -> Void = { _ in }) -> paxos_journal_shape_t
{
    var shape = paxos_journal_shape_t()
    shape.size_bytes = UInt32(MemoryLayout<paxos_journal_shape_t>.size)
    (shape.node, shape.cluster) = (1, OpenJournal.cluster)
    (shape.segment_bytes, shape.segment_count) = (64 << 10, 3)
    (shape.batch_bytes_max, shape.groups_max) = (16 << 10, 2)
    change(&shape)
    return shape
}

func format(
    _ path: String, _ shape: paxos_journal_shape_t = smallShape()
) -> paxos_journal_status_t {
    var shape = shape
    return paxos_journal_format(nil, path, &shape, nil)
}
