import Paxos

// What the fragments of the pages speak of: each becomes a function with these at hand.

struct Machine: StateMachine {
    var durableSlot: UInt64 = 0
    mutating func apply(_ batch: Replica.Batch) { durableSlot = batch.slots.upperBound }
}
