import CPaxos

/// The host's duties after each call: poll until nothing is due, and do what each effect asks.
extension World {
    package func drain(_ id: UInt16) {
        repeat {
            while let effect = self[id].poll() { handle(effect, id) }
            applyTrim(id)
        } while flushNow(id)
        oracle.saw(promise: self[id].acceptor.promised, of: id)
    }

    private func handle(_ effect: paxos_effect_t, _ id: UInt16) {
        switch effect.kind {
        case PAXOS_EFFECT_SEND.rawValue: send(effect, id)
        case PAXOS_EFFECT_WRITE.rawValue: write(effect, id)
        case PAXOS_EFFECT_DELIVER.rawValue: take(effect, id)
        case PAXOS_EFFECT_OUTCOME.rawValue: outcome(effect, id)
        case PAXOS_EFFECT_FETCH.rawValue: fetch(effect, id)
        default: oracle.violate(.conduct, "node \(id): effect of kind \(effect.kind)")
        }
    }

    private func packet(_ effect: paxos_effect_t, _ id: UInt16) -> Packet {
        Packet(
            header: withUnsafeBytes(of: effect.header) { Bytes($0) },
            body: effect.body_bytes == 0
                ? [] : self[id].bytes(at: effect.body_offset, count: effect.body_bytes))
    }

    private func send(_ effect: paxos_effect_t, _ id: UInt16) {
        let packet = packet(effect, id)
        leave(packet, id)
        guard effect.token != 0 else { return }
        if let range = holdsBodies {
            hosts[Int(id) - 1].unsent.append(
                Host.Unsent(
                    token: effect.token, offset: effect.body_offset, body: packet.body,
                    due: now + random.time(range)))
        } else if self[id].sent(effect.token) != PAXOS_OK {
            oracle.violate(.conduct, "node \(id) does not know its own token")
        }
    }

    private func leave(_ packet: Packet, _ id: UInt16) {
        var fields = paxos_frame_t()
        if paxos_frame_decode(packet.header, packet.header.count, &fields) != PAXOS_OK {
            oracle.violate(.conduct, "node \(id) sent what the decoder refuses: \(packet)")
        }
        hosts[Int(id) - 1].sentCounts[Int(packet.kind)] += 1
        withUnsafePointer(to: fields) { oracle.sent($0, packet.body) }
        onSend?(packet)
        post(packet)
    }

    /// Give a frame to the network.
    package func post(_ packet: Packet) {
        if cut.contains(Link(packet.from, packet.to)) { return }
        if random.chance(network.lossPercent) { return }
        var packet = packet
        packet.due = now + (delay?(packet) ?? random.time(network.latency))
        pool.append(packet)
        if random.chance(network.duplicatePercent) {
            packet.due = now + random.time(network.latency)
            pool.append(packet)
        }
    }

    private func write(_ effect: paxos_effect_t, _ id: UInt16) {
        let index = Int(id) - 1
        hosts[index].unflushed.append(packet(effect, id))
        if case .slow(let range) = disk, hosts[index].flushDue == .max, !hosts[index].isDiskStalled
        {
            hosts[index].flushDue = now + random.time(range)
        }
    }

    /// A record became durable.
    func sawFlushed(_ record: Packet, on id: UInt16) {
        withUnsafePointer(to: record.fields) { oracle.flushed($0, record.body, on: id) }
    }

    private func flushNow(_ id: UInt16) -> Bool {
        let host = host(id)
        guard disk == .immediate, !host.isDiskStalled, !host.unflushed.isEmpty else { return false }
        let records = host.unflushed
        hosts[Int(id) - 1].unflushed = []
        for record in records { sawFlushed(record, on: id) }
        _ = self[id].flushed(records.last!.fields.nonce, now: now)
        return true
    }

    private func take(_ effect: paxos_effect_t, _ id: UInt16) {
        let index = Int(id) - 1
        let bytes = self[id].bytes(at: effect.body_offset, count: effect.body_bytes)
        var slot = effect.slot
        for entry in Entry.split(bytes, count: Int(effect.count)) {
            oracle.delivered(entry.header, in: slot, at: id)
            clients?.delivered(entry.header, entry.value, in: slot, at: id, now: now)
            hosts[index].log.append(entry)
            if !entry.isNoop && entry.header.node == id {
                hosts[index].decided.insert(entry.header.number)
            }
            slot += 1
        }
    }

    private func outcome(_ effect: paxos_effect_t, _ id: UInt16) {
        let index = Int(id) - 1
        for number in effect.number..<effect.number + UInt64(effect.count) {
            if UInt32(effect.reason) == PAXOS_REASON_LOST.rawValue {
                oracle.unknown(number, at: id, incarnation: self[id].config.incarnation)
                if hosts[index].outcomes[number] == nil {
                    hosts[index].outcomes[number] = .unknown
                }
            } else {
                oracle.refused(number, at: id, incarnation: self[id].config.incarnation)
                clients?.refused(
                    number, at: id, incarnation: self[id].config.incarnation, now: now)
                hosts[index].outcomes[number] = .refused(effect.reason)
            }
        }
    }

    /// What was trimmed comes from the host's own log.
    private func fetch(_ effect: paxos_effect_t, _ id: UInt16) {
        var effect = effect
        var (body, count) = (Bytes(), UInt32(0))
        for entry in host(id).log[Int(effect.slot - 1)...].prefix(Int(effect.count)) {
            if body.count + entry.bytes.count > Int(effect.body_bytes) { break }
            body += entry.bytes
            count += 1
        }
        if paxos_effect_fetched(&effect, count, body, body.count) != PAXOS_OK {
            oracle.violate(.conduct, "node \(id): entries of its own log do not fit")
        }
        hosts[Int(id) - 1].fetchCount += 1
        leave(Packet(header: withUnsafeBytes(of: effect.header) { Bytes($0) }, body: body), id)
    }

    private func applyTrim(_ id: UInt16) {
        guard case .after(let held) = trims[id] ?? trim else { return }
        let index = Int(id) - 1
        let delivered = UInt64(hosts[index].log.count)
        guard delivered > hosts[index].trimmed + UInt64(held) else { return }
        hosts[index].trimmed = delivered
        if self[id].trim(delivered) != PAXOS_OK {
            oracle.violate(.conduct, "node \(id) refused to trim what it delivered")
        }
    }
}
