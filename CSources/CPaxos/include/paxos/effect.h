/* effect.h - what the core asks its host to do: fixed-size records, polled one at a time.
 *
 *   SEND     header and body go to `node` as one frame. The header is in this record; the body is
 *            in the block, at body_offset, and stays as it is until the host says sent(token).
 *            A frame without a body has token 0 and nothing to be said.
 *   WRITE    header and body are one journal record. Append it, make it durable, then say
 *            flushed(lsn); one flush may cover many. Records come in the order of their lsn.
 *   DELIVER  `count` entries from `slot` on are decided; they stand one behind the other at
 *            body_offset, until the next call that is not poll or sent: apply or copy them first.
 *            A proposal of this node is *decided* when its entry (node, incarnation, number)
 *            comes out here.
 *   OUTCOME  `count` proposals of this node from `number` on were refused, or their outcome is
 *            unknown; `reason` says why and `node` who leads (0: nobody known).
 *   FETCH    `node` asked for `count` decided entries from `slot` on that were trimmed here and
 *            that the journal still brings, by the host's word (retain). Read the first of them, as
 *            many as stand in body_bytes, finish the header with paxos_effect_fetched and send both
 *            as one frame. The effect names nothing in the block: it may be kept for later, or
 *            dropped, then the member asks again. Where the journal cannot bring `slot` any more,
 *            raise retain, and the member is told so. A host need keep only the last one a member.
 *
 * A host never waits for anything before an effect: one comes out only when it is allowed to.
 * Threads  the block's caller. */
#ifndef PAXOS_EFFECT_H
#define PAXOS_EFFECT_H

#include "paxos/base.h"
#include "paxos/frame.h"

enum paxos_effect_kind {
    PAXOS_EFFECT_SEND = 1,
    PAXOS_EFFECT_WRITE = 2,
    PAXOS_EFFECT_DELIVER = 3,
    PAXOS_EFFECT_OUTCOME = 4,
    PAXOS_EFFECT_FETCH = 5
};

typedef struct paxos_effect {
    uint32_t size_bytes; /* sizeof(paxos_effect_t), set by the host   */
    uint32_t kind;
    uint16_t node;        /* SEND, FETCH: to whom; OUTCOME: who leads  */
    uint16_t reason;      /* OUTCOME: paxos_reason; LOST means unknown */
    uint32_t count;       /* DELIVER, FETCH: entries; OUTCOME: proposals */
    uint64_t token;       /* SEND with a body                          */
    uint64_t lsn;         /* WRITE                                     */
    uint64_t slot;        /* DELIVER, FETCH                            */
    uint64_t number;      /* OUTCOME                                   */
    uint64_t body_offset; /* from the start of the block              */
    uint32_t body_bytes;  /* FETCH: at most so many                   */
    uint32_t zero;
    uint8_t header[PAXOS_FRAME_HEADER_BYTES]; /* SEND, WRITE; FETCH: to be finished */
} paxos_effect_t;

PAXOS_STATIC_ASSERT(sizeof(paxos_effect_t) == 160, "an effect has no hidden padding");

#ifdef __cplusplus
extern "C" {
#endif

/* Finish the header of a FETCH effect: its frame brings these `count` entries, of effect->slot and
 * those that follow. That they are what was chosen for these slots is the journal's word; seen here
 * is only that they are whole.
 * Post  PAXOS_OK         effect->header and the entries are the frame; effect->count and body_bytes
 *                        are theirs.
 *       PAXOS_ERR_RANGE  unchanged; no FETCH effect, no entries, or more than it asks for.
 *       PAXOS_ERR_WIRE   unchanged; these are not `count` whole entries.
 * Threads  any. Cost O(body_bytes). */
PAXOS_MUST_USE paxos_status_t paxos_effect_fetched(
    paxos_effect_t *effect, uint32_t count, const uint8_t *entries, size_t entries_bytes);

#ifdef __cplusplus
}
#endif

#endif
