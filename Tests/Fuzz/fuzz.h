/* fuzz.h - what every target needs: a check that stops, and an input read as small numbers.
 *
 * An input that has ended reads as zeros, so that every prefix of an input is one, too. */
#ifndef FUZZ_H
#define FUZZ_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void fuzz_fail(const char *file, int line, const char *condition) {
    (void)fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
    abort();
}

/* What must hold. Stops with the condition and its place; libFuzzer then keeps the input. */
#define CHECK(condition)                                                 \
    do {                                                                 \
        if (!(condition)) { fuzz_fail(__FILE__, __LINE__, #condition); } \
    } while (0)

/* With FUZZ_TRACE in the environment, a line for each call and effect: for a person. */
static inline bool fuzz_traces(void) {
    static int traces = -1;
    if (traces < 0) { traces = getenv("FUZZ_TRACE") != NULL; }
    return traces != 0;
}

#define TRACE(...)                                                 \
    do {                                                           \
        if (fuzz_traces()) { (void)fprintf(stderr, __VA_ARGS__); } \
    } while (0)

/* What libFuzzer calls: one input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct input {
    const uint8_t *at;
    size_t left;
} input_t;

static inline uint8_t input_byte(input_t *input) {
    if (input->left == 0) { return 0; }
    input->left -= 1;
    input->at += 1;
    return input->at[-1];
}

/* `bytes` of the input as a little-endian number. */
static inline uint64_t input_word(input_t *input, uint32_t bytes) {
    uint64_t word = 0;
    for (uint32_t i = 0; i < bytes; i++) { word |= (uint64_t)input_byte(input) << (8 * i); }
    return word;
}

/* A number: mostly small, in one byte; 0xF0 to 0xF7 announce one of 1 to 8 bytes, and what is above
 * stands for numbers at the edges. */
static inline uint64_t input_number(input_t *input) {
    static const uint64_t edges[] = {UINT32_MAX,        (uint64_t)1 << 32, ((uint64_t)1 << 62) - 1,
                                     (uint64_t)1 << 62, (uint64_t)1 << 63, UINT64_MAX - 1,
                                     UINT64_MAX,        UINT64_MAX >> 16};
    const uint8_t first = input_byte(input);
    if (first < 0xF0) { return first; }
    return first < 0xF8 ? input_word(input, first - 0xEFu) : edges[first - 0xF8u];
}

#endif
