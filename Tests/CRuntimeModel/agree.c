/* agree.c - stories of nodes and disks that work. */
#define _GNU_SOURCE 1

#include <poll.h>
#include <pthread.h>
#include <time.h>

#include "allocation_count.h"
#include "paxos_host.h"
#include "stories.h"
#include "cluster.h"

static const char *end(cluster_t *cluster) {
    if (cluster->wrong == NULL) { (void)cluster_until(cluster, cluster_is_even); }
    cluster_close(cluster);
    return cluster->wrong;
}

/* Every proposal of this life was decided. */
static const char *decided_all(const cluster_t *cluster) {
    for (uint32_t i = 0; i < NODES; i++) {
        for (uint32_t g = 0; g < cluster->group_count; g++) {
            const machine_t *machine = cluster->machines[i][g];
            CHECK(machine->fates > 100);
            CHECK(machine->delivered_own + machine->refused + machine->unknown == machine->fates);
            CHECK(machine->delivered_own > machine->fates / 2);
        }
    }
    return NULL;
}

static const char *agree(cluster_t *cluster, uint64_t count) {
    CHECK(allocation_count_works());
    if (!cluster_open(cluster) || !cluster_until(cluster, cluster_has_leader)) {
        return end(cluster);
    }
    const uint64_t before = allocation_count();
    if (!cluster_load(cluster, count) || !cluster_until(cluster, cluster_is_even)) {
        return end(cluster);
    }
    const uint64_t after = allocation_count();
    const char *wrong = decided_all(cluster);
    const char *ended = end(cluster);
#if defined(__OPTIMIZE__) /* Swift without it asks for memory where it need not */
    CHECK(after == before);
#endif
    CHECK(after >= before);
    return wrong != NULL ? wrong : ended;
}

const char *node_story_memory(void) {
    cluster_t cluster = {.spin_ns = 20000};
    return agree(&cluster, 20000);
}

const char *node_story_durable(void) {
    cluster_t cluster = {.is_durable = true, .is_trusted = true};
    if (!cluster_open(&cluster) || !cluster_until(&cluster, cluster_has_leader)) {
        return end(&cluster);
    }
    if (!cluster_load(&cluster, 4000) || !cluster_until(&cluster, cluster_is_even)) {
        return end(&cluster);
    }
    const char *wrong = decided_all(&cluster);
    paxos_host_report_t report;
    cluster_report(&cluster, 0, &report);
    const bool is_batched = report.flushes > 0 && report.flushes < 2000;
    const bool is_measured = report.flush_ns_max > 0 && report.flush_ns >= report.flush_ns_max;
    const char *ended = end(&cluster);
    CHECK(is_batched);
    CHECK(is_measured);
    return wrong != NULL ? wrong : ended;
}

static bool is_answered(cluster_t *cluster) {
    const machine_t *machine = cluster->machines[cluster_leader(cluster, 0) - 1][0];
    return machine->fate[machine->fates].what != 0;
}

const char *node_story_watermark(void) {
    cluster_t cluster = {.is_durable = true, .election_timeout_ns = 4000000000u};
    if (!cluster_open(&cluster) || !cluster_until(&cluster, cluster_has_leader)) {
        return end(&cluster);
    }
    const uint32_t leader = cluster_leader(&cluster, 0) - 1u;
    paxos_host_report_t before;
    paxos_host_report_t after;
    cluster_report(&cluster, leader, &before);
    enum { ROUNDS = 200, HEARTBEATS_MAX = 60 };
    for (uint32_t round = 0; round < ROUNDS && cluster.wrong == NULL; round++) {
        CHECK(cluster_propose(&cluster, leader, 0) == PAXOS_OK);
        if (!cluster_until(&cluster, is_answered)) { break; }
    }
    cluster_report(&cluster, leader, &after);
    const uint64_t frames = after.frames_sent - before.frames_sent;
    const char *ended = end(&cluster); /* even: who proposes no more tells the others at once */
    CHECK(frames >= 2 * ROUNDS && frames < 2 * ROUNDS + HEARTBEATS_MAX);
    return ended;
}

