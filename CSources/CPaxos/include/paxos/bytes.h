/* bytes.h - little-endian numbers in bytes, on every machine, at any alignment.
 *
 * The one way between bytes and numbers. A little-endian machine copies whole words, because a word
 * put together from fields and stored byte by byte is read back slowly; any other machine, and a
 * prover, takes the bytes one by one. The tests hold both against the same golden bytes.
 *
 * Comments that begin with @ are contracts in ACSL; Tests/Proofs/run proves that the code keeps
 * them. They hold for the code of both machines, since both have the same signatures.
 * Threads  any. */
#ifndef PAXOS_BYTES_H
#define PAXOS_BYTES_H

#include "paxos/base.h"

/*@ // The number that stands in the bytes from p on.
    logic integer paxos_le16{L}(uint8_t *p) = p[0] + 0x100 * p[1];
    logic integer paxos_le32{L}(uint8_t *p) =
        p[0] + 0x100 * p[1] + 0x10000 * p[2] + 0x1000000 * p[3];
    logic integer paxos_le64{L}(uint8_t *p) =
        paxos_le32(p) + 0x100000000 * paxos_le32(p + 4); */

/* Two halves as one number, the low one first. */
/*@ assigns \nothing;
    ensures \result == low + 0x10000 * high; */
PAXOS_INLINE static inline uint32_t paxos_pair16(uint16_t low, uint16_t high);

/*@ assigns \nothing;
    ensures \result == low + 0x100000000 * high; */
PAXOS_INLINE static inline uint64_t paxos_pair32(uint32_t low, uint32_t high);

/*@ requires \valid_read(p + (0 .. 1));
    assigns \nothing;
    ensures \result == paxos_le16(p); */
PAXOS_INLINE static inline uint16_t paxos_get16(const uint8_t *p);

/*@ requires \valid_read(p + (0 .. 3));
    assigns \nothing;
    ensures \result == paxos_le32(p); */
PAXOS_INLINE static inline uint32_t paxos_get32(const uint8_t *p);

/*@ requires \valid_read(p + (0 .. 7));
    assigns \nothing;
    ensures \result == paxos_le64(p); */
PAXOS_INLINE static inline uint64_t paxos_get64(const uint8_t *p);

/*@ requires \valid(p + (0 .. 1));
    assigns p[0 .. 1];
    ensures paxos_le16(p) == v; */
PAXOS_INLINE static inline void paxos_put16(uint8_t *p, uint16_t v);

/*@ requires \valid(p + (0 .. 3));
    assigns p[0 .. 3];
    ensures paxos_le32(p) == v; */
PAXOS_INLINE static inline void paxos_put32(uint8_t *p, uint32_t v);

/*@ requires \valid(p + (0 .. 7));
    assigns p[0 .. 7];
    ensures paxos_le64(p) == v; */
PAXOS_INLINE static inline void paxos_put64(uint8_t *p, uint64_t v);

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && !defined(__FRAMAC__)

/* Shifts, since gcc sees no load of both halves at once in a sum. */
PAXOS_INLINE static inline uint32_t paxos_pair16(uint16_t low, uint16_t high) {
    return low | (uint32_t)high << 16;
}

PAXOS_INLINE static inline uint64_t paxos_pair32(uint32_t low, uint32_t high) {
    return low | (uint64_t)high << 32;
}

