/* rows.c - see journal_rows.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "journal_rows.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "member.h"
#include "mirror.h"
#include "patient.h"
#include "paxos/layout.h"

enum { ROW_POINTS_MAX = 400, ROW_FLUSHES = 12, ROW_FLUSHES_MAX = 100 };

/* A node with one group. */
typedef struct row {
    disk_t disk;
    mirror_t mirror;
    paxos_files_t files;
    const char *path;
    member_t member;
    paxos_journal_t *journal;
    bool is_pending; /* the last record that was polled is not appended yet */
    uint32_t points; /* calls at which something happened */
} row_t;

static const char *format(const row_t *row) {
    const paxos_journal_shape_t shape = {
        .size_bytes = sizeof shape,
        .node = 1,
        .cluster = MODEL_CLUSTER,
        .segment_bytes = 64 << 10,
        .segment_count = 3,
        .batch_bytes_max = 16 << 10,
        .groups_max = 1};
    const paxos_journal_status_t status =
        paxos_journal_format(&row->files, row->path, &shape, NULL);
    return status == PAXOS_JOURNAL_OK ? NULL : paxos_journal_words(status);
}

/* A life begins; OK, ERR_SYSTEM, or, with *wrong_out, what must not be. */
static paxos_journal_status_t wake(row_t *row, const char **wrong_out) {
    const paxos_journal_options_t options = {.size_bytes = sizeof options};
    row->is_pending = false;
    paxos_journal_status_t status = patient_open(&row->files, row->path, &options, &row->journal);
    if (status != PAXOS_JOURNAL_OK) { return status; }
    member_t *m = &row->member;
    paxos_journal_report_t report = {.size_bytes = sizeof report};
    paxos_journal_group_t group = {.size_bytes = sizeof group};
    paxos_journal_record_t record = {.size_bytes = sizeof record};
    paxos_journal_report(row->journal, &report);
    paxos_journal_group(row->journal, m->group, &group);
    if (!member_start(m, report.incarnation, group.first_lsn)) { *wrong_out = "configuration"; }
    while ((status = paxos_journal_read(row->journal, &record)) == PAXOS_JOURNAL_OK) {
        if (paxos_acceptor_recover(
                m->acceptor, record.header, sizeof record.header, record.body, record.body_bytes) !=
            PAXOS_OK) {
            *wrong_out = "a record is refused";
        }
    }
    if (paxos_acceptor_recovered(m->acceptor, m->acceptor->trimmed, group.acknowledged_lsn) !=
        PAXOS_OK) {
        *wrong_out = "recovered is refused";
    }
    const char *lost = member_check(m, false);
    if (lost != NULL) { *wrong_out = lost; }
    /* Records of a life in another process are not known here. */
    const bool is_known = group.last_lsn <= m->record_count;
    if (*wrong_out == NULL && is_known && !member_flushed(m, group.last_lsn)) {
        *wrong_out = "flushed is refused";
    }
    m->appended = group.last_lsn;
    if (m->ballot < m->acceptor->promised) { m->ballot = m->acceptor->promised; }
    return status == PAXOS_JOURNAL_END ? PAXOS_JOURNAL_OK : status;
}

static paxos_journal_status_t flush(row_t *row) {
    const paxos_journal_status_t status = paxos_journal_flush(row->journal);
    if (status == PAXOS_JOURNAL_OK) { (void)!member_flushed(&row->member, row->member.appended); }
    return status;
}

/* What the acceptor has to write becomes durable, and the leader hears of it. */
static paxos_journal_status_t write_down(row_t *row) {
    member_t *m = &row->member;
    while (row->is_pending || member_poll(m)) {
        row->is_pending = true;
        const written_t *record = &m->records[m->appended];
        paxos_journal_status_t status = paxos_journal_append(
            row->journal, record->header, sizeof record->header, record->body, record->body_bytes);
        if (status == PAXOS_JOURNAL_ERR_BUSY) {
            status = flush(row);
        } else if (status == PAXOS_JOURNAL_OK) {
            m->appended += 1;
            row->is_pending = false;
        }
        if (status != PAXOS_JOURNAL_OK) { return status; }
    }
    return flush(row);
}

