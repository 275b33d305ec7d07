/* receive.c - a frame of a member comes in: verified, then given to the rule it belongs to.
 *
 * Nothing of a frame is believed before its checksum, its origin and its entries were verified, and
 * nothing changes before the reply has a place: a refused frame leaves the block as it was. */
#include "paxos/hot_accept.h"
#include "paxos/rules.h"

static void reject(
    paxos_acceptor_t *a, uint32_t member, const paxos_frame_t *frame, uint16_t reason,
    uint64_t digest) {
    paxos_reply_t *reply = paxos_reply_push(a, PAXOS_FRAME_REJECTED, member);
    reply->ballot = frame->ballot;
    reply->slot = frame->slot;
    reply->count = frame->count;
    reply->other = a->promised;
    reply->state = reason;
    reply->digest = digest;
}

/* Promises that one request may bring before the candidate must ask again. */
#define PAGES_PER_REQUEST 16u

static paxos_status_t take_prepare(
    paxos_acceptor_t *a, uint32_t member, const paxos_frame_t *frame) {
    uint64_t promised = 0;
    uint64_t lsn = 0;
    const paxos_status_t status = paxos_voter_prepare(a, frame->ballot, &promised, &lsn);
    if (status == PAXOS_ERR_STALE) {
        a->counters.stale += 1;
        reject(a, member, frame, PAXOS_REASON_STALE, 0);
        return status;
    }
    if (status != PAXOS_OK) { return status; }
    paxos_reply_t *reply = paxos_reply_push(a, PAXOS_FRAME_PROMISE, member);
    reply->ballot = frame->ballot;
    reply->slot = frame->slot;
    reply->pages = PAGES_PER_REQUEST;
    reply->lsn = lsn;
    return PAXOS_OK;
}

void paxos_run_above_trim(const paxos_acceptor_t *a, paxos_run_t *run) {
    while (run->count > 0 && run->slot <= a->trimmed) {
        const uint32_t bytes = paxos_entry_bytes(paxos_get32(run->entries + 4));
        run->digest -= paxos_digest_term(run->slot, paxos_get32(run->entries));
        run->entries += bytes;
        run->bytes -= bytes;
        run->slot += 1;
        run->count -= 1;
    }
}

/* Leave of a verified run what the window reaches, if its first slot is in it; false: that is all
 * of it, or nothing. A leader goes by the pipeline, which is longer than what is left of a window
 * that was not trimmed for a while. */
static bool is_cut(const paxos_acceptor_t *a, paxos_run_t *run) {
    const uint64_t end = a->trimmed + a->window_slots;
    if (run->slot > end || run->slot + run->count - 1 <= end) { return false; }
    run->count = (uint32_t)(end - run->slot + 1);
    run->digest = paxos_run_digest(run->entries, run->slot, run->count, &run->bytes);
    return true;
}

static void choose_run(paxos_acceptor_t *a, const paxos_run_t *run) {
    for (uint32_t i = 0; i < run->count; i++) {
        paxos_cell(a, run->slot + i)->state = PAXOS_RUN_CHOSEN;
    }
}

/* An Accept finds no room, or not for all of it: its leader's word of what may be forgotten counts
 * all the same, and may make some. False: it does not. */
static bool makes_room(paxos_acceptor_t *a, const paxos_frame_t *frame) {
    if (frame->trim > a->stable) { a->stable = frame->trim; }
    return paxos_log_trim(a);
}

static paxos_status_t take_accept(
    paxos_acceptor_t *a, uint32_t member, const paxos_frame_t *frame, const uint8_t *body) {
    if (PAXOS_UNLIKELY(frame->ballot < a->promised)) {
        a->counters.stale += 1;
        reject(a, member, frame, PAXOS_REASON_STALE, 0);
        return PAXOS_ERR_STALE;
    }
    paxos_run_t run = {frame->ballot,     frame->slot,   frame->count,
                       frame->body_bytes, frame->digest, body};
    paxos_status_t status = PAXOS_OK;
    uint64_t lsn = 0;
    do {
        paxos_run_above_trim(a, &run);
        status = run.count > 0 ? paxos_voter_accept(a, &run, &lsn) : PAXOS_ERR_TRIMMED;
        /* What is cut off must be sent again: that comes last. */
    } while (PAXOS_UNLIKELY(status == PAXOS_ERR_FULL) && (makes_room(a, frame) || is_cut(a, &run)));
    if (PAXOS_LIKELY(status == PAXOS_OK)) {
        const bool is_chosen = paxos_run_is_chosen(a, (frame->flags & PAXOS_FLAG_VOTED) != 0);
        if (is_chosen) { choose_run(a, &run); }
        paxos_run_accepted(a, &run, is_chosen, frame->watermark, frame->trim);
        paxos_reply_accepted(a, member, &run, lsn);
        return PAXOS_OK;
    }
    if (status == PAXOS_ERR_TRIMMED) {
        /* Decided here already: the answer's watermark says so, and counts for no slot. */
        paxos_log_mark(a, 1);
        const paxos_run_t none = {frame->ballot, 0, 0, 0, 0, NULL};
        paxos_reply_accepted(a, member, &none, a->lsn);
        return PAXOS_OK;
    }
    if (status == PAXOS_ERR_CONFLICT) {
        a->counters.conflict += 1;
        reject(a, member, frame, PAXOS_REASON_CONFLICT, frame->digest);
    }
    if (status == PAXOS_ERR_FULL) { a->counters.full += 1; }
    return status;
}

