/* cluster.c - hosts on loopback, and what they deliver. */
#define _GNU_SOURCE 1

#include "cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "paxos_host.h"

const uint8_t cluster_key[PAXOS_TRANSPORT_KEY_BYTES] = {7, 1, 1};

void cluster_options(
    cluster_t *cluster, uint32_t index, paxos_config_t groups[GROUPS], uint64_t applied[GROUPS],
    paxos_transport_peer_t peers[NODES - 1], char texts[NODES][32], paxos_host_options_t *options) {
    for (uint32_t i = 0; i < cluster->group_count; i++) {
        paxos_config_default(&groups[i]);
        groups[i].cluster = CLUSTER;
        groups[i].group = 10 * i;
        groups[i].node = (uint16_t)(index + 1);
        groups[i].member_count = NODES;
        for (uint16_t n = 0; n < NODES; n++) { groups[i].members[n] = (uint16_t)(n + 1); }
        groups[i].memory_only = !cluster->is_durable;
        groups[i].window_slots = cluster->window_slots != 0 ? cluster->window_slots : 16384;
        groups[i].pipeline_slots = groups[i].window_slots;
        groups[i].value_bytes_max = 1024;
        groups[i].frame_bytes_max = 16 << 10;
        groups[i].arena_bytes = cluster->value_bytes != 0 ? 16 << 20 : 1 << 20;
        groups[i].election_timeout_ns =
            cluster->election_timeout_ns != 0 ? cluster->election_timeout_ns : 400000000u;
        groups[i].seed = 0;
        applied[i] = cluster->machines[index][i] != NULL ? cluster->machines[index][i]->applied : 0;
    }
    memset(peers, 0, (NODES - 1) * sizeof *peers);
    for (uint32_t n = 0, at = 0; n < NODES; n++) {
        (void)snprintf(texts[n], sizeof texts[n], "127.0.0.1:%u", (unsigned)cluster->ports[n]);
        if (n == index) { continue; }
        peers[at].node = (uint16_t)(n + 1);
        peers[at++].address = n < index ? texts[n] : NULL;
    }
    *options = (paxos_host_options_t){
        .size_bytes = sizeof *options,
        .group_count = cluster->group_count,
        .groups = groups,
        .applied_slots = applied,
        .files = cluster->is_durable ? &cluster->disks[index].files : NULL,
        .segment_bytes = cluster->segment_bytes != 0 ? cluster->segment_bytes : 9 << 19,
        .segment_count = cluster->segment_count != 0 ? cluster->segment_count : 3,
        .spin_ns = cluster->spin_ns,
        .transport = {
            .retry_max_ns = 100000000,
            .peer_count = NODES - 1,
            .security = cluster->is_trusted ? PAXOS_TRANSPORT_TRUSTED : PAXOS_TRANSPORT_KEYED,
            .key = cluster->is_trusted ? NULL : cluster_key,
            .listen = texts[index],
            .peers = peers,
        }};
}

static bool is_wrong(cluster_t *cluster, const char *what) {
    if (cluster->wrong == NULL) { cluster->wrong = what; }
    return false;
}

bool cluster_is_late(cluster_t *cluster, const char *what) {
    for (uint32_t i = 0; i < NODES; i++) {
        if (cluster->hosts[i] == NULL) { continue; }
        paxos_host_report_t report;
        cluster_report(cluster, i, &report);
        (void)fprintf(
            stderr, "node %u: %u records wait, full %d, held by %u at %llu\n", i + 1,
            report.records_waiting, report.full_since_ns != 0, report.held_by,
            (unsigned long long)report.held_slot);
        for (uint32_t g = 0; g < cluster->group_count; g++) {
            const machine_t *machine = cluster->machines[i][g];
            paxos_replica_status_t status = {.size_bytes = sizeof status};
            if (!paxos_host_replica_status(cluster->hosts[i], 10 * g, &status)) { continue; }
            (void)fprintf(
                stderr, "  group %u: role %u, leader %u, decided %llu, trimmed %llu, last %llu, ",
                g, status.role, status.leader, (unsigned long long)status.decided,
                (unsigned long long)status.trimmed, (unsigned long long)status.last_slot);
            (void)fprintf(
                stderr, "applied %llu, own %llu, unknown %llu, refused %llu, proposed %llu\n",
                (unsigned long long)machine->applied, (unsigned long long)machine->delivered_own,
                (unsigned long long)machine->unknown, (unsigned long long)machine->refused,
                (unsigned long long)machine->fates);
        }
    }
    return is_wrong(cluster, what);
}

