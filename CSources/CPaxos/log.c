/* log.c - slots: what is held, what is chosen, what may go. See log.h. */
#include "paxos/hot_log.h"

#include <string.h>

#include "paxos/rules.h"

uint32_t paxos_member_search(const paxos_acceptor_t *a, uint16_t node) {
    const paxos_member_t *members = paxos_members(a);
    for (uint32_t i = 0; i < a->member_count; i++) {
        if (members[i].node == node) { return i; }
    }
    return PAXOS_MEMBERS_MAX;
}

uint64_t paxos_write_note(
    paxos_acceptor_t *a, uint8_t kind, const paxos_run_t *run, uint64_t position) {
    if (a->memory_only) { return 0; }
    if (a->writes_in != a->writes_polled) {
        paxos_write_t *last = paxos_write(a, a->writes_in - 1);
        const bool adjacent =
            kind == PAXOS_RECORD_BALLOTS ||
            (kind == PAXOS_RECORD_ENTRIES && last->position + last->bytes == position &&
             last->bytes + run->bytes <= a->body_bytes_max);
        if (last->kind == kind && adjacent && last->ballot == run->ballot &&
            last->slot + last->count == run->slot) {
            last->count += run->count;
            last->bytes += run->bytes;
            last->digest += run->digest;
            return last->lsn;
        }
    }
    PAXOS_ASSERT(a->writes_in - a->writes_out < a->write_ring);
    a->lsn += 1;
    paxos_write_t *write = paxos_write(a, a->writes_in);
    write->lsn = a->lsn;
    write->kind = kind;
    write->ballot = run->ballot;
    write->slot = run->slot;
    write->count = run->count;
    write->bytes = run->bytes;
    write->digest = run->digest;
    write->position = position;
    write->watermark = a->decided;
    a->marked = a->decided;
    a->writes_in += 1;
    return a->lsn;
}

void paxos_log_mark(paxos_acceptor_t *a, uint64_t slots) {
    if (a->memory_only || a->decided - a->marked < slots || paxos_writes_full(a)) { return; }
    const paxos_run_t none = {0, 0, 0, 0, 0, NULL};
    (void)paxos_write_note(a, PAXOS_RECORD_MARK, &none, 0);
}

uint64_t paxos_log_promise(paxos_acceptor_t *a, uint64_t ballot) {
    PAXOS_ASSERT(ballot > a->promised);
    a->promised = ballot;
    const paxos_run_t run = {ballot, 0, 0, 0, 0, NULL};
    return paxos_write_note(a, PAXOS_RECORD_PROMISED, &run, 0);
}

void paxos_cut_behind(paxos_acceptor_t *a, uint64_t last) {
    /*@ loop invariant paxos_block(a) && a->window_slots == \at(a->window_slots, Pre);
        loop invariant same: paxos_cells_same{Pre, Here}(a);
        loop assigns slot, paxos_cells(a)[0 .. \at(a->window_slots, Pre) - 1];
        loop variant a->last_slot + 1 - slot; */
    for (uint64_t slot = last + 1; slot <= a->last_slot; slot++) {
        paxos_cell_t *cell = paxos_cell(a, slot);
        const uint64_t behind = slot - last - 1;
        if (!paxos_cell_holds(cell, slot) || cell->behind <= behind) { break; }
        cell->behind = (uint16_t)behind;
    }
}

/* What paxos_point_held says of the cells. */
/*@ requires paxos_block(a) && paxos_cells_named(a) && paxos_run_placed(a, run, position);
    requires state <= UINT16_MAX;
    assigns paxos_cells(a)[0 .. a->window_slots - 1];
    ensures named: paxos_cells_named(a);
    ensures pointed: \forall integer i; 0 <= i < run->count ==>
            paxos_pointed(a, run->slot, run->entries, position, i);
    ensures voted: run->ballot != 0 ==> \forall integer i; 0 <= i < run->count ==>
            paxos_voted(a, run->slot, i, run->ballot);
    ensures others:
            \forall integer slot; paxos_in_window(a, slot) && !paxos_in_run(run, slot) ==>
            paxos_slot_kept{Pre, Post}(a, slot); */
