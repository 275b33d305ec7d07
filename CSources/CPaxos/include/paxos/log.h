/* log.h - the slots and the arena behind the acceptor: store, append, choose, trim.
 *
 * Internal to the library; the Swift proposer and the C acceptor are its only callers.
 * Threads  the block's caller. */
#ifndef PAXOS_LOG_H
#define PAXOS_LOG_H

#include "paxos/acceptor.h"
#include "paxos/layout.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/* Index of a node among the members; PAXOS_MEMBERS_MAX if it is none. Cost O(members). */
uint32_t paxos_member_search(const paxos_acceptor_t *a, uint16_t node);

/* The same; O(1) where the members are numbered without gaps. */
PAXOS_HOT static inline uint32_t paxos_member_index(const paxos_acceptor_t *a, uint16_t node) {
    const paxos_member_t *members = paxos_members(a);
    const uint32_t guess = (uint32_t)node - members[0].node;
    if (PAXOS_LIKELY(guess < a->member_count && members[guess].node == node)) { return guess; }
    return paxos_member_search(a, node);
}

/* Whether the cell of `slot` speaks of it. */
/*@ requires \valid_read(cell);
    assigns \nothing;
    ensures \result <==> cell->slot == slot; */
PAXOS_HOT static inline bool paxos_cell_holds(const paxos_cell_t *cell, uint64_t slot) {
    return cell->slot == slot;
}

/*@ predicate paxos_has_room{L}(paxos_acceptor_t *a) =
        a->writes_in - a->writes_out < a->write_ring;

    // The counters of records: what was handed out is between what was noted and what is durable.
    predicate paxos_counted{L}(paxos_acceptor_t *a) =
        a->writes_out <= a->writes_polled <= a->writes_in < PAXOS_SLOT_MAX &&
        a->writes_in - a->writes_out <= a->write_ring && a->lsn < PAXOS_SLOT_MAX; */

/*@ requires \valid_read(a) && a->writes_out <= a->writes_in;
    assigns \nothing;
    ensures \result <==> !paxos_has_room(a); */
PAXOS_HOT static inline bool paxos_writes_full(const paxos_acceptor_t *a) {
    return a->writes_in - a->writes_out >= a->write_ring;
}

PAXOS_HOT static inline bool paxos_replies_full(const paxos_acceptor_t *a) {
    return a->replies_in - a->replies_out >= a->reply_ring;
}

/* Whether a body may be sent to the member: its ring of unsent bodies has room. */
PAXOS_HOT static inline bool paxos_sends_full(const paxos_acceptor_t *a, uint32_t member) {
    const paxos_member_t *m = paxos_members(a) + member;
    return m->sends_polled - m->sends_done >= a->send_ring;
}

/* Pin the bytes from `position` on until the token returned is said to be sent. */
PAXOS_HOT static inline uint64_t paxos_pin(
    paxos_acceptor_t *a, uint32_t member, uint64_t position) {
    paxos_member_t *m = paxos_members(a) + member;
    paxos_sends(a, member)[m->sends_polled & (a->send_ring - 1u)] = position;
    m->sends_polled += 1;
    return ((uint64_t)(member + 1u) << 48) | (m->sends_polled & (((uint64_t)1 << 48) - 1));
}

/*@ requires bytes <= 0x7FFFFFFF;
    assigns \nothing;
    ensures bytes <= \result <= bytes + 15 && \result % 16 == 0;
    ensures \result == (bytes + 15) / 16 * 16; */
PAXOS_HOT static inline uint32_t paxos_round16(uint32_t bytes) {
    return (bytes + 15u) / 16u * 16u;
}

