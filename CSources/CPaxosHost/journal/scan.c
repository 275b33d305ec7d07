/* scan.c - what a restart finds: which segments are in use, where they end, what each group has.
 *
 * The last flush may have been cut short by the power; everything before it was durable, because a
 * batch is written only when the one before it is flushed. So a batch that is torn is the end if
 * nothing says that it was durable, and damage otherwise. Damage stays where it is, and every group
 * that it may have hit is told. */
#include "journal.h"

#include <string.h>

/* The highest segment that begins with a whole header. */
static uint64_t newest_by_first_page(paxos_journal_t *j) {
    uint64_t newest = 0;
    for (uint32_t place = 0; place < j->segment_count; place++) {
        const uint64_t offset_bytes = place * j->segment_bytes;
        batch_t batch;
        paxos_journal_read_pages(j, j->table, PAGE_BYTES, offset_bytes);
        if (j->files.forget != NULL) {
            j->files.forget(j->files.context, j->journal_file, offset_bytes, PAGE_BYTES);
        }
        if (!paxos_batch_header_get(j, j->table, BATCH_HEAD_MAGIC, &batch)) { continue; }
        const bool is_home = batch.page == 0 && batch.segment % j->segment_count == place;
        if (is_home && batch.segment > newest) { newest = batch.segment; }
    }
    return newest;
}

static bool has_batch(paxos_journal_t *j, uint64_t segment) {
    const cursor_t start = {.segment = segment};
    batch_t batch;
    return paxos_cursor_find(j, &start, &batch);
}

static bool is_whole(paxos_journal_t *j, const batch_t *batch) {
    const uint8_t *bytes = paxos_journal_view(
        j, batch->segment, (uint64_t)batch->page * PAGE_BYTES, (uint64_t)batch->pages * PAGE_BYTES);
    return paxos_batch_check(j, bytes, batch) == BATCH_WHOLE;
}

/* Take what the headers of a segment say of what was durable, and of where the journal starts. That
 * is believed of a batch that was durable, and of the last flush if all of it is there: what it
 * gives up is overwritten only when it is durable. */
static bool survey(paxos_journal_t *j, uint64_t segment) {
    cursor_t cursor = {.segment = segment};
    batch_t batch;
    batch_t last[2] = {{0}, {0}}; /* a flush is a table and records, at most */
    uint64_t oldest = 0;
    while (paxos_cursor_find(j, &cursor, &batch)) {
        if (batch.flushed > j->flushed) { j->flushed = batch.flushed; }
        if (last[0].sequence <= j->flushed && last[0].oldest > oldest) { oldest = last[0].oldest; }
        last[0] = last[1];
        last[1] = batch;
        cursor.sequence = batch.sequence;
        cursor.offset_bytes = ((uint64_t)batch.page + batch.pages) * PAGE_BYTES;
    }
    uint64_t next = j->flushed + 1; /* of what is all there */
    for (uint32_t i = 0; i < 2; i++) {
        const bool is_next = last[i].sequence == next && is_whole(j, &last[i]);
        if (last[i].sequence > j->flushed && !is_next) { break; }
        if (is_next) { next += 1; }
        if (last[i].oldest > oldest) { oldest = last[i].oldest; }
    }
    if (oldest != 0) { j->oldest = oldest; }
    return oldest != 0;
}

static void find_segments(paxos_journal_t *j) {
    j->flushed = paxos_superblock_marked(j);
    j->newest = newest_by_first_page(j);
    for (uint32_t i = 0; i < j->segment_count && has_batch(j, j->newest + 1); i++) {
        j->newest += 1;
    }
    j->oldest = j->newest >= j->segment_count ? j->newest - j->segment_count + 1 : 1;
    if (j->newest == 0 || survey(j, j->newest) || j->newest == 1) { return; }
    (void)survey(j, j->newest - 1);
}

/* Records that cannot be read: of any group, for all that is known. */
static void doubt_groups(paxos_journal_t *j) {
    for (uint32_t i = 0; i < j->group_count; i++) { j->groups[i].is_unsure = true; }
    j->is_unsure = true;
}

/* A row of a table: the last lsn of the group up to there, or a higher trim point. */
static void take_row(paxos_journal_t *j, const cursor_t *cursor, const uint8_t *header) {
    const uint64_t lsn = paxos_get64(header + 64);
    const uint32_t known = j->group_count;
    const uint32_t index = paxos_journal_add(j, paxos_get32(header + 16));
    if (index == j->group_count) { return; }
    group_t *group = &j->groups[index];
    if (index == known) { group->first_lsn = paxos_cursor_is_first(j, cursor) ? lsn : 1; }
    group->is_unsure = false;
    if (lsn < group->last_lsn) { return; }
    group->last_lsn = lsn;
    paxos_journal_note(j, index, header);
}

void paxos_scan_record(paxos_journal_t *j, const uint8_t *header) {
    const uint64_t lsn = paxos_get64(header + 64);
    const uint32_t known = j->group_count;
    const uint32_t index = paxos_journal_add(j, paxos_get32(header + 16));
    if (index == j->group_count) {
        j->is_unsure = true;
        return;
    }
    group_t *group = &j->groups[index];
    if (index == known) { group->first_lsn = 1; }
    group->is_unsure = false;
    if (lsn <= group->last_lsn) { return; }
    group->last_lsn = lsn;
    paxos_journal_note(j, index, header);
}

