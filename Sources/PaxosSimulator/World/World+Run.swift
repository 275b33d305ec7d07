import CPaxos

/// Events by the clock: what is due first happens first.
extension World {
    private enum Event {
        case packet(Int)
        case tick(UInt16)
        case flush(UInt16)
        case sent(UInt16)
    }

    /// Let time pass until `end`, or until `done` says so; whether it did.
    @discardableResult
    package func run(until end: UInt64, done: () -> Bool = { false }) -> Bool {
        while violations.isEmpty {
            if done() { return true }
            guard let (event, time) = next(), time <= end else {
                now = max(now, end)
                return done()
            }
            now = max(now, time)
            perform(event)
        }
        return false
    }

    @discardableResult
    package func run(for duration: UInt64, done: () -> Bool = { false }) -> Bool {
        run(until: now + duration, done: done)
    }

    private func next() -> (Event, UInt64)? {
        var best: (Event, UInt64)?
        func offer(_ event: Event, _ time: UInt64) {
            if best == nil || time < best!.1 { best = (event, time) }
        }
        for index in pool.indices { offer(.packet(index), pool[index].due) }
        for id in liveIds {
            offer(.tick(id), self[id].deadline)
            if host(id).flushDue != .max { offer(.flush(id), host(id).flushDue) }
            if let unsent = host(id).unsent.first { offer(.sent(id), unsent.due) }
        }
        return best
    }

    private func perform(_ event: Event) {
        switch event {
        case .packet(let index):
            deliver(pool.remove(at: index))
        case .tick(let id):
            tick(id, at: now)
            if self[id].deadline <= now {
                oracle.violate(
                    .conduct, "node \(id) wants to be called at once after a tick: a busy loop")
            }
        case .flush(let id):
            hosts[Int(id) - 1].flushDue = .max
            flush(id, count: 1 + random.below(host(id).unflushed.count))
            if !host(id).unflushed.isEmpty, case .slow(let range) = disk {
                hosts[Int(id) - 1].flushDue = now + random.time(range)
            }
        case .sent(let id):
            let unsent = hosts[Int(id) - 1].unsent.removeFirst()
            if !self[id].bytes(at: unsent.offset, equal: unsent.body) {
                oracle.violate(.bytes, "node \(id): a body changed before it was said to be sent")
            }
            _ = self[id].sent(unsent.token)
            drain(id)
        }
    }

    /// The one node that leads and is followed by the others that are alive; nil: none yet.
    package var leader: UInt16? {
        let leaders = liveIds.filter { self[$0].isLeader }
        guard let first = leaders.max(by: { self[$0].status.ballot < self[$1].status.ballot })
        else { return nil }
        return first
    }

    /// Whether all live nodes have delivered the same entries.
    package var isConverged: Bool {
        let counts = Set(liveIds.map { host($0).log.count })
        return counts.count == 1
    }

    package func heal() {
        cut = []
        network = Network()
        for id in ids { revive(id) }
    }
}
