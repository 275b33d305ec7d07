/* own_loop.c - a host with an event loop and a storage of its own: three replicas in one process,
 * poll(2) over sockets between them, each with a file of records. They live twice: the second life
 * knows what the first decided.
 *
 *   gcc own_loop.c $(pkg-config --cflags --libs cpaxos) -o own_loop && ./own_loop */
#define _GNU_SOURCE 1

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "paxos.h"
#include "paxos/bytes.h"
#include "paxos/entry.h"

enum { NODES = 3, WINDOW = 64, ARENA = 1 << 16, RING = 16, FRAME_BYTES = 4096, LIFE_VALUES = 5 };
#define BLOCK_BYTES PAXOS_REPLICA_BLOCK_BYTES(NODES, WINDOW, ARENA, RING, RING, RING, RING)

/* Where the formats put them: paxos/frame.h. */
enum { BODY_BYTES_AT = 36, LSN_AT = 64 };

static _Alignas(PAXOS_BLOCK_ALIGNMENT) uint8_t blocks[NODES][BLOCK_BYTES];
static paxos_replica_t *replicas[NODES];
static int sockets[NODES][NODES]; /* of a node, to another */
static int files[NODES];
static uint32_t delivered[NODES];
static uint32_t unsettled; /* refused, or of unknown outcome: proposed once more */

static uint64_t clock_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

_Noreturn static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* The storage: records one behind the other. A torn last one is left out, the replica checks. */
static bool read_record(int file, uint8_t *header, uint8_t *body, uint32_t *body_bytes) {
    if (read(file, header, PAXOS_FRAME_HEADER_BYTES) != PAXOS_FRAME_HEADER_BYTES) { return false; }
    *body_bytes = paxos_get32(header + BODY_BYTES_AT);
    return *body_bytes <= FRAME_BYTES && read(file, body, *body_bytes) == (ssize_t)*body_bytes;
}

/* One life: give back what the file holds, before anything else. A host that recycles records also
 * keeps the highest lsn that it flushed, elsewhere; here the file is never cut. */
static void start(int node, uint32_t life) {
    paxos_config_t config;
    paxos_config_default(&config);
    config.cluster = 1;
    config.node = (uint16_t)(node + 1);
    config.incarnation = life;
    config.seed = (uint64_t)node + life;
    config.member_count = NODES;
    for (uint16_t i = 0; i < NODES; i++) { config.members[i] = (uint16_t)(i + 1); }
    config.window_slots = config.pipeline_slots = WINDOW;
    config.value_bytes_max = 256;
    config.frame_bytes_max = FRAME_BYTES;
    config.arena_bytes = ARENA;
    config.reply_ring = config.write_ring = config.send_ring = config.forward_ring = RING;
    delivered[node] = 0;
    if (paxos_replica_init(blocks[node], BLOCK_BYTES, &config, clock_ns(), &replicas[node]) !=
        PAXOS_OK) {
        fail("init");
    }
    if (life == 1) { return; }
    uint8_t header[PAXOS_FRAME_HEADER_BYTES];
    static uint8_t body[FRAME_BYTES];
    uint32_t body_bytes = 0;
    uint64_t lsn = 0;
    (void)lseek(files[node], 0, SEEK_SET);
    while (read_record(files[node], header, body, &body_bytes)) {
        if (paxos_replica_recover(replicas[node], header, sizeof header, body, body_bytes) !=
            PAXOS_OK) {
            fail("recover");
        }
        lsn = paxos_get64(header + LSN_AT);
    }
    if (paxos_replica_recovered(replicas[node], clock_ns(), 0, lsn) != PAXOS_OK) {
        fail("recovered");
    }
}

static void deliver(int node, const paxos_effect_t *effect) {
    const uint8_t *bytes = blocks[node] + effect->body_offset;
    for (uint32_t i = 0; i < effect->count; i++) {
        const paxos_entry_t entry = paxos_entry_get(bytes);
        if (entry.kind == PAXOS_ENTRY_COMMAND) {
            delivered[node] += 1;
            (void)printf(
                "node %d: %.*s\n", node + 1, (int)entry.value_bytes,
                (const char *)bytes + PAXOS_ENTRY_HEADER_BYTES);
        }
        bytes += paxos_entry_bytes(entry.value_bytes);
    }
}

/* A frame may be lost: what does not fit into a socket is dropped, and said again later. */
static void send_frame(int node, const paxos_effect_t *effect) {
    struct iovec parts[2] = {
        {(void *)(uintptr_t)effect->header, sizeof effect->header},
        {blocks[node] + effect->body_offset, effect->body_bytes}};
    (void)!writev(sockets[node][effect->node - 1], parts, 2);
    if (effect->token != 0) { (void)!paxos_replica_sent(replicas[node], effect->token); }
}

