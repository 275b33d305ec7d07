/* run.c - see journal_model.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "journal_model.h"
#include "member.h"
#include "mirror.h"
#include "patient.h"
#include "paxos/layout.h"
#include "paxos/random.h"

enum { GROUPS = 3, ACTS_PER_LIFE = 60 };

typedef struct run {
    disk_t disk;
    mirror_t mirror;
    bool is_real; /* the disk's files are real ones, too */
    paxos_files_t files;
    enum journal_weather weather;
    uint64_t random;
    paxos_journal_t *journal;
    member_t members[GROUPS];
    bool is_damaged; /* from now on a group may be told that something is lost */
    bool is_stuck;   /* full for good */
    bool has_failed; /* a call failed: the journal must say so from now on */
    uint8_t *older;  /* the file at an earlier time */
    uint64_t older_capacity;
    journal_tally_t *tally;
} run_t;

static uint64_t draw(run_t *run, uint64_t count) {
    return paxos_random_next(&run->random) % count;
}

static bool may_lose(const run_t *run) {
    return run->is_damaged || run->weather == JOURNAL_TORN_SECTORS;
}

/* Whether a record is as it was appended, but for what the journal may add. */
static bool is_as_written(const written_t *written, const paxos_journal_record_t *record) {
    uint8_t header[PAXOS_FRAME_HEADER_BYTES];
    memcpy(header, record->header, sizeof header);
    if (header[7] == PAXOS_RECORD_MARK && written->header[7] != PAXOS_RECORD_MARK) {
        return paxos_get64(header + 80) == paxos_get64(written->header + 80);
    }
    memcpy(header, written->header, 4);           /* checksum */
    memcpy(header + 28, written->header + 28, 4); /* flags, state */
    memcpy(header + 88, written->header + 88, 8); /* trim */
    return memcmp(header, written->header, sizeof header) == 0 &&
           record->body_bytes == written->body_bytes &&
           (record->is_damaged || memcmp(record->body, written->body, written->body_bytes) == 0);
}

static member_t *member_of(run_t *run, uint32_t group) {
    for (int i = 0; i < GROUPS; i++) {
        if (run->members[i].group == group) { return &run->members[i]; }
    }
    return NULL;
}

static const char *give_back(run_t *run, const paxos_journal_record_t *record) {
    member_t *member = member_of(run, record->group);
    if (member == NULL) { return "a record of a group that there is not"; }
    if (record->lsn > member->record_count) { return "a record that was never written"; }
    const written_t *written = &member->records[record->lsn - 1];
    if (written->body != NULL && !is_as_written(written, record)) {
        return "a record is not as it was written";
    }
    const paxos_status_t status = paxos_acceptor_recover(
        member->acceptor, record->header, PAXOS_FRAME_HEADER_BYTES, record->body,
        record->body_bytes);
    if (status == PAXOS_OK) { return NULL; }
    return status == PAXOS_ERR_WIRE && record->is_damaged ? NULL : "a record is refused";
}

static const char *start_members(run_t *run, uint32_t incarnation) {
    for (int i = 0; i < GROUPS; i++) {
        paxos_journal_group_t group = {.size_bytes = sizeof group};
        paxos_journal_group(run->journal, run->members[i].group, &group);
        if (!member_start(&run->members[i], incarnation, group.first_lsn)) { return "config"; }
        if (group.acknowledged_lsn == UINT64_MAX && !may_lose(run)) { return "unsure of a group"; }
        if (group.last_lsn < run->members[i].flushed && group.acknowledged_lsn != UINT64_MAX) {
            return "a flushed record is lost, and nobody says so";
        }
    }
    return NULL;
}

