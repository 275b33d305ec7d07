/* entry.h - one value with its header: the same bytes on the wire, in memory and in the journal.
 *
 *   0  u32 checksum     CRC32C of bytes 4.. to the end of the padding
 *   4  u32 value_bytes  length of the value
 *   8  u16 node         origin: who proposed it ...
 *  10  u8  kind         paxos_entry_kind
 *  11  u8  zero
 *  12  u32 incarnation  ... in which of its lives ...
 *  16  u64 number       ... and as its how-manieth proposal
 *  24  value, then zeros up to a multiple of 8
 *
 * Slot and ballot are not here: they belong to the frame or record that binds a run of entries,
 * which is why an entry can be sent again under another ballot without being touched.
 * Threads  any. */
#ifndef PAXOS_ENTRY_H
#define PAXOS_ENTRY_H

#include "paxos/base.h"
#include "paxos/bytes.h"
#ifdef __FRAMAC__ /* the contracts speak of a checksum, whose header is not installed */
#include "paxos/crc32c.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define PAXOS_ENTRY_HEADER_BYTES 24u

enum paxos_entry_kind {
    PAXOS_ENTRY_NOOP = 0,      /* fills a gap; has no value                          */
    PAXOS_ENTRY_COMMAND = 1,   /* the caller's bytes                                 */
    PAXOS_ENTRY_MEMBERSHIP = 2 /* a change of members; kept for the feature to come  */
};

typedef struct paxos_entry {
    uint32_t checksum;
    uint32_t value_bytes;
    uint16_t node;
    uint8_t kind;
    uint8_t zero;
    uint32_t incarnation;
    uint64_t number;
} paxos_entry_t;

/* Bytes that an entry of so long a value takes, padding included. */
/*@ requires value_bytes <= PAXOS_VALUE_BYTES_MAX;
    assigns \nothing;
    ensures \result == 24 + (value_bytes + 7) / 8 * 8; */
PAXOS_HOT static inline uint32_t paxos_entry_bytes(uint32_t value_bytes) {
    return PAXOS_ENTRY_HEADER_BYTES + (value_bytes + 7u) / 8u * 8u;
}

/* Read the header of an entry whose bytes were verified before. Cost O(1). */
/*@ requires \valid_read(bytes + (0 .. 23));
    assigns \nothing;
    ensures \result.checksum == paxos_le32(bytes);
    ensures \result.value_bytes == paxos_le32(bytes + 4);
    ensures \result.node == paxos_le16(bytes + 8);
    ensures \result.kind == bytes[10];
    ensures \result.zero == bytes[11];
    ensures \result.incarnation == paxos_le32(bytes + 12);
    ensures \result.number == paxos_le64(bytes + 16); */
static inline paxos_entry_t paxos_entry_get(const uint8_t *bytes) {
    paxos_entry_t entry;
    entry.checksum = paxos_get32(bytes);
    entry.value_bytes = paxos_get32(bytes + 4);
    entry.node = paxos_get16(bytes + 8);
    entry.kind = bytes[10];
    entry.zero = bytes[11];
    entry.incarnation = paxos_get32(bytes + 12);
    entry.number = paxos_get64(bytes + 16);
    return entry;
}

/* Write header, value and padding of one entry to `out` (paxos_entry_bytes long) and checksum it.
 * Pre   `value` does not overlap `out`; value_bytes <= PAXOS_VALUE_BYTES_MAX.
 * Post  returns the entry's length in bytes.
 * Cost  O(value_bytes). */
/*@ requires entry.value_bytes <= PAXOS_VALUE_BYTES_MAX;
    requires \valid_read(value + (0 .. entry.value_bytes - 1));
    requires \valid(out + (0 .. 24 + (entry.value_bytes + 7) / 8 * 8 - 1));
    requires \separated(
        out + (0 .. 24 + (entry.value_bytes + 7) / 8 * 8 - 1),
        value + (0 .. entry.value_bytes - 1));
    assigns out[0 .. 24 + (entry.value_bytes + 7) / 8 * 8 - 1];
    ensures \result == 24 + (entry.value_bytes + 7) / 8 * 8;
    ensures checksum: paxos_le32(out) == paxos_crc(0, out + 4, \result - 4);
    ensures value_bytes: paxos_le32(out + 4) == entry.value_bytes;
    ensures node: paxos_le16(out + 8) == entry.node;
    ensures kind: out[10] == entry.kind && out[11] == 0;
    ensures incarnation: paxos_le32(out + 12) == entry.incarnation;
    ensures number: paxos_le64(out + 16) == entry.number;
    ensures value: paxos_equal_bytes(out + 24, value, entry.value_bytes);
    ensures padding: \forall integer i;
            24 + entry.value_bytes <= i < \result ==> out[i] == 0; */
uint32_t paxos_entry_put(uint8_t *out, paxos_entry_t entry, const uint8_t *value);

#ifdef __cplusplus
}
#endif

#endif
