/* open.c - options, memory and the listening socket; and giving them back. */
#define _GNU_SOURCE 1

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../CSodium/shim.h"
#include "transport.h"

static const uint64_t ms_ns = 1000u * 1000u;

static void set_default(uint32_t *field, uint32_t value) {
    if (*field == 0) { *field = value; }
}

static void set_default_ns(uint64_t *field, uint64_t value) {
    if (*field == 0) { *field = value; }
}

static uint32_t larger(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

static void fill_in(paxos_transport_options_t *o) {
    set_default(&o->frame_bytes_max, 256u << 10);
    if (o->frame_bytes_max > PAXOS_FRAME_BYTES_MAX) { return; } /* refused below */
    const uint32_t frame_bytes = o->frame_bytes_max + PAXOS_TRANSPORT_TAG_BYTES;
    set_default(&o->queue_bytes, larger(1u << 20, 4 * frame_bytes));
    set_default(&o->short_frames, 1024);
    set_default(&o->receive_bytes, larger(512u << 10, 2 * frame_bytes));
    set_default_ns(&o->handshake_timeout_ns, 2000 * ms_ns);
    set_default_ns(&o->retry_min_ns, 20 * ms_ns);
    set_default_ns(&o->retry_max_ns, 2000 * ms_ns);
    set_default_ns(&o->dead_timeout_ns, 5000 * ms_ns);
}

/* The first broken rule about sizes and times; NULL if none is. */
static const char *sizes_rule(const paxos_transport_options_t *o) {
    if (o->frame_bytes_max < PAXOS_FRAME_HEADER_BYTES ||
        o->frame_bytes_max > PAXOS_FRAME_BYTES_MAX) {
        return "frame_bytes_max is 96 to 33554432";
    }
    const uint32_t frame_bytes = o->frame_bytes_max + PAXOS_TRANSPORT_TAG_BYTES;
    if (o->queue_bytes < frame_bytes || o->queue_bytes > PAXOS_TRANSPORT_BUFFER_BYTES_MAX) {
        return "queue_bytes holds the largest frame, and is at most 1073741824";
    }
    if (o->receive_bytes < 2 * frame_bytes || o->receive_bytes > PAXOS_TRANSPORT_BUFFER_BYTES_MAX) {
        return "receive_bytes holds two of the largest frames, and is at most 1073741824";
    }
    if (o->short_frames > PAXOS_TRANSPORT_SHORT_FRAMES_MAX) {
        return "short_frames is at most 1048576";
    }
    const uint64_t hour_ns = 3600u * 1000u * ms_ns;
    if (o->retry_min_ns > o->retry_max_ns || o->retry_max_ns > hour_ns ||
        o->handshake_timeout_ns > hour_ns || o->dead_timeout_ns > hour_ns ||
        o->dead_timeout_ns < ms_ns) {
        return "retry_min_ns is at most retry_max_ns, dead_timeout_ns is at least a millisecond, "
               "and no time is over an hour";
    }
    return NULL;
}

/* The first broken rule; NULL if none is. */
static const char *rule_of(const paxos_transport_options_t *o) {
    if (o->node == 0 || o->cluster == 0 || o->incarnation == 0) {
        return "node, cluster and incarnation are not 0";
    }
    if (o->peer_count > PAXOS_TRANSPORT_PEERS_MAX) { return "peers are at most 30"; }
    if (o->security != PAXOS_TRANSPORT_KEYED && o->security != PAXOS_TRANSPORT_TRUSTED) {
        return "security is KEYED or TRUSTED: there is no default";
    }
    if ((o->security == PAXOS_TRANSPORT_KEYED) != (o->key != NULL)) {
        return "KEYED needs a key, and TRUSTED has none";
    }
    return sizes_rule(o);
}

static const char *read_peer(
    paxos_transport_t *t, const paxos_transport_peer_t *from, uint32_t index) {
    paxos_peer_t *peer = &t->peers[index];
    if (from->node == 0 || from->node == t->node || paxos_peer_find(t, from->node) != PAXOS_NONE) {
        return "peers are distinct, not 0 and not this node";
    }
    peer->node = t->nodes[index] = from->node;
    peer->link = PAXOS_NONE;
    peer->is_dialled = from->node < t->node;
    peer->retry_at_ns = t->now_ns;
    peer->retry_ns = t->retry_min_ns;
    t->peer_count = index + 1;
    if (!peer->is_dialled) { return NULL; }
    if (from->address == NULL) { return "a peer with a lower number has an address"; }
    return paxos_address_read(from->address, &peer->address, &peer->address_bytes);
}

/* Give each peer its part of one piece of memory. False: there is none. */
static bool take_memory(paxos_transport_t *t, const paxos_transport_options_t *o) {
    const uint32_t short_bytes = o->short_frames * (PAXOS_FRAME_HEADER_BYTES + t->tag_bytes);
    const size_t each = (size_t)short_bytes + o->queue_bytes + o->receive_bytes;
    t->memory = calloc(t->peer_count == 0 ? 1 : t->peer_count, each);
    if (t->memory == NULL) { return false; }
    for (uint32_t i = 0; i < t->peer_count; i++) {
        uint8_t *part = t->memory + i * each;
        paxos_queue_t *queues = t->peers[i].queues;
        queues[PAXOS_LANE_SHORT].bytes = part;
        queues[PAXOS_LANE_SHORT].capacity_bytes = short_bytes;
        queues[PAXOS_LANE_BULK].bytes = part + short_bytes;
        queues[PAXOS_LANE_BULK].capacity_bytes = o->queue_bytes;
        t->peers[i].in = part + short_bytes + o->queue_bytes;
    }
    return true;
}

static int listen_on(
    paxos_transport_t *t, const struct sockaddr_storage *address, socklen_t bytes) {
    const int error = paxos_socket_listen(address, bytes, &t->listener);
    if (error != 0) { return error; }
    t->port = paxos_socket_port(t->listener);
    t->listener_interest = EPOLLIN;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = UINT64_MAX};
    return epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->listener, &event) == 0 ? 0 : errno;
}

