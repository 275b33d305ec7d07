import CPaxos

/// The records of a node as they would stand on its disk.
struct Journal {
    var records: [Frame] = []
    /// The lsn that it starts with.
    var start: UInt64 = 1

    /// Poll all that may come out; records are kept and flushed, replies given back.
    mutating func settle(_ block: AcceptorBlock) -> [Effect] {
        var replies: [Effect] = []
        while let effect = block.poll() {
            if effect.isWrite {
                records.append(effect.frame)
                _ = block.flushed(effect.lsn)
            } else {
                replies.append(effect)
            }
            _ = block.sent(effect.token)
        }
        return replies
    }

    /// Drop records from the front whose slots the last one says to be trimmed.
    mutating func recycle() {
        guard let last = records.last else { return }
        var end = paxos_frame_t()
        paxos_frame_read(last.header, &end)
        let trimmed = end.trim
        let kept = records.dropLast().firstIndex { record in
            var fields = paxos_frame_t()
            paxos_frame_read(record.header, &fields)
            return fields.slot + UInt64(fields.count) > trimmed + 1
        }
        let count = kept ?? max(records.count - 1, 0)
        records.removeFirst(count)
        start += UInt64(count)
    }

    /// A new block in its next life, before it was given anything.
    static func restarted(
        incarnation: UInt32 = 2, _ config: paxos_config_t = smallConfig()
    ) -> AcceptorBlock {
        var config = config
        config.incarnation = incarnation
        return AcceptorBlock(config)
    }

    /// The node after a restart; the statuses of its records.
    func recovered(
        applied: UInt64 = 0, acknowledged: UInt64 = 0, _ config: paxos_config_t = smallConfig()
    ) -> (block: AcceptorBlock, statuses: [paxos_status_t], end: paxos_status_t) {
        var config = config
        config.journal_lsn = start
        let block = Self.restarted(incarnation: 2, config)
        let statuses = records.map { block.recover($0) }
        let end = paxos_acceptor_recovered(block.acceptor, applied, acknowledged)
        return (block, statuses, end)
    }
}

extension AcceptorBlock {
    func recover(_ record: Frame) -> paxos_status_t {
        paxos_acceptor_recover(
            acceptor, record.header, record.header.count, record.body, record.body.count)
    }
}
