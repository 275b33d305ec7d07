/* hot_accept.h - the two frames of every commit, taken in one go: the next ACCEPT of a leader, and
 * the ACCEPTED that answers it.
 *
 * Each function here says yes only when nothing is unusual; a no changes nothing, and the same
 * frame then goes the long way (receive.c), which finds out what it is. Both ways share the
 * functions that store, choose and reply.
 * Internal to the library.
 * Threads  the block's caller.
 * Source   Lamport, "Paxos Made Simple" (2001), section 2.2, phase 2. */
#ifndef PAXOS_HOT_ACCEPT_H
#define PAXOS_HOT_ACCEPT_H

#include "paxos/hot_log.h"

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/* A ring entry for a reply. Pre: !paxos_replies_full. */
static inline paxos_reply_t *paxos_reply_push(paxos_acceptor_t *a, uint8_t kind, uint32_t member) {
    paxos_reply_t *reply = paxos_reply(a, a->replies_in);
    a->replies_in += 1;
    reply->lsn = 0;
    reply->ballot = 0;
    reply->slot = 0;
    reply->digest = 0;
    reply->other = 0;
    reply->count = 0;
    reply->member = (uint16_t)member;
    reply->state = 0;
    reply->kind = kind;
    reply->pages = 1;
    return reply;
}

/* Answer an accepted run, when its record is durable; one of no slots says the watermark alone. */
static inline void paxos_reply_accepted(
    paxos_acceptor_t *a, uint32_t member, const paxos_run_t *run, uint64_t lsn) {
    paxos_reply_t *reply = paxos_reply_push(a, PAXOS_FRAME_ACCEPTED, member);
    reply->ballot = run->ballot;
    reply->slot = run->slot;
    reply->count = run->count;
    reply->digest = run->digest;
    reply->lsn = lsn;
}

/* What follows from an accepted run: sender and receiver have both voted, which is a decision where
 * two are a quorum and votes count at once; and what the sender says is decided, or may go. */
static inline void paxos_run_accepted(
    paxos_acceptor_t *a, const paxos_run_t *run, bool is_voted, uint64_t watermark, uint64_t trim) {
    if (a->chooses_early && is_voted) {
        for (uint32_t i = 0; i < run->count; i++) {
            paxos_cell(a, run->slot + i)->state = PAXOS_RUN_CHOSEN;
        }
        if (run->slot == a->decided + 1) { a->decided += run->count; }
    }
    if (trim > a->stable) { a->stable = trim; }
    paxos_log_note_commit(a, run->ballot, watermark);
    if (a->decided != a->last_slot) { paxos_log_advance(a); }
}

/* Whether a header says that it is of this kind, for this node and by a member in the life that it
 * is known by. Its checksum is still to be verified. Cost O(1). */
static inline bool paxos_header_is_known(
    const paxos_acceptor_t *a, const uint8_t *header, uint8_t kind, uint32_t *member_out) {
    const uint64_t nodes = paxos_get64_scalar(header + 24);
    const uint32_t member = paxos_member_index(a, (uint16_t)(nodes & 0xFFFFu));
    if (header[7] != kind || (nodes >> 16 & 0xFFFFu) != a->node || member == PAXOS_MEMBERS_MAX ||
        member == a->self_index) {
        return false;
    }
    const uint64_t life = (uint64_t)paxos_members(a)[member].incarnation << 32 | a->group;
    *member_out = member;
    return life >> 32 != 0 && paxos_get64_scalar(header + 16) == life &&
           paxos_get64_scalar(header + 8) == a->cluster;
}

/* Whether a frame is an acknowledgement of slots under `ballot`, this node's own. Cost O(1). */
static inline bool paxos_header_is_accepted(
    const paxos_acceptor_t *a, uint64_t ballot, const uint8_t *header, size_t header_bytes,
    size_t body_bytes, uint32_t *member_out) {
    return header_bytes == PAXOS_FRAME_HEADER_BYTES && body_bytes == 0 &&
           paxos_header_is_known(a, header, PAXOS_FRAME_ACCEPTED, member_out) &&
           paxos_get64_scalar(header + 40) == ballot && paxos_get64_scalar(header + 48) != 0 &&
           paxos_get32(header + 32) != 0 && paxos_header_kind(header) == PAXOS_FRAME_ACCEPTED;
}

/* Vote for the run of an ACCEPT, if it is the next one: for slots that hold nothing yet, under a
 * ballot that the promise allows, with room for all that follows.
 * Post  true: accepted, the reply comes out of poll; false: nothing changed. Cost O(body). */
static inline bool paxos_accept_next(
    paxos_acceptor_t *a, const uint8_t *header, size_t header_bytes, const uint8_t *body,
    size_t body_bytes, uint32_t *member_out) {
    if (header_bytes != PAXOS_FRAME_HEADER_BYTES ||
        !paxos_header_is_known(a, header, PAXOS_FRAME_ACCEPT, member_out)) {
        return false;
    }
    const uint64_t ballot = paxos_get64_scalar(header + 40);
    const uint64_t slot = paxos_get64_scalar(header + 48);
    const uint32_t count = paxos_get32(header + 32);
    if (ballot < a->promised || paxos_ballot_node(ballot) != paxos_get16(header + 24) ||
        slot <= a->last_slot || slot + count - 1 > a->trimmed + a->window_slots || count == 0 ||
        body_bytes == 0 || body_bytes > a->body_bytes_max ||
        paxos_get32(header + 36) != body_bytes || a->abstains || paxos_replies_full(a) ||
        (!a->memory_only && paxos_writes_full(a))) {
        return false;
    }
    uint64_t digest = 0;
    if (paxos_header_kind(header) != PAXOS_FRAME_ACCEPT ||
        paxos_run_verify_hot(body, body_bytes, slot, count, a->value_bytes_max, &digest) !=
            PAXOS_OK ||
        digest != paxos_get64_scalar(header + 72)) {
        return false;
    }
    const paxos_run_t run = {ballot, slot, count, (uint32_t)body_bytes, digest, body};
    uint64_t lsn = 0;
    if (paxos_log_store_hot(a, &run, PAXOS_RUN_ACCEPTED, &lsn) != PAXOS_OK) { return false; }
    a->promised = ballot;
    a->counters.frames += 1;
    const bool is_voted = (paxos_get16(header + 28) & PAXOS_FLAG_VOTED) != 0;
    paxos_run_accepted(
        a, &run, is_voted, paxos_get64_scalar(header + 56), paxos_get64_scalar(header + 88));
    paxos_reply_accepted(a, *member_out, &run, lsn);
    return true;
}

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