/*@ // What a cell knows of its slot is as it was; its entry may have moved within the arena.
    predicate paxos_cell_kept{K, L}(paxos_cell_t *cell) =
        \at(cell->slot, K) == \at(cell->slot, L) &&
        \at(cell->ballot, K) == \at(cell->ballot, L) &&
        \at(cell->state, K) == \at(cell->state, L) &&
        \at(cell->bytes, K) == \at(cell->bytes, L);

    // The ring of runs: its tail is not ahead of its head, nor the head of the ring's size.
    predicate paxos_arena_counted{L}(paxos_acceptor_t *a) =
        a->arena_tail <= a->arena_head <= a->arena_tail + a->arena_bytes &&
        a->arena_head < PAXOS_SLOT_MAX && a->reserve_bytes <= a->arena_bytes &&
        paxos_ring(a->arena_head, a->arena_bytes) + PAXOS_RUN_HEADER_BYTES <= a->arena_bytes;

    // Room for a run: it stands in one piece, and what it names does not wrap.
    predicate paxos_arena_taken{L}(paxos_acceptor_t *a, integer position, integer bytes) =
        position < PAXOS_SLOT_MAX + PAXOS_ARENA_BYTES_MAX &&
        paxos_ring(position, a->arena_bytes) + bytes <= a->arena_bytes;

    // What is open for a run that ends at `end`: all of it stands in one piece with that run.
    predicate paxos_open_from{L}(paxos_acceptor_t *a, integer end) =
        end < 2 * PAXOS_SLOT_MAX && a->open_limit < 2 * PAXOS_SLOT_MAX &&
        (end <= a->open_limit ==>
         paxos_ring(end, a->arena_bytes) + (a->open_limit - end) <= a->arena_bytes);
    predicate paxos_run_open{L}(paxos_acceptor_t *a) = paxos_open_from(a, a->open_end); */

/* Room for a run of so many bytes, header included (a multiple of 16); its position, or
 * PAXOS_POSITION_NONE. Only the lowest gap may use the reserve: everything else would lock up a
 * replica whose arena is full of what comes after the gap. Cost O(1) amortized; a compaction, when
 * nothing is pinned and nothing else helps, O(arena). */
/*@ requires paxos_block(a) && paxos_arena_counted(a) && paxos_cells_named(a);
    requires PAXOS_RUN_HEADER_BYTES <= bytes <= 2 * PAXOS_FRAME_BYTES_MAX && bytes % 16 == 0;
    assigns a->arena_head, a->arena_tail, a->open_run, a->open_limit, a->counters.compactions,
            paxos_cells(a)[0 .. a->window_slots - 1],
            paxos_arena_bytes(a)[0 .. a->arena_bytes - 1];
    ensures named: paxos_cells_named(a);
    ensures kept: \forall integer k; 0 <= k < a->window_slots ==>
            paxos_cell_kept{Pre, Post}(paxos_cells(a) + k);
    ensures closed: a->open_limit == 0 || a->open_limit == \old(a->open_limit);
    ensures \result == PAXOS_POSITION_NONE || paxos_arena_taken(a, \result, bytes); */
uint64_t paxos_arena_take(paxos_acceptor_t *a, uint32_t bytes, bool fills_gap);

/* Where a run of so many bytes starts that is taken at `position`: runs never cross the end of the
 * ring. Pre: bytes <= arena_bytes. Cost O(1). */
/*@ requires paxos_block(a) && bytes <= PAXOS_ARENA_BYTES_MAX;
    requires position < PAXOS_SLOT_MAX + PAXOS_ARENA_BYTES_MAX;
    assigns \nothing;
    ensures position <= \result <= position + a->arena_bytes;
    ensures bytes <= a->arena_bytes ==>
            paxos_ring(\result, a->arena_bytes) + bytes <= a->arena_bytes; */
PAXOS_HOT static inline uint64_t paxos_arena_start(
    const paxos_acceptor_t *a, uint64_t position, uint32_t bytes) {
    const uint32_t offset = paxos_arena_place(a, position);
    return offset + bytes <= a->arena_bytes ? position : position + (a->arena_bytes - offset);
}

/* Whether, with the head at `head`, the lowest gap still finds room for a whole frame, wherever the
 * ring ends. Compaction keeps it so, since it moves the head down only. Cost O(1). */
/*@ requires paxos_block(a) && paxos_arena_counted(a);
    requires head < PAXOS_SLOT_MAX + PAXOS_ARENA_BYTES_MAX;
    assigns \nothing;
    ensures \result ==> head + a->reserve_bytes <= a->arena_tail + a->arena_bytes; */
static inline bool paxos_arena_leaves_reserve(const paxos_acceptor_t *a, uint64_t head) {
    return paxos_arena_start(a, head, a->reserve_bytes) + a->reserve_bytes <=
           a->arena_tail + a->arena_bytes;
}

/* Bytes not taken by runs. Cost O(1). */
/*@ requires \valid_read(a) && a->arena_tail <= a->arena_head <= a->arena_tail + a->arena_bytes;
    assigns \nothing;
    ensures \result == a->arena_bytes - (a->arena_head - a->arena_tail); */
