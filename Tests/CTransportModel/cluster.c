/* cluster.c - stories of members that keep the rules. */
#include <stddef.h>

#include "allocation_count.h"
#include "paxos_host.h"
#include "stories.h"
#include "world.h"

static const char *ends(const world_t *world) {
    CHECK(!world->has_order_broken);
    CHECK(!world->has_bytes_broken);
    return NULL;
}

static bool has_all(const world_t *world) {
    for (uint32_t i = 0; i < NODES; i++) {
        for (uint32_t j = 0; j < NODES; j++) {
            if (world->received[i][j][0] != world->sent[j][i][0] ||
                world->received[i][j][1] != world->sent[j][i][1]) {
                return false;
            }
        }
    }
    return true;
}

static bool settle(world_t *world) {
    const uint64_t until_ns = paxos_host_clock_ns() + 20000000000u;
    while (!has_all(world)) {
        if (paxos_host_clock_ns() > until_ns) { return false; }
        world_step(world, 1000000);
    }
    return true;
}

/* Everybody sends to everybody; what is full is tried again. */
static const char *exchange(world_t *world, uint64_t frames, uint32_t body_bytes_max) {
    uint64_t sent = 0;
    while (sent < frames) {
        for (uint32_t i = 0; i < NODES * (NODES - 1); i++) {
            const uint32_t from = i % NODES;
            const uint32_t to = (from + 1 + i / NODES) % NODES;
            for (uint64_t n = 0; n < 64; n++) {
                const uint32_t words = (uint32_t)(sent + n) % (body_bytes_max / 8 + 1);
                const paxos_transport_status_t status = world_send(world, from, to, words * 8);
                CHECK(status == PAXOS_TRANSPORT_OK || status == PAXOS_TRANSPORT_ERR_FULL);
                sent += status == PAXOS_TRANSPORT_OK;
            }
        }
        world_step(world, 0);
    }
    CHECK(settle(world));
    return ends(world);
}

static const char *million(bool is_trusted) {
    world_t world = {.is_trusted = is_trusted};
    CHECK(world_open(&world));
    CHECK(allocation_count_works());
    const uint64_t before = allocation_count();
    const char *wrong = exchange(&world, 1000000, 24);
    if (wrong != NULL) { return wrong; }
    CHECK(allocation_count() == before);
    paxos_transport_peer_report_t report = {.size_bytes = sizeof report};
    CHECK(paxos_transport_peer_report(world.nodes[0], 2, &report));
    CHECK(report.connections == 1 && report.frames_sent == report.frames_queued);
    CHECK(report.send_calls * 16 < report.frames_sent); /* many frames a call */
    world_close(&world);
    return NULL;
}

const char *story_million(void) {
    return million(false);
}

const char *story_million_trusted(void) {
    return million(true);
}

const char *story_long_frames(void) {
    world_t world = {0};
    CHECK(world_open(&world));
    const char *wrong = exchange(&world, 20000, 60000);
    world_close(&world);
    return wrong;
}

/* One member stops reading: its queue fills and says so, short frames still find room, and the
 * third member notices nothing. */
const char *story_reader_stops(void) {
    world_t world = {.queue_bytes = 128 << 10};
    CHECK(world_open(&world));
    paxos_transport_t *stopped = world.nodes[2];
    world.nodes[2] = NULL;
    uint64_t full = 0;
    for (int i = 0; i < 2000; i++) {
        full += world_send(&world, 0, 2, 32 << 10) == PAXOS_TRANSPORT_ERR_FULL;
        CHECK(world_send(&world, 0, 1, 4096) == PAXOS_TRANSPORT_OK);
        world_step(&world, 0);
    }
    paxos_transport_peer_report_t report = {.size_bytes = sizeof report};
    CHECK(paxos_transport_peer_report(world.nodes[0], 3, &report));
    CHECK(full > 0 && report.dropped_full == full && report.queued_bytes <= 128 << 10);
    CHECK(world.received[1][0][1] > 1900); /* the other got what it was sent */
    CHECK(world_send(&world, 0, 2, 0) == PAXOS_TRANSPORT_OK);
    const uint64_t long_before = world.received[2][0][1];
    CHECK(long_before == 0);
    world.nodes[2] = stopped;
    while (world.received[2][0][0] == 0) { world_step(&world, 1000000); }
    /* It overtook what waited here: frames with a body are still to come. */
    CHECK(world.long_before_short < world.sent[0][2][1]);
    CHECK(settle(&world));
    world_close(&world);
    return ends(&world);
}

