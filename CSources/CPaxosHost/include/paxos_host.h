/* paxos_host.h - what a POSIX host of the core needs around it: numbers, sizes, seeds, a clock.
 *
 * Owns     nothing: every result goes to memory of the caller.
 * Never    prints or exits; a refusal is a status and words for a person.
 * Threads  every function at any time.
 * Source   libbsd where it has the function; on Darwin the same ones are in libc. */
#ifndef PAXOS_HOST_H
#define PAXOS_HOST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define PAXOS_HOST_MUST_USE __attribute__((warn_unused_result))
#else
#define PAXOS_HOST_MUST_USE
#endif

/* Read a whole decimal number of [min, max], with nothing before or behind it.
 * Post  NULL and *number_out, or why not, in plain words; *number_out is then unchanged.
 * Source strtonum(3). */
PAXOS_HOST_MUST_USE const char *paxos_host_number(
    const char *text, int64_t min, int64_t max, int64_t *number_out);

/* Read a size in bytes of [min, max]: a number with a unit of 1024 or none, as 64, 1K, 16M, 1KB.
 * Post  NULL and *bytes_out, or why not, in plain words; *bytes_out is then unchanged.
 * Source expand_number(3bsd). */
PAXOS_HOST_MUST_USE const char *paxos_host_size(
    const char *text, uint64_t min, uint64_t max, uint64_t *bytes_out);

/* Room that suffices for every text written by the two functions below. */
#define PAXOS_HOST_TEXT_BYTES 16

/* Write a size for a person, in units of 1024: "64B", "1.5K", "16M". Returns `text`.
 * Source humanize_number(3bsd). */
const char *paxos_host_size_text(uint64_t bytes, char text[PAXOS_HOST_TEXT_BYTES]);

/* Write a count for a person, in units of 1000: "812", "6.3M", "120M". Returns `text`. */
const char *paxos_host_count_text(uint64_t count, char text[PAXOS_HOST_TEXT_BYTES]);

/* A seed nobody can guess. Source arc4random_buf(3). */
uint64_t paxos_host_seed(void);

/* Nanoseconds of a clock that never runs backwards and nobody sets. Cost about 30 ns. */
uint64_t paxos_host_clock_ns(void);

/* Nanoseconds of CPU that this thread has used: what is left of a measurement on a busy machine. */
uint64_t paxos_host_cpu_ns(void);

#ifdef __cplusplus
}
#endif
#endif
