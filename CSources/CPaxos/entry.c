/* entry.c - see entry.h. */
#include "paxos/entry.h"

uint32_t paxos_entry_put(uint8_t *out, paxos_entry_t entry, const uint8_t *value) {
    PAXOS_ASSERT(entry.value_bytes <= PAXOS_VALUE_BYTES_MAX);
    return paxos_entry_write(out, &entry, value);
}
