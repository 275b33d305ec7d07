/* read.c - the records given back, in the order in which they were appended.
 *
 * One walk over all that is there, which looks at every sector once: open looked at the newest
 * segment alone, and the walk comes to the same end. What is given back is durable by now: a
 * record's count of those before it that were not known to be durable is 0 by now. */
#include "journal.h"

#include <string.h>

#include "paxos/hot_frame.h"

static void name_damage(paxos_journal_t *j) {
    const cursor_t *cursor = &j->cursor;
    if (j->report.damages < PAXOS_JOURNAL_DAMAGES_MAX) {
        paxos_journal_damage_t *damage = &j->report.damage[j->report.damages];
        damage->segment = cursor->start_segment;
        damage->offset_bytes = cursor->start_bytes;
        damage->length_bytes = cursor->length_bytes;
    }
    j->report.damages += 1;
}

/* Records that cannot be read may be of any group, and speak of any slot. */
static void lose_records(paxos_journal_t *j) {
    for (uint64_t s = j->cursor.start_segment; s <= j->cursor.segment; s++) {
        j->is_lossy[s % j->segment_count] = true;
    }
}

/* Records that cannot be read spoke of no slot beyond a window's end: their segments are kept until
 * all of it is trimmed. */
static void bound_lossy(paxos_journal_t *j) {
    for (uint32_t place = 0; place < j->segment_count; place++) {
        for (uint32_t i = 0; j->is_lossy[place] && i < j->group_count; i++) {
            *paxos_journal_reach(j, place, i) =
                paxos_get64(j->groups[i].row + 88) + PAXOS_WINDOW_SLOTS_MAX;
        }
    }
}

/* The next record or row of the batch that is open; NULL: there is none that can be read. */
static const uint8_t *next_header(paxos_journal_t *j, uint64_t *offset_out) {
    const batch_t *batch = &j->cursor.batch;
    if (j->next_record == batch->count) { return NULL; }
    *offset_out = j->next_offset_bytes;
    const uint8_t *header = paxos_batch_record(
        j, &j->cursor, j->next_record, j->next_offset_bytes, &j->next_offset_bytes);
    j->next_record += 1;
    if (header == NULL) { lose_records(j); }
    return header;
}

/* The group that is to be given the record: one that lacks it still. Or the row, if it is of the
 * first table and stands for records that were recycled. Other rows repeat what records said; where
 * those are lost, a row must not take their place: it knows of no entries. */
static group_t *taker(paxos_journal_t *j, const uint8_t *header, uint64_t offset_bytes) {
    const bool is_row = j->cursor.batch.kind == BATCH_TABLE;
    if (is_row && !paxos_cursor_is_first(j, &j->cursor)) { return NULL; }
    const uint64_t lsn = paxos_get64(header + 64);
    uint32_t index = paxos_journal_find(j, paxos_get32(header + 16));
    if (!is_row && (index == j->group_count || lsn > j->groups[index].last_lsn)) {
        /* A later table should have named it, and does not. */
        paxos_scan_record(j, header);
        index = paxos_journal_find(j, paxos_get32(header + 16));
    }
    if (index == j->group_count) { return NULL; }
    bool is_lost = false;
    if (!is_row) {
        const uint8_t *body = j->cursor.bytes + offset_bytes + PAXOS_FRAME_HEADER_BYTES;
        is_lost = !j->cursor.is_whole && !paxos_entries_are_whole(header, body);
        j->report.records_found += 1;
        paxos_journal_hold(j, j->cursor.start_segment, index, header);
    }
    paxos_retain_note(&j->groups[index], header, is_lost);
    return lsn > j->groups[index].given_lsn ? &j->groups[index] : NULL;
}

static void give(
    paxos_journal_t *j, group_t *group, const uint8_t *header, uint64_t offset_bytes,
    paxos_journal_record_t *record) {
    record->group = group->group;
    record->lsn = paxos_get64(header + 64);
    record->segment = j->cursor.start_segment;
    record->offset_bytes = j->cursor.start_bytes + offset_bytes;
    record->body = j->cursor.bytes + offset_bytes + PAXOS_FRAME_HEADER_BYTES;
    record->body_bytes = paxos_get32(header + 36);
    record->is_damaged = !j->cursor.is_whole;
    memcpy(record->header, header, PAXOS_FRAME_HEADER_BYTES);
    group->given_lsn = record->lsn;
    const bool is_last = record->lsn == group->last_lsn;
    if (!is_last && paxos_get16(header + 30) == 0) { return; }
    paxos_put16(record->header + 30, 0);
    if (is_last) {
        /* Rows also say what was trimmed, or found to be lost, while the group wrote nothing. */
        paxos_put16(record->header + 28, paxos_get16(group->row + 28));
        paxos_put64(record->header + 88, paxos_get64(group->row + 88));
    }
    paxos_record_seal(record->header);
}

static bool open_next_batch(paxos_journal_t *j) {
    const uint64_t steps = paxos_walk_steps_max(j);
    for (uint64_t i = 0; i < steps; i++) {
        if (j->newest == 0 || j->cursor.segment > j->newest) { return false; }
        paxos_cursor_step(j, &j->cursor);
        if (j->cursor.found == FOUND_END) { return false; }
        if (j->cursor.found == FOUND_LOST) {
            name_damage(j);
            lose_records(j);
            continue;
        }
        j->report.batches_found += 1;
        if (!j->cursor.is_whole) { name_damage(j); }
        j->next_record = 0;
        j->next_offset_bytes = SECTOR_BYTES;
        return true;
    }
    return false;
}

static paxos_journal_status_t read_next(paxos_journal_t *j, paxos_journal_record_t *record) {
    if (j->phase == PHASE_FAILED) { return PAXOS_JOURNAL_ERR_SYSTEM; }
    if (j->phase != PHASE_READING) { return PAXOS_JOURNAL_END; }
    while (j->is_batch_open || open_next_batch(j)) {
        j->is_batch_open = true;
        uint64_t offset_bytes = 0;
        const uint8_t *header = next_header(j, &offset_bytes);
        group_t *group = header == NULL ? NULL : taker(j, header, offset_bytes);
        j->is_batch_open = header != NULL;
        if (group != NULL) {
            give(j, group, header, offset_bytes, record);
            return PAXOS_JOURNAL_OK;
        }
    }
    bound_lossy(j);
    j->view = j->fetch_buffer; /* the buffer is filled with records from now on */
    j->view_segment = UINT64_MAX;
    j->phase = j->is_read_only ? PHASE_LOOKED : PHASE_READY;
    return PAXOS_JOURNAL_END;
}

paxos_journal_status_t paxos_journal_read(paxos_journal_t *j, paxos_journal_record_t *record) {
    PAXOS_ASSERT(record->size_bytes == sizeof *record);
    paxos_journal_enter(j);
    const paxos_journal_status_t status = read_next(j, record);
    j->is_within_a_call = false;
    return status;
}
