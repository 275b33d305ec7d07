/* uring.c - what io_uring says of a disk that refuses. See journal_kill.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal_kill.h"
#include "paxos_files.h"

enum { BYTES = 8192, ROOM_BYTES = 6144 };

static uint8_t bytes[BYTES];

/* All that the child finds; 0: nothing is wrong. */
static int try_all(const char *path) {
    paxos_files_t files;
    if (!paxos_files_uring_open(&files)) { return 1; }
    const int file = files.open(files.context, path, true);
    if (file < 0) { return 2; }
    for (int i = 0; i < BYTES; i++) { bytes[i] = (uint8_t)(i * 7 + i / 256); }
    /* A write that is cut short: the rest is asked for, and refused. */
    struct rlimit before;
    (void)signal(SIGXFSZ, SIG_IGN);
    if (getrlimit(RLIMIT_FSIZE, &before) != 0) { return 3; }
    const struct rlimit cut = {ROOM_BYTES, before.rlim_max};
    if (setrlimit(RLIMIT_FSIZE, &cut) != 0) { return 4; }
    const int status = files.write_and_flush(files.context, file, bytes, BYTES, 0);
    if (status != -EFBIG) { return 5; }
    if (files.size(files.context, file) != ROOM_BYTES) { return 6; }
    if (setrlimit(RLIMIT_FSIZE, &before) != 0) { return 7; }
    const int full = open("/dev/full", O_RDWR | O_CLOEXEC);
    if (full < 0 || files.write_and_flush(files.context, full, bytes, BYTES, 0) != -ENOSPC) {
        return 8;
    }
    (void)close(full);
    if (files.write_and_flush(files.context, full, bytes, BYTES, 0) != -EBADF) { return 9; }
    /* It can be written, but not flushed. */
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || files.write_and_flush(files.context, null, bytes, BYTES, 0) != -EINVAL) {
        return 10;
    }
    if (files.write_and_flush(files.context, file, bytes, BYTES, 4096) != 0) { return 11; }
    uint8_t found[BYTES];
    if (files.read(files.context, file, found, BYTES, 4096) != BYTES) { return 12; }
    if (memcmp(found, bytes, BYTES) != 0) { return 13; }
    files.close(files.context, file);
    paxos_files_uring_close(&files);
    return files.context == NULL && files.write_and_flush == NULL ? 0 : 14;
}

const char *journal_uring_errors(const char *path) {
    static const char *words[] = {
        "no ring",          "no file",           "no limit is known", "no limit can be set",
        "beyond the limit", "size at the limit", "the limit stays",   "a full disk",
        "a closed file",    "no flush",          "after errors",      "reading it back",
        "other bytes",      "it is not closed"};
    const pid_t child = fork(); /* limits are the whole process's */
    if (child < 0) { return "no child"; }
    if (child == 0) {
        closefrom(3);
        _exit(try_all(path));
    }
    int status = 0;
    (void)waitpid(child, &status, 0);
    if (!WIFEXITED(status)) { return "the child crashed"; }
    const int wrong = WEXITSTATUS(status);
    if (wrong == 0) { return NULL; }
    return wrong <= (int)(sizeof words / sizeof *words) ? words[wrong - 1] : "unknown";
}
