/* node.c - one node of a cluster, and the clients that live in its process. */
#define _GNU_SOURCE 1

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench_node.h"
#include "ledger.h"
#include "lines.h"
#include "paxos_host.h"
#include "paxos_runtime.h"
#include "times.h"

enum { CLUSTER = 0xBE7C, OUTSTANDING_MAX = 1 << 16, VALUE_BYTES_MAX = 1 << 16 };

typedef struct node {
    const bench_node_t *how;
    paxos_host_t *host;
    lines_t lines;
    uint32_t incarnation;
    uint16_t leader;
    uint64_t campaign_ns;
    ledger_t ledger;    /* its state machine */
    uint64_t opened_at; /* how far that was, when the node was opened, ... */
    uint64_t opened_ns; /* ... and the time then */
    /* clients */
    uint64_t now_ns;
    uint64_t outstanding;
    uint64_t commits;
    uint64_t lost;                         /* refused, or unknown */
    uint64_t proposed_ns[OUTSTANDING_MAX]; /* by number; 0: it has its outcome */
    times_t times;
    uint8_t value[VALUE_BYTES_MAX];
} node_t;

static int fail(const char *what, const char *why) {
    (void)fprintf(stderr, "bench: %s: %s\n", what, why);
    return 1;
}

static void configure(const bench_node_t *how, paxos_config_t *config) {
    paxos_config_default(config);
    config->cluster = CLUSTER;
    config->node = how->node;
    config->member_count = BENCH_NODES;
    for (uint16_t i = 0; i < BENCH_NODES; i++) { config->members[i] = (uint16_t)(i + 1); }
    config->memory_only = !how->is_durable;
    config->window_slots = 1 << 15;
    config->pipeline_slots = 1 << 14; /* the rest is for who lags */
    config->arena_bytes = 64u << 20;
    config->value_bytes_max = VALUE_BYTES_MAX;
    const bool elects = how->election_timeout_ns != 0;
    config->manual_elections = !elects; /* node 1 leads, so that figures compare */
    config->election_timeout_ns = elects ? how->election_timeout_ns : 2000000000u;
    config->seed = 0;
}

enum { PATH_BYTES = 4096, JOURNAL_SEGMENT_BYTES = 32 << 20 };

/* The state machine is where the last life left it; false: it cannot be. */
static bool open_ledger(node_t *node) {
    char path[PATH_BYTES];
    (void)snprintf(path, PATH_BYTES, "%s.ledger", node->how->directory);
    const bool looks = node->how->election_timeout_ns != 0;
    if (!ledger_open(&node->ledger, node->how->is_durable ? path : NULL, looks)) { return false; }
    node->opened_at = node->ledger.sum.slot;
    return true;
}

static int open_host(node_t *node, const uint16_t ports[BENCH_NODES]) {
    paxos_config_t config;
    char texts[BENCH_NODES][32];
    paxos_transport_peer_t peers[BENCH_NODES - 1];
    memset(peers, 0, sizeof peers);
    configure(node->how, &config);
    for (uint32_t i = 0, at = 0; i < BENCH_NODES; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "127.0.0.1:%u", (unsigned)ports[i]);
        if (i + 1u == node->how->node) { continue; }
        peers[at].node = (uint16_t)(i + 1);
        peers[at++].address = i + 1u < node->how->node ? texts[i] : NULL;
    }
    paxos_host_options_t options = {.size_bytes = sizeof options, .group_count = 1};
    options.groups = &config;
    options.directory = node->how->is_durable ? node->how->directory : NULL;
    options.applied_slots = &node->ledger.sum.slot;
    if (node->how->journal_bytes != 0) {
        options.segment_bytes = JOURNAL_SEGMENT_BYTES;
        options.segment_count = (uint32_t)(node->how->journal_bytes / JOURNAL_SEGMENT_BYTES) + 2;
    }
    options.spin_ns = node->how->spin_ns;
    options.transport.peer_count = BENCH_NODES - 1;
    options.transport.security = PAXOS_TRANSPORT_TRUSTED;
    options.transport.listen = texts[node->how->node - 1];
    options.transport.peers = peers;
    paxos_host_fault_t fault = {0};
    const bool is_first = node->how->is_durable && access(node->how->directory, F_OK) != 0;
    if (is_first && paxos_host_format(&options, &fault) != PAXOS_HOST_OK) {
        return fail("format", fault.what);
    }
    if (paxos_host_open(&options, &node->host, &fault) != PAXOS_HOST_OK) {
        return fail("open", fault.what);
    }
    return 0;
}

