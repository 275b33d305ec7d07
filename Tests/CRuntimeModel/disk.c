/* disk.c - files of the system, until something is told to go wrong. */
#define _GNU_SOURCE 1

#include <errno.h>

#include "cluster.h"

static int64_t write_to(
    void *context, int file, const uint8_t *bytes, size_t length_bytes, uint64_t offset_bytes) {
    const disk_t *disk = context;
    const paxos_files_t *files = paxos_files_posix();
    if (disk->write_error != 0) { return -disk->write_error; }
    return files->write(files->context, file, bytes, length_bytes, offset_bytes);
}

static int flush(void *context, int file) {
    disk_t *disk = context;
    const paxos_files_t *files = paxos_files_posix();
    const int error = disk->flush_error;
    disk->flush_error = 0;
    disk->flushes += 1;
    if (disk->during_flush != NULL) { disk->during_flush(disk->context); }
    return error != 0 ? -error : files->flush(files->context, file);
}

void node_disk_open(disk_t *disk) {
    disk->files = *paxos_files_posix();
    disk->files.context = disk; /* those of the system do not look at it */
    disk->files.write = write_to;
    disk->files.flush = flush;
}