static paxos_journal_status_t vote(row_t *row) {
    member_ask_votes(&row->member, row->member.acceptor->last_slot + 1, 4);
    return write_down(row);
}

/* All that was voted for is decided and trimmed, in the journal, too. */
static paxos_journal_status_t trim(row_t *row) {
    member_trim_all(&row->member);
    paxos_journal_trim(row->journal, row->member.group, row->member.acceptor->trimmed);
    return flush(row);
}

static paxos_journal_status_t some_votes(row_t *row) {
    paxos_journal_status_t status = PAXOS_JOURNAL_OK;
    for (int i = 0; i < ROW_FLUSHES && status == PAXOS_JOURNAL_OK; i++) {
        status = vote(row);
        if (status == PAXOS_JOURNAL_ERR_FULL) { status = trim(row); }
        if (i % 2 == 1 && status == PAXOS_JOURNAL_OK) { status = trim(row); }
    }
    return status;
}

/* Votes until no segment is left: then the next trim moves the journal's start. */
static paxos_journal_status_t fill(row_t *row) {
    paxos_journal_status_t status = PAXOS_JOURNAL_OK;
    for (int i = 0; i < ROW_FLUSHES_MAX && status == PAXOS_JOURNAL_OK; i++) {
        status = vote(row);
        const bool has_more = row->member.acceptor->last_slot - row->member.acceptor->trimmed < 48;
        if (!has_more && status == PAXOS_JOURNAL_OK) { member_trim_all(&row->member); }
    }
    return status;
}

static paxos_journal_status_t move_base(row_t *row) {
    const paxos_journal_status_t status = trim(row);
    return status == PAXOS_JOURNAL_OK ? some_votes(row) : status;
}

static const char *begin(row_t *row, const char *directory) {
    disk_make(&row->disk, 1);
    row->files = mirror_files(&row->mirror, &row->disk, directory);
    row->path = "/journal";
    member_make(&row->member, 7, 1);
    return format(row);
}

static void end(row_t *row) {
    paxos_journal_close(row->journal);
    member_free(&row->member);
    (void)mirror_settle(&row->mirror);
    disk_free(&row->disk);
    free(row);
}

/* One life, with a cut at a call of its own; *died_out: it came to that. */
static const char *one_cut(
    row_t *row, uint32_t point, disk_cut_t how, paxos_journal_status_t (*prepare)(row_t *),
    paxos_journal_status_t (*live)(row_t *), bool *died_out) {
    const char *wrong = NULL;
    if (mirror_settle(&row->mirror) < 0) { return "the real files cannot be written"; }
    if (prepare == NULL) { row->disk.die_at = row->disk.calls + point; }
    paxos_journal_status_t status = wake(row, &wrong);
    const bool is_dead = row->disk.die_at != 0 && row->disk.calls >= row->disk.die_at;
    if (wrong != NULL && !is_dead) { return wrong; } /* what the dead read does not count */
    if (is_dead) { status = PAXOS_JOURNAL_ERR_SYSTEM; }
    if (prepare != NULL) {
        (void)prepare(row);
        row->disk.die_at = row->disk.calls + point;
    }
    if (status == PAXOS_JOURNAL_OK) { status = live(row); }
    *died_out = row->disk.calls >= row->disk.die_at;
    if (!*died_out && status != PAXOS_JOURNAL_OK) { return paxos_journal_words(status); }
    row->points += *died_out;
    row->disk.die_at = 1; /* what close would write is not written either */
    paxos_journal_close(row->journal);
    row->journal = NULL;
    disk_cut_power(&row->disk, how);
    return NULL;
}

