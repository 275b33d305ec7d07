/* node.c - see node.h: a host's calls, and what must hold after each. */
#include "node.h"

#include "effects.h"

void node_config(input_t *input, uint16_t node, paxos_config_t *config) {
    const uint8_t how = input_byte(input);
    const uint8_t sizes = input_byte(input);
    paxos_config_default(config);
    config->cluster = 0xC1057E2;
    config->group = 7;
    config->node = node;
    config->member_count = how & 1u ? 5 : 3;
    for (uint16_t i = 0; i < config->member_count; i++) { config->members[i] = (uint16_t)(i + 1); }
    config->memory_only = how >> 1 & 1u;
    config->q2 = how >> 2 & 3u;
    config->q1 = config->q2 == 0 ? 0 : (uint16_t)(config->member_count + 1 - config->q2);
    config->manual_elections = how >> 4 & 1u;
    config->window_slots = NODE_WINDOW_MAX >> (sizes & 1u);
    config->pipeline_slots = config->window_slots >> (sizes >> 1 & 1u);
    config->value_bytes_max = sizes & 4u ? 24 : 64;
    config->frame_bytes_max = sizes & 8u ? 256 : 448;
    config->arena_bytes = sizes & 16u ? 4096 : 2048;
    config->reply_ring = 8u >> (sizes >> 5 & 1u);
    config->write_ring = 8u >> (sizes >> 5 & 3u);
    config->send_ring = 4u >> (sizes >> 6 & 1u);
    config->forward_ring = 4u >> (sizes >> 7);
    config->election_timeout_ns = NODE_TIMEOUT_NS;
    config->seed = node;
}

void node_start(node_t *node, const paxos_config_t *config, bool is_replica) {
    memset(node, 0, offsetof(node_t, records)); /* what is long is counted */
    node->is_replica = is_replica;
    node->config = *config;
    node_boot(node);
}

void node_boot(node_t *node) {
    const paxos_config_t *config = &node->config;
    const bool is_replica = node->is_replica;
    node->block_bytes =
        is_replica ? paxos_replica_block_bytes(config) : paxos_acceptor_block_bytes(config);
    CHECK(node->block_bytes != 0);
    node->block = aligned_alloc(PAXOS_BLOCK_ALIGNMENT, node->block_bytes);
    CHECK(node->block != NULL);
    paxos_acceptor_t *acceptor = NULL;
    paxos_replica_t *replica = NULL;
    CHECK(
        (is_replica
             ? paxos_replica_init(node->block, node->block_bytes, config, node->now_ns, &replica)
             : paxos_acceptor_init(node->block, node->block_bytes, config, &acceptor)) == PAXOS_OK);
    CHECK(node_acceptor(node)->block_bytes == node->block_bytes);
}

void node_stop(node_t *node) {
    free(node->block);
    node->block = NULL;
}

int node_live(const uint8_t *data, size_t size, bool is_replica, node_step_t *step) {
    static node_t node;
    input_t input = {data, size};
    paxos_config_t config;
    node_config(&input, 1, &config);
    if (paxos_config_check(&config, NULL) != PAXOS_OK) { return 0; }
    packet_t packet;
    memset(&packet, 0, sizeof packet);
    node_start(&node, &config, is_replica);
    while (input.left > 0) { step(&input, &node, &packet); }
    node_stop(&node);
    return 0;
}

void node_move(node_t *node) {
    uint8_t *block = aligned_alloc(PAXOS_BLOCK_ALIGNMENT, node->block_bytes);
    CHECK(block != NULL);
    memcpy(block, node->block, node->block_bytes);
    free(node->block);
    node->block = block;
    node_check(node);
}

look_t node_look(const node_t *node, uint64_t slot) {
    look_t look = {0, 0, 0};
    const uint8_t *value = NULL;
    uint32_t value_bytes = 0;
    paxos_acceptor_look(node_acceptor(node), slot, &look.state, &look.ballot, &value, &value_bytes);
    if (value != NULL) {
        const uint8_t *entry = value - PAXOS_ENTRY_HEADER_BYTES;
        uint32_t entry_bytes = 0;
        CHECK(entry >= node->block);
        CHECK(
            paxos_entry_verify(
                entry, (size_t)(node->block + node->block_bytes - entry),
                node->config.value_bytes_max, &entry_bytes) == PAXOS_OK);
        look.checksum = paxos_get32(entry);
    }
    return look;
}

target_t node_target(const node_t *node) {
    const paxos_acceptor_t *a = node_acceptor(node);
    const target_t target = {
        node->config.cluster, a->fingerprint,    a->decided + 1,           a->promised,
        node->config.group,   node->config.node, node->config.member_count};
    return target;
}

