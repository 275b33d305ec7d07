/* entry.c - see entry.h. */
#include "paxos/entry.h"

#include <string.h>

uint32_t paxos_entry_put(uint8_t *out, paxos_entry_t entry, const uint8_t *value) {
    PAXOS_ASSERT(entry.value_bytes <= PAXOS_VALUE_BYTES_MAX);
    const uint32_t entry_bytes = paxos_entry_bytes(entry.value_bytes);
    paxos_put32(out + 4, entry.value_bytes);
    paxos_put64(
        out + 8, (uint64_t)entry.incarnation << 32 | (uint64_t)entry.kind << 16 | entry.node);
    paxos_put64(out + 16, entry.number);
    if (entry.value_bytes > 0) {
        paxos_put64(out + entry_bytes - 8, 0); /* padding, before the value covers most of it */
        memcpy(out + PAXOS_ENTRY_HEADER_BYTES, value, entry.value_bytes);
    }
    paxos_put32(out, paxos_crc32c_words(0, out + 4, entry_bytes - 4));
    return entry_bytes;
}
