/* ledger.h - a state machine that outlives its process: how far it is, and what it was given.
 *
 * Its file is mapped, so what stands there when the process is killed is there for the next one;
 * against power cuts it does nothing. Entries are told apart by origin and number.
 * Threads  one. */
#ifndef BENCH_LEDGER_H
#define BENCH_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "paxos_host.h"
#include "paxos_runtime.h"

/* What was given up to a slot. */
typedef struct ledger_sum {
    uint64_t slot;
    uint64_t commands;
    uint64_t doubles; /* given before, or not to be told apart */
    uint32_t digest;  /* of slots, origins, numbers and values, in their order */
    uint32_t zero;
} ledger_sum_t;

typedef struct ledger_page ledger_page_t;

typedef struct ledger {
    ledger_page_t *page;
    ledger_sum_t sum;
    bool looks; /* into every entry; else it only knows how far it is */
} ledger_t;

/* path  NULL: in memory alone.
 * Post  true: `sum` is where the life before ended; false: errno. */
bool ledger_open(ledger_t *ledger, const char *path, bool looks);
/* Entries that were delivered, from `slot` on. */
void ledger_take(ledger_t *ledger, uint64_t slot, const uint8_t *entries, uint32_t count);

#endif
