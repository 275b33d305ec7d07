/* calls.c - what a program asks of its replicas, and what it is told. */
#include "host.h"
#include "paxos_host.h"

paxos_status_t paxos_host_propose(
    paxos_host_t *host, uint32_t number, const uint8_t *value, size_t value_bytes,
    uint64_t *number_out) {
    PAXOS_ASSERT(!host->is_within_a_call);
    if (host->transport == NULL) { return PAXOS_ERR_CORRUPT; }
    paxos_host_group_t *group = paxos_host_find(host, number);
    if (group == NULL) { return PAXOS_ERR_RANGE; }
    const paxos_status_t status = paxos_replica_propose(
        group->replica, paxos_host_clock_ns(), value, value_bytes, number_out);
    if (status == PAXOS_OK) { paxos_host_touch(host, group); }
    return status;
}

paxos_status_t paxos_host_trim(paxos_host_t *host, uint32_t number, uint64_t slot) {
    PAXOS_ASSERT(!host->is_within_a_call);
    if (host->transport == NULL) { return PAXOS_ERR_CORRUPT; }
    paxos_host_group_t *group = paxos_host_find(host, number);
    if (group == NULL) { return PAXOS_ERR_RANGE; }
    const paxos_status_t status = paxos_replica_trim(group->replica, slot);
    if (status != PAXOS_OK) { return status; }
    if (slot > group->applied) { group->applied = slot; }
    paxos_host_touch(host, group);
    return PAXOS_OK;
}

paxos_status_t paxos_host_campaign(paxos_host_t *host, uint32_t number) {
    PAXOS_ASSERT(!host->is_within_a_call);
    if (host->transport == NULL) { return PAXOS_ERR_CORRUPT; }
    paxos_host_group_t *group = paxos_host_find(host, number);
    if (group == NULL) { return PAXOS_ERR_RANGE; }
    paxos_host_touch(host, group);
    return paxos_replica_campaign(group->replica, paxos_host_clock_ns());
}

bool paxos_host_replica_status(
    const paxos_host_t *host, uint32_t number, paxos_replica_status_t *status) {
    PAXOS_ASSERT(status->size_bytes == sizeof *status);
    const paxos_host_group_t *group = paxos_host_find(host, number);
    if (group != NULL) { paxos_replica_status(group->replica, status); }
    return group != NULL;
}

static void take_link(paxos_host_t *host, paxos_host_event_t *event) {
    event->kind = PAXOS_HOST_LINK;
    event->node = host->link.node;
    event->is_up = host->link.is_up;
    event->reason = (uint16_t)host->link.reason;
    event->error = host->link.error;
    host->has_link = paxos_transport_event(host->transport, &host->link);
}

static void take_leader(paxos_host_group_t *group, paxos_host_event_t *event) {
    event->kind = PAXOS_HOST_LEADER;
    event->group = group->number;
    event->node = group->leader;
    group->leader_told = group->leader;
}

/* False: its log has nothing new. */
static bool take_log(paxos_host_t *host, paxos_host_group_t *group, paxos_host_event_t *event) {
    paxos_effect_t effect;
    effect.size_bytes = (uint32_t)sizeof effect;
    group->has_log = paxos_replica_poll_log(group->replica, &effect);
    if (!group->has_log) { return false; }
    event->group = group->number;
    event->count = effect.count;
    if (effect.kind == PAXOS_EFFECT_DELIVER) {
        event->kind = PAXOS_HOST_DELIVERED;
        event->slot = effect.slot;
        event->entries = group->block + effect.body_offset;
        event->entries_bytes = effect.body_bytes;
    } else {
        event->kind = PAXOS_HOST_OUTCOME;
        event->number = effect.number;
        event->reason = effect.reason;
        event->node = effect.node;
        paxos_host_touch(host, group); /* it may have stood before forwards that can leave */
    }
    return true;
}

bool paxos_host_next(paxos_host_t *host, paxos_host_event_t *event) {
    PAXOS_ASSERT(event->size_bytes == sizeof *event);
    PAXOS_ASSERT(!host->is_within_a_call);
    *event = (paxos_host_event_t){.size_bytes = sizeof *event};
    if (host->transport == NULL) { return false; }
    if (host->has_link) {
        take_link(host, event);
        return true;
    }
    for (uint32_t i = 0; i < host->group_count; i++) {
        paxos_host_group_t *group = &host->groups[host->cursor];
        host->cursor = host->cursor + 1 < host->group_count ? host->cursor + 1 : 0;
        if (group->leader != group->leader_told) {
            take_leader(group, event);
            return true;
        }
        if (group->has_log && take_log(host, group, event)) { return true; }
    }
    host->has_told = false;
    return false;
}

void paxos_host_report(const paxos_host_t *host, paxos_host_report_t *report) {
    PAXOS_ASSERT(report->size_bytes == sizeof *report);
    *report = host->report;
    report->size_bytes = (uint32_t)sizeof *report;
    report->port = host->transport == NULL ? 0 : paxos_transport_port(host->transport);
    if (report->records_waiting == 0) { return; }
    paxos_journal_report_t journal = {.size_bytes = sizeof journal};
    paxos_journal_report(host->journal, &journal);
    report->held_by = journal.held_by;
    report->held_slot = journal.is_held ? journal.held_slot : 0;
}

const paxos_journal_t *paxos_host_journal(const paxos_host_t *host) {
    return host->journal;
}

const paxos_transport_t *paxos_host_transport(const paxos_host_t *host) {
    return host->transport;
}
