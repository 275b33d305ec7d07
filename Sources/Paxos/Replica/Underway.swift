/// Whose proposal each number is that has no outcome yet. The host counts numbers up, so a ring
/// suffices; a number that finds its place taken has to wait.
struct Underway {
    private struct Place {
        var number: UInt64 = 0
        var index = 0
        var ticket: Ticket?
    }

    private var places: [Place]
    private var last: UInt64 = 0
    private(set) var count = 0

    /// - Parameter capacity: a power of two.
    init(capacity: Int) {
        places = Array(repeating: Place(), count: capacity)
    }

    private func place(_ number: UInt64) -> Int { Int(number & UInt64(places.count - 1)) }

    /// Whether the number after the last one has a place.
    var hasRoom: Bool { places[place(last + 1)].ticket == nil }

    /// Notes a number of nobody's, such as a read's mark.
    mutating func pass(_ number: UInt64) { last = number }

    mutating func add(_ number: UInt64, _ ticket: Ticket, _ index: Int) {
        last = number
        count += 1
        places[place(number)] = Place(number: number, index: index, ticket: ticket)
    }

    mutating func take(_ number: UInt64) -> (ticket: Ticket, index: Int)? {
        let at = place(number)
        guard places[at].number == number, let ticket = places[at].ticket else { return nil }
        places[at].ticket = nil
        count -= 1
        return (ticket, places[at].index)
    }

    mutating func takeAll(_ body: (Ticket, Int) -> Void) {
        for at in places.indices {
            if let ticket = places[at].ticket { body(ticket, places[at].index) }
            places[at].ticket = nil
        }
        count = 0
    }
}
