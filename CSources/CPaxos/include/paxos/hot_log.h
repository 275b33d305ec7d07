/* hot_log.h - what is done with every entry, inlined: take room, store, find runs, vote.
 *
 * Internal to the library; log.h says what each function requires and ensures. What is rare is in
 * arena.c, log.c and acceptor.c.
 * Threads  the block's caller. */
#ifndef PAXOS_HOT_LOG_H
#define PAXOS_HOT_LOG_H

#include "paxos/hot_frame.h"
#include "paxos/log.h"

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/* Start a run in the arena; the place of its first entry. */
/*@ requires paxos_block(a) && paxos_arena_taken(a, start, PAXOS_RUN_HEADER_BYTES);
    assigns paxos_arena_at(a, start)[0 .. PAXOS_RUN_HEADER_BYTES - 1];
    ensures \result == paxos_arena_at(a, start) + PAXOS_RUN_HEADER_BYTES; */
PAXOS_HOT static inline uint8_t *paxos_run_header_put(
    paxos_acceptor_t *a, uint64_t start, uint64_t slot, uint32_t count, uint32_t bytes) {
    uint8_t *header = paxos_arena(a, start);
    paxos_put64(header, slot);
    paxos_put32(header + 8, count);
    paxos_put32(header + 12, bytes);
    return header + PAXOS_RUN_HEADER_BYTES;
}

/* Take a run at the head of the arena if it fits; its position, or none. */
/*@ requires paxos_block(a) && paxos_arena_counted(a);
    requires PAXOS_RUN_HEADER_BYTES <= bytes <= 2 * PAXOS_FRAME_BYTES_MAX && bytes % 16 == 0;
    assigns a->arena_head, paxos_arena_bytes(a)[0 .. a->arena_bytes - 1];
    ensures \result == PAXOS_POSITION_NONE || paxos_arena_taken(a, \result, bytes); */
static inline uint64_t paxos_arena_take_head(paxos_acceptor_t *a, uint32_t bytes, bool fills_gap) {
    const uint64_t start = paxos_arena_start(a, a->arena_head, bytes);
    const uint64_t head = start + bytes;
    const bool fits =
        fills_gap ? head <= a->arena_tail + a->arena_bytes : paxos_arena_leaves_reserve(a, head);
    if (PAXOS_UNLIKELY(!fits)) { return PAXOS_POSITION_NONE; }
    if (PAXOS_UNLIKELY(start != a->arena_head)) {
        /* A run never crosses the end of the ring: what is left there becomes a run of nothing. */
        const uint32_t rest = (uint32_t)(start - a->arena_head);
        (void)paxos_run_header_put(a, a->arena_head, 0, 0, rest);
    }
    a->arena_head = head;
    return start;
}

/*@ assigns \nothing;
    ensures \result <= behind; */
PAXOS_HOT static inline uint16_t paxos_saturated(uint32_t behind) {
    return behind < UINT16_MAX ? (uint16_t)behind : UINT16_MAX;
}

/* Whether a run is for slots above all that hold something, as almost every run is, and short
 * enough for `behind` to count its slots. */
#define PAXOS_NEXT_SLOTS_MAX UINT16_MAX

/*@ requires \valid_read(a) && \valid_read(run);
    assigns \nothing;
    ensures \result <==> run->slot > a->last_slot && run->count <= PAXOS_NEXT_SLOTS_MAX; */
PAXOS_HOT static inline bool paxos_run_is_next(const paxos_acceptor_t *a, const paxos_run_t *run) {
    return run->slot > a->last_slot && run->count <= PAXOS_NEXT_SLOTS_MAX;
}

/* Say in the cell of `slot` what the slot holds. */
/*@ requires paxos_block(a);
    assigns *paxos_cell_of(a, slot);
    ensures filled: paxos_cell_of(a, slot)->slot == slot &&
            paxos_cell_of(a, slot)->ballot == ballot &&
            paxos_cell_of(a, slot)->position == position &&
            paxos_cell_of(a, slot)->bytes == bytes && paxos_cell_of(a, slot)->state == state;
    ensures others: \forall integer k;
            0 <= k < a->window_slots && k != paxos_ring(slot, a->window_slots) ==>
            paxos_cell_same{Pre, Post}(paxos_cells(a) + k);
    ensures apart: \forall integer other;
            other != slot && -a->window_slots < other - slot < a->window_slots ==>
            paxos_cell_same{Pre, Post}(paxos_cell_of(a, other));
    ensures block: paxos_block(a) && a->window_slots == \old(a->window_slots) &&
            a->arena_bytes == \old(a->arena_bytes); */
