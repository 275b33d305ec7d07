/* journal.c - one acceptor that remembers: each life it promises a higher ballot than the last,
 * and the next one still knows.
 *
 *   journal DIRECTORY format    once
 *   journal DIRECTORY           again and again */
#include <stdio.h>

#include "paxos_journal.h"

static _Alignas(
    PAXOS_BLOCK_ALIGNMENT) uint8_t block[PAXOS_ACCEPTOR_BLOCK_BYTES(3, 64, 1 << 16, 16, 16, 16)];

static int fail(const char *what, const char *why) {
    (void)fprintf(stderr, "%s: %s\n", what, why);
    return 1;
}

/* All that came out as WRITE goes to the journal, then to the disk, and then it counts. */
static paxos_journal_status_t write_out(paxos_acceptor_t *acceptor, paxos_journal_t *journal) {
    paxos_effect_t effect = {.size_bytes = sizeof effect};
    uint64_t lsn = 0;
    paxos_journal_status_t status = PAXOS_JOURNAL_OK;
    while (status == PAXOS_JOURNAL_OK && paxos_acceptor_poll(acceptor, &effect)) {
        if (effect.kind != PAXOS_EFFECT_WRITE) { continue; } /* this example has no network */
        lsn = effect.lsn;
        status = paxos_journal_append(
            journal, effect.header, sizeof effect.header, block + effect.body_offset,
            effect.body_bytes);
    }
    if (status == PAXOS_JOURNAL_OK) { status = paxos_journal_flush(journal); }
    if (status == PAXOS_JOURNAL_OK && paxos_acceptor_flushed(acceptor, lsn) != PAXOS_OK) {
        status = PAXOS_JOURNAL_ERR_RECORD;
    }
    return status;
}

/* Give everything back. False: the acceptor or the journal refused. */
static bool recover(paxos_acceptor_t *acceptor, paxos_journal_t *journal, uint64_t acknowledged) {
    paxos_journal_record_t record = {.size_bytes = sizeof record};
    paxos_journal_status_t status = paxos_journal_read(journal, &record);
    for (; status == PAXOS_JOURNAL_OK; status = paxos_journal_read(journal, &record)) {
        const paxos_status_t taken = paxos_acceptor_recover(
            acceptor, record.header, sizeof record.header, record.body, record.body_bytes);
        if (taken != PAXOS_OK && taken != PAXOS_ERR_WIRE) { return false; } /* WIRE: damaged */
    }
    return status == PAXOS_JOURNAL_END &&
           paxos_acceptor_recovered(acceptor, 0, acknowledged) == PAXOS_OK;
}

static void configure(paxos_config_t *config, uint32_t incarnation, uint64_t first_lsn) {
    paxos_config_default(config);
    config->cluster = 42;
    config->node = 1;
    config->member_count = 3;
    for (uint16_t i = 0; i < 3; i++) { config->members[i] = (uint16_t)(i + 1); }
    config->window_slots = config->pipeline_slots = 64;
    config->value_bytes_max = 1024;
    config->frame_bytes_max = 4096;
    config->arena_bytes = 1 << 16;
    config->reply_ring = config->write_ring = config->send_ring = config->forward_ring = 16;
    config->incarnation = incarnation;
    config->journal_lsn = first_lsn;
}

/* One life: what the journal gives back, and one promise more. */
static int live(paxos_journal_t *journal) {
    paxos_journal_report_t report = {.size_bytes = sizeof report};
    paxos_journal_group_t group = {.size_bytes = sizeof group};
    paxos_journal_report(journal, &report);
    paxos_journal_group(journal, 0, &group);
    paxos_config_t config;
    configure(&config, report.incarnation, group.first_lsn);
    paxos_acceptor_t *acceptor = NULL;
    if (paxos_acceptor_init(block, sizeof block, &config, &acceptor) != PAXOS_OK ||
        !recover(acceptor, journal, group.acknowledged_lsn)) {
        return fail("acceptor", "its journal does not fit");
    }
    paxos_acceptor_status_t known = {.size_bytes = sizeof known};
    paxos_acceptor_status(acceptor, &known);
    (void)printf(
        "life %u: promised round %u before\n", (unsigned)report.incarnation,
        (unsigned)(known.promised >> 16));
    const paxos_ballot_t ballot = paxos_ballot((known.promised >> 16) + 1, 2);
    paxos_ballot_t promised = 0;
    uint64_t lsn = 0;
    if (paxos_acceptor_prepare(acceptor, ballot, &promised, &lsn) != PAXOS_OK ||
        write_out(acceptor, journal) != PAXOS_JOURNAL_OK) {
        return fail("promise", "not durable");
    }
    return 0;
}

int main(int count, char **words) {
    if (count < 2) { return fail("usage", "journal DIRECTORY [format]"); }
    const paxos_journal_shape_t shape = {.size_bytes = sizeof shape, .node = 1, .cluster = 42};
    const paxos_journal_options_t options = {.size_bytes = sizeof options, .node = 1};
    paxos_journal_t *journal = NULL;
    if (count > 2) {
        const paxos_journal_status_t made = paxos_journal_format(NULL, words[1], &shape, NULL);
        return made == PAXOS_JOURNAL_OK ? 0 : fail("format", paxos_journal_words(made));
    }
    const paxos_journal_status_t opened =
        paxos_journal_open(NULL, words[1], &options, &journal, NULL);
    if (opened != PAXOS_JOURNAL_OK) { return fail("open", paxos_journal_words(opened)); }
    const int status = live(journal);
    paxos_journal_close(journal);
    return status;
}
