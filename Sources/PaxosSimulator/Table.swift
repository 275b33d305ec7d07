/// Records that follow each other in memory, and grow; a record that was not written yet is blank.
///
/// No retain, no uniqueness check, no hash: the oracle looks at a record or two with each message.
struct Table<Element: BitwiseCopyable>: ~Copyable {
    private var base: UnsafeMutablePointer<Element>
    private var capacity: Int
    private let blank: Element
    /// Records up to here are in use.
    private(set) var count = 0

    init(_ blank: Element, capacity: Int = 64) {
        self.blank = blank
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    /// Record `index`, made blank if it is new; the pointer is good until the next new record.
    @inline(__always)
    mutating func at(_ index: Int) -> UnsafeMutablePointer<Element> {
        if index >= count { extend(to: index + 1) }
        return base + index
    }

    /// Record `index` if it is in use.
    @inline(__always)
    func look(_ index: Int) -> Element { index < count && index >= 0 ? base[index] : blank }

    /// A new record at the end; its index.
    @inline(__always)
    mutating func append(_ element: Element) -> Int {
        let index = count
        at(index).pointee = element
        return index
    }

    mutating func removeAll() { count = 0 }

    /// Forget the records from `end` on.
    mutating func truncate(to end: Int) { count = min(count, end) }

    private mutating func extend(to end: Int) {
        if end > capacity {
            let larger = UnsafeMutablePointer<Element>.allocate(capacity: max(end, capacity * 2))
            larger.update(from: base, count: count)
            base.deallocate()
            base = larger
            capacity = max(end, capacity * 2)
        }
        (base + count).initialize(repeating: blank, count: end - count)
        count = end
    }
}
