/* small.h - the cluster of these examples: three members, 16 slots of 64 bytes, votes in memory. */
#ifndef SMALL_H
#define SMALL_H

#include "paxos.h"

enum {
    NODES = 3,
    WINDOW_SLOTS = 16,
    VALUE_BYTES = 64,
    FRAME_BYTES = PAXOS_FRAME_HEADER_BYTES + 2 * (24 + VALUE_BYTES), /* of two entries */
    ARENA_BYTES = 2048,
    RING = 4,
};

#define BLOCK_BYTES \
    PAXOS_REPLICA_BLOCK_BYTES(NODES, WINDOW_SLOTS, ARENA_BYTES, RING, RING, RING, RING)

static inline void small_config(paxos_config_t *config, uint16_t node) {
    paxos_config_default(config);
    config->cluster = 4;
    config->node = node;
    config->seed = node;
    config->member_count = NODES;
    for (uint16_t i = 0; i < NODES; i++) { config->members[i] = (uint16_t)(i + 1); }
    config->memory_only = 1;
    config->window_slots = config->pipeline_slots = WINDOW_SLOTS;
    config->value_bytes_max = VALUE_BYTES;
    config->frame_bytes_max = FRAME_BYTES;
    config->arena_bytes = ARENA_BYTES;
    config->reply_ring = config->write_ring = config->send_ring = config->forward_ring = RING;
}

#endif