const char *node_story_groups(void) {
    cluster_t cluster = {.is_durable = true, .group_count = 2};
    if (!cluster_open(&cluster) || !cluster_until(&cluster, cluster_has_leader)) {
        return end(&cluster);
    }
    if (!cluster_load(&cluster, 4000) || !cluster_until(&cluster, cluster_is_even)) {
        return end(&cluster);
    }
    const char *wrong = decided_all(&cluster);
    paxos_journal_group_t group = {.size_bytes = sizeof group};
    CHECK(paxos_journal_group_at(paxos_host_journal(cluster.hosts[1]), 1, &group));
    CHECK(group.last_lsn > 10);
    paxos_transport_peer_report_t peer = {.size_bytes = sizeof peer};
    CHECK(paxos_transport_peer_report(paxos_host_transport(cluster.hosts[1]), 1, &peer));
    CHECK(peer.connections == 1 && cluster.links_up[1] == 2);
    const char *ended = end(&cluster);
    return wrong != NULL ? wrong : ended;
}

const char *node_story_restart_one(void) {
    cluster_t cluster = {.is_durable = true};
    if (!cluster_open(&cluster) || !cluster_until(&cluster, cluster_has_leader)) {
        return end(&cluster);
    }
    for (uint32_t life = 0; life < 4 && cluster.wrong == NULL; life++) {
        const uint32_t index = life % 2 == 0 ? cluster_leader(&cluster, 0) - 1u : life % NODES;
        if (!cluster_load(&cluster, 500)) { break; }
        cluster_close_node(&cluster, index);
        if (!cluster_until(&cluster, cluster_has_leader) || !cluster_load(&cluster, 500)) { break; }
        if (!cluster_open_node(&cluster, index) || !cluster_until(&cluster, cluster_is_even)) {
            break;
        }
        paxos_host_report_t report;
        cluster_report(&cluster, index, &report);
        CHECK(report.incarnation >= 2 && report.recovered_records > 0);
        CHECK(report.recovered_bytes >= 96 * report.recovered_records && report.recovery_ns > 0);
        if (!cluster_until(&cluster, cluster_has_leader)) { break; }
    }
    return end(&cluster);
}

const char *node_story_restart_all(void) {
    cluster_t cluster = {.is_durable = true};
    if (!cluster_open(&cluster) || !cluster_until(&cluster, cluster_has_leader)) {
        return end(&cluster);
    }
    for (uint32_t life = 0; life < 4 && cluster.wrong == NULL; life++) {
        if (!cluster_load(&cluster, 500)) { break; }
        for (uint32_t i = 0; i < NODES; i++) { cluster_close_node(&cluster, i); }
        for (uint32_t i = 0; i < NODES; i++) {
            if (!cluster_open_node(&cluster, i)) { return end(&cluster); }
        }
        if (!cluster_until(&cluster, cluster_has_leader) || !cluster_load(&cluster, 100)) { break; }
        if (!cluster_until(&cluster, cluster_is_even)) { break; }
    }
    return end(&cluster);
}

/* The two that are left go on; what went to the leader that is gone has a fate all the same. */
const char *node_story_no_leader(void) {
    cluster_t cluster = {0};
    if (!cluster_open(&cluster)) { return end(&cluster); }
    CHECK(cluster_propose(&cluster, 0, 0) == PAXOS_ERR_NO_LEADER);
    uint64_t number = 0;
    CHECK(paxos_host_propose(cluster.hosts[0], 5, NULL, 0, &number) == PAXOS_ERR_RANGE);
    CHECK(paxos_host_campaign(cluster.hosts[0], 5) == PAXOS_ERR_RANGE);
    CHECK(paxos_host_trim(cluster.hosts[0], 5, 1) == PAXOS_ERR_RANGE);
    paxos_replica_status_t status = {.size_bytes = sizeof status};
    CHECK(!paxos_host_replica_status(cluster.hosts[0], 5, &status));
    if (!cluster_until(&cluster, cluster_has_leader) || !cluster_load(&cluster, 300)) {
        return end(&cluster);
    }
    const uint32_t gone = cluster_leader(&cluster, 0) - 1u;
    const uint32_t other = (gone + 1) % NODES;
    for (int i = 0; i < 5; i++) { CHECK(cluster_propose(&cluster, other, 0) == PAXOS_OK); }
    cluster_close_node(&cluster, gone);
    if (!cluster_until(&cluster, cluster_has_leader)) { return end(&cluster); }
    CHECK(cluster_leader(&cluster, 0) != gone + 1);
    CHECK(cluster_load(&cluster, 300));
    if (!cluster_until(&cluster, cluster_is_even)) { return end(&cluster); }
    CHECK(cluster.machines[other][0]->refused + cluster.machines[other][0]->unknown >= 5);
    return end(&cluster);
}

