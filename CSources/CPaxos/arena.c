/* arena.c - the ring of runs that holds the entries: take, reclaim, compact.
 *
 * Runs are taken at the head and freed at the tail, in the order in which they came. A trim frees
 * whole runs; entries that were replaced leave holes, which compaction closes when room is short.
 * What an effect under way still names is pinned: it is neither freed nor moved. */
#include <string.h>

#include "paxos/hot_log.h"

typedef struct run_header {
    uint64_t slot;  /* 0: padding, or a run that belongs to no slot ... */
    uint32_t count; /* ... and counts no slots then */
    uint32_t bytes;
} run_header_t;

static run_header_t header_at(const paxos_acceptor_t *a, uint64_t position) {
    const uint8_t *bytes = paxos_arena(a, position);
    const run_header_t header = {
        paxos_get64(bytes), paxos_get32(bytes + 8), paxos_get32(bytes + 12)};
    PAXOS_ASSERT(header.bytes >= PAXOS_RUN_HEADER_BYTES && header.bytes % 16 == 0);
    return header;
}

uint64_t paxos_arena_pinned(const paxos_acceptor_t *a) {
    uint64_t lowest = a->pinned_from;
    for (uint64_t i = a->writes_out; i != a->writes_in; i++) {
        const paxos_write_t *write = paxos_write(a, i);
        /* Not in the order of their bytes: a vote may be for an entry that phase 1 brought. */
        if (write->bytes != 0 && write->position < lowest) { lowest = write->position; }
    }
    const paxos_member_t *members = paxos_members(a);
    for (uint32_t m = 0; m < a->member_count; m++) {
        const uint64_t *sends = paxos_sends(a, m);
        for (uint64_t i = members[m].sends_done; i != members[m].sends_polled; i++) {
            const uint64_t position = sends[i & (a->send_ring - 1u)];
            if (position < lowest) { lowest = position; }
        }
    }
    return lowest;
}

/* Free runs from the tail on while nobody needs them. */
static void reclaim(paxos_acceptor_t *a) {
    const uint64_t pinned = paxos_arena_pinned(a);
    while (a->arena_tail != a->arena_head) {
        const run_header_t run = header_at(a, a->arena_tail);
        if (run.slot + run.count > a->trimmed + 1) { break; }
        /* A pin names bytes within a run: the run must end before it. */
        if (a->arena_tail + run.bytes > pinned) { break; }
        a->arena_tail += run.bytes;
    }
}

/* Whether the entry at `position` is what the log holds, or may propose, for `slot`. */
static bool live(const paxos_acceptor_t *a, uint64_t slot, uint64_t position) {
    if (slot <= a->trimmed) { return false; }
    const paxos_cell_t *cell = paxos_cell(a, slot);
    if (paxos_cell_holds(cell, slot) && cell->position == position) { return true; }
    if (!a->is_replica) { return false; }
    const paxos_proposal_t *proposal = paxos_proposal(a, slot);
    return proposal->best_ballot != 0 && proposal->best_position == position;
}

/* Say that the entry of `slot` has moved, and how many stand right before it now. */
static void moved(paxos_acceptor_t *a, uint64_t slot, uint64_t from, uint64_t to, uint32_t behind) {
    paxos_cell_t *cell = paxos_cell(a, slot);
    if (paxos_cell_holds(cell, slot) && cell->position == from) {
        cell->position = to;
        if (cell->behind > behind) { cell->behind = (uint16_t)behind; }
    }
    if (!a->is_replica) { return; }
    paxos_proposal_t *proposal = paxos_proposal(a, slot);
    if (proposal->best_ballot != 0 && proposal->best_position == from) {
        proposal->best_position = to;
    }
}

/* Pad to the end of the ring if a run of so many bytes would cross it; the position after. */
static uint64_t pad(paxos_acceptor_t *a, uint64_t position, uint32_t bytes) {
    const uint64_t start = paxos_arena_start(a, position, bytes);
    if (start != position) {
        (void)paxos_run_header_put(a, position, 0, 0, (uint32_t)(start - position));
    }
    return start;
}