/* Do all that one replica asks. One flush covers all that it wrote; a failed write is final. */
static void run(int node) {
    paxos_effect_t effect = {.size_bytes = sizeof effect};
    for (uint64_t lsn = 1; lsn != 0;) {
        lsn = 0;
        while (paxos_replica_poll(replicas[node], &effect)) {
            if (effect.kind == PAXOS_EFFECT_DELIVER) { deliver(node, &effect); }
            if (effect.kind == PAXOS_EFFECT_OUTCOME) { unsettled += effect.count; }
            if (effect.kind == PAXOS_EFFECT_SEND) { send_frame(node, &effect); }
            if (effect.kind != PAXOS_EFFECT_WRITE) { continue; }
            const struct iovec parts[2] = {
                {effect.header, sizeof effect.header},
                {blocks[node] + effect.body_offset, effect.body_bytes}};
            const ssize_t length = (ssize_t)(sizeof effect.header + effect.body_bytes);
            if (writev(files[node], parts, 2) != length) { fail("write"); }
            lsn = effect.lsn;
        }
        if (lsn == 0) { return; }
        if (fdatasync(files[node]) != 0) { fail("flush"); }
        if (paxos_replica_flushed(replicas[node], clock_ns(), lsn) != PAXOS_OK) { fail("flushed"); }
    }
}

/* Wait for frames, or until a replica wants to be called. */
static void turn(void) {
    static uint8_t frame[PAXOS_FRAME_HEADER_BYTES + FRAME_BYTES];
    struct pollfd ready[NODES * NODES];
    uint64_t due_ns = UINT64_MAX;
    for (int i = 0; i < NODES * NODES; i++) {
        ready[i].fd = sockets[i / NODES][i % NODES];
        ready[i].events = POLLIN;
        const uint64_t deadline = paxos_replica_deadline(replicas[i / NODES]);
        if (deadline < due_ns) { due_ns = deadline; }
    }
    const uint64_t now_ns = clock_ns();
    const uint64_t left_ns = due_ns > now_ns ? due_ns - now_ns : 0;
    const struct timespec left = {(time_t)(left_ns / 1000000000u), (long)(left_ns % 1000000000u)};
    (void)ppoll(ready, NODES * NODES, &left, NULL);
    for (int i = 0; i < NODES * NODES; i++) {
        if ((ready[i].revents & POLLIN) == 0) { continue; }
        const ssize_t got = recv(ready[i].fd, frame, sizeof frame, MSG_DONTWAIT);
        if (got < (ssize_t)PAXOS_FRAME_HEADER_BYTES) { continue; }
        (void)!paxos_replica_receive(
            replicas[i / NODES], clock_ns(), frame, PAXOS_FRAME_HEADER_BYTES,
            frame + PAXOS_FRAME_HEADER_BYTES, (size_t)got - PAXOS_FRAME_HEADER_BYTES);
    }
    for (int i = 0; i < NODES; i++) {
        paxos_replica_tick(replicas[i], clock_ns());
        run(i);
    }
}

static bool live(uint32_t life) {
    const uint64_t end_ns = clock_ns() + 20000000000u;
    uint32_t proposed = 0;
    unsettled = 0;
    for (int i = 0; i < NODES; i++) { start(i, life); }
    while (clock_ns() < end_ns) {
        char value[64];
        uint64_t number = 0;
        const int length = snprintf(value, sizeof value, "life %u, value %u", life, proposed + 1);
        if (proposed < LIFE_VALUES + unsettled &&
            paxos_replica_propose(
                replicas[proposed % NODES], clock_ns(), (const uint8_t *)value, (size_t)length,
                &number) == PAXOS_OK) {
            proposed += 1;
        }
        turn();
        bool is_everywhere = true;
        for (int i = 0; i < NODES; i++) { is_everywhere &= delivered[i] >= LIFE_VALUES * life; }
        if (is_everywhere) { return true; }
    }
    return false;
}

int main(void) {
    for (int i = 0; i < NODES; i++) {
        sockets[i][i] = -1;
        files[i] = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (files[i] < 0) { fail("/tmp"); }
        for (int j = 0; j < i; j++) {
            int both[2];
            if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, both) != 0) { fail("socket"); }
            sockets[i][j] = both[0];
            sockets[j][i] = both[1];
        }
    }
    return live(1) && live(2) ? 0 : 1;
}
