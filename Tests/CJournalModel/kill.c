/* kill.c - see journal_kill.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "journal_kill.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "patient.h"
#include "paxos/hot_frame.h"
#include "paxos/random.h"
#include "paxos_journal.h"

enum { KILL_BODY_BYTES = 4096, KILL_PERIOD_NS = 20000000, KILL_FILES_MAX = 1024 };
enum { CHILD_SECONDS_MAX = 60 };
enum { ERROR_CALLS_MAX = 40, CHILD_STOPPED = 2, CHILD_WENT_ON = 3, CHILD_GAVE_UP = 1 };

#define KILL_CLUSTER 0x51171u

static const paxos_journal_options_t options = {
    .size_bytes = sizeof options, .node = 1, .cluster = KILL_CLUSTER};

/* The record of an lsn: each has one content for ever. */
static uint32_t make_record(uint64_t lsn, uint8_t *header, uint8_t *body) {
    uint64_t random = lsn;
    paxos_frame_t frame = {
        .kind = PAXOS_RECORD_ENTRIES,
        .sender = 1,
        .receiver = 1,
        .incarnation = 1,
        .count = 1,
        .cluster = KILL_CLUSTER,
        .ballot = 1,
        .slot = lsn,
        .nonce = lsn,
        .other = 1,
        /* Soon trimmed, so that segments come round. */
        .trim = lsn > 100 ? lsn - 100 : 0};
    frame.body_bytes = (uint32_t)(paxos_random_next(&random) % (KILL_BODY_BYTES / 8) * 8);
    for (uint32_t i = 0; i < frame.body_bytes; i++) {
        body[i] = (uint8_t)paxos_random_next(&random);
    }
    paxos_frame_put(header, &frame);
    return frame.body_bytes;
}

/* Read all of it; the last lsn. */
static const char *look(paxos_journal_t *journal, uint64_t *last_out, uint64_t *count_out) {
    uint8_t header[PAXOS_FRAME_HEADER_BYTES];
    uint8_t body[KILL_BODY_BYTES];
    paxos_journal_record_t record = {.size_bytes = sizeof record};
    *last_out = 0;
    *count_out = 0;
    while (paxos_journal_read(journal, &record) == PAXOS_JOURNAL_OK) {
        if (*last_out != 0 && record.lsn != *last_out + 1) { return "a record is missing"; }
        *last_out = record.lsn;
        *count_out += 1;
        if (record.header[7] == PAXOS_RECORD_MARK) { continue; }
        const uint32_t body_bytes = make_record(record.lsn, header, body);
        if (memcmp(header, record.header, sizeof header) != 0 || record.body_bytes != body_bytes ||
            memcmp(body, record.body, body_bytes) != 0) {
            return "a record is another";
        }
    }
    return NULL;
}

/* A child must not keep the locks of other tests' journals: theirs are locked by open files. */
static void let_go(int kept) {
    for (int file = 3; file < KILL_FILES_MAX; file++) {
        if (file != kept) { (void)close(file); }
    }
}

/* Files of the operating system, of which one call fails, once. */
typedef struct failing {
    uint64_t calls_left; /* until then */
    int error;           /* negated errno; 0: none fails */
    paxos_files_t files;
} failing_t;

static bool fails(failing_t *failing) {
    if (failing->error == 0) { return false; }
    failing->calls_left -= 1;
    return failing->calls_left == 0;
}

static int64_t failing_write(
    void *context, int file, const uint8_t *bytes, size_t length_bytes, uint64_t offset_bytes) {
    failing_t *failing = context;
    if (fails(failing)) { return failing->error; }
    return failing->files.write(failing->files.context, file, bytes, length_bytes, offset_bytes);
}

static int failing_flush(void *context, int file) {
    failing_t *failing = context;
    if (fails(failing)) { return failing->error; }
    return failing->files.flush(failing->files.context, file);
}

static int failing_write_and_flush(
    void *context, int file, const uint8_t *bytes, size_t length_bytes, uint64_t offset_bytes) {
    failing_t *failing = context;
    if (fails(failing)) { return failing->error; }
    const int status = failing->files.write_and_flush(
        failing->files.context, file, bytes, length_bytes, offset_bytes);
    return fails(failing) ? failing->error : status;
}

