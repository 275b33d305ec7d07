/* kill.c - see journal_kill.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "journal_kill.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "paxos/hot_frame.h"
#include "paxos/random.h"
#include "paxos_journal.h"

enum { KILL_BODY_BYTES = 4096, KILL_PERIOD_NS = 20000000, KILL_FILES_MAX = 1024 };

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

/* The child's life: append, flush, say so. It ends by being killed. */
static void write_on(const char *directory, int out, uint64_t seed) {
    uint8_t header[PAXOS_FRAME_HEADER_BYTES];
    uint8_t body[KILL_BODY_BYTES];
    uint64_t lsn = 0;
    uint64_t count = 0;
    uint64_t random = seed;
    paxos_journal_t *journal = NULL;
    if (paxos_journal_open(NULL, directory, &options, &journal, NULL) != PAXOS_JOURNAL_OK ||
        look(journal, &lsn, &count) != NULL) {
        _exit(1);
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
        if (paxos_journal_flush(journal) != PAXOS_JOURNAL_OK) { _exit(2); }
        if (write(out, &lsn, sizeof lsn) != sizeof lsn) { _exit(3); }
    }
}

/* One child, from its start to its end; *told is the last lsn that it said was durable. */
static const char *one_life(
    const char *directory, uint64_t seed, uint64_t *told, journal_kills_t *tally) {
    int ends[2];
    if (pipe(ends) != 0) { return "no pipe"; }
    const pid_t child = fork();
    if (child < 0) { return "no child"; }
    if (child == 0) {
        let_go(ends[1]);
        write_on(directory, ends[1], seed);
    }
    (void)close(ends[1]);
    uint64_t random = seed;
    /* It has written at least once: it is killed while it works. */
    bool is_alive = read(ends[0], told, sizeof *told) == sizeof *told;
    const struct timespec delay = {0, (long)(paxos_random_next(&random) % KILL_PERIOD_NS)};
    if (is_alive) { (void)nanosleep(&delay, NULL); }
    (void)kill(child, SIGKILL);
    tally->flushes += is_alive;
    while (is_alive && read(ends[0], told, sizeof *told) == sizeof *told) { tally->flushes += 1; }
    (void)close(ends[0]);
    int status = 0;
    (void)waitpid(child, &status, 0);
    tally->kills += 1;
    return is_alive && WIFSIGNALED(status) ? NULL : "the child gave up";
}

static const char *check(const char *directory, uint64_t told, journal_kills_t *tally) {
    paxos_journal_t *journal = NULL;
    const paxos_journal_status_t status =
        paxos_journal_open(NULL, directory, &options, &journal, NULL);
    if (status != PAXOS_JOURNAL_OK) { return paxos_journal_words(status); }
    paxos_journal_report_t report = {.size_bytes = sizeof report};
    paxos_journal_report(journal, &report);
    uint64_t last = 0;
    const char *wrong = look(journal, &last, &tally->records);
    if (wrong == NULL && report.damages > 0) { wrong = "a kill is taken for damage"; }
    if (wrong == NULL && last < told) { wrong = "a flushed record is lost"; }
    paxos_journal_close(journal);
    return wrong;
}

const char *journal_kill_run(
    const char *directory, uint32_t kills, uint64_t seed, journal_kills_t *tally) {
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
    for (uint32_t i = 0; i < kills; i++) {
        uint64_t told = 0;
        const char *wrong = one_life(directory, seed + i, &told, tally);
        if (wrong == NULL) { wrong = check(directory, told, tally); }
        if (wrong != NULL) { return wrong; }
    }
    return NULL;
}
