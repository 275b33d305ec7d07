/* link.c - a connection from its first byte until it is up, and its end. */
#define _GNU_SOURCE 1

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../CSodium/shim.h"
#include "transport.h"

static uint32_t interest_of(const paxos_transport_t *t, const paxos_link_t *link) {
    if (link->state == PAXOS_LINK_CONNECTING) { return EPOLLOUT; }
    const bool wants_in =
        link->state != PAXOS_LINK_UP || paxos_peer_has_room(t, &t->peers[link->peer]);
    return (wants_in ? EPOLLIN : 0u) | (link->is_blocked ? EPOLLOUT : 0u);
}

void paxos_link_watch(paxos_transport_t *t, uint32_t index) {
    paxos_link_t *link = &t->links[index];
    if (link->state == PAXOS_LINK_FREE) { return; }
    const uint32_t interest = interest_of(t, link);
    if (interest == link->interest) { return; }
    struct epoll_event event = {
        .events = interest, .data.u64 = paxos_pair32(index, link->generation)};
    if (epoll_ctl(t->epoll, EPOLL_CTL_MOD, link->fd, &event) != 0) {
        paxos_link_close(t, index, PAXOS_TRANSPORT_SYSTEM, errno);
        return;
    }
    link->interest = interest;
}

uint32_t paxos_link_open(paxos_transport_t *t, int fd, bool is_dialler, uint32_t peer) {
    uint32_t index = 0;
    while (index < PAXOS_LINKS_MAX && t->links[index].state != PAXOS_LINK_FREE) { index += 1; }
    PAXOS_ASSERT(index < PAXOS_LINKS_MAX); /* one for each peer, and as many as may be pending */
    paxos_link_t *link = &t->links[index];
    const uint32_t generation = link->generation + 1;
    const uint32_t interest = is_dialler ? EPOLLOUT : EPOLLIN;
    struct epoll_event event = {.events = interest, .data.u64 = paxos_pair32(index, generation)};
    if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, fd, &event) != 0) { return PAXOS_NONE; }
    memset(link, 0, sizeof *link);
    link->fd = fd;
    link->generation = generation;
    link->state = is_dialler ? PAXOS_LINK_CONNECTING : PAXOS_LINK_SHAKING;
    link->interest = interest;
    link->peer = peer;
    link->is_dialler = is_dialler;
    link->deadline_ns = t->now_ns + t->handshake_timeout_ns;
    link->in_wanted = PAXOS_HELLO_BYTES + (is_dialler ? PAXOS_PROOF_BYTES : 0);
    if (is_dialler) {
        t->peers[peer].link = index;
    } else {
        t->pending += 1;
    }
    return index;
}

void paxos_link_close(
    paxos_transport_t *t, uint32_t index, paxos_transport_reason_t reason, int error) {
    paxos_link_t *link = &t->links[index];
    PAXOS_ASSERT(link->state != PAXOS_LINK_FREE);
    (void)epoll_ctl(t->epoll, EPOLL_CTL_DEL, link->fd, NULL);
    (void)close(link->fd);
    t->report.closed[reason] += 1;
    if (!link->is_dialler && link->state != PAXOS_LINK_UP) { t->pending -= 1; }
    /* Somebody who only claims to be a peer leaves no trace in what is said about it. */
    const bool is_peer = link->peer != PAXOS_NONE && (link->is_dialler || link->is_proved);
    const uint16_t node = is_peer ? t->peers[link->peer].node : 0;
    if (is_peer && t->peers[link->peer].link == index) {
        paxos_peer_t *peer = &t->peers[link->peer];
        peer->report.last_reason = reason;
        peer->report.last_error = error;
        for (uint32_t lane = 0; lane < PAXOS_LANES; lane++) {
            peer->report.dropped_lost += peer->queues[lane].frames;
            paxos_queue_clear(&peer->queues[lane]);
        }
        peer->in_start = peer->in_end = 0;
        peer->link = PAXOS_NONE;
        if (peer->is_dialled) { paxos_dial_later(t, peer, link); }
        sodium_memzero(peer->sending, sizeof peer->sending);
        sodium_memzero(peer->receiving, sizeof peer->receiving);
    }
    sodium_memzero(&link->session, sizeof link->session);
    link->state = PAXOS_LINK_FREE;
    paxos_event_push(t, node, false, reason, error);
}

/* A node's lives go forward, and each is one process. A later one waits until the connection of
 * the one before has ended: whose process has ended has no connection for long, and of a copy
 * that was started beside the original nobody else can tell that the original is alive. */
static paxos_transport_reason_t judge(const paxos_transport_t *t, uint32_t index) {
    const paxos_hello_t *hello = &t->links[index].hello;
    const paxos_peer_t *peer = &t->peers[t->links[index].peer];
    if (hello->incarnation < peer->incarnation) { return PAXOS_TRANSPORT_STALE; }
    if (hello->incarnation == peer->incarnation) {
        return hello->instance == peer->instance ? PAXOS_TRANSPORT_NONE : PAXOS_TRANSPORT_CLONE;
    }
    const bool is_connected = peer->link != PAXOS_NONE && peer->link != index;
    return is_connected ? PAXOS_TRANSPORT_LIVING : PAXOS_TRANSPORT_NONE;
}

