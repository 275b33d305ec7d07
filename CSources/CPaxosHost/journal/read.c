/* read.c - the records given back, in the order in which they were appended.
 *
 * The same walk as that of the scan, to the same end. What is given back is durable by now: a
 * record's count of those before it that were not known to be durable is 0 by now. */
#include "journal.h"

#include <string.h>

#include "paxos/hot_frame.h"

/* The next record or row of the batch that is open; NULL: there is none that can be read. */
static const uint8_t *next_header(paxos_journal_t *j, uint64_t *offset_out) {
    const batch_t *batch = &j->cursor.batch;
    if (j->next_record == batch->count) { return NULL; }
    *offset_out = j->next_offset_bytes;
    const uint8_t *header = paxos_batch_record(
        j, j->cursor.bytes, batch, j->next_record, j->next_offset_bytes, &j->next_offset_bytes);
    j->next_record += 1;
    return header;
}

/* Whether it is to be given: a record that the group lacks still, or a row of the first table,
 * which stands for records that were recycled. Other rows repeat what records said; where those are
 * lost, a row must not take their place: it knows of no entries. */
static bool is_new(const paxos_journal_t *j, const uint8_t *header) {
    const uint32_t index = paxos_journal_find(j, paxos_get32(header + 16));
    if (index == j->group_count) { return false; }
    const group_t *group = &j->groups[index];
    const uint64_t lsn = paxos_get64(header + 64);
    if (j->cursor.batch.kind == BATCH_TABLE && !paxos_cursor_is_first(j, &j->cursor)) {
        return false;
    }
    return lsn > group->given_lsn;
}

static void give(
    paxos_journal_t *j, const uint8_t *header, uint64_t offset_bytes,
    paxos_journal_record_t *record) {
    group_t *group = &j->groups[paxos_journal_find(j, paxos_get32(header + 16))];
    record->group = group->group;
    record->lsn = paxos_get64(header + 64);
    record->segment = j->cursor.start_segment;
    record->offset_bytes = j->cursor.start_bytes + offset_bytes;
    record->body = j->cursor.bytes + offset_bytes + PAXOS_FRAME_HEADER_BYTES;
    record->body_bytes = paxos_get32(header + 36);
    record->is_damaged = !j->cursor.is_whole;
    memcpy(record->header, header, PAXOS_FRAME_HEADER_BYTES);
    group->given_lsn = record->lsn;
    paxos_put16(record->header + 30, 0);
    if (record->lsn == group->last_lsn) {
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
        if (j->cursor.found != FOUND_BATCH) { continue; }
        j->next_record = 0;
        j->next_offset_bytes = SECTOR_BYTES;
        return true;
    }
    return false;
}

paxos_journal_status_t paxos_journal_read(paxos_journal_t *j, paxos_journal_record_t *record) {
    PAXOS_ASSERT(record->size_bytes == sizeof *record);
    if (j->phase == PHASE_FAILED) { return PAXOS_JOURNAL_ERR_SYSTEM; }
    if (j->phase == PHASE_READY) { return PAXOS_JOURNAL_END; }
    while (j->is_batch_open || open_next_batch(j)) {
        j->is_batch_open = true;
        uint64_t offset_bytes = 0;
        const uint8_t *header = next_header(j, &offset_bytes);
        if (header == NULL) {
            j->is_batch_open = false;
        } else if (is_new(j, header)) {
            give(j, header, offset_bytes, record);
            return PAXOS_JOURNAL_OK;
        }
    }
    if (!j->is_read_only) { j->phase = PHASE_READY; }
    return PAXOS_JOURNAL_END;
}