/* The child's life: append, flush, say so. It ends by being killed, or stops after an error. */
static void write_on(
    const char *directory, int out, uint64_t seed, bool with_uring, failing_t failing) {
    uint8_t header[PAXOS_FRAME_HEADER_BYTES];
    uint8_t body[KILL_BODY_BYTES];
    uint64_t lsn = 0;
    uint64_t count = 0;
    uint64_t random = seed;
    paxos_journal_t *journal = NULL;
    failing.files = *paxos_files_posix();
    if (with_uring && !paxos_files_uring_open(&failing.files)) { _exit(CHILD_GAVE_UP); }
    paxos_files_t files = failing.files;
    files.context = &failing;
    if (with_uring) { files.write_and_flush = failing_write_and_flush; }
    files.write = failing_write;
    files.flush = failing_flush;
    if (patient_open(&files, directory, &options, &journal) != PAXOS_JOURNAL_OK ||
        look(journal, &lsn, &count) != NULL) {
        _exit(failing.error != 0 && failing.calls_left == 0 ? CHILD_STOPPED : CHILD_GAVE_UP);
    }
    for (;;) {
        const uint64_t batch = 1 + paxos_random_next(&random) % 20;
        for (uint64_t i = 0; i < batch; i++) {
            const uint32_t body_bytes = make_record(lsn + 1, header, body);
            if (paxos_journal_append(journal, header, sizeof header, body, body_bytes) !=
                PAXOS_JOURNAL_OK) {
                break; /* the batch, or the journal, has no room: flush */
            }
            lsn += 1;
        }
        if (paxos_journal_flush(journal) != PAXOS_JOURNAL_OK) {
            /* The call would succeed now. */
            const bool is_final = paxos_journal_flush(journal) == PAXOS_JOURNAL_ERR_SYSTEM;
            _exit(is_final ? CHILD_STOPPED : CHILD_WENT_ON);
        }
        if (write(out, &lsn, sizeof lsn) != sizeof lsn) { _exit(CHILD_GAVE_UP); }
    }
}

/* One child, from its start to its end; *told is the last lsn that it said was durable. */
static const char *one_life(
    const char *directory, uint64_t seed, bool with_uring, int error, uint64_t *told,
    journal_kills_t *tally) {
    int ends[2];
    uint64_t random = seed;
    if (pipe(ends) != 0) { return "no pipe"; }
    const pid_t child = fork();
    if (child < 0) { return "no child"; }
    if (child == 0) {
        let_go(ends[1]);
        (void)alarm(CHILD_SECONDS_MAX); /* whatever hangs; without a reader, SIGPIPE */
        const uint64_t calls = 1 + paxos_random_next(&random) % ERROR_CALLS_MAX;
        write_on(directory, ends[1], seed, with_uring, (failing_t){calls, error, {0}});
    }
    (void)close(ends[1]);
    /* It has written at least once: it is killed while it works. */
    bool is_alive = read(ends[0], told, sizeof *told) == sizeof *told;
    const struct timespec delay = {0, (long)(paxos_random_next(&random) % KILL_PERIOD_NS)};
    if (is_alive && error == 0) { (void)nanosleep(&delay, NULL); }
    if (error == 0) { (void)kill(child, SIGKILL); }
    tally->flushes += is_alive;
    while (is_alive && read(ends[0], told, sizeof *told) == sizeof *told) { tally->flushes += 1; }
    (void)close(ends[0]);
    int status = 0;
    (void)waitpid(child, &status, 0);
    if (error == 0) {
        tally->kills += 1;
        return is_alive && WIFSIGNALED(status) ? NULL : "the child gave up";
    }
    tally->errors += 1;
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_WENT_ON) { return "it went on"; }
    return WIFEXITED(status) && WEXITSTATUS(status) == CHILD_STOPPED ? NULL : "it did not stop";
}

static const char *check(const char *directory, uint64_t told, journal_kills_t *tally) {
    paxos_journal_t *journal = NULL;
    const paxos_journal_status_t status = patient_open(NULL, directory, &options, &journal);
    if (status != PAXOS_JOURNAL_OK) { return paxos_journal_words(status); }
    uint64_t last = 0;
    const char *wrong = look(journal, &last, &tally->records);
    paxos_journal_report_t report = {.size_bytes = sizeof report};
    paxos_journal_report(journal, &report);
    if (wrong == NULL && report.damages > 0) { wrong = "a kill is taken for damage"; }
    if (wrong == NULL && last < told) { wrong = "a flushed record is lost"; }
    paxos_journal_close(journal);
    return wrong;
}

const char *journal_kill_run(
    const char *directory, uint32_t kills, uint32_t errors, uint64_t seed, bool with_uring,
    journal_kills_t *tally) {
    const paxos_journal_shape_t shape = {
        .size_bytes = sizeof shape,
        .node = 1,
        .cluster = KILL_CLUSTER,
        .segment_bytes = 1 << 20,
        .segment_count = 3,
        .batch_bytes_max = 64 << 10,
        .groups_max = 1};
    const paxos_journal_status_t status = paxos_journal_format(NULL, directory, &shape, NULL);
    if (status != PAXOS_JOURNAL_OK) { return paxos_journal_words(status); }
    for (uint32_t i = 0; i < kills + errors; i++) {
        uint64_t told = 0;
        const int error = i < kills ? 0 : i % 2 == 0 ? -EIO : -ENOSPC;
        const char *wrong = one_life(directory, seed + i, with_uring, error, &told, tally);
        if (wrong == NULL) { wrong = check(directory, told, tally); }
        if (wrong != NULL) { return wrong; }
    }
    return NULL;
}
