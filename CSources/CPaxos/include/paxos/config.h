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

/* A configuration for servers: majority quorums, window 4096, values up to 64 KiB, durable.
 * The caller then sets cluster, node, members and member_count. */
void paxos_config_default(paxos_config_t *config);

/* Check every rule; on PAXOS_ERR_CONFIG *rule_out names the broken one in plain words.
 * Thread: any. Cost O(members). */
PAXOS_MUST_USE paxos_status_t
paxos_config_check(const paxos_config_t *config, const char **rule_out);

/* Bytes of the block; 0 if the configuration breaks a rule. */
size_t paxos_acceptor_block_bytes(const paxos_config_t *config);
size_t paxos_replica_block_bytes(const paxos_config_t *config);

/* The same as constant expressions, for static arrays (aligned to PAXOS_BLOCK_ALIGNMENT). */
#define PAXOS_ROUND_UP(bytes, unit) (((size_t)(bytes) + ((unit)-1u)) / (unit) * (unit))
#define PAXOS_ACCEPTOR_BLOCK_BYTES(members, window, arena, replies, writes, sends)     \
    PAXOS_ROUND_UP(                                                                    \
        PAXOS_ACCEPTOR_STATE_BYTES + (size_t)(members)*PAXOS_MEMBER_STATE_BYTES +      \
            (size_t)(members) * (sends)*8u + (size_t)(window)*PAXOS_CELL_BYTES +       \
            (size_t)(replies)*PAXOS_REPLY_BYTES + (size_t)(writes)*PAXOS_WRITE_BYTES + \
            (size_t)(arena),                                                           \
        PAXOS_BLOCK_ALIGNMENT)
#define PAXOS_REPLICA_BLOCK_BYTES(members, window, arena, replies, writes, sends, forwards)  \
    (PAXOS_ACCEPTOR_BLOCK_BYTES(members, window, arena, replies, writes, sends) +            \
     PAXOS_ROUND_UP(                                                                         \
         PAXOS_REPLICA_STATE_BYTES + (size_t)(members)*PAXOS_PEER_STATE_BYTES +              \
             (size_t)(window)*PAXOS_PROPOSAL_BYTES + (size_t)(forwards)*PAXOS_FORWARD_BYTES, \
         PAXOS_BLOCK_ALIGNMENT))

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
