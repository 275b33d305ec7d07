/* golden.c - the wire is the same here: every example of WIRE.md, encoded and decoded on the board.
 *
 * What a machine of 64 bits takes for granted, and this one must keep: the layout of what crosses
 * the interface, and sums of 64 bits. */
#include "golden.h"

#include "board.h"
#include "small.h"
#include "string.h"

_Static_assert(sizeof(paxos_entry_t) == 24 && _Alignof(paxos_entry_t) == 8, "as on 64 bits");
_Static_assert(sizeof(paxos_frame_t) == 96 && _Alignof(paxos_frame_t) == 8, "as on 64 bits");
_Static_assert(sizeof(paxos_config_t) == 168 && _Alignof(paxos_config_t) == 8, "as on 64 bits");
_Static_assert(sizeof(paxos_replica_status_t) == 160, "as on 64 bits");
_Static_assert(BLOCK_BYTES % PAXOS_BLOCK_ALIGNMENT == 0, "blocks stand one behind the other");

static _Alignas(PAXOS_BLOCK_ALIGNMENT) uint8_t block[BLOCK_BYTES];

/* Encoding its fields gives these bytes; decoding the bytes, these fields. */
static bool is_frame_good(const golden_frame_t *golden) {
    uint8_t header[PAXOS_FRAME_HEADER_BYTES];
    paxos_frame_put(header, &golden->frame);
    if (memcmp(header, golden->bytes, sizeof header) != 0) { return false; }
    paxos_frame_t frame;
    memset(&frame, 0, sizeof frame);
    paxos_frame_read(golden->bytes, &frame);
    if (memcmp(&frame, &golden->frame, sizeof frame) != 0) { return false; }
    const bool is_record = frame.kind > PAXOS_FRAME_KIND_MAX; /* which never travels */
    const paxos_status_t expected = is_record ? PAXOS_ERR_WIRE : PAXOS_OK;
    if (paxos_frame_decode(golden->bytes, sizeof header, &frame) != expected) { return false; }
    if (golden->frame.body_bytes == 0) { return true; }
    const uint64_t slot = golden->frame.kind == PAXOS_FRAME_FORWARD ? 1 : golden->frame.slot;
    uint64_t digest = 0;
    return golden->count == sizeof header + golden->frame.body_bytes &&
           paxos_run_verify(
               golden->bytes + sizeof header, golden->frame.body_bytes, slot, golden->frame.count,
               VALUE_BYTES, &digest) == PAXOS_OK &&
           digest == golden->frame.digest;
}

static bool is_entry_good(const golden_entry_t *golden) {
    uint8_t bytes[GOLDEN_BYTES_MAX];
    const uint8_t *value = golden->bytes + PAXOS_ENTRY_HEADER_BYTES;
    uint32_t entry_bytes = 0;
    return paxos_entry_put(bytes, golden->entry, value) == golden->count &&
           memcmp(bytes, golden->bytes, golden->count) == 0 &&
           paxos_entry_verify(golden->bytes, golden->count, VALUE_BYTES, &entry_bytes) ==
               PAXOS_OK &&
           entry_bytes == golden->count;
}

/* The block is as long as the constant expression says, and nowhere but where it may stand. */
static bool is_block_good(void) {
    paxos_config_t config;
    paxos_replica_t *replica = NULL;
    small_config(&config, 1);
    return paxos_replica_block_bytes(&config) == sizeof block &&
           paxos_replica_init(block, sizeof block - 1, &config, 0, &replica) == PAXOS_ERR_CONFIG &&
           paxos_replica_init(block + 8, sizeof block, &config, 0, &replica) == PAXOS_ERR_CONFIG &&
           paxos_replica_init(block, sizeof block, &config, 0, &replica) == PAXOS_OK &&
           (uintptr_t)replica == (uintptr_t)block;
}

static int failed(const char *what) {
    board_print("failed: ");
    board_print(what);
    board_print("\n");
    return 1;
}

int main(void) {
    if (paxos_crc32c(0, (const uint8_t *)"123456789", 9) != 0xE3069283u) {
        return failed("checksum");
    }
    for (uint32_t i = 0; i < golden_frame_count; i++) {
        if (!is_frame_good(golden_frames + i)) { return failed(golden_frames[i].name); }
    }
    for (uint32_t i = 0; i < golden_entry_count; i++) {
        if (!is_entry_good(golden_entries + i)) { return failed("ENTRY"); }
    }
    if (!is_block_good()) { return failed("block"); }
    board_print_number(8 * sizeof(size_t));
    board_print(" bits: ");
    board_print_number(golden_frame_count);
    board_print(" headers and ");
    board_print_number(golden_entry_count);
    board_print(" entries of WIRE.md, byte for byte\n");
    return 0;
}
