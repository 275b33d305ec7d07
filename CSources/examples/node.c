/* node.c - one of three nodes of a replicated log of lines: a line of its input is proposed, a line
 * that was decided is printed, the same in all three, once.
 *
 *   node format 1 DIRECTORY 7001 7002 7003    once, for each of 1, 2 and 3
 *   node run 1 DIRECTORY 7001 7002 7003       again and again */
#define _GNU_SOURCE 1

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "paxos_host.h"
#include "paxos_runtime.h"

enum { NODES = 3, LINE_BYTES = 1024 };

static int fail(const char *what, const char *why) {
    (void)fprintf(stderr, "%s: %s\n", what, why);
    return 1;
}

static void configure(paxos_config_t *config, int node) {
    paxos_config_default(config);
    config->cluster = 42;
    config->node = (uint16_t)node;
    config->member_count = NODES;
    for (uint16_t i = 0; i < NODES; i++) { config->members[i] = (uint16_t)(i + 1); }
    config->pipeline_slots = config->window_slots / 2;
}

static void print(const paxos_host_event_t *event) {
    const uint8_t *at = event->entries;
    for (uint32_t i = 0; i < event->count; i++) {
        const paxos_entry_t entry = paxos_entry_get(at);
        if (entry.kind == PAXOS_ENTRY_COMMAND) {
            (void)printf("%.*s\n", (int)entry.value_bytes, at + PAXOS_ENTRY_HEADER_BYTES);
        }
        at += paxos_entry_bytes(entry.value_bytes);
    }
    (void)fflush(stdout);
}

static void take(paxos_host_t *host, int printed) {
    paxos_host_event_t event = {.size_bytes = sizeof event};
    while (paxos_host_next(host, &event)) {
        if (event.kind == PAXOS_HOST_OUTCOME) {
            (void)fprintf(stderr, "%u lines may be lost\n", (unsigned)event.count);
        }
        if (event.kind != PAXOS_HOST_DELIVERED) { continue; }
        print(&event);
        const uint64_t slot = event.slot + event.count - 1;
        if (pwrite(printed, &slot, sizeof slot, 0) == sizeof slot && fdatasync(printed) == 0) {
            (void)!paxos_host_trim(host, 0, slot); /* it need not be printed again */
        }
    }
}

static volatile sig_atomic_t is_over;

static void end(int signal_number) {
    (void)signal_number;
    is_over = 1;
}

/* Wait for frames, for time and, while a line can be taken, for input. */
static void live(paxos_host_t *host, int printed) {
    char line[LINE_BYTES];
    size_t length = 0;
    bool has_line = false;
    struct pollfd files[2] = {{.events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    for (paxos_host_status_t status = PAXOS_HOST_OK; status == PAXOS_HOST_OK && !is_over;) {
        const uint64_t due_ns = paxos_host_deadline(host);
        const uint64_t now_ns = paxos_host_clock_ns();
        const uint64_t left_ns = due_ns > now_ns ? due_ns - now_ns : 0;
        const struct timespec left = {
            (time_t)(left_ns / 1000000000u), (long)(left_ns % 1000000000u)};
        files[0].fd = paxos_host_fd(host);
        (void)ppoll(files, has_line ? 1 : 2, &left, NULL);
        if (!has_line && files[1].revents != 0) {
            const ssize_t got = read(STDIN_FILENO, line + length, 1);
            if (got <= 0) { files[1].fd = -1; } /* no more: it goes on for the others */
            has_line = got > 0 && (line[length] == '\n' || ++length == sizeof line);
        }
        uint64_t number = 0;
        if (has_line &&
            paxos_host_propose(host, 0, (const uint8_t *)line, length, &number) == PAXOS_OK) {
            has_line = false;
            length = 0;
        }
        status = paxos_host_poll(host, 0);
        take(host, printed);
    }
}

int main(int count, char **words) {
    if (count != 4 + NODES) {
        return fail("usage", "node format|run NODE DIRECTORY PORT PORT PORT");
    }
    const int node = atoi(words[2]);
    char addresses[NODES][32];
    paxos_transport_peer_t peers[NODES - 1] = {{.node = 0}};
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
    if (strcmp(words[1], "format") == 0) {
        return paxos_host_format(&options, &fault) == PAXOS_HOST_OK ? 0
                                                                    : fail("format", fault.what);
    }
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/printed", words[3]);
    const int printed = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    uint64_t applied = 0;
    if (pread(printed, &applied, sizeof applied, 0) < 0) { return fail(path, "not readable"); }
    options.applied_slots = &applied;
    paxos_host_t *host = NULL;
    if (paxos_host_open(&options, &host, &fault) != PAXOS_HOST_OK) {
        return fail("open", fault.what);
    }
    (void)signal(SIGTERM, end);
    live(host, printed);
    paxos_host_report_t report = {.size_bytes = sizeof report};
    paxos_host_report(host, &report);
    paxos_host_close(host);
    (void)close(printed);
    return is_over ? 0 : fail("stopped", report.fault.what);
}
