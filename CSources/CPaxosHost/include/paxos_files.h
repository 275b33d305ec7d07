/* paxos_files.h - the few file operations that the journal needs, as a table of functions.
 *
 * Owns     nothing; a table is the caller's and outlives what was opened with it.
 * Never    retries what failed: that is for the caller to decide, and it decides not to.
 * Threads  as the functions in the table. Those of paxos_files_posix: any. A function of a host's
 *          own may not call on the journal or node that is calling it: that traps. It may look
 *          (report, status, group, pressed, retained), and paxos_host_wake it may always.
 *
 * Between the journal and the operating system, so that tests can put a disk there that loses,
 * tears and damages what it was given. A result below 0 is a negated errno. */
#ifndef PAXOS_FILES_H
#define PAXOS_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct paxos_files {
    void *context; /* the first argument of every function */

    /* Open for reading and writing; with `create` also where there is none. A descriptor. */
    int (*open)(void *context, const char *path, bool create);
    /* The same, and lock it against every other process until it is closed. -EWOULDBLOCK: it is
     * locked. Source: flopen(3bsd). */
    int (*lock)(void *context, const char *path, bool create);
    void (*close)(void *context, int file);
    /* Bytes of the file. */
    int64_t (*size)(void *context, int file);
    /* As pread(2) and pwrite(2), whole or in part; the caller goes on where they stopped. */
    int64_t (*read)(
        void *context, int file, uint8_t *bytes, size_t length_bytes, uint64_t offset_bytes);
    /* A hint: what was read there will not be read soon. Single pages that stay in memory stop the
     * system from reading ahead over them. May be NULL. */
    void (*forget)(void *context, int file, uint64_t offset_bytes, uint64_t length_bytes);
    int64_t (*write)(
        void *context, int file, const uint8_t *bytes, size_t length_bytes, uint64_t offset_bytes);
    /* What was written to the file before is there after a power cut. */
    int (*flush)(void *context, int file);
    int (*make_directory)(void *context, const char *path);
    int (*rename)(void *context, const char *from, const char *to);
    /* Names made or changed in the directory before are there after a power cut. */
    int (*flush_directory)(void *context, const char *path);
    /* The whole of a write and then flush, where both can be handed over at once. 0, or what the
     * first of them that failed came to. May be NULL: write and flush are called then. */
    int (*write_and_flush)(
        void *context, int file, const uint8_t *bytes, size_t length_bytes, uint64_t offset_bytes);
} paxos_files_t;

/* Those of the operating system: fdatasync(2), on Darwin F_FULLFSYNC. */
const paxos_files_t *paxos_files_posix(void);

/* Those of the operating system, but a batch and its flush are one submission of io_uring(7): one
 * call of the system instead of two. Measure before you choose it: JOURNAL.md has figures.
 * In    files_out  the table; of one journal or node, whose caller is the only one to use it.
 * Post  true   *files_out is filled; to be closed after what was opened with it.
 *       false  unchanged: liburing.so.2 is not there, this system has no io_uring or forbids it, or
 *              the library was built without liburing's header. Go on with paxos_files_posix.
 * Cost  allocates, and maps a ring; no call on the table does. */
bool paxos_files_uring_open(paxos_files_t *files_out);
void paxos_files_uring_close(paxos_files_t *files);

#ifdef __cplusplus
}
#endif
#endif