void node_trace(const node_t *node, const char *what, const uint8_t *header) {
    if (!fuzz_traces()) { return; }
    paxos_frame_t f;
    paxos_frame_read(header, &f);
    TRACE(
        "%u %-5s kind %u %u->%u flags %u state %u count %u body %u ballot %" PRIx64 " slot %" PRIu64
        " watermark %" PRIu64 " nonce %" PRIu64 " digest %" PRIx64 " other %" PRIx64
        " trim %" PRIu64 "\n",
        node->config.node, what, f.kind, f.sender, f.receiver, f.flags, f.state, f.count,
        f.body_bytes, f.ballot, f.slot, f.watermark, f.nonce, f.digest, f.other, f.trim);
}

static void check_marks(node_t *node) {
    paxos_acceptor_status_t now = {.size_bytes = sizeof now};
    paxos_acceptor_status(node_acceptor(node), &now);
    CHECK(now.promised >= node->marks.promised);
    CHECK(now.decided >= node->marks.decided);
    CHECK(now.trimmed >= node->marks.trimmed);
    CHECK(now.stable >= node->marks.stable);
    CHECK(now.lsn >= node->marks.lsn);
    CHECK(now.flushed >= node->marks.flushed);
    CHECK(now.trimmed <= now.decided);
    CHECK(now.decided <= now.last_slot || now.decided == now.trimmed);
    CHECK(now.last_slot <= now.trimmed + node->config.window_slots);
    CHECK(now.flushed <= node->lsn_polled);
    CHECK(now.arena_free_bytes <= node->config.arena_bytes);
    const marks_t marks = {now.promised, now.decided, now.trimmed,
                           now.stable,   now.lsn,     now.flushed};
    node->marks = marks;
}

void node_check(node_t *node) {
    check_marks(node);
    for (uint32_t i = 0; i < node->span_count; i++) {
        const span_t *span = &node->spans[i];
        CHECK(memcmp(node->block + span->offset, span->copy, span->bytes) == 0);
    }
}

/* Slots of the window, as they were before a call. */
typedef struct picture {
    uint64_t first;
    look_t looks[NODE_WINDOW_MAX];
} picture_t;

static void take_picture(const node_t *node, picture_t *picture) {
    picture->first = node_acceptor(node)->trimmed + 1;
    for (uint32_t i = 0; i < node->config.window_slots; i++) {
        picture->looks[i] = node_look(node, picture->first + i);
    }
}

static bool same_look(look_t a, look_t b) {
    return a.state == b.state && a.ballot == b.ballot && a.checksum == b.checksum;
}

/* Checksum of what a frame brings for a slot; false: it brings nothing for it. */
static bool brings(
    const packet_t *packet, const paxos_frame_t *frame, uint64_t slot, uint32_t *checksum_out) {
    if (slot < frame->slot || slot - frame->slot >= frame->count) { return false; }
    uint32_t offset = 0;
    for (uint64_t at = frame->slot; at <= slot; at++) {
        if (packet->body_bytes - offset < PAXOS_ENTRY_HEADER_BYTES) { return false; }
        *checksum_out = paxos_get32(packet->body + offset);
        const uint32_t value_bytes = paxos_get32(packet->body + offset + 4);
        if (value_bytes > FORGE_BODY_BYTES) { return false; }
        offset += paxos_entry_bytes(value_bytes);
        if (offset > packet->body_bytes) { return false; }
    }
    return true;
}

/* How one slot may change when a frame is taken: Lamport 2001, section 2.2, slot by slot. */
static void check_change(
    const node_t *node, const packet_t *packet, const paxos_frame_t *frame, uint64_t slot,
    look_t before, look_t after) {
    uint32_t brought = 0;
    const bool named = brings(packet, frame, slot, &brought);
    const bool accepts = named && frame->kind == PAXOS_FRAME_ACCEPT;
    const bool learns = named && frame->kind == PAXOS_FRAME_LEARNED;
    if (same_look(before, after) || after.state == PAXOS_RUN_TRIMMED) { return; }
    CHECK(after.state == PAXOS_RUN_ACCEPTED || after.state == PAXOS_RUN_CHOSEN);
    if (before.state == PAXOS_RUN_CHOSEN) {
        CHECK(after.state == PAXOS_RUN_CHOSEN && after.checksum == before.checksum);
    }
    if (after.ballot != before.ballot) {
        CHECK(accepts || node->is_replica);
        CHECK(after.ballot >= before.ballot && after.ballot <= node_acceptor(node)->promised);
        if (accepts) { CHECK(after.ballot == frame->ballot && after.checksum == brought); }
    }
    if (after.checksum != before.checksum) {
        CHECK(accepts || learns || node->is_replica);
        if (accepts || learns) { CHECK(after.checksum == brought); }
        if (accepts) { CHECK(after.ballot > before.ballot); }
    }
}