PAXOS_HOT static inline uint32_t paxos_arena_free(const paxos_acceptor_t *a) {
    return a->arena_bytes - (uint32_t)(a->arena_head - a->arena_tail);
}

/* Lowest position that an effect still under way needs. Cost O(members * send_ring). */
uint64_t paxos_arena_pinned(const paxos_acceptor_t *a);

/* Note a record to be written, extending the last one where it continues it; its lsn (0 if this
 * node keeps its votes in memory). Pre: !paxos_writes_full. Cost O(1). */
/*@ requires paxos_block(a) && paxos_counted(a) && \valid_read(run);
    requires a->memory_only == 0 ==> paxos_has_room(a);
    requires \separated(run, a, paxos_writes(a) + (0 .. a->write_ring - 1));
    assigns a->lsn, a->marked, a->writes_in, paxos_writes(a)[0 .. a->write_ring - 1];
    ensures paxos_counted(a) || a->lsn == PAXOS_SLOT_MAX || a->writes_in == PAXOS_SLOT_MAX;
    ensures nothing: a->memory_only != 0 ==> \result == 0 && a->lsn == \old(a->lsn) &&
            a->writes_in == \old(a->writes_in);
    ensures joined_or_new: a->memory_only == 0 ==>
            (a->writes_in == \old(a->writes_in) && a->lsn == \old(a->lsn)) ||
            (a->writes_in == \old(a->writes_in) + 1 && a->lsn == \old(a->lsn) + 1);
    ensures alone: a->memory_only == 0 &&
            kind != PAXOS_RECORD_ENTRIES && kind != PAXOS_RECORD_BALLOTS ==>
            a->writes_in == \old(a->writes_in) + 1;
    ensures noted: a->memory_only == 0 ==>
            paxos_write_of(a, a->writes_in - 1)->kind == kind &&
            paxos_write_of(a, a->writes_in - 1)->ballot == run->ballot &&
            paxos_write_of(a, a->writes_in - 1)->lsn == \result;
    ensures new: a->memory_only == 0 && a->lsn != \old(a->lsn) ==>
            \result == a->lsn && paxos_write_of(a, \old(a->writes_in))->slot == run->slot &&
            paxos_write_of(a, \old(a->writes_in))->count == run->count &&
            paxos_write_of(a, \old(a->writes_in))->bytes == run->bytes &&
            paxos_write_of(a, \old(a->writes_in))->digest == run->digest &&
            paxos_write_of(a, \old(a->writes_in))->position == position;
    ensures others: \forall integer i; \old(a->writes_out) <= i < \old(a->writes_in) - 1 ==>
            paxos_write_of(a, i)->lsn == \old(paxos_write_of(a, i)->lsn) &&
            paxos_write_of(a, i)->kind == \old(paxos_write_of(a, i)->kind) &&
            paxos_write_of(a, i)->ballot == \old(paxos_write_of(a, i)->ballot) &&
            paxos_write_of(a, i)->slot == \old(paxos_write_of(a, i)->slot) &&
            paxos_write_of(a, i)->count == \old(paxos_write_of(a, i)->count); */
uint64_t paxos_write_note(
    paxos_acceptor_t *a, uint8_t kind, const paxos_run_t *run, uint64_t position);

/* Take a run of its own for `count` slots from `slot` on and `bytes` of entries (slot 0: of no
 * slot, counted as none). fills_gap: as paxos_arena_take. stays_open: what comes next may extend
 * it, after the caller has set open_end and open_slot. Returns where the entries go, or
 * PAXOS_POSITION_NONE. Cost as paxos_arena_take. */
PAXOS_APART uint64_t paxos_log_open(
    paxos_acceptor_t *a, uint64_t slot, uint32_t count, uint32_t bytes, bool fills_gap,
    bool stays_open);

/* Copy a verified run into the arena and point its cells at it. `state` is ACCEPTED, or CHOSEN for
 * learned entries (then the cells' own ballots stay). Pre: the slots are in the window, the ring of
 * writes has room. Post: PAXOS_OK, or PAXOS_ERR_FULL and nothing changed. Cost O(bytes). */
PAXOS_MUST_USE paxos_status_t
paxos_log_store(paxos_acceptor_t *a, const paxos_run_t *run, uint32_t state, uint64_t *lsn_out);