static void take_mark(paxos_acceptor_t *a, const paxos_frame_t *frame) {
    if (frame->trim > a->stable) { a->stable = frame->trim; }
    paxos_log_commit(a, frame->ballot, frame->watermark);
}

static void take_heartbeat(paxos_acceptor_t *a, uint32_t member, const paxos_frame_t *frame) {
    paxos_members(a)[member].heartbeat_round = frame->nonce;
    a->heartbeats_owed |= (uint32_t)1 << member;
    if ((frame->flags & PAXOS_FLAG_LEADING) != 0) { take_mark(a, frame); }
}

static paxos_status_t take_learn(paxos_acceptor_t *a, uint32_t member, const paxos_frame_t *frame) {
    paxos_reply_t *reply = paxos_reply_push(a, PAXOS_FRAME_LEARNED, member);
    reply->slot = frame->slot;
    reply->count = frame->count;
    reply->pages = PAGES_PER_REQUEST;
    return PAXOS_OK;
}

paxos_status_t paxos_log_learn_frame(
    paxos_acceptor_t *a, const paxos_frame_t *frame, const uint8_t *body) {
    paxos_run_t run = {0, frame->slot, frame->count, frame->body_bytes, frame->digest, body};
    paxos_run_above_trim(a, &run);
    return run.count == 0 ? PAXOS_OK : paxos_log_learn(a, &run);
}

static paxos_status_t take_learned(
    paxos_acceptor_t *a, const paxos_frame_t *frame, const uint8_t *body) {
    if (frame->state != PAXOS_RUN_CHOSEN) { return PAXOS_OK; }
    const paxos_status_t status = paxos_log_learn_frame(a, frame, body);
    if (status == PAXOS_ERR_FULL) { a->counters.full += 1; }
    return status;
}

static paxos_status_t take_verified(
    paxos_acceptor_t *a, uint32_t member, const paxos_frame_t *frame, const uint8_t *body) {
    switch (frame->kind) {
        case PAXOS_FRAME_ACCEPT: return take_accept(a, member, frame, body);
        case PAXOS_FRAME_PREPARE: return take_prepare(a, member, frame);
        case PAXOS_FRAME_COMMIT: take_mark(a, frame); return PAXOS_OK;
        case PAXOS_FRAME_HEARTBEAT: take_heartbeat(a, member, frame); return PAXOS_OK;
        case PAXOS_FRAME_LEARN: return take_learn(a, member, frame);
        case PAXOS_FRAME_LEARNED: return take_learned(a, frame, body);
        default: return PAXOS_OK; /* a proposer's business */
    }
}

/* Whether all entries of a forward are commands that its sender proposed in its present life. */
static bool is_all_of_sender(const paxos_frame_t *frame, const uint8_t *body) {
    for (uint32_t i = 0; i < frame->count; i++) {
        const paxos_entry_t entry = paxos_entry_get(body);
        if (entry.node != frame->sender || entry.incarnation != frame->incarnation ||
            entry.kind != PAXOS_ENTRY_COMMAND) {
            return false;
        }
        body += paxos_entry_bytes(entry.value_bytes);
    }
    return true;
}

/* Verify a frame's body: its entries, their digest, and whose they are. */
static bool is_body_good(
    const paxos_acceptor_t *a, const paxos_frame_t *frame, const uint8_t *body) {
    if (frame->body_bytes == 0) { return true; }
    const bool is_forward = frame->kind == PAXOS_FRAME_FORWARD;
    uint64_t digest = 0;
    return paxos_run_verify(
               body, frame->body_bytes, is_forward ? 1 : frame->slot, frame->count,
               a->value_bytes_max, &digest) == PAXOS_OK &&
           digest == frame->digest && (!is_forward || is_all_of_sender(frame, body));
}

