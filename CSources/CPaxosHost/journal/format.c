/* format.c - a directory becomes a journal, once in a node's life. See JOURNAL.md.
 *
 * The superblock comes last and under its name at once: what is half done is no journal. */
#include "journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_BYTES = 1 << 20 };

static const char *path_in(char *path, const char *directory, const char *name) {
    (void)snprintf(
        path, PAXOS_JOURNAL_PATH_BYTES_MAX + 32, "%s/%s", directory, name); /* checked before */
    return path;
}

typedef struct format {
    paxos_journal_t journal;
    paxos_journal_t earlier; /* what a format left that did not come to its end */
    const char *directory;
    uint8_t *zeros;
    char path[PAXOS_JOURNAL_PATH_BYTES_MAX + 32];
    char path2[PAXOS_JOURNAL_PATH_BYTES_MAX + 32];
} format_t;

static void take_shape(paxos_journal_t *j, const paxos_journal_shape_t *shape) {
    j->node = shape->node;
    j->cluster = shape->cluster;
    j->salt = paxos_host_seed() | 1;
    j->segment_bytes = shape->segment_bytes != 0 ? shape->segment_bytes : 16u << 20;
    j->segment_count = shape->segment_count != 0 ? shape->segment_count : 8;
    j->batch_bytes_max = shape->batch_bytes_max != 0 ? shape->batch_bytes_max : 2u << 20;
    j->groups_max = shape->groups_max != 0 ? shape->groups_max : 64;
}

/* OK: no file of the name is there; ERR_EXISTS; or ERR_SYSTEM, when nobody can say. */
static paxos_journal_status_t missing(format_t *f, const char *name) {
    paxos_journal_t *j = &f->journal;
    const int file = j->files.open(j->files.context, path_in(f->path, f->directory, name), false);
    if (file == -ENOENT) { return PAXOS_JOURNAL_OK; }
    if (file < 0) { return paxos_journal_fail(j, -file, "looking for what is there"); }
    j->files.close(j->files.context, file);
    return PAXOS_JOURNAL_ERR_EXISTS;
}

/* Whether format came as far as between its renames: then the superblock is whole under its first
 * name, and of no life yet. Of a journal that was ever open it stands under its own. */
static bool is_half_made(format_t *f) {
    const paxos_journal_options_t anybody = {.size_bytes = sizeof anybody};
    const char *what = NULL;
    f->earlier.files = f->journal.files;
    f->earlier.superblock_file = f->journal.superblock_file;
    return paxos_superblock_read(&f->earlier, &anybody, &what) == PAXOS_JOURNAL_OK &&
           f->earlier.incarnation == 0;
}

static paxos_journal_status_t fill(format_t *f, uint64_t length_bytes) {
    paxos_journal_t *j = &f->journal;
    for (uint64_t at = 0; at < length_bytes; at += PIECE_BYTES) {
        const uint64_t rest = length_bytes - at;
        const paxos_journal_status_t status = paxos_journal_write(
            j, j->journal_file, f->zeros, rest < PIECE_BYTES ? rest : PIECE_BYTES, at,
            "zeroing of the journal");
        if (status != PAXOS_JOURNAL_OK) { return status; }
    }
    return paxos_journal_sync(j, j->journal_file, "flush of the journal");
}

static paxos_journal_status_t rename_to(format_t *f, const char *from, const char *to) {
    paxos_journal_t *j = &f->journal;
    const int status = j->files.rename(
        j->files.context, path_in(f->path, f->directory, from),
        path_in(f->path2, f->directory, to));
    return status < 0 ? paxos_journal_fail(j, -status, "rename") : PAXOS_JOURNAL_OK;
}

static paxos_journal_status_t flush_names(format_t *f, const char *name) {
    paxos_journal_t *j = &f->journal;
    const int status =
        j->files.flush_directory(j->files.context, path_in(f->path, f->directory, name));
    return status < 0 ? paxos_journal_fail(j, -status, "flush of the directory") : PAXOS_JOURNAL_OK;
}

static paxos_journal_status_t write_journal(format_t *f) {
    paxos_journal_t *j = &f->journal;
    j->journal_file =
        j->files.open(j->files.context, path_in(f->path, f->directory, "journal.new"), true);
    if (j->journal_file < 0) {
        return paxos_journal_fail(j, -j->journal_file, "open of the journal");
    }
    const uint64_t length_bytes = j->segment_bytes * j->segment_count;
    const int64_t there = j->files.size(j->files.context, j->journal_file);
    if (there < 0) { return paxos_journal_fail(j, (int)-there, "size of the journal"); }
    /* What a larger format has left would stay behind the last segment. */
    if ((uint64_t)there > length_bytes) {
        return paxos_journal_fail(j, EFBIG, "journal.new is there, and larger: remove it");
    }
    return fill(f, length_bytes);
}

