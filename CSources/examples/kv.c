/* kv.c - a replicated key-value server that redis-cli and redis-benchmark talk to: three nodes,
 * each of which takes reads and writes, and none of which is alone with what it acknowledged.
 *
 *   kv format 1 DIRECTORY 7001 7002 7003            once, for each of 1, 2 and 3
 *   kv run 1 DIRECTORY 7001 7002 7003 6379          again and again; then
 *   redis-cli -p 6379 set colour blue
 *
 *   gcc kv.c kv/?*.c $(pkg-config --cflags --libs cpaxos-host hiredis libsodium) -o kv-server
 *
 * A GET is linearizable at any node: it is answered behind an entry of the log that was proposed
 * after it. Commands of one turn of the loop, of however many clients, share an entry. A command
 * whose fate is not known is answered with -UNKNOWN; one that was surely not done, with -TRYAGAIN
 * or -CLUSTERDOWN. While the log is full nothing is read from clients: they wait, nothing grows.
 *
 * kill -9 is how it is stopped. The next life takes the last snapshot of the table (kv/snapshot.c),
 * and the journal delivers the rest again. There is no transfer of snapshots between nodes yet. */
#define _GNU_SOURCE 1

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "kv/kv.h"
#include "paxos_host.h"

enum { NODES = 3, EVENTS = 256, LISTENER = KV_CLIENTS_MAX, HOST = KV_CLIENTS_MAX + 1 };

static const int waits_ms = 10; /* while the log refuses: how soon it is asked again */
static volatile sig_atomic_t is_told_to_end;

_Noreturn void kv_die(const char *what, const char *why) {
    (void)fprintf(stderr, "kv: %s: %s\n", what, why);
    exit(1);
}

static void told_to_end(int number) {
    (void)number;
    is_told_to_end = 1;
}

static void configure(paxos_config_t *config, int node) {
    paxos_config_default(config);
    config->cluster = 6379;
    config->node = (uint16_t)node;
    config->member_count = NODES;
    for (uint16_t i = 0; i < NODES; i++) { config->members[i] = (uint16_t)(i + 1); }
    config->value_bytes_max = KV_BATCH_BYTES;
    config->window_slots = 16384; /* two strides of a snapshot, and what is under way */
    config->pipeline_slots = 4096;
    config->arena_bytes = 64 << 20;
    config->inflight_bytes_max = 8 << 20;
}

static void watch(int epoll, int file, uint64_t name) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = name};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event) != 0) { kv_die("epoll", strerror(errno)); }
}

/* Milliseconds until the host wants to be polled, rounded up. */
static int rest_ms(const paxos_host_t *host) {
    const uint64_t due_ns = paxos_host_deadline(host);
    const uint64_t now_ns = paxos_host_clock_ns();
    if (due_ns <= now_ns) { return 0; }
    const uint64_t rest = (due_ns - now_ns + 999999u) / 1000000u;
    const int longest = kv_batch_waits() ? waits_ms : 1000;
    return rest < (uint64_t)longest ? (int)rest : longest;
}

/* Commands go in, what was decided comes out, replies leave; whoever could not go on may then. */
static void live(paxos_host_t *host, int listener) {
    struct epoll_event events[EVENTS];
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) { kv_die("epoll", strerror(errno)); }
    watch(epoll, listener, LISTENER);
    watch(epoll, paxos_host_fd(host), HOST);
    bool goes_on = true;
    for (paxos_host_status_t status = PAXOS_HOST_OK; status == PAXOS_HOST_OK && !is_told_to_end;) {
        const int wait_ms = goes_on && kv_clients_wait() ? 0 : rest_ms(host);
        const int count = epoll_wait(epoll, events, EVENTS, wait_ms);
        for (int i = 0; i < count; i++) {
            const uint64_t name = events[i].data.u64;
            if (name == LISTENER) { kv_client_accept(epoll, listener); }
            if (name < LISTENER) { kv_client_event((uint32_t)name, events[i].events); }
        }
        goes_on = kv_clients_serve(host);
        kv_batch_send(host);
        status = paxos_host_poll(host, 0);
        goes_on |= kv_batch_take(host);
        goes_on |= kv_clients_flush();
    }
    (void)close(epoll);
}

int main(int count, char **words) {
    const bool formats = count == 4 + NODES && strcmp(words[1], "format") == 0;
    const bool runs = count == 5 + NODES && strcmp(words[1], "run") == 0;
    if (!formats && !runs) {
        kv_die("usage", "kv format NODE DIRECTORY PORT PORT PORT, kv run ... PORT_OF_CLIENTS");
    }
    const int node = atoi(words[2]);
    char addresses[NODES][32];
    paxos_transport_peer_t peers[NODES - 1] = {{.node = 0}};
    if (node < 1 || node > NODES) { kv_die("usage", "NODE is 1, 2 or 3"); }
    for (int i = 0, at = 0; i < NODES; i++) {
        (void)snprintf(addresses[i], sizeof addresses[i], "127.0.0.1:%s", words[4 + i]);
        if (i + 1 == node) { continue; }
        peers[at].node = (uint16_t)(i + 1);
        peers[at++].address = addresses[i];
    }
    paxos_config_t config;
    configure(&config, node);
    paxos_host_options_t options = {.size_bytes = sizeof options, .group_count = 1};
    options.groups = &config;
    options.directory = words[3];
    options.transport.security = PAXOS_TRANSPORT_TRUSTED; /* a key is better: paxos_transport.h */
    options.transport.listen = addresses[node - 1];
    options.transport.peers = peers;
    options.transport.peer_count = NODES - 1;
    paxos_host_fault_t fault = {0};
    if (formats) {
        if (paxos_host_format(&options, &fault) != PAXOS_HOST_OK) { kv_die("format", fault.what); }
        return 0;
    }
    kv_table_open();
    const uint64_t applied = kv_snapshot_load(words[3]);
    options.applied_slots = &applied;
    const int listener = kv_listen((uint16_t)atoi(words[4 + NODES]));
    paxos_host_t *host = NULL;
    if (paxos_host_open(&options, &host, &fault) != PAXOS_HOST_OK) { kv_die("open", fault.what); }
    const struct sigaction ends = {.sa_handler = told_to_end};
    (void)sigaction(SIGTERM, &ends, NULL);
    (void)sigaction(SIGINT, &ends, NULL);
    live(host, listener);
    paxos_host_report_t report = {.size_bytes = sizeof report};
    paxos_host_report(host, &report);
    paxos_host_close(host);
    if (!is_told_to_end) { kv_die("stopped", report.fault.what); }
    return 0;
}
