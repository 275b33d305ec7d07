/* rules.h - the voter behind the calls of acceptor.h and replica.h, with what is proved of it.
 *
 * acceptor.h speaks to a host, which sees no fields; here the rules of the voter are said in terms
 * of the block. Tests/Proofs/run proves that acceptor.c and log.c keep them. What a block was made
 * as is looked at before (interface.c, Interface.swift).
 * Internal to the library; the Swift proposer and the C acceptor are its only callers.
 * Threads  the block's caller.
 * Source   Lamport, "Paxos Made Simple" (2001), section 2.2: phases 1b and 2b. */
#ifndef PAXOS_RULES_H
#define PAXOS_RULES_H

#include "paxos/log.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/* A promise never decreases, and a ballot is promised exactly when no higher one was and there is
 * room for the record; what is promised is in the record whose lsn is returned. */
/*@ requires paxos_block(a) && paxos_counted(a);
    requires \valid(promised_out) && \valid(lsn_out) && \separated(promised_out, lsn_out);
    requires \separated(promised_out, a, paxos_writes(a) + (0 .. a->write_ring - 1));
    requires \separated(lsn_out, a, paxos_writes(a) + (0 .. a->write_ring - 1));
    assigns a->promised, a->lsn, a->marked, a->writes_in,
            paxos_writes(a)[0 .. a->write_ring - 1], *promised_out, *lsn_out;
    ensures monotone: a->promised >= \old(a->promised);
    behavior abstains:
        assumes a->abstains != 0;
        assigns \nothing;
        ensures \result == PAXOS_ERR_ABSTAINS;
    behavior stale:
        assumes a->abstains == 0 && (ballot < a->promised || ballot == 0);
        assigns *promised_out;
        ensures \result == PAXOS_ERR_STALE && *promised_out == a->promised;
    behavior again:
        assumes a->abstains == 0 && ballot == a->promised && ballot != 0;
        assigns *promised_out, *lsn_out;
        ensures \result == PAXOS_OK && *promised_out == ballot && *lsn_out == a->lsn;
    behavior busy:
        assumes a->abstains == 0 && ballot > a->promised;
        assumes a->memory_only == 0 && !paxos_has_room(a);
        assigns \nothing;
        ensures \result == PAXOS_ERR_BUSY;
    behavior promised:
        assumes a->abstains == 0 && ballot > a->promised;
        assumes a->memory_only != 0 || paxos_has_room(a);
        ensures \result == PAXOS_OK && a->promised == ballot && *promised_out == ballot;
        ensures *lsn_out == a->lsn;
        ensures a->memory_only == 0 ==>
                a->lsn == \old(a->lsn) + 1 &&
                paxos_write_of(a, a->writes_in - 1)->kind == PAXOS_RECORD_PROMISED &&
                paxos_write_of(a, a->writes_in - 1)->ballot == ballot &&
                paxos_write_of(a, a->writes_in - 1)->lsn == a->lsn;
    complete behaviors;
    disjoint behaviors; */
PAXOS_MUST_USE paxos_status_t paxos_voter_prepare(
    paxos_acceptor_t *a, paxos_ballot_t ballot, paxos_ballot_t *promised_out, uint64_t *lsn_out);

/* What was promised before is less, and the record of the promise is the last. */
/*@ requires paxos_block(a) && paxos_counted(a) && ballot > a->promised;
    requires a->memory_only == 0 ==> paxos_has_room(a);
    assigns a->promised, a->lsn, a->marked, a->writes_in,
            paxos_writes(a)[0 .. a->write_ring - 1];
    ensures a->promised == ballot;
    ensures a->memory_only != 0 ==> \result == 0 && a->lsn == \old(a->lsn);
    ensures a->memory_only == 0 ==> \result == a->lsn == \old(a->lsn) + 1 &&
            a->writes_in == \old(a->writes_in) + 1 &&
            paxos_write_of(a, a->writes_in - 1)->kind == PAXOS_RECORD_PROMISED &&
            paxos_write_of(a, a->writes_in - 1)->ballot == ballot &&
            paxos_write_of(a, a->writes_in - 1)->lsn == \result; */
uint64_t paxos_log_promise(paxos_acceptor_t *a, uint64_t ballot);

