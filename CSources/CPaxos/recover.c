/* recover.c - what the journal gives back after a restart.
 *
 * Records come in the order of their lsn, each with the promise, the trim point and the commit mark
 * of its time, so that older ones may be gone. Nothing here is noted in the journal again. What a
 * damaged record may have held is unknown, never empty: promises say so, and a candidate then needs
 * others who know. Slots that hold something newer than the damage are known again.
 *
 * A record says how many before it were not known to be durable when it was handed out. So damage
 * that nothing later vouches for is told from a torn tail: what was never acknowledged is dropped,
 * and a power cut of all nodes at once leaves nothing unknown.
 * Source  Alagappan et al., "Protocol-Aware Recovery for Consensus-Based Storage" (FAST 2018). */
#include "paxos/hot_log.h"
#include "paxos/rules.h"

#include <string.h>

/* Read a record whose header is whole. Frames are refused here, as records are by their decoder. */
static bool record_read(const uint8_t *bytes, size_t length_bytes, paxos_frame_t *record) {
    if (length_bytes != PAXOS_FRAME_HEADER_BYTES ||
        (paxos_get32(bytes + 4) & 0xFFFFFFu) != (PAXOS_FRAME_MAGIC | PAXOS_WIRE_VERSION << 16) ||
        paxos_header_checksum(bytes) != paxos_get32(bytes)) {
        return false;
    }
    paxos_frame_read(bytes, record);
    const bool has_body =
        record->kind == PAXOS_RECORD_ENTRIES || record->kind == PAXOS_RECORD_CHOSEN;
    const bool has_run = has_body || record->kind == PAXOS_RECORD_BALLOTS;
    const bool has_ballot = record->kind <= PAXOS_RECORD_BALLOTS;
    return record->kind >= PAXOS_RECORD_PROMISED && record->kind <= PAXOS_RECORD_MARK &&
           record->nonce != 0 && record->nonce < PAXOS_SLOT_MAX &&
           (record->flags & ~PAXOS_FLAG_ABSTAINS) == 0 && record->state < record->nonce &&
           has_run == (record->slot != 0) && has_run == (record->count != 0) &&
           has_body == (record->body_bytes != 0) && has_ballot == (record->ballot != 0) &&
           record->ballot <= record->other && record->slot < PAXOS_SLOT_MAX &&
           record->watermark < PAXOS_SLOT_MAX && record->trim < PAXOS_SLOT_MAX &&
           record->body_bytes <= PAXOS_FRAME_BODY_BYTES_MAX;
}

/* Slots from `first` to `last` that are not known to be chosen may have held something else. */
static void lose(paxos_acceptor_t *a, uint64_t first, uint64_t last) {
    const uint64_t from = first > a->trimmed ? first : a->trimmed + 1;
    for (uint64_t slot = from; slot <= last; slot++) {
        paxos_cell_t *cell = paxos_cell(a, slot);
        if (!paxos_cell_holds(cell, slot) || cell->state == PAXOS_RUN_CHOSEN) { continue; }
        cell->slot = 0;
        paxos_cut_behind(a, slot);
    }
    if (last < from) { return; }
    if (a->unknown_to == 0 || from < a->unknown_from) { a->unknown_from = from; }
    if (last > a->unknown_to) { a->unknown_to = last; }
    if (last > a->last_slot) { a->last_slot = last; }
}

/* The record with damaged entries was durable: its slots are unknown. */
static void lose_damaged(paxos_acceptor_t *a) {
    if (a->damaged_lsn == 0) { return; }
    lose(a, a->damaged_from, a->damaged_to);
    if (a->damaged_promise > a->promised) { a->promised = a->damaged_promise; }
    a->lsn = a->damaged_lsn;
    a->damaged_lsn = 0;
}

/* The record's entries are not whole: a torn tail, if nothing comes that knows better. Then even
 * its promise counts for nothing: it will be overwritten, and must not be told before. */