static const char *end_members(run_t *run) {
    for (int i = 0; i < GROUPS; i++) {
        member_t *member = &run->members[i];
        paxos_journal_group_t group = {.size_bytes = sizeof group};
        paxos_journal_group(run->journal, member->group, &group);
        const paxos_acceptor_t *a = member->acceptor;
        const paxos_status_t status =
            paxos_acceptor_recovered(member->acceptor, a->trimmed, group.acknowledged_lsn);
        if (status != PAXOS_OK) { return "recovered is refused"; }
        const char *wrong = member_check(member, may_lose(run));
        if (wrong != NULL) { return wrong; }
        run->tally->unknown += a->unknown_to > a->trimmed;
        run->tally->abstained += a->abstains != 0;
        member->abstains = a->abstains != 0;
        member->appended = group.last_lsn;
        /* What is durable counts, whether anybody waited for it or not. */
        if (may_lose(run)) {
            member->flushed = group.last_lsn;
        } else if (!member_flushed(member, group.last_lsn)) {
            return "flushed is refused";
        }
        if (member->ballot < a->promised) { member->ballot = a->promised; }
    }
    return NULL;
}

static const char *read_all(run_t *run) {
    paxos_journal_record_t record = {.size_bytes = sizeof record};
    for (;;) {
        const paxos_journal_status_t status = paxos_journal_read(run->journal, &record);
        if (status == PAXOS_JOURNAL_END) { return NULL; }
        if (status != PAXOS_JOURNAL_OK) { return "read failed"; }
        const char *wrong = give_back(run, &record);
        if (wrong != NULL) { return wrong; }
    }
}

static disk_cut_t cut_of(run_t *run) {
    static const disk_cut_t cuts[] = {CUT_NOTHING_KEPT, CUT_ALL_KEPT,   CUT_SOME_SECTORS,
                                      CUT_SOME_SECTORS, CUT_FIRST_KEPT, CUT_SOME_PAGES};
    if (run->weather == JOURNAL_PAGE_CUTS) { return CUT_SOME_PAGES; }
    if (run->weather == JOURNAL_TORN_SECTORS) { return CUT_INSIDE_SECTOR; }
    return cuts[draw(run, 6)];
}

static disk_file_t *journal_file(run_t *run) {
    return disk_find(&run->disk, "/journal/journal");
}

/* A page that something stands in, later ones more often. */
static uint64_t some_page(run_t *run, const disk_file_t *file) {
    uint64_t page = 0;
    for (int i = 0; i < 64; i++) {
        page = draw(run, file->size / 4096);
        uint32_t sum = 0;
        for (uint32_t b = 0; b < 4096; b++) { sum |= file->kept[page * 4096 + b]; }
        if (sum != 0) { break; }
    }
    return page;
}

static void rot(run_t *run) {
    disk_file_t *file =
        draw(run, 16) == 0 ? disk_find(&run->disk, "/journal/superblock") : journal_file(run);
    const uint64_t page = some_page(run, file);
    const uint64_t bits = draw(run, 2) == 0 ? 512 * 8 : 4096 * 8;
    disk_flip(file, page * 4096 * 8 + draw(run, bits));
    run->is_damaged = true;
}

static void lose_page(run_t *run) {
    disk_file_t *file = journal_file(run);
    const uint64_t at = some_page(run, file) * 4096;
    if (run->older != NULL && draw(run, 2) == 0) {
        memcpy(file->kept + at, run->older + at, 4096);
    } else {
        memset(file->kept + at, 0, 4096);
    }
    memcpy(file->seen + at, file->kept + at, 4096);
    run->is_damaged = true;
}

static void save(run_t *run) {
    free(run->older);
    run->older = disk_save(journal_file(run));
}

static void restore(run_t *run) {
    if (run->older == NULL) { return; }
    disk_restore(journal_file(run), run->older);
    run->is_damaged = true;
}

/* The power fails, or the process ends. */
static void fall(run_t *run) {
    /* After an error, too: what is seen then may be on no disk. */
    const bool may_go_on = run->weather == JOURNAL_ERRORS && draw(run, 2) == 0;
    if (run->weather == JOURNAL_KILLS || may_go_on) {
        disk_end_process(&run->disk);
    } else {
        disk_cut_power(&run->disk, cut_of(run));
    }
}

