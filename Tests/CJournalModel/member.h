/* member.h - one group's acceptor, a leader that asks it for votes, and what it may never forget.
 *
 * Every slot has one value that is decided there, so that the leader can ask for any slot again;
 * and one that others propose under every fourth ballot, and that loses.
 * Threads  one. */
#ifndef MEMBER_H
#define MEMBER_H

#include "paxos_journal.h"

enum { MEMBER_WINDOW = 64, MEMBER_VALUE_BYTES = 700, MEMBER_FRAME_BYTES = 4096 };

#define MODEL_CLUSTER 0xC1057E2u

typedef struct vote {
    uint64_t slot;
    uint64_t ballot;
} vote_t;

typedef struct written {
    uint8_t header[PAXOS_FRAME_HEADER_BYTES];
    uint8_t *body;
    uint32_t body_bytes;
} written_t;

typedef struct member {
    uint32_t group;
    void *block;
    paxos_acceptor_t *acceptor;
    uint64_t ballot;
    uint64_t random;
    /* Every record that was polled, by lsn. */
    written_t *records;
    uint64_t record_count;
    uint64_t appended;
    uint64_t flushed;
    /* What others were told. */
    uint64_t promise;
    uint64_t trim;
    vote_t votes[MEMBER_WINDOW];
    bool abstains;
} member_t;

void member_make(member_t *member, uint32_t group, uint64_t seed);
void member_free(member_t *member);

/* A new life: to be given its records. False: the configuration breaks a rule. */
bool member_start(member_t *member, uint32_t incarnation, uint64_t first_lsn);

/* The leader does something: asks for votes, for a promise, tells what is decided, trims. */
void member_act(member_t *member);
/* The leader asks for votes under its ballot, for so many slots or as many as a frame holds. */
void member_ask_votes(member_t *member, uint64_t slot, uint32_t count);
/* All that was voted for is decided and trimmed. */
void member_trim_all(member_t *member);
/* Take its next record, if it has one. */
bool member_poll(member_t *member);
/* Whether these are entries that were decided, from the slot on. */
bool member_decided(
    const member_t *member, uint64_t slot, uint32_t count, const uint8_t *entries, size_t bytes);
/* Records up to `lsn` are durable. False: it says that they never were. */
bool member_flushed(member_t *member, uint64_t lsn);

/* After a restart and all records: what is wrong, or NULL. `is_told`: damage may have cost it
 * something, but then it knows. */
const char *member_check(const member_t *member, bool is_told);

#endif
