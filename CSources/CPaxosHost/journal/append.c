/* append.c - a record joins the batch that the next flush writes. */
#include "journal.h"

#include <string.h>

/* Whether a batch of so many bytes has a place to go: in this segment or the next. */
static bool has_place(const paxos_journal_t *j, uint64_t bytes) {
    const uint64_t limit_bytes = paxos_journal_limit_bytes(j);
    return j->offset_bytes + bytes <= limit_bytes || paxos_recycle_has_next(j);
}

paxos_journal_status_t paxos_journal_append(
    paxos_journal_t *j, const uint8_t *header, size_t header_bytes, const uint8_t *body,
    size_t body_bytes) {
    PAXOS_ASSERT(!j->is_within_a_call);
    if (j->phase == PHASE_FAILED) { return PAXOS_JOURNAL_ERR_SYSTEM; }
    if (j->phase != PHASE_READY) { return PAXOS_JOURNAL_ERR_STATE; }
    if (header_bytes != PAXOS_FRAME_HEADER_BYTES || !paxos_record_is_whole(j, header) ||
        paxos_get32(header + 36) != body_bytes) {
        return PAXOS_JOURNAL_ERR_RECORD;
    }
    const uint64_t lsn = paxos_get64(header + 64);
    const uint32_t id = paxos_get32(header + 16);
    const uint32_t known = paxos_journal_find(j, id);
    const uint64_t last = known < j->group_count ? j->groups[known].last_lsn : 0;
    if (lsn != last + 1) { return PAXOS_JOURNAL_ERR_RECORD; }
    const uint64_t records_bytes = j->records_bytes + PAXOS_FRAME_HEADER_BYTES + body_bytes;
    const uint64_t bytes = paxos_batch_bytes(records_bytes, (uint64_t)j->record_count + 1);
    if (bytes > j->batch_bytes_max) {
        return j->record_count == 0 ? PAXOS_JOURNAL_ERR_TOO_LARGE : PAXOS_JOURNAL_ERR_BUSY;
    }
    if (!has_place(j, bytes)) { return PAXOS_JOURNAL_ERR_FULL; }
    const uint32_t index = paxos_journal_add(j, id);
    if (index == j->group_count) { return PAXOS_JOURNAL_ERR_GROUPS; }
    group_t *group = &j->groups[index];
    group->last_lsn = lsn;
    if (group->first_lsn == 0) { group->first_lsn = 1; }
    uint8_t *at = j->buffer + SECTOR_BYTES + j->records_bytes;
    memcpy(at, header, PAXOS_FRAME_HEADER_BYTES);
    if (body_bytes > 0) { memcpy(at + PAXOS_FRAME_HEADER_BYTES, body, body_bytes); }
    j->records_bytes = (uint32_t)records_bytes;
    j->record_count += 1;
    return PAXOS_JOURNAL_OK;
}

void paxos_journal_trim(paxos_journal_t *j, uint32_t group, uint64_t slot) {
    PAXOS_ASSERT(!j->is_within_a_call);
    const uint32_t index = paxos_journal_find(j, group);
    if (index == j->group_count || slot >= PAXOS_SLOT_MAX) { return; }
    if (slot > j->groups[index].wanted_trim) { j->groups[index].wanted_trim = slot; }
}
