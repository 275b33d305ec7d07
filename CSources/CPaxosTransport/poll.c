/* poll.c - the loop's one step, its descriptor and its deadline; and reports. */
#define _GNU_SOURCE 1

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>

#include "transport.h"

enum { EVENTS_MAX = 64 };

/* What an event is about, where it is not a link. */
static const uint64_t about_listener = UINT64_MAX;
static const uint64_t about_watched = UINT64_MAX - 1;

uint32_t paxos_peer_find(const paxos_transport_t *t, uint16_t node) {
    for (uint32_t i = 0; i < t->peer_count; i++) {
        if (t->nodes[i] == node) { return i; }
    }
    return PAXOS_NONE;
}

uint16_t paxos_transport_port(const paxos_transport_t *t) {
    return t->port;
}

int paxos_transport_fd(const paxos_transport_t *t) {
    return t->epoll;
}

paxos_transport_status_t paxos_transport_watch(paxos_transport_t *t, int file) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = about_watched};
    const int status = epoll_ctl(t->epoll, EPOLL_CTL_ADD, file, &event);
    return status == 0 ? PAXOS_TRANSPORT_OK : PAXOS_TRANSPORT_ERR_SYSTEM;
}

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

uint64_t paxos_transport_deadline(const paxos_transport_t *t) {
    if (t->has_frames) { return 0; }
    uint64_t deadline_ns = PAXOS_NEVER_NS;
    for (uint32_t i = 0; i < t->peer_count; i++) {
        const paxos_peer_t *peer = &t->peers[i];
        if (peer->is_dialled && peer->link == PAXOS_NONE) {
            deadline_ns = earlier(deadline_ns, peer->retry_at_ns);
        }
    }
    for (uint32_t i = 0; i < PAXOS_LINKS_MAX; i++) {
        const paxos_link_t *link = &t->links[i];
        if (link->state != PAXOS_LINK_FREE) {
            deadline_ns = earlier(deadline_ns, link->deadline_ns);
        }
    }
    if (t->listener >= 0 && t->listener_interest == 0) {
        deadline_ns = earlier(deadline_ns, t->listener_pause_until_ns);
    }
    return deadline_ns;
}

static void advance(paxos_transport_t *t, uint64_t now_ns) {
    if (now_ns > t->now_ns) { t->now_ns = now_ns; }
}

void paxos_transport_flush(paxos_transport_t *t, uint64_t now_ns) {
    advance(t, now_ns);
    for (uint32_t i = 0; i < t->peer_count; i++) { paxos_peer_send(t, i); }
    for (uint32_t i = 0; i < PAXOS_LINKS_MAX; i++) { paxos_link_watch(t, i); }
    paxos_listener_watch(t);
}

static void expire(paxos_transport_t *t) {
    for (uint32_t i = 0; i < PAXOS_LINKS_MAX; i++) {
        const paxos_link_t *link = &t->links[i];
        if (link->state != PAXOS_LINK_FREE && link->deadline_ns <= t->now_ns) {
            paxos_link_close(t, i, PAXOS_TRANSPORT_TIMEOUT, 0);
        }
    }
}

/* How long epoll may sleep. */
static int wait_ms(const paxos_transport_t *t, uint64_t timeout_ns) {
    const uint64_t deadline_ns = paxos_transport_deadline(t);
    const uint64_t left_ns = deadline_ns > t->now_ns ? deadline_ns - t->now_ns : 0;
    const uint64_t ns = earlier(timeout_ns, left_ns);
    const uint64_t ms = ns / 1000000u + (ns % 1000000u != 0);
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

static void dispatch(paxos_transport_t *t, const struct epoll_event *event) {
    if (event->data.u64 == about_listener) { paxos_accept(t); }
    if (event->data.u64 >= about_watched) { return; }
    /* A link that ended in this very step has no more events, nor has who took its place. */
    const uint32_t index = (uint32_t)event->data.u64;
    const paxos_link_t *link = &t->links[index];
    if (link->state != PAXOS_LINK_FREE && link->generation == event->data.u64 >> 32) {
        paxos_link_event(t, index, event->events);
    }
}

paxos_transport_status_t paxos_transport_poll(
    paxos_transport_t *t, uint64_t now_ns, uint64_t timeout_ns) {
    advance(t, now_ns);
    expire(t);
    paxos_dial_due(t);
    paxos_transport_flush(t, now_ns);
    struct epoll_event events[EVENTS_MAX];
    const int ms = wait_ms(t, timeout_ns);
    const int count = epoll_wait(t->epoll, events, EVENTS_MAX, ms);
    if (count < 0 && errno != EINTR) { return PAXOS_TRANSPORT_ERR_SYSTEM; }
    if (ms > 0) { advance(t, paxos_host_clock_ns()); }
    for (int i = 0; i < count; i++) { dispatch(t, &events[i]); }
    return t->is_denied ? PAXOS_TRANSPORT_ERR_DENIED : PAXOS_TRANSPORT_OK;
}

bool paxos_transport_peer_report(
    const paxos_transport_t *t, uint16_t node, paxos_transport_peer_report_t *report) {
    PAXOS_ASSERT(report->size_bytes == sizeof *report);
    const uint32_t index = paxos_peer_find(t, node);
    if (index == PAXOS_NONE) { return false; }
    const paxos_peer_t *peer = &t->peers[index];
    *report = peer->report;
    report->size_bytes = (uint32_t)sizeof *report;
    report->node = node;
    report->is_up = peer->link != PAXOS_NONE && t->links[peer->link].state == PAXOS_LINK_UP;
    report->queued_bytes =
        peer->queues[PAXOS_LANE_SHORT].used_bytes + peer->queues[PAXOS_LANE_BULK].used_bytes;
    return true;
}

void paxos_transport_report(const paxos_transport_t *t, paxos_transport_report_t *report) {
    PAXOS_ASSERT(report->size_bytes == sizeof *report);
    *report = t->report;
    report->size_bytes = (uint32_t)sizeof *report;
    report->pending = t->pending;
    for (uint32_t i = 0; i < t->peer_count; i++) {
        const uint32_t link = t->peers[i].link;
        report->up += link != PAXOS_NONE && t->links[link].state == PAXOS_LINK_UP;
    }
}
