/* hostile.c - stories of one listener, node 1, and of whoever dials it. */
#define _GNU_SOURCE 1

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "paxos_host.h"
#include "stories.h"
#include "world.h"

static paxos_transport_t *listener(void) {
    static const paxos_transport_peer_t peers[] = {{.node = 2}, {.node = 3}};
    const paxos_transport_options_t options = {
        .size_bytes = sizeof options,
        .node = 1,
        .peer_count = 2,
        .cluster = CLUSTER,
        .incarnation = 1,
        .security = PAXOS_TRANSPORT_KEYED,
        .key = world_key,
        .listen = "127.0.0.1:0",
        .peers = peers,
        .frame_bytes_max = 8192,
        .handshake_timeout_ns = 1000u * 1000u * 1000u};
    paxos_transport_t *transport = NULL;
    return paxos_transport_open(&options, paxos_host_clock_ns(), &transport, NULL) ==
                   PAXOS_TRANSPORT_OK
               ? transport
               : NULL;
}

static bool shake_hands(forger_t *forger, paxos_transport_t *t, uint16_t node, uint32_t life) {
    if (!forger_dial(forger, paxos_transport_port(t))) { return false; }
    forger_hello(forger, node, 1, life);
    return forger_write(forger, forger->hello, 64) && forger_answered(forger, t, world_key) &&
           forger_write(forger, forger->proof, 32);
}

/* Take `count` frames; false: not within two seconds. */
static bool receives(paxos_transport_t *t, uint32_t count) {
    const uint64_t until_ns = paxos_host_clock_ns() + 2000000000u;
    while (count != 0 && paxos_host_clock_ns() < until_ns) {
        if (paxos_transport_poll(t, paxos_host_clock_ns(), 1000000) != PAXOS_TRANSPORT_OK) {
            return false;
        }
        paxos_transport_frame_t frame = {.size_bytes = sizeof frame};
        while (paxos_transport_next(t, &frame)) { count -= 1; }
    }
    return count == 0;
}

const char *story_dribble(void) {
    paxos_transport_t *t = listener();
    forger_t forger;
    CHECK(t != NULL && shake_hands(&forger, t, 2, 1));
    uint8_t bytes[1024];
    uint32_t count = forger_frame(&forger, bytes, 2, 1, 0, 0);
    count += forger_frame(&forger, bytes + count, 2, 1, 0, 256);
    count += forger_frame(&forger, bytes + count, 2, 1, 1, 0);
    uint32_t frames = 0;
    for (uint32_t i = 0; i < count; i++) {
        CHECK(forger_write(&forger, bytes + i, 1));
        CHECK(paxos_transport_poll(t, paxos_host_clock_ns(), 0) == PAXOS_TRANSPORT_OK);
        paxos_transport_frame_t frame = {.size_bytes = sizeof frame};
        while (paxos_transport_next(t, &frame)) { frames += 1; }
    }
    CHECK(receives(t, 3 - frames));
    forger_close(&forger);
    paxos_transport_close(t);
    return NULL;
}

enum { STREAM_BYTES = 64 + 32 + 112 + 144 };

static uint64_t all_closed(const paxos_transport_t *t) {
    uint64_t sum = 0;
    for (int i = 0; i < PAXOS_TRANSPORT_REASONS; i++) {
        sum += world_closed(t, (paxos_transport_reason_t)i);
    }
    return sum;
}

