/* journal.c - fuzz target: a journal on a disk that loses, flips and forges.
 *
 * While bits only flip, and power cuts lose only what was not flushed, nothing that was
 * acknowledged may be lost in silence: it is given back, or the group is told that votes may be
 * missing. Once whole sectors were forged, moved or zeroed all is said to be possible, but for a
 * crash, a loop, or bytes out of bounds. */
#include "paxos_journal.h"

#include "../CJournalModel/disk.h"
#include "fuzz.h"
#include "paxos/bytes.h"
#include "paxos/crc32c.h"
#include "paxos/hot_frame.h"

enum { GROUPS = 2, ACTS = 100, BODY_MAX = 2040, READS_MAX = 4096, SECTOR = 512 };
enum { CLUSTER = 77 };

typedef struct known {
    uint32_t lengths[ACTS + 1]; /* of the bodies, by lsn */
    uint64_t appended;
    uint64_t acknowledged;
    uint64_t trim;
    bool is_lost; /* it was told that records may be missing: lsns may come twice */
} known_t;

static struct {
    disk_t disk;
    paxos_files_t files;
    paxos_journal_t *journal;
    known_t groups[GROUPS];
    bool is_wild;
} world;

static void write_body(uint8_t *body, uint32_t bytes, uint32_t group, uint64_t lsn) {
    for (uint32_t i = 0; i < bytes; i++) { body[i] = (uint8_t)((lsn * 31 + group + i) | 1); }
}

static void append(uint32_t group, uint32_t body_bytes) {
    uint8_t header[PAXOS_FRAME_HEADER_BYTES];
    uint8_t body[BODY_MAX];
    known_t *known = &world.groups[group];
    const uint64_t lsn = known->appended + 1;
    paxos_frame_t frame = {
        .kind = body_bytes == 0 ? PAXOS_RECORD_MARK : PAXOS_RECORD_ENTRIES,
        .cluster = CLUSTER,
        .group = group,
        .incarnation = 1,
        .sender = 1,
        .receiver = 1,
        .other = 0x10001,
        .nonce = lsn,
        .trim = known->trim,
        .watermark = known->trim};
    if (body_bytes != 0) {
        frame.ballot = 0x10001;
        frame.slot = lsn;
        frame.count = 1;
        frame.body_bytes = body_bytes;
    }
    paxos_frame_put(header, &frame);
    write_body(body, body_bytes, group, lsn);
    const paxos_journal_status_t status =
        paxos_journal_append(world.journal, header, sizeof header, body, body_bytes);
    TRACE("append %u %" PRIu64 ": %d\n", group, lsn, status);
    if (status != PAXOS_JOURNAL_OK) { return; }
    known->appended = lsn;
    known->lengths[lsn % (ACTS + 1)] = body_bytes;
}

static void flush(void) {
    const paxos_journal_status_t status = paxos_journal_flush(world.journal);
    TRACE("flush: %d\n", status);
    if (status != PAXOS_JOURNAL_OK) { return; }
    for (uint32_t i = 0; i < GROUPS; i++) {
        world.groups[i].acknowledged = world.groups[i].appended;
    }
}

/* What is given back as whole is what was appended. */
static void check_record(const paxos_journal_record_t *record) {
    uint8_t body[BODY_MAX];
    if (world.is_wild) { return; }
    CHECK(record->group < GROUPS && record->lsn >= 1);
    const known_t *known = &world.groups[record->group];
    if (known->is_lost || record->is_damaged || record->header[7] == PAXOS_RECORD_MARK) { return; }
    CHECK(record->lsn <= known->appended);
    CHECK(record->body_bytes == known->lengths[record->lsn]);
    write_body(body, record->body_bytes, record->group, record->lsn);
    CHECK(memcmp(body, record->body, record->body_bytes) == 0);
    CHECK(
        paxos_crc32c(0, record->header + 4, PAXOS_FRAME_HEADER_BYTES - 4) ==
        paxos_get32(record->header));
}

/* Everything is read; then it is known what is missing. */
static void read_all(bool is_read_only) {
    paxos_journal_record_t record = {.size_bytes = sizeof record};
    uint64_t next[GROUPS] = {0};
    bool has_gap = false;
    uint32_t count = 0;
    paxos_journal_status_t status;
    while ((status = paxos_journal_read(world.journal, &record)) == PAXOS_JOURNAL_OK) {
        CHECK(count < READS_MAX);
        count += 1;
        check_record(&record);
        if (world.is_wild || record.group >= GROUPS) { continue; }
        uint64_t *lsn = &next[record.group];
        CHECK(record.lsn > *lsn);
        has_gap = has_gap || (*lsn != 0 && record.lsn != *lsn + 1);
        *lsn = record.lsn;
    }
    CHECK(status == PAXOS_JOURNAL_END);
    paxos_journal_report_t report = {.size_bytes = sizeof report};
    paxos_journal_report(world.journal, &report);
    for (uint32_t i = 0; i < GROUPS; i++) {
        known_t *known = &world.groups[i];
        paxos_journal_group_t group = {.size_bytes = sizeof group};
        paxos_journal_group(world.journal, i, &group);
        TRACE(
            "group %u: last %" PRIu64 " of %" PRIu64 "\n", i, group.last_lsn, known->acknowledged);
        const bool is_unsure = group.acknowledged_lsn == UINT64_MAX;
        CHECK(
            world.is_wild || known->is_lost || is_unsure || group.last_lsn >= known->acknowledged);
        CHECK(world.is_wild || !has_gap || report.damages != 0);
        known->is_lost = known->is_lost || is_unsure;
        /* What is found is made durable, but by who only reads. */
        if (!is_read_only) { known->appended = known->acknowledged = group.last_lsn; }
    }
}

