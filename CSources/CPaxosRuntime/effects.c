/* effects.c - what the replicas ask for is done: frames to the transport, records to the journal.
 *
 * Frames leave before the disk is waited for: those that need a flush first do not come out of a
 * replica before it. */
#include <string.h>

#include "host.h"
#include "paxos_host.h"

void paxos_host_touch(paxos_host_t *host, paxos_host_group_t *group) {
    group->is_due = true;
    host->is_due = true;
}

static bool fail_replica(
    paxos_host_t *host, const paxos_host_group_t *group, paxos_status_t status, const char *what) {
    (void)paxos_host_blame(
        &host->report.fault, PAXOS_HOST_ERR_REPLICA, (int32_t)status, group->number, what);
    paxos_host_stop(host);
    return false;
}

static bool fail_journal(paxos_host_t *host, paxos_journal_status_t status) {
    paxos_journal_report_t report = {.size_bytes = sizeof report};
    paxos_journal_report(host->journal, &report);
    (void)paxos_host_blame_journal(&host->report.fault, status, &report.fault);
    paxos_host_stop(host);
    return false;
}

/* The bytes are copied, or dropped: either way the replica has them back at once. */
static bool send(paxos_host_t *host, paxos_host_group_t *group, const paxos_effect_t *effect) {
    const paxos_transport_status_t status = paxos_transport_send(
        host->transport, effect->header, group->block + effect->body_offset, effect->body_bytes);
    if (status == PAXOS_TRANSPORT_OK) {
        host->report.frames_sent += 1;
        host->to_send += 1;
    } else {
        host->report.frames_dropped += 1;
    }
    if (effect->token == 0) { return true; }
    const paxos_status_t taken = paxos_replica_sent(group->replica, effect->token);
    return taken == PAXOS_OK || fail_replica(host, group, taken, "a token that it did not give");
}

/* Not into the journal yet: that may be full, and frames must not wait for it. */
static void keep(paxos_host_group_t *group, const paxos_effect_t *effect) {
    paxos_record_t *record = &group->records[group->records_in & group->record_mask];
    PAXOS_ASSERT(group->records_in - group->records_out <= group->record_mask);
    group->records_in += 1;
    record->lsn = effect->lsn;
    record->body_offset = effect->body_offset;
    record->body_bytes = effect->body_bytes;
    memcpy(record->header, effect->header, sizeof record->header);
}

static bool collect(paxos_host_t *host, paxos_host_group_t *group) {
    paxos_effect_t effect;
    effect.size_bytes = (uint32_t)sizeof effect;
    group->is_due = false;
    /* What is safe here is kept for members that lack it: they may have caught up by now. */
    if (group->applied > group->trimmed &&
        paxos_replica_trim(group->replica, group->applied) != PAXOS_OK) {
        return fail_replica(host, group, PAXOS_ERR_RANGE, "what was delivered is not");
    }
    while (paxos_replica_poll_io(group->replica, &effect)) {
        if (effect.kind == PAXOS_EFFECT_WRITE) { keep(group, &effect); }
        if (effect.kind == PAXOS_EFFECT_FETCH) { paxos_host_want(host, group, &effect); }
        if (effect.kind == PAXOS_EFFECT_SEND && !send(host, group, &effect)) { return false; }
    }
    paxos_replica_status_t status = {.size_bytes = sizeof status};
    paxos_replica_status(group->replica, &status);
    group->leader = status.leader;
    group->trimmed = status.trimmed;
    group->has_log = paxos_replica_has_log(group->replica);
    group->deadline_ns = paxos_replica_deadline(group->replica);
    return true;
}

/* One silent member of a quiet group must not fill the journal for all. */
static void press(paxos_host_t *host, paxos_host_group_t *group) {
    const uint64_t slot = paxos_journal_pressed(host->journal, group->number);
    if (slot <= group->trimmed || group->applied <= group->trimmed) { return; }
    paxos_replica_press(group->replica, slot);
    paxos_replica_status_t status = {.size_bytes = sizeof status};
    paxos_replica_status(group->replica, &status);
    if (status.trimmed == group->trimmed) { return; }
    group->trimmed = status.trimmed;
    paxos_host_touch(host, group);
}

static void tell_trims(paxos_host_t *host) {
    for (uint32_t i = 0; i < host->group_count; i++) {
        paxos_host_group_t *group = &host->groups[i];
        press(host, group);
        paxos_journal_trim(host->journal, group->number, group->trimmed);
    }
}

