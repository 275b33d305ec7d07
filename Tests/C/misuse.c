/* misuse.c - what a program may do wrong with an installed library is an error value, or stops it
 * with words of its own: its paxos_panic takes the place of the library's, shared or not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <paxos.h>

enum { NODES = 3, WINDOW = 16, ARENA = 1 << 12, RING = 4 };
#define BLOCK_BYTES PAXOS_REPLICA_BLOCK_BYTES(NODES, WINDOW, ARENA, RING, RING, RING, RING)

static _Alignas(PAXOS_BLOCK_ALIGNMENT) uint8_t block[BLOCK_BYTES + PAXOS_BLOCK_ALIGNMENT];
static _Alignas(PAXOS_BLOCK_ALIGNMENT) uint8_t foreign[BLOCK_BYTES];

enum { STOPPED = 42 };

/* A host's own words. It must not return. */
void paxos_panic(const char *condition, const char *file, int line) {
    (void)printf(
        "%s:%d: %s\n", strrchr(file, '/') == NULL ? file : strrchr(file, '/') + 1, line, condition);
    (void)fflush(stdout);
    _exit(strstr(condition, "size_bytes") != NULL ? STOPPED : 1);
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
    paxos_replica_t *made = NULL;
    return paxos_replica_init(at, bytes, config, 0, &made) == PAXOS_ERR_CONFIG;
}

/* What a program of another version may hand over: a struct of another size. */
static union {
    paxos_effect_t effect;
    paxos_acceptor_status_t acceptor;
    paxos_replica_status_t replica;
    uint32_t size_bytes;
} handed;

static paxos_acceptor_t *acceptor;
static paxos_replica_t *replica;

static void hand_over(int which) {
    switch (which) {
        case 0: (void)!paxos_acceptor_poll(acceptor, &handed.effect); break;
        case 1: (void)!paxos_replica_poll(replica, &handed.effect); break;
        case 2: (void)!paxos_replica_poll_io(replica, &handed.effect); break;
        case 3: (void)!paxos_replica_poll_log(replica, &handed.effect); break;
        case 4: paxos_acceptor_status(acceptor, &handed.acceptor); break;
        default: paxos_replica_status(replica, &handed.replica); break;
    }
}

/* Whether a struct of another size stops the program, in a process of its own. */
static bool stops(int which) {
    const pid_t child = fork();
    if (child == 0) {
        handed.size_bytes = 8;
        hand_over(which);
        _exit(0);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == STOPPED;
}

/* Every call on memory that init never saw; NULL, or the one that takes it for a block. */
static const char *takes_foreign(void) {
    static const uint8_t header[PAXOS_FRAME_HEADER_BYTES];
    paxos_replica_t *r = (paxos_replica_t *)(void *)foreign;
    paxos_acceptor_t *a = (paxos_acceptor_t *)(void *)foreign;
    paxos_effect_t effect = {.size_bytes = sizeof effect};
    const size_t bytes = sizeof header;
    uint64_t number = 0;
    if (paxos_acceptor_receive(a, header, bytes, NULL, 0) != PAXOS_ERR_CORRUPT) {
        return "acceptor_receive";
    }
    if (paxos_acceptor_recover(a, header, bytes, NULL, 0) != PAXOS_ERR_CORRUPT) {
        return "acceptor_recover";
    }
    if (paxos_acceptor_recovered(a, 0, 0) != PAXOS_ERR_CORRUPT) { return "acceptor_recovered"; }
    if (paxos_replica_receive(r, 0, header, bytes, NULL, 0) != PAXOS_ERR_CORRUPT) {
        return "receive";
    }
    if (paxos_replica_recover(r, header, bytes, NULL, 0) != PAXOS_ERR_CORRUPT) { return "recover"; }
    if (paxos_replica_recovered(r, 0, 0, 0) != PAXOS_ERR_CORRUPT) { return "recovered"; }
    if (paxos_replica_propose(r, 0, header, 1, &number) != PAXOS_ERR_CORRUPT) { return "propose"; }
    if (paxos_replica_flushed(r, 0, 1) != PAXOS_ERR_CORRUPT) { return "flushed"; }
    if (paxos_replica_sent(r, 1) != PAXOS_ERR_CORRUPT) { return "sent"; }
    if (paxos_replica_trim(r, 1) != PAXOS_ERR_CORRUPT) { return "trim"; }
    if (paxos_replica_campaign(r, 0) != PAXOS_ERR_CORRUPT) { return "campaign"; }
    if (paxos_replica_poll(r, &effect) || paxos_replica_poll_io(r, &effect)) { return "poll"; }
    if (paxos_replica_poll_log(r, &effect) || paxos_replica_has_log(r)) { return "poll_log"; }
    if (paxos_replica_deadline(r) != UINT64_MAX) { return "deadline"; }
    paxos_replica_tick(r, 1);
    paxos_replica_press(r, 1);
    paxos_replica_retain(r, 1);
    return NULL;
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

    /* Ones, which are no block, and must be ones afterwards. */
    memset(foreign, 1, sizeof foreign);
    const char *taken = takes_foreign();
    if (taken != NULL) { return fail(taken); }
    for (size_t i = 0; i < sizeof foreign; i++) {
        if (foreign[i] != 1) { return fail("a call wrote to memory that is no block"); }
    }

    config = config_of();
    if (paxos_acceptor_init(foreign, BLOCK_BYTES, &config, &acceptor) != PAXOS_OK ||
        paxos_replica_init(block, BLOCK_BYTES, &config, 0, &replica) != PAXOS_OK) {
        return fail("a good block");
    }
    for (int which = 0; which < 6; which++) {
        if (!stops(which)) { return fail("a struct of another size is filled"); }
    }
    return 0;
}
