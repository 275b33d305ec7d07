/* interface.c - the calls of acceptor.h: each looks at what its block was made as, and hands on.
 *
 * What each requires and ensures is said in acceptor.h. A replica, which is told apart by its own
 * calls (Interface.swift), takes the voter's part directly: rules.h. */
#include "paxos/acceptor.h"

#include "paxos/hot_accept.h"
#include "paxos/rules.h"

/* Whether init made this block an acceptor's, and its journal, if it has one, was given back. */
PAXOS_HOT static inline bool is_acceptor(const paxos_acceptor_t *a) {
    return PAXOS_LIKELY(a->magic == PAXOS_BLOCK_ACCEPTOR);
}

/* The same before its journal was given back, too. */
static bool is_made(const paxos_acceptor_t *a) {
    return (a->magic & ~PAXOS_BLOCK_RECOVERING) == PAXOS_BLOCK_ACCEPTOR;
}

/*@ predicate paxos_has_voter{L}(paxos_acceptor_t *a) =
        a->magic == PAXOS_BLOCK_ACCEPTOR || a->magic == PAXOS_BLOCK_REPLICA ||
        a->magic == PAXOS_BLOCK_ACCEPTOR + PAXOS_BLOCK_RECOVERING ||
        a->magic == PAXOS_BLOCK_REPLICA + PAXOS_BLOCK_RECOVERING; */

/* Whether there is a voter to be shown: a replica has one, too. */
/*@ requires \valid_read(a);
    assigns \nothing;
    ensures \result <==> paxos_has_voter(a); */
static bool has_voter(const paxos_acceptor_t *a) {
    return a->magic == PAXOS_BLOCK_ACCEPTOR || a->magic == PAXOS_BLOCK_REPLICA ||
           a->magic == PAXOS_BLOCK_ACCEPTOR + PAXOS_BLOCK_RECOVERING ||
           a->magic == PAXOS_BLOCK_REPLICA + PAXOS_BLOCK_RECOVERING;
}

paxos_status_t paxos_acceptor_init(
    void *block, size_t block_bytes, const paxos_config_t *config,
    paxos_acceptor_t **acceptor_out) {
    const paxos_status_t status = paxos_block_init(block, block_bytes, config, false);
    if (status == PAXOS_OK) { *acceptor_out = (paxos_acceptor_t *)block; }
    return status;
}

paxos_status_t paxos_acceptor_recover(
    paxos_acceptor_t *a, const uint8_t *header, size_t header_bytes, const uint8_t *body,
    size_t body_bytes) {
    if (!is_made(a)) { return PAXOS_ERR_CORRUPT; }
    return paxos_voter_recover(a, header, header_bytes, body, body_bytes);
}

paxos_status_t paxos_acceptor_recovered(
    paxos_acceptor_t *a, uint64_t applied_slot, uint64_t acknowledged_lsn) {
    if (!is_made(a)) { return PAXOS_ERR_CORRUPT; }
    return paxos_voter_recovered(a, applied_slot, acknowledged_lsn);
}

/* A frame that goes the long way. */
static PAXOS_COLD paxos_status_t receive_any(
    paxos_acceptor_t *a, const uint8_t *header, size_t header_bytes, const uint8_t *body,
    size_t body_bytes) {
    uint32_t member;
    paxos_frame_t frame;
    const paxos_status_t status =
        paxos_voter_decode(a, header, header_bytes, body_bytes, &frame, &member);
    if (PAXOS_UNLIKELY(status != PAXOS_OK)) { return status; }
    return paxos_voter_take(a, member, &frame, body);
}

paxos_status_t paxos_acceptor_receive(
    paxos_acceptor_t *a, const uint8_t *header, size_t header_bytes, const uint8_t *body,
    size_t body_bytes) {
    if (!is_acceptor(a)) { return PAXOS_ERR_CORRUPT; }
    uint32_t member;
    if (PAXOS_SHORT_WAY &&
        PAXOS_LIKELY(paxos_accept_next(a, header, header_bytes, body, body_bytes, &member))) {
        return PAXOS_OK;
    }
    return receive_any(a, header, header_bytes, body, body_bytes);
}

bool paxos_acceptor_poll(paxos_acceptor_t *a, paxos_effect_t *effect) {
    PAXOS_ASSERT(effect->size_bytes == sizeof *effect);
    return is_acceptor(a) && paxos_voter_poll(a, effect);
}

paxos_status_t paxos_acceptor_flushed(paxos_acceptor_t *a, uint64_t lsn) {
    return is_acceptor(a) ? paxos_voter_flushed(a, lsn) : PAXOS_ERR_CORRUPT;
}

paxos_status_t paxos_acceptor_sent(paxos_acceptor_t *a, uint64_t token) {
    return is_acceptor(a) ? paxos_voter_sent_hot(a, token) : PAXOS_ERR_CORRUPT;
}

paxos_status_t paxos_acceptor_trim(paxos_acceptor_t *a, uint64_t slot) {
    return is_acceptor(a) ? paxos_voter_trim(a, slot) : PAXOS_ERR_CORRUPT;
}

void paxos_acceptor_retain(paxos_acceptor_t *a, uint64_t first_slot) {
    if (is_acceptor(a)) { paxos_voter_retain(a, first_slot); }
}

