/* entry.c - see entry.h. */
#include "paxos/hot_entry.h"

uint32_t paxos_entry_put_long(
    uint8_t *out, uint64_t origin_word, uint64_t number, const uint8_t *value,
    uint32_t value_bytes) {
    const uint32_t entry_bytes = paxos_entry_bytes(value_bytes);
    paxos_put32(out + 4, value_bytes);
    paxos_put64(out + 8, origin_word);
    paxos_put64(out + 16, number);
    if (value_bytes > 0) {
        paxos_put64(out + entry_bytes - 8, 0); /* padding, before the value covers most of it */
        paxos_copy(out + PAXOS_ENTRY_HEADER_BYTES, value, value_bytes);
    }
    paxos_put32(out, paxos_crc32c_words(0, out + 4, entry_bytes - 4));
    return entry_bytes;
}

uint32_t paxos_entry_put(uint8_t *out, paxos_entry_t entry, const uint8_t *value) {
    PAXOS_ASSERT(entry.value_bytes <= PAXOS_VALUE_BYTES_MAX);
    return paxos_entry_write(out, &entry, value);
}
