import CPaxos
import Foundation

/// A host's duties after each call: poll until nothing is due, and do what each effect asks.
extension Simulation {
    mutating func drain(_ id: UInt16) {
        let machine = machine(id)
        repeat {
            while paxos_replica_poll(machine.pointee.replica, effect) {
                handle(id, machine)
                if machine.pointee.effectsLeft >= 0 {
                    machine.pointee.effectsLeft -= 1
                    if machine.pointee.effectsLeft < 0 { return cutPower(id) }
                }
            }
        } while trim(id, machine)
        oracle.saw(promise: machine.pointee.replica.pointee.acceptor.promised, of: id)
        let deadline = paxos_replica_deadline(machine.pointee.replica)
        machine.pointee.tick_ns = machine.pointee.clock.global(at: deadline)
        machine.pointee.updateDue()
    }

    @inline(__always)
    private mutating func handle(_ id: UInt16, _ machine: UnsafeMutablePointer<Machine>) {
        switch effect.pointee.kind {
        case PAXOS_EFFECT_SEND.rawValue: send(id, machine)
        case PAXOS_EFFECT_WRITE.rawValue: write(id, machine)
        case PAXOS_EFFECT_DELIVER.rawValue: deliver(id, machine)
        case PAXOS_EFFECT_OUTCOME.rawValue: tell(id, machine)
        case PAXOS_EFFECT_FETCH.rawValue: fetch(id, machine)
        default: oracle.violate(.conduct, "node \(id): effect of kind \(effect.pointee.kind)")
        }
    }

    /// The header within the effect.
    @inline(__always)
    var header: UnsafeMutablePointer<UInt8> {
        UnsafeMutableRawPointer(effect)
            .advanced(by: MemoryLayout<paxos_effect_t>.offset(of: \.header)!)
            .assumingMemoryBound(to: UInt8.self)
    }

    @inline(__always)
    private mutating func send(_ id: UInt16, _ machine: UnsafeMutablePointer<Machine>) {
        let (offset, bytes) = (Int(effect.pointee.body_offset), Int(effect.pointee.body_bytes))
        let body = machine.pointee.block + offset
        paxos_frame_read(header, frame)
        oracle.sent(frame, body.assumingMemoryBound(to: UInt8.self))
        let to = effect.pointee.node
        let due = network.post(from: id, to: to, header, body, bytes, at: now_ns)
        trace?.sent(now_ns, frame, header, due)
        let token = effect.pointee.token
        if token == 0 { return }
        if plan.hold_ns > 0 && machine.pointee.canHold {
            let due = now_ns + random.draw(plan.hold_ns)
            machine.pointee.hold(token, offset, bytes, until: due)
        } else if paxos_replica_sent(machine.pointee.replica, token) != PAXOS_OK {
            oracle.violate(.conduct, "node \(id) does not know its own token")
        }
    }

    private mutating func write(_ id: UInt16, _ machine: UnsafeMutablePointer<Machine>) {
        let offset = Int(effect.pointee.body_offset)
        let first = machine.pointee.disk.firstLSN
        machine.pointee.disk.append(
            header, machine.pointee.block + offset, Int(effect.pointee.body_bytes),
            blockOffset: offset)
        if plan.isRetaining && machine.pointee.disk.firstLSN != first {
            retain(id, from: machine.pointee.disk.retained())
        }
        if plan.isPressing && machine.pointee.disk.heldSlot > 0 {
            paxos_replica_press(machine.pointee.replica, machine.pointee.disk.heldSlot)
        }
        oracle.require(
            .memory, machine.pointee.disk.unflushedCount <= Int(plan.config.write_ring),
            "node \(id): more writes wait than its ring holds")
        trace?.wrote(now_ns, header, id)
        if machine.pointee.flush_ns == .max { machine.pointee.flush_ns = nextFlush(id) }
    }