PAXOS_HOT static inline void paxos_cell_fill(
    paxos_acceptor_t *a, uint64_t slot, uint64_t ballot, uint64_t position, uint32_t bytes,
    uint16_t state, uint16_t behind) {
    paxos_cell_t *cell = paxos_cell(a, slot);
    cell->ballot = ballot;
    cell->position = position;
    cell->slot = slot;
    cell->bytes = bytes;
    cell->state = state;
    cell->behind = behind;
}

/* Room for `count` more slots, in `bytes` of entries, behind the open run, if they continue it.
 * Bytes of no slot (slot 0) count none. */
/*@ requires paxos_block(a) && paxos_run_open(a) && \valid(position_out);
    requires \separated(position_out, a) && 0 < bytes <= PAXOS_FRAME_BYTES_MAX;
    assigns a->arena_head, a->open_count, *position_out;
    ensures taken: \result ==> *position_out == a->open_end &&
            a->open_end + bytes <= a->open_limit &&
            paxos_ring(a->open_end, a->arena_bytes) + bytes <= a->arena_bytes;
    ensures open: \result ==> paxos_open_from(a, a->open_end + bytes);
    ensures refused: !\result ==>
            a->arena_head == \old(a->arena_head) && a->open_count == \old(a->open_count); */
PAXOS_HOT static inline bool paxos_run_extend(
    paxos_acceptor_t *a, uint64_t slot, uint32_t count, uint32_t bytes, uint64_t *position_out) {
    const uint64_t position = a->open_end;
    if (PAXOS_UNLIKELY(a->open_slot != slot || position + bytes > a->open_limit)) { return false; }
    /*@ assert along: paxos_ring(position, a->arena_bytes) + bytes < a->arena_bytes ==>
               paxos_ring(position + bytes, a->arena_bytes) ==
               paxos_ring(position, a->arena_bytes) + bytes; */
    //@ assert range: paxos_ring(position + bytes, a->arena_bytes) < a->arena_bytes;
    //@ assert open: paxos_open_from(a, position + bytes);
    a->arena_head = (position + bytes + 15u) & ~(uint64_t)15u;
    a->open_count += count;
    *position_out = position;
    return true;
}

/* Point the cells of a run that is next at its entries, which stand at `position`, right behind
 * those of `behind` slots before; paxos_point_held does it for any. */
/*@ requires paxos_block(a) && paxos_cells_named(a) && paxos_run_placed(a, run, position);
    assigns paxos_cells(a)[0 .. a->window_slots - 1], a->last_slot;
    ensures named: paxos_cells_named(a);
    ensures pointed: \forall integer i; 0 <= i < run->count ==>
            paxos_pointed(a, run->slot, run->entries, position, i);
    ensures voted: \forall integer i; 0 <= i < run->count ==>
            paxos_voted(a, run->slot, i, run->ballot);
    ensures others:
            \forall integer slot; paxos_in_window(a, slot) && !paxos_in_run(run, slot) ==>
            paxos_slot_kept{Pre, Post}(a, slot); */
