/* receive.c - bytes that came, and the frames in them.
 *
 * A receive buffer holds two of the largest frames and is read from its start to its end; what is
 * left of a frame at the end moves to the start. So header and body always stand one behind the
 * other. */
#define _GNU_SOURCE 1

#include <errno.h>
#include <string.h>

#include "transport.h"

/* With less than half of the buffer gone, what is left holds a whole frame for next. */
static bool may_move(const paxos_transport_t *t, const paxos_peer_t *peer) {
    return peer->in_end == t->receive_bytes && peer->in_start >= t->receive_bytes / 2;
}

bool paxos_peer_has_room(const paxos_transport_t *t, const paxos_peer_t *peer) {
    return peer->in_end < t->receive_bytes || may_move(t, peer);
}

/* Bytes that may be received, after what is left was moved to the start: from poll alone, since a
 * frame that next gave out stays where it is until then. */
static uint32_t make_room(const paxos_transport_t *t, paxos_peer_t *peer) {
    if (peer->in_start == peer->in_end) { peer->in_start = peer->in_end = 0; }
    if (may_move(t, peer)) {
        memmove(peer->in, peer->in + peer->in_start, peer->in_end - peer->in_start);
        peer->in_end -= peer->in_start;
        peer->in_start = 0;
    }
    return t->receive_bytes - peer->in_end;
}

void paxos_peer_receive(paxos_transport_t *t, uint32_t index) {
    paxos_peer_t *peer = &t->peers[index];
    const uint32_t room = make_room(t, peer);
    if (room == 0) { /* only the end of the connection is said while nobody wants to read */
        paxos_link_close(t, peer->link, PAXOS_TRANSPORT_ENDED, 0);
        return;
    }
    const ssize_t got = recv(t->links[peer->link].fd, peer->in + peer->in_end, room, 0);
    if (got > 0) {
        peer->in_end += (uint32_t)got;
        peer->report.bytes_received += (uint64_t)got;
        t->has_frames = true;
    } else if (got == 0) {
        paxos_link_close(t, peer->link, PAXOS_TRANSPORT_ENDED, 0);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        paxos_link_close(t, peer->link, PAXOS_TRANSPORT_SYSTEM, errno);
    }
}

/* What is wrong with a header; NONE: nothing. */
static paxos_transport_reason_t check_header(
    const paxos_transport_t *t, const paxos_peer_t *peer, const uint8_t *bytes,
    paxos_frame_t *header) {
    if (paxos_frame_decode(bytes, PAXOS_FRAME_HEADER_BYTES, header) != PAXOS_OK) {
        return PAXOS_TRANSPORT_MALFORMED;
    }
    if (header->body_bytes > t->frame_bytes_max - PAXOS_FRAME_HEADER_BYTES) {
        return PAXOS_TRANSPORT_OVERSIZED;
    }
    if (header->cluster != t->cluster || header->sender != peer->node ||
        header->receiver != t->node) {
        return PAXOS_TRANSPORT_FOREIGN;
    }
    return PAXOS_TRANSPORT_NONE;
}

/* The first frame in a peer's buffer, if it is whole and good. */
static bool take(paxos_transport_t *t, uint32_t index, paxos_transport_frame_t *frame) {
    paxos_peer_t *peer = &t->peers[index];
    const uint32_t there = peer->in_end - peer->in_start;
    if (there < PAXOS_FRAME_HEADER_BYTES) { return false; }
    const uint8_t *bytes = peer->in + peer->in_start;
    paxos_frame_t header;
    paxos_transport_reason_t reason = check_header(t, peer, bytes, &header);
    if (reason == PAXOS_TRANSPORT_NONE) {
        const uint32_t untagged = PAXOS_FRAME_HEADER_BYTES + header.body_bytes;
        if (there < untagged + t->tag_bytes) { return false; }
        const uint32_t lane = header.body_bytes == 0 ? PAXOS_LANE_SHORT : PAXOS_LANE_BULK;
        const uint8_t *body = bytes + PAXOS_FRAME_HEADER_BYTES;
        if (t->tag_bytes == 0 ||
            paxos_seal_check(
                &peer->receiving[lane], bytes, body, header.body_bytes, bytes + untagged)) {
            peer->in_start += untagged + t->tag_bytes;
            peer->report.frames_received += 1;
            frame->node = peer->node;
            frame->group = header.group;
            frame->body_bytes = header.body_bytes;
            frame->header = bytes;
            frame->body = body;
            return true;
        }
        reason = PAXOS_TRANSPORT_FORGED;
    }
    paxos_link_close(t, peer->link, reason, 0);
    return false;
}

bool paxos_transport_next(paxos_transport_t *t, paxos_transport_frame_t *frame) {
    for (uint32_t i = 0; t->has_frames && i < t->peer_count; i++) {
        if (take(t, t->cursor, frame)) { return true; }
        t->cursor = t->cursor + 1 < t->peer_count ? t->cursor + 1 : 0;
    }
    t->has_frames = false;
    return false;
}