static const char *cut_everywhere(
    const char *directory, paxos_journal_status_t (*prepare)(row_t *),
    paxos_journal_status_t (*live)(row_t *), uint32_t *cuts_out) {
    static const disk_cut_t cuts[] = {CUT_NOTHING_KEPT, CUT_ALL_KEPT, CUT_SOME_SECTORS};
    row_t *row = calloc(1, sizeof *row);
    const char *wrong = begin(row, directory);
    for (uint32_t kind = 0; kind < 3 && wrong == NULL; kind++) {
        bool died = true;
        for (uint32_t point = 1; point < ROW_POINTS_MAX && died && wrong == NULL; point++) {
            wrong = one_cut(row, point, cuts[kind], prepare, live, &died);
        }
        if (died && wrong == NULL) { wrong = "it never comes to an end"; }
    }
    *cuts_out = row->points;
    end(row);
    return wrong;
}

const char *journal_row_power_cuts(const char *directory, uint32_t *cuts_out) {
    return cut_everywhere(directory, NULL, some_votes, cuts_out);
}

const char *journal_row_base_moves(const char *directory, uint32_t *cuts_out) {
    return cut_everywhere(directory, fill, move_base, cuts_out);
}

/* One life in which one call fails, once. */
static const char *one_error(row_t *row, uint32_t point, int error, bool *failed_out) {
    const char *wrong = NULL;
    if (mirror_settle(&row->mirror) < 0) { return "the real files cannot be written"; }
    paxos_journal_status_t status = wake(row, &wrong);
    if (wrong != NULL) { return wrong; }
    row->disk.fail_at = row->disk.calls + point;
    row->disk.error = error;
    if (status == PAXOS_JOURNAL_OK) { status = some_votes(row); }
    *failed_out = row->disk.calls >= row->disk.fail_at;
    const uint64_t calls = row->disk.calls;
    if (*failed_out && (calls != row->disk.fail_at || status != PAXOS_JOURNAL_ERR_SYSTEM)) {
        return "it goes on after an error";
    }
    if (!*failed_out && status != PAXOS_JOURNAL_OK) { return paxos_journal_words(status); }
    paxos_journal_report_t report = {.size_bytes = sizeof report};
    paxos_journal_report(row->journal, &report);
    if (*failed_out && report.fault.error != -error) { wrong = "it does not say what failed"; }
    for (int i = 0; i < 3 && *failed_out && wrong == NULL; i++) {
        if (vote(row) != PAXOS_JOURNAL_ERR_SYSTEM) { wrong = "it votes after an error"; }
    }
    if (!*failed_out) { disk_end_process(&row->disk); }
    paxos_journal_close(row->journal);
    row->journal = NULL;
    if (*failed_out && row->disk.calls != calls) { wrong = "it tries again after an error"; }
    row->points += *failed_out;
    disk_end_process(&row->disk);
    return wrong;
}

const char *journal_row_errors(const char *directory, uint32_t *errors_out) {
    row_t *row = calloc(1, sizeof *row);
    const char *wrong = begin(row, directory);
    for (uint32_t kind = 0; kind < 2 && wrong == NULL; kind++) {
        bool failed = true;
        for (uint32_t point = 1; point < ROW_POINTS_MAX && failed && wrong == NULL; point++) {
            wrong = one_error(row, point, kind == 0 ? -EIO : -ENOSPC, &failed);
        }
        if (failed && wrong == NULL) { wrong = "it never comes to an end"; }
    }
    *errors_out = row->points;
    end(row);
    return wrong;
}