PAXOS_HOT static inline void paxos_point_next(
    paxos_acceptor_t *a, const paxos_run_t *run, uint16_t state, uint64_t position,
    uint32_t behind) {
    const uint64_t ballot = run->ballot;
    const uint64_t slot = run->slot;
    const uint32_t count = run->count;
    const uint8_t *entries = run->entries;
    const uint8_t *entry = entries;
    a->last_slot = slot + count - 1;
    if (PAXOS_SHORT_WAY && count == 1) {
        //@ assert one: run->bytes == paxos_entry_size_at(entries, paxos_entry_at(entries, 0));
        paxos_cell_fill(a, slot, ballot, position, run->bytes, state, paxos_saturated(behind));
        //@ assert pointed: paxos_pointed(a, slot, entries, position, 0);
        //@ assert voted: paxos_voted(a, slot, 0, ballot);
        return;
    }
    /*@ loop invariant 0 <= i <= count;
        loop invariant paxos_block(a) &&
                       a->window_slots == \at(a->window_slots, Pre) &&
                       a->arena_bytes == \at(a->arena_bytes, Pre);
        loop invariant \forall integer k; 0 <= k < count ==> paxos_in_window{Pre}(a, slot + k);
        loop invariant entry == entries + paxos_entry_at(entries, i);
        loop invariant position == \at(position, Pre) + paxos_entry_at(entries, i);
        loop invariant \forall integer k; 0 <= k < i ==>
                       paxos_pointed(a, slot, entries, \at(position, Pre), k);
        loop invariant \forall integer k; 0 <= k < i ==> paxos_voted(a, slot, k, ballot);
        loop invariant others: \forall integer other; paxos_in_window{Pre}(a, other) &&
                       !(slot <= other < slot + count) ==> paxos_slot_kept{Pre, Here}(a, other);
        loop invariant paxos_cells_named(a);
        loop assigns i, entry, position, paxos_cells(a)[0 .. \at(a->window_slots, Pre) - 1];
        loop variant count - i; */
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t bytes = paxos_entry_bytes(paxos_get32(entry + 4));
        //@ assert size: bytes == paxos_entry_size_at(entries, entry - entries);
        //@ assert next: entry + bytes == entries + paxos_entry_at(entries, i + 1);
        /*@ assert within: paxos_ring(position, a->arena_bytes) + bytes <= a->arena_bytes; */
        //@ assert exact: (uint64_t)(slot + i) == slot + i;
        //@ ghost Before: ;
        paxos_cell_fill(a, slot + i, ballot, position, bytes, state, paxos_saturated(behind + i));
        /*@ assert kept: \forall integer other; paxos_in_window{Pre}(a, other) &&
                   other != slot + i ==>
                   paxos_cell_same{Before, Here}(paxos_cell_of(a, other)); */
        /*@ assert earlier: \forall integer k; 0 <= k < i ==>
                   paxos_cell_same{Before, Here}(paxos_cell_of(a, slot + k)); */
        /*@ assert earlier_pointed: \forall integer k; 0 <= k < i ==>
                   paxos_pointed(a, slot, entries, \at(position, Pre), k); */
        /*@ assert earlier_voted: \forall integer k; 0 <= k < i ==>
                   paxos_voted(a, slot, k, ballot); */
        //@ assert pointed: paxos_pointed(a, slot, entries, \at(position, Pre), i);
        //@ assert voted: paxos_voted(a, slot, i, ballot);
        position += bytes;
        entry += bytes;
    }
    //@ assert numbers: run->slot == slot && run->count == count && run->ballot == ballot;
}

/* Copy a run's entries to where room is taken for them in the arena. False: there is none. */
/*@ requires paxos_block(a) && paxos_arena_counted(a) && paxos_cells_named(a);
    requires paxos_run_given(a, run) && paxos_run_open(a);
    requires \valid(position_out) && \separated(position_out, a);
    requires of_run: \separated(position_out, run);
    requires of_entries: \separated(position_out, run->entries + (0 .. run->bytes - 1));
    requires of_cells: \separated(position_out, paxos_cells(a) + (0 .. a->window_slots - 1));
    requires of_arena: \separated(position_out, paxos_arena_bytes(a) + (0 .. a->arena_bytes - 1));
    assigns paxos_cells(a)[0 .. a->window_slots - 1],
            paxos_arena_bytes(a)[0 .. a->arena_bytes - 1], a->arena_head, a->arena_tail,
            a->open_run, a->open_end, a->open_slot, a->open_limit, a->open_count,
            a->counters.compactions, *position_out;
    ensures named: paxos_cells_named(a);
    ensures kept: \forall integer k; 0 <= k < a->window_slots ==>
            paxos_cell_kept{Pre, Post}(paxos_cells(a) + k);
    ensures placed: \result ==> *position_out < 2 * PAXOS_SLOT_MAX &&
            paxos_ring(*position_out, a->arena_bytes) + run->bytes <= a->arena_bytes;
    ensures open: paxos_run_open(a);
    ensures whole: \result ==> paxos_run_whole(run->entries, run->count, run->bytes); */
