/* hot_frame.h - what is done with every frame, inlined: decode a header, verify a run.
 *
 * Internal to the library. frame.c has the rules, and what is rare.
 * Threads  any. */
#ifndef PAXOS_HOT_FRAME_H
#define PAXOS_HOT_FRAME_H

#include "paxos/entry.h"
#include "paxos/frame.h"

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/* A header has so many words of 8 bytes from offset 24 on, where the kinds differ. */
enum { PAXOS_WORDS = 9 };

typedef struct paxos_rule {
    uint64_t forbidden[PAXOS_WORDS];
} paxos_rule_t;

/* The bits that each kind of frame may not have. */
extern const paxos_rule_t paxos_rules[PAXOS_FRAME_KIND_MAX + 1];

/* Whether the fields of a frame of a rarer kind go together. */
bool paxos_frame_is_consistent(const paxos_frame_t *frame);

/* Whether a word has a bit that its kind does not allow. */
static inline bool paxos_has_foreign_bits(const paxos_rule_t *rule, const uint8_t *bytes) {
    uint64_t foreign = 0;
    for (uint32_t i = 0; i < PAXOS_WORDS; i++) {
        foreign |= paxos_get64_scalar(bytes + 24 + 8 * (size_t)i) & rule->forbidden[i];
    }
    return foreign != 0;
}

/* Whether a ballot is that of a node, and none is not. */
static inline bool paxos_is_ballot_of(const paxos_frame_t *frame, uint16_t node) {
    return frame->ballot != 0 && paxos_ballot_node(frame->ballot) == node;
}

/* The kind of a header whose checksum, version and unused bits are right; 0: they are not. */
PAXOS_HOT static inline uint32_t paxos_header_kind(const uint8_t *bytes) {
    const uint32_t start = paxos_get32(bytes + 4);
    const uint32_t kind = start >> 24;
    if (PAXOS_UNLIKELY(
            (start & 0xFFFFFFu) != (PAXOS_FRAME_MAGIC | PAXOS_WIRE_VERSION << 16) ||
            kind > PAXOS_FRAME_KIND_MAX || paxos_has_foreign_bits(&paxos_rules[kind], bytes) ||
            paxos_crc32c_words(0, bytes + 4, PAXOS_FRAME_HEADER_BYTES - 4) != paxos_get32(bytes))) {
        return 0;
    }
    return kind;
}

/* As paxos_frame_decode, which is the exported copy of this. */
PAXOS_MUST_USE static inline paxos_status_t paxos_frame_decode_hot(
    const uint8_t *bytes, paxos_frame_t *frame) {
    if (PAXOS_UNLIKELY(paxos_header_kind(bytes) == 0)) { return PAXOS_ERR_WIRE; }
    paxos_frame_read(bytes, frame);
    const uint32_t nodes = (uint32_t)paxos_get64_scalar(bytes + 24);
    if (PAXOS_UNLIKELY(
            frame->cluster == 0 || frame->incarnation == 0 || (nodes & 0xFFFFu) == 0 ||
            nodes >> 16 == 0 || frame->body_bytes > PAXOS_FRAME_BODY_BYTES_MAX)) {
        return PAXOS_ERR_WIRE;
    }
    const bool consistent = PAXOS_LIKELY(frame->kind == PAXOS_FRAME_ACCEPT)
                                ? paxos_is_ballot_of(frame, frame->sender) && frame->slot != 0 &&
                                      frame->count != 0 && frame->body_bytes != 0
                                : paxos_frame_is_consistent(frame);
    return PAXOS_LIKELY(consistent) ? PAXOS_OK : PAXOS_ERR_WIRE;
}

/* As paxos_run_verify, which is the exported copy of this. */
PAXOS_MUST_USE PAXOS_HOT static inline paxos_status_t paxos_run_verify_hot(
    const uint8_t *bytes, size_t length_bytes, uint64_t first_slot, uint32_t count,
    uint32_t value_bytes_max, uint64_t *digest_out) {
    uint64_t digest = 0;
    size_t offset = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t entry_bytes = 0;
        const paxos_status_t status = paxos_entry_verify(
            bytes + offset, length_bytes - offset, value_bytes_max, &entry_bytes);
        if (PAXOS_UNLIKELY(status != PAXOS_OK)) { return status; }
        digest += paxos_digest_term(first_slot + i, paxos_get32(bytes + offset));
        offset += entry_bytes;
    }
    if (PAXOS_UNLIKELY(offset != length_bytes)) { return PAXOS_ERR_WIRE; }
    *digest_out = digest;
    return PAXOS_OK;
}

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
