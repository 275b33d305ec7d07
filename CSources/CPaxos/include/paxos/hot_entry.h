/* hot_entry.h - what is done with the bytes of every entry, inlined: digest, write, verify.
 *
 * Internal to the library; entry.h says what stands where, entry.c has what is long or rare.
 * Threads  any. */
#ifndef PAXOS_HOT_ENTRY_H
#define PAXOS_HOT_ENTRY_H

#include "paxos/bytes.h"
#include "paxos/crc32c.h"
#include "paxos/entry.h"

/*@ // Bytes that the entry at p takes.
    logic integer paxos_entry_size{L}(uint8_t *p) = 24 + (paxos_le32(p + 4) + 7) / 8 * 8;
    logic integer paxos_entry_size_at{L}(uint8_t *p, integer at) =
        24 + (paxos_le32(p + (at + 4)) + 7) / 8 * 8;

    // A run is entries one behind the other: where the i-th starts, and that there are so many in
    // so many bytes. It is the same run wherever its bytes are the same.
    axiomatic Run {
      logic integer paxos_entry_at{L}(uint8_t *p, integer i) reads p[0 ..];
      predicate paxos_run_whole{L}(uint8_t *p, integer count, integer bytes) =
          paxos_entry_at(p, 0) == 0 && paxos_entry_at(p, count) == bytes &&
          \forall integer i; 0 <= i < count ==>
              0 <= paxos_entry_at(p, i) && paxos_entry_at(p, i) + 24 <= bytes &&
              paxos_le32(p + (paxos_entry_at(p, i) + 4)) <= PAXOS_VALUE_BYTES_MAX &&
              paxos_entry_at(p, i) + paxos_entry_size_at(p, paxos_entry_at(p, i)) ==
                  paxos_entry_at(p, i + 1) && paxos_entry_at(p, i + 1) <= bytes;
      axiom paxos_run_reads{K, L}: \forall uint8_t *p, integer count, bytes;
          paxos_run_whole{K}(p, count, bytes) &&
          (\forall integer i; 0 <= i < bytes ==> \at(p[i], K) == \at(p[i], L)) ==>
          paxos_run_whole{L}(p, count, bytes) &&
          \forall integer i; 0 <= i <= count ==>
              paxos_entry_at{K}(p, i) == paxos_entry_at{L}(p, i);
    }

    // What a reader can check of an entry without its checksum ...
    predicate paxos_entry_shape{L}(uint8_t *p, integer value_bytes_max) =
        paxos_le32(p + 4) <= value_bytes_max &&
        p[10] <= PAXOS_ENTRY_MEMBERSHIP && p[11] == 0 &&
        (p[10] == PAXOS_ENTRY_NOOP ==> paxos_le32(p + 4) == 0) &&
        (paxos_le32(p + 4) % 8 != 0 ==> // its last word holds so many bytes of the value
         (paxos_le64(p + (paxos_entry_size(p) - 8)) >> paxos_le32(p + 4) % 8 * 8) == 0);

    // ... and with it.
    predicate paxos_entry_good{L}(uint8_t *p, integer value_bytes_max) =
        paxos_entry_shape(p, value_bytes_max) &&
        paxos_le32(p) == paxos_crc(0, p + 4, paxos_entry_size(p) - 4);

    // An entry as it is written: its value stands behind its header, and zeros behind that.
    predicate paxos_entry_written{L}(
        uint8_t *p, integer number, uint8_t *value, integer value_bytes) =
        paxos_le32(p + 4) == value_bytes && paxos_le64(p + 16) == number &&
        paxos_equal_bytes(p + 24, value, value_bytes) &&
        (\forall integer i; 24 + value_bytes <= i < 24 + (value_bytes + 7) / 8 * 8 ==>
            p[i] == 0) &&
        paxos_le32(p) == paxos_crc(0, p + 4, 24 + (value_bytes + 7) / 8 * 8 - 4);
    predicate paxos_entry_origin{L}(
        uint8_t *p, integer node, integer kind, integer incarnation) =
        paxos_le16(p + 8) == node && p[10] == kind && p[11] == 0 &&
        paxos_le32(p + 12) == incarnation; */

/* What one entry adds to the digest of its run. The digest of a run is the sum over its slots,
 * modulo 2^64, so a leader can keep running sums and check an acknowledgement of any run in O(1).
 * The odd factor makes a change of one checksum always visible and binds each to its slot. */
#define PAXOS_DIGEST_STEP 0x9E3779B97F4A7C15u /* from the factor of a slot to that of the next */

/*@ assigns \nothing; */
PAXOS_HOT static inline uint64_t paxos_digest_product(uint64_t factor, uint32_t checksum) {
    return ((uint64_t)checksum + 1u) * (factor | 1u);
}

/*@ assigns \nothing; */
PAXOS_HOT static inline uint64_t paxos_digest_term(uint64_t slot, uint32_t checksum) {
    return paxos_digest_product(slot * PAXOS_DIGEST_STEP, checksum);
}