PAXOS_HOT static inline bool paxos_run_place(
    paxos_acceptor_t *a, const paxos_run_t *run, bool is_next, uint64_t *position_out) {
    uint64_t position = 0;
    const bool extends =
        is_next && paxos_run_extend(a, run->slot, run->count, run->bytes, &position);
    //@ assert extended: extends ==> paxos_open_from(a, position + run->bytes);
    //@ assert as_before: !extends ==> paxos_run_open(a);
    if (PAXOS_UNLIKELY(!extends)) {
        position = paxos_log_open(
            a, run->slot, run->count, run->bytes, run->slot <= a->decided + 1, is_next);
        /*@ assert opened: position != PAXOS_POSITION_NONE && is_next ==>
                   paxos_open_from(a, position + run->bytes); */
        //@ assert closed: position == PAXOS_POSITION_NONE || !is_next ==> paxos_run_open(a);
        /*@ assert moved: \forall integer k; 0 <= k < a->window_slots ==>
                   paxos_cell_kept{Pre, Here}(paxos_cells(a) + k); */
        if (position == PAXOS_POSITION_NONE) { return false; }
    }
    /*@ assert kept: \forall integer k; 0 <= k < a->window_slots ==>
               paxos_cell_kept{Pre, Here}(paxos_cells(a) + k); */
    //@ assert numbers: run->count == \at(run->count, Pre) && run->bytes == \at(run->bytes, Pre);
    //@ assert entries: run->entries == \at(run->entries, Pre);
    /*@ assert untouched: \forall integer i; 0 <= i < run->bytes ==>
               run->entries[i] == \at(run->entries[i], Pre); */
    //@ assert still: paxos_run_whole(run->entries, run->count, run->bytes);
    //@ assert next_open: is_next ==> paxos_open_from(a, position + run->bytes);
    //@ assert other_open: !is_next ==> paxos_run_open(a);
    //@ ghost Taken: ;
    paxos_copy_short(paxos_arena(a, position), run->entries, run->bytes);
    /*@ assert same: \forall integer i; 0 <= i < run->bytes ==>
               run->entries[i] == \at(run->entries[i], Taken); */
    //@ assert whole: paxos_run_whole(run->entries, run->count, run->bytes);
    if (PAXOS_LIKELY(is_next)) {
        a->open_end = position + run->bytes;
        a->open_slot = run->slot + run->count;
    }
    //@ assert open: paxos_run_open(a);
    /*@ assert all_kept: \forall integer k; 0 <= k < a->window_slots ==>
               paxos_cell_kept{Pre, Here}(paxos_cells(a) + k); */
    *position_out = position;
    return true;
}

/* What is called from here on gets a copy of the run, so that the run itself stays in registers.
 * To a prover, who goes by contracts, it is the same run. */
#if PAXOS_SHORT_WAY && !defined(__FRAMAC__)
#define PAXOS_RUN_APART(run)             \
    const paxos_run_t run##_copy = *run; \
    run = &run##_copy
#else
#define PAXOS_RUN_APART(run) ((void)0)
#endif

/* Point the cells of a run at its entries, which stand at `position`. `is_next`:
 * paxos_run_is_next. */
/*@ requires paxos_block(a) && paxos_cells_named(a) && paxos_run_placed(a, run, position);
    requires a->last_slot < PAXOS_SLOT_MAX && state <= UINT16_MAX;
    assigns paxos_cells(a)[0 .. a->window_slots - 1], a->last_slot;
    ensures named: paxos_cells_named(a);
    ensures voted: \forall integer slot; paxos_in_run(run, slot) ==>
            paxos_slot_voted(a, slot, run->ballot);
    ensures others:
            \forall integer slot; paxos_in_window(a, slot) && !paxos_in_run(run, slot) ==>
            paxos_slot_kept{Pre, Post}(a, slot); */
