/* misuse.c - what a program may do wrong with an installed library is an error value, or stops it
 * with words of its own: its paxos_panic takes the place of the library's, shared or not. */
#include <stdio.h>
#include <stdlib.h>

#include <paxos.h>

enum { NODES = 3, WINDOW = 16, ARENA = 1 << 12, RING = 4 };
#define BLOCK_BYTES PAXOS_REPLICA_BLOCK_BYTES(NODES, WINDOW, ARENA, RING, RING, RING, RING)

static _Alignas(PAXOS_BLOCK_ALIGNMENT) uint8_t block[BLOCK_BYTES + PAXOS_BLOCK_ALIGNMENT];
static _Alignas(PAXOS_BLOCK_ALIGNMENT) uint8_t foreign[BLOCK_BYTES];
static bool is_expected;

/* A host's own words. It must not return. */
void paxos_panic(const char *condition, const char *file, int line) {
    (void)printf("%s:%d: %s\n", file, line, condition);
    exit(is_expected ? 0 : 2);
}

static int fail(const char *what) {
    (void)fprintf(stderr, "misuse: %s\n", what);
    return 1;
}

static paxos_config_t config_of(void) {
    paxos_config_t config;
    paxos_config_default(&config);
    config.cluster = 1;
    config.node = 1;
    config.member_count = NODES;
    for (uint16_t i = 0; i < NODES; i++) { config.members[i] = (uint16_t)(i + 1); }
    config.window_slots = config.pipeline_slots = WINDOW;
    config.value_bytes_max = 64;
    config.frame_bytes_max = 512;
    config.arena_bytes = ARENA;
    config.reply_ring = config.write_ring = config.send_ring = config.forward_ring = RING;
    return config;
}

static bool refuses(uint8_t *at, size_t bytes, const paxos_config_t *config) {
    paxos_replica_t *replica = NULL;
    return paxos_replica_init(at, bytes, config, 0, &replica) == PAXOS_ERR_CONFIG;
}

int main(void) {
    paxos_config_t config = config_of();
    if (paxos_version() != PAXOS_VERSION) { return fail("headers and library differ"); }
    if (paxos_replica_block_bytes(&config) != BLOCK_BYTES) { return fail("macro and function"); }
    if (!refuses(block + 8, BLOCK_BYTES, &config)) { return fail("an unaligned block"); }
    if (!refuses(block, BLOCK_BYTES - 1, &config)) { return fail("a short block"); }
    config.version += 1u << 16;
    if (!refuses(block, BLOCK_BYTES, &config)) { return fail("headers of another major version"); }
    config = config_of();
    config.size_bytes -= 8;
    if (!refuses(block, BLOCK_BYTES, &config)) { return fail("a struct of another size"); }
    config = config_of();
    paxos_acceptor_t *acceptor = NULL;
    if (paxos_acceptor_init(block, BLOCK_BYTES, &config, &acceptor) != PAXOS_OK) {
        return fail("a good block");
    }
    const uint8_t header[PAXOS_FRAME_HEADER_BYTES] = {0};
    if (paxos_acceptor_receive(
            (paxos_acceptor_t *)(void *)foreign, header, sizeof header, NULL, 0) !=
        PAXOS_ERR_CORRUPT) {
        return fail("a block that init never saw");
    }
    paxos_effect_t effect = {.size_bytes = 8};
    is_expected = true;
    const bool is_due = paxos_acceptor_poll(acceptor, &effect);
    return fail(is_due ? "an effect of another size came out" : "an effect of another size");
}
