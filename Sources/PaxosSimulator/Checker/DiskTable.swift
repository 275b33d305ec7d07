import CPaxos

/// What a node's disk holds, as a chain of records: each disk is another one and one record more.
///
/// The checker keeps its own account of what the records mean (the promise, the votes, what stands
/// in each slot), so that it can tell what the node's recovery should find.
struct DiskTable {
    struct Disk {
        var parent: UInt32
        var record: Packet?
        var count: UInt64
        var promised: UInt64 = 0
        /// Every vote that was ever durable here, a bit each.
        var votes: VoteSet = 0
        /// What stands in slots 1 to 4: the ballot of its last vote, and the entry.
        var held: [Held] = []
    }

    struct Held: Hashable {
        var ballot: UInt64
        var entry: EntryWords?
    }

    private(set) var disks: [Disk] = [
        Disk(
            parent: 0, record: nil, count: 0,
            held: Array(repeating: Held(ballot: 0, entry: nil), count: VoteTable.slots))
    ]
    private var children: [Link: UInt32] = [:]
    var votes = VoteTable()

    private struct Link: Hashable {
        let disk: UInt32
        let header: Bytes
    }

    subscript(number: UInt32) -> Disk { disks[Int(number)] }

    /// The disk with one record more.
    mutating func append(_ record: Packet, to disk: UInt32) -> UInt32 {
        /* The header's checksum covers the digest, and that covers the entries. */
        let link = Link(disk: disk, header: record.header)
        if let known = children[link] { return known }
        let number = UInt32(disks.count)
        children[link] = number
        var next = disks[Int(disk)]
        next.parent = disk
        next.record = record
        next.count += 1
        note(record, in: &next)
        disks.append(next)
        return number
    }

    private mutating func note(_ record: Packet, in disk: inout Disk) {
        let fields = record.fields
        disk.promised = max(disk.promised, fields.ballot)
        let entries = record.entries.map {
            $0.bytes.withUnsafeBufferPointer { EntryWords($0.baseAddress!) }
        }
        for index in 0..<Int(fields.count) {
            let slot = Int(fields.slot) + index
            if !entries.isEmpty { disk.held[slot - 1].entry = entries[index] }
            guard fields.ballot != 0, let entry = disk.held[slot - 1].entry else { continue }
            disk.held[slot - 1].ballot = fields.ballot
            disk.votes |= votes.bit(slot: slot, ballot: fields.ballot, entry: entry)
        }
    }

    /// The records of a disk in the order they were written.
    func records(_ disk: UInt32) -> [Packet] {
        var records: [Packet] = []
        var number = disk
        while let record = disks[Int(number)].record {
            records.append(record)
            number = disks[Int(number)].parent
        }
        return records.reversed()
    }
}

/// A set of votes, a bit each.
typealias VoteSet = UInt128

/// Every vote there ever was: (slot, ballot, entry), with a bit for each, and a bit for each
/// (slot, entry) that somebody believed to be decided.
struct VoteTable {
    static let slots = 4

    struct Vote: Hashable {
        let slot: Int
        let ballot: UInt64
        let entry: EntryWords
    }

    private(set) var votes: [Vote] = []
    private(set) var values: [Vote] = []
    private var bits: [Vote: Int] = [:]
    private var valueBits: [Vote: Int] = [:]

    mutating func bit(slot: Int, ballot: UInt64, entry: EntryWords) -> VoteSet {
        let vote = Vote(slot: slot, ballot: ballot, entry: entry)
        if let bit = bits[vote] { return 1 << VoteSet(bit) }
        precondition(votes.count < VoteSet.bitWidth, "more votes than bits: take a smaller space")
        bits[vote] = votes.count
        votes.append(vote)
        return 1 << VoteSet(votes.count - 1)
    }

    mutating func valueBit(slot: Int, entry: EntryWords) -> UInt64 {
        let value = Vote(slot: slot, ballot: 0, entry: entry)
        if let bit = valueBits[value] { return 1 << UInt64(bit) }
        precondition(values.count < 64, "more values than bits: take a smaller space")
        valueBits[value] = values.count
        values.append(value)
        return 1 << UInt64(values.count - 1)
    }

    func votes(in set: VoteSet) -> [Vote] {
        votes.indices.filter { set >> VoteSet($0) & 1 != 0 }.map { votes[$0] }
    }
    func values(in set: UInt64) -> [Vote] {
        values.indices.filter { set >> UInt64($0) & 1 != 0 }.map { values[$0] }
    }
}