/* The connection of a life that has ended is gone after dead_timeout_ns, at the next attempt. Whose
 * does not go, of him the process is alive, and this one a copy: were it to wait on, the first peer
 * that restarts might let it in, and turn the original out. */
static bool waits_too_long(const paxos_transport_t *t, paxos_peer_t *peer) {
    const bool has_waited = peer->report.last_reason == PAXOS_TRANSPORT_WAITING;
    if (!has_waited) { peer->waiting_since_ns = t->now_ns; }
    return t->now_ns - peer->waiting_since_ns > 2 * (t->dead_timeout_ns + t->retry_max_ns);
}

/* The other side has proved itself, and said that it will not have us. */
static void take_refusal(paxos_transport_t *t, uint32_t index, paxos_transport_reason_t said) {
    paxos_peer_t *peer = &t->peers[t->links[index].peer];
    const bool waits = said == PAXOS_TRANSPORT_LIVING && !waits_too_long(t, peer);
    t->links[index].is_proved = true;
    t->is_denied |= !waits;
    paxos_link_close(t, index, waits ? PAXOS_TRANSPORT_WAITING : PAXOS_TRANSPORT_DENIED, 0);
}

/* The other side has proved itself. */
static void go_up(paxos_transport_t *t, uint32_t index) {
    paxos_link_t *link = &t->links[index];
    paxos_peer_t *peer = &t->peers[link->peer];
    link->is_proved = true;
    /* What it was told stands; what has come to be known since counts as well. */
    const paxos_transport_reason_t verdict =
        link->verdict != PAXOS_TRANSPORT_NONE ? link->verdict : judge(t, index);
    if (verdict != PAXOS_TRANSPORT_NONE) {
        paxos_link_close(t, index, verdict, 0);
        return;
    }
    if (peer->link != PAXOS_NONE && peer->link != index) {
        paxos_link_close(t, peer->link, PAXOS_TRANSPORT_REPLACED, 0);
    }
    if (!link->is_dialler) { t->pending -= 1; }
    peer->link = index;
    peer->incarnation = peer->report.incarnation = link->hello.incarnation;
    peer->instance = link->hello.instance;
    for (uint32_t lane = 0; lane < PAXOS_LANES; lane++) {
        paxos_seal_start(&peer->sending[lane], lane, link->session.send_key);
        paxos_seal_start(&peer->receiving[lane], lane, link->session.receive_key);
    }
    sodium_memzero(&link->session, sizeof link->session);
    link->state = PAXOS_LINK_UP;
    link->deadline_ns = PAXOS_NEVER_NS;
    link->up_since_ns = t->now_ns;
    peer->report.connections += 1;
    paxos_event_push(t, peer->node, true, PAXOS_TRANSPORT_NONE, 0);
}

static void write_hello(const paxos_transport_t *t, uint16_t receiver, uint8_t *bytes) {
    const paxos_hello_t hello = {
        .version_min = PAXOS_TRANSPORT_VERSION,
        .version_max = PAXOS_TRANSPORT_VERSION,
        .security = (uint8_t)t->security,
        .cluster = t->cluster,
        .sender = t->node,
        .receiver = receiver,
        .incarnation = t->incarnation,
        .instance = t->instance};
    paxos_hello_write(&hello, bytes);
}

/* Take the other side's hello: who is it, and may it be? */
static paxos_transport_reason_t take_hello(paxos_transport_t *t, paxos_link_t *link) {
    const paxos_transport_reason_t reason = paxos_hello_read(link->in, &link->hello);
    if (reason != PAXOS_TRANSPORT_NONE) { return reason; }
    if (link->hello.security != t->security) { return PAXOS_TRANSPORT_SECURITY; }
    if (link->hello.cluster != t->cluster) { return PAXOS_TRANSPORT_CLUSTER; }
    const uint32_t peer = paxos_peer_find(t, link->hello.sender);
    if (peer == PAXOS_NONE || link->hello.receiver != t->node ||
        t->peers[peer].is_dialled != link->is_dialler || (link->is_dialler && link->peer != peer)) {
        return PAXOS_TRANSPORT_NODE;
    }
    link->peer = peer;
    return PAXOS_TRANSPORT_NONE;
}

/* The listener's hello and proof are whole: answer with ours, and frames may follow. The proof goes
 * out even if we were refused: so the listener knows whom it has refused. */
