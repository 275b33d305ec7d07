/* crc32c.h - the checksum of frames, entries and records: CRC32C (Castagnoli, reflected).
 *
 * Owns     one word, paxos_cpu_facts: what this CPU can do. A fact, not state: with or without it
 *          every function returns the same bits, only sooner.
 * Never    allocates, keeps a pointer, or reads beyond the length it was given.
 * Threads  every function at any time. The word is read and written by relaxed atomics (plain
 *          machine loads and stores); threads that detect at once store the same value.
 * Source   RFC 3720, section 12.1 and appendix B.4 (definition and examples).
 *
 * Every crc taken or returned is a finished one, as with zlib's crc32(): start with 0, and
 * crc32c(crc32c(0, a), b) == crc32c(0, a then b).
 *
 * Define PAXOS_CRC32C_PORTABLE for everything that includes this header, and for the library, where
 * code may not touch vector registers (inside a kernel): the hardware is then compiled out. */

#ifndef PAXOS_CRC32C_H
#define PAXOS_CRC32C_H

#include "paxos/base.h"

/* Little-endian only, because the instructions take a word's lowest byte first. A prover reads
 * the portable code. */
#if defined(__FRAMAC__) || defined(PAXOS_CRC32C_PORTABLE) || !defined(__GNUC__)
#define PAXOS_CRC32C_NONE 1
#elif defined(__x86_64__)
#define PAXOS_CRC32C_X86 1
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32) && !defined(__AARCH64EB__)
#define PAXOS_CRC32C_ARM 1
#else
#define PAXOS_CRC32C_NONE 1
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Look once at what the CPU can do; later calls return at once. The library's init functions call
 * it. Before that everything works at the portable speed.
 * Cost  the first time two cpuid, which a hypervisor may make as slow as 50 us. */
void paxos_cpu_detect(void);

/* For tests: true switches to the portable code and stays so whoever calls paxos_cpu_detect;
 * false forgets that and detects again. Process-wide. */
void paxos_cpu_force_portable(bool portable);

/*@ axiomatic Crc32c {
      // The crc of what `crc` covers followed by n bytes from p on: it depends on those alone.
      logic integer paxos_crc{L}(integer crc, uint8_t *p, integer n) reads p[0 .. n - 1];
      axiom paxos_crc_reads{K, L}: \forall integer crc, n, uint8_t *p;
          (\forall integer i; 0 <= i < n ==> \at(p[i], K) == \at(p[i], L)) ==>
          paxos_crc{K}(crc, p, n) == paxos_crc{L}(crc, p, n);
    } */

/* The CRC32C of what `crc` covers followed by these bytes, for any length and alignment.
 * Pre   bytes are readable for length_bytes; may be NULL when that is 0.
 * Cost  O(length_bytes); up to 60 bytes a nanosecond where the CPU can multiply without carries. */
/*@ requires \valid_read(bytes + (0 .. length_bytes - 1));
    assigns \nothing;
    ensures \result == paxos_crc(crc, bytes, length_bytes); */
uint32_t paxos_crc32c(uint32_t crc, const uint8_t *bytes, size_t length_bytes);

/* The same value from plain C and a table of 512 bytes: what runs where there is no instruction,
 * what is proved, and what tests hold the hardware against. */
/*@ requires \valid_read(bytes + (0 .. length_bytes - 1));
    assigns \nothing;
    ensures \result == paxos_crc(crc, bytes, length_bytes); */
uint32_t paxos_crc32c_portable(uint32_t crc, const uint8_t *bytes, size_t length_bytes);

#if defined(PAXOS_CRC32C_X86) || defined(PAXOS_CRC32C_ARM)

enum {
    PAXOS_CPU_DETECTED = 1, /* the bits below are known                              */
    PAXOS_CPU_CRC32C = 2,   /* has the crc32c instruction                            */
    PAXOS_CPU_CLMUL = 4,    /* x86: multiplies without carries, one lane of 16 bytes */
    PAXOS_CPU_CLMUL512 = 8, /* x86: four lanes at once, and the OS lets us           */
    PAXOS_CPU_FORCED = 16   /* a test asked for the portable code: none of the above */
};

/* From here on the long-input function beats one chain of instructions, call included. */
enum { PAXOS_CRC32C_LONG_BYTES = 128 };

/* Sum of PAXOS_CPU_*; the only global of the library. */
extern uint32_t paxos_cpu_facts;

PAXOS_HOT static inline bool paxos_cpu_has(uint32_t fact) {
    return (__atomic_load_n(&paxos_cpu_facts, __ATOMIC_RELAXED) & fact) != 0;
}

#endif

/* paxos_crc32c_step1/4/8: advance an unfinished crc (the complement of a finished one) over that
 * many bytes by one instruction. Assembly, because intrinsics would need -msse4.2 in every file
 * that inlines them. Only after paxos_cpu_has(PAXOS_CPU_CRC32C). */
#if defined(PAXOS_CRC32C_X86)

/* Bytes as a word in memory, so that the instruction loads it itself. */
typedef struct __attribute__((packed, may_alias)) paxos_crc32c_word {
    uint64_t word;
} paxos_crc32c_word_t;