static paxos_journal_status_t write_superblock(format_t *f) {
    paxos_journal_t *j = &f->journal;
    for (uint32_t copy = 0; copy < 2; copy++) {
        j->generation = copy + 1;
        paxos_superblock_write(j, f->zeros); /* all is filled by now */
        const paxos_journal_status_t status = paxos_journal_write(
            j, j->superblock_file, f->zeros, PAGE_BYTES, copy * PAGE_BYTES,
            "write of the superblock");
        if (status != PAXOS_JOURNAL_OK) { return status; }
    }
    const paxos_journal_status_t status = paxos_superblock_mark(j, 0);
    return status == PAXOS_JOURNAL_OK
               ? paxos_journal_sync(j, j->superblock_file, "flush of the superblock")
               : status;
}

/* Each step is durable before the next, so that of two renames never the second alone is, and the
 * first one never without the superblock that tells what it is. */
static paxos_journal_status_t give_names(format_t *f) {
    paxos_journal_status_t status = flush_names(f, ".");
    if (status == PAXOS_JOURNAL_OK) { status = rename_to(f, "journal.new", "journal"); }
    if (status == PAXOS_JOURNAL_OK) { status = flush_names(f, "."); }
    if (status == PAXOS_JOURNAL_OK) { status = flush_names(f, ".."); }
    if (status == PAXOS_JOURNAL_OK) { status = rename_to(f, "superblock.new", "superblock"); }
    if (status != PAXOS_JOURNAL_OK) { return status; }
    status = flush_names(f, ".");
    /* A journal whose name may go with the next power cut is none: it can be made again. */
    if (status != PAXOS_JOURNAL_OK) { (void)rename_to(f, "superblock", "superblock.new"); }
    return status;
}

static paxos_journal_status_t make(format_t *f) {
    paxos_journal_t *j = &f->journal;
    const int made = j->files.make_directory(j->files.context, f->directory);
    if (made < 0 && made != -EEXIST) {
        return paxos_journal_fail(j, -made, "making the directory");
    }
    j->superblock_file =
        j->files.lock(j->files.context, path_in(f->path, f->directory, "superblock.new"), true);
    if (j->superblock_file == -EWOULDBLOCK) { return PAXOS_JOURNAL_ERR_LOCKED; }
    if (j->superblock_file < 0) {
        return paxos_journal_fail(j, -j->superblock_file, "open of the superblock");
    }
    paxos_journal_status_t status = missing(f, "superblock");
    if (status != PAXOS_JOURNAL_OK) { return status; }
    /* A journal without a superblock may be one whose superblock was lost: hands off. */
    status = missing(f, "journal");
    if (status == PAXOS_JOURNAL_ERR_EXISTS && is_half_made(f)) { status = PAXOS_JOURNAL_OK; }
    if (status == PAXOS_JOURNAL_OK) { status = write_journal(f); }
    if (status == PAXOS_JOURNAL_OK) { status = write_superblock(f); }
    return status == PAXOS_JOURNAL_OK ? give_names(f) : status;
}

paxos_journal_status_t paxos_journal_format(
    const paxos_files_t *files, const char *directory, const paxos_journal_shape_t *shape,
    paxos_journal_fault_t *fault) {
    paxos_journal_fault_t unused;
    if (fault == NULL) { fault = &unused; }
    *fault = (paxos_journal_fault_t){0, "memory"};
    PAXOS_ASSERT(shape->size_bytes == sizeof *shape);
    format_t *f = calloc(1, sizeof *f);
    uint8_t *zeros = calloc(1, PIECE_BYTES);
    paxos_journal_status_t status = PAXOS_JOURNAL_ERR_SYSTEM;
    if (f != NULL && zeros != NULL) {
        paxos_journal_t *j = &f->journal;
        j->files = files != NULL ? *files : *paxos_files_posix();
        j->journal_file = -1;
        j->superblock_file = -1;
        f->directory = directory;
        f->zeros = zeros;
        take_shape(j, shape);
        const char *rule = paxos_journal_shape_rule(j);
        if (strlen(directory) > PAXOS_JOURNAL_PATH_BYTES_MAX) { rule = "path too long"; }
        status = rule == NULL ? make(f) : PAXOS_JOURNAL_ERR_SHAPE;
        *fault = rule == NULL ? j->fault : (paxos_journal_fault_t){0, rule};
        if (j->journal_file >= 0) { j->files.close(j->files.context, j->journal_file); }
        if (j->superblock_file >= 0) { j->files.close(j->files.context, j->superblock_file); }
    }
    free(zeros);
    free(f);
    return status;
}
