/* journal_model.h - the journal on a disk that fails, beside a model of what must not be lost.
 *
 * For tests: random lives of a node with several groups, from a seed. Each run makes, crashes and
 * opens one journal over and over; after each crash the groups' acceptors take what is given back,
 * and must know every vote that others were told of.
 * Threads  any; a run shares nothing. */
#ifndef JOURNAL_MODEL_H
#define JOURNAL_MODEL_H

#include <stdint.h>

#include "paxos_journal.h"

/* What happens to the disk. */
enum journal_weather {
    JOURNAL_POWER_CUTS,   /* sectors of 512 bytes that were not flushed are lost, in any order */
    JOURNAL_PAGE_CUTS,    /* the same in units of 4 KiB                                        */
    JOURNAL_KILLS,        /* the process ends, the system goes on                              */
    JOURNAL_ERRORS,       /* calls fail with EIO or ENOSPC, then the power                     */
    JOURNAL_TORN_SECTORS, /* power cuts inside a sector: a disk that breaks its word          */
    JOURNAL_ROT,          /* bits of what is durable flip                                      */
    JOURNAL_LOST_PAGES,   /* durable pages become zeros, or what they were before              */
    JOURNAL_STALE,        /* the whole file is what it was at an earlier time                  */
    JOURNAL_WEATHERS
};

typedef struct journal_tally {
    uint64_t crashes;
    uint64_t crashes_in_open;
    uint64_t records;
    uint64_t flushes;
    uint64_t recycled;
    uint64_t torn;    /* restarts that dropped a tail           */
    uint64_t damaged; /* restarts that found damage             */
    uint64_t unknown; /* groups that came back with unknown slots */
    uint64_t abstained;
    uint64_t full;    /* appends that had to wait for a trim    */
    uint64_t fetched; /* entries that were trimmed, and read back */
    uint64_t gone;    /* times that they could not be            */
    uint64_t errors;  /* calls that failed with EIO or ENOSPC, once, and ended a life */
} journal_tally_t;

/* One run. NULL, or what went wrong; the tally is added to.
 * directory  NULL: the disk is memory. Otherwise an empty one, in which the files are real ones:
 *            the journal works on them through the operating system, and what a power cut or damage
 *            does is done to their bytes. */
const char *journal_model_run(
    uint64_t seed, enum journal_weather weather, uint32_t crashes, const char *directory,
    journal_tally_t *tally);

#endif