static void note_damaged(paxos_acceptor_t *a, const paxos_frame_t *record) {
    a->damaged_lsn = record->nonce;
    a->damaged_promise = record->other;
    a->damaged_from = record->slot;
    a->damaged_to = record->slot + record->count - 1;
}

/* Whether a record follows on what is known, or vouches for what is missing. */
static bool is_durable(const paxos_acceptor_t *a, const paxos_frame_t *record, bool is_gap) {
    const uint64_t flushed = record->nonce - 1 - record->state;
    if (is_gap) { return flushed > a->lsn && flushed >= a->damaged_lsn; }
    return flushed >= a->damaged_lsn;
}

/* What a whole header says beside its own matter and the promise: trim point and commit mark. They
 * are facts, whether its record was durable or not. */
static void take_header(paxos_acceptor_t *a, const paxos_frame_t *record, bool is_gap) {
    lose_damaged(a);
    if (record->trim > a->trimmed) { a->trimmed = record->trim; }
    if ((record->flags & PAXOS_FLAG_ABSTAINS) != 0) { a->abstains = 1; }
    /* Records between are lost. They can have spoken of this window only. */
    if (is_gap) { lose(a, a->trimmed + 1, a->trimmed + a->window_slots); }
    paxos_members(a)[a->self_index].incarnation = record->incarnation;
    /* The mark speaks of what older records hold: chosen before this one is looked at. */
    uint64_t slot = (a->mark > a->trimmed ? a->mark : a->trimmed) + 1;
    for (; slot <= record->watermark; slot++) {
        paxos_cell_t *cell = paxos_cell(a, slot);
        if (paxos_cell_holds(cell, slot)) { cell->state = PAXOS_RUN_CHOSEN; }
    }
    if (record->watermark > a->mark) { a->mark = record->watermark; }
}

/* Hold the entries of a record again. */
static paxos_status_t keep(paxos_acceptor_t *a, const paxos_run_t *run, uint32_t state) {
    const uint32_t bytes = paxos_round16(PAXOS_RUN_HEADER_BYTES + run->bytes);
    const uint64_t start = paxos_arena_take(a, bytes, true);
    if (start == PAXOS_POSITION_NONE) { return PAXOS_ERR_FULL; }
    memcpy(paxos_run_header_put(a, start, run->slot, run->count, bytes), run->entries, run->bytes);
    paxos_point_held(a, run, state, start + PAXOS_RUN_HEADER_BYTES, 0);
    return PAXOS_OK;
}

/* A record that is whole: it stands, and what was promised when it was written holds. */
static void take_promise(paxos_acceptor_t *a, const paxos_frame_t *record) {
    a->lsn = record->nonce;
    if (record->other > a->promised) { a->promised = record->other; }
}

static paxos_status_t take_entries(
    paxos_acceptor_t *a, const paxos_frame_t *record, const uint8_t *body, size_t body_bytes) {
    uint64_t digest = 0;
    paxos_run_t run = {record->ballot,     record->slot,   record->count,
                       record->body_bytes, record->digest, body};
    const bool is_whole =
        body_bytes == record->body_bytes &&
        paxos_run_verify(body, body_bytes, run.slot, run.count, a->value_bytes_max, &digest) ==
            PAXOS_OK &&
        digest == run.digest;
    if (!is_whole) {
        note_damaged(a, record);
        return PAXOS_ERR_WIRE;
    }
    take_promise(a, record);
    paxos_run_above_trim(a, &run);
    if (run.count == 0) { return PAXOS_OK; }
    const bool is_learned = record->kind == PAXOS_RECORD_CHOSEN;
    return keep(a, &run, is_learned ? PAXOS_RUN_CHOSEN : PAXOS_RUN_ACCEPTED);
}

/* The same entries as before, accepted again: those that are still held. */
static void take_ballots(paxos_acceptor_t *a, const paxos_frame_t *record) {
    take_promise(a, record);
    for (uint32_t i = 0; i < record->count; i++) {
        paxos_cell_t *cell = paxos_cell(a, record->slot + i);
        if (paxos_cell_holds(cell, record->slot + i)) { cell->ballot = record->ballot; }
    }
}

