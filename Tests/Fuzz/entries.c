/* entries.c - fuzz target: the verifier of entry runs takes exactly what an encoder produces.
 *
 * Input: a byte of choices, a count, then the run's bytes. Where the choices say so, the checksum
 * of each entry is made right first: then length, kind and padding alone decide. */
#include "forge.h"
#include "fuzz.h"

/* Make the checksum of each entry right, as far as there are entries. */
static void repair(uint8_t *bytes, size_t length_bytes) {
    size_t at = 0;
    while (length_bytes - at >= PAXOS_ENTRY_HEADER_BYTES) {
        const uint32_t value_bytes = paxos_get32(bytes + at + 4);
        const size_t rest = length_bytes - at;
        if (value_bytes > rest || paxos_entry_bytes(value_bytes) > rest) { return; }
        const uint32_t entry_bytes = paxos_entry_bytes(value_bytes);
        paxos_put32(bytes + at, paxos_crc32c(0, bytes + at + 4, entry_bytes - 4));
        at += entry_bytes;
    }
}

/* What was taken is the encoding of what it says, its digest is the sum of its parts, and neither
 * more nor less of it is taken. */
static void check_taken(
    const uint8_t *bytes, size_t length_bytes, uint64_t slot, uint32_t count, uint64_t digest) {
    uint64_t sum = 0;
    size_t at = 0;
    uint8_t *again = malloc(length_bytes + 1);
    CHECK(again != NULL);
    for (uint32_t i = 0; i < count; i++) {
        const paxos_entry_t entry = paxos_entry_get(bytes + at);
        const uint32_t entry_bytes =
            paxos_entry_put(again + at, entry, bytes + at + PAXOS_ENTRY_HEADER_BYTES);
        sum += paxos_digest_term(slot + i, entry.checksum);
        at += entry_bytes;
    }
    CHECK(at == length_bytes && sum == digest);
    CHECK(length_bytes == 0 || memcmp(again, bytes, length_bytes) == 0);
    uint64_t other = 0;
    CHECK(
        paxos_run_verify(bytes, length_bytes, slot, count + 1, PAXOS_VALUE_BYTES_MAX, &other) ==
        PAXOS_ERR_WIRE);
    if (length_bytes > 0) {
        const size_t flipped = (size_t)(digest % length_bytes);
        CHECK(
            paxos_run_verify(bytes, length_bytes - 1, slot, count, PAXOS_VALUE_BYTES_MAX, &other) ==
            PAXOS_ERR_WIRE);
        again[flipped] ^= (uint8_t)(1u << (digest >> 61));
        CHECK(
            paxos_run_verify(again, length_bytes, slot, count, PAXOS_VALUE_BYTES_MAX, &other) ==
            PAXOS_ERR_WIRE);
    }
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint32_t limits[4] = {0, 8, 64, PAXOS_VALUE_BYTES_MAX};
    input_t input = {data, size};
    const uint8_t how = input_byte(&input);
    const uint32_t count = (uint32_t)input_number(&input);
    const uint64_t slot = input_number(&input);
    const size_t length_bytes = input.left;
    uint8_t *run = malloc(length_bytes == 0 ? 1 : length_bytes); /* no byte more than was said */
    CHECK(run != NULL);
    memcpy(run, input.at, length_bytes);
    paxos_cpu_force_portable((how & 4u) != 0);
    if (how >= 64) { repair(run, length_bytes); }
    uint64_t digest = 0;
    const paxos_status_t status =
        paxos_run_verify(run, length_bytes, slot, count, limits[how & 3u], &digest);
    CHECK(status == PAXOS_OK || status == PAXOS_ERR_WIRE);
    if (status == PAXOS_OK) { check_taken(run, length_bytes, slot, count, digest); }
    free(run);
    return 0;
}