/* A proposal has its outcome: when it was made, or 0: it had one before. */
static uint64_t settle(node_t *node, uint64_t number) {
    uint64_t *proposed_ns = &node->proposed_ns[number % OUTSTANDING_MAX];
    const uint64_t start_ns = *proposed_ns;
    *proposed_ns = 0;
    node->outstanding -= start_ns != 0;
    return start_ns;
}

/* What was said to be unknown may still be delivered: it counts, and its time does not. */
static void take_entries(node_t *node, const paxos_host_event_t *event) {
    const uint8_t *at = event->entries;
    for (uint32_t i = 0; i < event->count; i++) {
        const paxos_entry_t entry = paxos_entry_get(at);
        const bool is_own = entry.node == node->how->node && entry.kind == PAXOS_ENTRY_COMMAND &&
                            entry.incarnation == node->incarnation;
        if (is_own) {
            const uint64_t start_ns = settle(node, entry.number);
            if (start_ns != 0) { times_add(&node->times, node->now_ns - start_ns); }
            node->commits += 1;
        }
        at += paxos_entry_bytes(entry.value_bytes);
    }
    ledger_take(&node->ledger, event->slot, event->entries, event->count);
    (void)!paxos_host_trim(node->host, 0, node->ledger.sum.slot);
}

static void take(node_t *node) {
    paxos_host_event_t event = {.size_bytes = sizeof event};
    while (paxos_host_next(node->host, &event)) {
        if (event.kind == PAXOS_HOST_LEADER) { node->leader = event.node; }
        if (event.kind == PAXOS_HOST_DELIVERED) { take_entries(node, &event); }
        if (event.kind != PAXOS_HOST_OUTCOME) { continue; }
        for (uint64_t i = 0; i < event.count; i++) {
            node->lost += settle(node, event.number + i) != 0;
        }
    }
}

static bool is_connected(const node_t *node) {
    paxos_transport_report_t report = {.size_bytes = sizeof report};
    paxos_transport_report(paxos_host_transport(node->host), &report);
    return report.up == BENCH_NODES - 1;
}

/* One turn of the loop; false: the node has stopped. */
static bool turn(node_t *node, uint64_t timeout_ns) {
    if (paxos_host_poll(node->host, timeout_ns) != PAXOS_HOST_OK) { return false; }
    node->now_ns = paxos_host_clock_ns();
    take(node);
    const bool leads = node->how->node == 1 && node->leader == 0;
    if (leads && node->how->election_timeout_ns == 0 && node->now_ns > node->campaign_ns &&
        is_connected(node)) {
        node->campaign_ns = node->now_ns + 300000000u;
        (void)!paxos_host_campaign(node->host, 0);
    }
    return true;
}

/* So many clients, each with one proposal at a time, for so long, or until so many are decided. */
static bool load(node_t *node, uint64_t clients, uint64_t span_ns, uint64_t most) {
    if (clients > OUTSTANDING_MAX) { clients = OUTSTANDING_MAX; }
    times_clear(&node->times);
    node->commits = node->lost = 0;
    const uint64_t start_ns = node->now_ns = paxos_host_clock_ns();
    const uint64_t end_ns = start_ns + span_ns;
    uint64_t last_ns = start_ns;
    uint64_t gap_ns = 0;
    while (node->now_ns < end_ns || node->outstanding > 0) {
        const uint64_t left = most > node->commits ? most - node->commits : 0;
        if (left == 0 && node->outstanding == 0) { break; }
        while (node->outstanding < clients && node->outstanding < left && node->now_ns < end_ns) {
            uint64_t number = 0;
            const paxos_status_t status =
                paxos_host_propose(node->host, 0, node->value, node->how->value_bytes, &number);
            if (status != PAXOS_OK) { break; }
            node->proposed_ns[number % OUTSTANDING_MAX] = node->now_ns;
            node->outstanding += 1;
        }
        const uint64_t commits = node->commits;
        if (!turn(node, 1000000)) { return false; }
        if (node->commits > commits) {
            if (commits > 0 && node->now_ns - last_ns > gap_ns) { gap_ns = node->now_ns - last_ns; }
            last_ns = node->now_ns;
        }
        if (node->now_ns > end_ns + 10000000000u) { return false; }
    }
    (void)printf(
        "done %llu %llu %llu %llu %llu %llu %llu\n", (unsigned long long)node->commits,
        (unsigned long long)(last_ns - start_ns), (unsigned long long)times_part(&node->times, 500),
        (unsigned long long)times_part(&node->times, 990),
        (unsigned long long)times_part(&node->times, 999), (unsigned long long)node->lost,
        (unsigned long long)gap_ns);
    return fflush(stdout) == 0;
}

