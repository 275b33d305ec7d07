/* forge.c - see forge.h. */
#include "forge.h"

uint32_t forge_entry(uint8_t *out, uint8_t seed) {
    static const uint8_t lengths[8] = {0, 1, 7, 8, 9, 24, 40, 64};
    uint8_t value[FORGE_VALUE_BYTES];
    const uint32_t length = lengths[seed & 7u];
    memset(value, seed, sizeof value);
    paxos_entry_t entry = {
        .value_bytes = length,
        .node = (uint16_t)(1u + (seed >> 3 & 3u)),
        .kind = PAXOS_ENTRY_COMMAND,
        .incarnation = 1,
        .number = 1u + (seed >> 5)};
    if (seed == 0) {
        entry.kind = PAXOS_ENTRY_NOOP;
        entry.number = 0;
    }
    if (seed == 0xFF) { entry.kind = PAXOS_ENTRY_MEMBERSHIP; }
    return paxos_entry_put(out, entry, value);
}

/* A slot near the one that matters: up to 15 before it, or after it. */
static uint64_t near_slot(input_t *input, const target_t *target) {
    const uint64_t number = input_number(input);
    if (number > 0xEF) { return number; }
    const uint64_t slot = target->slot + number;
    return slot > 16 ? slot - 16 : 1;
}

/* Entries of the input's choice, and the digest of their run. */
static void put_body(input_t *input, packet_t *packet, paxos_frame_t *frame) {
    const uint8_t how = input_byte(input);
    frame->count = 1u + how % FORGE_COUNT;
    uint8_t seed = 0;
    for (uint32_t i = 0; i < frame->count; i++) {
        if (i == 0 || how < 128) { seed = input_byte(input); }
        if (packet->body_bytes + paxos_entry_bytes(FORGE_VALUE_BYTES) > FORGE_BODY_BYTES) {
            frame->count = i;
            break;
        }
        packet->body_bytes += forge_entry(packet->body + packet->body_bytes, seed);
    }
    frame->body_bytes = packet->body_bytes;
}

static void put_digest(packet_t *packet, paxos_frame_t *frame) {
    const uint64_t slot = frame->kind == PAXOS_FRAME_FORWARD ? 1 : frame->slot;
    const uint8_t *entry = packet->body;
    frame->digest = 0;
    for (uint32_t i = 0; i < frame->count; i++) {
        frame->digest += paxos_digest_term(slot + i, paxos_get32(entry));
        entry += paxos_entry_bytes(paxos_get32(entry + 4));
    }
}

/* The fields that a page of a promise, or of learned entries, has. */
static void put_page(
    input_t *input, const target_t *target, packet_t *packet, paxos_frame_t *frame) {
    const uint8_t how = input_byte(input);
    frame->state = how % 5;
    frame->slot = near_slot(input, target);
    frame->watermark = near_slot(input, target) - 1;
    frame->trim = how >= 128 ? near_slot(input, target) - 1 : 0;
    if (frame->kind == PAXOS_FRAME_LEARNED) {
        frame->state = how % 2 == 0 ? PAXOS_RUN_CHOSEN : PAXOS_RUN_TRIMMED;
        frame->flags = how & 4u ? PAXOS_FLAG_PAUSE : 0;
    } else {
        frame->flags = how >> 3 & 3u;
        if (frame->flags == 3) { frame->flags = 0; }
    }
    if (frame->state == PAXOS_RUN_ACCEPTED) {
        frame->other = paxos_ballot(input_number(input), (uint16_t)(1u + input_byte(input) % 3));
    }
    if (frame->state == PAXOS_RUN_ACCEPTED || frame->state == PAXOS_RUN_CHOSEN) {
        put_body(input, packet, frame);
        put_digest(packet, frame);
    } else {
        frame->count = (uint32_t)input_number(input);
    }
}

