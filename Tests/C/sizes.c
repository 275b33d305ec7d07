/* sizes.c - the constant expressions for static arrays say what the functions say. */
#include <stdio.h>

#include "paxos.h"

enum { MEMBERS = 3, WINDOW = 16, ARENA = 2048, RING = 4 };

#define ACCEPTOR_BYTES PAXOS_ACCEPTOR_BLOCK_BYTES(MEMBERS, WINDOW, ARENA, RING, RING, RING)
#define REPLICA_BYTES PAXOS_REPLICA_BLOCK_BYTES(MEMBERS, WINDOW, ARENA, RING, RING, RING, RING)

static _Alignas(PAXOS_BLOCK_ALIGNMENT) uint8_t acceptor_block[ACCEPTOR_BYTES];
static _Alignas(PAXOS_BLOCK_ALIGNMENT) uint8_t replica_block[REPLICA_BYTES];

/* The figure of the firmware: 16 slots of 64 bytes. */
_Static_assert(sizeof acceptor_block < 4096, "an acceptor of 16 slots fits in 4 KiB");

static int differ(const char *what, size_t macro, size_t function) {
    printf("%s: %zu bytes by the macro, %zu by the function\n", what, macro, function);
    return macro != function;
}

int main(void) {
    paxos_config_t config;
    paxos_config_default(&config);
    config.cluster = 1;
    config.node = 1;
    config.member_count = MEMBERS;
    for (uint16_t i = 0; i < MEMBERS; i++) { config.members[i] = (uint16_t)(i + 1); }
    config.window_slots = config.pipeline_slots = WINDOW;
    config.value_bytes_max = 64;
    config.frame_bytes_max = 256;
    config.arena_bytes = ARENA;
    config.reply_ring = config.write_ring = config.send_ring = config.forward_ring = RING;
    const char *rule = NULL;
    if (paxos_config_check(&config, &rule) != PAXOS_OK) {
        printf("rule: %s\n", rule);
        return 1;
    }
    int failed = differ("acceptor", sizeof acceptor_block, paxos_acceptor_block_bytes(&config));
    failed |= differ("replica", sizeof replica_block, paxos_replica_block_bytes(&config));

    paxos_acceptor_t *acceptor = NULL;
    failed |= paxos_acceptor_init(acceptor_block, sizeof acceptor_block, &config, &acceptor);
    paxos_replica_t *replica = NULL;
    failed |= paxos_replica_init(replica_block, sizeof replica_block, &config, 0, &replica);
    return failed != 0;
}