PAXOS_HOT static inline uint64_t paxos_crc32c_step8(uint64_t crc, const uint8_t *bytes) {
    __asm__("crc32q %1, %0"
            : "+r"(crc)
            : "m"(((const paxos_crc32c_word_t *)(const void *)bytes)->word));
    return crc;
}

PAXOS_HOT static inline uint64_t paxos_crc32c_step8_word(uint64_t crc, uint64_t word) {
    __asm__("crc32q %1, %0" : "+r"(crc) : "r"(word));
    return crc;
}

PAXOS_HOT static inline uint64_t paxos_crc32c_step4_word(uint64_t crc, uint32_t word) {
    __asm__("crc32l %1, %k0" : "+r"(crc) : "r"(word));
    return crc;
}

PAXOS_HOT static inline uint64_t paxos_crc32c_step4(uint64_t crc, const uint8_t *bytes) {
    uint32_t word;
    __builtin_memcpy(&word, bytes, sizeof word);
    return paxos_crc32c_step4_word(crc, word);
}

PAXOS_HOT static inline uint64_t paxos_crc32c_step1(uint64_t crc, const uint8_t *bytes) {
    __asm__("crc32b %1, %k0" : "+r"(crc) : "r"(*bytes));
    return crc;
}

#elif defined(PAXOS_CRC32C_ARM)

PAXOS_HOT static inline uint64_t paxos_crc32c_step8_word(uint64_t crc, uint64_t word) {
    __asm__("crc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(word));
    return crc;
}

PAXOS_HOT static inline uint64_t paxos_crc32c_step4_word(uint64_t crc, uint32_t word) {
    __asm__("crc32cw %w0, %w0, %w1" : "+r"(crc) : "r"(word));
    return crc;
}

PAXOS_HOT static inline uint64_t paxos_crc32c_step8(uint64_t crc, const uint8_t *bytes) {
    uint64_t word;
    __builtin_memcpy(&word, bytes, sizeof word);
    return paxos_crc32c_step8_word(crc, word);
}

PAXOS_HOT static inline uint64_t paxos_crc32c_step4(uint64_t crc, const uint8_t *bytes) {
    uint32_t word;
    __builtin_memcpy(&word, bytes, sizeof word);
    return paxos_crc32c_step4_word(crc, word);
}

PAXOS_HOT static inline uint64_t paxos_crc32c_step1(uint64_t crc, const uint8_t *bytes) {
    uint32_t word = *bytes;
    __asm__("crc32cb %w0, %w0, %w1" : "+r"(crc) : "r"(word));
    return crc;
}

#endif

/* The same as paxos_crc32c for a length that is a multiple of 4, inlined into hot paths: headers
 * and small entries take no call.
 * Pre   length_bytes % 4 == 0 (otherwise the value is wrong, and not the same on every CPU). */
#if defined(PAXOS_CRC32C_NONE)

/*@ requires \valid_read(bytes + (0 .. length_bytes - 1));
    assigns \nothing;
    ensures \result == paxos_crc(crc, bytes, length_bytes); */
static inline uint32_t paxos_crc32c_words(uint32_t crc, const uint8_t *bytes, size_t length_bytes) {
    return paxos_crc32c_portable(crc, bytes, length_bytes);
}

#else

PAXOS_HOT static inline uint32_t paxos_crc32c_words(
    uint32_t crc, const uint8_t *bytes, size_t length_bytes) {
    /* Unlikely, so that the compiler keeps words in registers around the short way alone. */
    if (!PAXOS_SHORT_WAY ||
        PAXOS_UNLIKELY(
            length_bytes >= PAXOS_CRC32C_LONG_BYTES || !paxos_cpu_has(PAXOS_CPU_CRC32C))) {
        return paxos_crc32c(crc, bytes, length_bytes);
    }
    uint64_t state = (uint32_t)~crc;
    /* The odd word first: what is checksummed here starts 4 bytes into something aligned to 8, and
     * a load that straddles two fresh stores would wait for both to reach the cache. */
    if ((length_bytes & 4u) != 0) {
        state = paxos_crc32c_step4(state, bytes);
        bytes += 4;
    }
    /* Then what is left by halves: no loop, since a length of less than 128 has four of them. */
    if ((length_bytes & 64u) != 0) {
        for (size_t i = 0; i < 64; i += 8) { state = paxos_crc32c_step8(state, bytes + i); }
        bytes += 64;
    }
    if ((length_bytes & 32u) != 0) {
        for (size_t i = 0; i < 32; i += 8) { state = paxos_crc32c_step8(state, bytes + i); }
        bytes += 32;
    }
    if ((length_bytes & 16u) != 0) {
        state = paxos_crc32c_step8(state, bytes);
        state = paxos_crc32c_step8(state, bytes + 8);
        bytes += 16;
    }
    if ((length_bytes & 8u) != 0) { state = paxos_crc32c_step8(state, bytes); }
    return ~(uint32_t)state;
}

#endif

#ifdef __cplusplus
}
#endif

#endif /* PAXOS_CRC32C_H */
