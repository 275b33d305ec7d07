/* replica.h - the whole replicated log: acceptor, proposer, election and delivery in one block.
 *
 * Owns     one block of caller memory; offsets only.
 * Never    allocates, blocks, logs, reads a clock or touches a network.
 * Threads  one caller at a time per block. No call may be made from within another on one block.
 * Source   Lamport, "Paxos Made Simple" (2001), section 3; leader election after Ng, Haridi,
 *          Carbone, "OmniPaxos" (EuroSys 2023), section 5.
 *
 * The host's duties:
 *   1. Hand every received frame to receive; lost, repeated and reordered ones do no harm.
 *   2. Call tick when paxos_replica_deadline says so. Time never runs backwards inside.
 *   3. After any call, poll until false. Do what each effect asks (effect.h), then say
 *      flushed(lsn) for writes that are durable and sent(token) for bodies no longer needed.
 *   4. A write that failed is never tried again: stop the node.
 *   5. trim what the state machine has safely applied, or the window fills and propose says so.
 *      press when the journal is short of room because members are silent.
 *   6. After a restart, raise the incarnation and set journal_lsn, then recover every record and
 *      say recovered.
 *   7. If the journal keeps what was trimmed, say from where (retain) and do what FETCH asks for:
 *      members that were away for long come back without a snapshot.
 *
 * Memory that replica_init did not make a block, an acceptor's block, and a block whose journal is
 * still to be given back are refused by every call: PAXOS_ERR_CORRUPT, from poll and has_log false,
 * from deadline never, and what returns nothing does nothing. status answers before the journal was
 * given back, too; of what is no replica's block it has nothing to show, and calls paxos_panic. */
#ifndef PAXOS_REPLICA_H
#define PAXOS_REPLICA_H

#include "paxos/ballot.h"
#include "paxos/base.h"
#include "paxos/config.h"
#include "paxos/effect.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct paxos_replica paxos_replica_t;

typedef struct paxos_replica_status {
    uint32_t size_bytes; /* set by the caller */
    uint16_t node;
    uint16_t leader; /* who leads as far as this node knows; 0: nobody */
    uint32_t role;   /* 0 follower, 1 candidate, 2 leader */
    uint32_t quorum; /* 1: connected to a quorum */
    uint64_t ballot; /* the leader's */
    uint64_t promised;
    uint64_t decided;
    uint64_t delivered;
    uint64_t trimmed;
    uint64_t last_slot;
    uint64_t behind_to; /* not 0: none of the peers that are there brings the slots up to it: a
                         * snapshot is needed */
    uint64_t campaigns; /* ballots that this node tried in a row without success */
    uint64_t abstains;  /* 1: this node lost what it promised: it votes and leads no more */
    uint64_t arena_free_bytes;
    uint64_t frames_received;
    uint64_t frames_malformed;
    uint64_t frames_foreign;
    uint64_t refused_stale;
    uint64_t refused_conflict;
    uint64_t refused_full;
    uint64_t refused_busy;
    uint64_t compactions;
} paxos_replica_status_t;

/* Make a replica in `block`, at time now_ns (any clock that never runs backwards).
 * Pre, Post, Cost as paxos_acceptor_init, with paxos_replica_block_bytes. */
PAXOS_MUST_USE paxos_status_t paxos_replica_init(
    void *block, size_t block_bytes, const paxos_config_t *config, uint64_t now_ns,
    paxos_replica_t **replica_out);

/* Give back the journal after a restart, as paxos_acceptor_recover and _recovered. Deliveries go on
 * behind applied_slot; what the host gives to trim must be as durable as applied_slot is. */
PAXOS_MUST_USE paxos_status_t paxos_replica_recover(
    paxos_replica_t *replica, const uint8_t *header, size_t header_bytes, const uint8_t *body,
    size_t body_bytes);
PAXOS_MUST_USE paxos_status_t paxos_replica_recovered(
    paxos_replica_t *replica, uint64_t now_ns, uint64_t applied_slot, uint64_t acknowledged_lsn);

/* Take one frame: `header` its first 96 bytes, `body` the rest, wherever they are; nothing is kept.
 * Statuses as paxos_acceptor_receive; all but PAXOS_ERR_CORRUPT are routine. Cost O(body). */
