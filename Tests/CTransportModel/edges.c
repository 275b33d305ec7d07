/* edges.c - stories of what is just allowed and just not, and of a listener that is not what it
 * should be. */
#define _GNU_SOURCE 1

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "paxos_host.h"
#include "stories.h"
#include "world.h"

enum { FRAME_MAX = 8192, BODY_BYTES = 256, SEALED_BYTES = 96 + BODY_BYTES + 16 };

static const uint64_t second_ns = 1000u * 1000u * 1000u;

/* Node 2, which node 3 dials, and which dials node 1 at `port`. */
static paxos_transport_t *middle(uint16_t port, uint32_t queue_bytes) {
    char address[32];
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", port);
    const paxos_transport_peer_t peers[] = {{.node = 1, .address = address}, {.node = 3}};
    const paxos_transport_options_t options = {
        .size_bytes = sizeof options,
        .node = 2,
        .peer_count = 2,
        .cluster = CLUSTER,
        .incarnation = 1,
        .security = PAXOS_TRANSPORT_KEYED,
        .key = world_key,
        .listen = "127.0.0.1:0",
        .peers = peers,
        .frame_bytes_max = FRAME_MAX,
        .queue_bytes = queue_bytes,
        .retry_max_ns = second_ns};
    paxos_transport_t *t = NULL;
    const paxos_transport_status_t status =
        paxos_transport_open(&options, paxos_host_clock_ns(), &t, NULL);
    return status == PAXOS_TRANSPORT_OK ? t : NULL;
}

/* Poll for a while; returns how many frames came. */
static uint32_t poll_for(paxos_transport_t *t, uint64_t ns) {
    uint32_t frames = 0;
    const uint64_t until_ns = paxos_host_clock_ns() + ns;
    while (paxos_host_clock_ns() < until_ns) {
        (void)!paxos_transport_poll(t, paxos_host_clock_ns(), second_ns / 1000);
        paxos_transport_frame_t frame = {.size_bytes = sizeof frame};
        while (paxos_transport_next(t, &frame)) { frames += 1; }
    }
    return frames;
}

static bool come_up(forger_t *forger, paxos_transport_t *t, uint32_t life) {
    if (!forger_dial(forger, paxos_transport_port(t))) { return false; }
    forger_hello(forger, 3, 2, life);
    return forger_write(forger, forger->hello, 64) && forger_answered(forger, t, world_key) &&
           forger_write(forger, forger->proof, 32);
}

/* More frames than keys from one call; the longest that there may be; one that is longer. */
const char *story_edges(void) {
    static uint8_t bytes[2 * FRAME_MAX];
    paxos_transport_t *t = middle(1, 0);
    forger_t forger;
    CHECK(t != NULL && come_up(&forger, t, 1));
    for (uint32_t i = 0; i < 140; i++) {
        const uint32_t count = forger_frame(&forger, bytes, 3, 2, i, i % 2 * 8);
        CHECK(forger_write(&forger, bytes, count));
    }
    CHECK(poll_for(t, second_ns / 5) == 140);
    uint32_t count = forger_frame(&forger, bytes, 3, 2, 0, FRAME_MAX - 96);
    CHECK(forger_write(&forger, bytes, count) && poll_for(t, second_ns / 5) == 1);
    count = forger_frame(&forger, bytes, 3, 2, 0, FRAME_MAX - 96 + 8);
    CHECK(forger_write(&forger, bytes, count));
    CHECK(wait_closed(t, PAXOS_TRANSPORT_OVERSIZED, 1));
    forger_close(&forger);
    /* Half of a frame goes with its connection. */
    CHECK(come_up(&forger, t, 2));
    count = forger_frame(&forger, bytes, 3, 2, 0, 0);
    CHECK(forger_write(&forger, bytes, count / 2) && poll_for(t, second_ns / 10) == 0);
    forger_close(&forger);
    CHECK(wait_closed(t, PAXOS_TRANSPORT_ENDED, 1) && come_up(&forger, t, 3));
    count = forger_frame(&forger, bytes, 3, 2, 0, 0);
    CHECK(forger_write(&forger, bytes, count) && poll_for(t, second_ns / 5) == 1);
    forger_close(&forger);
    paxos_transport_close(t);
    return NULL;
}

