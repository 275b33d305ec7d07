/* times.h - a histogram of nanoseconds, exact to one part in 64. */
#ifndef BENCH_TIMES_H
#define BENCH_TIMES_H

#include <stdint.h>
#include <string.h>

enum { TIMES_PARTS = 64, TIMES_BUCKETS = 64 * TIMES_PARTS };

typedef struct times {
    uint64_t count;
    uint32_t buckets[TIMES_BUCKETS];
} times_t;

static inline void times_clear(times_t *times) {
    memset(times, 0, sizeof *times);
}

/* Place of a time: its highest bit, and the six below. */
static inline uint32_t times_place(uint64_t ns) {
    if (ns < TIMES_PARTS) { return (uint32_t)ns; }
    const uint32_t shift = 57u - (uint32_t)__builtin_clzll(ns);
    return (shift + 1) * TIMES_PARTS + (uint32_t)((ns >> shift) - TIMES_PARTS);
}

static inline void times_add(times_t *times, uint64_t ns) {
    times->count += 1;
    times->buckets[times_place(ns)] += 1;
}

/* The time that `part` of a thousand do not exceed; 0: there is none. */
static inline uint64_t times_part(const times_t *times, uint64_t part) {
    uint64_t left = (times->count * part + 999) / 1000;
    for (uint32_t place = 0; place < TIMES_BUCKETS && left > 0; place++) {
        if (times->buckets[place] < left) {
            left -= times->buckets[place];
            continue;
        }
        if (place < TIMES_PARTS) { return place; }
        const uint32_t shift = place / TIMES_PARTS - 1;
        return (uint64_t)(place % TIMES_PARTS + TIMES_PARTS + 1) << shift;
    }
    return 0;
}

#endif
