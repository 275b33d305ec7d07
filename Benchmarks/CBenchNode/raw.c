/* raw.c - what the machine can do without any protocol: three processes that send each other bytes
 * over loopback and flush files of their own. */
#define _GNU_SOURCE 1

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench_node.h"
#include "lines.h"
#include "paxos_host.h"

enum { BUFFER_BYTES = 1 << 21, FILE_BYTES = 16 << 20 };

/* What node 1 asks of the others. */
enum { ORDER_TURN = 1, ORDER_STREAM = 2, ORDER_FLUSH = 3 };

typedef struct order {
    uint32_t what;
    uint32_t out_bytes;  /* that follow */
    uint32_t back_bytes; /* that are wanted */
    uint32_t spins;
    uint64_t span_ns; /* of flushing */
} order_t;

typedef struct raw {
    int sockets[2]; /* node 1: to 2 and 3; the others: to 1 */
    int file;
    uint64_t file_at;
    bool spins;
    uint8_t buffer[BUFFER_BYTES];
} raw_t;

static int fail(const char *what) {
    perror(what);
    return 1;
}

static bool send_bytes(int fd, const uint8_t *bytes, size_t count) {
    while (count > 0) {
        const ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
        if (sent <= 0) { return false; }
        bytes += sent;
        count -= (size_t)sent;
    }
    return true;
}

/* Sleeping, or looking and giving way; false: it was closed. */
static bool get_bytes(int fd, uint8_t *bytes, size_t count, bool spins) {
    while (count > 0) {
        const ssize_t got = recv(fd, bytes, count, spins ? MSG_DONTWAIT : 0);
        if (got == 0) { return false; }
        if (got < 0) {
            if (!spins) { return false; }
            (void)sched_yield();
            continue;
        }
        bytes += got;
        count -= (size_t)got;
    }
    return true;
}

static bool swallow(raw_t *raw, int fd, size_t count) {
    while (count > 0) {
        const size_t part = count < BUFFER_BYTES ? count : BUFFER_BYTES;
        if (!get_bytes(fd, raw->buffer, part, raw->spins)) { return false; }
        count -= part;
    }
    return true;
}

static bool open_file(raw_t *raw, const char *directory) {
    char path[4096];
    (void)mkdir(directory, 0700);
    (void)snprintf(path, sizeof path, "%s/raw", directory);
    raw->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (raw->file < 0) { return false; }
    for (uint32_t at = 0; at < FILE_BYTES; at += BUFFER_BYTES) {
        if (pwrite(raw->file, raw->buffer, BUFFER_BYTES, at) != BUFFER_BYTES) { return false; }
    }
    return fdatasync(raw->file) == 0;
}

/* Write in place and flush, for so long. Returns how often. */
static uint64_t flush_for(raw_t *raw, uint32_t bytes, uint64_t span_ns, uint64_t *spent_ns) {
    const uint64_t start_ns = paxos_host_clock_ns();
    uint64_t count = 0;
    do {
        if (raw->file_at + bytes > FILE_BYTES) { raw->file_at = 0; }
        if (pwrite(raw->file, raw->buffer, bytes, (off_t)raw->file_at) != (ssize_t)bytes ||
            fdatasync(raw->file) != 0) {
            break;
        }
        raw->file_at += bytes;
        count += 1;
        *spent_ns = paxos_host_clock_ns() - start_ns;
    } while (*spent_ns < span_ns);
    return count;
}

/* Nodes 2 and 3: do what node 1 says, until it closes. */
static int obey(raw_t *raw) {
    order_t order;
    const int fd = raw->sockets[0];
    while (get_bytes(fd, (uint8_t *)&order, sizeof order, raw->spins)) {
        uint64_t spent_ns = 0;
        if (!swallow(raw, fd, order.out_bytes)) { break; }
        if (order.what == ORDER_FLUSH) {
            (void)flush_for(raw, order.back_bytes, order.span_ns, &spent_ns);
        }
        const uint32_t back = order.what == ORDER_TURN ? order.back_bytes : 1;
        if (order.what != ORDER_STREAM && !send_bytes(fd, raw->buffer, back)) { break; }
        raw->spins = order.spins != 0;
    }
    return 0;
}

static bool ask(raw_t *raw, int to, order_t order) {
    memcpy(raw->buffer, &order, sizeof order);
    return send_bytes(raw->sockets[to], raw->buffer, sizeof order + order.out_bytes);
}

