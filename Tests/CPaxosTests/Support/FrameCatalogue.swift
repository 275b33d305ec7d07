import CPaxos

/// One frame of every kind, each well-formed and addressed to node 1 by node 2.
enum FrameCatalogue {
    static let entries = [
        Entry.command("an entry of some length", number: 5),
        Entry(value: [1, 2, 3, 4, 5, 6, 7, 8], number: 6),
        Entry.noop,
    ]

    static func all(fingerprint: UInt64) -> [Frame] {
        let run = Run(ballot: ballot(5), slot: 3, entries: entries)
        return [
            prepareFrame(ballot(5), slot: 3, fingerprint: fingerprint),
            promise(run),
            makeFrame(PAXOS_FRAME_REJECTED) {
                $0.state = UInt16(PAXOS_REASON_STALE.rawValue)
                $0.ballot = ballot(5, node: 1)
                $0.slot = 3
                $0.count = 2
                $0.watermark = 2
                $0.other = ballot(9)
            },
            acceptFrame(run, watermark: 2, trim: 1, flags: PAXOS_FLAG_VOTED),
            makeFrame(PAXOS_FRAME_ACCEPTED) {
                $0.ballot = ballot(5, node: 1)
                $0.slot = 3
                $0.count = 3
                $0.watermark = 2
                $0.digest = run.digest
            },
            commitFrame(ballot(5), upTo: 5),
            makeFrame(PAXOS_FRAME_HEARTBEAT) {
                $0.flags = UInt16(PAXOS_FLAG_LEADING | PAXOS_FLAG_QUORUM)
                $0.ballot = ballot(5)
                $0.watermark = 5
                $0.nonce = 77
                $0.digest = fingerprint
                $0.other = ballot(5)
                $0.trim = 1
            },
            makeFrame(PAXOS_FRAME_HEARTBEAT_REPLY) {
                $0.flags = UInt16(PAXOS_FLAG_QUORUM)
                $0.ballot = ballot(5, node: 1)
                $0.watermark = 5
                $0.nonce = 77
                $0.digest = fingerprint
                $0.other = ballot(5, node: 1)
            },
            learnFrame(slot: 3, count: 3),
            learnedFrame(slot: 3, entries),
            forward,
            makeFrame(PAXOS_FRAME_REFUSED) {
                $0.state = UInt16(PAXOS_REASON_NOT_LEADER.rawValue)
                $0.ballot = ballot(5)
                $0.count = 3
                $0.nonce = 5
                $0.digest = 1
                $0.other = ballot(9, node: 3)
            },
        ]
    }

    static func promise(_ run: Run) -> Frame {
        makeFrame(PAXOS_FRAME_PROMISE, body: run.bytes) {
            $0.flags = UInt16(PAXOS_FLAG_LAST)
            $0.state = UInt16(PAXOS_RUN_ACCEPTED.rawValue)
            $0.count = UInt32(run.entries.count)
            $0.ballot = ballot(9, node: 1)
            $0.slot = run.slot
            $0.watermark = 2
            $0.digest = run.digest
            $0.other = run.ballot
            $0.trim = 1
        }
    }

    static var forward: Frame {
        let own = entries[..<2].map { entry in
            var entry = entry
            entry.node = 2
            return entry
        }
        let run = Run(ballot: ballot(5, node: 1), slot: 1, entries: own)
        return makeFrame(PAXOS_FRAME_FORWARD, body: run.bytes) {
            $0.count = UInt32(run.entries.count)
            $0.ballot = run.ballot
            $0.digest = run.digest
        }
    }
}