PAXOS_HOT static inline void paxos_run_point(
    paxos_acceptor_t *a, const paxos_run_t *run, uint32_t state, bool is_next, uint64_t position) {
    const uint32_t behind = is_next ? (uint32_t)a->open_count - run->count : 0;
    if (PAXOS_SHORT_WAY && PAXOS_LIKELY(is_next)) {
        paxos_point_next(a, run, (uint16_t)state, position, behind);
    } else {
        PAXOS_RUN_APART(run);
        paxos_point_held(a, run, state, position, behind);
    }
    /*@ assert pointed: \forall integer i; 0 <= i < run->count ==>
               paxos_pointed(a, run->slot, run->entries, position, i); */
    /*@ assert under: run->ballot != 0 ==> \forall integer i; 0 <= i < run->count ==>
               paxos_voted(a, run->slot, i, run->ballot); */
    /*@ assert each: \forall integer slot; paxos_in_run(run, slot) ==>
               paxos_pointed(a, run->slot, run->entries, position, slot - run->slot); */
    /*@ assert each_voted: run->ballot != 0 ==>
               \forall integer slot; paxos_in_run(run, slot) ==>
               paxos_voted(a, run->slot, slot - run->slot, run->ballot); */
}

/* Note the record of a run that was stored, where this node keeps its votes; its lsn, or 0. */
/*@ requires paxos_block(a) && paxos_counted(a) && \valid_read(run);
    requires a->memory_only == 0 ==> paxos_has_room(a);
    requires \separated(run, a, paxos_writes(a) + (0 .. a->write_ring - 1));
    assigns a->lsn, a->marked, a->writes_in, paxos_writes(a)[0 .. a->write_ring - 1];
    ensures cells: \forall integer slot; paxos_cell_same{Pre, Post}(paxos_cell_of(a, slot));
    ensures named: paxos_cells_named{Pre}(a) ==> paxos_cells_named(a);
    ensures open: paxos_run_open{Pre}(a) ==> paxos_run_open(a); */
PAXOS_HOT static inline uint64_t paxos_run_note(
    paxos_acceptor_t *a, const paxos_run_t *run, uint64_t position) {
    if (PAXOS_SHORT_WAY && a->memory_only) { return 0; }
    PAXOS_RUN_APART(run);
    return paxos_write_note(
        a, run->ballot == 0 ? PAXOS_RECORD_CHOSEN : PAXOS_RECORD_ENTRIES, run, position);
}

/* As paxos_log_store. `is_next`: paxos_run_is_next. */
/*@ requires paxos_block(a) && paxos_counted(a) && paxos_arena_counted(a) && paxos_cells_named(a);
    requires paxos_run_given(a, run) && paxos_run_fits(a, run) && state <= UINT16_MAX;
    requires a->last_slot < PAXOS_SLOT_MAX && a->decided < PAXOS_SLOT_MAX;
    requires paxos_run_open(a) && (a->memory_only == 0 ==> paxos_has_room(a));
    requires \valid(lsn_out) && \separated(
        lsn_out, a, run, paxos_cells(a) + (0 .. a->window_slots - 1),
        paxos_writes(a) + (0 .. a->write_ring - 1));
    assigns paxos_cells(a)[0 .. a->window_slots - 1], paxos_writes(a)[0 .. a->write_ring - 1],
            paxos_arena_bytes(a)[0 .. a->arena_bytes - 1], a->arena_head, a->arena_tail,
            a->open_run, a->open_end, a->open_slot, a->open_limit, a->open_count,
            a->counters.compactions, a->last_slot, a->lsn, a->marked, a->writes_in, *lsn_out;
    ensures \result == PAXOS_OK || \result == PAXOS_ERR_FULL;
    ensures named: paxos_cells_named(a);
    ensures open: paxos_run_open(a);
    ensures voted: \result == PAXOS_OK ==> \forall integer slot; paxos_in_run(run, slot) ==>
            paxos_slot_voted(a, slot, run->ballot);
    ensures full: \result == PAXOS_ERR_FULL ==>
            a->lsn == \old(a->lsn) && a->writes_in == \old(a->writes_in) &&
            \forall integer slot; paxos_in_window(a, slot) ==> paxos_slot_kept{Pre, Post}(a, slot);
    ensures others:
            \forall integer slot; paxos_in_window(a, slot) && !paxos_in_run(run, slot) ==>
            paxos_slot_kept{Pre, Post}(a, slot); */
