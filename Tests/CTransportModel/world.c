/* world.c - see world.h. */
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "paxos_host.h"

const uint8_t world_key[PAXOS_TRANSPORT_KEY_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8};

static const uint64_t second_ns = 1000u * 1000u * 1000u;

bool world_open_node(world_t *world, uint32_t index) {
    char texts[NODES][32];
    char listening[32];
    const char *host = world->host == NULL ? "127.0.0.1" : world->host;
    paxos_transport_peer_t peers[NODES - 1];
    uint16_t count = 0;
    for (uint16_t i = 0; i < NODES; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%s:%u", host, world->ports[i]);
        if (i == index) { continue; }
        peers[count] = (paxos_transport_peer_t){.node = (uint16_t)(i + 1), .address = texts[i]};
        count += 1;
    }
    (void)snprintf(
        listening, sizeof listening, "%s:%u", world->listening == NULL ? host : world->listening,
        world->ports[index]);
    world->incarnations[index] += 1;
    const paxos_transport_options_t options = {
        .size_bytes = sizeof options,
        .node = (uint16_t)(index + 1),
        .peer_count = count,
        .cluster = CLUSTER,
        .incarnation = world->incarnations[index],
        .security = world->is_trusted ? PAXOS_TRANSPORT_TRUSTED : PAXOS_TRANSPORT_KEYED,
        .key = world->is_trusted ? NULL : world_key,
        .listen = listening,
        .peers = peers,
        .frame_bytes_max = 64 << 10,
        .queue_bytes = (uint32_t)world->queue_bytes,
        .handshake_timeout_ns = second_ns / 4,
        .retry_max_ns = second_ns / 10,
        .dead_timeout_ns = world->dead_timeout_ns};
    paxos_transport_fault_t fault;
    if (paxos_transport_open(&options, paxos_host_clock_ns(), &world->nodes[index], &fault) !=
        PAXOS_TRANSPORT_OK) {
        fprintf(stderr, "transport: %s (errno %d)\n", fault.what, fault.error);
        return false;
    }
    world->ports[index] = paxos_transport_port(world->nodes[index]);
    return true;
}

void world_close_node(world_t *world, uint32_t index) {
    paxos_transport_close(world->nodes[index]);
    world->nodes[index] = NULL;
}

bool world_open(world_t *world) {
    for (uint32_t i = 0; i < NODES; i++) {
        if (!world_open_node(world, i)) { return false; }
    }
    return world_connect(world);
}

void world_close(world_t *world) {
    for (uint32_t i = 0; i < NODES; i++) { world_close_node(world, i); }
}

static void take(world_t *world, uint32_t to, const paxos_transport_frame_t *frame) {
    static uint8_t expected[64 << 10];
    const uint32_t from = frame->node - 1u;
    uint64_t *next = &world->received[to][from][frame->body_bytes != 0];
    world_header(expected, frame->node, (uint16_t)(to + 1), *next, frame->body_bytes);
    if (memcmp(expected, frame->header, PAXOS_FRAME_HEADER_BYTES) != 0) {
        world->has_order_broken = true;
    }
    world_body(expected, frame->body_bytes, *next);
    if (frame->body != frame->header + PAXOS_FRAME_HEADER_BYTES ||
        memcmp(expected, frame->body, frame->body_bytes) != 0) {
        world->has_bytes_broken = true;
    }
    *next += 1;
    if (frame->body_bytes == 0) { world->long_before_short = world->received[to][from][1]; }
}

void world_step(world_t *world, uint64_t timeout_ns) {
    for (uint32_t i = 0; i < NODES; i++) {
        if (world->nodes[i] == NULL) { continue; }
        if (paxos_transport_poll(world->nodes[i], paxos_host_clock_ns(), timeout_ns) !=
            PAXOS_TRANSPORT_OK) {
            world->has_order_broken = true;
        }
        paxos_transport_frame_t frame = {.size_bytes = sizeof frame};
        while (paxos_transport_next(world->nodes[i], &frame)) {
            /* What is sent meanwhile leaves the frame where it is. */
            if (frame.body_bytes > 4096) {
                paxos_transport_flush(world->nodes[i], paxos_host_clock_ns());
            }
            take(world, i, &frame);
        }
    }
}

bool world_is_up(const world_t *world, uint32_t from, uint32_t to) {
    paxos_transport_peer_report_t report = {.size_bytes = sizeof report};
    return paxos_transport_peer_report(world->nodes[from], (uint16_t)(to + 1), &report) &&
           report.is_up;
}

static bool all_up(const world_t *world) {
    for (uint32_t i = 0; i < NODES; i++) {
        for (uint32_t j = 0; j < NODES; j++) {
            if (i != j && !world_is_up(world, i, j)) { return false; }
        }
    }
    return true;
}

bool world_connect(world_t *world) {
    const uint64_t until_ns = paxos_host_clock_ns() + 10 * second_ns;
    while (!all_up(world)) {
        if (paxos_host_clock_ns() > until_ns) { return false; }
        world_step(world, 1000000);
    }
    return true;
}

paxos_transport_status_t world_send(
    world_t *world, uint32_t from, uint32_t to, uint32_t body_bytes) {
    uint8_t header[PAXOS_FRAME_HEADER_BYTES];
    static uint8_t body[64 << 10];
    uint64_t *number = &world->sent[from][to][body_bytes != 0];
    world_header(header, (uint16_t)(from + 1), (uint16_t)(to + 1), *number, body_bytes);
    world_body(body, body_bytes, *number);
    const paxos_transport_status_t status =
        paxos_transport_send(world->nodes[from], header, body, body_bytes);
    memset(body, 0xEE, body_bytes); /* it was copied, so it may go at once */
    if (status == PAXOS_TRANSPORT_OK) { *number += 1; }
    return status;
}

uint64_t world_closed(const paxos_transport_t *transport, paxos_transport_reason_t reason) {
    paxos_transport_report_t report = {.size_bytes = sizeof report};
    paxos_transport_report(transport, &report);
    return report.closed[reason];
}

bool wait_closed(paxos_transport_t *transport, paxos_transport_reason_t reason, uint64_t count) {
    const uint64_t until_ns = paxos_host_clock_ns() + 10 * second_ns;
    while (world_closed(transport, reason) < count) {
        const uint64_t now_ns = paxos_host_clock_ns();
        if (now_ns > until_ns) { return false; }
        if (paxos_transport_poll(transport, now_ns, 1000000) != PAXOS_TRANSPORT_OK) {
            return false;
        }
        paxos_transport_frame_t frame = {.size_bytes = sizeof frame};
        while (paxos_transport_next(transport, &frame)) {}
    }
    return true;
}
