/* witness.c - the voter alone, without Swift: three acceptors choose a value by the two phases of
 * "Paxos Made Simple", and keep it when a later ballot comes with another.
 *
 *   gcc witness.c $(pkg-config --cflags --libs cpaxos-acceptor) -o witness */
#include <stdio.h>
#include <string.h>

#include "paxos/acceptor.h"
#include "paxos/entry.h"

enum { NODES = 3, QUORUM = 2, WINDOW = 16, ARENA = 1 << 12, RING = 4, VALUE_BYTES = 64 };
#define BLOCK_BYTES PAXOS_ACCEPTOR_BLOCK_BYTES(NODES, WINDOW, ARENA, RING, RING, RING)

static _Alignas(PAXOS_BLOCK_ALIGNMENT) uint8_t blocks[NODES][BLOCK_BYTES];
static paxos_acceptor_t *acceptors[NODES];

static bool start(void) {
    paxos_config_t config;
    paxos_config_default(&config);
    config.cluster = 1;
    config.member_count = NODES;
    config.memory_only = 1; /* otherwise votes come out as WRITE effects first: see own_loop.c */
    config.window_slots = config.pipeline_slots = WINDOW;
    config.value_bytes_max = VALUE_BYTES;
    config.frame_bytes_max = 512;
    config.arena_bytes = ARENA;
    config.reply_ring = config.write_ring = config.send_ring = config.forward_ring = RING;
    for (uint16_t i = 0; i < NODES; i++) { config.members[i] = (uint16_t)(i + 1); }
    for (uint16_t i = 0; i < NODES; i++) {
        config.node = (uint16_t)(i + 1);
        if (paxos_acceptor_init(blocks[i], BLOCK_BYTES, &config, &acceptors[i]) != PAXOS_OK) {
            return false;
        }
    }
    return true;
}

/* Phase 1 with two of them: whatever was accepted under the highest ballot must be proposed again.
 * Post: the value to propose; *promises is how many promised. */
static const char *prepare(
    paxos_ballot_t ballot, const int *asked, const char *own, int *promises) {
    static char found[VALUE_BYTES + 1];
    paxos_ballot_t highest = 0;
    const char *value = own;
    *promises = 0;
    for (int i = 0; i < QUORUM; i++) {
        paxos_acceptor_t *acceptor = acceptors[asked[i]];
        paxos_ballot_t promised = 0;
        paxos_ballot_t accepted = 0;
        const uint8_t *bytes = NULL;
        uint64_t lsn = 0;
        uint32_t state = 0;
        uint32_t length = 0;
        if (paxos_acceptor_prepare(acceptor, ballot, &promised, &lsn) != PAXOS_OK) { continue; }
        *promises += 1;
        paxos_acceptor_look(acceptor, 1, &state, &accepted, &bytes, &length);
        if (state == PAXOS_RUN_ACCEPTED && accepted > highest) {
            highest = accepted;
            memcpy(found, bytes, length);
            found[length] = '\0';
            value = found;
        }
    }
    return value;
}

/* Phase 2: how many accept the value in slot 1. */
static int accept(paxos_ballot_t ballot, const int *asked, const char *value) {
    uint8_t bytes[PAXOS_ENTRY_HEADER_BYTES + VALUE_BYTES];
    const paxos_entry_t entry = {
        .value_bytes = (uint32_t)strlen(value),
        .node = paxos_ballot_node(ballot),
        .kind = PAXOS_ENTRY_COMMAND,
        .incarnation = 1,
        .number = 1};
    paxos_run_t run = {.ballot = ballot, .slot = 1, .count = 1, .entries = bytes};
    run.bytes = paxos_entry_put(bytes, entry, (const uint8_t *)value);
    if (paxos_run_verify(bytes, run.bytes, 1, 1, VALUE_BYTES, &run.digest) != PAXOS_OK) {
        return 0;
    }
    int votes = 0;
    for (int i = 0; i < QUORUM; i++) {
        uint64_t lsn = 0;
        votes += paxos_acceptor_accept(acceptors[asked[i]], &run, &lsn) == PAXOS_OK ? 1 : 0;
    }
    return votes;
}

/* One proposer's attempt; true when its slot is decided. */
static bool propose(paxos_ballot_t ballot, const int *asked, const char *own, const char *wanted) {
    int promises = 0;
    const char *value = prepare(ballot, asked, own, &promises);
    const bool is_chosen = promises == QUORUM && accept(ballot, asked, value) == QUORUM;
    (void)printf(
        "node %u proposes %s: %s %s\n", (unsigned)paxos_ballot_node(ballot), own,
        is_chosen ? "chosen is" : "refused:", is_chosen ? value : "a higher ballot was promised");
    return is_chosen && strcmp(value, wanted) == 0;
}

int main(void) {
    static const int left[QUORUM] = {0, 1};
    static const int right[QUORUM] = {1, 2};
    if (!start()) { return 1; }
    const bool is_kept = propose(paxos_ballot(1, 1), left, "apples", "apples") &&
                         propose(paxos_ballot(2, 3), right, "pears", "apples") &&
                         !propose(paxos_ballot(1, 2), left, "plums", "plums");
    return is_kept ? 0 : 1;
}