PAXOS_MUST_USE paxos_status_t paxos_replica_receive(
    paxos_replica_t *replica, uint64_t now_ns, const uint8_t *header, size_t header_bytes,
    const uint8_t *body, size_t body_bytes);

/* Propose a value: append it when this node leads, forward it to the leader otherwise.
 * Post  PAXOS_OK             *number_out names the proposal. Its outcome is *decided* when the
 *                            entry (node, incarnation, number) is delivered, or an OUTCOME effect.
 *       PAXOS_ERR_NO_LEADER, PAXOS_ERR_PIPELINE, PAXOS_ERR_FULL, PAXOS_ERR_BUSY
 *                            would block: nothing changed; poll, tick and try again.
 *       PAXOS_ERR_TOO_LARGE  over value_bytes_max; nothing changed.
 * To read through the log, propose an empty value (NULL, 0): when it is delivered here, so is all
 * that was decided before it was proposed, and the state machine may answer.
 * Cost  O(value_bytes). */
PAXOS_MUST_USE paxos_status_t paxos_replica_propose(
    paxos_replica_t *replica, uint64_t now_ns, const uint8_t *value, size_t value_bytes,
    uint64_t *number_out);

/* Time has passed. Cost O(members + window). */
void paxos_replica_tick(paxos_replica_t *replica, uint64_t now_ns);

/* When tick wants to be called at the latest. Cost O(1). */
uint64_t paxos_replica_deadline(const paxos_replica_t *replica);

/* The next effect; false: none is due now. Cost O(1), amortized over the slots of the effect. */
PAXOS_MUST_USE bool paxos_replica_poll(paxos_replica_t *replica, paxos_effect_t *effect);

/* The same for two callers in turn, of whom one may be slow: io gives SEND and WRITE alone, log
 * DELIVER and OUTCOME. While nobody asks for the log, heartbeats, votes and writes go on until the
 * window is full, and proposals until their ring is. Cost as poll. has_log: whether log has
 * something now; O(1). */
PAXOS_MUST_USE bool paxos_replica_poll_io(paxos_replica_t *replica, paxos_effect_t *effect);
PAXOS_MUST_USE bool paxos_replica_poll_log(paxos_replica_t *replica, paxos_effect_t *effect);
PAXOS_MUST_USE bool paxos_replica_has_log(const paxos_replica_t *replica);

/* As paxos_acceptor_flushed, _sent. */
PAXOS_MUST_USE paxos_status_t
paxos_replica_flushed(paxos_replica_t *replica, uint64_t now_ns, uint64_t lsn);
PAXOS_MUST_USE paxos_status_t paxos_replica_sent(paxos_replica_t *replica, uint64_t token);

/* The state machine is safe up to `slot`: the bytes of its deliveries may go. They do go when no
 * live member still lacks them. PAXOS_ERR_RANGE beyond what was delivered. Cost O(runs freed). */
PAXOS_MUST_USE paxos_status_t paxos_replica_trim(paxos_replica_t *replica, uint64_t slot);

/* The host is short of room for its records of slots up to `slot`, and trim alone does not free
 * it, as members that are silent lack some of them: do not wait for these any longer. They get what
 * the journal still brings (retain), and miss what it does not: `behind_to` in their status tells
 * them. Live members are waited for, and as many as a quorum of those that vote have decided each
 * slot that goes. Nothing that the host has not given to trim goes. Once is for now: press again as
 * long as room is short. Cost O(members + runs freed). */
void paxos_replica_press(paxos_replica_t *replica, uint64_t slot);

/* As paxos_acceptor_retain. While a live member that was away is in the older half of what is kept,
 * and catches up, a leader takes proposals at half its pace (propose: PAXOS_ERR_FULL), so that the
 * journal does not forget what it lacks. Cost O(members). */
void paxos_replica_retain(paxos_replica_t *replica, uint64_t first_slot);

/* Try to lead now, whoever else does: for a host that runs its own election (paxos_config_t
 * manual_elections) or hands leadership over. PAXOS_ERR_ABSTAINS if it must not.
 * Cost O(members + window). */
PAXOS_MUST_USE paxos_status_t paxos_replica_campaign(paxos_replica_t *replica, uint64_t now_ns);

/* Pre  status->size_bytes is that of this version. Cost O(1). */
void paxos_replica_status(const paxos_replica_t *replica, paxos_replica_status_t *status);

#ifdef __cplusplus
}
#endif
#endif