/* Frames in flight are lost with a connection, and the count begins anew with the next. */
static void forget(world_t *world) {
    for (uint32_t i = 0; i < NODES; i++) {
        for (uint32_t j = 0; j < NODES; j++) {
            world->sent[i][j][0] = world->sent[i][j][1] = 0;
            world->received[i][j][0] = world->received[i][j][1] = 0;
        }
    }
}

const char *story_restarts(void) {
    world_t world = {0};
    CHECK(world_open(&world));
    for (uint32_t round = 0; round < 9; round++) {
        const uint32_t down = round % NODES;
        world_close_node(&world, down);
        const uint32_t other = (down + 1) % NODES;
        while (world_is_up(&world, other, down)) { world_step(&world, 1000000); }
        CHECK(world_send(&world, other, down, 0) == PAXOS_TRANSPORT_ERR_DOWN);
        if (round >= 6) { /* and a second one */
            world_close_node(&world, other);
            CHECK(world_open_node(&world, other));
        }
        CHECK(world_open_node(&world, down));
        CHECK(world_connect(&world));
        forget(&world);
        const char *wrong = exchange(&world, 2000, 256);
        if (wrong != NULL) { return wrong; }
    }
    world_close(&world);
    return NULL;
}

/* Over IPv6, and over IPv4 to who listens on every address of both kinds. */
const char *story_ipv6(void) {
    static const char *const texts[][2] = {{"[::1]", "[::1]"}, {"127.0.0.1", "[::]"}};
    for (uint32_t i = 0; i < 2; i++) {
        world_t world = {.host = texts[i][0], .listening = texts[i][1]};
        CHECK(world_open(&world));
        const char *wrong = exchange(&world, 20000, 4096);
        if (wrong != NULL) { return wrong; }
        world_close(&world);
    }
    return NULL;
}

static const char *refused(const paxos_transport_options_t *options) {
    paxos_transport_t *transport = NULL;
    paxos_transport_fault_t fault;
    CHECK(paxos_transport_open(options, 0, &transport, &fault) == PAXOS_TRANSPORT_ERR_OPTIONS);
    CHECK(transport == NULL && fault.what != NULL);
    return NULL;
}

const char *story_options(void) {
    const paxos_transport_peer_t peer = {.node = 1, .address = "127.0.0.1:9"};
    const paxos_transport_options_t good = {
        .size_bytes = sizeof good,
        .node = 2,
        .peer_count = 1,
        .cluster = 1,
        .incarnation = 1,
        .security = PAXOS_TRANSPORT_KEYED,
        .key = world_key,
        .listen = "[::1]:0",
        .peers = &peer};
    paxos_transport_t *transport = NULL;
    CHECK(paxos_transport_open(&good, 0, &transport, NULL) == PAXOS_TRANSPORT_OK);
    CHECK(paxos_transport_port(transport) != 0 && paxos_transport_fd(transport) >= 0);
    paxos_transport_close(transport);
    paxos_transport_close(NULL);
    static const char *const texts[] = {"localhost:1", "127.0.0.1", "::1:7",
                                        "[::1]",       "1.2.3.4:",  "1.2.3.4:65536",
                                        "[1.2.3.4:5",  ":5",        "1.2.3.4:x"};
    for (uint32_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        paxos_transport_options_t bad = good;
        bad.listen = texts[i];
        if (refused(&bad) != NULL) { return texts[i]; }
    }
    paxos_transport_options_t bad[8];
    for (uint32_t i = 0; i < 8; i++) { bad[i] = good; }
    bad[0].security = 0;
    bad[1].key = NULL;
    bad[2].security = PAXOS_TRANSPORT_TRUSTED;
    bad[3].node = 1;
    bad[4].incarnation = 0;
    bad[5].peer_count = 31;
    bad[6].receive_bytes = 1000;
    bad[7].frame_bytes_max = PAXOS_FRAME_BYTES_MAX + 1;
    for (uint32_t i = 0; i < 8; i++) {
        const char *wrong = refused(&bad[i]);
        if (wrong != NULL) { return wrong; }
    }
    return NULL;
}
