/* directories.c - stories of a node's directory: copied, damaged, or none. */
#define _GNU_SOURCE 1

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster.h"
#include "paxos_host.h"
#include "stories.h"

static const uint64_t second_ns = 1000u * 1000u * 1000u;

static const char *end(cluster_t *cluster, const char *wrong) {
    if (cluster->wrong == NULL && wrong == NULL) { (void)cluster_until(cluster, cluster_is_even); }
    cluster_close(cluster);
    return wrong != NULL ? wrong : cluster->wrong;
}

/* A file of node 2's directory, whole; NULL: it cannot be read. */
static uint8_t *read_all(const cluster_t *cluster, const char *name, size_t *bytes) {
    char path[128];
    struct stat file;
    (void)snprintf(path, sizeof path, "%s/node2/%s", cluster->root, name);
    const int from = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t *data = from >= 0 && fstat(from, &file) == 0 ? malloc((size_t)file.st_size) : NULL;
    *bytes = data != NULL ? (size_t)file.st_size : 0;
    if (data != NULL && pread(from, data, *bytes, 0) != (ssize_t)*bytes) {
        free(data);
        data = NULL;
    }
    if (from >= 0) { (void)close(from); }
    return data;
}

static bool write_all(const char *directory, const char *name, const uint8_t *data, size_t bytes) {
    char path[160];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    const int to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const bool is_written = to >= 0 && pwrite(to, data, bytes, 0) == (ssize_t)bytes;
    if (to >= 0) { (void)close(to); }
    return is_written;
}

static bool copy(const cluster_t *cluster, const char *directory) {
    static const char *const names[] = {"superblock", "journal"};
    bool is_copied = mkdir(directory, 0700) == 0;
    for (int i = 0; i < 2 && is_copied; i++) {
        size_t bytes = 0;
        uint8_t *data = read_all(cluster, names[i], &bytes);
        is_copied = data != NULL && write_all(directory, names[i], data, bytes);
        free(data);
    }
    return is_copied;
}

/* Node 2 once more, of a copy of its directory; it listens elsewhere, and dials node 1. */
static paxos_host_t *open_copy(cluster_t *cluster, const char *directory) {
    paxos_config_t groups[GROUPS];
    uint64_t applied[GROUPS];
    paxos_transport_peer_t peers[NODES - 1];
    char texts[NODES][32];
    paxos_host_options_t options;
    cluster_options(cluster, 1, groups, applied, peers, texts, &options);
    options.files = NULL;
    options.directory = directory;
    options.transport.listen = "127.0.0.1:0";
    paxos_host_t *host = NULL;
    return paxos_host_open(&options, &host, NULL) == PAXOS_HOST_OK ? host : NULL;
}

/* Poll it beside the cluster under load, for as long as it lives, and at most for `span_ns`. */
static paxos_host_status_t run_beside(cluster_t *cluster, paxos_host_t *host, uint64_t span_ns) {
    const uint64_t until_ns = paxos_host_clock_ns() + span_ns;
    paxos_host_status_t status = PAXOS_HOST_OK;
    while (status == PAXOS_HOST_OK && paxos_host_clock_ns() < until_ns) {
        (void)cluster_propose(cluster, 0, 0);
        cluster_step(cluster);
        status = paxos_host_poll(host, 0);
        paxos_host_event_t event = {.size_bytes = sizeof event};
        while (paxos_host_next(host, &event)) {}
    }
    return status;
}

static const char *copies(cluster_t *cluster, const char *directory) {
    cluster_close_node(cluster, 1);
    CHECK(copy(cluster, directory)); /* both are about to begin the same life */
    CHECK(cluster_open_node(cluster, 1) && cluster_load(cluster, 300));
    CHECK(cluster_until(cluster, cluster_is_even));
    paxos_host_t *second = open_copy(cluster, directory);
    CHECK(second != NULL);
    CHECK(run_beside(cluster, second, 10 * second_ns) == PAXOS_HOST_ERR_TRANSPORT);
    paxos_host_report_t report = {.size_bytes = sizeof report};
    paxos_host_report(second, &report);
    CHECK(report.fault.detail == PAXOS_TRANSPORT_ERR_DENIED && report.frames_received == 0);
    CHECK(strstr(report.fault.what, "copied") != NULL && report.fault.error == 0);
    paxos_host_close(second);

    second = open_copy(cluster, directory); /* in a later life than the original's */
    CHECK(second != NULL && run_beside(cluster, second, second_ns) == PAXOS_HOST_OK);
    paxos_host_report(second, &report);
    CHECK(report.frames_received == 0 && report.frames_sent == 0);
    paxos_host_close(second);
    for (uint32_t i = 0; i < NODES; i++) { CHECK(cluster->stopped[i] == PAXOS_HOST_OK); }
    return NULL;
}

