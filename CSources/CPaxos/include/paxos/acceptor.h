/* acceptor.h - the voter: what it promised, what it accepted, and the replies that say so.
 *
 * Owns     one block of caller memory; offsets only, so it may be copied, mapped or hashed.
 * Never    allocates, blocks, logs, reads a clock or touches a network.
 * Threads  one caller at a time per block; blocks are independent of each other.
 * Source   Lamport, "Paxos Made Simple" (2001), sections 2.2 (the two phases) and 3 (the log).
 *
 * Complete by itself: frame in (receive), reply frame out (poll). A witness needs no more. A reply
 * that must be durable first is withheld until flushed(lsn) covers it.
 *
 * Memory that acceptor_init did not make a block, a replica's block, and a block whose journal is
 * still to be given back are refused by every call: PAXOS_ERR_CORRUPT, from poll false, and retain
 * does nothing. look and status only read: they answer before the journal was given back, and of
 * the voter in a replica's block, too. Of other memory they have nothing to show: paxos_panic. */
#ifndef PAXOS_ACCEPTOR_H
#define PAXOS_ACCEPTOR_H

#include "paxos/ballot.h"
#include "paxos/base.h"
#include "paxos/config.h"
#include "paxos/effect.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct paxos_acceptor paxos_acceptor_t;

/* A run of entries for consecutive slots under one ballot. */
typedef struct paxos_run {
    uint64_t ballot;
    uint64_t slot;
    uint32_t count;
    uint32_t bytes;
    uint64_t digest;        /* as paxos_run_verify gave it */
    const uint8_t *entries; /* verified; not in the block  */
} paxos_run_t;

typedef struct paxos_acceptor_status {
    uint32_t size_bytes; /* set by the caller */
    uint32_t arena_free_bytes;
    uint64_t promised;
    uint64_t decided;
    uint64_t trimmed;
    uint64_t last_slot;
    uint64_t stable;   /* what may be trimmed without a peer missing it, by the leader's word */
    uint64_t abstains; /* 1: it lost what it promised and votes no more, see recovered */
    uint64_t lsn;
    uint64_t flushed;
    uint64_t frames_received;
    uint64_t frames_malformed;
    uint64_t frames_foreign;
    uint64_t refused_stale;
    uint64_t refused_conflict;
    uint64_t refused_full;
    uint64_t refused_busy;
    uint64_t compactions;
} paxos_acceptor_status_t;

/* Make an acceptor in `block`.
 * Pre   block is aligned to PAXOS_BLOCK_ALIGNMENT and paxos_acceptor_block_bytes(config) long.
 * Post  PAXOS_OK          *acceptor_out is the block; it promised and accepted nothing.
 *       PAXOS_ERR_CONFIG  a rule of paxos_config_check, the size or the alignment is broken.
 * Cost  O(block). */
PAXOS_MUST_USE paxos_status_t paxos_acceptor_init(
    void *block, size_t block_bytes, const paxos_config_t *config, paxos_acceptor_t **acceptor_out);

/* After a restart (incarnation over 1), the journal is given back before any other call: each
 * record, header and body as a WRITE effect had them, in the order of their lsn. The host may
 * recycle records from the front when the trim point of a later one covers all their slots: the
 * configuration's journal_lsn then says with which one the journal starts. A record that is
 * missing, there or further on, is a damaged one.
 * Post  PAXOS_OK           taken.
 *       PAXOS_ERR_WIRE     the record is damaged, or stands behind a damaged one that was maybe
 *                          never durable: go on with the next. What was durable for certain (a
 *                          later record or acknowledged_lsn says so) is unknown then: its slots
 *                          where its header is whole, otherwise all that is not known to be chosen.
 *                          The rest is a torn tail and dropped.
 *       PAXOS_ERR_FOREIGN  unchanged; a record of another cluster, group or node.
 *       PAXOS_ERR_RANGE    unchanged; its lsn or incarnation came before, or is this life's: a
 *                          stale or misplaced record.
 *       PAXOS_ERR_FULL     the window or arena of this configuration cannot hold what an earlier
 *                          one held: start over with a larger one.
 *       PAXOS_ERR_CORRUPT  unchanged; the acceptor is not waiting for its journal.
 * Cost  O(body), and O(window) where records are missing. */
PAXOS_MUST_USE paxos_status_t paxos_acceptor_recover(
    paxos_acceptor_t *acceptor, const uint8_t *header, size_t header_bytes, const uint8_t *body,
    size_t body_bytes);

/* The journal has no more.
 * Pre   What was given back is durable. Flush it first: after a crash of the process alone, records
 *       may have been read that a power cut would still take.
 * In    applied_slot      the host's state machine is safe up to it (a witness: what it trimmed).
 *       acknowledged_lsn  the highest lsn that the host knows to have called flushed for, as kept
 *                         beside the journal; UINT64_MAX if the journal is not what it was (a lost
 *                         disk). A journal that ends before it has forgotten votes: the node
 *                         abstains from now on, and its records say so. It learns and delivers, and
 *                         needs a new id to vote again.
 * The window may grow between lives, not shrink.
 * Post  PAXOS_OK           ready; accepted is not chosen: only what was learned or marked is.
 *       PAXOS_ERR_RANGE    applied_slot is below a trim point that the host gave; acknowledged_lsn
 *                          was never given out.
 *       PAXOS_ERR_CORRUPT  other calls came before.
 * Cost  O(window). */
