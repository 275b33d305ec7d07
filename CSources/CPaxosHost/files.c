/* files.c - the operating system's files. See paxos_files.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../CLibBSD/shim.h"
#include "paxos_files.h"

static int result(int value) {
    return value < 0 ? -errno : value;
}

static int posix_open(void *context, const char *path, bool create) {
    (void)context;
    return result(open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0600));
}

static int posix_lock(void *context, const char *path, bool create) {
    (void)context;
    const int flags = O_RDWR | O_CLOEXEC | O_NONBLOCK | (create ? O_CREAT : 0);
    return result(flopen(path, flags, 0600));
}

static void posix_close(void *context, int file) {
    (void)context;
    /* A child that another thread forks has the lock, too, until its exec: take it from both. */
    (void)flock(file, LOCK_UN);
    (void)close(file); /* nothing that counts is left to be written: it was flushed before */
}

static int64_t posix_size(void *context, int file) {
    (void)context;
    struct stat found;
    if (fstat(file, &found) != 0) { return -errno; }
    return found.st_size;
}

static int64_t posix_read(
    void *context, int file, uint8_t *bytes, size_t length_bytes, uint64_t offset_bytes) {
    (void)context;
    const ssize_t count = pread(file, bytes, length_bytes, (off_t)offset_bytes);
    return count < 0 ? -errno : count;
}

static int64_t posix_write(
    void *context, int file, const uint8_t *bytes, size_t length_bytes, uint64_t offset_bytes) {
    (void)context;
    const ssize_t count = pwrite(file, bytes, length_bytes, (off_t)offset_bytes);
    return count < 0 ? -errno : count;
}

#if defined(__APPLE__)
static int posix_flush(void *context, int file) {
    (void)context;
    return result(fcntl(file, F_FULLFSYNC));
}

static void posix_forget(void *context, int file, uint64_t offset_bytes, uint64_t length_bytes) {
    (void)context, (void)file, (void)offset_bytes, (void)length_bytes; /* there is no such call */
}
#else
static int posix_flush(void *context, int file) {
    (void)context;
    return result(fdatasync(file));
}

static void posix_forget(void *context, int file, uint64_t offset_bytes, uint64_t length_bytes) {
    (void)context;
    (void)posix_fadvise(file, (off_t)offset_bytes, (off_t)length_bytes, POSIX_FADV_DONTNEED);
}
#endif

static int posix_make_directory(void *context, const char *path) {
    (void)context;
    return result(mkdir(path, 0700));
}

static int posix_rename(void *context, const char *from, const char *to) {
    (void)context;
    return result(rename(from, to));
}

static int posix_flush_directory(void *context, const char *path) {
    (void)context;
    const int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) { return -errno; }
    const int status = result(fsync(directory));
    (void)close(directory);
    return status;
}

const paxos_files_t *paxos_files_posix(void) {
    static const paxos_files_t files = {
        .open = posix_open,
        .lock = posix_lock,
        .close = posix_close,
        .size = posix_size,
        .read = posix_read,
        .forget = posix_forget,
        .write = posix_write,
        .flush = posix_flush,
        .make_directory = posix_make_directory,
        .rename = posix_rename,
        .flush_directory = posix_flush_directory,
    };
    return &files;
}
