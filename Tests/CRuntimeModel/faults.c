/* faults.c - stories of wrong options and of disks that do not work. */
#define _GNU_SOURCE 1

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "paxos_host.h"
#include "stories.h"
#include "cluster.h"

static const char *end(cluster_t *cluster) {
    if (cluster->wrong == NULL) { (void)cluster_until(cluster, cluster_is_even); }
    cluster_close(cluster);
    return cluster->wrong;
}

typedef struct try {
    paxos_config_t groups[GROUPS];
    uint64_t applied[GROUPS];
    paxos_transport_peer_t peers[NODES - 1];
    char texts[NODES][32];
    char directory[96];
    paxos_host_options_t options;
}
try_t;

static void prepare(cluster_t *cluster, uint32_t index, try_t *try) {
    cluster_options(
        cluster, index, try->groups, try->applied, try->peers, try->texts, &try->options);
    (void)snprintf(
        try->directory, sizeof try->directory, "%s/node%u", cluster->root, (unsigned)index + 1);
    try->options.directory = cluster->is_durable ? try->directory : NULL;
}

/* Whether open refuses with these words. */
static bool refuses(const try_t *try, paxos_host_status_t status, const char *words) {
    paxos_host_t *host = NULL;
    paxos_host_fault_t fault;
    const paxos_host_status_t got = paxos_host_open(&try->options, &host, &fault);
    const bool is_so = got == status && fault.status == (int32_t)status && host == NULL &&
                       fault.what != NULL && strstr(fault.what, words) != NULL;
    if (!is_so) { printf("open says %d: %s\n", (int)got, fault.what ? fault.what : "nothing"); }
    paxos_host_close(host);
    return is_so;
}