/* How a run compares with what its slots hold. */
typedef enum paxos_match {
    PAXOS_MATCH_NEW,
    PAXOS_MATCH_SAME,
    PAXOS_MATCH_CONFLICT, /* other bytes under the same ballot */
    PAXOS_MATCH_CHOSEN    /* other bytes where an entry is chosen */
} paxos_match_t;

/*@ // A run that a caller may give: entries that were verified, outside the block.
    predicate paxos_run_given{L}(paxos_acceptor_t *a, paxos_run_t *run) =
        \valid_read(run) && \valid_read(run->entries + (0 .. run->bytes - 1)) &&
        0 < run->slot < PAXOS_SLOT_MAX && 0 < run->bytes <= PAXOS_FRAME_BYTES_MAX &&
        0 < run->count && paxos_run_whole(run->entries, run->count, run->bytes) &&
        \separated(run, a, paxos_cells(a) + (0 .. a->window_slots - 1),
                   paxos_writes(a) + (0 .. a->write_ring - 1),
                   paxos_arena_bytes(a) + (0 .. a->arena_bytes - 1)) &&
        \separated(run->entries + (0 .. run->bytes - 1), a,
                   paxos_cells(a) + (0 .. a->window_slots - 1),
                   paxos_writes(a) + (0 .. a->write_ring - 1),
                   paxos_arena_bytes(a) + (0 .. a->arena_bytes - 1));

    // A cell is as it was.
    predicate paxos_cell_same{K, L}(paxos_cell_t *cell) =
        paxos_cell_kept{K, L}(cell) && \at(cell->position, K) == \at(cell->position, L);

    // Its slots are in the window, where each slot has a cell of its own.
    predicate paxos_in_window{L}(paxos_acceptor_t *a, integer slot) =
        a->trimmed < slot <= a->trimmed + a->window_slots;
    predicate paxos_run_fits{L}(paxos_acceptor_t *a, paxos_run_t *run) =
        a->trimmed < PAXOS_SLOT_MAX && paxos_in_window(a, run->slot) &&
        paxos_in_window(a, run->slot + run->count - 1);
    predicate paxos_in_run{L}(paxos_run_t *run, integer slot) =
        run->slot <= slot < run->slot + run->count;

    // The slot's cell speaks of it, as accepted under this ballot (0: under whichever).
    predicate paxos_slot_voted{L}(paxos_acceptor_t *a, integer slot, integer ballot) =
        paxos_cell_of(a, slot)->slot == slot &&
        (ballot != 0 ==> paxos_cell_of(a, slot)->ballot == ballot);

    // What is known of a slot is as it was; its entry may have moved within the arena.
    predicate paxos_slot_kept{K, L}(paxos_acceptor_t *a, integer slot) =
        paxos_cell_kept{K, L}(\at(paxos_cell_of(a, slot), L));

    // The cell of the run's i-th slot speaks of that slot.
    predicate paxos_run_held{L}(paxos_acceptor_t *a, paxos_run_t *run, integer i) =
        paxos_cell_of(a, run->slot + i)->slot == run->slot + i;

    // ... and holds the very bytes of the run's i-th entry.
    predicate paxos_run_same{L}(paxos_acceptor_t *a, paxos_run_t *run, integer i) =
        paxos_run_held(a, run, i) &&
        paxos_cell_of(a, run->slot + i)->bytes ==
            paxos_entry_size_at(run->entries, paxos_entry_at(run->entries, i)) &&
        paxos_equal_bytes(
            paxos_arena_at(a, paxos_cell_of(a, run->slot + i)->position),
            run->entries + paxos_entry_at(run->entries, i),
            paxos_cell_of(a, run->slot + i)->bytes);

    // ... or others, which the run may take the place of.
    predicate paxos_run_replaceable{L}(paxos_acceptor_t *a, paxos_run_t *run, integer i) =
        paxos_run_held(a, run, i) && !paxos_run_same(a, run, i) ==>
        paxos_cell_of(a, run->slot + i)->state != PAXOS_RUN_CHOSEN &&
        paxos_cell_of(a, run->slot + i)->ballot != run->ballot; */