/* A run of its own stands in one piece within the ring, and so does what may extend it; no slot
 * holds anything else than before. */
/*@ requires paxos_block(a) && paxos_arena_counted(a) && paxos_cells_named(a);
    requires 0 < bytes <= PAXOS_FRAME_BYTES_MAX && a->arena_tail < PAXOS_SLOT_MAX;
    assigns a->arena_head, a->arena_tail, a->open_run, a->open_limit, a->open_count,
            a->counters.compactions,
            paxos_cells(a)[0 .. a->window_slots - 1],
            paxos_arena_bytes(a)[0 .. a->arena_bytes - 1];
    ensures named: paxos_cells_named(a);
    ensures kept: \forall integer k; 0 <= k < a->window_slots ==>
            paxos_cell_kept{Pre, Post}(paxos_cells(a) + k);
    ensures taken: \result == PAXOS_POSITION_NONE ||
            (\result < 2 * PAXOS_SLOT_MAX - PAXOS_FRAME_BYTES_MAX &&
             paxos_ring(\result, a->arena_bytes) + bytes <= a->arena_bytes);
    ensures open: stays_open && \result != PAXOS_POSITION_NONE ==>
            paxos_open_from(a, \result + bytes);
    ensures closed: !stays_open || \result == PAXOS_POSITION_NONE ==>
            a->open_limit == 0 || a->open_limit == \old(a->open_limit); */
PAXOS_APART uint64_t paxos_log_open(
    paxos_acceptor_t *a, uint64_t slot, uint32_t count, uint32_t bytes, bool fills_gap,
    bool stays_open);

/*@ // Every cell says of its slot what it said before.
    predicate paxos_cells_same{K, L}(paxos_acceptor_t *a) =
        \forall integer k; 0 <= k < \at(a->window_slots, K) ==>
            paxos_cell_same{K, L}(paxos_cells(a) + k); */

/* How many slots stand behind another is all that changes. */
/*@ requires paxos_block(a) && a->last_slot < UINT64_MAX;
    assigns paxos_cells(a)[0 .. a->window_slots - 1];
    ensures same: paxos_cells_same{Pre, Post}(a); */
void paxos_cut_behind(paxos_acceptor_t *a, uint64_t last);

/* Vote again for entries that are held already: the ballot alone changes. Returns the lsn. */
/*@ requires paxos_block(a) && paxos_counted(a) && \valid_read(run) && paxos_run_fits(a, run);
    requires a->memory_only == 0 ==> paxos_has_room(a);
    requires \separated(run, a, paxos_cells(a) + (0 .. a->window_slots - 1),
                        paxos_writes(a) + (0 .. a->write_ring - 1));
    assigns paxos_cells(a)[0 .. a->window_slots - 1].ballot, a->lsn, a->marked, a->writes_in,
            paxos_writes(a)[0 .. a->write_ring - 1];
    ensures revoted: \forall integer i; 0 <= i < run->count ==>
            paxos_cell_of(a, run->slot + i)->ballot == run->ballot;
    ensures others: \forall integer slot; paxos_in_window(a, slot) && !paxos_in_run(run, slot) ==>
            paxos_cell_of(a, slot)->ballot == \old(paxos_cell_of(a, slot)->ballot); */
uint64_t paxos_revote_run(paxos_acceptor_t *a, const paxos_run_t *run);

/* A run is accepted only under a ballot that is no lower than the promise, and only within the
 * window; then each of its slots holds it under that ballot, the promise is that ballot, and no
 * other slot has changed. What is refused changes no slot and no promise. Where ballot, window and
 * room allow it, only other bytes under the same ballot, other bytes that are chosen, or a full
 * arena can refuse it. */
