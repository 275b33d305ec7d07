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

#include "paxos/ballot.h"
#include "paxos/base.h"
#include "paxos/bytes.h"
#include "paxos/crc32c.h"

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

/*@ // The header at p says what is in *f, each field in its place.
    predicate paxos_frame_head{L}(uint8_t *p, paxos_frame_t *f) =
        p[7] == f->kind && paxos_le64(p + 8) == f->cluster &&
        paxos_le32(p + 16) == f->group && paxos_le32(p + 20) == f->incarnation;
    predicate paxos_frame_run{L}(uint8_t *p, paxos_frame_t *f) =
        paxos_le16(p + 24) == f->sender && paxos_le16(p + 26) == f->receiver &&
        paxos_le16(p + 28) == f->flags && paxos_le16(p + 30) == f->state &&
        paxos_le32(p + 32) == f->count && paxos_le32(p + 36) == f->body_bytes &&
        paxos_le64(p + 40) == f->ballot && paxos_le64(p + 48) == f->slot;
    predicate paxos_frame_rest{L}(uint8_t *p, paxos_frame_t *f) =
        paxos_le64(p + 56) == f->watermark && paxos_le64(p + 64) == f->nonce &&
        paxos_le64(p + 72) == f->digest && paxos_le64(p + 80) == f->other &&
        paxos_le64(p + 88) == f->trim;
    predicate paxos_frame_at{L}(uint8_t *p, paxos_frame_t *f) =
        paxos_frame_head(p, f) && paxos_frame_run(p, f) && paxos_frame_rest(p, f);

    // It is marked as a frame of this version, and has the checksum that it must have.
    predicate paxos_frame_marked{L}(uint8_t *p) =
        paxos_le16(p + 4) == PAXOS_FRAME_MAGIC && p[6] == PAXOS_WIRE_VERSION;
    predicate paxos_frame_sealed{L}(uint8_t *p) =
        paxos_frame_marked(p) && paxos_le32(p) == paxos_crc(0, p + 4, 92); */

/* paxos_frame_put in three parts, because all at once are too many for a prover. In words of 8, as
 * the checksum reads them back: see paxos_crc32c_words. */
/*@ requires \valid(out + (4 .. 23)) && \valid_read(frame) && \separated(out + (4 .. 23), frame);
    assigns out[4 .. 23];
    ensures paxos_frame_marked(out) && paxos_frame_head(out, frame); */
PAXOS_HOT static inline void paxos_frame_put_head(uint8_t *out, const paxos_frame_t *frame) {
    const uint16_t kind = (uint16_t)(PAXOS_WIRE_VERSION + 0x100u * frame->kind);
    paxos_put32(out + 4, paxos_pair16(PAXOS_FRAME_MAGIC, kind));
    //@ assert kind == PAXOS_WIRE_VERSION + 0x100 * frame->kind;
    //@ assert paxos_le32(out + 4) == paxos_le16(out + 4) + 0x10000 * paxos_le16(out + 6);
    //@ assert paxos_frame_marked(out) && out[7] == frame->kind;
    paxos_put64(out + 8, frame->cluster);
    paxos_put64(out + 16, paxos_pair32(frame->group, frame->incarnation));
    //@ assert paxos_le32(out + 16) == frame->group && paxos_le32(out + 20) == frame->incarnation;
}

/*@ requires \valid(out + (24 .. 55)) && \valid_read(frame) && \separated(out + (24 .. 55), frame);
    assigns out[24 .. 55];
    ensures paxos_frame_run(out, frame); */
PAXOS_HOT static inline void paxos_frame_put_run(uint8_t *out, const paxos_frame_t *frame) {
    const uint32_t nodes = paxos_pair16(frame->sender, frame->receiver);
    const uint32_t state = paxos_pair16(frame->flags, frame->state);
    paxos_put64(out + 24, paxos_pair32(nodes, state));
    //@ assert paxos_le32(out + 24) == nodes && paxos_le32(out + 28) == state;
    //@ assert nodes == paxos_le16(out + 24) + 0x10000 * paxos_le16(out + 26);
    //@ assert state == paxos_le16(out + 28) + 0x10000 * paxos_le16(out + 30);
    //@ assert paxos_le16(out + 24) == frame->sender && paxos_le16(out + 26) == frame->receiver;
    //@ assert paxos_le16(out + 28) == frame->flags && paxos_le16(out + 30) == frame->state;
    paxos_put64(out + 32, paxos_pair32(frame->count, frame->body_bytes));
    //@ assert paxos_le32(out + 32) == frame->count && paxos_le32(out + 36) == frame->body_bytes;
    paxos_put64(out + 40, frame->ballot);
    paxos_put64(out + 48, frame->slot);
}

