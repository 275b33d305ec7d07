/* reentry.c - calls from within: a host's file functions that call back on the journal or the node
 * that called them stop the program with words, before anything is changed. Each try is a process
 * of its own.
 *
 * usage: reentry DIRECTORY (that is there, and empty) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <paxos_runtime.h>

enum { CLUSTER = 7, STOPPED = 42, CAUGHT_NOTHING = 43, PATH_BYTES = 4096, SPAN_NS = 100000000 };

/* The call on whose file functions the trick is played. */
enum outer { FLUSH, READ, FETCH, CLOSE, POLL, HOST_CLOSE, OUTERS };
/* The call that a file function makes. */
enum inner { APPEND, FLUSH_AGAIN, READ_AGAIN, FETCH_AGAIN, TRIM, CLOSE_AGAIN, JOURNAL_INNERS };
enum host_inner { PROPOSE, HOST_TRIM, CAMPAIGN, NEXT, POLL_AGAIN, HOST_CLOSE_AGAIN, HOST_INNERS };

static paxos_files_t files;
static paxos_journal_t *journal;
static paxos_host_t *host;
static paxos_config_t config;
static bool is_armed;
static uint32_t inner;

/* The host's words. */
void paxos_panic(const char *condition, const char *file, int line) {
    (void)file;
    (void)line;
    _exit(strstr(condition, "is_within_a_call") != NULL && !is_armed ? STOPPED : CAUGHT_NOTHING);
}

static void call_journal(void) {
    static uint8_t bytes[8192];
    paxos_journal_record_t record = {.size_bytes = sizeof record};
    uint32_t count = 0;
    size_t length = 0;
    switch (inner) {
        case APPEND: (void)!paxos_journal_append(journal, bytes, 96, NULL, 0); break;
        case FLUSH_AGAIN: (void)!paxos_journal_flush(journal); break;
        case READ_AGAIN: (void)!paxos_journal_read(journal, &record); break;
        case FETCH_AGAIN:
            (void)!paxos_journal_fetch(journal, 0, 1, 1, bytes, sizeof bytes, &count, &length);
            break;
        case TRIM: paxos_journal_trim(journal, 0, 1); break;
        default: paxos_journal_close(journal); break;
    }
}

static void call_host(void) {
    paxos_host_event_t event = {.size_bytes = sizeof event};
    uint64_t number = 0;
    switch (inner) {
        case PROPOSE: (void)!paxos_host_propose(host, 0, (const uint8_t *)"x", 1, &number); break;
        case HOST_TRIM: (void)!paxos_host_trim(host, 0, 1); break;
        case CAMPAIGN: (void)!paxos_host_campaign(host, 0); break;
        case NEXT: (void)!paxos_host_next(host, &event); break;
        case POLL_AGAIN: (void)!paxos_host_poll(host, 0); break;
        default: paxos_host_close(host); break;
    }
}

/* What may be done: look, and wake. Then what may not. */
static void trick(void) {
    if (!is_armed) { return; }
    is_armed = false;
    if (host != NULL) {
        paxos_host_report_t report = {.size_bytes = sizeof report};
        paxos_host_report(host, &report);
        paxos_host_wake(host);
        call_host();
    } else {
        paxos_journal_report_t report = {.size_bytes = sizeof report};
        paxos_journal_report(journal, &report);
        call_journal();
    }
}

static int64_t read_file(
    void *context, int file, uint8_t *bytes, size_t length_bytes, uint64_t offset_bytes) {
    trick();
    return paxos_files_posix()->read(context, file, bytes, length_bytes, offset_bytes);
}

static int64_t write_file(
    void *context, int file, const uint8_t *bytes, size_t length_bytes, uint64_t offset_bytes) {
    trick();
    return paxos_files_posix()->write(context, file, bytes, length_bytes, offset_bytes);
}

static void must(bool is_so, const char *what) {
    if (is_so) { return; }
    (void)fprintf(stderr, "reentry: %s\n", what);
    exit(1);
}

static void open_journal(const char *directory) {
    const paxos_journal_options_t options = {
        .size_bytes = sizeof options, .node = 1, .cluster = CLUSTER};
    must(
        paxos_journal_open(&files, directory, &options, &journal, NULL) == PAXOS_JOURNAL_OK,
        "the journal is not opened");
}

static void read_to_end(void) {
    paxos_journal_record_t record = {.size_bytes = sizeof record};
    while (paxos_journal_read(journal, &record) == PAXOS_JOURNAL_OK) {}
}