/* One connection with one bit of it changed: which, counts from the first of the hello. */
static const char *flip(paxos_transport_t *t, uint32_t bit, uint32_t life) {
    forger_t forger;
    CHECK(forger_dial(&forger, paxos_transport_port(t)));
    forger_hello(&forger, 2, 1, life);
    uint8_t bytes[STREAM_BYTES];
    const uint32_t at = bit / 8;
    const uint8_t mask = (uint8_t)(1u << bit % 8);
    const uint64_t before = all_closed(t);
    memcpy(bytes, forger.hello, 64);
    if (at < 64) { bytes[at] ^= mask; }
    CHECK(forger_write(&forger, bytes, 64));
    const bool is_answered = forger_answered(&forger, t, world_key);
    CHECK(is_answered || at < 64);
    if (is_answered || all_closed(t) == before) {
        CHECK(!is_answered || at >= 64); /* a changed hello proves nothing to its sender either */
        memcpy(bytes + 64, forger.proof, 32);
        (void)forger_frame(&forger, bytes + 96, 2, 1, 0, 0);
        (void)forger_frame(&forger, bytes + 208, 2, 1, 0, 32);
        if (at >= 64) { bytes[at] ^= mask; }
        CHECK(forger_write(&forger, bytes + 64, STREAM_BYTES - 64));
    }
    uint32_t frames = 0;
    const uint64_t until_ns = paxos_host_clock_ns() + 5000000000u;
    while (all_closed(t) == before) {
        CHECK(paxos_host_clock_ns() < until_ns);
        CHECK(paxos_transport_poll(t, paxos_host_clock_ns(), 1000000) == PAXOS_TRANSPORT_OK);
        paxos_transport_frame_t frame = {.size_bytes = sizeof frame};
        while (paxos_transport_next(t, &frame)) { frames += 1; }
    }
    CHECK(world_closed(t, PAXOS_TRANSPORT_ENDED) == 0); /* nobody closed it but the listener */
    CHECK(frames == (at >= 208 ? 1 : 0));
    forger_close(&forger);
    return NULL;
}

const char *story_bit_flips(void) {
    paxos_transport_t *t = listener();
    CHECK(t != NULL);
    for (uint32_t bit = 0; bit < STREAM_BYTES * 8; bit++) {
        const char *wrong = flip(t, bit, bit + 1);
        if (wrong != NULL) {
            fprintf(stderr, "bit %u\n", bit);
            return wrong;
        }
    }
    CHECK(world_closed(t, PAXOS_TRANSPORT_PROOF) > 0);
    CHECK(world_closed(t, PAXOS_TRANSPORT_FORGED) > 0);
    CHECK(world_closed(t, PAXOS_TRANSPORT_TIMEOUT) == 0);
    paxos_transport_close(t);
    return NULL;
}

/* Say a hello with one field changed; the reason must be counted. */
static const char *stranger(
    paxos_transport_t *t, uint32_t at, uint8_t value, paxos_transport_reason_t reason) {
    forger_t forger;
    CHECK(forger_dial(&forger, paxos_transport_port(t)));
    forger_hello(&forger, 2, 1, 1);
    forger.hello[at] = value;
    const uint64_t before = world_closed(t, reason);
    CHECK(forger_write(&forger, forger.hello, 64));
    CHECK(wait_closed(t, reason, before + 1));
    forger_close(&forger);
    return NULL;
}

const char *story_strangers(void) {
    paxos_transport_t *t = listener();
    CHECK(t != NULL);
    CHECK(stranger(t, 0, 'G', PAXOS_TRANSPORT_HELLO) == NULL);
    CHECK(stranger(t, 7, 1, PAXOS_TRANSPORT_HELLO) == NULL);
    CHECK(stranger(t, 20, 0, PAXOS_TRANSPORT_HELLO) == NULL);
    CHECK(stranger(t, 4, 2, PAXOS_TRANSPORT_VERSION_UNKNOWN) == NULL);
    CHECK(stranger(t, 5, 0, PAXOS_TRANSPORT_VERSION_UNKNOWN) == NULL);
    CHECK(stranger(t, 6, PAXOS_TRANSPORT_TRUSTED, PAXOS_TRANSPORT_SECURITY) == NULL);
    CHECK(stranger(t, 8, CLUSTER + 1, PAXOS_TRANSPORT_CLUSTER) == NULL);
    CHECK(stranger(t, 16, 9, PAXOS_TRANSPORT_NODE) == NULL); /* no member */
    CHECK(stranger(t, 16, 1, PAXOS_TRANSPORT_NODE) == NULL); /* who is dialled does not dial */
    CHECK(stranger(t, 18, 3, PAXOS_TRANSPORT_NODE) == NULL); /* meant for another */
    forger_t forger;
    const uint8_t other_key[32] = {9};
    CHECK(forger_dial(&forger, paxos_transport_port(t)));
    forger_hello(&forger, 2, 1, 1);
    CHECK(forger_write(&forger, forger.hello, 64));
    CHECK(!forger_answered(&forger, t, other_key));
    CHECK(forger_write(&forger, forger.proof, 32));
    CHECK(wait_closed(t, PAXOS_TRANSPORT_PROOF, 1));
    forger_close(&forger);
    paxos_transport_peer_report_t report = {.size_bytes = sizeof report};
    CHECK(paxos_transport_peer_report(t, 2, &report));
    CHECK(report.connections == 0 && report.incarnation == 0 && report.last_reason == 0);
    paxos_transport_close(t);
    return NULL;
}

