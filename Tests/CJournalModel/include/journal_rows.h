/* journal_rows.h - rows of the safety list, step by step, with an acceptor and real files.
 *
 * For tests. Each takes an empty directory and returns NULL, or what went wrong.
 * Threads  one run at a time per directory; row 2 forks. */
#ifndef JOURNAL_ROWS_H
#define JOURNAL_ROWS_H

#include <stdint.h>

/* Row 2: an acceptance under a higher ballot raises the promise, durably: a process that is killed
 * right after it refuses an older Prepare in its next life. */
const char *journal_row_accept_raises(const char *directory);

/* Row 3: the power fails at every call of a node's life, one after the other, and keeps nothing of
 * what was not flushed, all of it, or some sectors: no vote that was told is lost. Counts the
 * cuts. */
const char *journal_row_power_cuts(const char *directory, uint32_t *cuts_out);

/* Row 4: each call of a node's life fails once, with EIO or ENOSPC, and would succeed then: the
 * journal makes no further call and says so for ever; the next life has all that was told. */
const char *journal_row_errors(const char *directory, uint32_t *errors_out);

/* Row 20, for files: where the journal starts moves, and the power fails at every call of that: the
 * promise is never lower, and the trim point never behind what was told. */
const char *journal_row_base_moves(const char *directory, uint32_t *cuts_out);

/* The power fails at every call of a format, or each call fails once: it can be tried again, or has
 * come to its end, and then a first life begins. Counts the calls. On the model's disk alone. */
const char *journal_row_format(uint32_t *points_out);

#endif
