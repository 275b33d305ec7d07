/* ballot.h - the number of an attempt to lead: round in the high 48 bits, node in the low 16.
 *
 * Ballots compare as integers; 0 is none. Two nodes never share one, because each puts its own
 * node number in; one node never uses one twice, because its acceptor promises it durably first.
 * Threads  any.
 * Source   Lamport, "Paxos Made Simple" (2001), section 2.2: "different proposals have different
 *          numbers". */
#ifndef PAXOS_BALLOT_H
#define PAXOS_BALLOT_H

#include "paxos/base.h"

typedef uint64_t paxos_ballot_t;

#define PAXOS_ROUND_MAX (((uint64_t)1 << 48) - 1)

#define PAXOS_BALLOT_NODES 0x10000u /* so many in each round */

/*@ requires round <= PAXOS_ROUND_MAX;
    assigns \nothing;
    ensures \result == round * 0x10000 + node;
    ensures \result / 0x10000 == round && \result % 0x10000 == node; */
PAXOS_HOT static inline paxos_ballot_t paxos_ballot(uint64_t round, uint16_t node) {
    return round * PAXOS_BALLOT_NODES + node;
}

/*@ assigns \nothing;
    ensures \result == ballot / 0x10000; */
PAXOS_HOT static inline uint64_t paxos_ballot_round(paxos_ballot_t ballot) {
    return ballot / PAXOS_BALLOT_NODES;
}

/*@ assigns \nothing;
    ensures \result == ballot % 0x10000; */
PAXOS_HOT static inline uint16_t paxos_ballot_node(paxos_ballot_t ballot) {
    return (uint16_t)(ballot % PAXOS_BALLOT_NODES);
}

#endif