/* A refused frame leaves no trace; what a node keeps apart from it (time, counters, whom to tell of
 * room) may change, and of an Accept without room its leader's word may count. */
static void check_untouched(const node_t *node, const uint8_t *before, bool brings_word) {
    paxos_acceptor_t *was = (paxos_acceptor_t *)(void *)(uintptr_t)before;
    const paxos_acceptor_t *is = node_acceptor(node);
    if (node->is_replica) { ((paxos_replica_t *)(void *)was)->now_ns = node_replica(node)->now_ns; }
    was->counters = is->counters;
    was->room_owed = is->room_owed;
    if (brings_word) {
        CHECK(was->stable <= is->stable && was->trimmed <= is->trimmed);
        if (was->trimmed != is->trimmed) { return; } /* a record says so, too */
        was->stable = is->stable;
    }
    CHECK(memcmp(before, node->block, node->block_bytes) == 0);
}

paxos_status_t node_receive(node_t *node, const packet_t *packet) {
    picture_t picture;
    take_picture(node, &picture);
    uint8_t *before = malloc(node->block_bytes);
    uint8_t *body = malloc(packet->body_bytes); /* exactly as long, for the sanitizer */
    CHECK(before != NULL && body != NULL);
    memcpy(before, node->block, node->block_bytes);
    memcpy(body, packet->body, packet->body_bytes);
    effects_undeliver(node);
    const paxos_status_t status = node->is_replica
                                      ? paxos_replica_receive(
                                            node_replica(node), node->now_ns, packet->header,
                                            packet->header_bytes, body, packet->body_bytes)
                                      : paxos_acceptor_receive(
                                            node_acceptor(node), packet->header,
                                            packet->header_bytes, body, packet->body_bytes);
    free(body);
    node_trace(node, "takes", packet->header);
    TRACE("  status %d\n", status);
    paxos_frame_t frame;
    const bool decoded =
        paxos_frame_decode(packet->header, packet->header_bytes, &frame) == PAXOS_OK;
    CHECK(decoded || status == PAXOS_ERR_WIRE);
    const bool learned = decoded && frame.kind == PAXOS_FRAME_LEARNED;
    const bool brings_word = decoded && frame.kind == PAXOS_FRAME_ACCEPT;
    switch (status) {
        case PAXOS_ERR_WIRE:
        case PAXOS_ERR_FOREIGN: check_untouched(node, before, false); break;
        case PAXOS_ERR_BUSY:
            if (!learned && !node->is_replica) { check_untouched(node, before, brings_word); }
            break;
        case PAXOS_ERR_FULL:
        case PAXOS_ERR_STALE:
        case PAXOS_ERR_ABSTAINS:
        case PAXOS_ERR_CONFLICT: break;
        default: CHECK(status == PAXOS_OK); /* no other status ever comes out */
    }
    for (uint32_t i = 0; decoded && i < node->config.window_slots; i++) {
        const uint64_t slot = picture.first + i;
        const look_t after = node_look(node, slot);
        check_change(node, packet, &frame, slot, picture.looks[i], after);
        const bool refused = status != PAXOS_OK && !learned && !node->is_replica;
        /* An Accept that finds no room may have trimmed what its leader says may go. */
        const bool may_trim =
            brings_word &&
            (status == PAXOS_ERR_FULL || status == PAXOS_ERR_BUSY || status == PAXOS_ERR_CONFLICT);
        const bool is_trimmed =
            may_trim && after.state == PAXOS_RUN_TRIMMED && slot <= node_acceptor(node)->stable;
        CHECK(!refused || is_trimmed || same_look(picture.looks[i], after));
    }
    free(before);
    node_check(node);
    return status;
}

void node_trim(node_t *node, uint64_t slot) {
    effects_undeliver(node);
    const uint64_t most =
        node->is_replica ? node_replica(node)->delivered : node_acceptor(node)->decided;
    const paxos_status_t status = node->is_replica ? paxos_replica_trim(node_replica(node), slot)
                                                   : paxos_acceptor_trim(node_acceptor(node), slot);
    TRACE("%u trim %" PRIu64 ": %d\n", node->config.node, slot, status);
    CHECK(status == (slot <= most ? PAXOS_OK : PAXOS_ERR_RANGE));
    node_check(node);
}