static void point_cells(
    paxos_acceptor_t *a, const paxos_run_t *run, uint32_t state, uint64_t position,
    uint32_t behind) {
    const uint64_t ballot = run->ballot;
    const uint64_t slot = run->slot;
    const uint32_t count = run->count;
    const uint8_t *entries = run->entries;
    const uint8_t *entry = entries;
    /*@ loop invariant 0 <= i <= count;
        loop invariant paxos_block(a) && a->window_slots == \at(a->window_slots, Pre) &&
                       a->arena_bytes == \at(a->arena_bytes, Pre);
        loop invariant within: \forall integer k; 0 <= k < count ==>
                       paxos_in_window{Pre}(a, slot + k);
        loop invariant entry: entry == entries + paxos_entry_at(entries, i);
        loop invariant position: position == \at(position, Pre) + paxos_entry_at(entries, i);
        loop invariant pointed: \forall integer k; 0 <= k < i ==>
                       paxos_pointed(a, slot, entries, \at(position, Pre), k);
        loop invariant voted: ballot != 0 ==> \forall integer k; 0 <= k < i ==>
                       paxos_voted(a, slot, k, ballot);
        loop invariant others: \forall integer other; paxos_in_window{Pre}(a, other) &&
                       !(slot <= other < slot + count) ==> paxos_slot_kept{Pre, Here}(a, other);
        loop invariant named: paxos_cells_named(a);
        loop assigns i, entry, position, paxos_cells(a)[0 .. \at(a->window_slots, Pre) - 1];
        loop variant count - i; */
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t bytes = paxos_entry_bytes(paxos_get32(entry + 4));
        //@ assert size: bytes == paxos_entry_size_at(entries, entry - entries);
        //@ assert next: entry + bytes == entries + paxos_entry_at(entries, i + 1);
        //@ assert within: paxos_ring(position, a->arena_bytes) + bytes <= a->arena_bytes;
        //@ assert exact: (uint64_t)(slot + i) == slot + i;
        const paxos_cell_t *cell = paxos_cell(a, slot + i);
        const bool holds = paxos_cell_holds(cell, slot + i);
        /* Chosen stays chosen: the bytes are the same, or the run would have been refused. */
        const bool chosen = holds && cell->state == PAXOS_RUN_CHOSEN;
        const uint64_t voted = holds && ballot == 0 ? cell->ballot : ballot;
        //@ assert own: ballot != 0 ==> voted == ballot;
        //@ ghost Before: ;
        paxos_cell_fill(
            a, slot + i, voted, position, bytes,
            chosen ? (uint16_t)PAXOS_RUN_CHOSEN : (uint16_t)state, paxos_saturated(behind + i));
        /*@ assert kept: \forall integer other; paxos_in_window{Pre}(a, other) &&
                   other != slot + i ==>
                   paxos_cell_same{Before, Here}(paxos_cell_of(a, other)); */
        /*@ assert earlier: \forall integer k; 0 <= k < i ==>
                   paxos_cell_same{Before, Here}(paxos_cell_of(a, slot + k)); */
        /*@ assert earlier_pointed: \forall integer k; 0 <= k < i ==>
                   paxos_pointed(a, slot, entries, \at(position, Pre), k); */
        //@ assert pointed: paxos_pointed(a, slot, entries, \at(position, Pre), i);
        /*@ assert earlier_voted: ballot != 0 ==> \forall integer k; 0 <= k < i ==>
                   paxos_voted(a, slot, k, ballot); */
        //@ assert voted: ballot != 0 ==> paxos_voted(a, slot, i, ballot);
        position += bytes;
        entry += bytes;
    }
    //@ assert numbers: run->slot == slot && run->count == count && run->ballot == ballot;
}

/* Slots up to `last` will be pointed elsewhere: it is the last slot then, or others follow it. */
/*@ requires paxos_block(a) && a->last_slot < PAXOS_SLOT_MAX;
    assigns a->last_slot, paxos_cells(a)[0 .. a->window_slots - 1];
    ensures same: paxos_cells_same{Pre, Post}(a);
    ensures a->last_slot == \max(last, \old(a->last_slot)); */
static void point_last(paxos_acceptor_t *a, uint64_t last) {
    if (last > a->last_slot) {
        a->last_slot = last;
    } else {
        paxos_cut_behind(a, last);
    }
}

void paxos_point_held(
    paxos_acceptor_t *a, const paxos_run_t *run, uint32_t state, uint64_t position,
    uint32_t behind) {
    point_last(a, run->slot + run->count - 1);
    //@ assert slots: run->slot == \at(run->slot, Pre) && run->count == \at(run->count, Pre);
    //@ assert ballot: run->ballot == \at(run->ballot, Pre);
    //@ assert window: a->window_slots == \at(a->window_slots, Pre);
    /*@ assert same: \forall integer other;
               paxos_cell_same{Pre, Here}(paxos_cell_of(a, other)); */
    //@ assert named: paxos_cells_named(a);
    //@ ghost Settled: ;
    point_cells(a, run, state, position, behind);
    //@ assert numbers: run->slot == \at(run->slot, Pre) && run->count == \at(run->count, Pre);
    //@ assert under: run->ballot == \at(run->ballot, Pre);
    /*@ assert kept: \forall integer other;
               paxos_in_window(a, other) && !paxos_in_run(run, other) ==>
               paxos_slot_kept{Settled, Here}(a, other); */
}

