/* catchup.c - stories of members that were away for longer than a window lasts. */
#include <stdio.h>

#include "paxos_host.h"
#include "stories.h"
#include "cluster.h"

static const char *end(cluster_t *cluster) {
    cluster_close(cluster);
    return cluster->wrong;
}

/* Propose at one node alone until `count` more are taken, and delivered there. */
static bool load_one(cluster_t *cluster, uint32_t index, uint64_t count) {
    const machine_t *machine = cluster->machines[index][0];
    const uint64_t last = cluster->next_value + count;
    const uint64_t until_ns = paxos_host_clock_ns() + 60000000000u;
    const uint64_t wanted = machine->delivered_own + count;
    while (machine->delivered_own + machine->unknown + machine->refused < wanted) {
        for (uint32_t n = 0; n < 64 && cluster->next_value < last; n++) {
            if (cluster_propose(cluster, index, 0) != PAXOS_OK) { break; }
        }
        cluster_step(cluster);
        if (cluster->wrong == NULL && paxos_host_clock_ns() > until_ns) {
            return cluster_is_late(cluster, "over a minute of load");
        }
        if (cluster->wrong != NULL) { return false; }
    }
    return true;
}

/* The leader and another; the third is gone while these decide so much. */
static bool leave(cluster_t *cluster, uint32_t *leader, uint32_t *gone, uint64_t count) {
    if (!cluster_open(cluster) || !cluster_until(cluster, cluster_has_leader)) { return false; }
    if (!cluster_load(cluster, 200) || !cluster_until(cluster, cluster_is_even)) { return false; }
    if (!cluster_until(cluster, cluster_has_leader)) { return false; }
    *leader = cluster_leader(cluster, 0) - 1u;
    *gone = (*leader + 1) % NODES;
    cluster_close_node(cluster, *gone);
    return load_one(cluster, *leader, count);
}

const char *node_story_away(void) {
    cluster_t cluster = {.is_durable = true, .window_slots = 256};
    uint32_t leader = 0;
    uint32_t gone = 0;
    if (!leave(&cluster, &leader, &gone, 20000)) { return end(&cluster); }
    paxos_replica_status_t status;
    cluster_status(&cluster, leader, &status);
    const machine_t *machine = cluster.machines[gone][0];
    CHECK(status.trimmed > machine->applied + 18000);
    /* The others go on while it catches up. */
    if (!cluster_open_node(&cluster, gone) || !load_one(&cluster, leader, 20000)) {
        return end(&cluster);
    }
    if (!cluster_until(&cluster, cluster_is_even)) { return end(&cluster); }
    CHECK(machine->applied >= 40000);
    uint64_t fetched = 0;
    for (uint32_t i = 0; i < NODES; i++) {
        paxos_host_report_t report;
        cluster_report(&cluster, i, &report);
        fetched += report.entries_fetched;
    }
    cluster_status(&cluster, gone, &status);
    CHECK(status.behind_to == 0 && fetched > 15000);
    return end(&cluster);
}

/* It follows a leader, and knows that nobody has what it lacks. */
static bool is_told(cluster_t *cluster) {
    for (uint32_t i = 0; i < NODES; i++) {
        paxos_replica_status_t status;
        cluster_status(cluster, i, &status);
        if (status.behind_to != 0) { return true; }
    }
    return false;
}

const char *node_story_away_too_long(void) {
    cluster_t cluster = {
        .is_durable = true,
        .window_slots = 256,
        .value_bytes = 1000,
        .segment_bytes = (2 << 20) + (256 << 10),
        .segment_count = 3};
    uint32_t leader = 0;
    uint32_t gone = 0;
    if (!leave(&cluster, &leader, &gone, 10000)) { return end(&cluster); }
    const machine_t *machine = cluster.machines[gone][0];
    const uint64_t applied = machine->applied;
    if (!cluster_open_node(&cluster, gone) || !cluster_until(&cluster, is_told)) {
        return end(&cluster);
    }
    paxos_replica_status_t status;
    cluster_status(&cluster, gone, &status);
    CHECK(status.behind_to > applied + 2000 && machine->applied == applied);
    /* Nobody waits for it. */
    if (!load_one(&cluster, leader, 3000)) { return end(&cluster); }
    CHECK(machine->applied == applied);
    return end(&cluster);
}

/* It knows that nobody has what it lacks of the quiet group. */
static bool is_told_of_quiet(cluster_t *cluster) {
    for (uint32_t i = 0; i < NODES; i++) {
        paxos_replica_status_t status = {.size_bytes = sizeof status};
        const bool is_there = paxos_host_replica_status(cluster->hosts[i], 10, &status);
        if (is_there && status.behind_to != 0) { return true; }
    }
    return false;
}

/* What a dead member lacks of a quiet group does not hold the journal for the busy one. */
const char *node_story_away_quietly(void) {
    cluster_t cluster = {
        .is_durable = true,
        .group_count = 2,
        .window_slots = 256,
        .value_bytes = 1000,
        .segment_bytes = (2 << 20) + (256 << 10),
        .segment_count = 3};
    uint32_t leader = 0;
    uint32_t gone = 0;
    if (!leave(&cluster, &leader, &gone, 0)) { return end(&cluster); }
    const machine_t *quiet = cluster.machines[leader][1];
    const uint64_t applied = quiet->applied;
    while (quiet->applied < applied + 5 && cluster.wrong == NULL) {
        (void)cluster_propose(&cluster, leader, 1);
        cluster_run(&cluster, 20000000u);
    }
    if (!load_one(&cluster, leader, 20000)) { return end(&cluster); }
    paxos_host_report_t report;
    cluster_report(&cluster, leader, &report);
    CHECK(report.records_waiting == 0 && report.full_since_ns == 0);
    if (!cluster_open_node(&cluster, gone) || !cluster_until(&cluster, is_told_of_quiet)) {
        return end(&cluster);
    }
    CHECK(cluster.machines[gone][1]->applied <= applied);
    return end(&cluster);
}