/* A replica's first records: of a life that this program leaves to the next one. */
static void write_records(void) {
    static uint8_t *block;
    const size_t bytes = paxos_replica_block_bytes(&config);
    block = aligned_alloc(PAXOS_BLOCK_ALIGNMENT, (bytes + 63) / 64 * 64);
    paxos_replica_t *replica = NULL;
    paxos_effect_t effect = {.size_bytes = sizeof effect};
    must(paxos_replica_init(block, bytes, &config, 0, &replica) == PAXOS_OK, "no replica");
    must(paxos_replica_campaign(replica, 1) == PAXOS_OK, "no campaign");
    for (uint64_t turn = 1; turn < 5; turn++) {
        uint64_t number = 0;
        uint64_t lsn = 0;
        (void)!paxos_replica_propose(replica, turn, (const uint8_t *)"value", 5, &number);
        while (paxos_replica_poll(replica, &effect)) {
            if (effect.kind != PAXOS_EFFECT_WRITE) { continue; }
            must(
                paxos_journal_append(
                    journal, effect.header, sizeof effect.header, block + effect.body_offset,
                    effect.body_bytes) == PAXOS_JOURNAL_OK,
                "a record is refused");
            lsn = effect.lsn;
        }
        must(paxos_journal_flush(journal) == PAXOS_JOURNAL_OK, "no flush");
        if (lsn != 0) { must(paxos_replica_flushed(replica, turn, lsn) == PAXOS_OK, "flushed"); }
        while (paxos_replica_poll(replica, &effect)) {
            if (effect.kind != PAXOS_EFFECT_DELIVER) { continue; }
            must(
                paxos_replica_trim(replica, effect.slot + effect.count - 1) == PAXOS_OK, "no trim");
        }
    }
    free(block);
}

/* What is to be called from within is called; it does not come back. */
static void play_journal(const char *directory, enum outer outer) {
    uint8_t out[8192];
    uint32_t count = 0;
    size_t length = 0;
    open_journal(directory);
    is_armed = outer == READ;
    read_to_end();
    must(!is_armed || outer != READ, "a read that reads no file");
    if (outer == FLUSH) {
        config.incarnation = 1;
        is_armed = true; /* the append does nothing with files, the flush does */
        write_records();
    }
    is_armed = true;
    if (outer == FETCH) {
        (void)!paxos_journal_fetch(journal, 0, 2, 1, out, sizeof out, &count, &length);
    }
    if (outer == CLOSE) { paxos_journal_close(journal); }
}

static void play_host(const char *directory, enum outer outer) {
    const paxos_host_options_t options = {
        .size_bytes = sizeof options,
        .group_count = 1,
        .groups = &config,
        .directory = directory,
        .files = &files,
        .transport.security = PAXOS_TRANSPORT_TRUSTED};
    paxos_host_fault_t fault = {.what = "nothing"};
    must(paxos_host_open(&options, &host, &fault) == PAXOS_HOST_OK, fault.what);
    is_armed = true;
    for (int turn = 0; outer == POLL && turn < 100; turn++) {
        uint64_t number = 0;
        must(paxos_host_poll(host, SPAN_NS) == PAXOS_HOST_OK, "the host stopped");
        (void)!paxos_host_propose(host, 0, (const uint8_t *)"value", 5, &number);
    }
    if (outer == HOST_CLOSE) { paxos_host_close(host); }
}

/* A fresh journal for each try, with records where something is to be read. */
static void make(const char *directory, enum outer outer) {
    const paxos_journal_shape_t shape = {
        .size_bytes = sizeof shape,
        .node = 1,
        .cluster = CLUSTER,
        .segment_bytes = 65536,
        .segment_count = 3,
        .batch_bytes_max = 16384,
        .groups_max = 1};
    must(paxos_journal_format(&files, directory, &shape, NULL) == PAXOS_JOURNAL_OK, "no journal");
    if (outer == FLUSH || outer >= POLL) { return; } /* these write their first records later */
    open_journal(directory);
    read_to_end();
    write_records();
    paxos_journal_close(journal);
    journal = NULL;
}

static bool is_stopped(const char *directory, enum outer outer, uint32_t which) {
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%d-%u", directory, (int)outer, (unsigned)which);
    const pid_t child = fork();
    if (child == 0) {
        inner = which;
        make(path, outer);
        if (outer < POLL) {
            play_journal(path, outer);
        } else {
            play_host(path, outer);
        }
        _exit(CAUGHT_NOTHING);
    }
    int status = 0;
    must(child > 0 && waitpid(child, &status, 0) == child, "no process");
    return WIFEXITED(status) && WEXITSTATUS(status) == STOPPED;
}

int main(int count, char **arguments) {
    must(count == 2, "usage: reentry DIRECTORY");
    files = *paxos_files_posix();
    files.read = read_file;
    files.write = write_file;
    paxos_config_default(&config);
    config.cluster = CLUSTER;
    config.node = config.members[0] = 1;
    config.member_count = 1;
    config.window_slots = config.pipeline_slots = 64;
    config.value_bytes_max = 64;
    config.frame_bytes_max = 1024;
    config.arena_bytes = 1 << 14;
    config.election_timeout_ns = SPAN_NS / 10;
    uint32_t tries = 0;
    for (int outer = FLUSH; outer < OUTERS; outer++) {
        const uint32_t inners = outer < POLL ? (uint32_t)JOURNAL_INNERS : (uint32_t)HOST_INNERS;
        for (uint32_t i = 0; i < inners; i++, tries++) {
            if (is_stopped(arguments[1], (enum outer)outer, i)) { continue; }
            (void)fprintf(stderr, "reentry: call %u from within call %d goes on\n", i, outer);
            return 1;
        }
    }
    (void)printf("%u calls from within, each stopped\n", tries);
    return 0;
}
