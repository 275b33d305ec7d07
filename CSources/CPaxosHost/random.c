/* random.c - see paxos_host.h. */
#include "../CLibBSD/shim.h"
#include "paxos_host.h"

uint64_t paxos_host_seed(void) {
    uint64_t seed = 0;
    arc4random_buf(&seed, sizeof seed);
    return seed;
}