/*@ requires paxos_block(a) && paxos_counted(a) && paxos_arena_counted(a) && paxos_cells_named(a);
    requires paxos_run_given(a, run) && run->ballot != 0 && a->trimmed < PAXOS_SLOT_MAX;
    requires a->last_slot < PAXOS_SLOT_MAX && a->decided < PAXOS_SLOT_MAX && paxos_run_open(a);
    requires \valid(lsn_out) && \separated(
        lsn_out, a, run, paxos_cells(a) + (0 .. a->window_slots - 1),
        paxos_writes(a) + (0 .. a->write_ring - 1));
    assigns a->promised, paxos_cells(a)[0 .. a->window_slots - 1],
            paxos_writes(a)[0 .. a->write_ring - 1],
            paxos_arena_bytes(a)[0 .. a->arena_bytes - 1], a->arena_head, a->arena_tail,
            a->open_run, a->open_end, a->open_slot, a->open_limit, a->open_count,
            a->counters.compactions, a->last_slot, a->lsn, a->marked, a->writes_in, *lsn_out;
    ensures monotone: a->promised >= \old(a->promised) && paxos_run_open(a);
    ensures allowed: \result == PAXOS_OK ==>
            a->abstains == 0 && run->ballot >= \old(a->promised) && paxos_run_fits(a, run);
    ensures promised: \result == PAXOS_OK ==> a->promised == run->ballot;
    ensures refused: \result != PAXOS_OK ==> a->promised == \old(a->promised) &&
            a->lsn == \old(a->lsn);
    ensures kept: \result != PAXOS_OK ==>
            \forall integer slot; paxos_in_window(a, slot) ==> paxos_slot_kept{Pre, Post}(a, slot);
    ensures voted: \result == PAXOS_OK ==> \forall integer slot; paxos_in_run(run, slot) ==>
            paxos_slot_voted(a, slot, run->ballot);
    ensures others:
            \forall integer slot; paxos_in_window(a, slot) && !paxos_in_run(run, slot) ==>
            paxos_slot_kept{Pre, Post}(a, slot);
    ensures abstains: \old(a->abstains) != 0 ==> \result == PAXOS_ERR_ABSTAINS;
    ensures stale: \old(a->abstains) == 0 && run->ballot < \old(a->promised) ==>
            \result == PAXOS_ERR_STALE;
    ensures exactly: \old(a->abstains) == 0 && run->ballot >= \old(a->promised) &&
            paxos_run_fits(a, run) && (a->memory_only != 0 || \old(paxos_has_room(a))) ==>
            \result == PAXOS_OK || \result == PAXOS_ERR_FULL ||
            (run->slot <= \old(a->last_slot) &&
             (\result == PAXOS_ERR_CONFLICT || \result == PAXOS_ERR_TRIMMED)); */
PAXOS_MUST_USE paxos_status_t
paxos_voter_accept(paxos_acceptor_t *a, const paxos_run_t *run, uint64_t *lsn_out);

/* A trim point only moves up, and never beyond what is decided. */
/*@ requires paxos_block(a) && paxos_counted(a) && a->trimmed <= a->decided;
    assigns a->trimmed, a->lsn, a->marked, a->writes_in,
            paxos_writes(a)[0 .. a->write_ring - 1];
    ensures \result == PAXOS_OK <==> slot <= a->decided;
    ensures \result == PAXOS_OK || \result == PAXOS_ERR_RANGE;
    ensures \result != PAXOS_OK ==> a->trimmed == \old(a->trimmed);
    ensures a->trimmed >= \old(a->trimmed) && a->trimmed <= a->decided;
    ensures \result == PAXOS_OK ==> a->trimmed == \max(slot, \old(a->trimmed)); */
PAXOS_MUST_USE paxos_status_t paxos_voter_trim(paxos_acceptor_t *a, uint64_t slot);

/* What is durable only grows, and a record that was not handed out is never taken for durable. */
/*@ requires paxos_block(a) && paxos_counted(a) && a->flushed <= a->lsn;
    requires lsns: \forall integer i; a->writes_out <= i < a->writes_in ==>
             0 < paxos_write_of(a, i)->lsn;
    assigns a->writes_out, a->mark, a->flushed;
    ensures \result == PAXOS_OK <==> lsn <= a->lsn;
    ensures \result == PAXOS_OK || \result == PAXOS_ERR_RANGE;
    ensures \result != PAXOS_OK ==>
            a->flushed == \old(a->flushed) && a->writes_out == \old(a->writes_out);
    ensures paxos_counted(a) && a->writes_out >= \old(a->writes_out);
    ensures done: \forall integer i; \old(a->writes_out) <= i < a->writes_out ==>
            paxos_write_of(a, i)->lsn <= lsn;
    ensures withheld: a->flushed > \old(a->flushed) ==>
            a->flushed <= lsn && (a->writes_out < a->writes_in ==>
            a->flushed < paxos_write_of(a, a->writes_out)->lsn); */
