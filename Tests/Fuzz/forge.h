/* forge.h - frames made from an input: well-formed by default, so that the fuzzer gets behind the
 * checksums, and broken in every way where the input says so. */
#ifndef FUZZ_FORGE_H
#define FUZZ_FORGE_H

#include "fuzz.h"
#include "paxos.h"
#include "paxos/hot_frame.h"

enum { FORGE_BODY_BYTES = 512, FORGE_VALUE_BYTES = 72, FORGE_COUNT = 16 };

typedef struct packet {
    uint8_t header[PAXOS_FRAME_HEADER_BYTES];
    uint8_t body[FORGE_BODY_BYTES];
    uint32_t header_bytes;
    uint32_t body_bytes;
} packet_t;

/* Whom a frame is for, and the slots about which frames are worth to be. */
typedef struct target {
    uint64_t cluster;
    uint64_t fingerprint;
    uint64_t slot;
    uint64_t promised;
    uint32_t group;
    uint16_t node;
    uint16_t member_count;
} target_t;

/* One entry; the same byte gives the same entry. Returns its length. */
uint32_t forge_entry(uint8_t *out, uint8_t seed);

/* A frame of the input's choice. */
void forge_frame(input_t *input, const target_t *target, packet_t *packet);

/* Change a packet as the input says: a byte, its length; with or without a right checksum. */
void forge_damage(input_t *input, packet_t *packet);

/* Write the checksum that a header should have. */
void forge_checksum(uint8_t *header);

#endif
