/* bytes.h - little-endian numbers in bytes, on every machine, at any alignment.
 *
 * The one way between bytes and numbers. A little-endian machine copies whole words, because a word
 * put together from fields and stored byte by byte is read back slowly; any other machine, and a
 * prover, takes the bytes one by one. The tests hold both against the same golden bytes.
 * Threads  any. */
#ifndef PAXOS_BYTES_H
#define PAXOS_BYTES_H

#include "paxos/base.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && !defined(__FRAMAC__)

PAXOS_HOT static inline uint16_t paxos_get16(const uint8_t *p) {
    uint16_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

PAXOS_HOT static inline uint32_t paxos_get32(const uint8_t *p) {
    uint32_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

PAXOS_HOT static inline uint64_t paxos_get64(const uint8_t *p) {
    uint64_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

PAXOS_HOT static inline void paxos_put16(uint8_t *p, uint16_t v) {
    __builtin_memcpy(p, &v, sizeof v);
}

PAXOS_HOT static inline void paxos_put32(uint8_t *p, uint32_t v) {
    __builtin_memcpy(p, &v, sizeof v);
}

PAXOS_HOT static inline void paxos_put64(uint8_t *p, uint64_t v) {
    __builtin_memcpy(p, &v, sizeof v);
}

#else

static inline uint16_t paxos_get16(const uint8_t *p) {
    return (uint16_t)((uint32_t)p[0] | (uint32_t)p[1] << 8);
}

static inline uint32_t paxos_get32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t paxos_get64(const uint8_t *p) {
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

static inline void paxos_put16(uint8_t *p, uint16_t v) {
    p[0] = (uint8_t)(v & 0xFF);
    p[1] = (uint8_t)(v >> 8);
}

static inline void paxos_put32(uint8_t *p, uint32_t v) {
    p[0] = (uint8_t)(v & 0xFF);
    p[1] = (uint8_t)((v >> 8) & 0xFF);
    p[2] = (uint8_t)((v >> 16) & 0xFF);
    p[3] = (uint8_t)(v >> 24);
}

static inline void paxos_put64(uint8_t *p, uint64_t v) {
    p[0] = (uint8_t)(v & 0xFF);
    p[1] = (uint8_t)((v >> 8) & 0xFF);
    p[2] = (uint8_t)((v >> 16) & 0xFF);
    p[3] = (uint8_t)((v >> 24) & 0xFF);
    p[4] = (uint8_t)((v >> 32) & 0xFF);
    p[5] = (uint8_t)((v >> 40) & 0xFF);
    p[6] = (uint8_t)((v >> 48) & 0xFF);
    p[7] = (uint8_t)(v >> 56);
}

#endif

#endif