/* Its node votes and answers heartbeats; when its window is full the others wait for it, or go on
 * without it, and nothing is lost. */
const char *node_story_deaf(void) {
    cluster_t cluster = {.window_slots = 256};
    if (!cluster_open(&cluster) || !cluster_until(&cluster, cluster_has_leader)) {
        return end(&cluster);
    }
    if (!cluster_load(&cluster, 300) || !cluster_until(&cluster, cluster_is_even)) {
        return end(&cluster);
    }
    const uint32_t deaf = cluster_leader(&cluster, 0) % NODES;
    cluster.is_deaf[deaf] = true;
    const uint64_t applied = cluster.machines[deaf][0]->applied;
    uint64_t taken = 0;
    for (uint32_t i = 0; i < 2000; i++) {
        taken += cluster_propose(&cluster, i % NODES, 0) == PAXOS_OK;
        cluster_step(&cluster);
    }
    CHECK(taken > 100 && taken < 2000); /* back-pressure, in words */
    cluster_run(&cluster, 1000000000u); /* over two election timeouts */
    paxos_replica_status_t status;
    cluster_status(&cluster, deaf, &status);
    CHECK(status.role == 0 && status.leader != 0 && status.quorum == 1); /* it took part */
    CHECK(status.decided > applied + 100 && status.delivered == applied);
    CHECK(cluster.machines[deaf][0]->applied == applied);
    cluster.is_deaf[deaf] = false;
    if (!cluster_until(&cluster, cluster_is_even)) { return end(&cluster); }
    CHECK(cluster_load(&cluster, 300)); /* and all go on */
    CHECK(cluster.machines[deaf][0]->applied > applied + 100);
    return end(&cluster);
}

/* The host was told that there is something for next: frames without room are no news. */
static const char *rests(cluster_t *cluster, uint32_t deaf) {
    for (uint32_t round = 0; round < 40; round++) {
        for (uint32_t step = 0; step < 20; step++) {
            for (uint32_t i = 0; i < NODES; i++) {
                if (i == deaf) { continue; }
                (void)cluster_propose(cluster, i, 0);
                CHECK(paxos_host_poll(cluster->hosts[i], 0) == PAXOS_HOST_OK);
                cluster_take(cluster, i);
            }
        }
        const uint64_t start_ns = paxos_host_clock_ns();
        CHECK(paxos_host_poll(cluster->hosts[deaf], 20000000u) == PAXOS_HOST_OK);
        CHECK(round == 0 || paxos_host_clock_ns() - start_ns >= 20000000u);
    }
    paxos_replica_status_t status;
    cluster_status(cluster, deaf, &status);
    CHECK(status.refused_full > 0);
    return NULL;
}

const char *node_story_deaf_rests(void) {
    cluster_t cluster = {.window_slots = 256};
    if (!cluster_open(&cluster) || !cluster_until(&cluster, cluster_has_leader)) {
        return end(&cluster);
    }
    if (!cluster_load(&cluster, 300) || !cluster_until(&cluster, cluster_is_even)) {
        return end(&cluster);
    }
    const uint32_t deaf = cluster_leader(&cluster, 0) % NODES;
    const char *wrong = rests(&cluster, deaf);
    const char *ended = end(&cluster);
    return wrong != NULL ? wrong : ended;
}

static bool is_done(cluster_t *cluster) {
    return cluster->machines[0][0]->delivered_own >= 200;
}

/* A poll that waits returns for what is new, and once for each time that all was taken. */
static const char *news(cluster_t *cluster) {
    const uint32_t index = cluster_leader(cluster, 0) - 1u;
    CHECK(cluster_until(cluster, cluster_is_even) && index < NODES);
    cluster_take(cluster, index);
    CHECK(cluster_propose(cluster, index, 0) == PAXOS_OK);
    for (uint32_t i = 0; i < NODES; i++) {
        CHECK(paxos_host_poll(cluster->hosts[(index + i) % NODES], 0) == PAXOS_HOST_OK);
        if (i > 0) { cluster_take(cluster, (index + i) % NODES); }
    }
    const uint64_t start_ns = paxos_host_clock_ns();
    CHECK(paxos_host_poll(cluster->hosts[index], 5000000000u) == PAXOS_HOST_OK);
    CHECK(paxos_host_clock_ns() - start_ns < 3000000000u);
    const uint64_t again_ns = paxos_host_clock_ns();
    CHECK(paxos_host_poll(cluster->hosts[index], 50000000) == PAXOS_HOST_OK);
    CHECK(paxos_host_clock_ns() - again_ns >= 50000000);
    return NULL;
}

