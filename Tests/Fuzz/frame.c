/* frame.c - fuzz target: the decoder of frame headers takes exactly what an encoder produces.
 *
 * Input: a byte of choices, then up to 96 bytes of a header, or less than that. */
#include "forge.h"
#include "fuzz.h"

/* What was taken is the encoding of what was read, and no flipped bit of it is taken. */
static void check_taken(const uint8_t *header, const paxos_frame_t *frame, uint8_t flip) {
    uint8_t again[PAXOS_FRAME_HEADER_BYTES];
    paxos_frame_put(again, frame);
    CHECK(memcmp(again, header, sizeof again) == 0);
    CHECK(frame->kind >= PAXOS_FRAME_PREPARE && frame->kind <= PAXOS_FRAME_KIND_MAX);
    CHECK(frame->cluster != 0 && frame->incarnation != 0);
    CHECK(frame->sender != 0 && frame->receiver != 0);
    CHECK(frame->body_bytes % 8 == 0 && frame->body_bytes <= PAXOS_FRAME_BODY_BYTES_MAX);
    CHECK(frame->slot < PAXOS_SLOT_MAX && frame->watermark < PAXOS_SLOT_MAX);
    CHECK(frame->trim < PAXOS_SLOT_MAX);
    CHECK((frame->body_bytes == 0) || frame->count != 0);
    for (uint32_t at = 0; at < PAXOS_FRAME_HEADER_BYTES; at++) {
        paxos_frame_t other;
        again[at] ^= (uint8_t)(1u << (flip & 7u));
        CHECK(paxos_frame_decode(again, sizeof again, &other) == PAXOS_ERR_WIRE);
        again[at] ^= (uint8_t)(1u << (flip & 7u));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) { return 0; }
    const uint8_t how = data[0];
    const size_t header_bytes = size - 1 < 2 * PAXOS_FRAME_HEADER_BYTES ? size - 1 : 0;
    uint8_t *header = malloc(header_bytes == 0 ? 1 : header_bytes); /* no byte more than was said */
    CHECK(header != NULL);
    memcpy(header, data + 1, header_bytes);
    paxos_cpu_force_portable((how & 0x10u) != 0);
    if (how >= 32 && header_bytes >= PAXOS_FRAME_HEADER_BYTES) {
        paxos_put32(
            header + 4, PAXOS_FRAME_MAGIC | PAXOS_WIRE_VERSION << 16 | (uint32_t)header[7] << 24);
        forge_checksum(header);
    }
    paxos_frame_t frame;
    const paxos_status_t status = paxos_frame_decode(header, header_bytes, &frame);
    CHECK(status == PAXOS_OK || status == PAXOS_ERR_WIRE);
    CHECK(status == PAXOS_ERR_WIRE || header_bytes >= PAXOS_FRAME_HEADER_BYTES);
    if (status == PAXOS_OK) { check_taken(header, &frame, how); }
    free(header);
    return 0;
}
