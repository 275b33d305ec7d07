/* allocation_count.h - how often the calling thread has asked for memory.
 *
 * Linked into a program, it stands in front of malloc and its relatives; under a sanitizer, which
 * stands there itself, it is told by the sanitizer.
 * Threads  any; each counts its own. */
#ifndef ALLOCATION_COUNT_H
#define ALLOCATION_COUNT_H

#include <stdbool.h>
#include <stdint.h>

/* Whether this platform has a way to count. */
bool allocation_count_works(void);

/* Calls of malloc, calloc, realloc and the aligned ones, by this thread so far. */
uint64_t allocation_count(void);

#endif
