/* node.c - a node with a state machine in a file; it tells the recorder before it relies on it. */
#define _GNU_SOURCE 1

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "paxos/crc32c.h"
#include "paxos/random.h"
#include "paxos_host.h"
#include "paxos_runtime.h"
#include "soak.h"

enum {
    OPEN_MAX = 512,
    BURST = 8,
    BURST_MAX = 128,
    APPLY_SLOTS = 64,
    TOLD_MAX = 64,
    NUMBERS_MAX = 1 << 22
};

static const uint64_t ms_ns = 1000u * 1000u;
static const uint8_t key[PAXOS_TRANSPORT_KEY_BYTES] = {9, 3};

typedef struct machine {
    uint64_t slot;
    uint64_t digest;
} machine_t;

typedef struct node {
    paxos_host_t *host;
    switches_t *switches;
    int out;
    int file; /* of the state machine */
    uint32_t number;
    uint32_t incarnation;
    machine_t machine; /* as it is */
    uint64_t durable;  /* up to this slot it is in the file */
    uint64_t proposed;
    uint64_t open; /* proposals without a fate */
    uint64_t propose_at_ns;
    uint32_t burst; /* proposals at once: in some lives more than there is room for */
    uint64_t behind_to;
    uint32_t quiet;
    uint32_t told_count;
    told_t told[TOLD_MAX];
} node_t;

/* By number of this life: it has a fate. */
static uint8_t has_fate[NUMBERS_MAX];

uint32_t value_make(uint64_t name, uint8_t bytes[VALUE_BYTES_MAX]) {
    uint64_t random = name;
    const uint64_t length = paxos_random_next(&random);
    const uint32_t bound = length % 16 == 0 ? VALUE_BYTES_MAX : VALUE_BYTES_MAX / 8;
    const uint32_t length_bytes = (uint32_t)(length >> 8) % bound;
    for (uint32_t i = 0; i < length_bytes; i++) { bytes[i] = (uint8_t)paxos_random_next(&random); }
    return length_bytes;
}

uint64_t digest_next(uint64_t digest, uint64_t slot, uint64_t name, uint32_t checksum) {
    uint64_t state = digest ^ slot ^ name * 3 ^ (uint64_t)checksum << 20;
    return paxos_random_next(&state);
}

static void say_all(node_t *node) {
    const size_t bytes = node->told_count * sizeof node->told[0];
    if (bytes != 0 && write(node->out, node->told, bytes) != (ssize_t)bytes) {
        _exit(NODE_GAVE_UP);
    }
    node->told_count = 0;
}

static void say(node_t *node, told_t told) {
    node->told[node->told_count++] = told;
    if (node->told_count == TOLD_MAX) { say_all(node); }
}

typedef struct setting {
    paxos_config_t config;
    paxos_transport_peer_t peers[NODES - 1];
    char directory[SOAK_PATH_BYTES];
    paxos_host_options_t options;
} setting_t;

static void set(const soak_place_t *place, uint32_t index, setting_t *setting) {
    paxos_config_t *config = &setting->config;
    paxos_config_default(config);
    config->cluster = 93;
    config->node = (uint16_t)(index + 1);
    config->member_count = NODES;
    config->window_slots = 1024;
    config->pipeline_slots = 512;
    config->value_bytes_max = VALUE_BYTES_MAX;
    config->frame_bytes_max = 16 << 10;
    config->arena_bytes = 1 << 20;
    config->election_timeout_ns = 150 * ms_ns;
    memset(setting->peers, 0, sizeof setting->peers);
    for (uint32_t i = 0, at = 0; i < NODES; i++) {
        config->members[i] = (uint16_t)(i + 1);
        if (i == index) { continue; }
        setting->peers[at].node = (uint16_t)(i + 1);
        setting->peers[at++].address = place->addresses[i];
    }
    (void)snprintf(
        setting->directory, sizeof setting->directory, "%s/node%u", place->root, index + 1);
    setting->options = (paxos_host_options_t){
        .size_bytes = sizeof setting->options,
        .group_count = 1,
        .groups = config,
        .directory = setting->directory,
        .segment_bytes = 4 << 20,
        .segment_count = 32,
        .transport = {
            .retry_max_ns = 50 * ms_ns,
            .peer_count = NODES - 1,
            .security = PAXOS_TRANSPORT_KEYED,
            .key = key,
            .listen = place->addresses[index],
            .peers = setting->peers,
        }};
}