paxos_status_t paxos_log_store(
    paxos_acceptor_t *a, const paxos_run_t *run, uint32_t state, uint64_t *lsn_out) {
    return paxos_log_store_hot(a, run, state, paxos_run_is_next(a, run), lsn_out);
}

/* What an axiom says of a place further on in a ring, for numbers that a prover knows too well: it
 * looks for `i + d`, and finds `16 + start`. */
/*@ ghost
    /@ requires 0 < n && paxos_ring(number, n) + ahead < n;
       assigns \nothing;
       ensures paxos_ring(number + ahead, n) == paxos_ring(number, n) + ahead; @/
    static void ring_ahead(uint64_t number, uint32_t ahead, uint32_t n) {} */

uint64_t paxos_log_open(
    paxos_acceptor_t *a, uint64_t slot, uint32_t count, uint32_t bytes, bool fills_gap,
    bool stays_open) {
    const uint32_t run_bytes = paxos_round16(PAXOS_RUN_HEADER_BYTES + bytes);
    const uint64_t start = paxos_arena_take(a, run_bytes, fills_gap);
    if (start == PAXOS_POSITION_NONE) { return PAXOS_POSITION_NONE; }
    (void)paxos_run_header_put(a, start, slot, count, run_bytes);
    //@ ghost ring_ahead(start, PAXOS_RUN_HEADER_BYTES, a->arena_bytes);
    if (!stays_open) { return start + PAXOS_RUN_HEADER_BYTES; }
    a->open_run = start;
    a->open_count = count;
    /* It may grow to its limit, to the end of the ring, and to where the reserve begins: which is
     * behind that end if it fits there, and otherwise must fit before it as well. */
    const uint64_t ring_end = start - paxos_arena_place(a, start) + a->arena_bytes;
    const uint64_t free_end = a->arena_tail + a->arena_bytes - a->reserve_bytes;
    uint64_t limit = start + a->run_bytes_max;
    if (limit > ring_end) { limit = ring_end; }
    if (ring_end > free_end) {
        if (limit > ring_end - a->reserve_bytes) { limit = ring_end - a->reserve_bytes; }
        if (limit > free_end) { limit = free_end; }
    }
    a->open_limit = limit;
    //@ ghost uint32_t taken = PAXOS_RUN_HEADER_BYTES + bytes;
    //@ ghost if (start + taken < ring_end) { ring_ahead(start, taken, a->arena_bytes); }
    //@ assert limit: a->open_limit <= ring_end < 2 * PAXOS_SLOT_MAX;
    /*@ assert inside: start + taken < ring_end ==>
               paxos_ring(start + taken, a->arena_bytes) +
               (ring_end - start - taken) == a->arena_bytes; */
    /*@ assert last: paxos_ring(start + taken, a->arena_bytes) < a->arena_bytes; */
    //@ assert open: paxos_open_from(a, start + taken);
    return start + PAXOS_RUN_HEADER_BYTES;
}

static uint64_t append_position(paxos_acceptor_t *a, uint64_t slot, uint32_t bytes) {
    const uint32_t count = slot != 0 ? 1 : 0;
    uint64_t position = 0;
    return paxos_run_extend(a, slot, count, bytes, &position)
               ? position
               : paxos_log_open(a, slot, count, bytes, false, true);
}

paxos_status_t paxos_log_append(
    paxos_acceptor_t *a, uint64_t ballot, uint64_t slot, const paxos_entry_t *entry,
    const uint8_t *value, uint64_t *lsn_out) {
    PAXOS_ASSERT(
        ballot == a->promised && slot > a->trimmed && slot <= a->trimmed + a->window_slots);
    PAXOS_ASSERT(!paxos_cell_holds(paxos_cell(a, slot), slot));
    if (PAXOS_UNLIKELY(!a->memory_only && paxos_writes_full(a))) { return PAXOS_ERR_BUSY; }
    const uint64_t position = append_position(a, slot, paxos_entry_bytes(entry->value_bytes));
    if (PAXOS_UNLIKELY(position == PAXOS_POSITION_NONE)) { return PAXOS_ERR_FULL; }
    (void)paxos_append_at(a, ballot, slot, entry, value, position, lsn_out);
    return PAXOS_OK;
}

