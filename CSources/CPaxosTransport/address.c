/* address.c - addresses as text, and sockets as we want them. */
#define _GNU_SOURCE 1

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "transport.h"

enum { HOST_BYTES_MAX = 64, PORT_BYTES_MAX = 6, BACKLOG = 128 };

/* What the kernel holds and has not sent yet: short frames overtake only what is not there. */
#define NOT_SENT_BYTES_MAX (256 << 10)

/* Split "host:port" or "[host]:port". */
static bool split(const char *text, char host[HOST_BYTES_MAX], const char **port_out) {
    const char *colon = strrchr(text, ':');
    if (colon == NULL || strlen(colon + 1) == 0 || strlen(colon + 1) >= PORT_BYTES_MAX) {
        return false;
    }
    const char *from = text;
    size_t bytes = (size_t)(colon - text);
    const bool has_colon = memchr(text, ':', bytes) != NULL;
    const bool has_bracket = text[0] == '[';
    if (has_colon != has_bracket) { return false; }
    if (has_bracket) {
        if (bytes < 2 || colon[-1] != ']') { return false; }
        from += 1;
        bytes -= 2;
    }
    if (bytes == 0 || bytes >= HOST_BYTES_MAX) { return false; }
    memcpy(host, from, bytes);
    host[bytes] = 0;
    *port_out = colon + 1;
    return true;
}

const char *paxos_address_read(const char *text, struct sockaddr_storage *out, socklen_t *bytes) {
    char host[HOST_BYTES_MAX];
    const char *port = NULL;
    int64_t number = 0;
    if (!split(text, host, &port) || paxos_host_number(port, 0, 65535, &number) != NULL) {
        return "an address is 192.0.2.1:7001 or [2001:db8::1]:7001";
    }
    /* Numbers only: a name would have to be asked for, and that blocks. */
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) != 0) {
        return "an address is written in numbers: names are not resolved";
    }
    memset(out, 0, sizeof *out);
    memcpy(out, found->ai_addr, found->ai_addrlen);
    *bytes = found->ai_addrlen;
    freeaddrinfo(found);
    return NULL;
}

static int set(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value) == 0 ? 0 : errno;
}

int paxos_socket_listen(const struct sockaddr_storage *address, socklen_t bytes, int *fd_out) {
    const int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) { return errno; }
    int error = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    /* "[::]" is every address of the machine, whatever its settings say. */
    if (error == 0 && address->ss_family == AF_INET6) {
        error = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    }
    if (error == 0 &&
        (bind(fd, (const struct sockaddr *)address, bytes) != 0 || listen(fd, BACKLOG) != 0)) {
        error = errno;
    }
    if (error != 0) {
        (void)close(fd);
        return error;
    }
    *fd_out = fd;
    return 0;
}

int paxos_socket_set(int fd, uint64_t dead_timeout_ns) {
    const uint64_t ms = dead_timeout_ns / 1000000u;
    const int timeout_ms = ms > INT_MAX ? INT_MAX : (int)ms;
    const int third_s = timeout_ms / 3000 > 0 ? timeout_ms / 3000 : 1;
    int error = set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    /* Where nothing is under way, keep-alive asks; where something is, the user timeout counts. */
    if (error == 0) { error = set(fd, SOL_SOCKET, SO_KEEPALIVE, 1); }
    if (error == 0) { error = set(fd, IPPROTO_TCP, TCP_KEEPIDLE, third_s); }
    if (error == 0) { error = set(fd, IPPROTO_TCP, TCP_KEEPINTVL, third_s); }
    if (error == 0) { error = set(fd, IPPROTO_TCP, TCP_KEEPCNT, 2); }
    if (error == 0) { error = set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, timeout_ms); }
    if (error == 0) { error = set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOT_SENT_BYTES_MAX); }
    return error;
}

uint16_t paxos_socket_port(int fd) {
    struct sockaddr_storage address;
    socklen_t bytes = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &bytes) != 0) { return 0; }
    /* Ports stand at the same place in both kinds, in network order. */
    const struct sockaddr_in *named = (const struct sockaddr_in *)&address;
    return ntohs(named->sin_port);
}