static void finish_dialling(paxos_transport_t *t, uint32_t index) {
    paxos_link_t *link = &t->links[index];
    const paxos_transport_reason_t reason = take_hello(t, link);
    if (reason != PAXOS_TRANSPORT_NONE) {
        paxos_link_close(t, index, reason, 0);
        return;
    }
    paxos_session_derive(t->key, link->out, link->in, true, &link->session);
    const paxos_transport_reason_t said =
        paxos_verdict_read(link->session.peer_proof, link->in + PAXOS_HELLO_BYTES);
    if (said == PAXOS_TRANSPORT_PROOF) {
        paxos_link_close(t, index, PAXOS_TRANSPORT_PROOF, 0);
        return;
    }
    link->verdict = judge(t, index);
    paxos_verdict_write(link->session.own_proof, link->verdict, link->out);
    link->out_bytes = PAXOS_PROOF_BYTES;
    link->out_sent = 0;
    if (!paxos_link_send_handshake(t, index) && link->state == PAXOS_LINK_FREE) { return; }
    if (said != PAXOS_TRANSPORT_NONE) {
        take_refusal(t, index, said);
    } else {
        go_up(t, index);
    }
}

/* The dialler's hello is whole: answer with ours and our proof. */
static void answer(paxos_transport_t *t, uint32_t index) {
    paxos_link_t *link = &t->links[index];
    const paxos_transport_reason_t reason = take_hello(t, link);
    if (reason != PAXOS_TRANSPORT_NONE) {
        paxos_link_close(t, index, reason, 0);
        return;
    }
    write_hello(t, link->hello.sender, link->out);
    paxos_session_derive(t->key, link->in, link->out, false, &link->session);
    link->verdict = judge(t, index);
    paxos_verdict_write(link->session.own_proof, link->verdict, link->out + PAXOS_HELLO_BYTES);
    link->out_bytes = PAXOS_HELLO_BYTES + PAXOS_PROOF_BYTES;
    link->out_sent = 0;
    link->in_wanted = PAXOS_HELLO_BYTES + PAXOS_PROOF_BYTES;
    (void)paxos_link_send_handshake(t, index);
}

/* The dialler's proof is whole. */
static void finish_listening(paxos_transport_t *t, uint32_t index) {
    const paxos_link_t *link = &t->links[index];
    const paxos_transport_reason_t said =
        paxos_verdict_read(link->session.peer_proof, link->in + PAXOS_HELLO_BYTES);
    if (said == PAXOS_TRANSPORT_PROOF) {
        paxos_link_close(t, index, PAXOS_TRANSPORT_PROOF, 0);
    } else if (said != PAXOS_TRANSPORT_NONE) {
        take_refusal(t, index, said);
    } else {
        go_up(t, index);
    }
}

bool paxos_link_send_handshake(paxos_transport_t *t, uint32_t index) {
    paxos_link_t *link = &t->links[index];
    while (link->out_sent < link->out_bytes) {
        const ssize_t sent = send(
            link->fd, link->out + link->out_sent, link->out_bytes - link->out_sent, MSG_NOSIGNAL);
        if (sent >= 0) {
            link->out_sent += (uint32_t)sent;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            link->is_blocked = true;
            return false;
        } else if (errno != EINTR) {
            paxos_link_close(t, index, PAXOS_TRANSPORT_SYSTEM, errno);
            return false;
        }
    }
    return true;
}

/* Read what the handshake wants and not a byte more: what follows belongs to the frames. */
static void read_handshake(paxos_transport_t *t, uint32_t index) {
    paxos_link_t *link = &t->links[index];
    const ssize_t got =
        recv(link->fd, link->in + link->in_bytes, link->in_wanted - link->in_bytes, 0);
    if (got == 0) {
        paxos_link_close(t, index, PAXOS_TRANSPORT_ENDED, 0);
        return;
    }
    if (got < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
            paxos_link_close(t, index, PAXOS_TRANSPORT_SYSTEM, errno);
        }
        return;
    }
    link->in_bytes += (uint32_t)got;
    if (link->in_bytes < link->in_wanted) { return; }
    if (link->is_dialler) {
        finish_dialling(t, index);
    } else if (link->in_bytes == PAXOS_HELLO_BYTES) {
        answer(t, index);
    } else {
        finish_listening(t, index);
    }
}

/* The connection that we dialled is there, or will not be. */
static void connected(paxos_transport_t *t, uint32_t index) {
    paxos_link_t *link = &t->links[index];
    int error = 0;
    socklen_t bytes = sizeof error;
    if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &bytes) != 0) { error = errno; }
    if (error != 0) {
        paxos_link_close(t, index, PAXOS_TRANSPORT_SYSTEM, error);
        return;
    }
    link->state = PAXOS_LINK_SHAKING;
    write_hello(t, t->peers[link->peer].node, link->out);
    link->out_bytes = PAXOS_HELLO_BYTES;
    (void)paxos_link_send_handshake(t, index);
}

void paxos_link_event(paxos_transport_t *t, uint32_t index, uint32_t events) {
    paxos_link_t *link = &t->links[index];
    if (link->state == PAXOS_LINK_CONNECTING) {
        connected(t, index);
        return;
    }
    if ((events & EPOLLOUT) != 0) {
        link->is_blocked = false;
        if (link->state == PAXOS_LINK_SHAKING && !paxos_link_send_handshake(t, index)) { return; }
    }
    if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) == 0) { return; }
    if (link->state == PAXOS_LINK_UP) {
        paxos_peer_receive(t, link->peer);
    } else {
        read_handshake(t, index); /* frames behind it are another event, which is there at once */
    }
}
