/* frame.h - the fixed header of every message and every journal record: 96 bytes, little-endian.
 *
 *   0  u32 checksum     CRC32C of bytes 4..95
 *   4  u16 magic        0x5850, "PX"
 *   6  u8  version      PAXOS_WIRE_VERSION
 *   7  u8  kind         paxos_frame_kind
 *   8  u64 cluster      which cluster ...
 *  16  u32 group        ... and which of its groups
 *  20  u32 incarnation  the sender's
 *  24  u16 sender       node
 *  26  u16 receiver     node
 *  28  u16 flags        PAXOS_FLAG_*
 *  30  u16 state        paxos_run_state or paxos_reason
 *  32  u32 count        slots in the run
 *  36  u32 body_bytes   entries that follow the header
 *  40  u64 ballot
 *  48  u64 slot         first of the run
 *  56  u64 watermark    the sender's decided watermark
 *  64  u64 nonce        heartbeat round, proposal number, or lsn
 *  72  u64 digest       of the run (see entry.h), or the fingerprint of the configuration
 *  80  u64 other        a second ballot
 *  88  u64 trim         trim point
 *
 * WIRE.md says which kind uses which field; a field that a kind does not use is zero, and a decoder
 * refuses it otherwise. The header's checksum covers the digest, the digest covers the checksums of
 * the entries in their slots, and those cover the entries: nothing is left out, nothing done twice.
 * Threads  any.
 * Source   the messages of Lamport, "Paxos Made Simple" (2001), sections 2.2 and 3. */
#ifndef PAXOS_FRAME_H
#define PAXOS_FRAME_H

#include "paxos/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PAXOS_FRAME_HEADER_BYTES 96u
#define PAXOS_FRAME_MAGIC 0x5850u
#define PAXOS_FRAME_BODY_BYTES_MAX (PAXOS_FRAME_BYTES_MAX - PAXOS_FRAME_HEADER_BYTES)

enum paxos_frame_kind {
    PAXOS_FRAME_PREPARE = 1,
    PAXOS_FRAME_PROMISE = 2,
    PAXOS_FRAME_REJECTED = 3,
    PAXOS_FRAME_ACCEPT = 4,
    PAXOS_FRAME_ACCEPTED = 5,
    PAXOS_FRAME_COMMIT = 6,
    PAXOS_FRAME_HEARTBEAT = 7,
    PAXOS_FRAME_HEARTBEAT_REPLY = 8,
    PAXOS_FRAME_LEARN = 9,
    PAXOS_FRAME_LEARNED = 10,
    PAXOS_FRAME_FORWARD = 11,
    PAXOS_FRAME_REFUSED = 12,
    PAXOS_FRAME_KIND_MAX = 12,
    /* Journal records: the same header, with the lsn as nonce. They never travel. */
    PAXOS_RECORD_PROMISED = 64, /* ballot                                        */
    PAXOS_RECORD_ENTRIES = 65,  /* ballot, slot, count, entries: accepted        */
    PAXOS_RECORD_BALLOTS = 66,  /* ballot, slot, count: same entries, new ballot */
    PAXOS_RECORD_CHOSEN = 67,   /* slot, count, entries: learned                 */
    PAXOS_RECORD_MARK = 68      /* nothing but what every record says            */
};

enum paxos_run_state {
    PAXOS_RUN_EMPTY = 0,    /* nothing was ever accepted in these slots        */
    PAXOS_RUN_ACCEPTED = 1, /* accepted under the ballot in `other`            */
    PAXOS_RUN_CHOSEN = 2,   /* known to be chosen                              */
    PAXOS_RUN_UNKNOWN = 3,  /* the record was damaged: anything may have stood */
    PAXOS_RUN_TRIMMED = 4   /* chosen, applied and no longer held              */
};

enum paxos_reason {
    PAXOS_REASON_NONE = 0,
    PAXOS_REASON_STALE = 1,      /* a higher ballot is promised                        */
    PAXOS_REASON_CONFLICT = 2,   /* other bytes stand under this very ballot and slot  */
    PAXOS_REASON_NOT_LEADER = 3, /* the ballot named no longer leads, or never did     */
    PAXOS_REASON_FULL = 4,       /* the leader's window, pipeline or arena is full     */
    PAXOS_REASON_LOST = 5        /* outcome unknown: leader changed or no answer came  */
};

#define PAXOS_FLAG_LAST 1u    /* PROMISE: no slot after this run was ever accepted               */
#define PAXOS_FLAG_PAUSE 2u   /* PROMISE, LEARNED: more follows when asked for from the next slot */
#define PAXOS_FLAG_VOTED 4u   /* ACCEPT: the sender's own vote for this run counts already        */
#define PAXOS_FLAG_LEADING 8u /* HEARTBEAT: the sender leads under `ballot`                       */
#define PAXOS_FLAG_QUORUM 16u /* HEARTBEAT, reply: the sender is connected to a quorum            */
#define PAXOS_FLAG_MEMORY 32u /* the sender keeps its votes in memory only                        */
#define PAXOS_FLAG_ABSTAINS \
    64u /* HEARTBEAT, reply, records: the sender votes no more             */
#define PAXOS_FLAG_ROOM \
    128u /* HEARTBEAT_REPLY: there is room again for Accepts that found none   */

typedef struct paxos_frame {
    uint8_t kind;
    uint16_t sender;
    uint16_t receiver;
    uint16_t flags;
    uint16_t state;
    uint32_t group;
    uint32_t incarnation;
    uint32_t count;
    uint32_t body_bytes;
    uint64_t cluster;
    uint64_t ballot;
    uint64_t slot;
    uint64_t watermark;
    uint64_t nonce;
    uint64_t digest;
    uint64_t other;
    uint64_t trim;
} paxos_frame_t;

/* Verify and read a header.
 * Post  PAXOS_OK        *frame holds it; body_bytes and count are plausible, entries unchecked.
 *       PAXOS_ERR_WIRE  length, checksum, magic, version, kind or an unused bit is bad.
 * Cost  O(1). */
PAXOS_MUST_USE paxos_status_t
paxos_frame_decode(const uint8_t *bytes, size_t length_bytes, paxos_frame_t *frame);

/* Verify the entries of a frame's body: exactly `count` of them in exactly `length_bytes`.
 * Post  PAXOS_OK  *digest_out is the digest of the run as it stands in slots first_slot.. on.
 * Cost  O(bytes). */
PAXOS_MUST_USE paxos_status_t paxos_run_verify(
    const uint8_t *bytes, size_t length_bytes, uint64_t first_slot, uint32_t count,
    uint32_t value_bytes_max, uint64_t *digest_out);

#ifdef __cplusplus
}
#endif

#endif
