/* acceptor.c - the rules of the voter, without frames. See acceptor.h. */
#include "paxos/acceptor.h"

#include "paxos/hot_log.h"
#include "paxos/rules.h"

paxos_status_t paxos_voter_prepare(
    paxos_acceptor_t *a, paxos_ballot_t ballot, paxos_ballot_t *promised_out, uint64_t *lsn_out) {
    if (a->abstains) { return PAXOS_ERR_ABSTAINS; }
    if (ballot < a->promised || ballot == 0) {
        *promised_out = a->promised;
        return PAXOS_ERR_STALE;
    }
    if (ballot > a->promised) {
        if (!a->memory_only && paxos_writes_full(a)) { return PAXOS_ERR_BUSY; }
        (void)paxos_log_promise(a, ballot);
    }
    *promised_out = ballot;
    *lsn_out = a->lsn;
    return PAXOS_OK;
}

paxos_match_t paxos_match_run(const paxos_acceptor_t *a, const paxos_run_t *run) {
    bool same = true;
    const uint8_t *entry = run->entries;
    /*@ loop invariant 0 <= i <= run->count;
        loop invariant entry == run->entries + paxos_entry_at(run->entries, i);
        loop invariant same ==>
                       \forall integer k; 0 <= k < i ==> paxos_run_same(a, run, k);
        loop invariant \forall integer k; 0 <= k < i ==> paxos_run_replaceable(a, run, k);
        loop assigns i, same, entry;
        loop variant run->count - i; */
    for (uint32_t i = 0; i < run->count; i++) {
        const uint32_t bytes = paxos_entry_bytes(paxos_get32(entry + 4));
        //@ assert size: bytes == paxos_entry_size_at(run->entries, entry - run->entries);
        //@ assert next: entry + bytes == run->entries + paxos_entry_at(run->entries, i + 1);
        const paxos_cell_t *cell = paxos_cell(a, run->slot + i);
        //@ assert cell: cell == paxos_cell_of(a, run->slot + i);
        if (!paxos_cell_holds(cell, run->slot + i)) {
            same = false;
        } else if (
            cell->bytes != bytes || !paxos_equal(paxos_arena(a, cell->position), entry, bytes)) {
            //@ assert other: paxos_run_held(a, run, i) && !paxos_run_same(a, run, i);
            /* What is chosen stays, whatever an old ballot says. */
            if (cell->state == PAXOS_RUN_CHOSEN) { return PAXOS_MATCH_CHOSEN; }
            if (cell->ballot == run->ballot) { return PAXOS_MATCH_CONFLICT; }
            same = false;
        }
        //@ assert same: same ==> paxos_run_same(a, run, i);
        //@ assert replaceable: paxos_run_replaceable(a, run, i);
        entry += bytes;
    }
    return same ? PAXOS_MATCH_SAME : PAXOS_MATCH_NEW;
}

uint64_t paxos_revote_run(paxos_acceptor_t *a, const paxos_run_t *run) {
    const uint64_t ballot = run->ballot;
    const uint64_t slot = run->slot;
    const uint32_t count = run->count;
    bool changed = false;
    /*@ loop invariant 0 <= i <= count;
        loop invariant within: \forall integer k; 0 <= k < count ==>
                       paxos_in_window{Pre}(a, slot + k);
        loop invariant counted: paxos_counted(a) && (a->memory_only == 0 ==> paxos_has_room(a));
        loop invariant revoted: \forall integer k; 0 <= k < i ==>
                       paxos_cell_of(a, slot + k)->ballot == ballot;
        loop invariant others: \forall integer other; paxos_in_window{Pre}(a, other) &&
                       !(slot <= other < slot + count) ==> paxos_cell_of(a, other)->ballot ==
                       \at(paxos_cell_of(a, other)->ballot, Pre);
        loop assigns i, changed, paxos_cells(a)[0 .. \at(a->window_slots, Pre) - 1].ballot;
        loop variant count - i; */
    for (uint32_t i = 0; i < count; i++) {
        //@ assert exact: (uint64_t)(slot + i) == slot + i;
        paxos_cell_t *cell = paxos_cell(a, slot + i);
        changed = changed || cell->ballot != ballot;
        cell->ballot = ballot;
    }
    //@ assert numbers: run->slot == slot && run->count == count && run->ballot == ballot;
    if (!changed) { return a->lsn; }
    const paxos_run_t ballots = {ballot, slot, count, 0, run->digest, run->entries};
    return paxos_write_note(a, PAXOS_RECORD_BALLOTS, &ballots, 0);
}