static int end(const char *doing, const paxos_host_fault_t *fault, int code) {
    (void)fprintf(
        stderr, "node_soak: %s: %s (detail %d, errno %d)\n", doing, fault->what, fault->detail,
        fault->error);
    return code;
}

int node_format(const soak_place_t *place, uint32_t index) {
    setting_t setting;
    paxos_host_fault_t fault;
    set(place, index, &setting);
    return paxos_host_format(&setting.options, &fault) == PAXOS_HOST_OK
               ? 0
               : end("format", &fault, NODE_GAVE_UP);
}

/* The state machine as its file has it; none: nothing was applied yet. */
static void load(node_t *node, const char *directory) {
    char path[SOAK_PATH_BYTES + 16];
    (void)snprintf(path, sizeof path, "%s/machine", directory);
    node->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const ssize_t got = pread(node->file, &node->machine, sizeof node->machine, 0);
    if (node->file < 0 || (got != 0 && got != sizeof node->machine)) { _exit(NODE_GAVE_UP); }
    node->durable = node->machine.slot;
}

/* What was told is made durable; then the log may forget it. */
static void apply(node_t *node) {
    if (node->durable == node->machine.slot) { return; }
    say_all(node);
    if (pwrite(node->file, &node->machine, sizeof node->machine, 0) != sizeof node->machine ||
        fdatasync(node->file) != 0) {
        _exit(NODE_STOPPED);
    }
    node->durable = node->machine.slot;
    say(node, (told_t){.kind = TOLD_APPLIED, .slot = node->durable});
    if (paxos_host_trim(node->host, 0, node->durable) != PAXOS_OK) { _exit(NODE_GAVE_UP); }
}

static void settle_fate(node_t *node, uint64_t number) {
    if (number == 0 || number > node->proposed) { _exit(NODE_GAVE_UP); }
    node->open -= has_fate[number] == 0;
    has_fate[number] = 1;
}

static void deliver(node_t *node, const paxos_host_event_t *event) {
    const uint8_t *at = event->entries;
    for (uint32_t i = 0; i < event->count; i++) {
        const paxos_entry_t entry = paxos_entry_get(at);
        const bool is_command = entry.kind == PAXOS_ENTRY_COMMAND;
        const told_t told = {
            .kind = TOLD_DELIVERED,
            .checksum = paxos_crc32c(0, at + PAXOS_ENTRY_HEADER_BYTES, entry.value_bytes),
            .slot = event->slot + i,
            .value = is_command ? value_name(entry.node, entry.incarnation, entry.number) : 0};
        say(node, told);
        node->machine.slot = told.slot;
        node->machine.digest =
            digest_next(node->machine.digest, told.slot, told.value, told.checksum);
        if (entry.node == node->number && entry.incarnation == node->incarnation && is_command) {
            settle_fate(node, entry.number);
        }
        at += paxos_entry_bytes(entry.value_bytes);
    }
}

static void resolve(node_t *node, const paxos_host_event_t *event) {
    const bool is_lost = event->reason == PAXOS_REASON_LOST;
    for (uint64_t number = event->number; number < event->number + event->count; number++) {
        settle_fate(node, number);
        say(node, (told_t){
                      .kind = is_lost ? TOLD_UNKNOWN : TOLD_REFUSED,
                      .value = value_name(node->number, node->incarnation, number)});
    }
}

