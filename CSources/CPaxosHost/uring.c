/* uring.c - a batch and its flush as one submission of io_uring(7). See paxos_files.h.
 *
 * liburing is looked for when a ring is opened, so that a program starts without it; its header
 * brings the layout of the rings. A write and an fdatasync are linked: the system does the second
 * only after the whole of the first, as pwrite and fdatasync in turn do. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>

#include "paxos_files.h"

#if defined(__linux__) && defined(__has_include)
#if __has_include(<liburing.h>)
#define HAS_LIBURING 1
#endif
#endif

#ifdef HAS_LIBURING

#include <dlfcn.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 2, WRITE = 1, FLUSH = 2 };
#define PIECE_BYTES_MAX ((size_t)1 << 30) /* a submission has 32 bits for it */

typedef struct ring {
    struct io_uring uring;
    void *library;
    int (*submit_and_wait)(struct io_uring *uring, unsigned count);
    void (*queue_exit)(struct io_uring *uring);
    bool is_broken; /* something may still be under way: nothing more is handed over */
} ring_t;

/* Hand a write and a flush over and wait for both; their results, as far as they came. */
static int submit(
    ring_t *ring, int file, const uint8_t *bytes, size_t length_bytes, uint64_t offset_bytes,
    int results[3]) {
    struct io_uring_sqe *write = io_uring_get_sqe(&ring->uring);
    struct io_uring_sqe *flush = io_uring_get_sqe(&ring->uring);
    if (write == NULL || flush == NULL) { return -EIO; } /* what was there before is done */
    io_uring_prep_write(write, file, bytes, (unsigned)length_bytes, offset_bytes);
    write->flags |= IOSQE_IO_LINK;
    write->user_data = WRITE;
    io_uring_prep_fsync(flush, file, IORING_FSYNC_DATASYNC);
    flush->user_data = FLUSH;
    while (io_uring_cq_ready(&ring->uring) < ENTRIES) {
        const int status = ring->submit_and_wait(&ring->uring, ENTRIES);
        if (status < 0 && status != -EINTR) { return status; }
    }
    unsigned head;
    struct io_uring_cqe *done;
    io_uring_for_each_cqe(&ring->uring, head, done) {
        results[done->user_data == WRITE ? WRITE : FLUSH] = done->res;
    }
    io_uring_cq_advance(&ring->uring, ENTRIES);
    return 0;
}

static int uring_write_and_flush(
    void *context, int file, const uint8_t *bytes, size_t length_bytes, uint64_t offset_bytes) {
    ring_t *ring = context;
    if (ring->is_broken) { return -EIO; }
    for (size_t done = 0;;) {
        const size_t rest = length_bytes - done;
        const size_t piece = rest < PIECE_BYTES_MAX ? rest : PIECE_BYTES_MAX;
        int results[3] = {0};
        const int status = submit(ring, file, bytes + done, piece, offset_bytes + done, results);
        if (status < 0) {
            ring->is_broken = true;
            return status;
        }
        const int count = results[WRITE];
        if (count == -EINTR || count == -EAGAIN) { continue; } /* nothing was written */
        if (count <= 0) { return count == 0 ? -EIO : count; }
        done += (size_t)count;
        /* A short write cuts the link: its flush was not begun, and comes with the rest. */
        if (done == length_bytes) { return results[FLUSH]; }
    }
}

/* Whether this system's ring takes a plain write: the same version (5.6) brought this mark. */
static bool takes_writes(const struct io_uring *uring) {
    return (uring->features & IORING_FEAT_RW_CUR_POS) != 0;
}

bool paxos_files_uring_open(paxos_files_t *files_out) {
    ring_t *ring = calloc(1, sizeof *ring);
    if (ring == NULL) { return false; }
    ring->library = dlopen("liburing.so.2", RTLD_NOW | RTLD_LOCAL);
    if (ring->library != NULL) {
        int (*queue_init)(unsigned, struct io_uring *, unsigned) = NULL;
        void *found = dlsym(ring->library, "io_uring_queue_init");
        memcpy(&queue_init, &found, sizeof found);
        found = dlsym(ring->library, "io_uring_queue_exit");
        memcpy(&ring->queue_exit, &found, sizeof found);
        found = dlsym(ring->library, "io_uring_submit_and_wait");
        memcpy(&ring->submit_and_wait, &found, sizeof found);
        const bool is_whole =
            queue_init != NULL && ring->queue_exit != NULL && ring->submit_and_wait != NULL;
        if (is_whole && queue_init(ENTRIES, &ring->uring, 0) == 0) {
            if (takes_writes(&ring->uring)) {
                *files_out = *paxos_files_posix();
                files_out->context = ring;
                files_out->write_and_flush = uring_write_and_flush;
                return true;
            }
            ring->queue_exit(&ring->uring);
        }
        (void)dlclose(ring->library);
    }
    free(ring);
    return false;
}

void paxos_files_uring_close(paxos_files_t *files) {
    ring_t *ring = files->context;
    ring->queue_exit(&ring->uring);
    (void)dlclose(ring->library);
    free(ring);
    *files = *paxos_files_posix();
}

#else

bool paxos_files_uring_open(paxos_files_t *files_out) {
    (void)files_out;
    return false;
}

void paxos_files_uring_close(paxos_files_t *files) {
    (void)files;
}

#endif
