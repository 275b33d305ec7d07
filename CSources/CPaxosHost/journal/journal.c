/* journal.c - open and close, groups, and what is said about it all. See paxos_journal.h. */
#include "journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void paxos_journal_enter(paxos_journal_t *j) {
    PAXOS_ASSERT(!j->is_within_a_call);
    j->is_within_a_call = true;
}

paxos_journal_status_t paxos_journal_fail(paxos_journal_t *j, int error, const char *what) {
    if (j->fault.what == NULL) { j->fault = (paxos_journal_fault_t){error, what}; }
    j->phase = PHASE_FAILED;
    return PAXOS_JOURNAL_ERR_SYSTEM;
}

paxos_journal_status_t paxos_journal_write(
    paxos_journal_t *j, int file, const uint8_t *bytes, uint64_t length_bytes,
    uint64_t offset_bytes, const char *what) {
    uint64_t done = 0;
    while (done < length_bytes) {
        const int64_t count = j->files.write(
            j->files.context, file, bytes + done, length_bytes - done, offset_bytes + done);
        if (count == -EINTR) { continue; } /* nothing was written */
        if (count <= 0) { return paxos_journal_fail(j, count == 0 ? EIO : (int)-count, what); }
        done += (uint64_t)count;
    }
    j->report.bytes_written += length_bytes;
    return PAXOS_JOURNAL_OK;
}

paxos_journal_status_t paxos_journal_sync(paxos_journal_t *j, int file, const char *what) {
    const int status = j->files.flush(j->files.context, file);
    return status < 0 ? paxos_journal_fail(j, -status, what) : PAXOS_JOURNAL_OK;
}

paxos_journal_status_t paxos_journal_write_durably(
    paxos_journal_t *j, const uint8_t *bytes, uint64_t length_bytes, uint64_t offset_bytes) {
    if (j->files.write_and_flush == NULL) {
        const paxos_journal_status_t status = paxos_journal_write(
            j, j->journal_file, bytes, length_bytes, offset_bytes, "write of a batch");
        return status == PAXOS_JOURNAL_OK
                   ? paxos_journal_sync(j, j->journal_file, "flush of a batch")
                   : status;
    }
    const int status = j->files.write_and_flush(
        j->files.context, j->journal_file, bytes, length_bytes, offset_bytes);
    if (status < 0) { return paxos_journal_fail(j, -status, "write and flush of a batch"); }
    j->report.bytes_written += length_bytes;
    return PAXOS_JOURNAL_OK;
}

uint64_t paxos_journal_place(const paxos_journal_t *j, uint64_t segment) {
    return segment % j->segment_count * j->segment_bytes;
}

bool paxos_journal_is_zero(const uint8_t *bytes, uint64_t length_bytes) {
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, length_bytes - 1) == 0;
}

static uint32_t slot_of(const paxos_journal_t *j, uint32_t group) {
    uint32_t at = (uint32_t)((group * 0x9E3779B97F4A7C15u) >> 32) & j->index_mask;
    while (j->index[at] != 0 && j->groups[j->index[at] - 1].group != group) {
        at = (at + 1) & j->index_mask; /* at most half of the index is taken */
    }
    return at;
}

uint32_t paxos_journal_find(const paxos_journal_t *j, uint32_t group) {
    const uint32_t taken = j->index[slot_of(j, group)];
    return taken == 0 ? j->group_count : taken - 1;
}

uint32_t paxos_journal_add(paxos_journal_t *j, uint32_t group) {
    const uint32_t at = slot_of(j, group);
    if (j->index[at] != 0) { return j->index[at] - 1; }
    if (j->group_count == j->groups_max) { return j->group_count; }
    const uint32_t index = j->group_count;
    j->group_count += 1;
    j->index[at] = j->group_count;
    j->groups[index].group = group;
    j->groups[index].retained_from = 1;
    return index;
}

uint64_t *paxos_journal_reach(const paxos_journal_t *j, uint64_t segment, uint32_t index) {
    return &j->reach[segment % j->segment_count * j->groups_max + index];
}

uint64_t *paxos_journal_base(const paxos_journal_t *j, uint64_t segment, uint32_t index) {
    return &j->base[segment % j->segment_count * j->groups_max + index];
}

