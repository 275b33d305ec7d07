/* random.h - the seeded generator: 64 bits of state, the same numbers on every machine.
 *
 * Internal to the project: the delays of elections, and the seeds of tests, worlds and benches.
 * Threads  the state's caller.
 * Source   Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (OOPSLA 2014). */
#ifndef PAXOS_RANDOM_H
#define PAXOS_RANDOM_H

#include "paxos/base.h"

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/* The next number (splitmix64). Cost O(1). */
/*@ requires \valid(state);
    assigns *state;
    ensures *state == (uint64_t)(\old(*state) + 0x9E3779B97F4A7C15); */
static inline uint64_t paxos_random_next(uint64_t *state) {
    *state += 0x9E3779B97F4A7C15u;
    uint64_t mixed = *state;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return mixed ^ (mixed >> 31);
}

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
