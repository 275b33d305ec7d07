/* mirror.h - a model disk whose files are real ones, too.
 *
 * Every call goes to the model first, which decides what comes of it, and then to the operating
 * system: what was written is written, what is read is read from the real file, and must be what
 * the model has. So the journal runs on a real file system, and power cuts and damage are what the
 * model makes of the real file's bytes before the next life.
 * Threads  one. */
#ifndef MIRROR_H
#define MIRROR_H

#include "disk.h"

enum { MIRROR_PATH_BYTES = 4096 };

typedef struct mirror {
    disk_t *disk;
    paxos_files_t model;
    const char *root;     /* stands before every path */
    int real[DISK_FILES]; /* descriptors; -1: not open */
    uint64_t differences; /* bytes read that were not what the model has */
} mirror_t;

/* The model's functions, with real files under `root`, which is there and outlives it. */
paxos_files_t mirror_files(mirror_t *mirror, disk_t *disk, const char *root);

/* Nobody has a file open any more, and each real file has the model's bytes. Returns how many
 * pages had to be changed for that, or -1 if it cannot be done. */
int64_t mirror_settle(mirror_t *mirror);

#endif