paxos_status_t paxos_log_hold(
    paxos_acceptor_t *a, const paxos_entry_t *entry, const uint8_t *value, uint64_t *position_out) {
    const uint32_t bytes = paxos_entry_bytes(entry->value_bytes);
    const uint64_t position = append_position(a, 0, bytes);
    if (position == PAXOS_POSITION_NONE) { return PAXOS_ERR_FULL; }
    (void)paxos_entry_write(paxos_arena(a, position), entry, value);
    a->open_end = position + bytes;
    a->open_slot = 0;
    *position_out = position;
    return PAXOS_OK;
}

uint64_t paxos_log_keep(
    paxos_acceptor_t *a, uint64_t slot, const uint8_t *entry, uint32_t entry_bytes) {
    const uint32_t bytes = paxos_round16(PAXOS_RUN_HEADER_BYTES + entry_bytes);
    const uint64_t start = paxos_arena_take(a, bytes, slot <= a->decided + 1);
    if (start == PAXOS_POSITION_NONE) { return PAXOS_POSITION_NONE; }
    memcpy(paxos_run_header_put(a, start, slot, 1, bytes), entry, entry_bytes);
    return start + PAXOS_RUN_HEADER_BYTES;
}

uint64_t paxos_log_revote(
    paxos_acceptor_t *a, uint64_t ballot, uint64_t slot, uint64_t position, uint32_t bytes) {
    PAXOS_ASSERT(ballot == a->promised && slot > a->trimmed && bytes != 0);
    paxos_cell_t *cell = paxos_cell(a, slot);
    const bool same = paxos_cell_holds(cell, slot) && cell->position == position;
    cell->ballot = ballot;
    cell->position = position;
    cell->slot = slot;
    cell->bytes = bytes;
    cell->state = PAXOS_RUN_ACCEPTED;
    if (!same) {
        cell->behind = 0;
        paxos_cut_behind(a, slot);
    }
    if (slot > a->last_slot) { a->last_slot = slot; }
    /* The same entry as before needs no second copy in the journal: its new ballot will do. */
    const uint64_t digest = paxos_digest_term(slot, paxos_get32(paxos_arena(a, position)));
    const paxos_run_t run = {ballot, slot, 1, same ? 0 : bytes, digest, NULL};
    return paxos_write_note(
        a, same ? PAXOS_RECORD_BALLOTS : PAXOS_RECORD_ENTRIES, &run, same ? 0 : position);
}

/* Whether every slot of the run is free of any entry: the common case. */
static bool all_fresh(const paxos_acceptor_t *a, const paxos_run_t *run) {
    if (run->slot > a->last_slot) { return true; }
    for (uint32_t i = 0; i < run->count; i++) {
        if (paxos_cell_holds(paxos_cell(a, run->slot + i), run->slot + i)) { return false; }
    }
    return true;
}

/* Take one learned entry. */
static paxos_status_t learn_one(
    paxos_acceptor_t *a, uint64_t slot, const uint8_t *entry, uint32_t bytes) {
    paxos_cell_t *cell = paxos_cell(a, slot);
    if (slot <= a->decided) { return PAXOS_OK; }
    if (paxos_cell_holds(cell, slot)) {
        if (cell->state == PAXOS_RUN_CHOSEN) { return PAXOS_OK; }
        if (cell->bytes == bytes && memcmp(paxos_arena(a, cell->position), entry, bytes) == 0) {
            cell->state = PAXOS_RUN_CHOSEN;
            return PAXOS_OK;
        }
    }
    if (!a->memory_only && paxos_writes_full(a)) { return PAXOS_ERR_BUSY; }
    const paxos_run_t run = {0, slot, 1, bytes, paxos_digest_term(slot, paxos_get32(entry)), entry};
    uint64_t lsn;
    return paxos_log_store(a, &run, PAXOS_RUN_CHOSEN, &lsn);
}

paxos_status_t paxos_log_learn(paxos_acceptor_t *a, const paxos_run_t *run) {
    PAXOS_ASSERT(run->ballot == 0 && run->slot > a->trimmed);
    paxos_status_t status = PAXOS_OK;
    const uint64_t window_end = a->trimmed + a->window_slots;
    if (run->slot + run->count - 1 <= window_end && all_fresh(a, run)) {
        if (!a->memory_only && paxos_writes_full(a)) { return PAXOS_ERR_BUSY; }
        uint64_t lsn;
        status = paxos_log_store(a, run, PAXOS_RUN_CHOSEN, &lsn);
    } else {
        const uint8_t *entry = run->entries;
        for (uint32_t i = 0; i < run->count && status == PAXOS_OK; i++) {
            const uint32_t bytes = paxos_entry_bytes(paxos_get32(entry + 4));
            if (run->slot + i > window_end) {
                status = PAXOS_ERR_FULL;
                break;
            }
            status = learn_one(a, run->slot + i, entry, bytes);
            entry += bytes;
        }
    }
    paxos_log_advance(a);
    return status;
}