/* Whether what this node lacks is gone at all others. */
static bool is_behind(const node_t *node) {
    paxos_replica_status_t status = {.size_bytes = sizeof status};
    return paxos_host_replica_status(node->host, 0, &status) && status.behind_to != 0;
}

/* Until the slot is delivered here; false, too, where nobody brings what is missing. */
static bool level(node_t *node, uint64_t slot) {
    const uint64_t end_ns = paxos_host_clock_ns() + 300000000000u;
    uint64_t helped_ns = 0;
    while (node->ledger.sum.slot < slot) {
        if (!turn(node, 1000000) || node->now_ns > end_ns) { return false; }
        if (helped_ns == 0 || !is_behind(node)) { helped_ns = node->now_ns; }
        if (node->now_ns - helped_ns > 2000000000u) {
            (void)fail("level", "the journals of the others do not reach back to what it lacks");
            return false;
        }
    }
    (void)printf(
        "done %llu %llu\n", (unsigned long long)(node->ledger.sum.slot - node->opened_at),
        (unsigned long long)(paxos_host_clock_ns() - node->opened_ns));
    return fflush(stdout) == 0;
}

/* What a restart took. */
static bool tell_recovery(const node_t *node) {
    paxos_host_report_t host = {.size_bytes = sizeof host};
    paxos_journal_report_t journal = {.size_bytes = sizeof journal};
    paxos_host_report(node->host, &host);
    paxos_journal_report(paxos_host_journal(node->host), &journal);
    (void)printf(
        "done %llu %llu %llu %llu\n", (unsigned long long)host.recovery_ns,
        (unsigned long long)host.recovered_records,
        (unsigned long long)(journal.segments_used * journal.segment_bytes),
        (unsigned long long)journal.recycled);
    return fflush(stdout) == 0;
}

/* What the state machine was given in all its lives. */
static bool tell_ledger(const node_t *node) {
    const ledger_sum_t *sum = &node->ledger.sum;
    (void)printf(
        "done %llu %llu %llu %lu\n", (unsigned long long)sum->slot,
        (unsigned long long)sum->commands, (unsigned long long)sum->doubles,
        (unsigned long)sum->digest);
    return fflush(stdout) == 0;
}

/* Do what a line says; false: it could not be done. */
static bool obey(node_t *node, const char *line) {
    unsigned long long first = 0;
    unsigned long long second = 0;
    unsigned long long most = UINT64_MAX;
    if (sscanf(line, "load %llu %llu %llu", &first, &second, &most) >= 2) {
        return load(node, first, second, most);
    }
    if (sscanf(line, "level %llu", &first) == 1) { return level(node, first); }
    return line[0] == 'r' ? tell_recovery(node) : tell_ledger(node);
}

static int live(node_t *node) {
    bool is_ready = false;
    char line[LINE_BYTES];
    while (!lines_have_ended(&node->lines)) {
        if (!turn(node, 100000000)) { break; }
        if (!is_ready && node->leader != 0) {
            is_ready = true;
            (void)printf("ready %u\n", (unsigned)node->leader);
            (void)fflush(stdout);
        }
        if (!lines_take(&node->lines, line)) { continue; }
        if (!obey(node, line)) { break; }
    }
    if (lines_have_ended(&node->lines)) { return 0; }
    paxos_host_report_t report = {.size_bytes = sizeof report};
    paxos_host_report(node->host, &report);
    return fail("stopped", report.fault.what != NULL ? report.fault.what : "no answer");
}

static void wake(void *context) {
    paxos_host_wake(context);
}

int bench_node_serve(const bench_node_t *how) {
    node_t *node = calloc(1, sizeof *node);
    if (node == NULL || how->value_bytes > VALUE_BYTES_MAX) { return fail("start", "no memory"); }
    node->how = how;
    uint16_t ports[BENCH_NODES];
    if (!lines_ports(how->node, ports)) { return fail("start", "no ports"); }
    if (!open_ledger(node)) { return fail("start", "no state machine"); }
    if (open_host(node, ports) != 0) { return 1; }
    node->opened_ns = paxos_host_clock_ns();
    paxos_host_report_t report = {.size_bytes = sizeof report};
    paxos_host_report(node->host, &report);
    node->incarnation = report.incarnation;
    (void)printf("port %u\n", (unsigned)report.port);
    (void)fflush(stdout);
    if (!lines_start(&node->lines, wake, node->host)) { return fail("start", "no thread"); }
    const int status = live(node);
    paxos_host_close(node->host);
    free(node);
    return status;
}
