/* host.c - nodes 2 and 3 of the cluster that member.c is node 1 of; on a machine with POSIX.
 *
 *   host SOCKET   listens there for the board's line (qemu-system-arm -serial unix:SOCKET)
 *
 * Node 2 takes the lead, and is gone after a while; the two that are left go on. Prints what node 3
 * delivers, as the board does: the two logs must be the same. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "paxos/entry.h"
#include "slip.h"
#include "small.h"

enum { BOARD = 1, FIRST = 2, SECOND = 3, WORDS = 4, LINE_BYTES = 1024 };
static const uint64_t LINGER_NS = 1500000000, LIFE_NS = 60000000000;

typedef struct node {
    _Alignas(PAXOS_BLOCK_ALIGNMENT) uint8_t block[BLOCK_BYTES];
    paxos_replica_t *replica;
    uint32_t own;   /* delivered: values of this program */
    uint32_t board; /* ... and of the board */
    bool is_gone;
    bool is_done; /* "end" was delivered */
} node_t;

static node_t nodes[NODES + 1]; /* by number; those of this program are used */
static int line_fd = -1;
static uint8_t frame[FRAME_BYTES];
static slip_t slip = {frame, FRAME_BYTES, 0, false};

static uint64_t clock_ns(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void deliver(uint16_t id, const paxos_effect_t *effect) {
    node_t *node = nodes + id;
    const uint8_t *bytes = node->block + effect->body_offset;
    for (uint32_t i = 0; i < effect->count; i++) {
        const paxos_entry_t entry = paxos_entry_get(bytes);
        const char *value = (const char *)bytes + PAXOS_ENTRY_HEADER_BYTES;
        if (entry.kind == PAXOS_ENTRY_COMMAND) {
            const uint64_t slot = effect->slot + i;
            if (id == SECOND) { printf("log %d %.*s\n", (int)slot, (int)entry.value_bytes, value); }
            if (entry.node == BOARD) { node->board += 1; }
            if (entry.node != BOARD) { node->own += 1; }
            if (entry.value_bytes == 3 && memcmp(value, "end", 3) == 0) { node->is_done = true; }
        }
        bytes += paxos_entry_bytes(entry.value_bytes);
    }
    (void)!paxos_replica_trim(node->replica, effect->slot + effect->count - 1);
}

/* To another node: by a call, or over the line to the board. */
static void send_frame(const paxos_effect_t *effect, const uint8_t *body) {
    node_t *to = nodes + effect->node;
    if (effect->node != BOARD) {
        if (to->is_gone) { return; }
        (void)!paxos_replica_receive(
            to->replica, clock_ns(), effect->header, sizeof effect->header, body,
            effect->body_bytes);
        return;
    }
    uint8_t bytes[2 * FRAME_BYTES + 1];
    size_t count = 0;
    for (uint32_t i = 0; i < sizeof effect->header; i++) {
        count += slip_put(effect->header[i], bytes + count);
    }
    for (uint32_t i = 0; i < effect->body_bytes; i++) { count += slip_put(body[i], bytes + count); }
    bytes[count++] = SLIP_END;
    for (size_t at = 0; at < count;) {
        const ssize_t written = send(line_fd, bytes + at, count - at, MSG_NOSIGNAL);
        if (written <= 0) { return; } /* the rest of a frame that is lost does no harm */
        at += (size_t)written;
    }
}

static void run(uint16_t id) {
    node_t *node = nodes + id;
    paxos_effect_t effect = {.size_bytes = sizeof effect};
    while (!node->is_gone && paxos_replica_poll(node->replica, &effect)) {
        if (effect.kind == PAXOS_EFFECT_DELIVER) { deliver(id, &effect); }
        if (effect.kind != PAXOS_EFFECT_SEND) { continue; }
        send_frame(&effect, node->block + effect.body_offset);
        if (effect.token != 0) { (void)!paxos_replica_sent(node->replica, effect.token); }
    }
}

/* What came over the line, to whom it is for. False: the board is gone. */
static bool receive(void) {
    struct pollfd ready = {.fd = line_fd, .events = POLLIN};
    if (poll(&ready, 1, 1) <= 0) { return true; }
    uint8_t bytes[LINE_BYTES];
    const ssize_t count = read(line_fd, bytes, sizeof bytes);
    for (ssize_t i = 0; i < count; i++) {
        const uint32_t frame_bytes = slip_take(&slip, bytes[i]);
        if (frame_bytes < PAXOS_FRAME_HEADER_BYTES) { continue; }
        const uint16_t id = paxos_get16(frame + 26);
        if ((id != FIRST && id != SECOND) || nodes[id].is_gone) { continue; }
        (void)!paxos_replica_receive(
            nodes[id].replica, clock_ns(), frame, PAXOS_FRAME_HEADER_BYTES,
            frame + PAXOS_FRAME_HEADER_BYTES, frame_bytes - PAXOS_FRAME_HEADER_BYTES);
    }
    return count > 0;
}

static uint16_t leader(void) {
    paxos_replica_status_t status = {.size_bytes = sizeof status};
    paxos_replica_status(nodes[SECOND].replica, &status);
    return status.leader;
}

/* One value at a time, by node 3; the first node of this program is gone after half of them. The
 * last one is "end", when the board has had its say under the second leader. */
static void propose(void) {
    static const char *const words[WORDS] = {"two", "on", "a", "host"};
    static uint32_t proposed;
    static uint32_t board_before;
    node_t *node = nodes + SECOND;
    const uint16_t who = leader();
    if (proposed > node->own || who == 0) { return; }
    if (proposed == 0 && who != FIRST) {
        (void)!paxos_replica_campaign(nodes[FIRST].replica, clock_ns());
        return;
    }
    if (proposed == WORDS / 2 && !nodes[FIRST].is_gone) {
        if (node->board == 0) { return; }
        nodes[FIRST].is_gone = true;
        board_before = node->board;
        printf("node %d led, and is gone\n", FIRST);
    }
    if (nodes[FIRST].is_gone && who == FIRST) { return; }
    if (proposed == WORDS && node->board == board_before) { return; }
    const char *word = proposed < WORDS ? words[proposed] : "end";
    uint64_t number = 0;
    if (proposed <= WORDS &&
        paxos_replica_propose(
            node->replica, clock_ns(), (const uint8_t *)word, strlen(word), &number) == PAXOS_OK) {
        proposed += 1;
        if (proposed == WORDS / 2 + 1) { printf("node %d leads now\n", who); }
    }
}

/* Listen, and take the one connection that comes. */
static int accept_line(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) { return -1; }
    memcpy(address.sun_path, path, strlen(path));
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, 1) != 0) {
        return -1;
    }
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    const int line = poll(&ready, 1, 20000) == 1 ? accept(fd, NULL, NULL) : -1;
    (void)close(fd);
    return line;
}