void paxos_log_advance(paxos_acceptor_t *a) {
    const uint64_t end = a->trimmed + a->window_slots;
    uint64_t slot = a->decided + 1;
    /*@ loop invariant \at(a->decided, Pre) + 1 <= slot <= end + 1;
        loop invariant paxos_block(a) && a->window_slots == \at(a->window_slots, Pre);
        loop invariant \forall integer s; \at(a->decided, Pre) < s < slot ==>
                       \at(paxos_committed(a, s), Pre);
        loop invariant \forall integer s; \at(a->decided, Pre) < s < slot ==>
                       paxos_cell_of(a, s)->slot == s &&
                       paxos_cell_of(a, s)->state == PAXOS_RUN_CHOSEN;
        loop invariant ahead: \forall integer s; slot <= s <= end ==>
                       paxos_cell_of(a, s)->state == \at(paxos_cell_of(a, s)->state, Pre);
        loop assigns slot, paxos_cells(a)[0 .. \at(a->window_slots, Pre) - 1].state;
        loop variant end + 1 - slot; */
    for (; slot <= end; slot++) {
        paxos_cell_t *cell = paxos_cell(a, slot);
        if (!paxos_cell_holds(cell, slot)) { break; }
        if (cell->state != PAXOS_RUN_CHOSEN) {
            /* VR Revisited, section 4: a commit covers an entry only in the view it was made in. */
            if (cell->ballot != a->commit_ballot || slot > a->commit_slot) { break; }
            cell->state = PAXOS_RUN_CHOSEN;
        }
    }
    a->decided = slot - 1;
}

void paxos_log_commit(paxos_acceptor_t *a, uint64_t ballot, uint64_t slot) {
    paxos_log_note_commit(a, ballot, slot);
    if (a->decided < a->commit_slot) { paxos_log_advance(a); }
}

uint32_t paxos_log_together(
    const paxos_acceptor_t *a, uint64_t slot, uint64_t last_slot, uint32_t bytes_max,
    uint32_t *bytes_out) {
    uint32_t bytes = paxos_cell(a, slot)->bytes;
    uint64_t end = slot + 1;
    for (; end <= last_slot; end++) {
        const paxos_cell_t *cell = paxos_cell(a, end);
        if (cell->behind == 0 || bytes_max - bytes < cell->bytes) { break; }
        bytes += cell->bytes;
    }
    *bytes_out = bytes;
    return (uint32_t)(end - slot);
}

uint32_t paxos_log_stretch(
    const paxos_acceptor_t *a, uint64_t slot, uint64_t last_slot, uint32_t state, uint64_t ballot,
    uint32_t bytes_max, uint32_t *bytes_out) {
    uint32_t count = 0;
    uint32_t bytes = 0;
    for (; slot + count <= last_slot; count++) {
        const paxos_cell_t *cell = paxos_cell(a, slot + count);
        if (!paxos_cell_holds(cell, slot + count) || cell->state != state) { break; }
        if (ballot != 0 && cell->ballot != ballot) { break; }
        if (count > 0 && cell->behind == 0) { break; }
        if (bytes + cell->bytes > bytes_max) { break; }
        bytes += cell->bytes;
    }
    *bytes_out = bytes;
    return count;
}

uint64_t paxos_run_digest(
    const uint8_t *entries, uint64_t first_slot, uint32_t count, uint32_t *bytes_out) {
    uint32_t bytes = 0;
    uint64_t digest = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *entry = entries + bytes;
        digest += paxos_digest_term(first_slot + i, paxos_get32(entry));
        bytes += paxos_entry_bytes(paxos_get32(entry + 4));
    }
    *bytes_out = bytes;
    return digest;
}

/* No further than a durable record says that it is decided: the next record would carry the trim
 * point past it, and the journal could not vouch for it any more. */
bool paxos_log_trim(paxos_acceptor_t *a) {
    uint64_t slot = paxos_log_durable(a);
    if (a->stable < slot) { slot = a->stable; }
    if (a->applied < slot) { slot = a->applied; }
    return slot > a->trimmed && paxos_voter_trim(a, slot) == PAXOS_OK;
}