PAXOS_MUST_USE PAXOS_HOT static inline paxos_status_t paxos_log_store_hot(
    paxos_acceptor_t *a, const paxos_run_t *run, uint32_t state, bool is_next, uint64_t *lsn_out) {
    uint64_t position = 0;
    if (PAXOS_UNLIKELY(!paxos_run_place(a, run, is_next, &position))) { return PAXOS_ERR_FULL; }
    //@ assert slots: run->slot == \at(run->slot, Pre) && run->count == \at(run->count, Pre);
    //@ assert bytes: run->bytes == \at(run->bytes, Pre) && run->ballot == \at(run->ballot, Pre);
    //@ assert entries: run->entries == \at(run->entries, Pre);
    //@ assert window: a->trimmed == \at(a->trimmed, Pre);
    //@ assert ring: a->window_slots == \at(a->window_slots, Pre);
    //@ assert fits: paxos_run_fits(a, run);
    //@ assert placed: paxos_run_placed(a, run, position);
    /*@ assert kept: \forall integer slot; paxos_in_window(a, slot) ==>
               paxos_slot_kept{Pre, Here}(a, slot); */
    //@ ghost Placed: ;
    paxos_run_point(a, run, state, is_next, position);
    //@ assert limit: a->open_limit == \at(a->open_limit, Placed);
    //@ assert end: a->open_end == \at(a->open_end, Placed);
    //@ assert arena: a->arena_bytes == \at(a->arena_bytes, Placed);
    //@ assert open: paxos_run_open(a);
    //@ assert still: run->slot == \at(run->slot, Pre) && run->count == \at(run->count, Pre);
    //@ assert under: run->ballot == \at(run->ballot, Pre);
    /*@ assert others: \forall integer slot;
               paxos_in_window(a, slot) && !paxos_in_run(run, slot) ==>
               paxos_slot_kept{Pre, Here}(a, slot); */
    //@ ghost Pointed: ;
    *lsn_out = paxos_run_note(a, run, position);
    /*@ assert cells_end: \forall integer slot;
               paxos_cell_same{Pointed, Here}(paxos_cell_of(a, slot)); */
    //@ assert window_end: a->trimmed == \at(a->trimmed, Pre);
    //@ assert ring_end: a->window_slots == \at(a->window_slots, Pre);
    //@ assert slots_end: run->slot == \at(run->slot, Pre) && run->count == \at(run->count, Pre);
    //@ assert under_end: run->ballot == \at(run->ballot, Pre);
    //@ assert open_end: paxos_run_open(a);
    /*@ assert others_still: \forall integer slot;
               paxos_cell_same{Pointed, Here}(paxos_cell_of(a, slot)) &&
               paxos_slot_kept{Pre, Pointed}(a, slot) ==> paxos_slot_kept{Pre, Here}(a, slot); */
    /*@ assert others_end: \forall integer slot;
               paxos_in_window(a, slot) && !paxos_in_run(run, slot) ==>
               paxos_slot_kept{Pre, Here}(a, slot); */
    /*@ assert voted_still: \forall integer slot;
               paxos_cell_same{Pointed, Here}(paxos_cell_of(a, slot)) &&
               paxos_slot_voted{Pointed}(a, slot, \at(run->ballot, Pre)) ==>
               paxos_slot_voted(a, slot, \at(run->ballot, Pre)); */
    /*@ assert voted: \forall integer slot; paxos_in_run(run, slot) ==>
               paxos_slot_voted(a, slot, run->ballot); */
    return PAXOS_OK;
}

/* Write an entry where room was taken for it, and vote for it.
 * Post  *lsn_out says when the vote counts; returns what the entry adds to the digest of a run. */
