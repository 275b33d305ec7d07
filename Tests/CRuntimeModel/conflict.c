/* conflict.c - stories of a leader that sends two values under one ballot and slot (row 6). */
#include <string.h>

#include "cluster.h"
#include "paxos/hot_entry.h"
#include "paxos/hot_header.h"
#include "paxos_host.h"
#include "stories.h"

static const uint64_t second_ns = 1000u * 1000u * 1000u;

/* Node 1, which runs, and a connection to it from who has the key and says to be node 2. */
typedef struct pair {
    paxos_host_t *host;
    paxos_transport_t *liar;
} pair_t;

static bool pair_open(pair_t *pair, bool is_trusted) {
    cluster_t cluster = {.group_count = 1, .is_trusted = is_trusted};
    paxos_config_t groups[GROUPS];
    uint64_t applied[GROUPS];
    paxos_transport_peer_t peers[NODES - 1];
    char texts[NODES][32];
    paxos_host_options_t options;
    cluster_options(&cluster, 0, groups, applied, peers, texts, &options);
    if (paxos_host_open(&options, &pair->host, NULL) != PAXOS_HOST_OK) { return false; }
    paxos_host_report_t report = {.size_bytes = sizeof report};
    paxos_host_report(pair->host, &report);
    cluster.ports[0] = report.port;
    cluster_options(&cluster, 1, groups, applied, peers, texts, &options);
    paxos_transport_options_t *transport = &options.transport;
    transport->size_bytes = sizeof *transport;
    transport->node = 2;
    transport->cluster = CLUSTER;
    transport->incarnation = 1;
    return paxos_transport_open(transport, paxos_host_clock_ns(), &pair->liar, NULL) ==
           PAXOS_TRANSPORT_OK;
}

static void pair_close(pair_t *pair) {
    paxos_transport_close(pair->liar);
    paxos_host_close(pair->host);
}

/* Ask node 1 to accept a value in slot 1 under one and the same ballot of node 2. */
static bool send_accept(const pair_t *pair, uint64_t value) {
    const paxos_entry_t entry = {
        .value_bytes = sizeof value,
        .node = 2,
        .kind = PAXOS_ENTRY_COMMAND,
        .incarnation = 1,
        .number = value};
    uint8_t bytes[8];
    uint8_t body[32];
    uint8_t header[PAXOS_FRAME_HEADER_BYTES];
    memcpy(bytes, &value, sizeof bytes);
    paxos_frame_t frame = {
        .kind = PAXOS_FRAME_ACCEPT,
        .sender = 2,
        .receiver = 1,
        .incarnation = 1,
        .count = 1,
        .body_bytes = paxos_entry_write(body, &entry, bytes),
        .cluster = CLUSTER,
        .ballot = paxos_ballot(7, 2),
        .slot = 1};
    if (paxos_run_verify(body, sizeof body, 1, 1, 1024, &frame.digest) != PAXOS_OK) {
        return false;
    }
    paxos_frame_put(header, &frame);
    return paxos_transport_send(pair->liar, header, body, sizeof body) == PAXOS_TRANSPORT_OK;
}

/* Let both go on until so many frames came, or the host stops; false: neither within seconds. */
static bool run_until(const pair_t *pair, uint64_t frames, paxos_host_status_t *status) {
    const uint64_t until_ns = paxos_host_clock_ns() + 10 * second_ns;
    paxos_host_report_t report = {.size_bytes = sizeof report};
    *status = PAXOS_HOST_OK;
    while (*status == PAXOS_HOST_OK && report.frames_received < frames) {
        if (paxos_host_clock_ns() > until_ns) { return false; }
        *status = paxos_host_poll(pair->host, 1000000);
        paxos_host_event_t event = {.size_bytes = sizeof event};
        while (paxos_host_next(pair->host, &event)) {}
        (void)!paxos_transport_poll(pair->liar, paxos_host_clock_ns(), 1000000);
        paxos_transport_frame_t frame = {.size_bytes = sizeof frame};
        while (paxos_transport_next(pair->liar, &frame)) {}
        paxos_host_report(pair->host, &report);
    }
    return true;
}

static bool connect_pair(const pair_t *pair) {
    const uint64_t until_ns = paxos_host_clock_ns() + 10 * second_ns;
    paxos_transport_peer_report_t report = {.size_bytes = sizeof report};
    while (paxos_host_clock_ns() < until_ns) {
        (void)!paxos_host_poll(pair->host, 1000000);
        (void)!paxos_transport_poll(pair->liar, paxos_host_clock_ns(), 1000000);
        if (paxos_transport_peer_report(pair->liar, 1, &report) && report.is_up) { return true; }
    }
    return false;
}

static const char *lie(const pair_t *pair, bool is_trusted) {
    paxos_host_status_t status = PAXOS_HOST_OK;
    CHECK(connect_pair(pair));
    CHECK(send_accept(pair, 5) && run_until(pair, 1, &status) && status == PAXOS_HOST_OK);
    CHECK(send_accept(pair, 5) && run_until(pair, 2, &status) && status == PAXOS_HOST_OK);
    CHECK(send_accept(pair, 6) && run_until(pair, 3, &status));
    paxos_replica_status_t replica = {.size_bytes = sizeof replica};
    CHECK(paxos_host_replica_status(pair->host, 0, &replica) && replica.refused_conflict == 1);
    if (is_trusted) {
        CHECK(status == PAXOS_HOST_OK && paxos_host_poll(pair->host, 0) == PAXOS_HOST_OK);
        return NULL;
    }
    CHECK(status == PAXOS_HOST_ERR_REPLICA && paxos_host_poll(pair->host, 0) == status);
    paxos_host_report_t report = {.size_bytes = sizeof report};
    paxos_host_report(pair->host, &report);
    CHECK(report.fault.detail == PAXOS_ERR_CONFLICT && report.fault.group == 0);
    CHECK(strstr(report.fault.what, "another value") != NULL);
    return NULL;
}

/* With a key nobody can forge frames, so the cluster itself is broken: the node stops. Without one
 * that would let any stranger stop it: it refuses, counts, and goes on. */
static const char *with_security(bool is_trusted) {
    pair_t pair = {NULL, NULL};
    const char *wrong =
        pair_open(&pair, is_trusted) ? lie(&pair, is_trusted) : "the two cannot be opened";
    pair_close(&pair);
    return wrong;
}

const char *node_story_conflict(void) {
    const char *wrong = with_security(false);
    return wrong != NULL ? wrong : with_security(true);
}
