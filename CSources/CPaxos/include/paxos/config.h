/* config.h - what a replica is told once, at init, and how many bytes follow from it.
 *
 * Fields marked "agreed" must be the same on every member: their fingerprint travels in PREPARE and
 * HEARTBEAT, and nodes configured differently refuse each other.
 * Threads  any. */
#ifndef PAXOS_CONFIG_H
#define PAXOS_CONFIG_H

#include "paxos/base.h"

typedef struct paxos_config {
    uint32_t size_bytes; /* sizeof(paxos_config_t)                                        */
    uint32_t version;    /* PAXOS_VERSION                                                 */

    uint64_t cluster;      /* agreed; not 0                                                */
    uint32_t group;        /* agreed                                                       */
    uint32_t incarnation;  /* durable count of this node's starts; from 1                  */
    uint16_t node;         /* this node; one of members                                    */
    uint16_t member_count; /* agreed; 1 to 31                                             */
    uint16_t q1;           /* agreed; quorum of phase 1; 0: a majority                     */
    uint16_t q2;           /* agreed; quorum of phase 2; 0: a majority. q1 + q2 > members  */
    uint16_t members[PAXOS_MEMBERS_MAX]; /* agreed; ascending, none 0                     */
    uint16_t memory_only; /* agreed; 1: votes are not durable and no write effect comes out */

    uint32_t window_slots;       /* slots held in memory; a power of two                     */
    uint32_t pipeline_slots;     /* agreed; how far a leader runs ahead; <= every window     */
    uint32_t value_bytes_max;    /* agreed                                                   */
    uint32_t frame_bytes_max;    /* agreed; header and body; a datagram transport's MTU      */
    uint32_t inflight_bytes_max; /* agreed; entries not yet decided; 0: a third of the arena */
    uint32_t arena_bytes;        /* for entries; a power of two                              */
    uint32_t reply_ring;         /* replies that may wait for their flush; a power of two    */
    uint32_t write_ring;         /* writes that may wait for their flush; a power of two     */
    uint32_t send_ring;          /* sends with a body that may be unsent, a peer; a power of two */
    uint32_t forward_ring;       /* forwards under way; a power of two                       */

    uint64_t election_timeout_ns; /* agreed; a silent leader is replaced within it        */
    uint64_t seed;                /* of the delays; any                                   */
    uint64_t journal_lsn;         /* incarnation over 1: the lsn that the journal, as the host
                                   * keeps it, starts with; 0: 1, nothing was recycled    */
    uint32_t manual_elections;    /* 1: never campaign unless told to                     */
    uint32_t zero;
} paxos_config_t;