PAXOS_HOT static inline uint64_t paxos_append_at(
    paxos_acceptor_t *a, uint64_t ballot, uint64_t slot, const paxos_entry_t *entry,
    const uint8_t *value, uint64_t position, uint64_t *lsn_out) {
    uint8_t *out = paxos_arena(a, position);
    const uint32_t bytes = paxos_entry_write(out, entry, value);
    const uint64_t term = paxos_digest_term(slot, paxos_get32(out));
    paxos_cell_t *cell = paxos_cell(a, slot);
    cell->ballot = ballot;
    cell->position = position;
    cell->slot = slot;
    cell->bytes = bytes;
    cell->state = PAXOS_RUN_ACCEPTED;
    cell->behind = paxos_saturated((uint32_t)a->open_count - 1u);
    a->open_end = position + bytes;
    a->open_slot = slot + 1;
    if (slot > a->last_slot) { a->last_slot = slot; }
    *lsn_out = 0;
    if (!a->memory_only) {
        const paxos_run_t run = {ballot, slot, 1, bytes, term, NULL};
        *lsn_out = paxos_write_note(a, PAXOS_RECORD_ENTRIES, &run, position);
    }
    return term;
}

/* As paxos_log_append, when the entry continues the open run; false, and no change, if not.
 * *term_out is what the entry adds to the digest of a run. */
PAXOS_HOT static inline bool paxos_append_next(
    paxos_acceptor_t *a, uint64_t ballot, uint64_t slot, const paxos_entry_t *entry,
    const uint8_t *value, uint64_t *term_out) {
    if (PAXOS_UNLIKELY(!a->memory_only && paxos_writes_full(a))) { return false; }
    uint64_t position = 0;
    uint64_t lsn = 0;
    if (PAXOS_UNLIKELY(
            !paxos_run_extend(a, slot, 1, paxos_entry_bytes(entry->value_bytes), &position))) {
        return false;
    }
    *term_out = paxos_append_at(a, ballot, slot, entry, value, position, &lsn);
    return true;
}

/* As paxos_log_together, a run of the arena at a time: the last slot of each says how far it goes
 * back. */
PAXOS_HOT static inline uint32_t paxos_log_together_hot(
    const paxos_acceptor_t *a, uint64_t slot, uint64_t last_slot, uint32_t bytes_max,
    uint32_t *bytes_out) {
    if (!PAXOS_SHORT_WAY) { return paxos_log_together(a, slot, last_slot, bytes_max, bytes_out); }
    const paxos_cell_t *last = paxos_cell(a, last_slot);
    while (PAXOS_UNLIKELY(last->behind < last_slot - slot)) {
        last_slot -= last->behind + 1u;
        last = paxos_cell(a, last_slot);
    }
    const uint64_t bytes = last->position + last->bytes - paxos_cell(a, slot)->position;
    if (PAXOS_LIKELY(bytes <= bytes_max)) {
        *bytes_out = (uint32_t)bytes;
        return (uint32_t)(last_slot - slot + 1);
    }
    return paxos_log_together(a, slot, last_slot, bytes_max, bytes_out);
}

/* Bytes under a send stay pinned until this send, or a later one to the same member, is done: what
 * is done never runs ahead of what was handed out, and never back. */
/*@ requires paxos_block(a);
    requires \forall integer m; 0 <= m < a->member_count ==>
             paxos_member_array(a)[m].sends_done <= paxos_member_array(a)[m].sends_polled;
    assigns paxos_member_array(a)[0 .. a->member_count - 1].sends_done;
    ensures \result == PAXOS_OK || \result == PAXOS_ERR_RANGE;
    ensures \forall integer m; 0 <= m < a->member_count ==>
            \old(paxos_member_array(a)[m].sends_done) <= paxos_member_array(a)[m].sends_done &&
            paxos_member_array(a)[m].sends_done <= paxos_member_array(a)[m].sends_polled; */
PAXOS_MUST_USE PAXOS_HOT static inline paxos_status_t paxos_voter_sent_hot(
    paxos_acceptor_t *a, uint64_t token) {
    if (token == 0) { return PAXOS_OK; }
    const uint64_t low = (uint64_t)1 << 48;
    const uint64_t member = token / low - 1;
    if (member >= a->member_count) { return PAXOS_ERR_RANGE; }
    paxos_member_t *m = paxos_members(a) + member;
    const uint64_t ahead = (m->sends_polled - token) % low;
    if (ahead >= m->sends_polled) { return PAXOS_ERR_RANGE; }
    const uint64_t done = m->sends_polled - ahead;
    if (done > m->sends_done) { m->sends_done = done; }
    return PAXOS_OK;
}

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