void paxos_journal_hold(
    paxos_journal_t *j, uint64_t segment, uint32_t index, const uint8_t *header) {
    const uint64_t slot = paxos_get64(header + 48);
    const uint64_t last = slot == 0 ? 0 : slot + paxos_get32(header + 32) - 1;
    uint64_t *reach = paxos_journal_reach(j, segment, index);
    if (last > *reach) { *reach = last; }
    uint64_t *base = paxos_journal_base(j, segment, index);
    const bool has_entries = paxos_get32(header + 36) != 0;
    if (has_entries && (*base == 0 || slot < *base)) { *base = slot; }
}

void paxos_journal_note(paxos_journal_t *j, uint32_t index, const uint8_t *header) {
    uint8_t *row = j->groups[index].row;
    const uint64_t trim = paxos_get64(row + 88);
    const uint16_t flags = paxos_get16(row + 28);
    memcpy(row, header, PAXOS_FRAME_HEADER_BYTES);
    if (trim > paxos_get64(row + 88)) { paxos_put64(row + 88, trim); }
    paxos_put16(row + 28, paxos_get16(row + 28) | flags);
    paxos_record_to_mark(row);
}

const char *paxos_journal_shape_rule(const paxos_journal_t *j) {
    if (j->node == 0) { return "the node is not 0"; }
    if (j->cluster == 0) { return "the cluster is not 0"; }
    if (j->segment_count < PAXOS_JOURNAL_SEGMENTS_MIN ||
        j->segment_count > PAXOS_JOURNAL_SEGMENTS_MAX) {
        return "segments are 3 to 4096";
    }
    if (j->groups_max < 1 || j->groups_max > PAXOS_JOURNAL_GROUPS_MAX) {
        return "groups are 1 to 65536";
    }
    if (j->batch_bytes_max % PAGE_BYTES != 0 ||
        j->batch_bytes_max < PAXOS_JOURNAL_BATCH_BYTES_MIN ||
        j->batch_bytes_max > PAXOS_JOURNAL_BATCH_BYTES_MAX) {
        return "a batch is 8192 to 67108864 bytes, a multiple of 4096";
    }
    const uint64_t table =
        paxos_batch_bytes((uint64_t)j->groups_max * PAXOS_FRAME_HEADER_BYTES, j->groups_max);
    if (j->segment_bytes % PAGE_BYTES != 0 || j->segment_bytes > PAXOS_JOURNAL_SEGMENT_BYTES_MAX ||
        j->segment_bytes < 2 * table + j->batch_bytes_max) {
        return "a segment is up to 1 GiB, a multiple of 4096, with room for a batch and two tables";
    }
    return NULL;
}

/* All the memory there will be. */
static bool take_memory(paxos_journal_t *j) {
    j->table_bytes_max = (uint32_t)paxos_batch_bytes(
        (uint64_t)j->groups_max * PAXOS_FRAME_HEADER_BYTES, j->groups_max);
    uint32_t slots = 2;
    while (slots < 2 * j->groups_max) { slots *= 2; }
    j->index_mask = slots - 1;
    j->buffer = malloc(paxos_journal_buffer_bytes(j));
    j->table = malloc(j->table_bytes_max);
    j->zeros = calloc(1, ZERO_PIECE_BYTES);
    j->groups = calloc(j->groups_max, sizeof *j->groups);
    j->index = calloc(slots, sizeof *j->index);
    j->reach = calloc((size_t)j->segment_count * j->groups_max, sizeof *j->reach);
    j->base = calloc((size_t)j->segment_count * j->groups_max, sizeof *j->base);
    j->is_lossy = calloc(j->segment_count, sizeof *j->is_lossy);
    j->fetch_buffer = malloc(paxos_journal_buffer_bytes(j));
    j->view = j->buffer;
    return j->buffer != NULL && j->table != NULL && j->zeros != NULL && j->groups != NULL &&
           j->index != NULL && j->reach != NULL && j->base != NULL && j->is_lossy != NULL &&
           j->fetch_buffer != NULL;
}

static void release(paxos_journal_t *j) {
    if (j->journal_file >= 0) { j->files.close(j->files.context, j->journal_file); }
    if (j->superblock_file >= 0) { j->files.close(j->files.context, j->superblock_file); }
    free(j->buffer);
    free(j->table);
    free(j->zeros);
    free(j->groups);
    free(j->index);
    free(j->reach);
    free(j->base);
    free(j->fetch_buffer);
    free(j->is_lossy);
    free(j);
}

static paxos_journal_status_t refuse(
    paxos_journal_t *j, paxos_journal_status_t status, const char *what) {
    j->fault = (paxos_journal_fault_t){0, what};
    return status;
}