    /// A flush of what was written completes: of all of it, or of the first few records.
    mutating func flush(_ id: UInt16) {
        let machine = machine(id)
        if machine.pointee.isStalled {
            machine.pointee.flush_ns = now_ns + millisecond
            return machine.pointee.updateDue()
        }
        if machine.pointee.flushFails {
            trace?.note(now_ns, id, "a flush fails: the node stops")
            return cutPower(id)
        }
        let waiting = machine.pointee.disk.unflushedCount
        let count = 1 + Int(diskRandom.draw(UInt64(waiting)))
        for _ in 0..<count {
            let record = machine.pointee.disk.flushNext()
            let body = machine.pointee.disk.body(record)
            let isSame = memcmp(body, machine.pointee.block + record.blockOffset, record.bodyBytes)
            oracle.require(.bytes, isSame == 0, "node \(id): a record changed before its flush")
            paxos_frame_read(machine.pointee.disk.header(record), frame)
            oracle.flushed(frame, body, on: id)
        }
        machine.pointee.isDiskLost = false
        let lsn = machine.pointee.disk.acknowledged
        mix(now_ns ^ lsn << 32 ^ UInt64(id))
        trace?.flushed(now_ns, id, lsn)
        let status = paxos_replica_flushed(
            machine.pointee.replica, machine.pointee.clock.local(at: now_ns), lsn)
        oracle.require(.conduct, status == PAXOS_OK, "node \(id) does not know its own lsn")
        machine.pointee.flush_ns = count == waiting ? .max : nextFlush(id)
    }

    private mutating func nextFlush(_ id: UInt16) -> UInt64 {
        now_ns + diskRandom.draw(plan.flush_ns) * machine(id).pointee.slowness
    }

    @inline(__always)
    private mutating func deliver(_ id: UInt16, _ machine: UnsafeMutablePointer<Machine>) {
        var at = (machine.pointee.block + Int(effect.pointee.body_offset))
            .assumingMemoryBound(to: UInt8.self)
        var left = Int(effect.pointee.body_bytes)
        var slot = effect.pointee.slot
        for _ in 0..<effect.pointee.count {
            var bytes: UInt32 = 0
            if paxos_entry_verify(at, left, plan.config.value_bytes_max, &bytes) != PAXOS_OK {
                return oracle.violate(.bytes, "node \(id) delivered damaged bytes in slot \(slot)")
            }
            let entry = paxos_entry_get(at)
            oracle.delivered(entry, in: slot, at: id)
            clients.delivered(
                entry, at + Int(PAXOS_ENTRY_HEADER_BYTES), in: slot, at: id, now: now_ns)
            at += Int(bytes)
            left -= Int(bytes)
            slot += 1
        }
        machine.pointee.delivered = slot - 1
        mix(slot ^ UInt64(id) << 48)
        trace?.delivered(now_ns, id, effect.pointee.slot, effect.pointee.count)
    }

    private mutating func tell(_ id: UInt16, _ machine: UnsafeMutablePointer<Machine>) {
        let incarnation = machine.pointee.config.incarnation
        let isLost = UInt32(effect.pointee.reason) == PAXOS_REASON_LOST.rawValue
        for number in effect.pointee.number..<effect.pointee.number + UInt64(effect.pointee.count) {
            if isLost {
                oracle.unknown(number, at: id, incarnation: incarnation)
            } else {
                oracle.refused(number, at: id, incarnation: incarnation)
                clients.refused(number, at: id, incarnation: incarnation, now: now_ns)
            }
        }
        mix(effect.pointee.number ^ UInt64(effect.pointee.reason) << 48)
        trace?.told(now_ns, id, effect)
    }

    /// Let go of what the state machine has safely applied; whether anything was.
    @inline(__always)
    private mutating func trim(_ id: UInt16, _ machine: UnsafeMutablePointer<Machine>) -> Bool {
        let delivered = machine.pointee.delivered
        guard delivered > machine.pointee.trimmed + plan.held else { return false }
        machine.pointee.trimmed = delivered
        if paxos_replica_trim(machine.pointee.replica, delivered) != PAXOS_OK {
            oracle.violate(.conduct, "node \(id) refuses to trim what it delivered")
        }
        return true
    }
}
