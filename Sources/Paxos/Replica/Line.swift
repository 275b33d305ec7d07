/// Tickets in the order they came, those in front proposed first.
struct Line {
    private var tickets: [Ticket] = []
    private var head = 0
    /// Values and bytes that left since this was last asked.
    private var leftCount = 0
    private var leftBytes = 0

    var first: Ticket? { head < tickets.count ? tickets[head] : nil }
    var isEmpty: Bool { head == tickets.count }

    mutating func append(_ more: [Ticket]) {
        if head > tickets.count / 2 {
            tickets.removeFirst(head)
            head = 0
        }
        tickets += more
    }

    mutating func removeFirst() {
        leftCount += tickets[head].count
        leftBytes += tickets[head].bytes.count
        head += 1
        if isEmpty {
            tickets.removeAll(keepingCapacity: true)
            head = 0
        }
    }

    mutating func takeLeft() -> (count: Int, bytes: Int) {
        defer { (leftCount, leftBytes) = (0, 0) }
        return (leftCount, leftBytes)
    }
}
