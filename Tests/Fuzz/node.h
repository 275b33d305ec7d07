/* node.h - a block with its host, and what must hold of it after every call.
 *
 * The host remembers every byte range that an effect named until the block may change it, every
 * record that is durable, and what never runs backwards. A node is an acceptor or a replica; both
 * go by the same rules. */
#ifndef FUZZ_NODE_H
#define FUZZ_NODE_H

#include "forge.h"
#include "fuzz.h"
#include "paxos.h"
#include "paxos/layout.h"

enum {
    NODE_SPANS = 128,
    NODE_RECORDS = 256,
    NODE_VOTES = 64,
    NODE_WINDOW_MAX = 16,
    NODE_TIMEOUT_NS = 1000000
};

/* Bytes of the block that an effect named, as they were then. */
typedef struct span {
    uint64_t token; /* of a send ...     */
    uint64_t lsn;   /* ... or of a write */
    uint32_t offset;
    uint32_t bytes;
    uint8_t copy[FORGE_BODY_BYTES];
} span_t;

/* What the durable records say of one slot: the last vote for it, and the entry that is held, which
 * is another where what was learned is not what was voted for. */
typedef struct vote {
    uint64_t slot;
    uint64_t ballot;
    uint32_t voted;
    uint32_t held;
} vote_t;

/* What stands in a slot, as paxos_acceptor_look says. */
typedef struct look {
    uint64_t ballot;
    uint32_t state;
    uint32_t checksum;
} look_t;

/* What never runs backwards while a node goes on. */
typedef struct marks {
    uint64_t promised, decided, trimmed, stable, lsn, flushed;
} marks_t;

typedef struct node {
    uint8_t *block; /* aligned, and no byte longer than it must be */
    size_t block_bytes;
    bool is_replica;
    paxos_config_t config;
    uint64_t now_ns;
    marks_t marks;
    uint32_t span_count;
    uint64_t lsn_polled;
    /* the journal: every record handed out; the first durable_count of them are durable */
    bool is_damaged; /* some record that was durable is not whole any more */
    uint32_t record_count;
    uint32_t durable_count;
    uint64_t durable_promise;
    uint64_t told; /* the highest decided watermark that left the node, but for a leader's marks */
    uint64_t applied_slot; /* its host has been sure of, in any life */
    vote_t votes[NODE_VOTES];
    packet_t records[NODE_RECORDS];
    span_t spans[NODE_SPANS]; /* of effects under way */
} node_t;

/* A small configuration of the input's choice, for the member `node` of three or five. */
void node_config(input_t *input, uint16_t node, paxos_config_t *config);

/* Make a node in memory of its own, and give that back. Boot makes its block alone, by its
 * configuration as it is now. */
void node_start(node_t *node, const paxos_config_t *config, bool is_replica);
void node_boot(node_t *node);
void node_stop(node_t *node);

/* The whole life of one node: steps, until the input ends. A step gets the packet of the one
 * before. Returns 0, as a fuzzer's entry does. */
typedef void node_step_t(input_t *input, node_t *node, packet_t *packet);
int node_live(const uint8_t *data, size_t size, bool is_replica, node_step_t *step);

/* The same block, byte for byte, somewhere else; the old place is gone. */
void node_move(node_t *node);

/* The power fails, and the node comes back with what its journal holds, whole or damaged as the
 * input says. `applied_slot`: what its host is sure of. False, and no change: a node that keeps its
 * votes in memory does not come back. */
bool node_crash(input_t *input, node_t *node, uint64_t applied_slot);

/* The calls of a host. Each checks what must hold after it. */
paxos_status_t node_receive(node_t *node, const packet_t *packet);
bool node_poll(node_t *node, paxos_effect_t *effect);
void node_flushed(node_t *node, uint64_t lsn);
void node_sent(node_t *node, uint64_t token);
void node_trim(node_t *node, uint64_t slot);

/* A header in one line, for a person. */
void node_trace(const node_t *node, const char *what, const uint8_t *header);

/* What every call but these must be followed by. */
void node_check(node_t *node);

/* The packet that a SEND or WRITE effect is. */
void node_packet(const node_t *node, const paxos_effect_t *effect, packet_t *packet);

look_t node_look(const node_t *node, uint64_t slot);
target_t node_target(const node_t *node);

/* Whether the record of a slot was damaged, so that it may have held something. */
bool node_is_unknown(const node_t *node, uint64_t slot);

static inline paxos_acceptor_t *node_acceptor(const node_t *node) {
    return (paxos_acceptor_t *)(void *)node->block;
}

static inline paxos_replica_t *node_replica(const node_t *node) {
    return (paxos_replica_t *)(void *)node->block;
}

#endif