/* Both get the same, and the answer of one is waited for, as by a leader of three. */
static bool turn_for(raw_t *raw, order_t order, uint64_t span_ns) {
    const uint64_t start_ns = paxos_host_clock_ns();
    uint64_t turns = 0;
    uint64_t late = 0;
    uint64_t spent_ns = 0;
    raw->spins = order.spins != 0;
    do {
        if (!ask(raw, 0, order) || !ask(raw, 1, order)) { return false; }
        if (!get_bytes(raw->sockets[0], raw->buffer, order.back_bytes, raw->spins)) {
            return false;
        }
        late += order.back_bytes;
        const ssize_t got = recv(raw->sockets[1], raw->buffer, BUFFER_BYTES, MSG_DONTWAIT);
        late -= got > 0 ? (uint64_t)got : 0;
        turns += 1;
        spent_ns = paxos_host_clock_ns() - start_ns;
    } while (spent_ns < span_ns);
    if (!swallow(raw, raw->sockets[1], late)) { return false; }
    order.spins = 0; /* they sleep again */
    raw->spins = false;
    for (int to = 0; to < 2; to++) {
        if (!ask(raw, to, order) || !swallow(raw, raw->sockets[to], order.back_bytes)) {
            return false;
        }
    }
    (void)printf("done %llu %llu\n", (unsigned long long)turns, (unsigned long long)spent_ns);
    return true;
}

static bool sync_both(raw_t *raw) {
    for (int to = 0; to < 2; to++) {
        if (!ask(raw, to, (order_t){ORDER_TURN, 0, 1, 0, 0})) { return false; }
    }
    return swallow(raw, raw->sockets[0], 1) && swallow(raw, raw->sockets[1], 1);
}

static bool stream_for(raw_t *raw, uint32_t bytes, uint64_t span_ns) {
    const uint64_t start_ns = paxos_host_clock_ns();
    uint64_t sent = 0;
    do {
        for (int to = 0; to < 2; to++) {
            if (!ask(raw, to, (order_t){ORDER_STREAM, bytes, 0, 0, 0})) { return false; }
        }
        sent += bytes;
    } while (paxos_host_clock_ns() - start_ns < span_ns);
    if (!sync_both(raw)) { return false; }
    (void)printf(
        "done %llu %llu\n", (unsigned long long)sent,
        (unsigned long long)(paxos_host_clock_ns() - start_ns));
    return true;
}

static bool flush_all(raw_t *raw, uint32_t bytes, uint64_t span_ns) {
    for (int to = 0; to < 2; to++) {
        if (!ask(raw, to, (order_t){ORDER_FLUSH, 0, bytes, 0, span_ns})) { return false; }
    }
    uint64_t spent_ns = 0;
    const uint64_t count = flush_for(raw, bytes, span_ns, &spent_ns);
    if (!swallow(raw, raw->sockets[0], 1) || !swallow(raw, raw->sockets[1], 1)) { return false; }
    (void)printf("done %llu %llu\n", (unsigned long long)count, (unsigned long long)spent_ns);
    return true;
}

/* Node 1: lines of the parent become orders. */
static int command(raw_t *raw) {
    char line[LINE_BYTES];
    while (fgets(line, sizeof line, stdin) != NULL) {
        unsigned out = 0;
        unsigned back = 0;
        unsigned spins = 0;
        unsigned long long span_ns = 0;
        bool is_done = false;
        if (sscanf(line, "turn %u %u %llu %u", &out, &back, &span_ns, &spins) == 4) {
            is_done = turn_for(raw, (order_t){ORDER_TURN, out, back, spins, 0}, span_ns);
        } else if (sscanf(line, "stream %u %llu", &out, &span_ns) == 2) {
            is_done = stream_for(raw, out, span_ns);
        } else if (sscanf(line, "flush %u %llu", &out, &span_ns) == 2) {
            is_done = flush_all(raw, out, span_ns);
        }
        if (!is_done) { return fail(line); }
        (void)fflush(stdout);
    }
    return 0;
}

static int connect_to(uint16_t port) {
    const int one = 1;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) { return -1; }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static int listen_on(uint16_t *port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t bytes = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (const struct sockaddr *)&address, bytes) != 0 || listen(fd, 2) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &bytes) != 0) {
        return -1;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

static void say(const char *what, unsigned number) {
    (void)printf("%s %u\n", what, number);
    (void)fflush(stdout);
}

int bench_raw_serve(const bench_node_t *how) {
    raw_t *raw = calloc(1, sizeof *raw);
    uint16_t ports[BENCH_NODES];
    if (raw == NULL || !lines_ports(how->node, ports)) { return fail("start"); }
    if (!open_file(raw, how->directory)) { return fail(how->directory); }
    int status = 1;
    if (how->node == 1) {
        uint16_t port = 0;
        const int listener = listen_on(&port);
        say("port", port);
        for (int i = 0; i < 2; i++) {
            const int one = 1;
            raw->sockets[i] = accept(listener, NULL, NULL);
            if (raw->sockets[i] < 0) { return fail("accept"); }
            (void)setsockopt(raw->sockets[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        }
        say("ready", 0);
        status = command(raw);
    } else {
        raw->sockets[0] = connect_to(ports[0]);
        if (raw->sockets[0] < 0) { return fail("connect"); }
        say("port", 0);
        say("ready", 0);
        status = obey(raw);
    }
    free(raw);
    return status;
}
