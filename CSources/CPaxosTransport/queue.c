/* queue.c - frames that wait for their connection, and handing them to the system.
 *
 * Frames are copied, header, body and tag one behind the other. To send bodies from where they
 * stand would save a copy of 8 ns for each KiB, where the tag alone costs thirty times as much; but
 * a slow peer would then hold the sender's arena, and a call could take a third of IOV_MAX frames
 * where it now takes all there are. */
#define _GNU_SOURCE 1

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "transport.h"

static uint32_t offset_of(const paxos_queue_t *queue, uint32_t bytes_behind_start) {
    const uint64_t at = (uint64_t)queue->start + bytes_behind_start;
    return (uint32_t)(at < queue->capacity_bytes ? at : at - queue->capacity_bytes);
}

/* Copy behind what is there already; there is room. */
static void append(paxos_queue_t *queue, const uint8_t *bytes, uint32_t count) {
    const uint32_t at = offset_of(queue, queue->used_bytes);
    const uint32_t to_end = queue->capacity_bytes - at;
    const uint32_t first = count < to_end ? count : to_end;
    if (first != 0) { memcpy(queue->bytes + at, bytes, first); }
    if (count > first) { memcpy(queue->bytes, bytes + first, count - first); }
    queue->used_bytes += count;
}

void paxos_queue_put(
    paxos_queue_t *queue, const uint8_t *header, const uint8_t *body, uint32_t body_bytes,
    const uint8_t *tag, uint32_t tag_bytes) {
    append(queue, header, PAXOS_FRAME_HEADER_BYTES);
    append(queue, body, body_bytes);
    append(queue, tag, tag_bytes);
    queue->frames += 1;
}

void paxos_queue_clear(paxos_queue_t *queue) {
    queue->start = queue->used_bytes = queue->cut_bytes = 0;
    queue->frames = 0;
}

/* Length of the frame at the start, header, body and tag. */
static uint32_t frame_bytes(const paxos_queue_t *queue, uint32_t tag_bytes) {
    uint8_t length[4];
    for (uint32_t i = 0; i < sizeof length; i++) {
        length[i] = queue->bytes[offset_of(queue, 36 + i)];
    }
    return PAXOS_FRAME_HEADER_BYTES + paxos_get32(length) + tag_bytes;
}

/* So many bytes are gone. Returns how many frames are now gone to their end. */
static uint64_t consume(paxos_queue_t *queue, uint32_t count, uint32_t tag_bytes) {
    const uint64_t frames = queue->frames;
    while (count != 0) {
        const uint32_t left =
            queue->cut_bytes != 0 ? queue->cut_bytes : frame_bytes(queue, tag_bytes);
        const uint32_t part = count < left ? count : left;
        queue->start = offset_of(queue, part);
        queue->used_bytes -= part;
        queue->cut_bytes = left - part;
        count -= part;
        if (queue->cut_bytes == 0) { queue->frames -= 1; }
    }
    if (queue->used_bytes == 0) { queue->start = 0; }
    return frames - queue->frames;
}

/* Name bytes [from, from + count) of the queue, in one part or two. */
static uint32_t name_parts(
    const paxos_queue_t *queue, uint32_t from, uint32_t count, struct iovec *parts) {
    if (count == 0) { return 0; }
    const uint32_t at = offset_of(queue, from);
    const uint32_t to_end = queue->capacity_bytes - at;
    const uint32_t first = count < to_end ? count : to_end;
    parts[0] = (struct iovec){queue->bytes + at, first};
    if (first == count) { return 1; }
    parts[1] = (struct iovec){queue->bytes, count - first};
    return 2;
}

/* One call for all that waits: the rest of a long frame, then the short ones, then the long ones.
 * Returns bytes, or a negated errno. */