/*@ requires paxos_block(a) && paxos_cells_named(a) && paxos_run_given(a, run);
    assigns \nothing;
    ensures same: \result == PAXOS_MATCH_SAME ==>
            \forall integer i; 0 <= i < run->count ==> paxos_run_same(a, run, i);
    ensures new: \result == PAXOS_MATCH_NEW ==>
            \forall integer i; 0 <= i < run->count ==> paxos_run_replaceable(a, run, i);
    ensures conflict: \result == PAXOS_MATCH_CONFLICT ==>
            \exists integer i; 0 <= i < run->count && paxos_run_held(a, run, i) &&
            !paxos_run_same(a, run, i) && paxos_cell_of(a, run->slot + i)->ballot == run->ballot;
    ensures chosen: \result == PAXOS_MATCH_CHOSEN ==>
            \exists integer i; 0 <= i < run->count && paxos_run_held(a, run, i) &&
            !paxos_run_same(a, run, i) &&
            paxos_cell_of(a, run->slot + i)->state == PAXOS_RUN_CHOSEN;
    ensures \result == PAXOS_MATCH_NEW || \result == PAXOS_MATCH_SAME ||
            \result == PAXOS_MATCH_CONFLICT || \result == PAXOS_MATCH_CHOSEN; */
paxos_match_t paxos_match_run(const paxos_acceptor_t *a, const paxos_run_t *run);

/*@ // A run and the room in the arena that was taken for its entries.
    predicate paxos_run_placed{L}(paxos_acceptor_t *a, paxos_run_t *run, integer position) =
        paxos_run_fits(a, run) && position < 2 * PAXOS_SLOT_MAX &&
        paxos_ring(position, a->arena_bytes) + run->bytes <= a->arena_bytes &&
        \valid_read(run) && \valid_read(run->entries + (0 .. run->bytes - 1)) &&
        0 < run->slot < PAXOS_SLOT_MAX && 0 < run->count &&
        0 < run->bytes <= PAXOS_FRAME_BYTES_MAX &&
        paxos_run_whole(run->entries, run->count, run->bytes) &&
        \separated(run, a, paxos_cells(a) + (0 .. a->window_slots - 1));

    // The cell of its i-th slot points at its i-th entry.
    predicate paxos_pointed{L}(
        paxos_acceptor_t *a, integer slot, uint8_t *entries, integer position, integer i) =
        paxos_cell_of(a, slot + i)->slot == slot + i &&
        paxos_cell_of(a, slot + i)->position == position + paxos_entry_at(entries, i) &&
        paxos_cell_of(a, slot + i)->bytes ==
            paxos_entry_size_at(entries, paxos_entry_at(entries, i));

    // The i-th slot was accepted under this ballot.
    predicate paxos_voted{L}(paxos_acceptor_t *a, integer slot, integer i, integer ballot) =
        paxos_cell_of(a, slot + i)->ballot == ballot; */

/* Point the cells of a stored run at its entries, where some of its slots may hold others. */
/*@ requires paxos_block(a) && paxos_cells_named(a) && paxos_run_placed(a, run, position);
    requires a->last_slot < PAXOS_SLOT_MAX && state <= UINT16_MAX;
    assigns paxos_cells(a)[0 .. a->window_slots - 1], a->last_slot;
    ensures named: paxos_cells_named(a);
    ensures pointed: \forall integer i; 0 <= i < run->count ==>
            paxos_pointed(a, run->slot, run->entries, position, i);
    ensures voted: run->ballot != 0 ==> \forall integer i; 0 <= i < run->count ==>
            paxos_voted(a, run->slot, i, run->ballot);
    ensures others:
            \forall integer slot; paxos_in_window(a, slot) && !paxos_in_run(run, slot) ==>
            paxos_slot_kept{Pre, Post}(a, slot); */
void paxos_point_held(
    paxos_acceptor_t *a, const paxos_run_t *run, uint32_t state, uint64_t position,
    uint32_t behind);

/* Slots up to `last` moved away from what follows them: what stands behind them must know. */
void paxos_cut_behind(paxos_acceptor_t *a, uint64_t last);

/* Leave of a verified run what lies above the trim point; its count may be 0. Cost O(count). */
void paxos_run_above_trim(const paxos_acceptor_t *a, paxos_run_t *run);

/* Take a run of learned entries: each is chosen. Post: PAXOS_OK, or PAXOS_ERR_FULL / PAXOS_ERR_BUSY
 * when not all of it could be held; what was held stays. Cost O(bytes). */
PAXOS_MUST_USE paxos_status_t paxos_log_learn(paxos_acceptor_t *a, const paxos_run_t *run);

