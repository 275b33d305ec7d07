/* journal.c - makes the journal that journal-N.hex keeps: two groups, three lives, every kind of
 * record, and so many flushes that the first segments were recycled. README.md says how to run it.
 *
 * usage: journal DIRECTORY (that is not there yet) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "paxos.h"
#include "paxos/entry.h"
#include "paxos/hot_frame.h"
#include "paxos_journal.h"

enum { CLUSTER = 0x5A3713, SEGMENT_BYTES = 32768, BATCH_BYTES = 8192, VALUE_BYTES = 48 };

/* An acceptor, and the journal that it shares. */
typedef struct group {
    paxos_journal_t *journal;
    uint8_t *block;
    paxos_acceptor_t *acceptor;
    uint32_t number;
    uint64_t ballot; /* of its leader */
} group_t;

static void must(bool is_so, const char *what) {
    if (!is_so) {
        (void)fprintf(stderr, "journal: %s\n", what);
        exit(1);
    }
}

static void start(group_t *group, uint32_t incarnation) {
    paxos_journal_group_t told = {.size_bytes = sizeof told};
    paxos_journal_group(group->journal, group->number, &told);
    paxos_config_t config;
    paxos_config_default(&config);
    config.cluster = CLUSTER;
    config.group = group->number;
    config.node = 1;
    config.incarnation = incarnation;
    config.journal_lsn = told.first_lsn;
    config.member_count = 3;
    for (uint16_t i = 0; i < 3; i++) { config.members[i] = (uint16_t)(i + 1); }
    config.window_slots = config.pipeline_slots = 64;
    config.value_bytes_max = VALUE_BYTES;
    config.frame_bytes_max = 2048;
    config.arena_bytes = 1 << 14;
    config.reply_ring = config.write_ring = config.send_ring = config.forward_ring = 64;
    const size_t bytes = paxos_acceptor_block_bytes(&config);
    free(group->block);
    group->block = aligned_alloc(PAXOS_BLOCK_ALIGNMENT, bytes);
    must(paxos_acceptor_init(group->block, bytes, &config, &group->acceptor) == PAXOS_OK, "init");
}

static void receive(group_t *group, paxos_frame_t frame, const uint8_t *body) {
    uint8_t header[PAXOS_FRAME_HEADER_BYTES];
    frame.cluster = CLUSTER;
    frame.group = group->number;
    frame.incarnation = 1;
    frame.sender = 2;
    frame.receiver = 1;
    frame.ballot = frame.kind == PAXOS_FRAME_LEARNED ? 0 : group->ballot;
    paxos_frame_put(header, &frame);
    must(
        paxos_acceptor_receive(group->acceptor, header, sizeof header, body, frame.body_bytes) ==
            PAXOS_OK,
        "a frame is refused");
}

/* Entries from `slot` on: values of 0 to VALUE_BYTES bytes, and a no-op in every seventh slot. */
static void bring(group_t *group, uint8_t kind, uint64_t slot, uint32_t count) {
    uint8_t body[2048];
    paxos_frame_t frame = {.kind = kind, .slot = slot, .count = count};
    if (kind == PAXOS_FRAME_LEARNED) { frame.state = PAXOS_RUN_CHOSEN; }
    for (uint64_t at = slot; at < slot + count; at++) {
        uint8_t value[VALUE_BYTES];
        memset(value, (int)(at % 251), sizeof value);
        const bool is_command = at % 7 != 0;
        const paxos_entry_t entry = {
            .value_bytes = is_command ? (uint32_t)(at * 13 % (VALUE_BYTES + 1)) : 0,
            .node = 2,
            .kind = is_command ? PAXOS_ENTRY_COMMAND : PAXOS_ENTRY_NOOP,
            .incarnation = 1,
            .number = is_command ? at : 0};
        frame.body_bytes += paxos_entry_put(body + frame.body_bytes, entry, value);
    }
    must(
        paxos_run_verify(body, frame.body_bytes, slot, count, VALUE_BYTES, &frame.digest) ==
            PAXOS_OK,
        "a run");
    receive(group, frame, body);
}

/* What it wants written, without a flush. */
static void append(group_t *group) {
    paxos_effect_t effect = {.size_bytes = sizeof effect};
    while (paxos_acceptor_poll(group->acceptor, &effect)) {
        if (effect.kind != PAXOS_EFFECT_WRITE) { continue; }
        must(
            paxos_journal_append(
                group->journal, effect.header, sizeof effect.header,
                group->block + effect.body_offset, effect.body_bytes) == PAXOS_JOURNAL_OK,
            "append");
    }
}

