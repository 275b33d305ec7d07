import CPaxos
import PaxosSimulator
import Testing

/// Clients over logs that are what they should be, and over logs that are not.
struct ClientsTests {
    /// Three nodes are asked in turn; each is handed the one log, as `handOut` says.
    private func run(
        operations: Int, handOut: (_ node: UInt16, _ slot: Int, _ log: [Entry]) -> [Entry]
    ) -> Clients {
        var clients = Clients(keys: 2, seed: 1)
        var log: [Entry] = []
        for index in 0..<operations {
            let node = UInt16(index % 3 + 1)
            let value = clients.command(padding: index % 5)
            log.append(Entry(value, node: node, number: UInt64(index)))
            clients.proposed(log.last!.header, value, at: node, now: UInt64(index) * 10)
            for node in 1...3 as ClosedRange<UInt16> {
                for entry in handOut(node, log.count, log) {
                    clients.delivered(
                        entry.header, entry.value, in: UInt64(log.count), at: node,
                        now: UInt64(index) * 10 + UInt64(node))
                }
            }
        }
        return clients
    }

    @Test("one log for all: every operation is answered, and linearizable")
    func oneLog_isLinearizable() {
        let clients = run(operations: 300) { _, slot, log in [log[slot - 1]] }
        #expect(clients.history.count == 300)
        #expect(clients.history.allSatisfy { $0.found != nil })
        #expect(clients.history.contains { $0.applied(to: $0.found!) == $0.written })
        #expect(clients.violation == nil)
    }

    @Test("a node that misses an entry answers wrongly")
    func missedEntry_isSeen() {
        let clients = run(operations: 300) { node, slot, log in
            node == 2 && slot == 100 ? [] : [log[slot - 1]]
        }
        #expect(clients.violation != nil)
    }

    @Test("a node that is handed entries in another order answers wrongly")
    func otherOrder_isSeen() {
        let clients = run(operations: 300) { node, slot, log in
            guard node == 2 else { return [log[slot - 1]] }
            if slot % 2 == 1 { return [] }
            return [log[slot - 1], log[slot - 2]]
        }
        #expect(clients.violation != nil)
    }

    @Test("a node that is handed an entry twice answers wrongly")
    func entryTwice_isSeen() {
        let clients = run(operations: 300) { node, slot, log in
            node == 3 && slot % 20 == 0 ? [log[slot - 1], log[slot - 3]] : [log[slot - 1]]
        }
        #expect(clients.violation != nil)
    }

    @Test("what was refused, and happens all the same, is seen")
    func refusedAndDone_isSeen() throws {
        var clients = Clients(keys: 1, seed: 3)
        for number in 1...20 as ClosedRange<UInt64> {
            let entry = Entry(clients.command(), number: number)
            clients.proposed(entry.header, entry.value, at: 1, now: number)
            if number % 3 == 0 { clients.refused(number, at: 1, incarnation: 1, now: number) }
            clients.delivered(entry.header, entry.value, in: number, at: 1, now: number)
        }
        #expect(try #require(clients.violation).reason.contains("was refused, and is read"))
    }

    @Test("a restarted node goes on from what its map safely was, and answers truly")
    func restart_goesBack() {
        var clients = Clients(keys: 2, seed: 4)
        var log: [Entry] = []
        func deliver(_ slots: ClosedRange<Int>) {
            for slot in slots {
                clients.delivered(
                    log[slot - 1].header, log[slot - 1].value, in: UInt64(slot), at: 1,
                    now: UInt64(slot))
            }
        }
        for number in 1...100 {
            let incarnation: UInt32 = number <= 50 ? 1 : 2
            let value = clients.command()
            log.append(Entry(value, incarnation: incarnation, number: UInt64(number)))
            clients.proposed(log.last!.header, value, at: 1, now: UInt64(number))
            if number == 51 {
                clients.restarted(1, slot: 30)
                deliver(31...50)
            }
            deliver(number...number)
        }
        #expect(clients.history.allSatisfy { $0.found != nil })
        #expect(clients.violation == nil)
    }

    @Test("a node that is given a copy of another's map answers truly")
    func copiedMap_isTheOthers() {
        var clients = Clients(keys: 2, seed: 5)
        for number in 1...60 as ClosedRange<UInt64> {
            let node: UInt16 = number <= 40 ? 1 : 2
            let entry = Entry(clients.command(), node: node, number: number)
            clients.proposed(entry.header, entry.value, at: node, now: number)
            if number == 41 { clients.restarted(2, slot: 40) }
            for node in 1...2 as ClosedRange<UInt16> where node == 1 || number > 40 {
                clients.delivered(entry.header, entry.value, in: number, at: node, now: number)
            }
        }
        #expect(clients.history.allSatisfy { $0.found != nil })
        #expect(clients.violation == nil)
    }
}