paxos_status_t paxos_acceptor_prepare(
    paxos_acceptor_t *a, paxos_ballot_t ballot, paxos_ballot_t *promised_out, uint64_t *lsn_out) {
    return is_acceptor(a) ? paxos_voter_prepare(a, ballot, promised_out, lsn_out)
                          : PAXOS_ERR_CORRUPT;
}

paxos_status_t paxos_acceptor_accept(
    paxos_acceptor_t *a, const paxos_run_t *run, uint64_t *lsn_out) {
    PAXOS_ASSERT(run->count > 0);
    PAXOS_ASSERT(run->slot > 0 && run->slot < PAXOS_SLOT_MAX);
    PAXOS_ASSERT(run->ballot != 0);
    return is_acceptor(a) ? paxos_voter_accept(a, run, lsn_out) : PAXOS_ERR_CORRUPT;
}

/* What is shown of a slot is what its cell says: nothing of one that is trimmed, or that another
 * slot's cell stands in for. */
/*@ requires paxos_block(a) && paxos_cells_named(a) && paxos_has_voter(a);
    requires held: a->trimmed < slot && paxos_cell_of(a, slot)->slot == slot ==>
             24 <= paxos_cell_of(a, slot)->bytes;
    requires \valid(state_out) && \valid(ballot_out) && \valid(value_out);
    requires \valid(value_bytes_out);
    requires \separated(state_out, ballot_out, value_out, value_bytes_out, a,
                        paxos_cells(a) + (0 .. a->window_slots - 1),
                        paxos_arena_bytes(a) + (0 .. a->arena_bytes - 1));
    assigns *state_out, *ballot_out, *value_out, *value_bytes_out;
    behavior trimmed:
        assumes slot <= a->trimmed;
        ensures *state_out == PAXOS_RUN_TRIMMED && *ballot_out == 0 && *value_out == \null;
    behavior empty:
        assumes slot > a->trimmed && paxos_cell_of(a, slot)->slot != slot;
        ensures *state_out == PAXOS_RUN_EMPTY && *ballot_out == 0 && *value_out == \null;
    behavior held:
        assumes slot > a->trimmed && paxos_cell_of(a, slot)->slot == slot;
        ensures *state_out == paxos_cell_of(a, slot)->state &&
                *ballot_out == paxos_cell_of(a, slot)->ballot;
        ensures *value_out == paxos_arena_at(a, paxos_cell_of(a, slot)->position) + 24;
        ensures *value_bytes_out ==
                paxos_le32(paxos_arena_at(a, paxos_cell_of(a, slot)->position) + 4);
    complete behaviors;
    disjoint behaviors; */
void paxos_acceptor_look(
    const paxos_acceptor_t *a, uint64_t slot, uint32_t *state_out, paxos_ballot_t *ballot_out,
    const uint8_t **value_out, uint32_t *value_bytes_out) {
    PAXOS_ASSERT(has_voter(a));
    const paxos_cell_t *cell = paxos_cell(a, slot);
    *ballot_out = 0;
    *value_out = NULL;
    *value_bytes_out = 0;
    if (slot <= a->trimmed) {
        *state_out = PAXOS_RUN_TRIMMED;
    } else if (!paxos_cell_holds(cell, slot)) {
        *state_out = PAXOS_RUN_EMPTY;
    } else {
        const uint8_t *entry = paxos_arena(a, cell->position);
        *state_out = cell->state;
        *ballot_out = cell->ballot;
        *value_out = entry + PAXOS_ENTRY_HEADER_BYTES;
        *value_bytes_out = paxos_get32(entry + 4);
    }
}

/*@ requires \valid_read(a) && a->arena_tail <= a->arena_head <= a->arena_tail + a->arena_bytes;
    requires \valid(status) && \separated(status, a);
    requires paxos_has_voter(a) && status->size_bytes == sizeof(paxos_acceptor_status_t);
    assigns *status;
    ensures status->size_bytes == \old(status->size_bytes);
    ensures status->promised == a->promised && status->decided == a->decided &&
            status->trimmed == a->trimmed && status->last_slot == a->last_slot &&
            status->stable == a->stable && status->abstains == a->abstains &&
            status->lsn == a->lsn && status->flushed == a->flushed; */
void paxos_acceptor_status(const paxos_acceptor_t *a, paxos_acceptor_status_t *status) {
    PAXOS_ASSERT(has_voter(a));
    PAXOS_ASSERT(status->size_bytes == sizeof *status);
    status->arena_free_bytes = paxos_arena_free(a);
    status->promised = a->promised;
    status->decided = a->decided;
    status->trimmed = a->trimmed;
    status->last_slot = a->last_slot;
    status->stable = a->stable;
    status->abstains = a->abstains;
    status->lsn = a->lsn;
    status->flushed = a->flushed;
    status->frames_received = a->counters.frames;
    status->frames_malformed = a->counters.wire;
    status->frames_foreign = a->counters.foreign;
    status->refused_stale = a->counters.stale;
    status->refused_conflict = a->counters.conflict;
    status->refused_full = a->counters.full;
    status->refused_busy = a->counters.busy;
    status->compactions = a->counters.compactions;
}