/* Whether there was anything. */
static bool take(node_t *node) {
    bool is_any = false;
    paxos_host_event_t event = {.size_bytes = sizeof event};
    while (paxos_host_next(node->host, &event)) {
        is_any = true;
        if (event.kind == PAXOS_HOST_DELIVERED) { deliver(node, &event); }
        if (event.kind == PAXOS_HOST_OUTCOME) { resolve(node, &event); }
        if (event.kind == PAXOS_HOST_LEADER) {
            say(node, (told_t){.kind = TOLD_LEADER, .value = event.node});
        }
    }
    return is_any;
}

/* A few every two milliseconds: a node that is away for seconds must find them in a journal. */
static void propose(node_t *node) {
    uint8_t bytes[VALUE_BYTES_MAX];
    const uint64_t now_ns = paxos_host_clock_ns();
    if (now_ns < node->propose_at_ns) { return; }
    node->propose_at_ns = now_ns + 2 * ms_ns;
    const uint64_t end = node->proposed + node->burst;
    while (node->proposed < end && node->open < OPEN_MAX && end < NUMBERS_MAX) {
        const uint64_t name = value_name(node->number, node->incarnation, node->proposed + 1);
        const uint32_t length_bytes = value_make(name, bytes);
        uint64_t number = 0;
        if (paxos_host_propose(node->host, 0, bytes, length_bytes, &number) != PAXOS_OK) { return; }
        if (number != node->proposed + 1) { _exit(NODE_GAVE_UP); }
        node->proposed = number;
        node->open += 1;
    }
}

/* Between two turns: new proposals, or the word that there are none. */
static void look_at_switches(node_t *node) {
    const uint32_t quiet = atomic_load(&node->switches->quiet);
    if (quiet == 0) {
        propose(node);
    } else if (quiet != node->quiet && node->open == 0) {
        node->quiet = quiet;
        say(node, (told_t){.kind = TOLD_QUIET, .value = quiet});
    }
    paxos_replica_status_t status = {.size_bytes = sizeof status};
    if (paxos_host_replica_status(node->host, 0, &status) && status.behind_to != node->behind_to) {
        node->behind_to = status.behind_to;
        say(node, (told_t){.kind = TOLD_BEHIND, .slot = node->behind_to});
    }
}

static void start(node_t *node, const soak_place_t *place, uint32_t index) {
    setting_t setting;
    paxos_host_fault_t fault;
    set(place, index, &setting);
    load(node, setting.directory);
    setting.options.applied_slots = &node->machine.slot;
    if (paxos_host_open(&setting.options, &node->host, &fault) != PAXOS_HOST_OK) {
        const bool is_disk = fault.status == PAXOS_HOST_ERR_JOURNAL && fault.error != 0;
        _exit(is_disk ? NODE_STOPPED : end("open", &fault, NODE_GAVE_UP));
    }
    paxos_host_report_t report = {.size_bytes = sizeof report};
    paxos_host_report(node->host, &report);
    node->incarnation = report.incarnation;
    say(node, (told_t){
                  .kind = TOLD_BEGAN,
                  .slot = node->machine.slot,
                  .value = node->incarnation,
                  .digest = node->machine.digest});
}

void node_live(
    const soak_place_t *place, uint32_t index, switches_t *switches, int out, uint64_t seed) {
    node_t node = {.switches = switches, .out = out, .number = index + 1};
    node.burst = seed % 8 == 0 ? BURST_MAX : BURST;
    disk_watch(switches, seed);
    start(&node, place, index);
    while (paxos_host_poll(node.host, 2 * ms_ns) == PAXOS_HOST_OK) {
        const bool is_any = take(&node);
        if (!is_any || node.machine.slot - node.durable >= APPLY_SLOTS) { apply(&node); }
        look_at_switches(&node);
        say_all(&node);
    }
    paxos_host_report_t report = {.size_bytes = sizeof report};
    paxos_host_report(node.host, &report);
    const bool is_disk = report.fault.status == PAXOS_HOST_ERR_JOURNAL && report.fault.error != 0;
    _exit(is_disk ? NODE_STOPPED : end("stopped", &report.fault, NODE_GAVE_UP));
}
