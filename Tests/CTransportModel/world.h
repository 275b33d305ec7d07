/* world.h - three transports of one cluster. */
#ifndef TRANSPORT_WORLD_H
#define TRANSPORT_WORLD_H

#include "forger.h"

#define CHECK(condition)                                    \
    do {                                                    \
        if (!(condition)) { return "not so: " #condition; } \
    } while (0)

enum { NODES = 3 };

typedef struct world {
    paxos_transport_t *nodes[NODES]; /* number 1 to 3 */
    uint16_t ports[NODES];
    uint32_t incarnations[NODES];
    bool is_trusted;
    const char *host;      /* that is dialled; NULL: 127.0.0.1 */
    const char *listening; /* NULL: the same */
    uint64_t queue_bytes;
    uint64_t dead_timeout_ns; /* 0: the default */
    /* What is expected next: [receiver][sender][with a body]. */
    uint64_t sent[NODES][NODES][2];
    uint64_t received[NODES][NODES][2];
    uint64_t long_before_short; /* frames with a body, when the last without one came */
    bool has_order_broken;
    bool has_bytes_broken;
} world_t;

extern const uint8_t world_key[PAXOS_TRANSPORT_KEY_BYTES];

bool world_open_node(world_t *world, uint32_t index);
void world_close_node(world_t *world, uint32_t index);
bool world_open(world_t *world);
void world_close(world_t *world);
/* Poll each node once and take all its frames. */
void world_step(world_t *world, uint64_t timeout_ns);
/* Step until each has the others; false: not within ten seconds. */
bool world_connect(world_t *world);
bool world_is_up(const world_t *world, uint32_t from, uint32_t to);

/* The n-th frame of a pair; body of `body_bytes`, made from n. Returns its status. */
paxos_transport_status_t world_send(
    world_t *world, uint32_t from, uint32_t to, uint32_t body_bytes);

uint64_t world_closed(const paxos_transport_t *transport, paxos_transport_reason_t reason);

/* Poll one transport for up to ten seconds until so many were closed for this reason. */
bool wait_closed(paxos_transport_t *transport, paxos_transport_reason_t reason, uint64_t count);

#endif
