/* frame_rules.h - which bits a header of each kind may have: WIRE.md's table, as masks.
 *
 * Internal to the library. The table of all kinds is in frame.c; the kinds of every commit are
 * here, so that a check of one of them needs no table.
 * Threads  any. */
#ifndef PAXOS_FRAME_RULES_H
#define PAXOS_FRAME_RULES_H

#include "paxos/frame.h"

/* A header has so many words of 8 bytes from offset 24 on, where the kinds differ. */
enum { PAXOS_WORDS = 9 };

#define PAXOS_BITS_FLAGS(flags) ((uint64_t)(flags) << 32)
#define PAXOS_BITS_STATES(mask) ((uint64_t)(mask) << 48)
#define PAXOS_BITS_NODES 0xFFFFFFFFu
#define PAXOS_BITS_COUNT 0xFFFFFFFFu
#define PAXOS_BITS_BODY ((uint64_t)(PAXOS_FRAME_BYTES_MAX * 2 - 8) << 32) /* a multiple of 8 */
#define PAXOS_BITS_ANY UINT64_MAX
#define PAXOS_BITS_SLOT (PAXOS_SLOT_MAX - 1)

/* A rule from what is allowed: the columns are state, count, ballot, slot, watermark, nonce,
 * digest, other and trim, in the order of the header. For speed it is the bits that a kind may not
 * have; for size the flags and states that it may, and which of the masks that there are the
 * other words have: 10 bytes for 72. */
/* clang-format off */
#if PAXOS_SHORT_WAY

typedef struct paxos_rule {
    uint64_t forbidden[PAXOS_WORDS];
} paxos_rule_t;

#define PAXOS_FORBIDDEN(rule, word) ((rule)->forbidden[word])
#define PAXOS_RULE(state, count, ballot, slot, watermark, nonce, digest, other, trim)      \
    {{~(uint64_t)(state), ~(uint64_t)(count), ~(uint64_t)(ballot), ~(uint64_t)(slot),      \
      ~(uint64_t)(watermark), ~(uint64_t)(nonce), ~(uint64_t)(digest), ~(uint64_t)(other), \
      ~(uint64_t)(trim)}}

#else

typedef struct paxos_rule {
    uint8_t flags;
    uint8_t states;
    uint8_t masks[PAXOS_WORDS - 1];
} paxos_rule_t;

static inline uint64_t paxos_rule_forbidden(const paxos_rule_t *rule, uint32_t word) {
    static const uint64_t masks[] = {0, PAXOS_BITS_COUNT, PAXOS_BITS_COUNT | PAXOS_BITS_BODY,
                                     PAXOS_BITS_SLOT, PAXOS_BITS_ANY};
    const uint64_t state = PAXOS_BITS_NODES | PAXOS_BITS_FLAGS(rule->flags) |
                           PAXOS_BITS_STATES(rule->states);
    return ~(word == 0 ? state : masks[rule->masks[word - 1]]);
}

#define PAXOS_FORBIDDEN paxos_rule_forbidden
#define PAXOS_MASK(bits)                                                 \
    ((bits) == 0 ? 0u : (bits) == PAXOS_BITS_COUNT ? 1u :                \
     (bits) == (PAXOS_BITS_COUNT | PAXOS_BITS_BODY) ? 2u : (bits) == PAXOS_BITS_SLOT ? 3u : 4u)
#define PAXOS_RULE(state, count, ballot, slot, watermark, nonce, digest, other, trim)   \
    {(uint8_t)((uint64_t)(state) >> 32), (uint8_t)((uint64_t)(state) >> 48),            \
     {PAXOS_MASK(count), PAXOS_MASK(ballot), PAXOS_MASK(slot), PAXOS_MASK(watermark),   \
      PAXOS_MASK(nonce), PAXOS_MASK(digest), PAXOS_MASK(other), PAXOS_MASK(trim)}}

#endif
/* clang-format on */

#define PAXOS_RULE_ACCEPT                                                                          \
    PAXOS_RULE(                                                                                    \
        PAXOS_BITS_NODES | PAXOS_BITS_FLAGS(PAXOS_FLAG_VOTED), PAXOS_BITS_COUNT | PAXOS_BITS_BODY, \
        PAXOS_BITS_ANY, PAXOS_BITS_SLOT, PAXOS_BITS_SLOT, 0, PAXOS_BITS_ANY, 0, PAXOS_BITS_SLOT)
#define PAXOS_RULE_ACCEPTED                                                                      \
    PAXOS_RULE(                                                                                  \
        PAXOS_BITS_NODES, PAXOS_BITS_COUNT, PAXOS_BITS_ANY, PAXOS_BITS_SLOT, PAXOS_BITS_SLOT, 0, \
        PAXOS_BITS_ANY, 0, 0)

#endif
