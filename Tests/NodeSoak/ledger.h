/* ledger.h - all that nodes ever told, and what must hold of it.
 *
 * Of a slot: what any node delivered there in any of its lives is what every node delivers there,
 * for ever. Of a node: it delivers slot after slot, from behind what its state machine holds. Of a
 * value: it stands in one slot, its bytes are those that were proposed, and in none if it was
 * refused. */
#ifndef NODE_SOAK_LEDGER_H
#define NODE_SOAK_LEDGER_H

#include "soak.h"

typedef struct ledger_slot {
    uint64_t name;
    uint64_t digest; /* of all slots up to this one */
    uint32_t checksum;
} ledger_slot_t;

/* Where a value stands. */
typedef struct ledger_value {
    uint64_t name; /* 0: the place is free */
    uint64_t slot; /* UINT64_MAX: in none, it was refused */
} ledger_value_t;

typedef struct ledger_node {
    uint64_t delivered; /* the last slot that it told of */
    uint64_t behind_to; /* 0: its peers have all that it lacks */
    uint64_t durable;   /* up to which its state machine was said to be durable */
    uint32_t incarnation;
    uint32_t quiet;
    uint32_t leader;
} ledger_node_t;

typedef struct ledger {
    ledger_slot_t *log; /* from slot 0 on, which is nobody's */
    uint64_t log_capacity;
    uint64_t last; /* slot */
    ledger_value_t *values;
    uint64_t values_mask;
    uint64_t value_count;
    uint64_t acknowledged; /* values that stand in the log */
    uint64_t refused;
    uint64_t unknown;
    uint64_t again; /* slots that a node told of once more, because its state machine lacked them */
    ledger_node_t nodes[NODES];
} ledger_t;

/* False: no memory. */
bool ledger_open(ledger_t *ledger);
void ledger_close(ledger_t *ledger);

/* NULL, or what is wrong with what node `index` + 1 told. Cost O(1), amortized. */
const char *ledger_take(ledger_t *ledger, uint32_t index, const told_t *told);

#endif