/* What waits fills its queue, and not a byte more. */
static const char *fill(uint32_t queue_bytes, uint32_t wanted) {
    uint8_t header[96];
    uint8_t body[BODY_BYTES];
    forger_t forger;
    paxos_transport_t *t = middle(1, queue_bytes);
    CHECK(t != NULL && come_up(&forger, t, 1) && poll_for(t, second_ns / 20) == 0);
    uint32_t taken = 0;
    for (uint32_t i = 0; i < wanted + 2; i++) {
        world_header(header, 2, 3, i, BODY_BYTES);
        world_body(body, BODY_BYTES, i);
        const paxos_transport_status_t status = paxos_transport_send(t, header, body, BODY_BYTES);
        CHECK(status == (i < wanted ? PAXOS_TRANSPORT_OK : PAXOS_TRANSPORT_ERR_FULL));
        taken += status == PAXOS_TRANSPORT_OK;
    }
    paxos_transport_peer_report_t report = {.size_bytes = sizeof report};
    CHECK(paxos_transport_peer_report(t, 3, &report));
    CHECK(taken == wanted && report.queued_bytes == wanted * SEALED_BYTES);
    /* A connection that is reset before anything of it was sent takes it along. */
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    CHECK(setsockopt(forger.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
    forger_close(&forger);
    CHECK(wait_closed(t, PAXOS_TRANSPORT_SYSTEM, 2)); /* and nobody is there as node 1 */
    CHECK(poll_for(t, second_ns / 20) == 0 && paxos_transport_peer_report(t, 3, &report));
    CHECK(report.queued_bytes == 0 && report.dropped_lost == wanted);
    paxos_transport_close(t);
    return NULL;
}

const char *story_queue(void) {
    const char *wrong = fill(30 * SEALED_BYTES, 30);
    return wrong != NULL ? wrong : fill(30 * SEALED_BYTES - 1, 29);
}

/* The transport's end of a forger's connection, which has no name. */
static int other_end(const forger_t *forger) {
    struct sockaddr_in own;
    struct sockaddr_in peer;
    socklen_t bytes = sizeof own;
    if (getsockname(forger->fd, (struct sockaddr *)&own, &bytes) != 0) { return -1; }
    for (int fd = 0; fd < 1024; fd++) {
        bytes = sizeof peer;
        if (getpeername(fd, (struct sockaddr *)&peer, &bytes) == 0 && peer.sin_family == AF_INET &&
            peer.sin_port == own.sin_port) {
            return fd;
        }
    }
    return -1;
}

static int option_of(int fd, int level, int option) {
    int value = -1;
    socklen_t bytes = sizeof value;
    return getsockopt(fd, level, option, &value, &bytes) == 0 ? value : -1;
}

/* Dead peers are noticed by the system: it was asked to. */
const char *story_sockets(void) {
    paxos_transport_t *t = middle(1, 0);
    forger_t forger;
    CHECK(t != NULL && come_up(&forger, t, 1));
    const int fd = other_end(&forger);
    CHECK(fd >= 0);
    CHECK(option_of(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
    CHECK(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) == 5000);
    CHECK(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 1);
    CHECK(option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL) == 1);
    CHECK(option_of(fd, IPPROTO_TCP, TCP_KEEPCNT) == 2);
    CHECK(option_of(fd, IPPROTO_TCP, TCP_NODELAY) == 1);
    CHECK(option_of(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT) == 256 << 10);
    forger_close(&forger);
    paxos_transport_close(t);
    return NULL;
}

/* Who is to be dialled does not dial, whatever it can prove. */
const char *story_wrong_side(void) {
    paxos_transport_t *t = middle(1, 0);
    forger_t forger;
    CHECK(t != NULL && forger_dial(&forger, paxos_transport_port(t)));
    forger_hello(&forger, 1, 2, 1);
    CHECK(forger_write(&forger, forger.hello, 64));
    CHECK(wait_closed(t, PAXOS_TRANSPORT_NODE, 1));
    forger_close(&forger);
    paxos_transport_close(t);
    return NULL;
}

static int listen_somewhere(uint16_t *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, bytes) != 0 || listen(fd, 8) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &bytes) != 0) {
        return -1;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

/* Be the listener, node 1, of one connection, with this key. */
static const char *answer(paxos_transport_t *t, int listener, const uint8_t *key) {
    forger_t forger = {.fd = -1};
    const uint64_t until_ns = paxos_host_clock_ns() + 5 * second_ns;
    size_t got = 0;
    while (got < 64) {
        CHECK(paxos_host_clock_ns() < until_ns && poll_for(t, second_ns / 1000) == 0);
        if (forger.fd < 0) { forger.fd = accept(listener, NULL, NULL); }
        if (forger.fd < 0) { continue; }
        const ssize_t part = recv(forger.fd, forger.answer + got, 64 - got, MSG_DONTWAIT);
        if (part > 0) { got += (size_t)part; }
    }
    forger_hello(&forger, 1, 2, 1);
    paxos_put64(forger.hello + 24, 7); /* one process */
    (void)forger_derive(&forger, key, false);
    CHECK(forger_write(&forger, forger.hello, 64) && forger_write(&forger, forger.proof, 32));
    CHECK(poll_for(t, second_ns / 100) == 0);
    forger_close(&forger);
    CHECK(poll_for(t, second_ns / 100) == 0);
    return NULL;
}

/* A listener without the key; then one that has it, and hangs up at once: it is dialled less and
 * less often. */
const char *story_listeners(void) {
    static const uint8_t other_key[32] = {9};
    uint16_t port = 0;
    const int listener = listen_somewhere(&port);
    paxos_transport_t *t = middle(port, 0);
    CHECK(listener >= 0 && t != NULL);
    const char *wrong = answer(t, listener, other_key);
    if (wrong != NULL) { return wrong; }
    CHECK(world_closed(t, PAXOS_TRANSPORT_PROOF) == 1);
    paxos_transport_peer_report_t report = {.size_bytes = sizeof report};
    CHECK(paxos_transport_peer_report(t, 1, &report) && report.connections == 0);
    const uint64_t from_ns = paxos_host_clock_ns();
    for (uint32_t i = 0; i < 6; i++) {
        wrong = answer(t, listener, world_key);
        if (wrong != NULL) { return wrong; }
    }
    CHECK(paxos_transport_peer_report(t, 1, &report) && report.connections == 6);
    /* Half of 40, 80, 160, 320, 640 and 1000 ms at least went by. */
    CHECK(paxos_host_clock_ns() - from_ns > second_ns * 6 / 10);
    paxos_transport_close(t);
    (void)close(listener);
    return NULL;
}

/* Ask with a structure of another size; true: the process ended by that. */
static bool traps(paxos_transport_t *t, int which) {
    const pid_t child = fork();
    if (child == 0) {
        closefrom(3); /* other tests' sockets, ports and locks */
        (void)close(STDERR_FILENO);
        paxos_transport_peer_report_t peer = {.size_bytes = sizeof peer - 8};
        paxos_transport_report_t report = {.size_bytes = sizeof report + 8};
        paxos_transport_event_t event = {.size_bytes = 0};
        if (which == 0) { (void)!paxos_transport_peer_report(t, 3, &peer); }
        if (which == 1) { paxos_transport_report(t, &report); }
        if (which == 2) { (void)!paxos_transport_event(t, &event); }
        _exit(0);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child &&
           !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* A program that was built for another version is stopped before its memory is written over. */
const char *story_sizes(void) {
    paxos_transport_t *t = middle(1, 0);
    CHECK(t != NULL && !traps(t, 3));
    for (int which = 0; which < 3; which++) { CHECK(traps(t, which)); }
    paxos_transport_close(t);
    return NULL;
}
