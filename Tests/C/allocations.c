/* allocations.c - over a million messages between three replicas nobody asks for memory.
 *
 * Linked with the counting allocator and the Embedded library; prints what it counted. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocation_count.h"
#include "paxos.h"

enum { NODES = 3, WINDOW = 256, ARENA = 1 << 18, RING = 64, VALUE_BYTES = 64 };
#define BLOCK_BYTES PAXOS_REPLICA_BLOCK_BYTES(NODES, WINDOW, ARENA, RING, RING, RING, RING)

static _Alignas(PAXOS_BLOCK_ALIGNMENT) uint8_t blocks[NODES][BLOCK_BYTES];
static paxos_replica_t *replicas[NODES];
static uint64_t now_ns;
static uint64_t messages;
static uint64_t delivered[NODES];

static void fail(const char *what) {
    fprintf(stderr, "allocations: %s\n", what);
    _Exit(1);
}

static bool run(int node) {
    paxos_effect_t effect = {.size_bytes = sizeof effect};
    bool any = false;
    while (paxos_replica_poll(replicas[node], &effect)) {
        any = true;
        if (effect.kind == PAXOS_EFFECT_DELIVER) {
            delivered[node] = effect.slot + effect.count - 1;
            if (paxos_replica_trim(replicas[node], delivered[node]) != PAXOS_OK) { fail("trim"); }
        }
        if (effect.kind != PAXOS_EFFECT_SEND) { continue; }
        messages += 1;
        (void)!paxos_replica_receive(
            replicas[effect.node - 1], now_ns, effect.header, sizeof effect.header,
            blocks[node] + effect.body_offset, effect.body_bytes);
        if (effect.token != 0 && paxos_replica_sent(replicas[node], effect.token) != PAXOS_OK) {
            fail("sent");
        }
    }
    return any;
}

static void settle(void) {
    bool any = true;
    while (any) {
        any = false;
        for (int i = 0; i < NODES; i++) { any = run(i) || any; }
    }
}

static void start(void) {
    paxos_config_t config;
    paxos_config_default(&config);
    config.cluster = 1;
    config.member_count = NODES;
    config.memory_only = 1;
    config.window_slots = config.pipeline_slots = WINDOW;
    config.value_bytes_max = 1024;
    config.frame_bytes_max = 16 << 10;
    config.arena_bytes = ARENA;
    config.reply_ring = config.write_ring = config.send_ring = config.forward_ring = RING;
    for (uint16_t i = 0; i < NODES; i++) { config.members[i] = (uint16_t)(i + 1); }
    for (uint16_t i = 0; i < NODES; i++) {
        config.node = (uint16_t)(i + 1);
        config.seed = i;
        if (paxos_replica_block_bytes(&config) != BLOCK_BYTES) { fail("size of the block"); }
        if (paxos_replica_init(blocks[i], BLOCK_BYTES, &config, now_ns, &replicas[i]) != PAXOS_OK) {
            fail("init");
        }
    }
}

/* A counter that counts nothing would find nothing. */
static void check_counter(void) {
    const uint64_t before = allocation_count();
    void *volatile probe = malloc(1);
    if (!allocation_count_works() || allocation_count() == before) { fail("nothing is counted"); }
    free(probe);
}

int main(void) {
    check_counter();
    start();
    const uint64_t before = allocation_count();
    static uint8_t value[VALUE_BYTES];
    uint64_t proposed = 0;
    while (messages < 1000000) {
        uint64_t number = 0;
        memcpy(value, &proposed, sizeof proposed);
        if (paxos_replica_propose(replicas[0], now_ns, value, sizeof value, &number) == PAXOS_OK) {
            proposed += 1;
        }
        if (proposed % 16 == 0) {
            now_ns += 100000;
            for (int i = 0; i < NODES; i++) { paxos_replica_tick(replicas[i], now_ns); }
        }
        settle();
        if (now_ns > 1000000000000u) { fail("no progress"); }
    }
    const uint64_t asked = allocation_count() - before;
    printf(
        "%" PRIu64 " messages, %" PRIu64 " proposals, %" PRIu64 " slots delivered, %" PRIu64
        " allocations\n",
        messages, proposed, delivered[0], asked);
    if (delivered[0] + 1000 < proposed) { fail("proposals were not delivered"); }
    return asked == 0 ? 0 : 1;
}