static int64_t send_all(paxos_transport_t *t, paxos_peer_t *peer, int fd) {
    paxos_queue_t *short_ones = &peer->queues[PAXOS_LANE_SHORT];
    paxos_queue_t *long_ones = &peer->queues[PAXOS_LANE_BULK];
    const uint32_t rest = long_ones->cut_bytes;
    const uint32_t all_short = short_ones->used_bytes;
    struct iovec parts[6];
    uint32_t count = name_parts(long_ones, 0, rest, parts);
    count += name_parts(short_ones, 0, all_short, parts + count);
    count += name_parts(long_ones, rest, long_ones->used_bytes - rest, parts + count);

    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    const ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    if (sent < 0) { return -errno; }
    peer->report.send_calls += 1;
    peer->report.bytes_sent += (uint64_t)sent;
    uint64_t left = (uint64_t)sent;
    uint32_t part = (uint32_t)(left < rest ? left : rest);
    peer->report.frames_sent += consume(long_ones, part, t->tag_bytes);
    left -= part;
    part = (uint32_t)(left < all_short ? left : all_short);
    peer->report.frames_sent += consume(short_ones, part, t->tag_bytes);
    left -= part;
    peer->report.frames_sent += consume(long_ones, (uint32_t)left, t->tag_bytes);
    return sent;
}

static uint64_t waiting_bytes(const paxos_peer_t *peer) {
    return (uint64_t)peer->queues[PAXOS_LANE_SHORT].used_bytes +
           peer->queues[PAXOS_LANE_BULK].used_bytes;
}

void paxos_peer_send(paxos_transport_t *t, uint32_t index) {
    paxos_peer_t *peer = &t->peers[index];
    if (peer->link == PAXOS_NONE) { return; }
    paxos_link_t *link = &t->links[peer->link];
    if (link->state != PAXOS_LINK_UP || link->is_blocked) { return; }
    if (!paxos_link_send_handshake(t, peer->link)) { return; }
    while (waiting_bytes(peer) != 0) {
        const int64_t sent = send_all(t, peer, link->fd);
        if (sent == -EINTR) { continue; }
        if (sent < 0 && sent != -EAGAIN && sent != -EWOULDBLOCK) {
            paxos_link_close(t, peer->link, PAXOS_TRANSPORT_SYSTEM, (int)-sent);
            return;
        }
        if (waiting_bytes(peer) != 0) {
            link->is_blocked = true; /* epoll says when there is room again */
            return;
        }
    }
}

paxos_transport_status_t paxos_transport_send(
    paxos_transport_t *t, const uint8_t *header, const uint8_t *body, size_t body_bytes) {
    const uint32_t index = paxos_peer_find(t, paxos_get16(header + 26));
    if (index == PAXOS_NONE || paxos_get16(header + 24) != t->node ||
        paxos_get64(header + 8) != t->cluster || paxos_get32(header + 36) != body_bytes ||
        body_bytes > t->frame_bytes_max - PAXOS_FRAME_HEADER_BYTES) {
        return PAXOS_TRANSPORT_ERR_FRAME;
    }
    paxos_peer_t *peer = &t->peers[index];
    if (peer->link == PAXOS_NONE || t->links[peer->link].state != PAXOS_LINK_UP) {
        peer->report.dropped_down += 1;
        return PAXOS_TRANSPORT_ERR_DOWN;
    }
    const uint32_t lane = body_bytes == 0 ? PAXOS_LANE_SHORT : PAXOS_LANE_BULK;
    paxos_queue_t *queue = &peer->queues[lane];
    const uint32_t bytes = PAXOS_FRAME_HEADER_BYTES + (uint32_t)body_bytes + t->tag_bytes;
    if (queue->capacity_bytes - queue->used_bytes < bytes) {
        peer->report.dropped_full += 1;
        return PAXOS_TRANSPORT_ERR_FULL;
    }
    uint8_t tag[PAXOS_TRANSPORT_TAG_BYTES];
    if (t->tag_bytes != 0) { paxos_seal_next(&peer->sending[lane], header, body, body_bytes, tag); }
    paxos_queue_put(queue, header, body, (uint32_t)body_bytes, tag, t->tag_bytes);
    peer->report.frames_queued += 1;
    return PAXOS_TRANSPORT_OK;
}
