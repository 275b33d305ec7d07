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
static const char *stopper; /* what the words of the library must name */

/* A host's own words. It must not return. */
void paxos_panic(const char *condition, const char *file, int line) {
    (void)printf(
        "%s:%d: %s\n", strrchr(file, '/') == NULL ? file : strrchr(file, '/') + 1, line, condition);
    (void)fflush(stdout);
    _exit(strstr(condition, stopper) != NULL ? STOPPED : 1);
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

/* Whether a call stops the program with words that name what is wrong, in a process of its own. */
static bool stops(void (*call)(int), int which, const char *words) {
    const pid_t child = fork();
    if (child == 0) {
        stopper = words;
        handed.size_bytes = 8;
        call(which);
        _exit(0);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == STOPPED;
}

static const uint8_t header[PAXOS_FRAME_HEADER_BYTES];

/* Every call of acceptor.h on what is no acceptor's block; NULL, or the one that takes it. */
static const char *acceptor_takes(void *memory) {
    paxos_acceptor_t *a = memory;
    paxos_effect_t effect = {.size_bytes = sizeof effect};
    const paxos_run_t run = {.ballot = 1, .slot = 1, .count = 1, .bytes = 32, .entries = header};
    uint64_t out = 0;
    if (paxos_acceptor_receive(a, header, sizeof header, NULL, 0) != PAXOS_ERR_CORRUPT) {
        return "acceptor_receive";
    }
    if (paxos_acceptor_recover(a, header, sizeof header, NULL, 0) != PAXOS_ERR_CORRUPT) {
        return "acceptor_recover";
    }
    if (paxos_acceptor_recovered(a, 0, 0) != PAXOS_ERR_CORRUPT) { return "acceptor_recovered"; }
    if (paxos_acceptor_poll(a, &effect)) { return "acceptor_poll"; }
    if (paxos_acceptor_flushed(a, 0) != PAXOS_ERR_CORRUPT) { return "acceptor_flushed"; }
    if (paxos_acceptor_sent(a, 0) != PAXOS_ERR_CORRUPT) { return "acceptor_sent"; }
    if (paxos_acceptor_trim(a, 0) != PAXOS_ERR_CORRUPT) { return "acceptor_trim"; }
    if (paxos_acceptor_prepare(a, 1, &out, &out) != PAXOS_ERR_CORRUPT) {
        return "acceptor_prepare";
    }
    if (paxos_acceptor_accept(a, &run, &out) != PAXOS_ERR_CORRUPT) { return "acceptor_accept"; }
    paxos_acceptor_retain(a, 1);
    return NULL;
}

/* Every call of replica.h on what is no replica's block; NULL, or the one that takes it. */
static const char *replica_takes(void *memory) {
    paxos_replica_t *r = memory;
    paxos_effect_t effect = {.size_bytes = sizeof effect};
    uint64_t number = 0;
    if (paxos_replica_receive(r, 0, header, sizeof header, NULL, 0) != PAXOS_ERR_CORRUPT) {
        return "receive";
    }
    if (paxos_replica_recover(r, header, sizeof header, NULL, 0) != PAXOS_ERR_CORRUPT) {
        return "recover";
    }
    if (paxos_replica_recovered(r, 0, 0, 0) != PAXOS_ERR_CORRUPT) { return "recovered"; }
    if (paxos_replica_propose(r, 0, header, 1, &number) != PAXOS_ERR_CORRUPT) { return "propose"; }
    if (paxos_replica_flushed(r, 0, 0) != PAXOS_ERR_CORRUPT) { return "flushed"; }
    if (paxos_replica_sent(r, 0) != PAXOS_ERR_CORRUPT) { return "sent"; }
    if (paxos_replica_trim(r, 0) != PAXOS_ERR_CORRUPT) { return "trim"; }
    if (paxos_replica_campaign(r, 0) != PAXOS_ERR_CORRUPT) { return "campaign"; }
    if (paxos_replica_poll(r, &effect) || paxos_replica_poll_io(r, &effect)) { return "poll"; }
    if (paxos_replica_poll_log(r, &effect) || paxos_replica_has_log(r)) { return "poll_log"; }
    if (paxos_replica_deadline(r) != UINT64_MAX) { return "deadline"; }
    paxos_replica_tick(r, 1);
    paxos_replica_press(r, 1);
    paxos_replica_retain(r, 1);
    return NULL;
}

/* What has nothing to show of memory that is no block. */
static void show(int which) {
    uint32_t state;
    uint32_t value_bytes;
    paxos_ballot_t ballot;
    const uint8_t *value;
    paxos_acceptor_t *no_acceptor = (paxos_acceptor_t *)(void *)foreign;
    paxos_replica_t *no_replica = (paxos_replica_t *)(void *)foreign;
    handed.size_bytes = which == 2 ? sizeof handed.replica : sizeof handed.acceptor;
    switch (which) {
        case 0: paxos_acceptor_look(no_acceptor, 1, &state, &ballot, &value, &value_bytes); break;
        case 1: paxos_acceptor_status(no_acceptor, &handed.acceptor); break;
        default: paxos_replica_status(no_replica, &handed.replica); break;
    }
}

/* A call that takes what it must not, or writes to it; NULL: none. */
static const char *misused(uint8_t *memory, bool is_acceptor, bool is_replica) {
    static uint8_t before[sizeof foreign];
    memcpy(before, memory, sizeof before);
    const char *taken = is_acceptor ? NULL : acceptor_takes(memory);
    if (taken == NULL && !is_replica) { taken = replica_takes(memory); }
    if (taken != NULL) { return taken; }
    return memcmp(before, memory, sizeof before) == 0 ? NULL : "a call wrote to it";
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

    memset(foreign, 1, sizeof foreign);
    const char *taken = misused(foreign, false, false);
    if (taken != NULL) { return fail(taken); }
    for (int which = 0; which < 3; which++) {
        if (!stops(show, which, "has_voter")) { return fail("what is no block is shown"); }
    }

    config = config_of();
    if (paxos_acceptor_init(foreign, BLOCK_BYTES, &config, &acceptor) != PAXOS_OK ||
        paxos_replica_init(block, BLOCK_BYTES, &config, 0, &replica) != PAXOS_OK) {
        return fail("a good block");
    }
    taken = misused(foreign, true, false);
    if (taken != NULL) { return fail(taken); }
    taken = misused(block, false, true);
    if (taken != NULL) { return fail(taken); }
    for (int which = 0; which < 6; which++) {
        if (!stops(hand_over, which, "size_bytes")) {
            return fail("a struct of another size is filled");
        }
    }
    return 0;
}