int main(int count, char **arguments) {
    line_fd = count == 2 ? accept_line(arguments[1]) : -1;
    if (line_fd < 0) {
        fprintf(stderr, "host: no line at %s\n", count == 2 ? arguments[1] : "SOCKET");
        return 2;
    }
    const uint64_t start_ns = clock_ns();
    for (uint16_t id = FIRST; id <= SECOND; id++) {
        paxos_config_t config;
        small_config(&config, id);
        if (paxos_replica_init(
                nodes[id].block, sizeof nodes[id].block, &config, start_ns, &nodes[id].replica) !=
            PAXOS_OK) {
            return 2;
        }
    }
    uint64_t end_ns = start_ns + LIFE_NS;
    for (uint64_t now_ns = start_ns; now_ns < end_ns && receive(); now_ns = clock_ns()) {
        for (uint16_t id = FIRST; id <= SECOND; id++) {
            if (!nodes[id].is_gone) { paxos_replica_tick(nodes[id].replica, now_ns); }
        }
        propose();
        for (uint16_t id = FIRST; id <= SECOND; id++) { run(id); }
        if (nodes[SECOND].is_done && end_ns > now_ns + LINGER_NS) { end_ns = now_ns + LINGER_NS; }
    }
    return nodes[SECOND].is_done ? 0 : 1;
}