/*@ // The rules, as paxos_config_check checks them.
    predicate paxos_power_of_two(integer value, integer max) =
        0 < value <= max && (value & (value - 1)) == 0;
    axiomatic Power {
      axiom paxos_power_multiple: \forall integer value, max;
          paxos_power_of_two(value, max) && value >= 64 ==> value % 64 == 0;
    }
    logic integer paxos_quorum(integer quorum, integer count) =
        quorum != 0 ? quorum : count / 2 + 1;

    // Quorums of the two phases meet, and this node is one of distinct members.
    predicate paxos_config_members{L}(paxos_config_t *c) =
        0 < c->member_count <= PAXOS_MEMBERS_MAX &&
        (\forall integer i; 0 <= i < c->member_count ==> c->members[i] != 0) &&
        (\forall integer i; 0 < i < c->member_count ==> c->members[i - 1] < c->members[i]) &&
        (\exists integer i; 0 <= i < c->member_count && c->members[i] == c->node) &&
        paxos_quorum(c->q1, c->member_count) <= c->member_count &&
        paxos_quorum(c->q2, c->member_count) <= c->member_count &&
        c->member_count <
            paxos_quorum(c->q1, c->member_count) + paxos_quorum(c->q2, c->member_count);
    predicate paxos_config_life{L}(paxos_config_t *c) =
        c->cluster != 0 && c->incarnation != 0 && c->memory_only <= 1 &&
        c->manual_elections <= 1 && c->journal_lsn < PAXOS_SLOT_MAX &&
        (c->incarnation == 1 ==> c->journal_lsn <= 1);

    // A frame holds the largest entry, and the arena four of the largest frames.
    logic integer paxos_config_body{L}(paxos_config_t *c) = (c->frame_bytes_max - 96) / 8 * 8;
    logic integer paxos_config_reserve{L}(paxos_config_t *c) =
        (16 + paxos_config_body(c) + 15) / 16 * 16;
    predicate paxos_config_arena{L}(paxos_config_t *c) =
        0 < c->value_bytes_max <= PAXOS_VALUE_BYTES_MAX &&
        96 + 24 + (c->value_bytes_max + 7) / 8 * 8 <= c->frame_bytes_max &&
        c->frame_bytes_max <= PAXOS_FRAME_BYTES_MAX &&
        paxos_power_of_two(c->arena_bytes, PAXOS_ARENA_BYTES_MAX) &&
        4 * paxos_config_reserve(c) <= c->arena_bytes;
    logic integer paxos_config_inflight_of{L}(paxos_config_t *c) =
        c->inflight_bytes_max != 0 ? c->inflight_bytes_max
                                   : (c->arena_bytes - 2 * paxos_config_reserve(c)) / 3 + 1;
    predicate paxos_config_rings{L}(paxos_config_t *c) =
        paxos_power_of_two(c->window_slots, PAXOS_WINDOW_SLOTS_MAX) &&
        0 < c->pipeline_slots <= c->window_slots &&
        paxos_power_of_two(c->reply_ring, PAXOS_RING_MAX) &&
        paxos_power_of_two(c->write_ring, PAXOS_RING_MAX) &&
        paxos_power_of_two(c->send_ring, PAXOS_RING_MAX) &&
        paxos_power_of_two(c->forward_ring, PAXOS_RING_MAX);
    predicate paxos_config_sizes{L}(paxos_config_t *c) =
        paxos_config_rings(c) && paxos_config_arena(c) &&
        paxos_config_inflight_of(c) + 2 * paxos_config_reserve(c) <= c->arena_bytes &&
        1000 <= c->election_timeout_ns <= UINT64_MAX / 256;

    predicate paxos_config_good{L}(paxos_config_t *c) =
        c->size_bytes == sizeof(paxos_config_t) &&
        (c->version >> 16) == (PAXOS_VERSION >> 16) && paxos_config_life(c) &&
        paxos_config_members(c) && paxos_config_sizes(c);

    // Bytes of a block, as the macros below have them.
    logic integer paxos_round64(integer bytes) = (bytes + 63) / 64 * 64;
    logic integer paxos_acceptor_bytes{L}(paxos_config_t *c) = paxos_round64(
        512 + c->member_count * 32 + c->member_count * c->send_ring * 8 + c->window_slots * 32 +
        c->reply_ring * 64 + c->write_ring * 64 + c->arena_bytes);
    logic integer paxos_replica_bytes{L}(paxos_config_t *c) = paxos_acceptor_bytes(c) +
        paxos_round64(512 + c->member_count * 128 + c->window_slots * 32 + c->forward_ring * 48);
*/

