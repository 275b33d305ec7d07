/* hot_header.h - the header of every frame, inlined: write it, read it, what must be true of it.
 *
 * Internal to the library; frame.h says what stands where, hot_frame.h and frame.c verify.
 * Threads  any. */
#ifndef PAXOS_HOT_HEADER_H
#define PAXOS_HOT_HEADER_H

#include "paxos/ballot.h"
#include "paxos/bytes.h"
#include "paxos/crc32c.h"
#include "paxos/frame.h"

#ifdef __cplusplus
extern "C" {
#endif

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
PAXOS_HOT_LONG void paxos_frame_read(const uint8_t *bytes, paxos_frame_t *frame) {
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

/*@ // What must be true of the fields of a frame: those of every kind ...
    predicate paxos_frame_named{L}(paxos_frame_t *f) =
        f->cluster != 0 && f->incarnation != 0 && f->sender != 0 && f->receiver != 0 &&
        f->body_bytes <= PAXOS_FRAME_BODY_BYTES_MAX;

    // ... and those of each.
    predicate paxos_frame_ballot_of{L}(paxos_frame_t *f, integer node) =
        f->ballot != 0 && f->ballot % 0x10000 == node;
    predicate paxos_frame_full{L}(paxos_frame_t *f) =
        f->state == PAXOS_RUN_ACCEPTED || f->state == PAXOS_RUN_CHOSEN;
    predicate paxos_frame_page{L}(paxos_frame_t *f) =
        f->state <= PAXOS_RUN_TRIMMED && f->slot != 0 &&
        (paxos_frame_full(f) <==> f->body_bytes != 0) &&
        (!paxos_frame_full(f) ==> f->digest == 0) &&
        ((f->flags & PAXOS_FLAG_LAST) == 0 || (f->flags & PAXOS_FLAG_PAUSE) == 0) &&
        (f->count == 0 ==>
         f->state == PAXOS_RUN_EMPTY && (f->flags & PAXOS_FLAG_LAST) != 0) &&
        (f->kind == PAXOS_FRAME_LEARNED ==>
         f->state == PAXOS_RUN_CHOSEN || f->state == PAXOS_RUN_TRIMMED) &&
        (f->kind != PAXOS_FRAME_LEARNED ==> paxos_frame_ballot_of(f, f->receiver) &&
         (f->state == PAXOS_RUN_ACCEPTED <==> f->other != 0));
    predicate paxos_frame_rejection{L}(paxos_frame_t *f) =
        f->slot != 0 && paxos_frame_ballot_of(f, f->receiver) &&
        ((f->state == PAXOS_REASON_STALE && f->other > f->ballot && f->digest == 0) ||
         (f->state == PAXOS_REASON_CONFLICT && f->count != 0));
    predicate paxos_frame_phase2{L}(paxos_frame_t *f) =
        (f->kind == PAXOS_FRAME_ACCEPT ==> paxos_frame_ballot_of(f, f->sender) &&
         f->slot != 0 && f->count != 0 && f->body_bytes != 0) &&
        (f->kind == PAXOS_FRAME_ACCEPTED ==> paxos_frame_ballot_of(f, f->receiver) &&
         (f->slot == 0 <==> f->count == 0) && (f->count == 0 ==> f->digest == 0)) &&
        (f->kind == PAXOS_FRAME_COMMIT ==> paxos_frame_ballot_of(f, f->sender)) &&
        (f->kind == PAXOS_FRAME_REJECTED ==> paxos_frame_rejection(f));
    predicate paxos_frame_consistent{L}(paxos_frame_t *f) =
        paxos_frame_phase2(f) &&
        (f->kind == PAXOS_FRAME_PREPARE ==>
         paxos_frame_ballot_of(f, f->sender) && f->slot != 0) &&
        (f->kind == PAXOS_FRAME_PROMISE || f->kind == PAXOS_FRAME_LEARNED ==>
         paxos_frame_page(f)) &&
        (f->kind == PAXOS_FRAME_HEARTBEAT ==>
         ((f->flags & PAXOS_FLAG_LEADING) != 0 ==> paxos_frame_ballot_of(f, f->sender)) &&
         ((f->flags & PAXOS_FLAG_LEADING) == 0 ==> f->ballot == 0)) &&
        (f->kind == PAXOS_FRAME_LEARN ==> f->slot != 0 && f->count != 0) &&
        (f->kind == PAXOS_FRAME_FORWARD ==> paxos_frame_ballot_of(f, f->receiver) &&
         f->count != 0 && f->body_bytes != 0) &&
        (f->kind == PAXOS_FRAME_REFUSED ==>
         PAXOS_REASON_NOT_LEADER <= f->state <= PAXOS_REASON_FULL && f->count != 0 &&
         f->ballot != 0 && f->digest != 0); */

/* As frame.h has them, with what is proved of them. */
/*@ requires \valid_read(bytes + (0 .. length_bytes - 1)) && \valid(frame);
    requires \separated(bytes + (0 .. length_bytes - 1), frame);
    assigns *frame;
    ensures \result == PAXOS_OK || \result == PAXOS_ERR_WIRE;
    ensures \result == PAXOS_OK ==> length_bytes >= 96 && paxos_frame_sealed(bytes) &&
            paxos_frame_at(bytes, frame) && paxos_frame_named(frame) &&
            0 < frame->kind <= PAXOS_FRAME_KIND_MAX && paxos_frame_consistent(frame); */
PAXOS_MUST_USE paxos_status_t
paxos_frame_decode(const uint8_t *bytes, size_t length_bytes, paxos_frame_t *frame);

/*@ requires \valid_read(bytes + (0 .. length_bytes - 1)) && \valid(digest_out);
    requires value_bytes_max <= PAXOS_VALUE_BYTES_MAX;
    assigns *digest_out;
    ensures \result == PAXOS_OK || \result == PAXOS_ERR_WIRE; */
PAXOS_MUST_USE paxos_status_t paxos_run_verify(
    const uint8_t *bytes, size_t length_bytes, uint64_t first_slot, uint32_t count,
    uint32_t value_bytes_max, uint64_t *digest_out);

#ifdef __cplusplus
}
#endif

#endif
