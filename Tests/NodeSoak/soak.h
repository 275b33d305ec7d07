/* soak.h - what the recorder of a soak and its three nodes share.
 *
 * The recorder is the process outside: it starts nodes, kills them, breaks their disks, and keeps
 * what they told it. A node is a process of its own, a whole one: replica, journal, transport, and
 * a state machine in a file. They share a page of switches, and a pipe on which the node tells. */
#ifndef NODE_SOAK_H
#define NODE_SOAK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { NODES = 3, VALUE_BYTES_MAX = 1024, ADDRESS_BYTES = 32, SOAK_PATH_BYTES = 256 };

/* Exit codes of a node that was not killed. */
enum { NODE_STOPPED = 2, NODE_GAVE_UP = 3, NODE_WENT_ON = 4 };

enum told_kind {
    TOLD_BEGAN = 1,     /* slot: up to which its state machine is durable; value: incarnation   */
    TOLD_DELIVERED = 2, /* slot, value, checksum of its bytes                                   */
    TOLD_APPLIED = 3,   /* slot: the state machine is durable up to it                          */
    TOLD_REFUSED = 4,   /* value: refused, and will never be decided                            */
    TOLD_UNKNOWN = 5,   /* value: whether it is, nobody knows                                   */
    TOLD_LEADER = 6,    /* value: who leads; 0: nobody                                          */
    TOLD_QUIET = 7,     /* value: the request; it waits for the fate of nothing                 */
    TOLD_BEHIND = 8     /* slot: up to it, no journal of a peer that is there has what it lacks */
};

/* Of 32 bytes: so a pipe takes a write of some, and a read of some, whole. */
typedef struct told {
    uint32_t kind;
    uint32_t checksum;
    uint64_t slot;
    uint64_t value;
    uint64_t digest; /* BEGAN: of all that the state machine has applied */
} told_t;

/* One node's switches, in memory shared between both. */
typedef struct switches {
    /* Not 0: propose nothing, and say QUIET with this number. */
    _Atomic uint32_t quiet;
    /* 1: what was not flushed is lost with the process; set while there is none. */
    _Atomic uint32_t power_cuts;
    /* Writes and flushes until one fails; 0: none does. */
    _Atomic uint32_t calls_left;
    /* With which errno; 0: it does not fail, but writes a part, as it may. */
    _Atomic int32_t error;
    /* Failures so far. */
    _Atomic uint32_t came_to_pass;
} switches_t;

typedef struct soak_place {
    const char *root;
    char addresses[NODES][ADDRESS_BYTES];
} soak_place_t;

/* The name of a value: who proposed it, in which life, as its how-manieth. 0: a no-op's. */
static inline uint64_t value_name(uint32_t node, uint32_t incarnation, uint64_t number) {
    return (uint64_t)node << 56 | (uint64_t)incarnation << 32 | number;
}

/* The bytes of a value follow from its name. */
uint32_t value_make(uint64_t name, uint8_t bytes[VALUE_BYTES_MAX]);

/* What a state machine holds after one more slot. */
uint64_t digest_next(uint64_t digest, uint64_t slot, uint64_t name, uint32_t checksum);

/* disk.c: the calls that write, of this process, from now on. */
void disk_watch(switches_t *switches, uint64_t seed);

/* node.c: 0 or an exit code. */
int node_format(const soak_place_t *place, uint32_t index);
/* A life; never returns. */
_Noreturn void node_live(
    const soak_place_t *place, uint32_t index, switches_t *switches, int out, uint64_t seed);

#endif