/* What was appended is durable, and the replicas are told. */
static bool flush(paxos_host_t *host) {
    tell_trims(host);
    const uint64_t start_ns = paxos_host_clock_ns();
    const paxos_journal_status_t status = paxos_journal_flush(host->journal);
    host->now_ns = paxos_host_clock_ns();
    if (status != PAXOS_JOURNAL_OK) { return fail_journal(host, status); }
    const uint64_t spent_ns = host->now_ns - start_ns;
    host->report.flushes += 1;
    host->report.flush_ns += spent_ns;
    if (spent_ns > host->report.flush_ns_max) { host->report.flush_ns_max = spent_ns; }
    host->to_flush = 0;
    for (uint32_t i = 0; i < host->group_count; i++) {
        paxos_host_group_t *group = &host->groups[i];
        paxos_host_retain(host, group); /* a segment may have been recycled */
        if (group->appended_lsn == group->flushed_lsn) { continue; }
        const paxos_status_t taken =
            paxos_replica_flushed(group->replica, host->now_ns, group->appended_lsn);
        if (taken != PAXOS_OK) { return fail_replica(host, group, taken, "an unknown record"); }
        group->flushed_lsn = group->appended_lsn;
        paxos_host_touch(host, group);
    }
    return true;
}

/* One record; BUSY and FULL are cured by a flush where they can be. `is_full`: one did not cure
 * FULL a moment ago, and another would not. */
static paxos_journal_status_t append(
    paxos_host_t *host, const paxos_host_group_t *group, const paxos_record_t *record,
    bool is_full) {
    paxos_journal_status_t status = PAXOS_JOURNAL_OK;
    for (uint32_t attempt = 0; attempt < 2; attempt++) {
        status = paxos_journal_append(
            host->journal, record->header, sizeof record->header,
            group->block + record->body_offset, record->body_bytes);
        const bool is_cured_by_flush =
            status == PAXOS_JOURNAL_ERR_BUSY || (status == PAXOS_JOURNAL_ERR_FULL && !is_full);
        if (!is_cured_by_flush) { break; }
        if (attempt == 0 && !flush(host)) { break; }
    }
    return status;
}

/* What waits goes into the journal, or waits on because the journal is full. */
static bool append_all(paxos_host_t *host) {
    uint32_t waiting = 0;
    bool is_full = false;
    for (uint32_t i = 0; i < host->group_count; i++) {
        paxos_host_group_t *group = &host->groups[i];
        while (group->records_out != group->records_in) {
            const paxos_record_t *record = &group->records[group->records_out & group->record_mask];
            const paxos_journal_status_t status = append(host, group, record, is_full);
            if (host->transport == NULL) { return false; }
            is_full = is_full || status == PAXOS_JOURNAL_ERR_FULL;
            if (status == PAXOS_JOURNAL_ERR_FULL) { break; }
            if (status != PAXOS_JOURNAL_OK) { return fail_journal(host, status); }
            group->appended_lsn = record->lsn;
            group->records_out += 1;
            host->to_flush += 1;
            host->report.records_written += 1;
        }
        waiting += (uint32_t)(group->records_in - group->records_out);
    }
    host->report.records_waiting = waiting;
    if (waiting == 0) {
        host->report.full_since_ns = 0;
    } else if (host->report.full_since_ns == 0) {
        host->report.full_since_ns = host->now_ns;
    }
    return true;
}

/* Where all that was under way is decided, the program of a leader with a disk hears of it first:
 * what it proposes then carries the watermark, and the others are not woken for that alone, which
 * costs as much as an Accept. Nobody's vote waits. Not while a good part of the window waits for
 * the others to say that they have it, which they do when they vote for what comes behind. */
static bool tells_first(const paxos_host_t *host, paxos_host_group_t *group) {
    const bool leads = group->leader == host->report.node;
    if (host->journal == NULL || host->has_told || !leads) { return false; }
    paxos_replica_status_t status = {.size_bytes = sizeof status};
    paxos_replica_status(group->replica, &status);
    group->has_log = status.delivered < status.decided;
    const bool has_window = status.decided - status.trimmed <= group->window_slots / 8;
    return group->has_log && has_window && status.decided == status.last_slot;
}

bool paxos_host_settle(paxos_host_t *host, bool tells) {
    bool is_left = false;
    while (host->is_due) {
        host->is_due = false;
        for (uint32_t i = 0; i < host->group_count; i++) {
            paxos_host_group_t *group = &host->groups[i];
            if (!group->is_due) { continue; }
            if (tells && tells_first(host, group)) {
                is_left = true;
            } else if (!collect(host, group)) {
                return false;
            }
        }
        if (host->to_send != 0) {
            host->to_send = 0;
            paxos_transport_flush(host->transport, host->now_ns);
        }
        if (host->journal == NULL) { continue; }
        if (!append_all(host) || (host->to_flush != 0 && !flush(host))) { return false; }
    }
    host->is_due = is_left;
    return true;
}