/* Write one bad frame on a good connection. */
static const char *bad_frame(
    forger_t *forger, paxos_transport_t *t, int which, paxos_transport_reason_t reason) {
    static uint8_t bytes[16384];
    static uint32_t life = 0;
    life += 1;
    CHECK(shake_hands(forger, t, 2, life));
    uint32_t count = forger_frame(
        forger, bytes, which == 2 ? 3 : 2, which == 3 ? 3 : 1, 0, which == 1 ? 8192 : 0);
    if (which == 0) { memset(bytes, 'x', count); }
    if (which == 4) { (void)forger_frame(forger, bytes, 2, 1, 1, 0); } /* in the place of another */
    const uint64_t before = world_closed(t, reason);
    CHECK(forger_write(forger, bytes, count));
    CHECK(wait_closed(t, reason, before + 1));
    forger_close(forger);
    return NULL;
}

const char *story_frames_refused(void) {
    paxos_transport_t *t = listener();
    forger_t good;
    forger_t bad;
    CHECK(t != NULL && shake_hands(&good, t, 3, 1));
    CHECK(bad_frame(&bad, t, 0, PAXOS_TRANSPORT_MALFORMED) == NULL);
    CHECK(bad_frame(&bad, t, 1, PAXOS_TRANSPORT_OVERSIZED) == NULL);
    CHECK(bad_frame(&bad, t, 2, PAXOS_TRANSPORT_FOREIGN) == NULL);
    CHECK(bad_frame(&bad, t, 3, PAXOS_TRANSPORT_FOREIGN) == NULL);
    CHECK(bad_frame(&bad, t, 4, PAXOS_TRANSPORT_FORGED) == NULL);
    uint8_t bytes[112];
    CHECK(forger_write(&good, bytes, forger_frame(&good, bytes, 3, 1, 0, 0)));
    CHECK(receives(t, 1)); /* it cost the other nothing */
    forger_close(&good);
    paxos_transport_close(t);
    return NULL;
}

/* What was said on one connection, said again on another, proves nothing there. */
const char *story_replay(void) {
    paxos_transport_t *t = listener();
    forger_t first;
    forger_t second;
    CHECK(t != NULL && shake_hands(&first, t, 2, 1));
    uint8_t bytes[112];
    CHECK(forger_write(&first, bytes, forger_frame(&first, bytes, 2, 1, 0, 0)));
    CHECK(receives(t, 1));
    CHECK(forger_dial(&second, paxos_transport_port(t)));
    CHECK(forger_write(&second, first.hello, 64) && forger_write(&second, first.proof, 32));
    CHECK(forger_write(&second, bytes, 112));
    CHECK(wait_closed(t, PAXOS_TRANSPORT_PROOF, 1));
    CHECK(forger_write(&first, bytes, forger_frame(&first, bytes, 2, 1, 1, 0)));
    CHECK(receives(t, 1));                   /* the first still stands */
    CHECK(forger_write(&first, bytes, 112)); /* twice: the second is not in its place */
    CHECK(wait_closed(t, PAXOS_TRANSPORT_FORGED, 1));
    forger_close(&first);
    forger_close(&second);
    paxos_transport_close(t);
    return NULL;
}

/* The forger is proved, and refused for this reason: it is told so where it has the key. */
static bool is_refused(
    forger_t *forger, paxos_transport_t *t, uint32_t life, paxos_transport_reason_t reason) {
    if (!forger_dial(forger, paxos_transport_port(t))) { return false; }
    forger_hello(forger, 2, 1, life);
    return forger_write(forger, forger->hello, 64) && !forger_answered(forger, t, world_key) &&
           forger_is_refused(forger, reason) && forger_write(forger, forger->proof, 32) &&
           wait_closed(t, reason, 1);
}

