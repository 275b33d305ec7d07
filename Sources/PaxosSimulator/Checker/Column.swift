/// A growing column of plain values, without checks on access: the checker's tables are made of it.
struct Column<Element: BitwiseCopyable>: ~Copyable {
    private(set) var base: UnsafeMutablePointer<Element>
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int = 1024) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    mutating func append(_ element: Element) {
        if count == capacity { grow() }
        (base + count).initialize(to: element)
        count &+= 1
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: base, count: count)
        base.deallocate()
        base = larger
        capacity *= 2
    }

    subscript(index: Int) -> Element {
        @inline(__always) get { base[index] }
        @inline(__always) set { base[index] = newValue }
    }

    subscript(index: UInt32) -> Element {
        @inline(__always) get { base[Int(index)] }
        @inline(__always) set { base[Int(index)] = newValue }
    }
}

/// A column that grows by pieces: nothing is copied, and no more is taken than a piece too much.
struct ChunkedColumn<Element: BitwiseCopyable>: ~Copyable {
    private static var chunkBits: Int { 20 }
    private static var chunkCount: Int { 1 << chunkBits }

    private var chunks = Column<UnsafeMutablePointer<Element>>(capacity: 64)
    private(set) var count = 0

    deinit {
        for index in 0..<chunks.count { chunks[index].deallocate() }
    }

    @inline(__always)
    mutating func append(_ element: Element) {
        if count == chunks.count &<< ChunkedColumn.chunkBits { addChunk() }
        let place = count & (ChunkedColumn.chunkCount &- 1)
        (chunks[count &>> ChunkedColumn.chunkBits] + place).initialize(to: element)
        count &+= 1
    }

    @inline(never)
    private mutating func addChunk() {
        chunks.append(.allocate(capacity: ChunkedColumn.chunkCount))
    }

    subscript(index: Int) -> Element {
        @inline(__always) get {
            chunks[index &>> ChunkedColumn.chunkBits][index & (ChunkedColumn.chunkCount &- 1)]
        }
    }
}

/// A number for each pair of numbers: open addressing, linear probing, at most half full.
struct PairTable: ~Copyable {
    private struct Cell: BitwiseCopyable {
        var key: UInt64
        var value: UInt32
    }

    private var cells: UnsafeMutablePointer<Cell>
    private var mask: Int
    private(set) var count = 0

    init(capacity: Int = 1 << 12) {
        precondition(capacity.nonzeroBitCount == 1)
        mask = capacity - 1
        cells = PairTable.empty(capacity)
    }

    deinit { cells.deallocate() }

    private static func empty(_ capacity: Int) -> UnsafeMutablePointer<Cell> {
        let cells = UnsafeMutablePointer<Cell>.allocate(capacity: capacity)
        cells.initialize(repeating: Cell(key: .max, value: 0), count: capacity)
        return cells
    }

    @inline(__always)
    private static func hash(_ key: UInt64) -> Int {
        let product = key &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: product ^ (product &>> 32))
    }

    @inline(__always)
    static func key(_ left: UInt32, _ right: UInt32) -> UInt64 {
        UInt64(left) &<< 32 | UInt64(right)
    }

    @inline(__always)
    func find(_ left: UInt32, _ right: UInt32) -> UInt32? {
        let key = PairTable.key(left, right)
        var index = PairTable.hash(key) & mask
        while true {
            let cell = cells[index]
            if cell.key == key { return cell.value }
            if cell.key == .max { return nil }
            index = (index &+ 1) & mask
        }
    }

    /// Pre: the pair has no number yet.
    mutating func insert(_ left: UInt32, _ right: UInt32, _ value: UInt32) {
        if count * 2 > mask { grow() }
        place(Cell(key: PairTable.key(left, right), value: value))
        count &+= 1
    }

    private func place(_ cell: Cell) {
        var index = PairTable.hash(cell.key) & mask
        while cells[index].key != .max { index = (index &+ 1) & mask }
        cells[index] = cell
    }

    @inline(never)
    private mutating func grow() {
        let old = cells
        let oldCount = mask + 1
        cells = PairTable.empty(oldCount * 2)
        mask = oldCount * 2 - 1
        for index in 0..<oldCount where old[index].key != .max { place(old[index]) }
        old.deallocate()
    }
}
