/// What is due when, in the order of time; what is due at once, in the order it was put in.
///
/// A binary heap in memory that is taken once. Complexity: O(log count).
struct EventQueue: ~Copyable {
    struct Item: BitwiseCopyable {
        let time_ns: UInt64
        let order: UInt64
        let packet: UInt32

        @inline(__always)
        func isBefore(_ other: Item) -> Bool {
            time_ns < other.time_ns || time_ns == other.time_ns && order < other.order
        }
    }

    private let items: UnsafeMutablePointer<Item>
    private(set) var count = 0
    private var order: UInt64 = 0

    init(capacity: Int) { items = .allocate(capacity: capacity) }

    deinit { items.deallocate() }

    /// When the first is due; never, if there is none.
    @inline(__always)
    var first_ns: UInt64 { count == 0 ? .max : items[0].time_ns }

    @inline(__always)
    mutating func push(_ packet: UInt32, at time_ns: UInt64) {
        order += 1
        let item = Item(time_ns: time_ns, order: order, packet: packet)
        var index = count
        count += 1
        while index > 0 {
            let parent = (index - 1) / 2
            if items[parent].isBefore(item) { break }
            items[index] = items[parent]
            index = parent
        }
        items[index] = item
    }

    /// Pre: it is not empty.
    @inline(__always)
    mutating func pop() -> UInt32 {
        let packet = items[0].packet
        count -= 1
        let item = items[count]
        var index = 0
        while true {
            var child = 2 * index + 1
            if child >= count { break }
            if child + 1 < count && items[child + 1].isBefore(items[child]) { child += 1 }
            if item.isBefore(items[child]) { break }
            items[index] = items[child]
            index = child
        }
        items[index] = item
        return packet
    }

    /// Nothing is due later than `limit_ns`. Clamping keeps the order of times, so the heap stands.
    mutating func clamp(to limit_ns: UInt64) {
        for index in 0..<count where items[index].time_ns > limit_ns {
            let item = items[index]
            items[index] = Item(time_ns: limit_ns, order: item.order, packet: item.packet)
        }
    }

    mutating func removeAll() {
        count = 0
        order = 0
    }
}