static void harm(run_t *run) {
    if (draw(run, 3) != 0) { return; }
    switch (run->weather) {
        case JOURNAL_ROT: rot(run); break;
        case JOURNAL_LOST_PAGES: lose_page(run); break;
        case JOURNAL_STALE: restore(run); break;
        default: break;
    }
}

static void doom(run_t *run, uint64_t calls) {
    run->disk.die_at = run->disk.calls + 1 + draw(run, calls);
}

/* The real files get the bytes that the fall left; a killed process leaves them as they are. */
static bool settle(run_t *run) {
    if (!run->is_real) { return true; }
    const int64_t pages = mirror_settle(&run->mirror);
    const bool is_as_left = run->weather != JOURNAL_KILLS || pages == 0;
    return pages >= 0 && is_as_left && run->mirror.differences == 0;
}

/* Now and then the power fails while the journal is opened, or a flush does. */
static void harm_open(run_t *run) {
    const bool has_error = run->weather == JOURNAL_ERRORS && draw(run, 4) == 0;
    run->disk.only_flushes = has_error;
    if (has_error) {
        run->disk.fail_at = run->disk.calls + 1 + draw(run, 60);
        run->disk.error = -EIO;
    } else if (draw(run, 4) == 0) {
        doom(run, 120);
    }
}

/* Open, whatever happens on the way. */
static const char *open_again(run_t *run) {
    const paxos_journal_options_t options = {
        .size_bytes = sizeof options, .node = 1, .cluster = MODEL_CLUSTER};
    for (int i = 0; i < 100; i++) {
        if (!settle(run)) { return "the real files are not what was written"; }
        harm_open(run);
        run->disk.is_choppy = draw(run, 4) == 0;
        const paxos_journal_status_t status =
            patient_open(&run->files, "/journal", &options, &run->journal);
        run->disk.only_flushes = false;
        if (status == PAXOS_JOURNAL_OK) {
            run->disk.die_at = run->disk.fail_at = 0;
            return NULL;
        }
        const bool died = run->disk.die_at != 0 && run->disk.calls >= run->disk.die_at;
        const bool failed = run->disk.fail_at != 0 && run->disk.calls >= run->disk.fail_at;
        if (!died && !failed) { return paxos_journal_words(status); }
        run->tally->crashes_in_open += 1;
        fall(run);
    }
    return "it never opened";
}

static const char *restart(run_t *run) {
    const char *wrong = open_again(run);
    if (wrong != NULL) { return wrong; }
    run->has_failed = false;
    paxos_journal_report_t report = {.size_bytes = sizeof report};
    paxos_journal_report(run->journal, &report);
    wrong = start_members(run, report.incarnation);
    if (wrong == NULL) { wrong = read_all(run); }
    paxos_journal_report(run->journal, &report);
    run->tally->torn += report.torn_bytes > 0;
    run->tally->damaged += report.damages > 0;
    if (report.damages > 0 && !may_lose(run)) { return "a power cut is taken for damage"; }
    if (wrong == NULL) { wrong = end_members(run); }
    return wrong;
}

/* The result of a call that may meet the end of the disk. */
static const char *outcome(run_t *run, paxos_journal_status_t status) {
    const bool is_dead = run->disk.die_at != 0 && run->disk.calls >= run->disk.die_at;
    const bool has_error = run->disk.fail_at != 0 && run->disk.calls >= run->disk.fail_at;
    if (status == PAXOS_JOURNAL_OK) { return run->has_failed ? "it goes on after an error" : NULL; }
    if (status != PAXOS_JOURNAL_ERR_SYSTEM || !(is_dead || has_error || run->has_failed)) {
        return paxos_journal_words(status);
    }
    run->tally->errors += has_error && !run->has_failed;
    run->has_failed = true;
    return NULL;
}

