/* dial.c - when to dial whom, and who is let in as far as the handshake. */
#define _GNU_SOURCE 1

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../CLibBSD/shim.h"
#include "transport.h"

enum { ACCEPTS_MAX = 16 };

/* How long no connection is taken when the process has no descriptor left. */
static const uint64_t pause_ns = 100u * 1000u * 1000u;

static void dial(paxos_transport_t *t, uint32_t index) {
    paxos_peer_t *peer = &t->peers[index];
    t->report.dialled += 1;
    int error = 0;
    const int fd = socket(peer->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        error = errno;
    } else {
        error = paxos_socket_set(fd, t->dead_timeout_ns);
        if (error == 0 &&
            connect(fd, (const struct sockaddr *)&peer->address, peer->address_bytes) != 0 &&
            errno != EINPROGRESS && errno != EINTR) {
            error = errno;
        }
    }
    const uint32_t link = error == 0 ? paxos_link_open(t, fd, true, index) : PAXOS_NONE;
    if (link != PAXOS_NONE) { return; }
    if (error == 0) { error = errno; }
    if (fd >= 0) { (void)close(fd); }
    t->report.closed[PAXOS_TRANSPORT_SYSTEM] += 1;
    peer->report.last_reason = PAXOS_TRANSPORT_SYSTEM;
    peer->report.last_error = error;
    paxos_event_push(t, peer->node, false, PAXOS_TRANSPORT_SYSTEM, error);
    paxos_dial_later(t, peer, NULL);
}

void paxos_dial_due(paxos_transport_t *t) {
    for (uint32_t i = 0; i < t->peer_count; i++) {
        paxos_peer_t *peer = &t->peers[i];
        if (peer->is_dialled && peer->link == PAXOS_NONE && peer->retry_at_ns <= t->now_ns) {
            dial(t, i);
        }
    }
}

void paxos_dial_later(paxos_transport_t *t, paxos_peer_t *peer, const paxos_link_t *link) {
    /* Only a connection that has lasted is a success: one that is closed at once is dialled less
     * and less often. */
    const bool has_lasted = link != NULL && link->state == PAXOS_LINK_UP &&
                            t->now_ns - link->up_since_ns >= t->retry_max_ns;
    if (has_lasted) { peer->retry_ns = t->retry_min_ns; }
    const uint64_t half_us = peer->retry_ns / 2000u;
    const uint32_t bound = half_us < UINT32_MAX ? (uint32_t)half_us + 1 : UINT32_MAX;
    peer->retry_at_ns = t->now_ns + peer->retry_ns / 2 + arc4random_uniform(bound) * 1000u;
    peer->retry_ns = peer->retry_ns < t->retry_max_ns / 2 ? peer->retry_ns * 2 : t->retry_max_ns;
}

void paxos_listener_watch(paxos_transport_t *t) {
    const uint32_t interest = t->now_ns < t->listener_pause_until_ns ? 0 : EPOLLIN;
    if (t->listener < 0 || interest == t->listener_interest) { return; }
    struct epoll_event event = {.events = interest, .data.u64 = UINT64_MAX};
    if (epoll_ctl(t->epoll, EPOLL_CTL_MOD, t->listener, &event) == 0) {
        t->listener_interest = interest;
    }
}

/* Of those who have proved nothing, the one that has had the most time makes room. */
static void evict(paxos_transport_t *t) {
    uint32_t oldest = PAXOS_NONE;
    for (uint32_t i = 0; i < PAXOS_LINKS_MAX; i++) {
        const paxos_link_t *link = &t->links[i];
        if (link->state != PAXOS_LINK_SHAKING || link->is_dialler) { continue; }
        if (oldest == PAXOS_NONE || link->deadline_ns < t->links[oldest].deadline_ns) {
            oldest = i;
        }
    }
    PAXOS_ASSERT(oldest != PAXOS_NONE);
    paxos_link_close(t, oldest, PAXOS_TRANSPORT_CROWDED, 0);
}

void paxos_accept(paxos_transport_t *t) {
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        const int fd = accept4(t->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                t->listener_pause_until_ns = t->now_ns + pause_ns;
                paxos_event_push(t, 0, false, PAXOS_TRANSPORT_SYSTEM, errno);
            }
            return; /* nobody is there, or gone already: epoll says when to look again */
        }
        t->report.accepted += 1;
        int error = paxos_socket_set(fd, t->dead_timeout_ns);
        if (error == 0 && t->pending == PAXOS_TRANSPORT_PENDING_MAX) { evict(t); }
        if (error == 0 && paxos_link_open(t, fd, false, PAXOS_NONE) != PAXOS_NONE) { continue; }
        if (error == 0) { error = errno; }
        (void)close(fd);
        t->report.closed[PAXOS_TRANSPORT_SYSTEM] += 1;
        paxos_event_push(t, 0, false, PAXOS_TRANSPORT_SYSTEM, error);
    }
}