/* The fields that each kind has. */
static void put_fields(
    input_t *input, const target_t *target, packet_t *packet, paxos_frame_t *frame) {
    switch (frame->kind) {
        case PAXOS_FRAME_PREPARE:
            frame->slot = near_slot(input, target);
            frame->digest = target->fingerprint;
            break;
        case PAXOS_FRAME_PROMISE:
        case PAXOS_FRAME_LEARNED: put_page(input, target, packet, frame); break;
        case PAXOS_FRAME_REJECTED:
            frame->slot = near_slot(input, target);
            frame->state = PAXOS_REASON_STALE;
            frame->other = frame->ballot + ((uint64_t)1 << 16) * input_number(input) + 1;
            break;
        case PAXOS_FRAME_ACCEPT:
            frame->slot = near_slot(input, target);
            frame->watermark = near_slot(input, target) - 1;
            frame->trim = input_byte(input) % 4 == 0 ? near_slot(input, target) - 1 : 0;
            frame->flags = input_byte(input) & PAXOS_FLAG_VOTED;
            put_body(input, packet, frame);
            put_digest(packet, frame);
            break;
        case PAXOS_FRAME_ACCEPTED:
            frame->slot = near_slot(input, target);
            frame->watermark = near_slot(input, target) - 1;
            frame->count = (uint32_t)input_number(input);
            frame->digest = input_byte(input) == 0 ? 0 : input_word(input, 8);
            break;
        case PAXOS_FRAME_COMMIT:
            frame->watermark = near_slot(input, target) - 1;
            frame->trim = input_byte(input) % 4 == 0 ? near_slot(input, target) - 1 : 0;
            break;
        case PAXOS_FRAME_HEARTBEAT:
        case PAXOS_FRAME_HEARTBEAT_REPLY: {
            const uint8_t how = input_byte(input);
            frame->flags = how & (PAXOS_FLAG_QUORUM | PAXOS_FLAG_MEMORY);
            frame->watermark = near_slot(input, target) - 1;
            frame->nonce = input_number(input);
            frame->digest = target->fingerprint;
            frame->other = paxos_ballot(input_number(input), frame->sender);
            if (frame->kind == PAXOS_FRAME_HEARTBEAT && (how & PAXOS_FLAG_LEADING) != 0) {
                frame->flags |= PAXOS_FLAG_LEADING;
                frame->trim = how >= 128 ? near_slot(input, target) - 1 : 0;
            } else if (frame->kind == PAXOS_FRAME_HEARTBEAT) {
                frame->ballot = 0;
            }
            break;
        }
        case PAXOS_FRAME_LEARN:
            frame->slot = near_slot(input, target);
            frame->count = (uint32_t)input_number(input);
            break;
        case PAXOS_FRAME_FORWARD:
            put_body(input, packet, frame);
            put_digest(packet, frame);
            break;
        default: /* REFUSED */
            frame->state = PAXOS_REASON_NOT_LEADER + (input_byte(input) & 1u);
            frame->nonce = input_number(input);
            frame->count = (uint32_t)input_number(input);
            frame->other = paxos_ballot(input_number(input), frame->sender);
            break;
    }
}

/* The ballot that a kind names: the sender's own, or that of the node asked. */
static uint64_t ballot_of(input_t *input, const target_t *target, uint8_t kind, uint16_t sender) {
    const uint8_t number = input_byte(input);
    /* From 0xF0 on, what stands now: those frames are the ones that count. */
    const uint64_t round = number < 0xF0 ? number : target->promised >> 16;
    switch (kind) {
        case PAXOS_FRAME_PREPARE:
        case PAXOS_FRAME_ACCEPT:
        case PAXOS_FRAME_COMMIT:
        case PAXOS_FRAME_HEARTBEAT: return paxos_ballot(round, sender);
        case PAXOS_FRAME_LEARN:
        case PAXOS_FRAME_LEARNED: return 0;
        default: return paxos_ballot(round, target->node);
    }
}

void forge_frame(input_t *input, const target_t *target, packet_t *packet) {
    const uint8_t kind = input_byte(input);
    paxos_frame_t frame = {
        .kind = (uint8_t)(1u + kind % PAXOS_FRAME_KIND_MAX),
        .receiver = target->node,
        .group = target->group,
        .incarnation = 1,
        .cluster = target->cluster};
    frame.sender = (uint16_t)(1u + kind / PAXOS_FRAME_KIND_MAX % target->member_count);
    if (frame.sender == target->node) { frame.sender = (uint16_t)(frame.sender % 3 + 1); }
    memset(packet, 0, sizeof *packet);
    frame.ballot = ballot_of(input, target, frame.kind, frame.sender);
    put_fields(input, target, packet, &frame);
    frame.body_bytes = packet->body_bytes;
    paxos_frame_put(packet->header, &frame);
    packet->header_bytes = PAXOS_FRAME_HEADER_BYTES;
}

void forge_checksum(uint8_t *header) {
    paxos_put32(header, paxos_crc32c(0, header + 4, PAXOS_FRAME_HEADER_BYTES - 4));
}

void forge_damage(input_t *input, packet_t *packet) {
    const uint8_t how = input_byte(input);
    const uint8_t place = input_byte(input);
    const uint8_t mask = input_byte(input);
    switch (how % 6) {
        case 0: packet->header[place % PAXOS_FRAME_HEADER_BYTES] ^= mask; break;
        case 1: packet->body[place * 2u % FORGE_BODY_BYTES] ^= mask; break;
        case 2: packet->header_bytes -= mask % (PAXOS_FRAME_HEADER_BYTES + 1); break;
        case 3:
            if (mask < packet->body_bytes) { packet->body_bytes -= mask; }
            break;
        default: /* a whole field, so that its checksum is the only thing right about it */
            paxos_put64(
                packet->header + place % 12 * 8, paxos_get64(packet->header + place % 12 * 8) +
                                                     (how & 8u ? input_number(input) : mask));
    }
    if (how >= 64) { forge_checksum(packet->header); }
}
