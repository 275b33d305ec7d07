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
PAXOS_HOT static inline paxos_reply_t *paxos_reply_push(
    paxos_acceptor_t *a, uint8_t kind, uint32_t member) {
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
PAXOS_HOT static inline void paxos_reply_accepted(
    paxos_acceptor_t *a, uint32_t member, const paxos_run_t *run, uint64_t lsn) {
    paxos_reply_t *reply = paxos_reply_push(a, PAXOS_FRAME_ACCEPTED, member);
    reply->ballot = run->ballot;
    reply->slot = run->slot;
    reply->count = run->count;
    reply->digest = run->digest;
    reply->lsn = lsn;
}

/* Whether an accepted run is chosen at once: sender and receiver have both voted, and where votes
 * count at once and two are a quorum, that is a decision. */
PAXOS_HOT static inline bool paxos_run_is_chosen(const paxos_acceptor_t *a, bool is_voted) {
    return is_voted && a->chooses_early;
}

/* What follows from a run that was accepted, or chosen at once: what it decides, and what its
 * sender says is decided, or may go. */
PAXOS_HOT static inline void paxos_run_accepted(
    paxos_acceptor_t *a, const paxos_run_t *run, bool is_chosen, uint64_t watermark,
    uint64_t trim) {
    if (is_chosen && run->slot == a->decided + 1) { a->decided += run->count; }
    if (trim > a->stable) { a->stable = trim; }
    paxos_log_note_commit(a, run->ballot, watermark);
    if (a->decided != a->last_slot) { paxos_log_advance(a); }
}

/* Whether a header says that it is for this node, by a member in the life that it is known by. Its
 * checksum is still to be verified. Cost O(1). */
PAXOS_HOT static inline bool paxos_header_is_known(
    const paxos_acceptor_t *a, const uint8_t *header, uint32_t *member_out) {
    const uint64_t nodes = paxos_get64_scalar(header + 24);
    const uint32_t member = paxos_member_index(a, (uint16_t)(nodes & 0xFFFFu));
    if (member == PAXOS_MEMBERS_MAX || member == a->self_index ||
        (nodes >> 16 & 0xFFFFu) != a->node) {
        return false;
    }
    const uint64_t life = (uint64_t)paxos_members(a)[member].incarnation << 32 | a->group;
    *member_out = member;
    return life >> 32 != 0 && paxos_get64_scalar(header + 16) == life &&
           paxos_get64_scalar(header + 8) == a->cluster;
}

/* Whether a frame is an acknowledgement of slots under `ballot`, this node's own. Cost O(1). */
PAXOS_HOT static inline bool paxos_header_is_accepted(
    const paxos_acceptor_t *a, uint64_t ballot, const uint8_t *header, size_t header_bytes,
    size_t body_bytes, uint32_t *member_out) {
    static const paxos_rule_t rule = PAXOS_RULE_ACCEPTED;
    if (header_bytes != PAXOS_FRAME_HEADER_BYTES) { return false; }
    const uint32_t checksum = paxos_header_checksum(header);
    return body_bytes == 0 && paxos_header_is_known(a, header, member_out) &&
           paxos_get64_scalar(header + 40) == ballot && paxos_get64_scalar(header + 48) != 0 &&
           paxos_get32(header + 32) != 0 &&
           paxos_header_is(header, PAXOS_FRAME_ACCEPTED, &rule, checksum);
}

/* Whether a frame is an ACCEPT as the last one was, from the same node in the same life, under the
 * ballot promised, for slots above all that hold something, with room for all that follows but its
 * entries. What it has in common with that one was verified then. Cost O(1). */
PAXOS_HOT static inline bool paxos_header_is_next(
    const paxos_acceptor_t *a, const uint8_t *header, size_t header_bytes, size_t body_bytes) {
    static const paxos_rule_t rule = PAXOS_RULE_ACCEPT;
    const uint32_t slot_word = 3; /* of the rule: those before it are compared as a whole */
    if (header_bytes != PAXOS_FRAME_HEADER_BYTES) { return false; }
    const uint32_t checksum = paxos_header_checksum(header);
    const uint64_t ballot = paxos_get64_scalar(header + 40);
    const uint64_t slot = paxos_get64_scalar(header + 48);
    const uint32_t count = paxos_get32(header + 32);
    const uint64_t nodes = paxos_get64_scalar(header + 24);
    return nodes != 0 && nodes == a->usual_nodes && /* 0: nobody is the usual sender */
           paxos_get64_scalar(header + 16) == a->usual_life &&
           paxos_get64_scalar(header + 8) == a->cluster &&
           paxos_get32(header + 4) == PAXOS_FRAME_MARK(PAXOS_FRAME_ACCEPT) &&
           ballot == a->promised && paxos_ballot_node(ballot) == paxos_get16(header + 24) &&
           slot > a->last_slot && slot + count - 1 <= a->trimmed + a->window_slots &&
           count - 1 < PAXOS_NEXT_SLOTS_MAX && body_bytes <= a->body_bytes_max &&
           paxos_get32(header + 36) == body_bytes && !paxos_replies_full(a) &&
           (a->memory_only || (!a->abstains && !paxos_writes_full(a))) &&
           !paxos_has_foreign_bits(&rule, header, slot_word) && checksum == paxos_get32(header);
}

/* Vote for the run of an ACCEPT whose header is the next one, if it is whole. `count` is the
 * header's: where it is a constant, what is done for one entry takes no loop. */
PAXOS_HOT static inline bool paxos_accept_run(
    paxos_acceptor_t *a, const uint8_t *header, const uint8_t *body, size_t body_bytes,
    uint32_t count) {
    const paxos_run_t run = {
        paxos_get64_scalar(header + 40),
        paxos_get64_scalar(header + 48),
        count,
        (uint32_t)body_bytes,
        paxos_get64_scalar(header + 72),
        body};
    uint64_t digest = 0;
    if (paxos_run_verify_hot(body, body_bytes, run.slot, count, a->value_bytes_max, &digest) !=
            PAXOS_OK ||
        digest != run.digest) {
        return false;
    }
    const bool is_chosen =
        paxos_run_is_chosen(a, (paxos_get16(header + 28) & PAXOS_FLAG_VOTED) != 0);
    const uint32_t state = is_chosen ? PAXOS_RUN_CHOSEN : PAXOS_RUN_ACCEPTED;
    uint64_t lsn = 0;
    if (paxos_log_store_hot(a, &run, state, true, &lsn) != PAXOS_OK) { return false; }
    a->counters.frames += 1;
    paxos_run_accepted(
        a, &run, is_chosen, paxos_get64_scalar(header + 56), paxos_get64_scalar(header + 88));
    paxos_reply_accepted(a, a->usual_member, &run, lsn);
    return true;
}

/* The same for a run of several entries, which is worth a call. */
bool paxos_accept_several(
    paxos_acceptor_t *a, const uint8_t *header, const uint8_t *body, size_t body_bytes);

/* Vote for the run of an ACCEPT, if it is the next one and whole.
 * Post  true: accepted, the reply comes out of poll; false: nothing changed. Cost O(body). */
PAXOS_HOT static inline bool paxos_accept_next(
    paxos_acceptor_t *a, const uint8_t *header, size_t header_bytes, const uint8_t *body,
    size_t body_bytes, uint32_t *member_out) {
    if (!paxos_header_is_next(a, header, header_bytes, body_bytes)) { return false; }
    *member_out = a->usual_member;
    return paxos_get32(header + 32) == 1 ? paxos_accept_run(a, header, body, body_bytes, 1)
                                         : paxos_accept_several(a, header, body, body_bytes);
}

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