typedef paxos_host_status_t (*opener_t)(cluster_t *, uint32_t, const paxos_host_options_t *);

static paxos_host_status_t format(
    cluster_t *cluster, uint32_t index, const paxos_host_options_t *options) {
    (void)index;
    paxos_host_fault_t fault;
    const paxos_host_status_t status = paxos_host_format(options, &fault);
    if (status != PAXOS_HOST_OK) { is_wrong(cluster, fault.what); }
    return status;
}

static paxos_host_status_t open_host(
    cluster_t *cluster, uint32_t index, const paxos_host_options_t *options) {
    paxos_host_fault_t fault;
    const paxos_host_status_t status = paxos_host_open(options, &cluster->hosts[index], &fault);
    if (status != PAXOS_HOST_OK) { is_wrong(cluster, fault.what); }
    return status;
}

static bool with_options(cluster_t *cluster, uint32_t index, opener_t opener) {
    paxos_config_t groups[GROUPS];
    uint64_t applied[GROUPS];
    paxos_transport_peer_t peers[NODES - 1];
    char texts[NODES][32];
    char directory[96];
    paxos_host_options_t options;
    cluster_options(cluster, index, groups, applied, peers, texts, &options);
    (void)snprintf(directory, sizeof directory, "%s/node%u", cluster->root, (unsigned)index + 1);
    options.directory = cluster->is_durable ? directory : NULL;
    return opener(cluster, index, &options) == PAXOS_HOST_OK;
}

bool cluster_open_node(cluster_t *cluster, uint32_t index) {
    for (uint32_t g = 0; g < cluster->group_count; g++) { /* numbers begin anew */
        machine_t *machine = cluster->machines[index][g];
        memset(machine->fate, 0, sizeof machine->fate);
        machine->fates = machine->delivered_own = machine->refused = machine->unknown = 0;
    }
    cluster->links_up[index] = 0;
    cluster->stopped[index] = PAXOS_HOST_OK;
    if (!with_options(cluster, index, open_host)) { return false; }
    paxos_host_report_t report;
    cluster_report(cluster, index, &report);
    cluster->ports[index] = report.port;
    return true;
}

void cluster_close_node(cluster_t *cluster, uint32_t index) {
    paxos_host_close(cluster->hosts[index]);
    cluster->hosts[index] = NULL;
}

bool cluster_open(cluster_t *cluster) {
    if (cluster->group_count == 0) { cluster->group_count = 1; }
    (void)snprintf(cluster->root, sizeof cluster->root, "/tmp/paxos-runtime-XXXXXX");
    if (mkdtemp(cluster->root) == NULL) { return is_wrong(cluster, "no directory"); }
    for (uint32_t g = 0; g < cluster->group_count; g++) {
        cluster->log[g] = calloc(SLOTS_MAX, sizeof *cluster->log[g]);
        cluster->seen[g] = calloc(SLOTS_MAX, sizeof *cluster->seen[g]);
        for (uint32_t i = 0; i < NODES; i++) {
            cluster->machines[i][g] = calloc(1, sizeof *cluster->machines[i][g]);
        }
    }
    for (uint32_t i = 0; i < NODES; i++) {
        node_disk_open(&cluster->disks[i]);
        if (cluster->is_durable && !with_options(cluster, i, format)) { return false; }
        if (!cluster_open_node(cluster, i)) { return false; }
    }
    return true;
}

void cluster_close(cluster_t *cluster) {
    char path[128];
    for (uint32_t i = 0; i < NODES; i++) {
        cluster_close_node(cluster, i);
        for (uint32_t g = 0; g < cluster->group_count; g++) { free(cluster->machines[i][g]); }
        static const char *const names[] = {
            "superblock", "journal", "journal.new", "superblock.new"};
        for (uint32_t n = 0; n < sizeof names / sizeof names[0]; n++) {
            (void)snprintf(path, sizeof path, "%s/node%u/%s", cluster->root, i + 1, names[n]);
            (void)unlink(path);
        }
        (void)snprintf(path, sizeof path, "%s/node%u", cluster->root, i + 1);
        (void)rmdir(path);
    }
    for (uint32_t g = 0; g < cluster->group_count; g++) {
        free(cluster->log[g]);
        free(cluster->seen[g]);
    }
    (void)rmdir(cluster->root);
}

