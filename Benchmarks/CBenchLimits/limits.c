/* limits.c - see bench_limits.h. */
#include "bench_limits.h"

#include <string.h>

#include "paxos/hot_frame.h"

size_t bench_round_bytes(const bench_recipe_t *recipe) {
    return (size_t)recipe->batch * paxos_entry_bytes(recipe->value_bytes);
}

/* The next term of a run's digest, which its frame's header carries and each receiver compares: it
 * binds the entries' checksums to their slots, so no frame of entries goes without. */
static uint64_t digest_term(uint64_t *factor, uint32_t checksum) {
    const uint64_t term = paxos_digest_product(*factor, checksum);
    *factor += PAXOS_DIGEST_STEP;
    return term;
}

/* Header, value, padding and checksum of each entry, as the maker writes them into its own ring.
 * Returns the digest, if one is wanted. */
static uint64_t make(
    const bench_room_t *room, const bench_recipe_t *recipe, uint8_t *to, uint64_t n) {
    const uint32_t bytes = paxos_entry_bytes(recipe->value_bytes);
    const bool digests = recipe->digests;
    uint64_t factor = n;
    uint64_t digest = 0;
    for (uint32_t i = 0; i < recipe->batch; i++) {
        paxos_put64(to + bytes - 8, 0);
        paxos_put32(to + 4, recipe->value_bytes);
        paxos_put64(to + 8, 1);
        paxos_put64(to + 16, n + i);
        memcpy(to + PAXOS_ENTRY_HEADER_BYTES, room->values, recipe->value_bytes);
        const uint32_t checksum = paxos_crc32c_words(0, to + 4, bytes - 4);
        paxos_put32(to, checksum);
        if (digests) { digest += digest_term(&factor, checksum); }
        to += bytes;
    }
    return digest;
}

/* The number of bad entries, and the digest, if one is wanted. */
static uint64_t verify(const bench_recipe_t *recipe, const uint8_t *from, uint64_t n) {
    const uint32_t bytes = paxos_entry_bytes(recipe->value_bytes);
    const bool digests = recipe->digests;
    uint64_t bad = 0;
    uint64_t factor = n;
    uint64_t digest = 0;
    for (uint32_t i = 0; i < recipe->batch; i++) {
        const uint32_t checksum = paxos_get32(from);
        bad += paxos_crc32c_words(0, from + 4, bytes - 4) != checksum;
        if (digests) { digest += digest_term(&factor, checksum); }
        from += bytes;
    }
    return bad + digest;
}

/* Frame headers: made in a small ring, verified where they stand. */
enum { HEADERS = 64 };

static uint64_t headers(uint8_t *ring, const bench_recipe_t *recipe, uint64_t n) {
    uint64_t bad = 0;
    for (uint32_t i = 0; i < recipe->header_makes; i++) {
        uint8_t *header = ring + (n + i) % HEADERS * PAXOS_FRAME_HEADER_BYTES;
        for (uint32_t at = 8; at < PAXOS_FRAME_HEADER_BYTES; at += 8) {
            paxos_put64(header + at, n);
        }
        paxos_put32(header + 4, recipe->batch);
        paxos_put32(header, paxos_crc32c_words(0, header + 4, PAXOS_FRAME_HEADER_BYTES - 4));
    }
    for (uint32_t i = 0; i < recipe->header_takes; i++) {
        const uint8_t *header = ring + (n + i) % HEADERS * PAXOS_FRAME_HEADER_BYTES;
        bad +=
            paxos_crc32c_words(0, header + 4, PAXOS_FRAME_HEADER_BYTES - 4) != paxos_get32(header);
    }
    return bad;
}

uint64_t bench_limit_run(const bench_room_t *room, const bench_recipe_t *recipe, uint64_t rounds) {
    uint8_t header_ring[HEADERS * PAXOS_FRAME_HEADER_BYTES];
    memset(header_ring, 0, sizeof header_ring);
    const size_t bytes = bench_round_bytes(recipe);
    const uint32_t entry_bytes = paxos_entry_bytes(recipe->value_bytes);
    uint64_t sum = 0;
    size_t offset = 0;
    for (uint64_t n = 0; n < rounds; n++) {
        if (offset + bytes > room->ring_bytes) { offset = 0; }
        uint8_t *made = room->rings + offset;
        if (recipe->makes > 0) { sum += make(room, recipe, made, n); }
        uint8_t *ring = made;
        for (uint32_t i = 0; i < recipe->takes; i++) {
            ring += room->ring_bytes;
            sum += verify(recipe, made, n);
            memcpy(ring, made, bytes);
        }
        for (uint32_t i = 0; i < recipe->looks; i++) { sum += verify(recipe, made, n); }
        for (uint32_t i = 0; i < recipe->copies; i++) {
            ring += room->ring_bytes;
            for (size_t at = 0; at < bytes; at += entry_bytes) {
                memcpy(ring + at, made + at, entry_bytes);
            }
        }
        sum += headers(header_ring, recipe, n);
        offset += bytes;
    }
    return sum + header_ring[0] + room->rings[0];
}

uint64_t bench_limit_read(const uint8_t *bytes, size_t length_bytes, uint64_t rounds) {
    uint64_t sum = 0;
    for (uint64_t n = 0; n < rounds; n++) {
        uint64_t word = n;
        size_t at = 0;
        for (; length_bytes - at >= 8; at += 8) { word += paxos_get64(bytes + at); }
        for (; at < length_bytes; at++) { word += bytes[at]; }
        sum ^= word;
    }
    return sum;
}