#define REFUSED(change, status, words)                    \
    do {                                                  \
        try_t try;                                        \
        prepare(cluster, 0, &try);                        \
        change;                                           \
        CHECK(refuses(&try, PAXOS_HOST_##status, words)); \
    } while (0)

static const char *refusals(cluster_t *cluster) {
    REFUSED(try.options.size_bytes = 8, ERR_OPTIONS, "size_bytes");
    REFUSED(try.options.group_count = 0, ERR_OPTIONS, "groups are 1 to 65536");
    REFUSED(try.options.groups = NULL, ERR_OPTIONS, "groups are 1 to 65536");
    REFUSED(try.groups[0].q2 = 1, ERR_OPTIONS, "q1 + q2");
    REFUSED(try.groups[0].size_bytes = 3, ERR_OPTIONS, "size_bytes of a group");
    REFUSED(try.groups[1].cluster = 5, ERR_OPTIONS, "one cluster and one node");
    REFUSED(try.groups[1].node = 2, ERR_OPTIONS, "one cluster and one node");
    REFUSED(try.groups[1].memory_only = 1, ERR_OPTIONS, "all groups are durable, or");
    REFUSED(try.groups[1].group = 0, ERR_OPTIONS, "ascending order");
    REFUSED(try.groups[1].members[2] = 9, ERR_OPTIONS, "is a peer");
    REFUSED(try.options.transport.peer_count = 31, ERR_OPTIONS, "at most 30");
    REFUSED(try.options.transport.security = 0, ERR_OPTIONS, "KEYED or TRUSTED");
    REFUSED(try.options.transport.listen = "nowhere", ERR_OPTIONS, "");
    REFUSED(try.options.transport.listen = "192.0.2.1:1", ERR_TRANSPORT, "listened on");
    REFUSED(try.options.directory = NULL, ERR_OPTIONS, "need the directory");
    REFUSED(try.groups[0].memory_only = try.groups[1].memory_only = 1, ERR_OPTIONS, "no directory");
    REFUSED(try.options.directory = "/tmp/no-such-place", ERR_JOURNAL, "no journal is there");
    REFUSED(try.options.group_count = 1, ERR_OPTIONS, "not configured");
    REFUSED(try.groups[1].frame_bytes_max = 4 << 20;
            try.groups[1].arena_bytes = 64 << 20, ERR_OPTIONS, "smaller frames");
    REFUSED(try.applied[1] = 0, ERR_REPLICA, "older than the log");
    return NULL;
}

/* Ask with a structure of another size; true: the process ended by that. */
static bool traps(const paxos_host_t *host, int which) {
    const pid_t child = fork();
    if (child == 0) {
        closefrom(3); /* other tests' sockets, ports and locks */
        (void)close(STDERR_FILENO);
        paxos_replica_status_t replica = {.size_bytes = sizeof replica - 8};
        paxos_host_report_t report = {.size_bytes = sizeof report - 8};
        if (which == 0) { (void)!paxos_host_replica_status(host, 0, &replica); }
        if (which == 1) { paxos_host_report(host, &report); }
        _exit(0);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child &&
           !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* A journal of the default size takes a page for each slot of every window, and two segments. */
static const char *default_journal(const cluster_t *cluster, try_t *try) {
    char path[128];
    (void)snprintf(try->directory, sizeof try->directory, "%s/default", cluster->root);
    (void)snprintf(path, sizeof path, "%s/journal", try->directory);
    try->options.directory = try->directory;
    try->options.segment_bytes = try->options.segment_count = 0;
    for (uint32_t i = 0; i < 2; i++) {
        try->groups[i].window_slots = try->groups[i].pipeline_slots = 4096;
    }
    CHECK(paxos_host_format(&try->options, NULL) == PAXOS_HOST_OK);
    struct stat journal;
    CHECK(stat(path, &journal) == 0);
    paxos_host_t *host = NULL;
    try->applied[0] = try->applied[1] = 0;
    CHECK(paxos_host_open(&try->options, &host, NULL) == PAXOS_HOST_OK);
    paxos_host_report_t report = {.size_bytes = sizeof report};
    paxos_host_report(host, &report);
    const bool is_checked = traps(host, 0) && traps(host, 1) && !traps(host, 2);
    paxos_host_close(host);
    CHECK(is_checked);
    CHECK(report.journal_bytes == (uint64_t)journal.st_size);
    CHECK(report.journal_bytes_good == report.journal_bytes);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/superblock", try->directory);
    (void)unlink(path);
    (void)rmdir(try->directory);
    CHECK(journal.st_size > 2 * 4096 * 4096 && journal.st_size < 3 * 4096 * 4096);
    return NULL;
}

const char *node_story_options(void) {
    cluster_t cluster = {.is_durable = true, .group_count = 2};
    if (!cluster_open(&cluster) || !cluster_until(&cluster, cluster_has_leader)) {
        return end(&cluster);
    }
    if (!cluster_load(&cluster, 400) || !cluster_until(&cluster, cluster_is_even)) {
        return end(&cluster);
    }
    if (!cluster_load(&cluster, 400) || !cluster_until(&cluster, cluster_is_even)) {
        return end(&cluster);
    }
    cluster_run(&cluster, 200000000u); /* what was trimmed is told to the journal */
    cluster_close_node(&cluster, 0);
    const char *wrong = refusals(&cluster);
    for (int status = PAXOS_HOST_ERR_REPLICA - 1; status <= PAXOS_HOST_OK; status++) {
        CHECK(strlen(paxos_host_words((paxos_host_status_t)status)) > 8);
    }
    try_t try;
    prepare(&cluster, 0, &try);
    paxos_host_fault_t fault;
    CHECK(paxos_host_format(&try.options, &fault) == PAXOS_HOST_ERR_JOURNAL);
    CHECK(fault.detail == PAXOS_JOURNAL_ERR_EXISTS);
    if (wrong == NULL) { wrong = default_journal(&cluster, &try); }
    try.options.directory = NULL;
    try.groups[0].memory_only = try.groups[1].memory_only = 1;
    CHECK(paxos_host_format(&try.options, NULL) == PAXOS_HOST_ERR_OPTIONS);
    if (wrong == NULL && !cluster_open_node(&cluster, 0)) { wrong = cluster.wrong; }
    const char *ended = end(&cluster);
    return wrong != NULL ? wrong : ended;
}

const char *node_story_second_process(void) {
    cluster_t cluster = {.is_durable = true};
    if (!cluster_open(&cluster)) { return end(&cluster); }
    const pid_t child = fork();
    if (child == 0) {
        closefrom(3); /* other tests' sockets, ports and locks */
        try_t try;
        prepare(&cluster, 0, &try);
        paxos_host_t *host = NULL;
        paxos_host_fault_t fault;
        const bool is_refused =
            paxos_host_open(&try.options, &host, &fault) == PAXOS_HOST_ERR_JOURNAL &&
            fault.detail == PAXOS_JOURNAL_ERR_LOCKED &&
            strstr(fault.what, "another process") != NULL;
        _exit(is_refused ? 0 : 1);
    }
    int status = 1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    if (!cluster_until(&cluster, cluster_has_leader) || !cluster_load(&cluster, 100)) {
        return end(&cluster);
    }
    return end(&cluster);
}

/* The node of a broken disk has stopped for good, the others go on, and it comes back. */
static const char *stops(cluster_t *cluster, uint32_t index, int error) {
    const uint64_t until_ns = paxos_host_clock_ns() + 20000000000u;
    while (cluster->stopped[index] == PAXOS_HOST_OK) {
        (void)cluster_propose(cluster, index, 0);
        cluster_step(cluster);
        CHECK(cluster->wrong == NULL && paxos_host_clock_ns() < until_ns);
    }
    CHECK(cluster->stopped[index] == PAXOS_HOST_ERR_JOURNAL);
    paxos_host_report_t report;
    cluster_report(cluster, index, &report);
    CHECK(report.fault.status == PAXOS_HOST_ERR_JOURNAL && report.fault.error == error);
    CHECK(report.fault.detail == PAXOS_JOURNAL_ERR_SYSTEM && report.fault.what != NULL);
    CHECK(paxos_host_transport(cluster->hosts[index]) == NULL);
    CHECK(paxos_host_fd(cluster->hosts[index]) == -1);
    CHECK(paxos_host_deadline(cluster->hosts[index]) == UINT64_MAX);
    CHECK(paxos_host_poll(cluster->hosts[index], 1000) == PAXOS_HOST_ERR_JOURNAL);
    CHECK(cluster_propose(cluster, index, 0) == PAXOS_ERR_CORRUPT);
    CHECK(paxos_host_trim(cluster->hosts[index], 0, 0) == PAXOS_ERR_CORRUPT);
    CHECK(paxos_host_campaign(cluster->hosts[index], 0) == PAXOS_ERR_CORRUPT);
    cluster->disks[index].write_error = 0; /* it may work again: nobody tries */
    const uint64_t flushes = cluster->disks[index].flushes;
    if (!cluster_until(cluster, cluster_has_leader)) { return cluster->wrong; }
    CHECK(cluster_leader(cluster, 0) != index + 1);
    CHECK(cluster->disks[index].flushes == flushes);
    cluster_close_node(cluster, index);
    if (!cluster_load(cluster, 300)) { return cluster->wrong; }
    if (!cluster_open_node(cluster, index) || !cluster_until(cluster, cluster_is_even)) {
        return cluster->wrong;
    }
    paxos_replica_status_t status;
    cluster_status(cluster, index, &status);
    CHECK(status.abstains == 0);
    return NULL;
}

static const char *break_disk(bool at_flush, int error) {
    cluster_t cluster = {.is_durable = true};
    for (uint32_t round = 0; round < 2; round++) {
        if (round == 0 && !cluster_open(&cluster)) { return end(&cluster); }
        if (!cluster_until(&cluster, cluster_has_leader)) { return end(&cluster); }
        if (!cluster_load(&cluster, 200)) { return end(&cluster); }
        if (!cluster_until(&cluster, cluster_has_leader)) { return end(&cluster); }
        const uint32_t index = (cluster_leader(&cluster, 0) - 1u + round) % NODES;
        if (at_flush) {
            cluster.disks[index].flush_error = error;
        } else {
            cluster.disks[index].write_error = error;
        }
        const char *wrong = stops(&cluster, index, error);
        if (wrong != NULL) { return wrong; }
    }
    return end(&cluster);
}

const char *node_story_flush_fails(void) {
    return break_disk(true, EIO);
}

const char *node_story_disk_full(void) {
    return break_disk(false, ENOSPC);
}

typedef struct stall {
    cluster_t *cluster;
    uint32_t index;
    uint64_t span_ns;
    uint16_t successor;
} stall_t;

/* The cluster goes on while one node waits for its disk. */
static void wait_for_disk(void *context) {
    stall_t *stall = context;
    cluster_t *cluster = stall->cluster;
    paxos_host_t *waiting = cluster->hosts[stall->index];
    cluster->hosts[stall->index] = NULL;
    cluster->disks[stall->index].during_flush = NULL;
    cluster_run(cluster, stall->span_ns);
    stall->successor = cluster_leader(cluster, 0);
    (void)cluster_load(cluster, 50);
    cluster->hosts[stall->index] = waiting;
}

/* A flush that outlasts two election timeouts: another leads by then, and who was away follows. */
const char *node_story_disk_stalls(void) {
    cluster_t cluster = {.is_durable = true};
    if (!cluster_open(&cluster) || !cluster_until(&cluster, cluster_has_leader)) {
        return end(&cluster);
    }
    if (!cluster_load(&cluster, 200) || !cluster_until(&cluster, cluster_has_leader)) {
        return end(&cluster);
    }
    stall_t stall = {.cluster = &cluster, .index = cluster_leader(&cluster, 0) - 1u};
    stall.span_ns = 2500000000u;
    cluster.disks[stall.index].context = &stall;
    cluster.disks[stall.index].during_flush = wait_for_disk;
    while (cluster.disks[stall.index].during_flush != NULL && cluster.wrong == NULL) {
        (void)cluster_propose(&cluster, stall.index, 0);
        cluster_step(&cluster);
    }
    CHECK(stall.successor != 0 && stall.successor != stall.index + 1);
    if (!cluster_until(&cluster, cluster_is_even)) { return end(&cluster); }
    paxos_replica_status_t status;
    cluster_status(&cluster, stall.index, &status);
    CHECK(status.role == 0 && status.leader == stall.successor && status.abstains == 0);
    paxos_host_report_t report;
    cluster_report(&cluster, stall.index, &report);
    CHECK(report.flush_ns_max >= stall.span_ns);
    return end(&cluster);
}

static bool is_full(cluster_t *cluster) {
    paxos_host_report_t report;
    for (uint32_t i = 0; i < NODES; i++) {
        for (int n = 0; n < 32; n++) { (void)cluster_propose(cluster, i, 0); }
        cluster_report(cluster, i, &report);
        if (report.records_waiting > 0) { return true; }
    }
    return false;
}

static bool is_free(cluster_t *cluster) {
    paxos_host_report_t report;
    for (uint32_t i = 0; i < NODES; i++) {
        cluster_report(cluster, i, &report);
        if (report.records_waiting > 0) { return false; }
    }
    return true;
}

/* Records wait, the report names who holds them back, and a trim sets them free. */
const char *node_story_journal_full(void) {
    cluster_t cluster = {.is_durable = true, .keeps_log = true, .value_bytes = 1024};
    cluster.segment_bytes = (2 << 20) + (256 << 10);
    cluster.segment_count = 3;
    if (!cluster_open(&cluster) || !cluster_until(&cluster, cluster_has_leader)) {
        return end(&cluster);
    }
    if (!cluster_until(&cluster, is_full)) { return end(&cluster); }
    paxos_host_report_t report;
    for (uint32_t i = 0; i < NODES; i++) {
        cluster_report(&cluster, i, &report);
        if (report.records_waiting == 0) { continue; }
        CHECK(report.held_by == 0 && report.held_slot > 0 && report.full_since_ns > 0);
        CHECK(cluster.stopped[i] == PAXOS_HOST_OK);
        CHECK(report.journal_bytes == 3 * cluster.segment_bytes);
        CHECK(report.journal_bytes_good > report.journal_bytes); /* so it could be foreseen */
    }
    cluster.keeps_log = false;
    for (uint32_t i = 0; i < NODES; i++) {
        CHECK(paxos_host_trim(cluster.hosts[i], 0, cluster.machines[i][0]->applied) == PAXOS_OK);
    }
    if (!cluster_until(&cluster, is_free) || !cluster_until(&cluster, cluster_has_leader)) {
        return end(&cluster);
    }
    if (!cluster_load(&cluster, 2000)) { return end(&cluster); }
    cluster_report(&cluster, 0, &report);
    CHECK(report.full_since_ns == 0 && report.records_waiting == 0);
    return end(&cluster);
}

/* Records of every group wait. */
static bool is_full_of_all(cluster_t *cluster) {
    paxos_host_report_t report;
    for (uint32_t i = 0; i < NODES; i++) {
        for (uint32_t n = 0; n < 4 * GROUPS; n++) { (void)cluster_propose(cluster, i, n % GROUPS); }
    }
    cluster_report(cluster, 0, &report);
    return report.records_waiting >= 16 * GROUPS;
}

/* While a journal is full, a turn tries once to make room, not once for each group. */
const char *node_story_journal_full_groups(void) {
    cluster_t cluster = {
        .is_durable = true, .keeps_log = true, .value_bytes = 1024, .group_count = GROUPS};
    cluster.segment_bytes = (2 << 20) + (256 << 10);
    cluster.segment_count = 3;
    if (!cluster_open(&cluster) || !cluster_until(&cluster, cluster_has_leader)) {
        return end(&cluster);
    }
    if (!cluster_until(&cluster, is_full_of_all)) { return end(&cluster); }
    uint64_t flushes = 0;
    uint64_t most = 0;
    paxos_host_report_t report;
    for (uint32_t turn = 0; turn < 2000 && cluster.wrong == NULL; turn++) {
        cluster_step(&cluster);
        cluster_report(&cluster, 0, &report);
        if (turn > 0 && report.flushes - flushes > most) { most = report.flushes - flushes; }
        flushes = report.flushes;
    }
    CHECK(report.records_waiting > 0 && most > 0 && most < GROUPS);
    cluster.keeps_log = false;
    for (uint32_t i = 0; i < NODES; i++) {
        for (uint32_t g = 0; g < GROUPS; g++) {
            CHECK(
                paxos_host_trim(cluster.hosts[i], 10 * g, cluster.machines[i][g]->applied) ==
                PAXOS_OK);
        }
    }
    if (!cluster_until(&cluster, is_free) || !cluster_until(&cluster, cluster_has_leader)) {
        return end(&cluster);
    }
    return end(&cluster);
}