/* Row 42: of two processes with a node's number and incarnation one is refused, and told so. */
const char *story_lives(void) {
    paxos_transport_t *t = listener();
    forger_t forgers[5];
    CHECK(t != NULL && shake_hands(&forgers[0], t, 2, 5));
    uint8_t bytes[112];
    CHECK(forger_write(&forgers[0], bytes, forger_frame(&forgers[0], bytes, 2, 1, 0, 0)));
    CHECK(receives(t, 1));
    CHECK(is_refused(&forgers[1], t, 5, PAXOS_TRANSPORT_CLONE));
    CHECK(is_refused(&forgers[2], t, 4, PAXOS_TRANSPORT_STALE));
    CHECK(forger_write(&forgers[0], bytes, forger_frame(&forgers[0], bytes, 2, 1, 1, 0)));
    CHECK(receives(t, 1));
    /* The same process once more, before the listener knows that its connection is gone. */
    CHECK(forger_dial(&forgers[3], paxos_transport_port(t)));
    forger_hello(&forgers[3], 2, 1, 5);
    memcpy(forgers[3].hello + 24, forgers[0].hello + 24, 8);
    CHECK(forger_write(&forgers[3], forgers[3].hello, 64));
    CHECK(forger_answered(&forgers[3], t, world_key));
    CHECK(forger_write(&forgers[3], forgers[3].proof, 32));
    CHECK(wait_closed(t, PAXOS_TRANSPORT_REPLACED, 1));
    /* Its next life comes too early, and then in time. */
    CHECK(is_refused(&forgers[4], t, 6, PAXOS_TRANSPORT_LIVING));
    for (int i = 0; i < 5; i++) { forger_close(&forgers[i]); }
    CHECK(wait_closed(t, PAXOS_TRANSPORT_ENDED, 1));
    CHECK(shake_hands(&forgers[4], t, 2, 6));
    CHECK(forger_write(&forgers[4], bytes, forger_frame(&forgers[4], bytes, 2, 1, 0, 0)));
    CHECK(receives(t, 1));
    forger_close(&forgers[4]);
    paxos_transport_close(t);
    return NULL;
}

/* Connections that say nothing, or a byte now and then, keep nobody out. */
const char *story_slow_loris(void) {
    enum { IDLERS = PAXOS_TRANSPORT_PENDING_MAX + 5 };
    static forger_t idlers[IDLERS];
    paxos_transport_t *t = listener();
    CHECK(t != NULL);
    for (int i = 0; i < IDLERS; i++) {
        CHECK(forger_dial(&idlers[i], paxos_transport_port(t)));
        CHECK(forger_write(&idlers[i], (const uint8_t *)"P", 1));
        CHECK(paxos_transport_poll(t, paxos_host_clock_ns(), 0) == PAXOS_TRANSPORT_OK);
    }
    CHECK(wait_closed(t, PAXOS_TRANSPORT_CROWDED, 5));
    char byte;
    for (int i = 0; i < IDLERS; i++) { /* the oldest had to go; it may be a reset that says so */
        const ssize_t got = recv(idlers[i].fd, &byte, 1, MSG_DONTWAIT);
        CHECK((i < 5) == (got == 0 || errno == ECONNRESET));
    }
    forger_t good;
    CHECK(shake_hands(&good, t, 2, 1));
    uint8_t bytes[112];
    CHECK(forger_write(&good, bytes, forger_frame(&good, bytes, 2, 1, 0, 0)));
    CHECK(receives(t, 1));
    const uint64_t until_ns = paxos_host_clock_ns() + 1300000000u;
    while (paxos_host_clock_ns() < until_ns) { /* a byte now and then gains no time */
        (void)forger_write(&idlers[IDLERS - 1], (const uint8_t *)"X", 1);
        const uint64_t next_ns = paxos_host_clock_ns() + 50000000u;
        while (paxos_host_clock_ns() < next_ns) {
            CHECK(paxos_transport_poll(t, paxos_host_clock_ns(), 1000000) == PAXOS_TRANSPORT_OK);
        }
    }
    CHECK(world_closed(t, PAXOS_TRANSPORT_TIMEOUT) == IDLERS - 6);
    for (int i = 0; i < IDLERS; i++) { forger_close(&idlers[i]); }
    forger_close(&good);
    paxos_transport_close(t);
    return NULL;
}
