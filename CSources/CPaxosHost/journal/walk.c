/* walk.c - from batch to batch through the segments in use, over whatever is damaged.
 *
 * A batch whose header cannot be read from its first sector is found by its last one. What lies
 * between two batches that can be found is lost; what lies behind the last one is lost if something
 * says that it was durable, or was never written whole and is the end. See JOURNAL.md. */
#include "journal.h"

#include <errno.h>
#include <string.h>

/* What a page that the disk does not read back is taken for: no zeros, and no header. */
enum { UNREADABLE_BYTE = 0xEE };

/* What is read at once, if no batch is longer: what the processor's cache holds while it is looked
 * at. */
enum { VIEW_PIECE_BYTES = 256 << 10 };

/* Read a page-aligned stretch. A page that cannot be read counts as damaged. */
void paxos_journal_read_pages(
    paxos_journal_t *j, uint8_t *bytes, uint64_t length_bytes, uint64_t offset_bytes) {
    uint64_t done = 0;
    uint64_t end = length_bytes; /* of the stretch that is asked for at once */
    while (done < length_bytes) {
        const int64_t count = j->files.read(
            j->files.context, j->journal_file, bytes + done, end - done, offset_bytes + done);
        const uint64_t page_end = done / PAGE_BYTES * PAGE_BYTES + PAGE_BYTES;
        if (count > 0) {
            done += (uint64_t)count;
            end = length_bytes;
        } else if (count == -EINTR) {
            continue;
        } else if (end != page_end) {
            end = page_end; /* once more, a page alone: the fault may be in another one */
        } else {
            memset(bytes + done, UNREADABLE_BYTE, page_end - done);
            j->report.unreadable_pages += 1;
            done = page_end;
            end = length_bytes;
        }
    }
    j->report.bytes_read += length_bytes;
}

const uint8_t *paxos_journal_view(
    paxos_journal_t *j, uint64_t segment, uint64_t offset_bytes, uint64_t length_bytes) {
    const uint64_t end = offset_bytes + length_bytes;
    PAXOS_ASSERT(end <= j->segment_bytes);
    const uint64_t view_end = j->view_start_bytes + j->view_length_bytes;
    if (j->view_segment != segment || offset_bytes < j->view_start_bytes || end > view_end) {
        const uint64_t start = offset_bytes / PAGE_BYTES * PAGE_BYTES;
        const uint64_t rest = j->segment_bytes - start;
        const uint64_t room = paxos_journal_buffer_bytes(j);
        uint64_t length = start + VIEW_PIECE_BYTES < end ? end - start : VIEW_PIECE_BYTES;
        if (length > room) { length = room; }
        if (length > rest) { length = rest; }
        uint64_t kept = 0; /* what was read before is not read again */
        if (j->view_segment == segment && start >= j->view_start_bytes && start < view_end) {
            kept = view_end - start;
            memmove(j->view, j->view + (start - j->view_start_bytes), kept);
        }
        PAXOS_ASSERT(end - start <= length && kept <= length);
        j->view_segment = segment;
        j->view_start_bytes = start;
        j->view_length_bytes = length;
        paxos_journal_read_pages(
            j, j->view + kept, length - kept, paxos_journal_place(j, segment) + start + kept);
    }
    return j->view + (offset_bytes - j->view_start_bytes);
}

void paxos_cursor_start(const paxos_journal_t *j, cursor_t *cursor, uint64_t segment) {
    memset(cursor, 0, sizeof *cursor);
    cursor->segment = j->newest == 0 ? 1 : segment;
    cursor->from_segment = cursor->segment;
}

bool paxos_cursor_is_first(const paxos_journal_t *j, const cursor_t *cursor) {
    return cursor->start_segment == j->oldest && cursor->start_bytes == 0;
}

/* Whether a header can be of a batch that comes after what the cursor has seen. */
static bool is_next(const cursor_t *cursor, const batch_t *batch) {
    return batch->segment == cursor->segment && batch->sequence > cursor->sequence &&
           batch->incarnation >= cursor->incarnation;
}

static bool head_at(paxos_journal_t *j, const cursor_t *cursor, uint64_t page, batch_t *batch) {
    const uint8_t *sector = paxos_journal_view(j, cursor->segment, page * PAGE_BYTES, SECTOR_BYTES);
    return paxos_batch_header_get(j, sector, BATCH_HEAD_MAGIC, batch) && batch->page == page &&
           is_next(cursor, batch);
}

static bool tail_at(paxos_journal_t *j, const cursor_t *cursor, uint64_t page, batch_t *batch) {
    const uint64_t offset_bytes = (page + 1) * PAGE_BYTES - SECTOR_BYTES;
    const uint8_t *sector = paxos_journal_view(j, cursor->segment, offset_bytes, SECTOR_BYTES);
    return paxos_batch_header_get(j, sector, BATCH_TAIL_MAGIC, batch) &&
           batch->page + batch->pages == page + 1 && is_next(cursor, batch);
}