/* Bytes 8 to 15 of an entry, as the word that they are. */
/*@ requires \valid_read(entry);
    assigns \nothing;
    ensures \result ==
            entry->node + 0x10000 * entry->kind + 0x100000000 * entry->incarnation; */
PAXOS_HOT static inline uint64_t paxos_entry_origin_word(const paxos_entry_t *entry) {
    return paxos_pair32(paxos_pair16(entry->node, entry->kind), entry->incarnation);
}

/* Write a short entry in one pass: each word is stored and checksummed from its register, not read
 * back. Post: false, and nothing written, where it is too long or the CPU has no instruction. */
#if defined(PAXOS_CRC32C_NONE) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__

/*@ requires \valid_read(entry) && entry->value_bytes <= PAXOS_VALUE_BYTES_MAX;
    assigns out[0 .. 24 + (entry->value_bytes + 7) / 8 * 8 - 1];
    ensures \result ==>
            paxos_entry_written(out, entry->number, value, entry->value_bytes) &&
            paxos_entry_origin(out, entry->node, entry->kind, entry->incarnation); */
static inline bool paxos_entry_write_short(
    uint8_t *out, const paxos_entry_t *entry, const uint8_t *value) {
    (void)out, (void)entry, (void)value;
    return false;
}

#else

/* Copy words of a value and checksum them. Pre: bytes is a constant, so that there is no loop. */
PAXOS_HOT static inline uint64_t paxos_entry_words(
    uint64_t crc, uint8_t *to, const uint8_t *value, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 8) {
        const uint64_t word = paxos_get64(value + i);
        paxos_put64(to + i, word);
        crc = paxos_crc32c_step8_word(crc, word);
    }
    return crc;
}

/* The last 1 to 7 bytes of a value as a word, with zeros above: from parts that overlap. */
PAXOS_HOT static inline uint64_t paxos_entry_last_word(const uint8_t *bytes, uint32_t count) {
    if (count >= 4) {
        return paxos_get32(bytes) | (uint64_t)paxos_get32(bytes + count - 4) << (8 * (count - 4));
    }
    return (uint64_t)bytes[0] | (uint64_t)bytes[count / 2] << (8 * (count / 2)) |
           (uint64_t)bytes[count - 1] << (8 * (count - 1));
}

PAXOS_HOT static inline bool paxos_entry_write_short(
    uint8_t *out, const paxos_entry_t *entry, const uint8_t *value) {
    const uint32_t value_bytes = entry->value_bytes;
    if (PAXOS_UNLIKELY(value_bytes > PAXOS_CRC32C_LONG_BYTES || !paxos_cpu_has(PAXOS_CPU_CRC32C))) {
        return false;
    }
    uint64_t crc = paxos_crc32c_step4_word(UINT32_MAX, value_bytes);
    crc = paxos_crc32c_step8_word(crc, paxos_entry_origin_word(entry));
    crc = paxos_crc32c_step8_word(crc, entry->number);
    uint8_t *to = out + PAXOS_ENTRY_HEADER_BYTES;
    const uint8_t *end = value + (value_bytes & ~63u);
    for (; value != end; value += 64, to += 64) { crc = paxos_entry_words(crc, to, value, 64); }
    if ((value_bytes & 32u) != 0) {
        crc = paxos_entry_words(crc, to, value, 32);
        value += 32, to += 32;
    }
    if ((value_bytes & 16u) != 0) {
        crc = paxos_entry_words(crc, to, value, 16);
        value += 16, to += 16;
    }
    if ((value_bytes & 8u) != 0) {
        crc = paxos_entry_words(crc, to, value, 8);
        value += 8, to += 8;
    }
    if ((value_bytes & 7u) != 0) {
        const uint64_t word = paxos_entry_last_word(value, value_bytes & 7u);
        paxos_put64(to, word);
        crc = paxos_crc32c_step8_word(crc, word);
    }
    paxos_put64(out, (uint64_t)value_bytes << 32 | (uint32_t)~crc);
    paxos_put64(out + 8, paxos_entry_origin_word(entry));
    paxos_put64(out + 16, entry->number);
    return true;
}

#endif

/* The rest of paxos_entry_write, for what is too long to be kept in registers. */
/*@ requires value_bytes <= PAXOS_VALUE_BYTES_MAX;
    requires \valid_read(value + (0 .. value_bytes - 1));
    requires \valid(out + (0 .. 24 + (value_bytes + 7) / 8 * 8 - 1));
    requires \separated(
        out + (0 .. 24 + (value_bytes + 7) / 8 * 8 - 1),
        value + (0 .. value_bytes - 1));
    assigns out[0 .. 24 + (value_bytes + 7) / 8 * 8 - 1];
    ensures \result == 24 + (value_bytes + 7) / 8 * 8;
    ensures written: paxos_entry_written(out, number, value, value_bytes);
    ensures origin: paxos_le64(out + 8) == origin_word; */
