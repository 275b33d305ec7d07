import CBenchLimits
import CPaxos

/// The copies and checksums of a suite without anything around them, in rooms of the same size.
final class Limit {
    private var recipe: bench_recipe_t
    private let rings: Block
    private let values: Block
    private let ringBytes: Int
    private var sum: UInt64 = 0

    /// - Parameter ringBytes: what each replica's arena has in the suite.
    init(_ recipe: bench_recipe_t, ringBytes: Int, seed: UInt64) {
        self.recipe = recipe
        let roundBytes = withUnsafePointer(to: recipe) { bench_round_bytes($0) }
        self.ringBytes = powerOfTwo(atLeast: max(ringBytes, 2 * roundBytes))
        let replicas = 1 + Int(recipe.takes + recipe.copies)
        rings = Block(byteCount: replicas * self.ringBytes)
        values = Block(byteCount: max(1, Int(recipe.value_bytes)))
        fillRandom(values, seed: seed)
        paxos_cpu_detect()
        makeFirst()
    }

    /// Entries for a recipe that verifies what it does not make.
    private func makeFirst() {
        var making = bench_recipe_t()
        making.value_bytes = recipe.value_bytes
        making.batch = recipe.batch
        making.makes = 1
        _ = rounds(UInt64(ringBytes / bench_round_bytes(&making)), of: making)
    }

    private func rounds(_ count: UInt64, of recipe: bench_recipe_t) -> UInt64 {
        var room = bench_room_t(rings: rings.base, ring_bytes: ringBytes, values: values.base)
        var recipe = recipe
        return bench_limit_run(&room, &recipe, count)
    }

    /// Work for about so long; one round is so many pieces of work.
    func run(for slice_ns: UInt64, workPerRound: Int) -> Measure {
        let work = UInt64(workPerRound)
        let count = max(1, 2048 / UInt64(recipe.batch))
        return laps(for: slice_ns) {
            let cpu_ns = cpuTime { sum &+= rounds(count, of: recipe) }
            return Measure(work: count * work, cost: cpu_ns)
        }
    }

    func free() {
        rings.free()
        values.free()
    }
}
