/* libc.c - what the compiler and the library take for granted, where there is no C library: memory,
 * and 64-bit shifts and division. Small rather than fast. A board with newlib leaves it out.
 *
 * Built without link-time optimization, or the loops would become calls of themselves.
 * Source   names and arguments of "Run-time ABI for the Arm Architecture", sections 5.1 to 5.3, and
 *          of the "GCC Internals" manual, section 4.1. */
#include <stdint.h>

#include "string.h"

void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
    uint8_t *out = to;
    const uint8_t *in = from;
    if (((uintptr_t)out | (uintptr_t)in) % sizeof(uint32_t) == 0) {
        for (; bytes >= sizeof(uint32_t); bytes -= sizeof(uint32_t)) {
            *(uint32_t *)(void *)out = *(const uint32_t *)(const void *)in;
            out += sizeof(uint32_t);
            in += sizeof(uint32_t);
        }
    }
    for (; bytes > 0; bytes--) { *out++ = *in++; }
    return to;
}

void *memmove(void *to, const void *from, size_t bytes) {
    uint8_t *out = to;
    const uint8_t *in = from;
    if (out <= in) { return memcpy(to, from, bytes); } /* which goes upwards */
    while (bytes > 0) {
        bytes--;
        out[bytes] = in[bytes];
    }
    return to;
}

void *memset(void *to, int byte, size_t bytes) {
    uint8_t *out = to;
    for (; bytes > 0; bytes--) { *out++ = (uint8_t)byte; }
    return to;
}

int memcmp(const void *left, const void *right, size_t bytes) {
    const uint8_t *l = left;
    const uint8_t *r = right;
    for (; bytes > 0; bytes--, l++, r++) {
        if (*l != *r) { return *l - *r; }
    }
    return 0;
}

/* ---- The same by the names that compilers for Arm use ---- */

void __aeabi_memcpy(void *to, const void *from, size_t bytes);
void __aeabi_memcpy4(void *to, const void *from, size_t bytes);
void __aeabi_memcpy8(void *to, const void *from, size_t bytes);
void __aeabi_memmove(void *to, const void *from, size_t bytes);
void __aeabi_memset(void *to, size_t bytes, int byte);
void __aeabi_memset8(void *to, size_t bytes, int byte);
void __aeabi_memclr(void *to, size_t bytes);
void __aeabi_memclr4(void *to, size_t bytes);
void __aeabi_memclr8(void *to, size_t bytes);

void __aeabi_memcpy(void *to, const void *from, size_t bytes) {
    memcpy(to, from, bytes);
}

void __aeabi_memcpy4(void *to, const void *from, size_t bytes) {
    memcpy(to, from, bytes);
}

void __aeabi_memcpy8(void *to, const void *from, size_t bytes) {
    memcpy(to, from, bytes);
}

void __aeabi_memmove(void *to, const void *from, size_t bytes) {
    memmove(to, from, bytes);
}

void __aeabi_memset(void *to, size_t bytes, int byte) {
    memset(to, byte, bytes);
}

void __aeabi_memset8(void *to, size_t bytes, int byte) {
    memset(to, byte, bytes);
}

void __aeabi_memclr(void *to, size_t bytes) {
    memset(to, 0, bytes);
}

void __aeabi_memclr4(void *to, size_t bytes) {
    memset(to, 0, bytes);
}

void __aeabi_memclr8(void *to, size_t bytes) {
    memset(to, 0, bytes);
}

/* ---- 64 bits in two registers ---- */

uint64_t __aeabi_llsl(uint64_t value, int bits);
uint64_t __aeabi_llsr(uint64_t value, int bits);
uint64_t libc_divide(uint64_t dividend, uint64_t divisor, uint64_t *remainder_out);
uint64_t __ashldi3(uint64_t value, int bits);
uint64_t __lshrdi3(uint64_t value, int bits);
uint64_t __udivdi3(uint64_t dividend, uint64_t divisor);
uint64_t __umoddi3(uint64_t dividend, uint64_t divisor);

static uint64_t join(uint32_t high, uint32_t low) {
    return (uint64_t)high << 32 | low;
}

uint64_t __aeabi_llsl(uint64_t value, int bits) {
    const uint32_t low = (uint32_t)value;
    const uint32_t high = (uint32_t)(value >> 32);
    if (bits == 0) { return value; }
    if (bits >= 32) { return join(low << (bits - 32), 0); }
    return join(high << bits | low >> (32 - bits), low << bits);
}

uint64_t __aeabi_llsr(uint64_t value, int bits) {
    const uint32_t low = (uint32_t)value;
    const uint32_t high = (uint32_t)(value >> 32);
    if (bits == 0) { return value; }
    if (bits >= 32) { return join(0, high >> (bits - 32)); }
    return join(high >> bits, low >> bits | high << (32 - bits));
}

/* By long division, a bit at a time; arm.S gives it the name and the registers of the ABI. */
uint64_t libc_divide(uint64_t dividend, uint64_t divisor, uint64_t *remainder_out) {
    uint64_t quotient = 0;
    uint64_t remainder = 0;
    for (int bit = 0; bit < 64; bit++) {
        remainder = remainder << 1 | dividend >> 63;
        dividend <<= 1;
        quotient <<= 1;
        if (remainder >= divisor) {
            remainder -= divisor;
            quotient |= 1;
        }
    }
    *remainder_out = remainder;
    return quotient;
}

/* The same by the names that compilers for RISC-V use. */

uint64_t __ashldi3(uint64_t value, int bits) {
    return __aeabi_llsl(value, bits);
}

uint64_t __lshrdi3(uint64_t value, int bits) {
    return __aeabi_llsr(value, bits);
}

uint64_t __udivdi3(uint64_t dividend, uint64_t divisor) {
    uint64_t remainder = 0;
    return libc_divide(dividend, divisor, &remainder);
}

uint64_t __umoddi3(uint64_t dividend, uint64_t divisor) {
    uint64_t remainder = 0;
    (void)libc_divide(dividend, divisor, &remainder);
    return remainder;
}
