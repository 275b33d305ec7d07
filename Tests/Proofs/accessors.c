/* accessors.c - holds the accessors of layout.h to the contracts that the proofs take for granted:
 * each part of a block is where its neighbours are not, and a number's place is its remainder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "paxos/log.h"

#define CHECK(condition)                                                   \
    do {                                                                   \
        if (!(condition)) {                                                \
            fprintf(stderr, "accessors.c:%d: %s\n", __LINE__, #condition); \
            exit(1);                                                       \
        }                                                                  \
    } while (0)

/* Bytes of the block that a part has claimed. */
static uint8_t *claimed;
static size_t claimed_bytes;
static const uint8_t *block_start;

static void claim(const void *part, size_t bytes) {
    const uint8_t *p = part;
    CHECK(p >= block_start && (size_t)(p - block_start) + bytes <= claimed_bytes);
    for (size_t i = 0; i < bytes; i++) { CHECK(claimed[(size_t)(p - block_start) + i]++ == 0); }
}

static void check_rings(const paxos_acceptor_t *a) {
    const paxos_cell_t *cells = paxos_cell(a, 0);
    const paxos_write_t *writes = paxos_write(a, 0);
    const paxos_reply_t *replies = paxos_reply(a, 0);
    const uint8_t *arena = paxos_arena(a, 0);
    const uint64_t bases[] = {0, 1, 12345, PAXOS_SLOT_MAX - 1, UINT64_MAX - (1u << 20)};
    for (size_t b = 0; b < sizeof bases / sizeof *bases; b++) {
        for (uint64_t i = bases[b]; i < bases[b] + 4096; i++) {
            CHECK(paxos_cell(a, i) == cells + i % a->window_slots);
            CHECK(paxos_write(a, i) == writes + i % a->write_ring);
            CHECK(paxos_reply(a, i) == replies + i % a->reply_ring);
            CHECK(paxos_arena(a, i) == arena + i % a->arena_bytes);
            CHECK(paxos_arena_place(a, i) == i % a->arena_bytes);
            CHECK(paxos_arena_place(a, i + (a->arena_bytes - paxos_arena_place(a, i))) == 0);
            CHECK(paxos_arena_offset(a, i) == (uint64_t)(paxos_arena(a, i) - block_start));
        }
    }
}

static void check_parts(const paxos_acceptor_t *a) {
    claim(a, sizeof *a);
    claim(paxos_cell(a, 0), a->window_slots * sizeof(paxos_cell_t));
    claim(paxos_write(a, 0), a->write_ring * sizeof(paxos_write_t));
    claim(paxos_reply(a, 0), a->reply_ring * sizeof(paxos_reply_t));
    claim(paxos_members(a), a->member_count * sizeof(paxos_member_t));
    for (uint32_t m = 0; m < a->member_count; m++) {
        claim(paxos_sends(a, m), a->send_ring * sizeof(uint64_t));
    }
    claim(paxos_arena(a, 0), a->arena_bytes);
    if (!a->is_replica) { return; }
    const paxos_replica_t *r = (const paxos_replica_t *)(const void *)a;
    claim(a + 1, sizeof *r - sizeof *a);
    claim(paxos_peer(r, 0), a->member_count * sizeof(paxos_peer_t));
    claim(paxos_proposal(a, 0), a->window_slots * sizeof(paxos_proposal_t));
    claim(paxos_forward(r, 0), r->forward_ring * sizeof(paxos_forward_t));
}

static void check_block(const paxos_config_t *config, bool is_replica) {
    claimed_bytes =
        is_replica ? paxos_replica_block_bytes(config) : paxos_acceptor_block_bytes(config);
    CHECK(claimed_bytes != 0);
    void *block = aligned_alloc(PAXOS_BLOCK_ALIGNMENT, claimed_bytes);
    claimed = calloc(claimed_bytes, 1);
    block_start = block;
    CHECK(block != NULL && claimed != NULL);
    CHECK(paxos_block_init(block, claimed_bytes, config, is_replica) == PAXOS_OK);
    if (is_replica) { ((paxos_replica_t *)block)->forward_ring = config->forward_ring; }
    check_parts(block);
    check_rings(block);
    free(claimed);
    free(block);
}

int main(void) {
    paxos_config_t config;
    paxos_config_default(&config);
    config.cluster = 1;
    config.arena_bytes = 1u << 20;
    config.frame_bytes_max = 128u << 10;
    for (uint16_t members = 1; members <= PAXOS_MEMBERS_MAX; members++) {
        config.member_count = members;
        config.members[members - 1] = members;
        config.node = members;
        for (uint32_t slots = 1; slots <= 4096; slots *= 8) {
            config.window_slots = slots;
            config.pipeline_slots = slots;
            config.write_ring = slots;
            config.reply_ring = members % 2 ? 1 : 64;
            config.send_ring = members % 3 ? 8 : 1;
            check_block(&config, false);
            check_block(&config, true);
        }
    }
    printf("accessors: every part of 310 blocks is where its contract says\n");
    return 0;
}