static bool is_recovering(const paxos_acceptor_t *a) {
    return (a->magic & PAXOS_BLOCK_RECOVERING) != 0;
}

paxos_status_t paxos_voter_recover(
    paxos_acceptor_t *a, const uint8_t *header, size_t header_bytes, const uint8_t *body,
    size_t body_bytes) {
    if (!is_recovering(a)) { return PAXOS_ERR_CORRUPT; }
    paxos_frame_t record;
    /* What cannot be read leaves a gap in the lsn. */
    if (!record_read(header, header_bytes, &record)) { return PAXOS_ERR_WIRE; }
    if (record.cluster != a->cluster || record.group != a->group || record.sender != a->node ||
        record.receiver != a->node) {
        return PAXOS_ERR_FOREIGN;
    }
    const uint64_t last = a->damaged_lsn != 0 ? a->damaged_lsn : a->lsn;
    if (record.nonce <= last || record.incarnation >= a->incarnation ||
        record.incarnation < paxos_members(a)[a->self_index].incarnation) {
        return PAXOS_ERR_RANGE;
    }
    const uint64_t trimmed = record.trim > a->trimmed ? record.trim : a->trimmed;
    const uint64_t window_end = trimmed + a->window_slots;
    if (record.watermark > window_end || record.slot + record.count > window_end + 1) {
        return PAXOS_ERR_FULL;
    }
    const bool is_gap = record.nonce != last + 1;
    if (!is_durable(a, &record, is_gap)) { return PAXOS_ERR_WIRE; }
    take_header(a, &record, is_gap);
    switch (record.kind) {
        case PAXOS_RECORD_ENTRIES:
        case PAXOS_RECORD_CHOSEN: return take_entries(a, &record, body, body_bytes);
        case PAXOS_RECORD_BALLOTS: take_ballots(a, &record); return PAXOS_OK;
        default: take_promise(a, &record); return PAXOS_OK;
    }
}

/* Whether init was the last call: nothing is known yet. */
static bool is_new(const paxos_acceptor_t *a) {
    return a->lsn == 0 && a->promised == 0 && a->last_slot == 0;
}

paxos_status_t paxos_voter_recovered(
    paxos_acceptor_t *a, uint64_t applied_slot, uint64_t acknowledged_lsn) {
    if (!is_recovering(a) && !is_new(a)) { return PAXOS_ERR_CORRUPT; }
    if (applied_slot < a->trimmed || applied_slot >= PAXOS_SLOT_MAX ||
        (a->memory_only && acknowledged_lsn != 0) ||
        (acknowledged_lsn >= PAXOS_SLOT_MAX && acknowledged_lsn != UINT64_MAX)) {
        return PAXOS_ERR_RANGE;
    }
    if (acknowledged_lsn >= a->damaged_lsn) { lose_damaged(a); }
    a->damaged_lsn = 0;
    paxos_members(a)[a->self_index].incarnation = 0;
    if (acknowledged_lsn > a->lsn) {
        a->abstains = 1;
        /* A hole in the journal says so for ever, whatever is written behind it. */
        if (acknowledged_lsn != UINT64_MAX) { a->lsn = acknowledged_lsn; }
    }
    /* What was applied was decided, but maybe with another value than the one accepted here, and
     * learned without a record: the log does not choose it by that. It was trimmed before the crash
     * as far as the window says. */
    if (applied_slot > a->trimmed + a->window_slots) {
        a->trimmed = applied_slot - a->window_slots;
    }
    if (a->trimmed > a->last_slot) { a->last_slot = a->trimmed; }
    a->decided = a->trimmed;
    paxos_log_advance(a);
    /* A mark may have come with a torn record: it is told when a record of this life says it. */
    a->mark = a->trimmed;
    a->marked = a->trimmed;
    a->stable = a->trimmed;
    a->applied = applied_slot;
    a->flushed = a->lsn;
    a->magic &= ~PAXOS_BLOCK_RECOVERING;
    if (a->abstains) { paxos_log_mark(a, 0); }
    return PAXOS_OK;
}
