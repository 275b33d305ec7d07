/* flush.c - what was appended becomes durable: one batch, one write, one flush.
 *
 * A segment begins with a table, which goes out with the batch behind it. A batch is written only
 * when the one before it is durable; that is what lets a restart tell a torn tail from damage. */
#include "journal.h"

#include <string.h>

/* Where the next batch goes. */
typedef struct head {
    uint64_t segment;
    uint64_t offset_bytes;
    uint64_t sequence;
    uint64_t oldest;
} head_t;

static paxos_journal_status_t write_batch(
    paxos_journal_t *j, head_t *head, uint8_t *bytes, batch_t *batch, bool is_last) {
    head->sequence += 1;
    batch->sequence = head->sequence;
    batch->flushed = j->flushed;
    batch->segment = head->segment;
    batch->oldest = head->oldest;
    batch->page = (uint32_t)(head->offset_bytes / PAGE_BYTES);
    batch->incarnation = j->incarnation;
    paxos_batch_finish(j, bytes, batch);
    const uint64_t length_bytes = (uint64_t)batch->pages * PAGE_BYTES;
    const uint64_t offset_bytes = paxos_journal_place(j, head->segment) + head->offset_bytes;
    PAXOS_ASSERT(head->offset_bytes + length_bytes <= j->segment_bytes);
    head->offset_bytes += length_bytes;
    if (is_last) { return paxos_journal_write_durably(j, bytes, length_bytes, offset_bytes); }
    return paxos_journal_write(
        j, j->journal_file, bytes, length_bytes, offset_bytes, "write of a batch");
}

/* Each group's last durable record as a MARK, with the trim point that is known by now. */
static paxos_journal_status_t write_table(paxos_journal_t *j, head_t *head) {
    batch_t batch = {.kind = BATCH_TABLE, .flags = j->is_unsure ? BATCH_UNSURE : 0};
    uint8_t *at = j->table + SECTOR_BYTES;
    for (uint32_t i = 0; i < j->group_count; i++) {
        group_t *group = &j->groups[i];
        if (paxos_get64(group->row + 64) == 0) { continue; } /* its first record comes behind */
        if (group->wanted_trim > paxos_get64(group->row + 88)) {
            paxos_put64(group->row + 88, group->wanted_trim);
        }
        if (group->is_unsure) {
            /* It was told so when it was opened, and may not have said so itself yet. */
            paxos_put16(group->row + 28, PAXOS_FLAG_ABSTAINS);
        }
        paxos_record_seal(group->row);
        memcpy(at, group->row, PAXOS_FRAME_HEADER_BYTES);
        at += PAXOS_FRAME_HEADER_BYTES;
        batch.count += 1;
    }
    batch.records_bytes = batch.count * PAXOS_FRAME_HEADER_BYTES;
    return write_batch(j, head, j->table, &batch, j->record_count == 0);
}

static paxos_journal_status_t write_records(paxos_journal_t *j, head_t *head) {
    batch_t batch = {
        .kind = BATCH_RECORDS, .count = j->record_count, .records_bytes = j->records_bytes};
    return write_batch(j, head, j->buffer, &batch, true);
}

/* The next segment is zeros, durably, before anything is written there. */
static paxos_journal_status_t prepare_next(paxos_journal_t *j) {
    paxos_journal_status_t status = PAXOS_JOURNAL_OK;
    const bool is_ready = j->zeroed_bytes == j->segment_bytes;
    while (status == PAXOS_JOURNAL_OK && j->zeroed_bytes < j->segment_bytes) {
        status = paxos_recycle_zero_piece(j);
    }
    if (is_ready || status != PAXOS_JOURNAL_OK) { return status; }
    return paxos_journal_sync(j, j->journal_file, "flush of a zeroed segment");
}

/* Everything that goes out with this flush; then it is durable. */
static paxos_journal_status_t write_all(paxos_journal_t *j, head_t *head) {
    const uint64_t bytes = paxos_batch_bytes(j->records_bytes, j->record_count);
    const uint64_t limit_bytes = paxos_journal_limit_bytes(j);
    const bool moves = j->record_count > 0 && head->offset_bytes + bytes > limit_bytes;
    paxos_journal_status_t status = PAXOS_JOURNAL_OK;
    if (moves) {
        status = prepare_next(j);
        head->segment += 1;
        head->offset_bytes = 0;
    } else if (
        j->appended_bytes >= APPENDED_PER_PIECE_BYTES && paxos_recycle_has_next(j) &&
        j->zeroed_bytes < j->segment_bytes) {
        j->appended_bytes = 0;
        status = paxos_recycle_zero_piece(j);
    }
    if (status == PAXOS_JOURNAL_OK && (moves || head->oldest != j->oldest)) {
        status = write_table(j, head);
    }
    if (status == PAXOS_JOURNAL_OK && j->record_count > 0) { status = write_records(j, head); }
    return status;
}

/* It is durable. */
static void commit(paxos_journal_t *j, const head_t *head) {
    paxos_retain_recycle(j, head->oldest);
    if (head->segment != j->newest) {
        j->zeroed_bytes = 0;
        memset(paxos_journal_reach(j, head->segment, 0), 0, j->groups_max * sizeof *j->reach);
        memset(paxos_journal_base(j, head->segment, 0), 0, j->groups_max * sizeof *j->base);
    }
    if (head->segment == j->view_segment) { j->view_segment = UINT64_MAX; } /* it has grown */
    j->report.recycled += head->oldest - j->oldest;
    j->oldest = head->oldest;
    j->newest = head->segment;
    j->offset_bytes = head->offset_bytes;
    j->sequence = head->sequence;
    j->flushed = head->sequence;
    const uint8_t *record = j->buffer + SECTOR_BYTES;
    for (uint32_t i = 0; i < j->record_count; i++) {
        const uint32_t index = paxos_journal_find(j, paxos_get32(record + 16));
        paxos_journal_hold(j, head->segment, index, record);
        paxos_journal_note(j, index, record);
        paxos_retain_note(&j->groups[index], record, false);
        record += PAXOS_FRAME_HEADER_BYTES + paxos_get32(record + 36);
    }
    j->report.records_appended += j->record_count;
    j->report.flushes += 1;
    j->appended_bytes += paxos_batch_bytes(j->records_bytes, j->record_count);
    j->records_bytes = 0;
    j->record_count = 0;
}

static paxos_journal_status_t flush(paxos_journal_t *j) {
    if (j->phase == PHASE_FAILED) { return PAXOS_JOURNAL_ERR_SYSTEM; }
    if (j->phase != PHASE_READY) { return PAXOS_JOURNAL_ERR_STATE; }
    head_t head = {j->newest, j->offset_bytes, j->sequence, paxos_recycle_oldest(j)};
    if (j->record_count == 0 && head.oldest == j->oldest) { return PAXOS_JOURNAL_OK; }
    const paxos_journal_status_t status = write_all(j, &head);
    if (status != PAXOS_JOURNAL_OK) { return status; }
    commit(j, &head);
    j->flushes_to_mark -= 1;
    return j->flushes_to_mark == 0 ? paxos_superblock_mark(j, j->flushed) : PAXOS_JOURNAL_OK;
}

paxos_journal_status_t paxos_journal_flush(paxos_journal_t *j) {
    paxos_journal_enter(j);
    const paxos_journal_status_t status = flush(j);
    j->is_within_a_call = false;
    return status;
}