PAXOS_MUST_USE paxos_status_t paxos_acceptor_recovered(
    paxos_acceptor_t *acceptor, uint64_t applied_slot, uint64_t acknowledged_lsn);

/* Take one frame: a PREPARE, ACCEPT, COMMIT, HEARTBEAT, LEARN or LEARNED of a member.
 * `header` is its first 96 bytes and `body` the rest, wherever they are; neither is kept.
 * Post  PAXOS_OK            done; the reply, if there is one, comes out of poll.
 *       PAXOS_ERR_STALE     a higher ballot is promised; the rejection comes out of poll.
 *       PAXOS_ERR_CONFLICT  other bytes were accepted under that ballot and slot; the refusal
 *                           comes out of poll. On an authenticated link, stop the node.
 *       PAXOS_ERR_ABSTAINS  a vote was asked of a node that abstains; no reply.
 *       PAXOS_ERR_WIRE, PAXOS_ERR_FOREIGN, PAXOS_ERR_FULL, PAXOS_ERR_BUSY  nothing but a counter
 *                           changed; after FULL or BUSY the same frame may come again. The sender
 *                           of an Accept is told when a flush has made room. After FULL, trim up
 *                           to `stable`, which the frame may have raised, and hand it over again.
 *                           FULL may have tidied the arena, and a LEARNED keeps what fitted before.
 *                           Of an Accept that reaches beyond the window its leader's word counts
 *                           first, whatever becomes of it: `stable`, and a trim up to there.
 * Cost  O(body). */
PAXOS_MUST_USE paxos_status_t paxos_acceptor_receive(
    paxos_acceptor_t *acceptor, const uint8_t *header, size_t header_bytes, const uint8_t *body,
    size_t body_bytes);

/* The next effect: WRITE first, then SEND and FETCH. False: none is due now.
 * Cost O(1), a promise page O(run). */
PAXOS_MUST_USE bool paxos_acceptor_poll(paxos_acceptor_t *acceptor, paxos_effect_t *effect);

/* Every write up to lsn is durable: replies that waited for it may leave.
 * PAXOS_ERR_RANGE if lsn was never given out. Cost O(records flushed). */
PAXOS_MUST_USE paxos_status_t paxos_acceptor_flushed(paxos_acceptor_t *acceptor, uint64_t lsn);

/* The host needs the body of this send, and of those before it to the same node, no longer: it was
 * sent, copied or given up. PAXOS_ERR_RANGE if the token was never given out. Cost O(1). */
PAXOS_MUST_USE paxos_status_t paxos_acceptor_sent(paxos_acceptor_t *acceptor, uint64_t token);

/* Slots up to `slot` are no longer needed here. PAXOS_ERR_RANGE beyond the decided watermark.
 * Cost O(runs freed). */
PAXOS_MUST_USE paxos_status_t paxos_acceptor_trim(paxos_acceptor_t *acceptor, uint64_t slot);

/* The host's journal brings the decided entries from `first_slot` on although they are trimmed: who
 * asks for them gets them through FETCH effects (effect.h). 0, as after init: it brings none. To be
 * said after a restart, and when records were recycled or turned out to be damaged. Cost O(1). */
void paxos_acceptor_retain(paxos_acceptor_t *acceptor, uint64_t first_slot);

/* Answer Prepare(ballot) without a frame.
 * Post  PAXOS_OK         promised == ballot; durable, and to be told, when *lsn_out is flushed.
 *       PAXOS_ERR_STALE  unchanged; *promised_out names the winner.
 *       PAXOS_ERR_BUSY   unchanged; the ring of writes is full.
 *       PAXOS_ERR_ABSTAINS  unchanged; see recovered.
 * Cost  O(1). */
PAXOS_MUST_USE paxos_status_t paxos_acceptor_prepare(
    paxos_acceptor_t *acceptor, paxos_ballot_t ballot, paxos_ballot_t *promised_out,
    uint64_t *lsn_out);

/* Answer Accept(run) without a frame: nothing is verified here, the caller vouches for the entries.
 * Post  PAXOS_OK            accepted; the vote counts when *lsn_out is flushed.
 *       PAXOS_ERR_STALE     unchanged; paxos_acceptor_promised names the winner.
 *       PAXOS_ERR_TRIMMED   unchanged; the run, or its start, is decided and was trimmed here.
 *       PAXOS_ERR_CONFLICT  unchanged; see receive.
 *       PAXOS_ERR_FULL, PAXOS_ERR_BUSY  unchanged; room must be made first.
 *       PAXOS_ERR_ABSTAINS  unchanged; see recovered.
 * Pre   run->ballot is not 0, run->count is not 0, and run->slot is between 0 and PAXOS_SLOT_MAX.
 * Cost  O(bytes). */
PAXOS_MUST_USE paxos_status_t
paxos_acceptor_accept(paxos_acceptor_t *acceptor, const paxos_run_t *run, uint64_t *lsn_out);

/* What stands in a slot. Post: *state_out is a paxos_run_state; if ACCEPTED or CHOSEN, *ballot_out
 * is the accepted ballot and *value_out points into the block until the next call. Cost O(1). */
void paxos_acceptor_look(
    const paxos_acceptor_t *acceptor, uint64_t slot, uint32_t *state_out,
    paxos_ballot_t *ballot_out, const uint8_t **value_out, uint32_t *value_bytes_out);

/* Pre  status->size_bytes is that of this version. Cost O(1). */
void paxos_acceptor_status(const paxos_acceptor_t *acceptor, paxos_acceptor_status_t *status);

#ifdef __cplusplus
}
#endif
#endif