PAXOS_MUST_USE paxos_status_t paxos_voter_flushed(paxos_acceptor_t *a, uint64_t lsn);

/*@ // A watermark, and the window behind it: numbers that do not wrap.
    predicate paxos_in_ring{L}(paxos_acceptor_t *a, integer decided) =
        a->trimmed < PAXOS_SLOT_MAX && decided <= a->trimmed + a->window_slots;

    // The slot holds an entry that is chosen, or that the commit mark covers.
    predicate paxos_committed{L}(paxos_acceptor_t *a, integer slot) =
        paxos_cell_of(a, slot)->slot == slot &&
        (paxos_cell_of(a, slot)->state == PAXOS_RUN_CHOSEN ||
         (paxos_cell_of(a, slot)->ballot == a->commit_ballot && slot <= a->commit_slot)); */

/* A commit mark never moves what is decided back, and what it decides is chosen. */
/*@ requires paxos_block(a) && a->trimmed <= a->decided && paxos_in_ring(a, a->decided);
    assigns a->commit_ballot, a->commit_slot, a->decided,
            paxos_cells(a)[0 .. a->window_slots - 1].state;
    ensures monotone: a->decided >= \old(a->decided) && paxos_in_ring(a, a->decided);
    ensures chosen: \forall integer s; \old(a->decided) < s <= a->decided ==>
            paxos_cell_of(a, s)->slot == s && paxos_cell_of(a, s)->state == PAXOS_RUN_CHOSEN; */
void paxos_log_commit(paxos_acceptor_t *a, uint64_t ballot, uint64_t slot);

/* The decided watermark moves over what is chosen, or covered by the commit mark under the very
 * ballot that it was accepted under; over that alone, and over all of it. */
/*@ requires paxos_block(a) && a->trimmed <= a->decided && paxos_in_ring(a, a->decided);
    assigns a->decided, paxos_cells(a)[0 .. a->window_slots - 1].state;
    ensures monotone: a->decided >= \old(a->decided) && paxos_in_ring(a, a->decided);
    ensures only: \forall integer s; \old(a->decided) < s <= a->decided ==>
            \at(paxos_committed(a, s), Pre);
    ensures chosen: \forall integer s; \old(a->decided) < s <= a->decided ==>
            paxos_cell_of(a, s)->slot == s && paxos_cell_of(a, s)->state == PAXOS_RUN_CHOSEN;
    ensures all: a->decided < a->trimmed + a->window_slots ==>
            !\at(paxos_committed(a, \at(a->decided, Post) + 1), Pre); */
void paxos_log_advance(paxos_acceptor_t *a);

/* Decode a frame and find its sender; PAXOS_ERR_WIRE and PAXOS_ERR_FOREIGN are counted.
 * Cost O(1). */
PAXOS_MUST_USE paxos_status_t paxos_voter_decode(
    paxos_acceptor_t *a, const uint8_t *header, size_t header_bytes, size_t body_bytes,
    paxos_frame_t *frame, uint32_t *member_out);

/* Take a frame that was decoded and is of member `member`; see paxos_acceptor_receive. */
PAXOS_MUST_USE paxos_status_t paxos_voter_take(
    paxos_acceptor_t *a, uint32_t member, const paxos_frame_t *frame, const uint8_t *body);

/* As paxos_acceptor_poll, with a whole effect. */
PAXOS_MUST_USE bool paxos_voter_poll(paxos_acceptor_t *a, paxos_effect_t *effect);

/* As paxos_acceptor_recover, _recovered, _retain. */
PAXOS_MUST_USE paxos_status_t paxos_voter_recover(
    paxos_acceptor_t *a, const uint8_t *header, size_t header_bytes, const uint8_t *body,
    size_t body_bytes);
PAXOS_MUST_USE paxos_status_t
paxos_voter_recovered(paxos_acceptor_t *a, uint64_t applied_slot, uint64_t acknowledged_lsn);
void paxos_voter_retain(paxos_acceptor_t *a, uint64_t first_slot);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#ifdef __cplusplus
}
#endif
#endif