static uint32_t value_bytes(const cluster_t *cluster) {
    return cluster->value_bytes != 0 ? cluster->value_bytes : (uint32_t)sizeof(uint64_t);
}

/* One entry, in one slot, at one node: every slot holds one value, every value stands in one. */
static void deliver(
    cluster_t *cluster, uint32_t index, uint32_t g, uint64_t slot, const paxos_entry_t *entry,
    const uint8_t *value) {
    machine_t *machine = cluster->machines[index][g];
    uint64_t stands = 1;
    if (entry->kind == PAXOS_ENTRY_COMMAND) {
        memcpy(&stands, value, sizeof stands);
        if (entry->value_bytes != value_bytes(cluster) || stands >= SLOTS_MAX) {
            is_wrong(cluster, "a value that nobody proposed");
            return;
        }
        if (cluster->seen[g][stands] != 0 && cluster->seen[g][stands] != slot) {
            is_wrong(cluster, "a value stands twice");
        }
        cluster->seen[g][stands] = slot;
    }
    if (slot != machine->applied + 1) { is_wrong(cluster, "delivered out of order, or again"); }
    machine->applied = slot;
    if (cluster->log[g][slot] != 0 && cluster->log[g][slot] != stands) {
        is_wrong(cluster, "two nodes disagree about a slot");
    }
    cluster->log[g][slot] = stands;
    paxos_host_report_t report;
    cluster_report(cluster, index, &report);
    if (entry->kind == PAXOS_ENTRY_COMMAND && entry->node == index + 1 &&
        entry->incarnation == report.incarnation) {
        if (machine->fate[entry->number].value != stands) {
            is_wrong(cluster, "another value under the number of a proposal");
        }
        const int fate = machine->fate[entry->number].what;
        const bool was_unknown = fate == PAXOS_HOST_OUTCOME + (int)PAXOS_REASON_LOST;
        if (fate > PAXOS_HOST_OUTCOME && !was_unknown) {
            is_wrong(cluster, "a refused proposal was decided");
        }
        machine->unknown -= was_unknown;
        machine->fate[entry->number].what = PAXOS_HOST_DELIVERED;
        machine->delivered_own += 1;
    }
}

static void outcome(cluster_t *cluster, uint32_t index, const paxos_host_event_t *event) {
    machine_t *machine = cluster->machines[index][event->group / 10];
    for (uint64_t n = event->number; n < event->number + event->count; n++) {
        if (n == 0 || n > machine->fates) { is_wrong(cluster, "the outcome of no proposal"); }
        if (machine->fate[n].what == 0) {
            machine->fate[n].what = (uint8_t)(PAXOS_HOST_OUTCOME + event->reason);
            machine->refused += event->reason != PAXOS_REASON_LOST;
            machine->unknown += event->reason == PAXOS_REASON_LOST;
        } else if (event->reason != PAXOS_REASON_LOST) {
            is_wrong(cluster, "a proposal with a fate was refused");
        }
    }
}

void cluster_take(cluster_t *cluster, uint32_t index) {
    paxos_host_event_t event = {.size_bytes = sizeof event};
    while (paxos_host_next(cluster->hosts[index], &event)) {
        if (event.kind == PAXOS_HOST_LINK) { cluster->links_up[index] += event.is_up; }
        if (event.kind == PAXOS_HOST_OUTCOME) { outcome(cluster, index, &event); }
        if (event.kind != PAXOS_HOST_DELIVERED) { continue; }
        const uint8_t *at = event.entries;
        for (uint32_t i = 0; i < event.count; i++) {
            const paxos_entry_t entry = paxos_entry_get(at);
            deliver(
                cluster, index, event.group / 10, event.slot + i, &entry,
                at + PAXOS_ENTRY_HEADER_BYTES);
            at += paxos_entry_bytes(entry.value_bytes);
        }
        if (at != event.entries + event.entries_bytes) { is_wrong(cluster, "entries do not fit"); }
        const uint64_t last = event.slot + event.count - 1;
        if (!cluster->keeps_log &&
            paxos_host_trim(cluster->hosts[index], event.group, last) != PAXOS_OK) {
            is_wrong(cluster, "a delivered slot could not be trimmed");
        }
    }
}

