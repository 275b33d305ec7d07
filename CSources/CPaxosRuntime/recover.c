/* recover.c - from nothing to replicas that know what they knew: blocks, and the journal's records.
 *
 * Everything is taken here, in one piece and as zero pages, so that nothing is taken later. */
#include <errno.h>
#include <stdlib.h>

#include "host.h"
#include "paxos_host.h"

static size_t aligned(size_t bytes) {
    return PAXOS_ROUND_UP(bytes, PAXOS_BLOCK_ALIGNMENT);
}

/* Bytes of a group's ring of records. */
static size_t ring_bytes(const paxos_config_t *config) {
    return config->memory_only ? 0 : aligned(config->write_ring * sizeof(paxos_record_t));
}

static paxos_host_status_t take_memory(
    paxos_host_t *host, const paxos_host_options_t *options, paxos_host_fault_t *fault) {
    size_t bytes = PAXOS_BLOCK_ALIGNMENT;
    size_t frame_bytes = 0; /* of the largest frame that the journal may have to fill */
    paxos_config_t config;
    for (uint32_t i = 0; i < host->group_count; i++) {
        paxos_host_configure(options, i, 1, 1, &config);
        bytes += aligned(paxos_replica_block_bytes(&config)) + ring_bytes(&config);
        const bool has_journal = !config.memory_only;
        if (has_journal && config.frame_bytes_max > frame_bytes) {
            frame_bytes = config.frame_bytes_max;
        }
    }
    bytes += aligned(frame_bytes);
    host->memory = calloc(1, bytes);
    if (host->memory == NULL) {
        fault->error = ENOMEM;
        fault->what = "no memory for the replicas";
        fault->status = PAXOS_HOST_ERR_SYSTEM;
        return PAXOS_HOST_ERR_SYSTEM;
    }
    const uintptr_t start = (uintptr_t)host->memory;
    uint8_t *at = host->memory + (aligned(start) - start);
    for (uint32_t i = 0; i < host->group_count; i++) {
        paxos_host_configure(options, i, 1, 1, &config);
        host->groups[i].block = at;
        at += aligned(paxos_replica_block_bytes(&config));
        if (!config.memory_only) { host->groups[i].records = (paxos_record_t *)(void *)at; }
        at += ring_bytes(&config);
    }
    host->fetched = at;
    return PAXOS_HOST_OK;
}

/* What one flush of the journal takes must hold the largest record of any group. */
static const char *journal_rule(
    const paxos_host_options_t *options, const paxos_journal_report_t *report) {
    if (report->groups_max < options->group_count) {
        return "the journal was formatted for fewer groups";
    }
    for (uint32_t i = 0; i < options->group_count; i++) {
        const uint64_t frame = options->groups[i].frame_bytes_max;
        if (frame + frame / 64 + 8192 > report->batch_bytes_max) {
            return "the journal was formatted for smaller frames";
        }
    }
    return NULL;
}

static paxos_host_status_t open_journal(
    paxos_host_t *host, const paxos_host_options_t *options, paxos_host_fault_t *fault) {
    const paxos_config_t *first = &options->groups[0];
    const paxos_journal_options_t how = {
        .size_bytes = sizeof how, .node = first->node, .cluster = first->cluster};
    paxos_journal_fault_t refused = {0, NULL};
    const paxos_journal_status_t status =
        paxos_journal_open(options->files, options->directory, &how, &host->journal, &refused);
    if (status != PAXOS_JOURNAL_OK) { return paxos_host_blame_journal(fault, status, &refused); }
    paxos_journal_report_t report = {.size_bytes = sizeof report};
    paxos_journal_report(host->journal, &report);
    host->report.incarnation = report.incarnation;
    host->report.journal_bytes = report.segment_count * report.segment_bytes;
    host->report.journal_bytes_good = paxos_host_journal_bytes_good(options, report.segment_bytes);
    const char *rule = journal_rule(options, &report);
    if (rule == NULL) { return PAXOS_HOST_OK; }
    return paxos_host_blame(fault, PAXOS_HOST_ERR_OPTIONS, 0, 0, rule);
}