/*@ requires \valid(out + (56 .. 95)) && \valid_read(frame) && \separated(out + (56 .. 95), frame);
    assigns out[56 .. 95];
    ensures paxos_frame_rest(out, frame); */
PAXOS_HOT static inline void paxos_frame_put_rest(uint8_t *out, const paxos_frame_t *frame) {
    paxos_put64(out + 56, frame->watermark);
    paxos_put64(out + 64, frame->nonce);
    paxos_put64(out + 72, frame->digest);
    paxos_put64(out + 80, frame->other);
    paxos_put64(out + 88, frame->trim);
}

/* Write a header. Pre: the fields obey WIRE.md. Post: 96 bytes at `out`. Cost O(1). */
/*@ requires \valid(out + (0 .. 95)) && \valid_read(frame) && \separated(out + (0 .. 95), frame);
    assigns out[0 .. 95];
    ensures paxos_frame_at(out, frame);
    ensures paxos_frame_sealed(out); */
PAXOS_HOT static inline void paxos_frame_put(uint8_t *out, const paxos_frame_t *frame) {
    paxos_frame_put_head(out, frame);
    paxos_frame_put_run(out, frame);
    paxos_frame_put_rest(out, frame);
    //@ assert paxos_frame_marked(out);
    //@ assert paxos_frame_head(out, frame);
    //@ assert paxos_frame_run(out, frame);
    paxos_put32(out, paxos_crc32c_words(0, out + 4, PAXOS_FRAME_HEADER_BYTES - 4));
    //@ assert paxos_frame_marked(out);
    //@ assert paxos_frame_head(out, frame);
    //@ assert paxos_frame_run(out, frame);
}

/* A word of a header, loaded as it was stored: two at once wait for both to reach the cache. */
/*@ requires \valid_read(bytes + (0 .. 7));
    assigns \nothing;
    ensures \result == paxos_le64(bytes); */
PAXOS_HOT static inline uint64_t paxos_get64_scalar(const uint8_t *bytes) {
    uint64_t word = paxos_get64(bytes);
    PAXOS_SCALAR(word);
    return word;
}

/* Read the fields of a header whose checksum was verified before. Cost O(1). */
/*@ requires \valid_read(bytes + (0 .. 95)) && \valid(frame);
    requires \separated(bytes + (0 .. 95), frame);
    assigns *frame;
    ensures paxos_frame_at(bytes, frame); */
PAXOS_HOT static inline void paxos_frame_read(const uint8_t *bytes, paxos_frame_t *frame) {
    frame->kind = bytes[7];
    frame->cluster = paxos_get64(bytes + 8);
    frame->group = paxos_get32(bytes + 16);
    frame->incarnation = paxos_get32(bytes + 20);
    frame->sender = paxos_get16(bytes + 24);
    frame->receiver = paxos_get16(bytes + 26);
    frame->flags = paxos_get16(bytes + 28);
    frame->state = paxos_get16(bytes + 30);
    frame->count = paxos_get32(bytes + 32);
    frame->body_bytes = paxos_get32(bytes + 36);
    frame->ballot = paxos_get64_scalar(bytes + 40);
    frame->slot = paxos_get64_scalar(bytes + 48);
    frame->watermark = paxos_get64_scalar(bytes + 56);
    frame->nonce = paxos_get64_scalar(bytes + 64);
    frame->digest = paxos_get64_scalar(bytes + 72);
    frame->other = paxos_get64_scalar(bytes + 80);
    frame->trim = paxos_get64_scalar(bytes + 88);
}

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

#endif
