/// What callers have put in front of the loop's door, bounded: what finds no room is refused.
struct Intake {
    var tickets: [Ticket] = []
    var reads: [ReadTicket] = []
    var statuses: [CheckedContinuation<Replica.Status, Never>] = []
    /// Values and bytes in line: here, or with the loop and not proposed yet.
    private(set) var count = 0
    private(set) var bytes = 0
    var trimSlot: UInt64 = 0
    var wantsToLead = false
    var isStopping = false
    /// The loop has ended: nothing is taken any more.
    private(set) var isClosed = false

    var isEmpty: Bool {
        tickets.isEmpty && reads.isEmpty && statuses.isEmpty && trimSlot == 0 && !wantsToLead
            && !isStopping
    }

    /// Takes a ticket; `nil`, or why not.
    mutating func add(_ ticket: Ticket, countMax: Int, bytesMax: Int) -> Replica.Refusal? {
        if isClosed || isStopping { return .stopped }
        if count + ticket.count > countMax || bytes + ticket.bytes.count > bytesMax {
            return .queueFull
        }
        count += ticket.count
        bytes += ticket.bytes.count
        tickets.append(ticket)
        return nil
    }

    /// Tickets with so many values and bytes stand in line no longer.
    mutating func release(count: Int, bytes: Int) {
        self.count -= count
        self.bytes -= bytes
    }

    /// Gives everything away and stays open or not.
    mutating func take(closing: Bool = false) -> Intake {
        var taken = self
        swap(&self, &taken)
        count = taken.count
        bytes = taken.bytes
        tickets = []
        reads = []
        statuses = []
        trimSlot = 0
        wantsToLead = false
        isClosed = taken.isClosed || closing
        return taken
    }
}