/* The same with the verified entries of a frame, as far as they lie above the trim point. */
PAXOS_MUST_USE paxos_status_t
paxos_log_learn_frame(paxos_acceptor_t *a, const paxos_frame_t *frame, const uint8_t *body);

/* Append one entry under this node's own ballot, as its own acceptor's vote.
 * Pre   ballot == promised; slot is in the window and holds nothing; value is not in the block.
 * Post  PAXOS_OK, *lsn_out says when the vote counts; PAXOS_ERR_FULL, PAXOS_ERR_BUSY: unchanged.
 * Cost  O(value). */
PAXOS_MUST_USE paxos_status_t paxos_log_append(
    paxos_acceptor_t *a, uint64_t ballot, uint64_t slot, const paxos_entry_t *entry,
    const uint8_t *value, uint64_t *lsn_out);

/* Write an entry that belongs to no slot yet: a proposal on its way to the leader. It stays while
 * pinned_from, or a send, names it. Post: PAXOS_OK and its position, or PAXOS_ERR_FULL. Two in a
 * row stand together unless *position_out says otherwise. Cost O(value). */
PAXOS_MUST_USE paxos_status_t paxos_log_hold(
    paxos_acceptor_t *a, const paxos_entry_t *entry, const uint8_t *value, uint64_t *position_out);

/* Copy a verified entry into the arena for a slot, without voting for it. Its position, or none. */
uint64_t paxos_log_keep(
    paxos_acceptor_t *a, uint64_t slot, const uint8_t *entry, uint32_t entry_bytes);

/* Limit of the bytes of undecided entries that a configuration comes to. */
/*@ requires \valid_read(config) && paxos_config_arena(config);
    assigns \nothing;
    ensures \result == paxos_config_inflight_of(config); */
uint64_t paxos_config_inflight(const paxos_config_t *config);

/* Vote for an entry that is in the arena already, under a new ballot of this node's own.
 * Pre: ballot == promised; !paxos_writes_full. Cost O(1). */
uint64_t paxos_log_revote(
    paxos_acceptor_t *a, uint64_t ballot, uint64_t slot, uint64_t position, uint32_t bytes);

/* Note the decided watermark in the journal, where records have not said it anyway: what this node
 * tells to be decided it must know again after a restart, or it might miss what the others trimmed.
 * Does nothing while less than `slots` were decided since (0: notes it anyway). Cost O(1). */
/*@ requires paxos_block(a) && paxos_counted(a);
    assigns a->lsn, a->marked, a->writes_in, paxos_writes(a)[0 .. a->write_ring - 1];
    ensures a->lsn == \old(a->lsn) || a->lsn == \old(a->lsn) + 1; */
void paxos_log_mark(paxos_acceptor_t *a, uint64_t slots);

/* The decided watermark that survives a restart. Cost O(1). */
PAXOS_HOT static inline uint64_t paxos_log_durable(const paxos_acceptor_t *a) {
    if (a->memory_only) { return a->decided; }
    return a->mark > a->trimmed ? a->mark : a->trimmed;
}

/* Trim what host, leader and a durable record allow (WIRE.md, "What was trimmed"). False: none. */
bool paxos_log_trim(paxos_acceptor_t *a);
/* Raise the promise. Pre: ballot > promised; !paxos_writes_full. Returns the lsn. Cost O(1). */
uint64_t paxos_log_promise(paxos_acceptor_t *a, uint64_t ballot);

/* Remember a commit mark, without moving the watermark yet. */
/*@ requires \valid(a);
    assigns a->commit_ballot, a->commit_slot;
    ensures a->commit_ballot == \max(ballot, \old(a->commit_ballot));
    ensures ballot < \old(a->commit_ballot) ==> a->commit_slot == \old(a->commit_slot);
    ensures ballot > \old(a->commit_ballot) ==> a->commit_slot == slot;
    ensures ballot == \old(a->commit_ballot) ==>
            a->commit_slot == \max(slot, \old(a->commit_slot)); */
PAXOS_HOT static inline void paxos_log_note_commit(
    paxos_acceptor_t *a, uint64_t ballot, uint64_t slot) {
    if (ballot < a->commit_ballot) { return; }
    if (ballot > a->commit_ballot || slot > a->commit_slot) { a->commit_slot = slot; }
    a->commit_ballot = ballot;
}