uint32_t paxos_entry_put_long(
    uint8_t *out, uint64_t origin_word, uint64_t number, const uint8_t *value,
    uint32_t value_bytes);

/* As paxos_entry_put: the caller has checked the length. */
/*@ requires \valid_read(entry) && entry->value_bytes <= PAXOS_VALUE_BYTES_MAX;
    requires \valid_read(value + (0 .. entry->value_bytes - 1));
    requires \valid(out + (0 .. 24 + (entry->value_bytes + 7) / 8 * 8 - 1));
    requires \separated(
        out + (0 .. 24 + (entry->value_bytes + 7) / 8 * 8 - 1), entry,
        value + (0 .. entry->value_bytes - 1));
    assigns out[0 .. 24 + (entry->value_bytes + 7) / 8 * 8 - 1];
    ensures \result == 24 + (entry->value_bytes + 7) / 8 * 8;
    ensures written: paxos_entry_written(out, entry->number, value, entry->value_bytes);
    ensures origin: paxos_entry_origin(out, entry->node, entry->kind, entry->incarnation); */
PAXOS_HOT static inline uint32_t paxos_entry_write(
    uint8_t *out, const paxos_entry_t *entry, const uint8_t *value) {
    if (PAXOS_SHORT_WAY && PAXOS_LIKELY(paxos_entry_write_short(out, entry, value))) {
        return paxos_entry_bytes(entry->value_bytes);
    }
    const uint32_t bytes = paxos_entry_put_long(
        out, paxos_entry_origin_word(entry), entry->number, value, entry->value_bytes);
    //@ assert low: paxos_le32(out + 8) == entry->node + 0x10000 * entry->kind;
    //@ assert high: paxos_le32(out + 12) == entry->incarnation;
    //@ assert node: paxos_le16(out + 8) == entry->node;
    //@ assert kind: out[10] == entry->kind && out[11] == 0;
    return bytes;
}

/* Verify one entry at the head of `bytes`.
 * Post  PAXOS_OK        *entry_bytes_out is its length; every byte of it is vouched for.
 *       PAXOS_ERR_WIRE  too short, unknown kind, over value_bytes_max, padding or checksum bad.
 * Cost  O(value). */
/*@ requires \valid_read(bytes + (0 .. length_bytes - 1)) && \valid(entry_bytes_out);
    requires value_bytes_max <= PAXOS_VALUE_BYTES_MAX;
    assigns *entry_bytes_out;
    ensures \result == PAXOS_OK || \result == PAXOS_ERR_WIRE;
    ensures \result == PAXOS_OK <==>
            length_bytes >= 24 && paxos_le32(bytes + 4) <= value_bytes_max &&
            paxos_entry_size(bytes) <= length_bytes &&
            paxos_entry_good(bytes, value_bytes_max);
    ensures \result == PAXOS_OK ==> *entry_bytes_out == paxos_entry_size(bytes); */
PAXOS_MUST_USE PAXOS_HOT static inline paxos_status_t paxos_entry_verify(
    const uint8_t *bytes, size_t length_bytes, uint32_t value_bytes_max,
    uint32_t *entry_bytes_out) {
    if (PAXOS_UNLIKELY(length_bytes < PAXOS_ENTRY_HEADER_BYTES)) { return PAXOS_ERR_WIRE; }
    const uint32_t value_bytes = paxos_get32(bytes + 4);
    if (PAXOS_UNLIKELY(value_bytes > value_bytes_max)) { return PAXOS_ERR_WIRE; }
    const uint32_t entry_bytes = paxos_entry_bytes(value_bytes);
    if (PAXOS_UNLIKELY(entry_bytes > length_bytes)) { return PAXOS_ERR_WIRE; }
    //@ assert length: paxos_le32(bytes + 4) == value_bytes;
    //@ assert size: paxos_entry_size(bytes) == entry_bytes;
    /* Kind, and a zero above it; of the three kinds the no-op has no value. */
    const uint32_t kind = paxos_get16(bytes + 10);
    if (PAXOS_UNLIKELY(kind == PAXOS_ENTRY_NOOP || kind > PAXOS_ENTRY_MEMBERSHIP)) {
        if (kind != PAXOS_ENTRY_NOOP || value_bytes != 0) { return PAXOS_ERR_WIRE; }
    }
    if (value_bytes % 8u != 0) {
        const uint64_t last = paxos_get64(bytes + entry_bytes - 8);
        if (PAXOS_UNLIKELY((last >> value_bytes % 8u * 8u) != 0)) { return PAXOS_ERR_WIRE; }
    }
    if (PAXOS_UNLIKELY(paxos_crc32c_words(0, bytes + 4, entry_bytes - 4) != paxos_get32(bytes))) {
        return PAXOS_ERR_WIRE;
    }
    *entry_bytes_out = entry_bytes;
    return PAXOS_OK;
}

#endif
