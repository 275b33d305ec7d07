/* journal_kill.h - a process that writes a journal on real files, and is killed or meets
 * an error of the disk, over and over.
 *
 * For tests. Threads: one run at a time per directory; forks. */
#ifndef JOURNAL_KILL_H
#define JOURNAL_KILL_H

#include <stdbool.h>
#include <stdint.h>

typedef struct journal_kills {
    uint64_t kills;
    uint64_t errors;  /* lives that one failing call ended */
    uint64_t flushes; /* that the killed said were durable */
    uint64_t records; /* in the journal at the end         */
} journal_kills_t;

/* Make a journal in `directory`, which is not there yet, then `kills` + `errors` times: a child
 * opens it and appends and flushes as fast as it can, and says what is durable; it is killed, or a
 * write or flush of it fails once with EIO or ENOSPC, and it stops; the journal is opened and every
 * record looked at. NULL, or what went wrong. `with_uring`: through paxos_files_uring_open. */
const char *journal_kill_run(
    const char *directory, uint32_t kills, uint32_t errors, uint64_t seed, bool with_uring,
    journal_kills_t *tally);

/* A batch and its flush as one submission of io_uring: a disk without room, a file that may not
 * grow so far, a closed descriptor. NULL, or what went wrong. `path`: of a file that is not
 * there. */
const char *journal_uring_errors(const char *path);

#endif
