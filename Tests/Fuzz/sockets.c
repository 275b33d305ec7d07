/* sockets.c - see sockets.h. */
#define _GNU_SOURCE 1

#include "sockets.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

sockets_t sockets = {.listener = -1};

int __wrap_socket(int family, int type, int protocol);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t bytes);
int __wrap_listen(int fd, int backlog);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t bytes);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *bytes, int flags);
int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t bytes);

static void make_pair(int *pair) {
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
}

static bool is_refused(void) {
    if (sockets.refusal == 0) { return false; }
    errno = sockets.refusal;
    sockets.refusal = 0;
    return true;
}

int __wrap_socket(int family, int type, int protocol) {
    (void)family, (void)type, (void)protocol;
    int pair[2];
    if (is_refused()) { return -1; }
    make_pair(pair);
    if (sockets.listener < 0) {
        sockets.listener = pair[1];
    } else if (sockets.dialled_count == SOCKETS_WAITING) {
        (void)close(pair[1]); /* nobody is there */
    } else {
        sockets.dialled[sockets.dialled_count] = pair[1];
        sockets.dialled_count += 1;
    }
    return pair[0];
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t bytes) {
    (void)fd, (void)address, (void)bytes;
    return 0;
}

int __wrap_listen(int fd, int backlog) {
    (void)fd, (void)backlog;
    return 0;
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t bytes) {
    (void)fd, (void)address, (void)bytes;
    errno = EINPROGRESS;
    return -1;
}

int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t bytes) {
    (void)fd, (void)level, (void)option, (void)value, (void)bytes;
    return 0;
}

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *bytes, int flags) {
    (void)address, (void)bytes, (void)flags;
    if (sockets.waiting_count == 0) {
        errno = EAGAIN;
        return -1;
    }
    if (is_refused()) {
        sockets.no_accepts += errno == EMFILE;
        return -1;
    }
    uint8_t byte;
    CHECK(read(fd, &byte, 1) == 1);
    sockets.waiting_count -= 1;
    const int given = sockets.waiting[0];
    memmove(sockets.waiting, sockets.waiting + 1, sockets.waiting_count * sizeof(int));
    return given;
}

void sockets_begin(void) {
    sockets = (sockets_t){.listener = -1};
}

void sockets_end(void) {
    (void)close(sockets.listener);
    for (uint32_t i = 0; i < sockets.waiting_count; i++) { (void)close(sockets.waiting[i]); }
    for (uint32_t i = 0; i < sockets.dialled_count; i++) { (void)close(sockets.dialled[i]); }
}

int sockets_dial(void) {
    int pair[2];
    if (sockets.waiting_count == SOCKETS_WAITING) { return -1; }
    make_pair(pair);
    CHECK(write(sockets.listener, "", 1) == 1);
    sockets.waiting[sockets.waiting_count] = pair[0];
    sockets.waiting_count += 1;
    return pair[1];
}

int sockets_dialled(void) {
    if (sockets.dialled_count == 0) { return -1; }
    sockets.dialled_count -= 1;
    return sockets.dialled[sockets.dialled_count];
}