/* Everything that may be refused. */
static paxos_transport_status_t set_up(
    paxos_transport_t *t, const paxos_transport_options_t *o, paxos_transport_fault_t *fault) {
    struct sockaddr_storage address;
    socklen_t address_bytes = 0;
    if (o->peers == NULL && o->peer_count > 0) { fault->what = "the peers are not given"; }
    for (uint32_t i = 0; i < o->peer_count && fault->what == NULL; i++) {
        fault->what = read_peer(t, &o->peers[i], i);
        if (fault->what == NULL && o->listen == NULL && o->peers[i].node > t->node) {
            fault->what = "a peer with a higher number dials: listen";
        }
    }
    if (fault->what == NULL && o->listen != NULL) {
        fault->what = paxos_address_read(o->listen, &address, &address_bytes);
    }
    if (fault->what != NULL) { return PAXOS_TRANSPORT_ERR_OPTIONS; }
    if (!take_memory(t, o)) {
        *fault = (paxos_transport_fault_t){ENOMEM, "no memory for queues and receive buffers"};
        return PAXOS_TRANSPORT_ERR_SYSTEM;
    }
    t->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (t->epoll < 0) {
        *fault = (paxos_transport_fault_t){errno, "no epoll instance"};
        return PAXOS_TRANSPORT_ERR_SYSTEM;
    }
    const int error = o->listen == NULL ? 0 : listen_on(t, &address, address_bytes);
    if (error == 0) { return PAXOS_TRANSPORT_OK; }
    *fault = (paxos_transport_fault_t){error, "the address cannot be listened on"};
    return PAXOS_TRANSPORT_ERR_SYSTEM;
}

static void adopt(paxos_transport_t *t, const paxos_transport_options_t *o, uint64_t now_ns) {
    t->cluster = o->cluster;
    t->node = o->node;
    t->incarnation = o->incarnation;
    t->instance = paxos_host_seed();
    t->now_ns = now_ns;
    t->security = o->security;
    t->tag_bytes = o->security == PAXOS_TRANSPORT_KEYED ? PAXOS_TRANSPORT_TAG_BYTES : 0;
    if (o->key != NULL) { memcpy(t->key, o->key, sizeof t->key); }
    t->frame_bytes_max = o->frame_bytes_max;
    t->receive_bytes = o->receive_bytes;
    t->handshake_timeout_ns = o->handshake_timeout_ns;
    t->retry_min_ns = o->retry_min_ns;
    t->retry_max_ns = o->retry_max_ns;
    t->dead_timeout_ns = o->dead_timeout_ns;
    t->epoll = t->listener = -1;
}

paxos_transport_status_t paxos_transport_open(
    const paxos_transport_options_t *options, uint64_t now_ns, paxos_transport_t **transport_out,
    paxos_transport_fault_t *fault) {
    paxos_transport_fault_t unread;
    if (fault == NULL) { fault = &unread; }
    *fault = (paxos_transport_fault_t){0, NULL};
    *transport_out = NULL;
    if (options->size_bytes != sizeof *options) {
        fault->what = "size_bytes is not of this version";
        return PAXOS_TRANSPORT_ERR_OPTIONS;
    }
    paxos_transport_options_t o = *options;
    fill_in(&o);
    fault->what = rule_of(&o);
    if (fault->what != NULL) { return PAXOS_TRANSPORT_ERR_OPTIONS; }
    paxos_transport_t *t = calloc(1, sizeof *t + o.peer_count * sizeof t->peers[0]);
    if (t == NULL || sodium_init() < 0) {
        free(t);
        *fault = (paxos_transport_fault_t){ENOMEM, "no memory, or no source of randomness"};
        return PAXOS_TRANSPORT_ERR_SYSTEM;
    }
    adopt(t, &o, now_ns);
    const paxos_transport_status_t status = set_up(t, &o, fault);
    if (status != PAXOS_TRANSPORT_OK) {
        paxos_transport_close(t);
        return status;
    }
    *transport_out = t;
    return PAXOS_TRANSPORT_OK;
}

void paxos_transport_close(paxos_transport_t *t) {
    if (t == NULL) { return; }
    for (uint32_t i = 0; i < PAXOS_LINKS_MAX; i++) {
        if (t->links[i].state != PAXOS_LINK_FREE) { (void)close(t->links[i].fd); }
    }
    if (t->listener >= 0) { (void)close(t->listener); }
    if (t->epoll >= 0) { (void)close(t->epoll); }
    free(t->memory);
    sodium_memzero(t, sizeof *t + t->peer_count * sizeof t->peers[0]);
    free(t);
}