/* Group i of the host as it is before its records. */
static paxos_host_status_t make_replica(
    paxos_host_t *host, const paxos_host_options_t *options, uint32_t i,
    paxos_host_fault_t *fault) {
    paxos_host_group_t *group = &host->groups[i];
    paxos_config_t config;
    paxos_journal_group_t known = {.size_bytes = sizeof known, .first_lsn = 1};
    group->number = options->groups[i].group;
    if (host->journal != NULL) { paxos_journal_group(host->journal, group->number, &known); }
    const uint64_t first_lsn = host->report.incarnation > 1 ? known.first_lsn : 1;
    paxos_host_configure(options, i, host->report.incarnation, first_lsn, &config);
    group->window_slots = config.window_slots;
    group->record_mask = config.write_ring - 1;
    group->appended_lsn = group->flushed_lsn = known.last_lsn;
    const paxos_status_t status = paxos_replica_init(
        group->block, paxos_replica_block_bytes(&config), &config, host->now_ns, &group->replica);
    if (status == PAXOS_OK) { return PAXOS_HOST_OK; }
    return paxos_host_blame(
        fault, PAXOS_HOST_ERR_REPLICA, (int32_t)status, group->number,
        "the journal does not fit the configuration");
}

static paxos_host_status_t read_journal(paxos_host_t *host, paxos_host_fault_t *fault) {
    paxos_journal_record_t record = {.size_bytes = sizeof record};
    paxos_journal_status_t status = paxos_journal_read(host->journal, &record);
    for (; status == PAXOS_JOURNAL_OK; status = paxos_journal_read(host->journal, &record)) {
        const paxos_host_group_t *group = paxos_host_find(host, record.group);
        if (group == NULL) {
            return paxos_host_blame(
                fault, PAXOS_HOST_ERR_OPTIONS, 0, record.group,
                "the journal has records of a group that is not configured");
        }
        const paxos_status_t taken = paxos_replica_recover(
            group->replica, record.header, sizeof record.header, record.body, record.body_bytes);
        if (taken != PAXOS_OK && taken != PAXOS_ERR_WIRE) { /* WIRE: damaged, and noted as such */
            return paxos_host_blame(
                fault, PAXOS_HOST_ERR_REPLICA, (int32_t)taken, record.group,
                "a record does not fit the group's configuration");
        }
        host->report.recovered_records += 1;
        host->report.recovered_bytes += sizeof record.header + record.body_bytes;
    }
    if (status == PAXOS_JOURNAL_END) { return PAXOS_HOST_OK; }
    paxos_journal_report_t report = {.size_bytes = sizeof report};
    paxos_journal_report(host->journal, &report);
    return paxos_host_blame_journal(fault, status, &report.fault);
}

static paxos_host_status_t finish_replica(
    paxos_host_t *host, uint64_t applied_slot, paxos_host_group_t *group,
    paxos_host_fault_t *fault) {
    uint64_t acknowledged_lsn = 0;
    if (host->journal != NULL) {
        paxos_journal_group_t known = {.size_bytes = sizeof known};
        paxos_journal_group(host->journal, group->number, &known);
        acknowledged_lsn = known.acknowledged_lsn;
    }
    host->now_ns = paxos_host_clock_ns();
    const paxos_status_t status =
        paxos_replica_recovered(group->replica, host->now_ns, applied_slot, acknowledged_lsn);
    group->is_due = true;
    if (status == PAXOS_OK && host->journal != NULL) { paxos_host_retain(host, group); }
    if (status == PAXOS_OK) { return PAXOS_HOST_OK; }
    return paxos_host_blame(
        fault, PAXOS_HOST_ERR_REPLICA, (int32_t)status, group->number,
        status == PAXOS_ERR_RANGE
            ? "applied_slots is behind what was trimmed: the state machine is older than the log"
            : "the records do not fit together");
}

paxos_host_status_t paxos_host_recover(
    paxos_host_t *host, const paxos_host_options_t *options, paxos_host_fault_t *fault) {
    const uint64_t start_ns = paxos_host_clock_ns();
    host->report.incarnation = 1;
    paxos_host_status_t status = take_memory(host, options, fault);
    if (status == PAXOS_HOST_OK && options->directory != NULL) {
        status = open_journal(host, options, fault);
    }
    for (uint32_t i = 0; status == PAXOS_HOST_OK && i < host->group_count; i++) {
        status = make_replica(host, options, i, fault);
    }
    if (status == PAXOS_HOST_OK && host->journal != NULL) { status = read_journal(host, fault); }
    for (uint32_t i = 0; status == PAXOS_HOST_OK && i < host->group_count; i++) {
        const uint64_t applied = options->applied_slots != NULL ? options->applied_slots[i] : 0;
        status = finish_replica(host, applied, &host->groups[i], fault);
    }
    host->is_due = true;
    host->report.recovery_ns = paxos_host_clock_ns() - start_ns;
    return status;
}