static const char *flush(run_t *run) {
    const paxos_journal_status_t status = paxos_journal_flush(run->journal);
    const char *wrong = outcome(run, status);
    for (int i = 0; i < GROUPS && status == PAXOS_JOURNAL_OK; i++) {
        member_t *member = &run->members[i];
        if (!member_flushed(member, member->appended)) { return "flushed is refused"; }
    }
    return wrong;
}

/* Every group trims all it can, and the journal hears of it. */
static const char *make_room(run_t *run) {
    run->tally->full += 1;
    for (int i = 0; i < GROUPS; i++) {
        member_trim_all(&run->members[i]);
        paxos_journal_trim(run->journal, run->members[i].group, run->members[i].acceptor->trimmed);
    }
    return flush(run);
}

static const char *append(run_t *run, member_t *member) {
    const written_t *record = &member->records[member->appended];
    for (int i = 0; i < 4; i++) {
        const paxos_journal_status_t status = paxos_journal_append(
            run->journal, record->header, PAXOS_FRAME_HEADER_BYTES, record->body,
            record->body_bytes);
        const char *wrong = NULL;
        if (status == PAXOS_JOURNAL_ERR_BUSY) {
            wrong = flush(run);
        } else if (status == PAXOS_JOURNAL_ERR_FULL) {
            wrong = make_room(run);
        } else {
            member->appended += status == PAXOS_JOURNAL_OK;
            return outcome(run, status);
        }
        if (wrong != NULL || run->has_failed) { return wrong; }
    }
    /* Segments whose records cannot be read are kept for long. */
    run->is_stuck = may_lose(run);
    return run->is_stuck ? NULL : "it stays full";
}

/* What was trimmed is read back, one answer after the other, as far as it goes. */
static const char *fetch(run_t *run, const member_t *member) {
    uint8_t out[8 * MEMBER_VALUE_BYTES];
    const uint64_t trimmed = member->acceptor->trimmed;
    const uint64_t first = paxos_journal_retained(run->journal, member->group);
    if (first > trimmed) { return NULL; }
    uint64_t slot = first + draw(run, trimmed - first + 1);
    while (slot <= trimmed) {
        const uint32_t wanted = 1 + (uint32_t)draw(run, 12);
        const size_t room = MEMBER_VALUE_BYTES + 64 + (size_t)draw(run, sizeof out / 2);
        uint32_t count = 0;
        size_t bytes = 0;
        const paxos_journal_status_t status = paxos_journal_fetch(
            run->journal, member->group, slot, wanted, out, room, &count, &bytes);
        if (run->has_failed && status == PAXOS_JOURNAL_ERR_SYSTEM) { return NULL; }
        if (status == PAXOS_JOURNAL_END) { return NULL; }
        if (status == PAXOS_JOURNAL_ERR_GONE) {
            run->tally->gone += 1;
            return paxos_journal_retained(run->journal, member->group) > slot
                       ? NULL
                       : "what is gone is said to be retained";
        }
        if (status != PAXOS_JOURNAL_OK) { return paxos_journal_words(status); }
        if (count == 0 || count > wanted || bytes > room) { return "an answer of another size"; }
        if (!member_decided(member, slot, count, out, bytes)) { return "other entries fetched"; }
        run->tally->fetched += count;
        slot += count;
    }
    return NULL;
}

static const char *act(run_t *run) {
    member_t *member = &run->members[draw(run, 8) < 5 ? 0 : 1 + draw(run, GROUPS - 1)];
    const uint64_t acts = 1 + draw(run, 4);
    for (uint64_t i = 0; i < acts; i++) { member_act(member); }
    const char *wrong = NULL;
    while (wrong == NULL && !run->has_failed && !run->is_stuck && member_poll(member)) {
        wrong = append(run, member);
    }
    if (wrong == NULL && !run->has_failed && draw(run, 3) != 0) { wrong = flush(run); }
    if (draw(run, 8) == 0) {
        paxos_journal_trim(run->journal, member->group, member->acceptor->trimmed);
    }
    if (wrong == NULL && draw(run, 8) == 0) { wrong = fetch(run, member); }
    return wrong;
}