static void flush(group_t groups[2]) {
    for (int i = 0; i < 2; i++) { append(&groups[i]); }
    must(paxos_journal_flush(groups[0].journal) == PAXOS_JOURNAL_OK, "flush");
    for (int i = 0; i < 2; i++) {
        paxos_acceptor_status_t status = {.size_bytes = sizeof status};
        paxos_acceptor_status(groups[i].acceptor, &status);
        must(paxos_acceptor_flushed(groups[i].acceptor, status.lsn) == PAXOS_OK, "flushed");
        paxos_journal_trim(groups[i].journal, groups[i].number, status.trimmed);
    }
}

static void lead(group_t *group, uint64_t round) {
    paxos_ballot_t promised = 0;
    uint64_t lsn = 0;
    group->ballot = paxos_ballot(round, 2);
    must(
        paxos_acceptor_prepare(group->acceptor, group->ballot, &promised, &lsn) == PAXOS_OK,
        "a promise");
}

static void open(group_t groups[2], const char *directory, uint32_t incarnation) {
    const paxos_journal_options_t options = {
        .size_bytes = sizeof options, .node = 1, .cluster = CLUSTER};
    paxos_journal_t *journal = NULL;
    must(paxos_journal_open(NULL, directory, &options, &journal, NULL) == PAXOS_JOURNAL_OK, "open");
    for (int i = 0; i < 2; i++) {
        groups[i].journal = journal;
        start(&groups[i], incarnation);
    }
    paxos_journal_record_t record = {.size_bytes = sizeof record};
    while (paxos_journal_read(journal, &record) == PAXOS_JOURNAL_OK) {
        group_t *group = &groups[record.group == groups[0].number ? 0 : 1];
        must(
            paxos_acceptor_recover(
                group->acceptor, record.header, sizeof record.header, record.body,
                record.body_bytes) == PAXOS_OK,
            "recover");
    }
    for (int i = 0; i < 2; i++) {
        paxos_journal_group_t told = {.size_bytes = sizeof told};
        paxos_acceptor_status_t status = {.size_bytes = sizeof status};
        paxos_journal_group(journal, groups[i].number, &told);
        paxos_acceptor_status(groups[i].acceptor, &status);
        must(
            paxos_acceptor_recovered(groups[i].acceptor, status.trimmed, told.acknowledged_lsn) ==
                PAXOS_OK,
            "recovered");
    }
}

/* Turns of the first group: three entries each, decided and trimmed but for the last ten slots. */
static void work(group_t groups[2], uint64_t from, uint64_t to) {
    for (uint64_t slot = from; slot < to; slot += 3) {
        bring(&groups[0], PAXOS_FRAME_ACCEPT, slot, 3);
        receive(
            &groups[0], (paxos_frame_t){.kind = PAXOS_FRAME_COMMIT, .watermark = slot + 1}, NULL);
        if (slot > 10) {
            must(paxos_acceptor_trim(groups[0].acceptor, slot - 10) == PAXOS_OK, "trim");
        }
        flush(groups);
    }
}

int main(int count, char **arguments) {
    must(count == 2, "usage: journal DIRECTORY");
    const paxos_journal_shape_t shape = {
        .size_bytes = sizeof shape,
        .node = 1,
        .cluster = CLUSTER,
        .segment_bytes = SEGMENT_BYTES,
        .segment_count = 3,
        .batch_bytes_max = BATCH_BYTES,
        .groups_max = 2};
    must(paxos_journal_format(NULL, arguments[1], &shape, NULL) == PAXOS_JOURNAL_OK, "format");
    group_t groups[2] = {{.number = 7}, {.number = 9}};

    open(groups, arguments[1], 1);
    lead(&groups[0], 1);
    flush(groups);
    work(groups, 1, 28);
    paxos_journal_close(groups[0].journal);

    open(groups, arguments[1], 2);
    lead(&groups[1], 4);
    bring(&groups[1], PAXOS_FRAME_ACCEPT, 1, 2);
    flush(groups);
    work(groups, 28, 46);
    groups[1].ballot = paxos_ballot(5, 2); /* the same entries under another ballot */
    bring(&groups[1], PAXOS_FRAME_ACCEPT, 1, 2);
    bring(&groups[1], PAXOS_FRAME_LEARNED, 4, 1);
    flush(groups);
    paxos_journal_close(groups[0].journal);

    open(groups, arguments[1], 3);
    lead(&groups[0], 8);
    bring(&groups[0], PAXOS_FRAME_ACCEPT, 42, 4); /* what the leader before may not have decided */
    flush(groups);
    work(groups, 46, 55);
    paxos_journal_close(groups[0].journal);
    for (int i = 0; i < 2; i++) { free(groups[i].block); }
    return 0;
}