void cluster_step(cluster_t *cluster) {
    for (uint32_t i = 0; i < NODES; i++) {
        if (cluster->hosts[i] == NULL) { continue; }
        cluster->stopped[i] = paxos_host_poll(cluster->hosts[i], 0);
        if (!cluster->is_deaf[i]) { cluster_take(cluster, i); }
    }
    const struct timespec moment = {.tv_nsec = 20000};
    (void)nanosleep(&moment, NULL);
}

void cluster_run(cluster_t *cluster, uint64_t span_ns) {
    const uint64_t until_ns = paxos_host_clock_ns() + span_ns;
    while (paxos_host_clock_ns() < until_ns) { cluster_step(cluster); }
}

bool cluster_until(cluster_t *cluster, bool (*is_so)(cluster_t *cluster)) {
    const uint64_t until_ns = paxos_host_clock_ns() + 60000000000u;
    while (!is_so(cluster)) {
        if (cluster->wrong != NULL) { return false; }
        if (paxos_host_clock_ns() > until_ns) {
            return cluster_is_late(cluster, "it took over a minute");
        }
        cluster_step(cluster);
    }
    return cluster->wrong == NULL;
}

paxos_status_t cluster_propose(cluster_t *cluster, uint32_t index, uint32_t group) {
    machine_t *machine = cluster->machines[index][group];
    uint64_t number = 0;
    const uint64_t value = cluster->next_value + 2; /* 1 is a no-op's */
    uint8_t bytes[1024] = {0};
    memcpy(bytes, &value, sizeof value);
    const paxos_status_t status =
        paxos_host_propose(cluster->hosts[index], 10 * group, bytes, value_bytes(cluster), &number);
    if (status != PAXOS_OK) { return status; }
    cluster->next_value += 1;
    if (number != machine->fates + 1 || number >= NUMBERS_MAX) {
        is_wrong(cluster, "numbers do not count up");
        return PAXOS_ERR_CORRUPT;
    }
    machine->fates = number;
    machine->fate[number].value = value;
    return PAXOS_OK;
}

bool cluster_load(cluster_t *cluster, uint64_t count) {
    const uint64_t end = cluster->next_value + count;
    const uint64_t until_ns = paxos_host_clock_ns() + 60000000000u;
    while (cluster->next_value < end && cluster->wrong == NULL) {
        for (uint32_t i = 0; i < NODES; i++) {
            for (uint32_t n = 0; n < 8 && cluster->hosts[i] != NULL; n++) {
                (void)cluster_propose(cluster, i, n % cluster->group_count);
            }
        }
        cluster_step(cluster);
        if (paxos_host_clock_ns() > until_ns) {
            return cluster_is_late(cluster, "over a minute of load");
        }
    }
    return cluster->wrong == NULL;
}

bool cluster_is_even(cluster_t *cluster) {
    for (uint32_t g = 0; g < cluster->group_count; g++) {
        const machine_t *first = NULL;
        for (uint32_t i = 0; i < NODES; i++) {
            const machine_t *machine = cluster->machines[i][g];
            if (cluster->hosts[i] == NULL || cluster->is_deaf[i]) { continue; }
            if (first == NULL) { first = machine; }
            if (machine->applied != first->applied) { return false; }
            for (uint64_t n = 1; n <= machine->fates; n++) {
                if (machine->fate[n].what == 0) { return false; }
            }
        }
    }
    return true;
}

uint16_t cluster_leader(const cluster_t *cluster, uint32_t group) {
    paxos_replica_status_t status = {.size_bytes = sizeof status};
    for (uint32_t i = 0; i < NODES; i++) {
        if (cluster->hosts[i] == NULL || cluster->stopped[i] != PAXOS_HOST_OK) { continue; }
        if (!paxos_host_replica_status(cluster->hosts[i], 10 * group, &status)) { continue; }
        if (status.role == 2 && status.quorum == 1) { return status.node; }
    }
    return 0;
}

bool cluster_has_leader(cluster_t *cluster) {
    for (uint32_t g = 0; g < cluster->group_count; g++) {
        if (cluster_leader(cluster, g) == 0) { return false; }
    }
    return true;
}

void cluster_status(const cluster_t *cluster, uint32_t index, paxos_replica_status_t *status) {
    status->size_bytes = (uint32_t)sizeof *status;
    if (!paxos_host_replica_status(cluster->hosts[index], 0, status)) { status->node = 0; }
}

void cluster_report(const cluster_t *cluster, uint32_t index, paxos_host_report_t *report) {
    report->size_bytes = (uint32_t)sizeof *report;
    paxos_host_report(cluster->hosts[index], report);
}