/* Take a commit mark: slots up to `slot` whose accepted ballot is `ballot` are chosen. */
void paxos_log_commit(paxos_acceptor_t *a, uint64_t ballot, uint64_t slot);

/* Move the decided watermark over what is chosen. Cost O(slots moved). */
void paxos_log_advance(paxos_acceptor_t *a);

/* Number of slots from `slot` to `last_slot` at most whose entries stand one behind the other in
 * the arena, in no more than bytes_max; *bytes_out is their sum. `ballot`: only slots accepted
 * under it (0: any); `state`: only slots in it. Cost O(slots). */
uint32_t paxos_log_stretch(
    const paxos_acceptor_t *a, uint64_t slot, uint64_t last_slot, uint32_t state, uint64_t ballot,
    uint32_t bytes_max, uint32_t *bytes_out);

/* Number of slots from `slot` to `last_slot` at most that stand one behind the other in the arena,
 * in no more than bytes_max; *bytes_out is their sum. Pre: all of them hold an entry, the first no
 * larger than bytes_max. Cost O(1) if all do, O(slots) otherwise. */
uint32_t paxos_log_together(
    const paxos_acceptor_t *a, uint64_t slot, uint64_t last_slot, uint32_t bytes_max,
    uint32_t *bytes_out);

/* Digest of the first `count` entries of a run; *bytes_out is their sum. Cost O(count). */
uint64_t paxos_run_digest(
    const uint8_t *entries, uint64_t first_slot, uint32_t count, uint32_t *bytes_out);

/* Lay out and zero a block; shared by the acceptor's and the replica's init. */
PAXOS_MUST_USE paxos_status_t
paxos_block_init(void *block, size_t block_bytes, const paxos_config_t *config, bool is_replica);

/* Fill the fields of a frame that every message of this node has in common, zero the rest. */
PAXOS_HOT_LONG void paxos_frame_from(
    const paxos_acceptor_t *a, uint8_t kind, uint16_t receiver, paxos_frame_t *frame) {
    frame->kind = kind;
    frame->sender = a->node;
    frame->receiver = receiver;
    frame->flags = 0;
    frame->state = 0;
    frame->group = a->group;
    frame->incarnation = a->incarnation;
    frame->count = 0;
    frame->body_bytes = 0;
    frame->cluster = a->cluster;
    frame->ballot = 0;
    frame->slot = 0;
    frame->watermark = 0;
    frame->nonce = 0;
    frame->digest = 0;
    frame->other = 0;
    frame->trim = 0;
}

/* Empty every field of an effect but its size and its header. Cost O(1). */
PAXOS_HOT static inline void paxos_effect_clear(paxos_effect_t *effect, uint32_t kind) {
    effect->kind = kind;
    effect->node = 0;
    effect->reason = 0;
    effect->count = 0;
    effect->token = 0;
    effect->lsn = 0;
    effect->slot = 0;
    effect->number = 0;
    effect->body_offset = 0;
    effect->body_bytes = 0;
    effect->zero = 0;
}

/* Turn a frame into a SEND effect; pins the body if it has one. Inlined for the frames of every
 * commit; paxos_effect_send is the same for all others. Cost O(1). */
PAXOS_HOT static inline void paxos_effect_put(
    paxos_acceptor_t *a, paxos_effect_t *effect, const paxos_frame_t *frame, uint32_t member,
    uint64_t position) {
    paxos_effect_clear(effect, PAXOS_EFFECT_SEND);
    effect->node = frame->receiver;
    effect->body_bytes = frame->body_bytes;
    if (frame->body_bytes > 0) {
        effect->token = paxos_pin(a, member, position);
        effect->body_offset = paxos_arena_offset(a, position);
    }
    paxos_frame_put(effect->header, frame);
}

void paxos_effect_send(
    paxos_acceptor_t *a, paxos_effect_t *effect, const paxos_frame_t *frame, uint32_t member,
    uint64_t position);

/* Whether the acceptor has anything to be polled: an O(1) look that saves a call. */
PAXOS_HOT static inline bool paxos_acceptor_has_effects(const paxos_acceptor_t *a) {
    return (a->writes_polled ^ a->writes_in) | (a->replies_out ^ a->replies_in) |
           a->heartbeats_owed | a->room_owed;
}

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#ifdef __cplusplus
}
#endif
#endif