static paxos_journal_status_t open_files(
    paxos_journal_t *j, const char *directory, const paxos_journal_options_t *options) {
    char path[PAXOS_JOURNAL_PATH_BYTES_MAX + 32];
    if (strlen(directory) > PAXOS_JOURNAL_PATH_BYTES_MAX) {
        return refuse(j, PAXOS_JOURNAL_ERR_SHAPE, "path too long");
    }
    (void)snprintf(path, sizeof path, "%s/superblock", directory);
    j->superblock_file = j->files.lock(j->files.context, path, false);
    if (j->superblock_file == -ENOENT) {
        return refuse(j, PAXOS_JOURNAL_ERR_MISSING, "superblock");
    }
    if (j->superblock_file == -EWOULDBLOCK) {
        return refuse(j, PAXOS_JOURNAL_ERR_LOCKED, "superblock");
    }
    if (j->superblock_file < 0) {
        return paxos_journal_fail(j, -j->superblock_file, "open of the superblock");
    }
    const char *what = NULL;
    const paxos_journal_status_t status = paxos_superblock_read(j, options, &what);
    if (status != PAXOS_JOURNAL_OK) { return refuse(j, status, what); }
    if (paxos_journal_shape_rule(j) != NULL) {
        return refuse(j, PAXOS_JOURNAL_ERR_CORRUPT, paxos_journal_shape_rule(j));
    }
    (void)snprintf(path, sizeof path, "%s/journal", directory);
    j->journal_file = j->files.open(j->files.context, path, false);
    if (j->journal_file == -ENOENT) { return refuse(j, PAXOS_JOURNAL_ERR_MISSING, "journal"); }
    if (j->journal_file < 0) {
        return paxos_journal_fail(j, -j->journal_file, "open of the journal");
    }
    const int64_t size = j->files.size(j->files.context, j->journal_file);
    if (size != (int64_t)(j->segment_bytes * j->segment_count)) {
        return refuse(j, PAXOS_JOURNAL_ERR_MISSING, "journal: not its size");
    }
    return PAXOS_JOURNAL_OK;
}

static paxos_journal_status_t open_all(
    paxos_journal_t *j, const char *directory, const paxos_journal_options_t *options) {
    const uint64_t start_ns = paxos_host_clock_ns();
    paxos_journal_status_t status = open_files(j, directory, options);
    if (status != PAXOS_JOURNAL_OK) { return status; }
    if (!take_memory(j)) { return paxos_journal_fail(j, ENOMEM, "memory"); }
    paxos_cpu_detect();
    status = paxos_journal_scan(j);
    if (status == PAXOS_JOURNAL_OK && !j->is_read_only) {
        status = paxos_superblock_mark(j, j->sequence);
        if (status == PAXOS_JOURNAL_OK) { status = paxos_superblock_raise(j); }
    }
    paxos_cursor_start(j, &j->cursor, j->oldest);
    j->report.open_ns = paxos_host_clock_ns() - start_ns;
    return status;
}

paxos_journal_status_t paxos_journal_open(
    const paxos_files_t *files, const char *directory, const paxos_journal_options_t *options,
    paxos_journal_t **journal_out, paxos_journal_fault_t *fault) {
    PAXOS_ASSERT(options->size_bytes == sizeof *options);
    *journal_out = NULL;
    paxos_journal_t *j = calloc(1, sizeof *j);
    if (j == NULL) {
        if (fault != NULL) { *fault = (paxos_journal_fault_t){ENOMEM, "memory"}; }
        return PAXOS_JOURNAL_ERR_SYSTEM;
    }
    j->files = files != NULL ? *files : *paxos_files_posix();
    j->superblock_file = -1;
    j->journal_file = -1;
    j->view_segment = UINT64_MAX;
    j->is_read_only = options->is_read_only != 0;
    const paxos_journal_status_t status = open_all(j, directory, options);
    if (fault != NULL) { *fault = j->fault; }
    if (status != PAXOS_JOURNAL_OK) {
        release(j);
        return status;
    }
    *journal_out = j;
    return PAXOS_JOURNAL_OK;
}

void paxos_journal_close(paxos_journal_t *j) {
    if (j == NULL) { return; }
    paxos_journal_enter(j);
    if (j->phase == PHASE_READY && paxos_superblock_mark(j, j->flushed) == PAXOS_JOURNAL_OK) {
        /* If this fails, an older mark stands: it says less, and nothing wrong. */
        (void)paxos_journal_sync(j, j->superblock_file, "flush of the head mark");
    }
    release(j);
}