static bool open_journal(bool is_read_only) {
    const paxos_journal_options_t options = {
        .size_bytes = sizeof options, .is_read_only = is_read_only};
    const paxos_journal_status_t status =
        paxos_journal_open(&world.files, "j", &options, &world.journal, NULL);
    TRACE("open: %d\n", status);
    if (status != PAXOS_JOURNAL_OK) {
        CHECK(world.journal == NULL && status != PAXOS_JOURNAL_ERR_LOCKED);
        return false;
    }
    read_all(is_read_only);
    return true;
}

/* Where damage goes: a byte of a file. */
static disk_file_t *choose(input_t *input, uint64_t *at) {
    disk_file_t *file =
        disk_find(&world.disk, input_byte(input) < 0xE0 ? "j/journal" : "j/superblock");
    *at = input_word(input, 2) % file->size;
    return file;
}

/* Change a sector, and make its checksum right: as no disk does. */
static void forge(input_t *input) {
    uint64_t at;
    disk_file_t *file = choose(input, &at);
    uint8_t *sector = file->seen + at / SECTOR * SECTOR;
    sector[input_word(input, 2) % 80] = input_byte(input);
    paxos_put32(sector, paxos_crc32c(0, sector + 4, SECTOR - 4));
    memcpy(file->kept + at / SECTOR * SECTOR, sector, SECTOR);
    world.is_wild = true;
}

/* A sector, or a page, in the place of another, or zeros there. */
static void move(input_t *input, bool is_zero) {
    uint64_t from;
    uint64_t to;
    disk_file_t *file = choose(input, &from);
    disk_file_t *other = choose(input, &to);
    const uint64_t bytes = input_byte(input) % 2 == 0 ? SECTOR : 8 * SECTOR;
    from -= from % bytes;
    to -= to % bytes;
    if (is_zero) { memset(file->seen + from, 0, bytes); }
    memmove(other->seen + to, file->seen + from, bytes);
    memcpy(other->kept + to, other->seen + to, bytes);
    memcpy(file->kept + from, file->seen + from, bytes);
    world.is_wild = true;
}

static void rot(input_t *input) {
    uint64_t at;
    disk_file_t *file = choose(input, &at);
    disk_flip(file, at * 8 + input_byte(input) % 64);
}

/* The process, or the power, ends: within the calls of a flush, or before anything more is said. */
static void die(input_t *input) {
    const uint8_t how = input_byte(input);
    world.disk.die_at = world.disk.calls + 1 + (how < 128 ? how / 8 % 8 : 0);
    if (how < 128) { flush(); }
    paxos_journal_close(world.journal);
    world.journal = NULL;
    if (how % 8 < 5) {
        disk_cut_power(&world.disk, (disk_cut_t)(how % 5)); /* not inside of a sector */
    } else {
        disk_end_process(&world.disk);
    }
}

static void fetch(input_t *input) {
    static uint8_t out[8192];
    uint32_t count = 0;
    size_t bytes = 0;
    const uint8_t what = input_byte(input);
    for (uint32_t i = 0; i < 64; i++) {
        const paxos_journal_status_t status = paxos_journal_fetch(
            world.journal, what % GROUPS, 1 + what / 2u, 4, out, sizeof out, &count, &bytes);
        CHECK(status != PAXOS_JOURNAL_OK || (count >= 1 && count <= 4 && bytes <= sizeof out));
        if (status != PAXOS_JOURNAL_ERR_BUSY) { return; }
    }
}

static void trim(input_t *input) {
    const uint8_t what = input_byte(input);
    known_t *known = &world.groups[what % GROUPS];
    const uint64_t slot = known->appended - (known->appended < what / 8u ? 0 : what / 8u);
    if (slot > known->trim) { known->trim = slot; }
    paxos_journal_trim(world.journal, what % GROUPS, known->trim);
}

static void act(input_t *input) {
    const uint8_t what = input_byte(input);
    if (what % 16 >= 8 && world.journal != NULL) { /* what happens between two lives */
        paxos_journal_close(world.journal);
        world.journal = NULL;
        disk_end_process(&world.disk);
    }
    switch (what % 16) {
        case 0:
        case 1:
        case 2:
        case 3: append(what / 16 % GROUPS, input_byte(input) % 255 * 8u); break;
        case 4: flush(); break;
        case 5: trim(input); break;
        case 6:
            if (what < 64) {
                fetch(input);
                break;
            }
            append(what / 16 % GROUPS, input_byte(input) % 255 * 8u);
            flush();
            break;
        case 7: die(input); break;
        case 8: (void)open_journal(true); break;
        case 9: forge(input); break;
        case 10: move(input, what >= 128); break;
        case 11:
        case 12:
        case 13: rot(input); break;
        default: break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input_t input = {data, size};
    memset(&world, 0, sizeof world);
    disk_make(&world.disk, 1);
    world.files = disk_files(&world.disk);
    const paxos_journal_shape_t shape = {
        .size_bytes = sizeof shape,
        .node = 1,
        .cluster = CLUSTER,
        .segment_bytes = 16384,
        .segment_count = 3,
        .batch_bytes_max = 8192,
        .groups_max = GROUPS};
    CHECK(paxos_journal_format(&world.files, "j", &shape, NULL) == PAXOS_JOURNAL_OK);
    bool is_open = open_journal(false);
    for (uint32_t i = 0; i < ACTS && is_open && input.left != 0; i++) {
        act(&input);
        const bool is_between = input.left != 0 && *input.at % 16 >= 8;
        if (world.journal == NULL && !is_between) { is_open = open_journal(false); }
    }
    CHECK(is_open || world.journal == NULL);
    paxos_journal_close(world.journal);
    disk_free(&world.disk);
    return 0;
}