paxos_status_t paxos_voter_accept(paxos_acceptor_t *a, const paxos_run_t *run, uint64_t *lsn_out) {
    if (PAXOS_UNLIKELY(a->abstains)) { return PAXOS_ERR_ABSTAINS; }
    if (PAXOS_UNLIKELY(run->ballot < a->promised)) { return PAXOS_ERR_STALE; }
    if (PAXOS_UNLIKELY(run->slot <= a->trimmed)) { return PAXOS_ERR_TRIMMED; }
    if (PAXOS_UNLIKELY(run->slot + run->count - 1 > a->trimmed + a->window_slots)) {
        return PAXOS_ERR_FULL;
    }
    if (PAXOS_UNLIKELY(!a->memory_only && paxos_writes_full(a))) { return PAXOS_ERR_BUSY; }
    if (PAXOS_UNLIKELY(run->slot <= a->last_slot)) {
        const paxos_match_t match = paxos_match_run(a, run);
        if (match == PAXOS_MATCH_CONFLICT) { return PAXOS_ERR_CONFLICT; }
        if (match == PAXOS_MATCH_CHOSEN) { return PAXOS_ERR_TRIMMED; }
        if (match == PAXOS_MATCH_SAME) {
            a->promised = run->ballot;
            /*@ assert held: \forall integer i; 0 <= i < run->count ==>
                       paxos_run_held(a, run, i); */
            *lsn_out = paxos_revote_run(a, run);
            return PAXOS_OK;
        }
    }
    const paxos_status_t status =
        paxos_log_store_hot(a, run, PAXOS_RUN_ACCEPTED, paxos_run_is_next(a, run), lsn_out);
    if (PAXOS_UNLIKELY(status != PAXOS_OK)) { return status; }
    a->promised = run->ballot;
    return PAXOS_OK;
}

paxos_status_t paxos_voter_flushed(paxos_acceptor_t *a, uint64_t lsn) {
    if (lsn > a->lsn) { return PAXOS_ERR_RANGE; }
    /*@ loop invariant paxos_counted(a) && \at(a->writes_out, Pre) <= a->writes_out;
        loop invariant \forall integer i; \at(a->writes_out, Pre) <= i < a->writes_out ==>
                       paxos_write_of(a, i)->lsn <= lsn;
        loop assigns a->writes_out, a->mark;
        loop variant a->writes_polled - a->writes_out; */
    while (a->writes_out != a->writes_polled && paxos_write(a, a->writes_out)->lsn <= lsn) {
        a->mark = paxos_write(a, a->writes_out)->watermark;
        a->writes_out += 1;
    }
    if (lsn > a->flushed) {
        /* A record that was not handed out yet cannot be durable. */
        const uint64_t next =
            a->writes_out != a->writes_in ? paxos_write(a, a->writes_out)->lsn : a->lsn + 1;
        a->flushed = lsn < next ? lsn : next - 1;
    }
    return PAXOS_OK;
}

paxos_status_t paxos_voter_trim(paxos_acceptor_t *a, uint64_t slot) {
    if (slot > a->decided) { return PAXOS_ERR_RANGE; }
    if (slot > a->trimmed) { a->trimmed = slot; }
    paxos_log_mark(a, a->window_slots / 4);
    return PAXOS_OK;
}

void paxos_voter_retain(paxos_acceptor_t *a, uint64_t first_slot) {
    a->retained = first_slot;
}