/* Row 42: the copy is not let in beside the original. */
const char *node_story_copied(void) {
    cluster_t cluster = {.is_durable = true};
    char directory[96];
    const char *wrong = NULL;
    if (cluster_open(&cluster) && cluster_load(&cluster, 300)) {
        (void)snprintf(directory, sizeof directory, "%s/copy", cluster.root);
        wrong = copies(&cluster, directory);
        char path[128];
        (void)snprintf(path, sizeof path, "%s/journal", directory);
        (void)unlink(path);
        (void)snprintf(path, sizeof path, "%s/superblock", directory);
        (void)unlink(path);
        (void)rmdir(directory);
    }
    return end(&cluster, wrong);
}

static bool has_stopped(cluster_t *cluster) {
    return cluster->stopped[1] != PAXOS_HOST_OK;
}

static const char *comes_back(cluster_t *cluster) {
    cluster_close_node(cluster, 1);
    CHECK(cluster_open_node(cluster, 1) && cluster_until(cluster, has_stopped));
    paxos_host_report_t report;
    cluster_report(cluster, 1, &report);
    CHECK(cluster->stopped[1] == PAXOS_HOST_ERR_TRANSPORT && report.frames_received == 0);
    CHECK(report.fault.detail == PAXOS_TRANSPORT_ERR_DENIED);
    CHECK(strstr(report.fault.what, "started again") != NULL);
    cluster_close_node(cluster, 1);
    return cluster_load(cluster, 300) ? NULL : cluster->wrong;
}

/* Row 41: a node without a directory has forgotten its votes; it stops, and says why. */
const char *node_story_forgetful(void) {
    cluster_t cluster = {.is_durable = false};
    const char *wrong = NULL;
    if (cluster_open(&cluster) && cluster_load(&cluster, 300)) { wrong = comes_back(&cluster); }
    return end(&cluster, wrong);
}

/* Flip a bit of the last value that node 2's journal holds. False: it is not there. */
static bool flip(const cluster_t *cluster, uint64_t value) {
    char directory[96];
    uint8_t needle[8];
    size_t bytes = 0;
    uint8_t *data = read_all(cluster, "journal", &bytes);
    if (data == NULL) { return false; }
    memcpy(needle, &value, sizeof needle);
    uint8_t *found = memmem(data, bytes, needle, sizeof needle);
    if (found != NULL) { found[5] ^= 0x10; }
    (void)snprintf(directory, sizeof directory, "%s/node2", cluster->root);
    const bool is_flipped = found != NULL && write_all(directory, "journal", data, bytes);
    free(data);
    return is_flipped;
}

static const char *repairs(cluster_t *cluster) {
    /* A value that no other bytes of the journal look like, and the last one voted for. */
    cluster->next_value = 0x15973 - 2;
    CHECK(cluster_propose(cluster, 0, 0) == PAXOS_OK);
    CHECK(cluster_until(cluster, cluster_is_even));
    machine_t *machine = cluster->machines[1][0];
    const uint64_t before = machine->applied;
    CHECK(cluster->log[0][before] == 0x15973);
    cluster_close_node(cluster, 1);
    CHECK(flip(cluster, 0x15973));
    machine->applied = 0; /* a state machine that keeps nothing: it is given the log again */
    CHECK(cluster_open_node(cluster, 1));
    paxos_journal_report_t report = {.size_bytes = sizeof report};
    paxos_journal_report(paxos_host_journal(cluster->hosts[1]), &report);
    CHECK(report.damages == 1 && report.torn_bytes == 0 && report.has_fallen_back == 0);
    CHECK(cluster_until(cluster, cluster_is_even) && machine->applied == before);
    CHECK(cluster_load(cluster, 300));
    return NULL;
}

/* Row 8: the last record that a node acknowledged is damaged. It does not deny the vote, and gets
 * the value back from its peers. */
const char *node_story_damaged(void) {
    cluster_t cluster = {.is_durable = true, .keeps_log = true};
    const char *wrong = NULL;
    if (cluster_open(&cluster) && cluster_load(&cluster, 300) &&
        cluster_until(&cluster, cluster_is_even)) {
        wrong = repairs(&cluster);
    }
    return end(&cluster, wrong);
}
