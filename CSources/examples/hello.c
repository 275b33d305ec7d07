/* hello.c - three replicas in one process agree on a log: no heap, no thread, no Swift runtime.
 *
 *   gcc -std=c11 -O2 hello.c $(pkg-config --cflags --libs cpaxos) -o hello */
#include <stdio.h>
#include <string.h>

#include "paxos.h"
#include "paxos/entry.h"

enum { NODES = 3, WINDOW = 64, ARENA = 1 << 16, RING = 16 };
#define BLOCK_BYTES PAXOS_REPLICA_BLOCK_BYTES(NODES, WINDOW, ARENA, RING, RING, RING, RING)

static _Alignas(PAXOS_BLOCK_ALIGNMENT) uint8_t blocks[NODES][BLOCK_BYTES];
static paxos_replica_t *replicas[NODES];
static uint64_t now_ns;
static uint32_t delivered;

static void deliver(int node, const paxos_effect_t *effect) {
    const uint8_t *bytes = blocks[node] + effect->body_offset;
    for (uint32_t i = 0; i < effect->count; i++) {
        const paxos_entry_t entry = paxos_entry_get(bytes);
        if (entry.kind == PAXOS_ENTRY_COMMAND) {
            const char *value = (const char *)bytes + PAXOS_ENTRY_HEADER_BYTES;
            printf("node %d: %.*s\n", node + 1, (int)entry.value_bytes, value);
            delivered += 1;
        }
        bytes += paxos_entry_bytes(entry.value_bytes);
    }
}

/* Do what one replica asks; the network is a function call. */
static void run(int node) {
    paxos_effect_t effect = {.size_bytes = sizeof effect};
    while (paxos_replica_poll(replicas[node], &effect)) {
        if (effect.kind == PAXOS_EFFECT_DELIVER) { deliver(node, &effect); }
        if (effect.kind != PAXOS_EFFECT_SEND) { continue; }
        (void)!paxos_replica_receive(
            replicas[effect.node - 1], now_ns, effect.header, sizeof effect.header,
            blocks[node] + effect.body_offset, effect.body_bytes);
        if (effect.token != 0) { (void)!paxos_replica_sent(replicas[node], effect.token); }
    }
}

/* Node 1 passes it on if another leads. False while nobody does: not taken, try again. */
static bool propose(const char *word) {
    uint64_t number = 0;
    return paxos_replica_propose(
               replicas[0], now_ns, (const uint8_t *)word, strlen(word), &number) == PAXOS_OK;
}

int main(void) {
    static const char *const words[] = {"hello", "from", "three replicas"};
    paxos_config_t config;
    paxos_config_default(&config);
    config.cluster = 1;
    config.member_count = NODES;
    config.memory_only = 1;
    config.window_slots = config.pipeline_slots = WINDOW;
    config.value_bytes_max = 256;
    config.frame_bytes_max = 4096;
    config.arena_bytes = ARENA;
    config.reply_ring = config.write_ring = config.send_ring = config.forward_ring = RING;
    for (uint16_t i = 0; i < NODES; i++) { config.members[i] = i + 1; }
    for (uint16_t i = 0; i < NODES; i++) {
        config.node = i + 1;
        config.seed = i;
        if (paxos_replica_init(blocks[i], BLOCK_BYTES, &config, now_ns, &replicas[i]) != PAXOS_OK) {
            return 1;
        }
    }
    for (uint32_t proposed = 0; delivered < NODES * 3 && now_ns < 10000000000u;) {
        if (proposed < 3 && propose(words[proposed])) { proposed += 1; }
        now_ns += 1000000;
        for (int i = 0; i < NODES; i++) { paxos_replica_tick(replicas[i], now_ns); }
        for (int i = 0; i < NODES; i++) { run(i); }
    }
    return delivered == NODES * 3 ? 0 : 1;
}