/* Whether a frame says that its sender is configured differently. */
static bool is_of_another(const paxos_acceptor_t *a, const paxos_frame_t *frame) {
    switch (frame->kind) {
        case PAXOS_FRAME_PREPARE:
        case PAXOS_FRAME_HEARTBEAT:
        case PAXOS_FRAME_HEARTBEAT_REPLY: return frame->digest != a->fingerprint;
        default: return false;
    }
}

/* There is no room for what comes of a frame. Accepts are missed until their leader hears that
 * there is some again; who sent anything else asks again soon. */
static paxos_status_t is_busy(paxos_acceptor_t *a, uint32_t member, const paxos_frame_t *frame) {
    a->counters.busy += 1;
    if (frame->kind == PAXOS_FRAME_ACCEPT) { a->room_owed |= (uint32_t)1 << member; }
    return PAXOS_ERR_BUSY;
}

/* Remember in which life the sender of a frame is, and what its next ACCEPT will have in common
 * with one that was just taken. */
static void note_sender(
    paxos_acceptor_t *a, uint32_t member, const paxos_frame_t *frame, bool is_taken) {
    paxos_member_t *sender = paxos_members(a) + member;
    if (sender->incarnation != frame->incarnation) {
        sender->incarnation = frame->incarnation;
        a->usual_nodes = 0;
    }
    if (frame->kind != PAXOS_FRAME_ACCEPT || !is_taken) { return; }
    a->usual_nodes = paxos_pair32(
        paxos_pair16(frame->sender, frame->receiver), paxos_pair16(frame->flags, frame->state));
    a->usual_life = paxos_pair32(frame->group, frame->incarnation);
    a->usual_member = member;
}

paxos_status_t paxos_voter_take(
    paxos_acceptor_t *a, uint32_t member, const paxos_frame_t *frame, const uint8_t *body) {
    if (frame->kind <= PAXOS_FRAME_ACCEPT || frame->kind == PAXOS_FRAME_LEARN) {
        if (PAXOS_UNLIKELY(paxos_replies_full(a))) { return is_busy(a, member, frame); }
    }
    if (PAXOS_UNLIKELY(!is_body_good(a, frame, body))) {
        a->counters.wire += 1;
        return PAXOS_ERR_WIRE;
    }
    if (PAXOS_UNLIKELY(is_of_another(a, frame))) {
        a->counters.foreign += 1;
        return PAXOS_ERR_FOREIGN;
    }
    const paxos_status_t status = take_verified(a, member, frame, body);
    if (PAXOS_UNLIKELY(status == PAXOS_ERR_BUSY)) { return is_busy(a, member, frame); }
    /* What was refused leaves no trace: a node configured differently was never heard of. */
    if (PAXOS_LIKELY(status >= PAXOS_ERR_STALE || status == PAXOS_ERR_CONFLICT)) {
        note_sender(a, member, frame, status == PAXOS_OK);
    }
    return status;
}

paxos_status_t paxos_voter_decode(
    paxos_acceptor_t *a, const uint8_t *header, size_t header_bytes, size_t body_bytes,
    paxos_frame_t *frame, uint32_t *member_out) {
    if (header_bytes != PAXOS_FRAME_HEADER_BYTES ||
        paxos_frame_decode(header, header_bytes, frame) != PAXOS_OK ||
        frame->body_bytes != body_bytes) {
        a->counters.wire += 1;
        return PAXOS_ERR_WIRE;
    }
    *member_out = paxos_member_index(a, frame->sender);
    if (frame->cluster != a->cluster || frame->group != a->group || frame->receiver != a->node ||
        *member_out == PAXOS_MEMBERS_MAX || *member_out == a->self_index ||
        frame->body_bytes > a->body_bytes_max) {
        a->counters.foreign += 1;
        return PAXOS_ERR_FOREIGN;
    }
    /* A node that kept its votes in memory and came back has forgotten them: it is nobody. */
    const uint32_t known = paxos_members(a)[*member_out].incarnation;
    if (a->memory_only && known != 0 && known != frame->incarnation) {
        a->counters.foreign += 1;
        return PAXOS_ERR_FOREIGN;
    }
    a->counters.frames += 1;
    return PAXOS_OK;
}

PAXOS_APART bool paxos_accept_several(
    paxos_acceptor_t *a, const uint8_t *header, const uint8_t *body, size_t body_bytes) {
    return paxos_accept_run(a, header, body, body_bytes, paxos_get32(header + 32));
}