/* Move `count` entries for slots from `slot` on, which stand in [from, from + bytes), down to a run
 * of their own at `to`; the position after it. */
static uint64_t move_run(
    paxos_acceptor_t *a, uint64_t to, uint64_t slot, uint32_t count, uint64_t from,
    uint32_t bytes) {
    const uint32_t run_bytes = paxos_round16(PAXOS_RUN_HEADER_BYTES + bytes);
    const uint64_t start = pad(a, to, run_bytes);
    const uint64_t entries = start + PAXOS_RUN_HEADER_BYTES;
    PAXOS_ASSERT(entries <= from);
    if (entries != from) {
        memmove(paxos_arena(a, entries), paxos_arena(a, from), bytes);
        uint64_t position = entries;
        for (uint32_t i = 0; i < count; i++) {
            moved(a, slot + i, from + (position - entries), position, i);
            position += paxos_entry_bytes(paxos_get32(paxos_arena(a, position) + 4));
        }
    }
    (void)paxos_run_header_put(a, start, slot, count, run_bytes);
    return start + run_bytes;
}

/* Move the live entries of the run at `position` down to `to`; the position after them.
 * A run of survivors never ends behind its source: each hole is at least an entry's header wide,
 * which pays for the run header and the rounding of the next. */
static uint64_t compact_run(paxos_acceptor_t *a, uint64_t position, uint64_t to) {
    const run_header_t run = header_at(a, position);
    if (run.slot == 0) { return to; }
    uint64_t entry = position + PAXOS_RUN_HEADER_BYTES;
    uint64_t from = entry;
    uint32_t count = 0;
    for (uint32_t i = 0; i < run.count; i++) {
        const uint32_t bytes = paxos_entry_bytes(paxos_get32(paxos_arena(a, entry) + 4));
        if (live(a, run.slot + i, entry)) {
            if (count == 0) { from = entry; }
            count += 1;
        } else if (count > 0) {
            to = move_run(a, to, run.slot + i - count, count, from, (uint32_t)(entry - from));
            count = 0;
        }
        entry += bytes;
    }
    if (count > 0) {
        to = move_run(a, to, run.slot + run.count - count, count, from, (uint32_t)(entry - from));
    }
    return to;
}

/* Close the holes. Pre: nothing is pinned. */
static void compact(paxos_acceptor_t *a) {
    uint64_t to = a->arena_tail;
    uint64_t position = a->arena_tail;
    while (position != a->arena_head) {
        const uint32_t bytes = header_at(a, position).bytes;
        to = compact_run(a, position, to);
        position += bytes;
    }
    a->arena_head = to;
    a->counters.compactions += 1;
}

/* Nothing extends the last run any more: its header says now how far it came. */
static void close_run(paxos_acceptor_t *a) {
    if (a->open_run == PAXOS_POSITION_NONE) { return; }
    const uint32_t bytes = (uint32_t)(a->arena_head - a->open_run);
    const uint64_t slot = header_at(a, a->open_run).slot;
    (void)paxos_run_header_put(a, a->open_run, slot, (uint32_t)a->open_count, bytes);
    a->open_run = PAXOS_POSITION_NONE;
    a->open_limit = 0;
}

uint64_t paxos_arena_take(paxos_acceptor_t *a, uint32_t bytes, bool fills_gap) {
    PAXOS_ASSERT(bytes % 16 == 0 && bytes >= PAXOS_RUN_HEADER_BYTES);
    close_run(a);
    uint64_t position = paxos_arena_take_head(a, bytes, fills_gap);
    if (position != PAXOS_POSITION_NONE) { return position; }
    reclaim(a);
    position = paxos_arena_take_head(a, bytes, fills_gap);
    if (PAXOS_LIKELY(position != PAXOS_POSITION_NONE)) { return position; }
    if (paxos_arena_pinned(a) != PAXOS_POSITION_NONE) { return PAXOS_POSITION_NONE; }
    compact(a);
    return paxos_arena_take_head(a, bytes, fills_gap);
}