/* One format that comes to a bad end, on a disk of its own; *ended_out: it did. */
static const char *one_format(
    row_t *row, uint32_t point, disk_cut_t how, int error, bool *ended_out) {
    disk_make(&row->disk, row->points + 1);
    row->disk.die_at = error == 0 ? point : 0;
    row->disk.fail_at = error != 0 ? point : 0;
    row->disk.error = error;
    const bool was_made = format(row) == PAXOS_JOURNAL_OK;
    *ended_out = row->disk.calls >= point;
    if (error == 0) {
        disk_cut_power(&row->disk, how);
    } else {
        disk_end_process(&row->disk);
        if (*ended_out && was_made) { return "an error is not told"; }
    }
    const paxos_journal_options_t options = {.size_bytes = sizeof options, .node = 1};
    paxos_journal_status_t status = patient_open(&row->files, row->path, &options, &row->journal);
    if (was_made && status != PAXOS_JOURNAL_OK) { return "what was made is not there"; }
    if (status == PAXOS_JOURNAL_ERR_MISSING) {
        const char *wrong = format(row);
        if (wrong != NULL) { return wrong; }
        status = patient_open(&row->files, row->path, &options, &row->journal);
    }
    if (status != PAXOS_JOURNAL_OK) { return paxos_journal_words(status); }
    paxos_journal_report_t report = {.size_bytes = sizeof report};
    paxos_journal_report(row->journal, &report);
    paxos_journal_close(row->journal);
    row->journal = NULL;
    row->points += 1;
    disk_free(&row->disk);
    return report.incarnation == 1 && report.superblock_copies == 2 ? NULL : "no first life";
}

const char *journal_row_format(uint32_t *points_out) {
    static const disk_cut_t cuts[] = {CUT_NOTHING_KEPT, CUT_ALL_KEPT, CUT_SOME_SECTORS, 0, 0};
    static const int errors[] = {0, 0, 0, -EIO, -ENOSPC};
    row_t *row = calloc(1, sizeof *row);
    const char *wrong = NULL;
    row->files = disk_files(&row->disk);
    row->path = "/journal";
    for (uint32_t kind = 0; kind < 5 && wrong == NULL; kind++) {
        bool has_ended = true;
        for (uint32_t point = 1; point < ROW_POINTS_MAX && has_ended && wrong == NULL; point++) {
            wrong = one_format(row, point, cuts[kind], errors[kind], &has_ended);
        }
        if (has_ended && wrong == NULL) { wrong = "it never comes to an end"; }
    }
    *points_out = row->points;
    free(row);
    return wrong;
}

const char *journal_row_accept_raises(const char *directory) {
    row_t *row = calloc(1, sizeof *row);
    char path[MIRROR_PATH_BYTES];
    const char *wrong = NULL;
    row->files = *paxos_files_posix();
    (void)strncat(strcpy(path, directory), "/journal", sizeof path - strlen(directory) - 1);
    row->path = path;
    member_make(&row->member, 7, 1);
    const paxos_ballot_t high = paxos_ballot(5, 2);
    row->member.ballot = high;
    wrong = format(row);
    const pid_t child = wrong == NULL ? fork() : -1;
    if (child == 0) {
        closefrom(3); /* other tests' sockets, ports and locks */
        if (wake(row, &wrong) == PAXOS_JOURNAL_OK && vote(row) == PAXOS_JOURNAL_OK) {
            (void)kill(getpid(), SIGKILL);
        }
        _exit(1);
    }
    int status = 0;
    if (child > 0) { (void)waitpid(child, &status, 0); }
    if (wrong == NULL && !(child > 0 && WIFSIGNALED(status))) { wrong = "the child did not vote"; }
    if (wrong == NULL && wake(row, &wrong) != PAXOS_JOURNAL_OK) { wrong = "it does not open"; }
    if (wrong == NULL) {
        uint64_t promised = 0;
        uint64_t lsn = 0;
        const paxos_status_t answer =
            paxos_acceptor_prepare(row->member.acceptor, paxos_ballot(4, 3), &promised, &lsn);
        if (answer != PAXOS_ERR_STALE || promised != high) {
            wrong = "an older Prepare is granted";
        }
        if (row->member.acceptor->last_slot == 0) { wrong = "the vote itself is lost"; }
    }
    paxos_journal_close(row->journal);
    member_free(&row->member);
    free(row);
    return wrong;
}
