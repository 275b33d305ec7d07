/* hot_frame.h - what is done with every frame, inlined: verify its header and its run.
 *
 * Internal to the library. frame.c has what is rare.
 * Threads  any. */
#ifndef PAXOS_HOT_FRAME_H
#define PAXOS_HOT_FRAME_H

#include "paxos/frame_rules.h"
#include "paxos/hot_entry.h"
#include "paxos/hot_header.h"

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/*@ // No word of the header at p has a bit that the rule forbids.
    predicate paxos_frame_allowed{L}(uint8_t *p, paxos_rule_t *rule) =
        \forall integer i; 0 <= i < PAXOS_WORDS ==>
            (paxos_le64(p + (24 + 8 * i)) & rule->forbidden[i]) == 0; */

/* Whether a word, from the one numbered `first` on, has a bit that its kind does not allow. */
/*@ requires \valid_read(bytes + (0 .. 95)) && \valid_read(rule) && first <= PAXOS_WORDS;
    assigns \nothing;
    ensures \result <==> \exists integer i; first <= i < PAXOS_WORDS &&
            (paxos_le64(bytes + (24 + 8 * i)) & rule->forbidden[i]) != 0;
    ensures first == 0 ==> (\result <==> !paxos_frame_allowed(bytes, rule)); */
PAXOS_HOT static inline bool paxos_has_foreign_bits(
    const paxos_rule_t *rule, const uint8_t *bytes, uint32_t first) {
    uint64_t foreign = 0;
    /*@ loop invariant first <= i <= PAXOS_WORDS;
        loop invariant foreign == 0 <==> \forall integer j; first <= j < i ==>
            (paxos_le64(bytes + (24 + 8 * j)) & rule->forbidden[j]) == 0;
        loop assigns i, foreign;
        loop variant PAXOS_WORDS - i; */
    for (uint32_t i = first; i < PAXOS_WORDS; i++) {
        foreign |= paxos_get64_scalar(bytes + 24 + 8 * (size_t)i) & PAXOS_FORBIDDEN(rule, i);
    }
    return foreign != 0;
}

/* Magic, version and kind, as they stand at offset 4 of a header. */
#define PAXOS_FRAME_MARK(kind) \
    (PAXOS_FRAME_MAGIC + 0x10000u * PAXOS_WIRE_VERSION + 0x1000000u * (kind))

/* The checksum that a header should have. Whoever verifies one computes this first and does other
 * checks meanwhile: it is one long chain of instructions that wait for each other. */
/*@ requires \valid_read(bytes + (0 .. 95));
    assigns \nothing;
    ensures \result == paxos_crc(0, bytes + 4, 92); */
PAXOS_HOT static inline uint32_t paxos_header_checksum(const uint8_t *bytes) {
    return paxos_crc32c_words(0, bytes + 4, PAXOS_FRAME_HEADER_BYTES - 4);
}

/* Whether magic, version, unused bits and checksum of a header are right for this kind. */
/*@ requires \valid_read(bytes + (0 .. 95)) && \valid_read(rule) && kind <= 255;
    requires checksum == paxos_crc(0, bytes + 4, 92);
    assigns \nothing;
    ensures \result <==> paxos_frame_sealed(bytes) && bytes[7] == kind &&
            paxos_frame_allowed(bytes, rule); */
PAXOS_HOT static inline bool paxos_header_is(
    const uint8_t *bytes, uint32_t kind, const paxos_rule_t *rule, uint32_t checksum) {
    return paxos_get32(bytes + 4) == PAXOS_FRAME_MARK(kind) &&
           !paxos_has_foreign_bits(rule, bytes, 0) && checksum == paxos_get32(bytes);
}

/* As paxos_run_verify, with a run of one entry inlined; a longer one is worth the call. */
PAXOS_MUST_USE PAXOS_HOT static inline paxos_status_t paxos_run_verify_hot(
    const uint8_t *bytes, size_t length_bytes, uint64_t first_slot, uint32_t count,
    uint32_t value_bytes_max, uint64_t *digest_out) {
    if (count != 1) {
        return paxos_run_verify(
            bytes, length_bytes, first_slot, count, value_bytes_max, digest_out);
    }
    uint32_t entry_bytes = 0;
    const paxos_status_t status =
        paxos_entry_verify(bytes, length_bytes, value_bytes_max, &entry_bytes);
    if (PAXOS_UNLIKELY(status != PAXOS_OK || entry_bytes != length_bytes)) {
        return PAXOS_ERR_WIRE;
    }
    *digest_out = paxos_digest_term(first_slot, paxos_get32(bytes));
    return PAXOS_OK;
}

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
