/* disk.h - files in memory, on a disk that loses what was not flushed, and more where it is told.
 *
 * Each file has the bytes that a reader sees and the bytes that a power cut leaves; sectors of 512
 * bytes differ until they are flushed. A flush that failed leaves them different for ever: the
 * reader goes on seeing them, and the next flush claims to have written them.
 * Threads  one. */
#ifndef DISK_H
#define DISK_H

#include "paxos_files.h"

enum { DISK_FILES = 8, DISK_NAME_BYTES = 64, DISK_SECTOR_BYTES = 512 };

/* What a power cut does to sectors that were not flushed. */
typedef enum disk_cut {
    CUT_NOTHING_KEPT,
    CUT_ALL_KEPT,
    CUT_SOME_SECTORS, /* any of them, in any order */
    CUT_SOME_PAGES,   /* the same in units of 4 KiB */
    CUT_FIRST_KEPT,   /* as far as it came, from the front */
    CUT_INSIDE_SECTOR /* some, and one of them in part: no disk that keeps its word does it */
} disk_cut_t;

typedef struct disk_file {
    uint8_t *seen;
    uint8_t *kept;
    uint8_t *is_dirty; /* of each sector */
    uint64_t size;
    uint64_t capacity;
    bool is_locked;
} disk_file_t;

typedef struct disk_name {
    char name[DISK_NAME_BYTES];
    int file; /* -1: none */
} disk_name_t;

typedef struct disk {
    disk_file_t files[DISK_FILES];
    int file_count;
    disk_name_t seen[DISK_FILES];
    disk_name_t kept[DISK_FILES];
    uint64_t random;
    uint64_t calls;
    uint64_t fail_at;   /* this call fails with `error`; 0: none */
    int error;          /* negated errno */
    bool only_flushes;  /* if it is a read or a write, the next flush fails instead */
    uint64_t die_at;    /* from this call on all fail; a write is done in part; 0: never */
    uint32_t is_choppy; /* 1: short reads and writes, and EINTR */
    uint64_t flushes;
} disk_t;

void disk_make(disk_t *disk, uint64_t seed);
void disk_free(disk_t *disk);
paxos_files_t disk_files(disk_t *disk);

/* The power fails and comes back: nobody has a file open any more. */
void disk_cut_power(disk_t *disk, disk_cut_t how);
/* The process ends: locks are gone, everything written is still seen. */
void disk_end_process(disk_t *disk);

/* The file of a name, or NULL. */
disk_file_t *disk_find(disk_t *disk, const char *name);
/* Change durable bytes. */
void disk_flip(disk_file_t *file, uint64_t bit);
/* Durable bytes as a copy, and back again: a stale file. */
uint8_t *disk_save(const disk_file_t *file);
void disk_restore(disk_file_t *file, const uint8_t *bytes);

#endif
