/* bench_limits.h - the copies and checksums that nothing can avoid, alone, in plain loops.
 *
 * Owns     nothing: it works in rooms of the caller, as large as those of the suites.
 * Never    measures time: the caller reads a clock before and after.
 * Threads  one caller at a time per room. */
#ifndef BENCH_LIMITS_H
#define BENCH_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Work of one round: `batch` entries, made once and taken by every replica. */
typedef struct bench_recipe {
    uint32_t value_bytes;
    uint32_t batch;
    uint32_t makes;        /* replicas that copy each value behind a header and checksum it */
    uint32_t takes;        /* replicas that verify each entry, then copy the run at once    */
    uint32_t looks;        /* replicas that verify each entry and copy nothing              */
    uint32_t copies;       /* replicas that copy each entry and verify nothing              */
    uint32_t header_makes; /* frame headers written and checksummed                         */
    uint32_t header_takes; /* frame headers verified                                        */
    bool digests;          /* each who makes or verifies entries takes the run's digest     */
} bench_recipe_t;

/* Memory of the loops: a ring for the maker and one for each taker, `ring_bytes` each (a power of
 * two), one after the other. */
typedef struct bench_room {
    uint8_t *rings;
    size_t ring_bytes;
    const uint8_t *values; /* value_bytes long */
} bench_room_t;

/* Bytes of one round's entries. The rings hold at least twice as much. */
size_t bench_round_bytes(const bench_recipe_t *recipe);

/* Run a recipe `rounds` times. Returns a sum over all checksums, for the caller to keep. */
uint64_t bench_limit_run(const bench_room_t *room, const bench_recipe_t *recipe, uint64_t rounds);

/* Read the bytes `rounds` times, eight at a time: what any checksum of them must do. */
uint64_t bench_limit_read(const uint8_t *bytes, size_t length_bytes, uint64_t rounds);

#endif