bool paxos_cursor_find(paxos_journal_t *j, const cursor_t *cursor, batch_t *batch) {
    const uint64_t pages = j->segment_bytes / PAGE_BYTES;
    const uint64_t from = cursor->offset_bytes / PAGE_BYTES;
    for (uint64_t page = from; page < pages; page++) {
        if (head_at(j, cursor, page, batch)) { return true; }
        if (tail_at(j, cursor, page, batch) && batch->page >= from) { return true; }
    }
    return false;
}

uint64_t paxos_cursor_written_end(paxos_journal_t *j, const cursor_t *cursor) {
    uint64_t end = cursor->offset_bytes;
    for (uint64_t at = end; at < j->segment_bytes; at += PAGE_BYTES) {
        if (!paxos_journal_is_zero(
                paxos_journal_view(j, cursor->segment, at, PAGE_BYTES), PAGE_BYTES)) {
            end = at + PAGE_BYTES;
        }
    }
    return end;
}

/* All between the last batch and here is lost. */
static void lose(const paxos_journal_t *j, cursor_t *cursor, uint64_t end_bytes) {
    const uint64_t segments = cursor->segment - cursor->from_segment;
    cursor->found = FOUND_LOST;
    cursor->start_segment = cursor->from_segment;
    cursor->start_bytes = cursor->from_bytes;
    cursor->length_bytes = segments * j->segment_bytes + end_bytes - cursor->from_bytes;
    cursor->offset_bytes = end_bytes;
    cursor->from_segment = cursor->segment;
    cursor->from_bytes = end_bytes;
}

/* Nothing can be found from here on in the newest segment. */
static void end_of_newest(paxos_journal_t *j, cursor_t *cursor) {
    const uint8_t *sector =
        cursor->offset_bytes < j->segment_bytes
            ? paxos_journal_view(j, cursor->segment, cursor->offset_bytes, SECTOR_BYTES)
            : NULL;
    const bool is_damaged = sector != NULL && !paxos_journal_is_zero(sector, SECTOR_BYTES);
    if (cursor->sequence < j->flushed) {
        /* It ends before what was durable: whatever was there is lost. */
        cursor->has_fallen_back = true;
        lose(j, cursor, paxos_cursor_written_end(j, cursor));
        cursor->sequence = j->flushed;
    } else if (is_damaged) {
        /* Zeros were there before: something was written, and may have been durable. */
        lose(j, cursor, paxos_cursor_written_end(j, cursor));
        cursor->sequence += 1;
    } else {
        cursor->found = FOUND_END;
    }
}

/* A batch was found at or behind the cursor. */
static void take_batch(paxos_journal_t *j, cursor_t *cursor, const batch_t *batch) {
    const uint64_t offset_bytes = (uint64_t)batch->page * PAGE_BYTES;
    const bool is_gap =
        batch->sequence != cursor->sequence + 1 || offset_bytes != cursor->offset_bytes;
    if (is_gap && cursor->sequence + 1 > j->flushed) {
        /* The one before was not known to be durable, and this one comes too early to say so. */
        end_of_newest(j, cursor);
        return;
    }
    if (is_gap) {
        lose(j, cursor, offset_bytes);
        cursor->sequence = batch->sequence - 1;
        return;
    }
    const uint64_t length_bytes = (uint64_t)batch->pages * PAGE_BYTES;
    const uint8_t *bytes = paxos_journal_view(j, cursor->segment, offset_bytes, length_bytes);
    const batch_state_t state = paxos_batch_check(j, bytes, batch);
    if (state == BATCH_TORN && batch->sequence > j->flushed) {
        cursor->found = FOUND_END;
        return;
    }
    cursor->found = FOUND_BATCH;
    cursor->batch = *batch;
    cursor->bytes = bytes;
    cursor->is_whole = state == BATCH_WHOLE;
    cursor->start_segment = cursor->segment;
    cursor->start_bytes = offset_bytes;
    cursor->length_bytes = length_bytes;
    cursor->offset_bytes = offset_bytes + length_bytes;
    cursor->from_segment = cursor->segment;
    cursor->from_bytes = cursor->offset_bytes;
    cursor->sequence = batch->sequence;
    cursor->incarnation = batch->incarnation;
}

void paxos_cursor_step(paxos_journal_t *j, cursor_t *cursor) {
    const uint64_t last_segment = j->newest == 0 ? 1 : j->newest;
    /* The oldest segment's first batch follows on nothing that can be seen. */
    for (uint32_t i = 0; i <= j->segment_count; i++) {
        batch_t batch;
        if (paxos_cursor_find(j, cursor, &batch)) {
            const bool is_start = cursor->sequence == 0 && cursor->offset_bytes == 0;
            if (is_start && batch.page == 0) { cursor->sequence = batch.sequence - 1; }
            take_batch(j, cursor, &batch);
            return;
        }
        if (cursor->segment >= last_segment) {
            end_of_newest(j, cursor);
            return;
        }
        cursor->segment += 1;
        cursor->offset_bytes = 0;
    }
    cursor->found = FOUND_END;
}