static void describe(
    const paxos_journal_t *j, const group_t *group, bool is_unsure,
    paxos_journal_group_t *group_out) {
    (void)j;
    PAXOS_ASSERT(group_out->size_bytes == sizeof *group_out);
    group_out->group = group->group;
    group_out->first_lsn = group->first_lsn;
    group_out->last_lsn = group->last_lsn;
    group_out->acknowledged_lsn = is_unsure ? UINT64_MAX : group->last_lsn;
}

void paxos_journal_group(
    const paxos_journal_t *j, uint32_t group, paxos_journal_group_t *group_out) {
    const uint32_t index = paxos_journal_find(j, group);
    const group_t none = {.group = group, .first_lsn = 1};
    const bool is_known = index < j->group_count;
    describe(
        j, is_known ? &j->groups[index] : &none,
        is_known ? j->groups[index].is_unsure : j->is_unsure, group_out);
}

bool paxos_journal_group_at(
    const paxos_journal_t *j, uint32_t index, paxos_journal_group_t *group_out) {
    if (index >= j->group_count) { return false; }
    describe(j, &j->groups[index], j->groups[index].is_unsure, group_out);
    return true;
}

const char *paxos_journal_words(paxos_journal_status_t status) {
    switch (status) {
        case PAXOS_JOURNAL_OK: return "done";
        case PAXOS_JOURNAL_END: return "there is no more";
        case PAXOS_JOURNAL_ERR_SYSTEM: return "the system refused it";
        case PAXOS_JOURNAL_ERR_LOCKED: return "another process has the journal open";
        case PAXOS_JOURNAL_ERR_MISSING: return "no journal is there, or a part of it is gone";
        case PAXOS_JOURNAL_ERR_EXISTS: return "a journal, or half of one, is there already";
        case PAXOS_JOURNAL_ERR_VERSION: return "a journal of an unknown version";
        case PAXOS_JOURNAL_ERR_FOREIGN: return "the journal of another cluster or node";
        case PAXOS_JOURNAL_ERR_CORRUPT: return "the superblock is damaged";
        case PAXOS_JOURNAL_ERR_SHAPE: return "sizes that do not fit";
        case PAXOS_JOURNAL_ERR_BUSY: return "the batch is full: flush first";
        case PAXOS_JOURNAL_ERR_FULL: return "the journal is full: trim, then flush";
        case PAXOS_JOURNAL_ERR_TOO_LARGE: return "a record over the largest batch";
        case PAXOS_JOURNAL_ERR_GROUPS: return "more groups than the journal has room for";
        case PAXOS_JOURNAL_ERR_RECORD: return "not a whole record, or not the next of its group";
        case PAXOS_JOURNAL_ERR_GONE: return "the slot cannot be read back any more";
        case PAXOS_JOURNAL_ERR_STATE: return "not read to its end, or opened to look only";
    }
    return "unknown";
}

void paxos_journal_report(const paxos_journal_t *j, paxos_journal_report_t *report) {
    PAXOS_ASSERT(report->size_bytes == sizeof *report);
    *report = j->report;
    report->size_bytes = sizeof *report;
    report->incarnation = j->incarnation;
    report->cluster = j->cluster;
    report->node = j->node;
    report->version = PAXOS_JOURNAL_VERSION;
    report->segment_bytes = j->segment_bytes;
    report->segment_count = j->segment_count;
    report->segments_used = j->newest == 0 ? 0 : (uint32_t)(j->newest - j->oldest + 1);
    report->batch_bytes_max = j->batch_bytes_max;
    report->groups_max = j->groups_max;
    report->group_count = j->group_count;
    report->superblock_copies = j->superblock_copies;
    report->oldest_segment = j->oldest;
    report->newest_segment = j->newest;
    report->fault = j->fault;
    const uint64_t limit_bytes = paxos_journal_limit_bytes(j);
    const uint64_t here = j->offset_bytes < limit_bytes ? limit_bytes - j->offset_bytes : 0;
    report->free_bytes = here + (j->segment_count - report->segments_used) * limit_bytes;
    const uint32_t holder = j->newest == 0 ? j->group_count : paxos_recycle_holder(j, j->oldest);
    report->is_held = holder < j->group_count;
    report->held_by = report->is_held ? j->groups[holder].group : 0;
    report->held_slot = report->is_held ? *paxos_journal_reach(j, j->oldest, holder) : 0;
}