/* Nobody polls but when the descriptor or the deadline says so. */
const char *node_story_own_loop(void) {
    cluster_t cluster = {0};
    if (!cluster_open(&cluster)) { return end(&cluster); }
    uint64_t turns = 0;
    const uint64_t start_ns = paxos_host_clock_ns();
    while (!is_done(&cluster) && cluster.wrong == NULL) {
        if (cluster_leader(&cluster, 0) != 0 && cluster_is_even(&cluster)) {
            (void)cluster_propose(&cluster, 0, 0);
        }
        struct pollfd files[NODES];
        uint64_t deadline_ns = UINT64_MAX;
        for (uint32_t i = 0; i < NODES; i++) {
            files[i] = (struct pollfd){.fd = paxos_host_fd(cluster.hosts[i]), .events = POLLIN};
            const uint64_t own_ns = paxos_host_deadline(cluster.hosts[i]);
            if (own_ns < deadline_ns) { deadline_ns = own_ns; }
        }
        const uint64_t now_ns = paxos_host_clock_ns();
        CHECK(now_ns < start_ns + 60000000000u);
        const uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
        const struct timespec left = {
            .tv_sec = (time_t)(left_ns / 1000000000u), .tv_nsec = (long)(left_ns % 1000000000u)};
        CHECK(left.tv_sec < 10); /* there is always a heartbeat to come */
        (void)ppoll(files, NODES, &left, NULL);
        for (uint32_t i = 0; i < NODES; i++) {
            const bool is_due = paxos_host_deadline(cluster.hosts[i]) <= paxos_host_clock_ns();
            if (files[i].revents == 0 && !is_due) { continue; }
            turns += 1;
            CHECK(paxos_host_poll(cluster.hosts[i], 0) == PAXOS_HOST_OK);
            cluster_take(&cluster, i);
        }
    }
    const uint64_t spent_ms = (paxos_host_clock_ns() - start_ns) / 1000000u;
    CHECK(turns < 200 * 30 + spent_ms * 3); /* it did not spin */
    const char *wrong = cluster.wrong == NULL ? news(&cluster) : NULL;
    const char *ended = end(&cluster);
    return wrong != NULL ? wrong : ended;
}

static void *wake_soon(void *context) {
    const struct timespec moment = {.tv_nsec = 50000000};
    (void)nanosleep(&moment, NULL);
    paxos_host_wake(context);
    return NULL;
}

const char *node_story_wake(void) {
    cluster_t cluster = {.election_timeout_ns = 100000000000u}; /* nothing else happens */
    if (!cluster_open(&cluster)) { return end(&cluster); }
    cluster_run(&cluster, 200000000u);
    while (cluster.links_up[0] + cluster.links_up[1] + cluster.links_up[2] < 6) {
        cluster_step(&cluster);
    }
    for (uint32_t i = 0; i < 3; i++) {
        pthread_t thread;
        CHECK(paxos_host_poll(cluster.hosts[0], 0) == PAXOS_HOST_OK); /* all is taken */
        cluster_take(&cluster, 0);
        CHECK(paxos_host_deadline(cluster.hosts[0]) > paxos_host_clock_ns());
        CHECK(pthread_create(&thread, NULL, wake_soon, cluster.hosts[0]) == 0);
        const uint64_t start_ns = paxos_host_clock_ns();
        CHECK(paxos_host_poll(cluster.hosts[0], 4000000000u) == PAXOS_HOST_OK);
        const uint64_t slept_ns = paxos_host_clock_ns() - start_ns;
        (void)pthread_join(thread, NULL);
        CHECK(slept_ns > 40000000u && slept_ns < 3000000000u);
    }
    paxos_host_wake(cluster.hosts[0]); /* before a poll: that does not wait */
    const uint64_t start_ns = paxos_host_clock_ns();
    CHECK(paxos_host_poll(cluster.hosts[0], 4000000000u) == PAXOS_HOST_OK);
    CHECK(paxos_host_clock_ns() - start_ns < 3000000000u);
    cluster_close(&cluster);
    return cluster.wrong;
}
