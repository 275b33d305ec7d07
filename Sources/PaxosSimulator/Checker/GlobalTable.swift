/// The state of the whole cluster: the number of each node's local state (its block, its disk and
/// the messages on their way to it). It is its own key: nothing is hashed away.
struct GlobalState: Equatable, BitwiseCopyable {
    /// The fourth is 0; in the table it is the place of the state that this one was found from.
    var locals: SIMD4<UInt32>
}

/// All global states seen so far, in the order they were found, each with the one it was found from; and
/// so the queue of the breadth-first search as well.
///
/// A slot of the hash table is 32 bits of the hash and 32 bits of the place of a state. At most
/// three of four slots are taken: with the 16 bytes of the state itself that is 27 to 37 bytes for
/// each.
struct GlobalTable: ~Copyable {
    private var states = ChunkedColumn<GlobalState>()
    private var slots: UnsafeMutablePointer<UInt64>
    private var mask: Int

    init() {
        mask = (1 << 17) - 1
        slots = GlobalTable.empty(mask + 1)
    }

    deinit { slots.deallocate() }

    private static func empty(_ capacity: Int) -> UnsafeMutablePointer<UInt64> {
        let slots = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity)
        slots.initialize(repeating: .max, count: capacity)
        return slots
    }

    var count: Int { @inline(__always) get { states.count } }

    /// How many states there may be before the hash table doubles.
    var room: Int { mask / 4 * 3 - count }
    /// What it takes more when it does.
    var growthBytes: Int { (mask + 1) * MemoryLayout<UInt64>.stride }

    subscript(place: Int) -> GlobalState {
        @inline(__always) get {
            var state = states[place]
            state.locals[3] = 0
            return state
        }
    }

    @inline(__always)
    private static func hash(_ state: GlobalState) -> UInt64 {
        let low = UInt64(state.locals[0]) | UInt64(state.locals[1]) &<< 32
        let high = UInt64(state.locals[2])
        var hash = (low ^ 0x9E37_79B9_7F4A_7C15) &* 0xD6E8_FEB8_6659_FD93
        hash = (hash ^ (hash &>> 32) ^ high) &* 0xD6E8_FEB8_6659_FD93
        return hash ^ (hash &>> 29)
    }

    /// Note a state unless it is known; whether it was new.
    @inline(__always)
    mutating func insert(_ state: GlobalState, parent: UInt32) -> Bool {
        let hash = GlobalTable.hash(state)
        let tag = hash &>> 32
        var index = Int(truncatingIfNeeded: hash) & mask
        while true {
            let slot = slots[index]
            if slot == .max { break }
            if slot &>> 32 == tag && self[Int(slot & 0xFFFF_FFFF)] == state { return false }
            index = (index &+ 1) & mask
        }
        slots[index] = tag &<< 32 | UInt64(count)
        var found = state
        found.locals[3] = parent
        states.append(found)
        if room <= 0 { grow() }
        return true
    }

    @inline(never)
    private mutating func grow() {
        precondition(count < 0xFFFF_0000, "more states than places have bits")
        slots.deallocate()
        mask = mask * 2 + 1
        slots = GlobalTable.empty(mask + 1)
        for place in 0..<count {
            let hash = GlobalTable.hash(self[place])
            var index = Int(truncatingIfNeeded: hash) & mask
            while slots[index] != .max { index = (index &+ 1) & mask }
            slots[index] = (hash &>> 32) &<< 32 | UInt64(place)
        }
    }

    /// The places of the states on the way to this one, the first one first.
    func path(to place: Int) -> [Int] {
        var path = [place]
        while path.last! != 0 { path.append(Int(states[path.last!].locals[3])) }
        return path.reversed()
    }
}