static void take_batch(paxos_journal_t *j, const cursor_t *cursor) {
    const batch_t *batch = &cursor->batch;
    uint64_t offset_bytes = SECTOR_BYTES;
    for (uint32_t i = 0; i < batch->count; i++) {
        const uint8_t *header = paxos_batch_record(j, cursor, i, offset_bytes, &offset_bytes);
        if (header == NULL) {
            doubt_groups(j);
            return;
        }
        if (batch->kind == BATCH_TABLE) {
            take_row(j, cursor, header);
        } else {
            paxos_scan_record(j, header);
        }
    }
    /* A table names every group that had a record before, as far as was known then. */
    if (batch->kind == BATCH_TABLE) { j->is_unsure = (batch->flags & BATCH_UNSURE) != 0; }
}

/* What was read from memory may never have reached the disk, if a flush of it failed: it is written
 * again. A batch that was flushed before stays as it is. */
static paxos_journal_status_t write_again(paxos_journal_t *j, const cursor_t *cursor) {
    if (j->is_read_only || !cursor->is_whole || cursor->sequence <= j->flushed) {
        return PAXOS_JOURNAL_OK;
    }
    const uint64_t offset_bytes =
        paxos_journal_place(j, cursor->start_segment) + cursor->start_bytes;
    return paxos_journal_write(
        j, j->journal_file, cursor->bytes, cursor->length_bytes, offset_bytes,
        "write of the last batch");
}

/* The newest segment that begins with a whole table: that says of every group what came before. */
static uint64_t newest_table(paxos_journal_t *j) {
    uint64_t segment = j->newest;
    for (; segment > j->oldest; segment--) {
        const uint8_t *sector = paxos_journal_view(j, segment, 0, SECTOR_BYTES);
        batch_t batch;
        if (paxos_batch_header_get(j, sector, BATCH_HEAD_MAGIC, &batch) &&
            batch.kind == BATCH_TABLE && batch.segment == segment && batch.page == 0 &&
            is_whole(j, &batch)) {
            break;
        }
    }
    return segment;
}

/* What each group has: its first lsn is in the first table, its last one in the newest or behind
 * it. What lies between is looked at when it is read. */
static paxos_journal_status_t walk(paxos_journal_t *j, cursor_t *cursor) {
    const uint64_t steps = paxos_walk_steps_max(j);
    const uint64_t table = j->newest == 0 ? 0 : newest_table(j);
    paxos_cursor_start(j, cursor, j->oldest);
    for (uint64_t i = 0; i < steps; i++) {
        paxos_cursor_step(j, cursor);
        if (cursor->found == FOUND_END) { break; }
        if (cursor->found == FOUND_LOST) {
            doubt_groups(j);
        } else {
            take_batch(j, cursor);
            const paxos_journal_status_t status = write_again(j, cursor);
            if (status != PAXOS_JOURNAL_OK) { return status; }
        }
        if (i == 0 && table > j->oldest) { paxos_cursor_start(j, cursor, table); }
    }
    return PAXOS_JOURNAL_OK;
}

/* Zeros from the end of the newest segment on, where a torn tail stood, and as far as the last
 * flush can have come: zeros that are seen may be there in memory alone, too. */
static paxos_journal_status_t clear_tail(paxos_journal_t *j, const cursor_t *end) {
    if (end->offset_bytes >= j->segment_bytes) { return PAXOS_JOURNAL_OK; }
    uint64_t written = paxos_cursor_written_end(j, end);
    j->report.torn_bytes = written - end->offset_bytes;
    if (j->is_read_only) { return PAXOS_JOURNAL_OK; }
    const uint64_t reach = end->offset_bytes + j->table_bytes_max + j->batch_bytes_max;
    if (written < reach) { written = reach < j->segment_bytes ? reach : j->segment_bytes; }
    for (uint64_t at = end->offset_bytes; at < written; at += ZERO_PIECE_BYTES) {
        const uint64_t rest = written - at;
        const paxos_journal_status_t status = paxos_journal_write(
            j, j->journal_file, j->zeros, rest < ZERO_PIECE_BYTES ? rest : ZERO_PIECE_BYTES,
            paxos_journal_place(j, end->segment) + at, "clearing of a torn tail");
        if (status != PAXOS_JOURNAL_OK) { return status; }
    }
    j->view_segment = UINT64_MAX;
    return PAXOS_JOURNAL_OK;
}

paxos_journal_status_t paxos_journal_scan(paxos_journal_t *j) {
    cursor_t end;
    find_segments(j);
    paxos_journal_status_t status = walk(j, &end);
    if (status == PAXOS_JOURNAL_OK) { status = clear_tail(j, &end); }
    if (status != PAXOS_JOURNAL_OK) { return status; }
    j->report.has_fallen_back = end.has_fallen_back;
    j->sequence = end.sequence;
    j->flushed = end.sequence;
    if (end.incarnation > j->incarnation) { j->incarnation = end.incarnation; }
    j->newest = end.segment;
    j->offset_bytes = end.offset_bytes;
    if (end.offset_bytes == 0) {
        /* Nothing of the segment is left: it has not begun. */
        j->newest = end.segment - 1;
        j->offset_bytes = end.from_segment == j->newest ? end.from_bytes : j->segment_bytes;
    }
    if (j->is_read_only) { return PAXOS_JOURNAL_OK; }
    return paxos_journal_sync(j, j->journal_file, "flush of what was found");
}
