/* sizes.h - whether what a caller has to be filled is as large as what fills it. Internal.
 *
 * Where a status can say so, a struct of another size is refused; these stop the program, before a
 * byte is written.
 * Threads  any. */
#ifndef PAXOS_SIZES_H
#define PAXOS_SIZES_H

#include "paxos/base.h"
#include "paxos/effect.h"
#include "paxos/replica.h"

#ifdef __cplusplus
extern "C" {
#endif

PAXOS_HOT static inline void paxos_effect_is_sized(const paxos_effect_t *effect) {
    PAXOS_ASSERT(effect->size_bytes == sizeof *effect);
}

/* Of memory that is no replica's block there is no status. */
PAXOS_HOT static inline void paxos_status_is_sized(
    bool has_voter, const paxos_replica_status_t *status) {
    PAXOS_ASSERT(has_voter && status->size_bytes == sizeof *status);
}

#ifdef __cplusplus
}
#endif
#endif