PAXOS_INLINE static inline uint16_t paxos_get16(const uint8_t *p) {
    uint16_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

PAXOS_INLINE static inline uint32_t paxos_get32(const uint8_t *p) {
    uint32_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

PAXOS_INLINE static inline uint64_t paxos_get64(const uint8_t *p) {
    uint64_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

PAXOS_INLINE static inline void paxos_put16(uint8_t *p, uint16_t v) {
    __builtin_memcpy(p, &v, sizeof v);
}

PAXOS_INLINE static inline void paxos_put32(uint8_t *p, uint32_t v) {
    __builtin_memcpy(p, &v, sizeof v);
}

PAXOS_INLINE static inline void paxos_put64(uint8_t *p, uint64_t v) {
    __builtin_memcpy(p, &v, sizeof v);
}

#else

PAXOS_INLINE static inline uint32_t paxos_pair16(uint16_t low, uint16_t high) {
    return low + 0x10000u * high;
}

PAXOS_INLINE static inline uint64_t paxos_pair32(uint32_t low, uint32_t high) {
    return low + 0x100000000u * (uint64_t)high;
}

PAXOS_INLINE static inline uint16_t paxos_get16(const uint8_t *p) {
    return (uint16_t)(p[0] + 0x100u * p[1]);
}

PAXOS_INLINE static inline uint32_t paxos_get32(const uint8_t *p) {
    return p[0] + 0x100u * p[1] + 0x10000u * p[2] + 0x1000000u * p[3];
}

PAXOS_INLINE static inline uint64_t paxos_get64(const uint8_t *p) {
    return paxos_pair32(paxos_get32(p), paxos_get32(p + 4));
}

PAXOS_INLINE static inline void paxos_put16(uint8_t *p, uint16_t v) {
    p[0] = (uint8_t)(v % 0x100u);
    p[1] = (uint8_t)(v / 0x100u);
}

PAXOS_INLINE static inline void paxos_put32(uint8_t *p, uint32_t v) {
    paxos_put16(p, (uint16_t)(v % 0x10000u));
    paxos_put16(p + 2, (uint16_t)(v / 0x10000u));
}

PAXOS_INLINE static inline void paxos_put64(uint8_t *p, uint64_t v) {
    paxos_put32(p, (uint32_t)(v % 0x100000000u));
    paxos_put32(p + 4, (uint32_t)(v / 0x100000000u));
}

#endif

/*@ predicate paxos_equal_bytes{L}(uint8_t *p, uint8_t *q, integer n) =
        \forall integer i; 0 <= i < n ==> p[i] == q[i]; */

/* Copy bytes, and compare them: the compiler's own, for which a prover takes a loop. */
/*@ requires \valid(to + (0 .. n - 1)) && \valid_read(from + (0 .. n - 1));
    requires \separated(to + (0 .. n - 1), from + (0 .. n - 1));
    assigns to[0 .. n - 1];
    ensures paxos_equal_bytes(to, from, n); */
PAXOS_INLINE static inline void paxos_copy(uint8_t *to, const uint8_t *from, size_t n);

/*@ requires \valid_read(p + (0 .. n - 1)) && \valid_read(q + (0 .. n - 1));
    assigns \nothing;
    ensures \result <==> paxos_equal_bytes(p, q, n); */
PAXOS_INLINE static inline bool paxos_equal(const uint8_t *p, const uint8_t *q, size_t n);

#if defined(__FRAMAC__)

PAXOS_INLINE static inline void paxos_copy(uint8_t *to, const uint8_t *from, size_t n) {
    /*@ loop invariant 0 <= i <= n && paxos_equal_bytes(to, from, i);
        loop assigns i, to[0 .. n - 1];
        loop variant n - i; */
    for (size_t i = 0; i < n; i++) { to[i] = from[i]; }
}

PAXOS_INLINE static inline bool paxos_equal(const uint8_t *p, const uint8_t *q, size_t n) {
    /*@ loop invariant 0 <= i <= n && paxos_equal_bytes(p, q, i);
        loop assigns i;
        loop variant n - i; */
    for (size_t i = 0; i < n; i++) {
        if (p[i] != q[i]) { return false; }
    }
    return true;
}

#else

PAXOS_INLINE static inline void paxos_copy(uint8_t *to, const uint8_t *from, size_t n) {
    __builtin_memcpy(to, from, n);
}

PAXOS_INLINE static inline bool paxos_equal(const uint8_t *p, const uint8_t *q, size_t n) {
    return __builtin_memcmp(p, q, n) == 0;
}

#endif

/* As paxos_copy, for the few bytes of one value, without a call. */
/*@ requires \valid(to + (0 .. n - 1)) && \valid_read(from + (0 .. n - 1));
    requires \separated(to + (0 .. n - 1), from + (0 .. n - 1));
    assigns to[0 .. n - 1];
    ensures paxos_equal_bytes(to, from, n); */
PAXOS_INLINE static inline void paxos_copy_short(uint8_t *to, const uint8_t *from, size_t n) {
    if (!PAXOS_SHORT_WAY || n < 32 || n > 128) {
        paxos_copy(to, from, n);
        return;
    }
    /* From both ends; what overlaps is copied twice. */
    paxos_copy(to, from, 32);
    if (n > 64) {
        paxos_copy(to + 32, from + 32, 32);
        paxos_copy(to + n - 64, from + n - 64, 32);
    }
    paxos_copy(to + n - 32, from + n - 32, 32);
}

#endif