static const char *live(run_t *run) {
    const uint64_t acts = draw(run, ACTS_PER_LIFE);
    const bool has_error = run->weather == JOURNAL_ERRORS && draw(run, 2) == 0;
    if (has_error) {
        run->disk.fail_at = run->disk.calls + 1 + draw(run, 100);
        run->disk.error = draw(run, 2) == 0 ? -EIO : -ENOSPC;
    } else if (draw(run, 4) != 0) {
        doom(run, 200);
    }
    const char *wrong = NULL;
    for (uint64_t i = 0; i < acts && wrong == NULL && !run->has_failed && !run->is_stuck; i++) {
        wrong = act(run);
    }
    if (wrong == NULL && run->has_failed) {
        /* It stays so. */
        (void)outcome(run, paxos_journal_flush(run->journal));
        if (paxos_journal_flush(run->journal) != PAXOS_JOURNAL_ERR_SYSTEM) { wrong = "forgets"; }
    }
    return wrong;
}

static void stop(run_t *run) {
    paxos_journal_report_t report = {.size_bytes = sizeof report};
    paxos_journal_report(run->journal, &report);
    run->tally->records += report.records_appended;
    run->tally->flushes += report.flushes;
    run->tally->recycled += report.recycled;
    run->tally->crashes += 1;
    run->disk.fail_at = 0;
    /* What a disk silently forgets can be known only if it was noted elsewhere: by close. */
    const bool forgets = run->weather == JOURNAL_LOST_PAGES || run->weather == JOURNAL_STALE;
    const bool is_orderly = !run->has_failed && (forgets || draw(run, 4) == 0);
    if (is_orderly) { run->disk.die_at = 0; }
    if (!is_orderly) { doom(run, 1); } /* nothing that close would write is written */
    paxos_journal_close(run->journal);
    fall(run);
    if (is_orderly || !forgets) { harm(run); }
    if (is_orderly && run->weather == JOURNAL_STALE && draw(run, 2) == 0) { save(run); }
    if (is_orderly && run->weather == JOURNAL_LOST_PAGES && run->older == NULL) { save(run); }
}

const char *journal_model_run(
    uint64_t seed, enum journal_weather kind, uint32_t crashes, const char *directory,
    journal_tally_t *tally) {
    run_t *run = calloc(1, sizeof *run);
    run->random = seed;
    run->weather = kind;
    run->tally = tally;
    disk_make(&run->disk, seed ^ 0xD15C);
    run->is_real = directory != NULL;
    run->files =
        run->is_real ? mirror_files(&run->mirror, &run->disk, directory) : disk_files(&run->disk);
    for (int i = 0; i < GROUPS; i++) {
        member_make(&run->members[i], 7 + (uint32_t)i * 1000, seed + (uint64_t)i);
    }
    const paxos_journal_shape_t shape = {
        .size_bytes = sizeof shape,
        .node = 1,
        .cluster = MODEL_CLUSTER,
        .segment_bytes = draw(run, 4) == 0 ? 512 << 10 : 64 << 10,
        .segment_count = 3 + (uint32_t)draw(run, 3),
        .batch_bytes_max = draw(run, 2) == 0 ? 16 << 10 : 32 << 10,
        .groups_max = 4};
    const char *wrong = NULL;
    const paxos_journal_status_t status =
        paxos_journal_format(&run->files, "/journal", &shape, NULL);
    if (status != PAXOS_JOURNAL_OK) { wrong = paxos_journal_words(status); }
    for (uint32_t i = 0; i < crashes && wrong == NULL && !run->is_stuck; i++) {
        wrong = restart(run);
        if (wrong == NULL) { wrong = live(run); }
        if (run->journal != NULL) { stop(run); }
        run->journal = NULL;
    }
    for (int i = 0; i < GROUPS; i++) { member_free(&run->members[i]); }
    if (wrong == NULL && !settle(run)) { wrong = "the real files are not what was written"; }
    free(run->older);
    disk_free(&run->disk);
    free(run);
    return wrong;
}