#ifdef __cplusplus
extern "C" {
#endif

/* A configuration for servers: majority quorums, window 4096, values up to 64 KiB, durable.
 * The caller then sets cluster, node, members and member_count. */
/*@ requires \valid(config);
    assigns *config;
    ensures config->size_bytes == sizeof(paxos_config_t) && config->version == PAXOS_VERSION;
    ensures config->window_slots == 4096 && config->value_bytes_max == 65536;
    ensures config->q1 == 0 && config->q2 == 0 && config->memory_only == 0;
    ensures others: config->member_count == 0 && config->node == 0 && config->cluster == 0; */
void paxos_config_default(paxos_config_t *config);

/* Check every rule; on PAXOS_ERR_CONFIG *rule_out names the broken one in plain words.
 * Thread: any. Cost O(members). */
/*@ requires \valid_read(config);
    requires rule_out == \null || (\valid(rule_out) && \separated(config, rule_out));
    assigns *rule_out;
    ensures \result == PAXOS_OK || \result == PAXOS_ERR_CONFIG;
    ensures \result == PAXOS_OK <==> paxos_config_good(config);
    ensures named: rule_out != \null ==> (\result == PAXOS_OK <==> *rule_out == \null); */
PAXOS_MUST_USE paxos_status_t
paxos_config_check(const paxos_config_t *config, const char **rule_out);

/* Bytes of the block; 0 if the configuration breaks a rule. No sum overflows 32 bits. */
/*@ requires \valid_read(config);
    assigns \nothing;
    ensures paxos_config_good(config) ==> 512 <= \result == paxos_acceptor_bytes(config);
    ensures !paxos_config_good(config) ==> \result == 0;
    ensures \result <= 0x84000000; */
size_t paxos_acceptor_block_bytes(const paxos_config_t *config);
/*@ requires \valid_read(config);
    assigns \nothing;
    ensures paxos_config_good(config) ==> \result == paxos_replica_bytes(config);
    ensures !paxos_config_good(config) ==> \result == 0;
    ensures \result <= UINT32_MAX; */
size_t paxos_replica_block_bytes(const paxos_config_t *config);

#ifdef __cplusplus
}
#endif

/* The same as constant expressions, for static arrays (aligned to PAXOS_BLOCK_ALIGNMENT). */
#define PAXOS_ROUND_UP(bytes, unit) (((size_t)(bytes) + ((unit)-1u)) / (unit) * (unit))
#define PAXOS_ACCEPTOR_BLOCK_BYTES(members, window, arena, replies, writes, sends)     \
    PAXOS_ROUND_UP(                                                                    \
        PAXOS_ACCEPTOR_STATE_BYTES + (size_t)(members)*PAXOS_MEMBER_STATE_BYTES +      \
            (size_t)(members) * (sends)*8u + (size_t)(window)*PAXOS_CELL_BYTES +       \
            (size_t)(replies)*PAXOS_REPLY_BYTES + (size_t)(writes)*PAXOS_WRITE_BYTES + \
            (size_t)(arena),                                                           \
        PAXOS_BLOCK_ALIGNMENT)
#define PAXOS_REPLICA_PART_BYTES(members, window, forwards)                                 \
    PAXOS_ROUND_UP(                                                                         \
        PAXOS_REPLICA_STATE_BYTES + (size_t)(members)*PAXOS_PEER_STATE_BYTES +              \
            (size_t)(window)*PAXOS_PROPOSAL_BYTES + (size_t)(forwards)*PAXOS_FORWARD_BYTES, \
        PAXOS_BLOCK_ALIGNMENT)
#define PAXOS_REPLICA_BLOCK_BYTES(members, window, arena, replies, writes, sends, forwards) \
    (PAXOS_ACCEPTOR_BLOCK_BYTES(members, window, arena, replies, writes, sends) +           \
     PAXOS_REPLICA_PART_BYTES(members, window, forwards))

/* Sizes of the parts; layout.h asserts each against its struct. */
#define PAXOS_ACCEPTOR_STATE_BYTES 512u
#define PAXOS_MEMBER_STATE_BYTES 32u
#define PAXOS_CELL_BYTES 32u
#define PAXOS_REPLY_BYTES 64u
#define PAXOS_WRITE_BYTES 64u
#define PAXOS_REPLICA_STATE_BYTES 512u
#define PAXOS_PEER_STATE_BYTES 128u
#define PAXOS_PROPOSAL_BYTES 32u
#define PAXOS_FORWARD_BYTES 48u

#endif
