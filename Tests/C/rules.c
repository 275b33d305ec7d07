/* rules.c - built for size, a rule of frame.c says of every bit of a header what it says built for
 * speed. Linked with frame.c built for size, whose functions are renamed: small_frame_decode. */
#include <stdio.h>
#include <string.h>

#include "paxos/crc32c.h"
#include "paxos/hot_header.h"

paxos_status_t small_frame_decode(const uint8_t *bytes, size_t length_bytes, paxos_frame_t *frame);

static int decodings, accepted;

/* Whether both say the same of a header, whose checksum is set right first. */
static bool agree(uint8_t *header) {
    paxos_frame_t frame;
    paxos_put32(header, paxos_crc32c(0, header + 4, PAXOS_FRAME_HEADER_BYTES - 4));
    const paxos_status_t status = paxos_frame_decode(header, PAXOS_FRAME_HEADER_BYTES, &frame);
    decodings += 1;
    accepted += status == PAXOS_OK;
    return status == small_frame_decode(header, PAXOS_FRAME_HEADER_BYTES, &frame);
}

/* Of one kind, headers with and without what a kind may need or refuse, and each of them with any
 * one bit flipped. */
static bool agree_on_kind(uint8_t kind, uint16_t state, uint32_t body_bytes, bool is_answer) {
    paxos_frame_t frame = {
        .kind = kind,
        .sender = 1,
        .receiver = 2,
        .state = state,
        .count = 1,
        .body_bytes = body_bytes,
        .cluster = 1,
        .group = 1,
        .incarnation = 1,
        .ballot = is_answer ? 0x10002 : 0x10001,
        .slot = 1,
        .digest = 1};
    uint8_t header[PAXOS_FRAME_HEADER_BYTES];
    bool good = true;
    for (uint32_t used = 0; used < 32; used++) {
        frame.ballot = (used & 1) != 0 ? frame.ballot : 0;
        frame.slot = (used & 2) != 0;
        frame.count = (used & 4) != 0;
        frame.digest = (used & 8) != 0;
        frame.other = (used & 16) != 0 ? 0x20001 : 0;
        paxos_frame_put(header, &frame);
        good = agree(header) && good;
        for (uint32_t bit = 32; bit < 8 * PAXOS_FRAME_HEADER_BYTES; bit++) {
            header[bit / 8] ^= (uint8_t)(1u << bit % 8);
            good = agree(header) && good;
            header[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        frame.ballot = is_answer ? 0x10002 : 0x10001;
    }
    return good;
}

int main(void) {
    bool good = true;
    for (uint32_t kind = 0; kind <= PAXOS_FRAME_KIND_MAX + 1; kind++) {
        for (uint16_t state = 0; state <= 8; state++) {
            for (uint32_t body_bytes = 0; body_bytes <= 24; body_bytes += 24) {
                good = agree_on_kind((uint8_t)kind, state, body_bytes, false) && good;
                good = agree_on_kind((uint8_t)kind, state, body_bytes, true) && good;
            }
        }
    }
    printf(
        "rules for size and for speed: %s on %d headers, %d of them good\n",
        good ? "the same" : "NOT the same", decodings, accepted);
    return good && accepted > 1000 ? 0 : 1;
}
