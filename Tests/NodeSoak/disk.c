/* disk.c - a disk that fails, writes in part, and forgets at a power cut what was not flushed.
 *
 * pwrite(2) and fdatasync(2) as the program sees them: a program's own functions are found before
 * those of the C library. So the shipping file layer is under test, too. */
#define _GNU_SOURCE 1

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "paxos/random.h"
#include "soak.h"

enum { SECTOR_BYTES = 512, HELD_MAX = 4096, PIECE_SECTORS_MAX = 16 };

/* A piece of a write that the disk still has in its cache. */
typedef struct held {
    int file;
    size_t length_bytes;
    off_t offset;
    uint8_t *bytes;
} held_t;

static switches_t *switches;
static uint64_t random_state;
static held_t held[HELD_MAX];
static uint32_t held_count;
static int failed_file = -1;

void disk_watch(switches_t *watched, uint64_t seed) {
    switches = watched;
    random_state = seed;
}

static ssize_t write_through(int file, const uint8_t *bytes, size_t length_bytes, off_t offset) {
    return syscall(SYS_pwrite64, file, bytes, length_bytes, offset);
}

/* Whether this call is the one; *error its errno, 0: a part of it is done. */
static bool is_hit(int *error) {
    if (switches == NULL) { return false; }
    const uint32_t left = atomic_load(&switches->calls_left);
    if (left == 0) { return false; }
    atomic_store(&switches->calls_left, left - 1);
    *error = atomic_load(&switches->error);
    return left == 1;
}

/* A failed write or flush is never tried again, nor anything else with that file. */
static void expect_no_more(int file) {
    if (file == failed_file) { _exit(NODE_WENT_ON); }
}

static ssize_t fail(int file, int error) {
    failed_file = file;
    atomic_fetch_add(&switches->came_to_pass, 1);
    errno = error;
    return -1;
}

static bool overlaps_held(int file, size_t length_bytes, off_t offset) {
    for (uint32_t i = 0; i < held_count; i++) {
        const held_t *piece = &held[i];
        if (piece->file == file && piece->offset < offset + (off_t)length_bytes &&
            offset < piece->offset + (off_t)piece->length_bytes) {
            return true;
        }
    }
    return false;
}

static void hold(int file, const uint8_t *bytes, size_t length_bytes, off_t offset) {
    held_t *piece = &held[held_count];
    *piece = (held_t){file, length_bytes, offset, malloc(length_bytes)};
    if (piece->bytes == NULL) { _exit(NODE_GAVE_UP); }
    memcpy(piece->bytes, bytes, length_bytes);
    held_count += 1;
}

/* The held pieces of a file reach the disk, or are gone. */
static void settle(int file, bool is_kept) {
    uint32_t left = 0;
    for (uint32_t i = 0; i < held_count; i++) {
        held_t *piece = &held[i];
        if (piece->file != file) {
            held[left++] = *piece;
            continue;
        }
        if (is_kept && write_through(file, piece->bytes, piece->length_bytes, piece->offset) !=
                           (ssize_t)piece->length_bytes) {
            _exit(NODE_GAVE_UP);
        }
        free(piece->bytes);
    }
    held_count = left;
}

/* Sectors go to the disk now or with the flush, in any order. */
static ssize_t write_in_pieces(int file, const uint8_t *bytes, size_t length_bytes, off_t offset) {
    size_t at = 0;
    while (at < length_bytes) {
        const uint64_t random = paxos_random_next(&random_state);
        size_t piece = (1 + (random >> 8) % PIECE_SECTORS_MAX) * SECTOR_BYTES;
        if (piece > length_bytes - at) { piece = length_bytes - at; }
        if (held_count == HELD_MAX) { settle(file, true); } /* a cache has an end */
        if (random % 2 == 0 || overlaps_held(file, piece, offset + (off_t)at)) {
            hold(file, bytes + at, piece, offset + (off_t)at);
        } else if (write_through(file, bytes + at, piece, offset + (off_t)at) != (ssize_t)piece) {
            _exit(NODE_GAVE_UP);
        }
        at += piece;
    }
    return (ssize_t)length_bytes;
}

ssize_t pwrite(int file, const void *bytes, size_t length_bytes, off_t offset) {
    int error = 0;
    expect_no_more(file);
    if (is_hit(&error)) {
        if (error != 0) { return fail(file, error); }
        if (length_bytes > SECTOR_BYTES) { length_bytes = SECTOR_BYTES; }
    }
    if (switches == NULL || atomic_load(&switches->power_cuts) == 0) {
        return write_through(file, bytes, length_bytes, offset);
    }
    return write_in_pieces(file, bytes, length_bytes, offset);
}

ssize_t pread(int file, void *bytes, size_t length_bytes, off_t offset) {
    const ssize_t got = syscall(SYS_pread64, file, bytes, length_bytes, offset);
    for (uint32_t i = 0; i < held_count; i++) {
        const held_t *piece = &held[i];
        if (piece->file != file || got <= 0) { continue; }
        const off_t start = piece->offset > offset ? piece->offset : offset;
        const off_t piece_end = piece->offset + (off_t)piece->length_bytes;
        const off_t end = piece_end < offset + got ? piece_end : offset + got;
        if (start >= end) { continue; }
        memcpy(
            (uint8_t *)bytes + (start - offset), piece->bytes + (start - piece->offset),
            (size_t)(end - start));
    }
    return got;
}

int fdatasync(int file) {
    int error = 0;
    expect_no_more(file);
    if (is_hit(&error) && error != 0) {
        settle(file, false); /* the system takes what it could not write for clean */
        return (int)fail(file, error);
    }
    settle(file, true);
    return (int)syscall(SYS_fdatasync, file);
}
