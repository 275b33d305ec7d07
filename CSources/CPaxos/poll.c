/* poll.c - effects come out: records to write, replies that may leave, pages of what is held. */
#include "paxos/log.h"
#include "paxos/rules.h"

void paxos_effect_send(
    paxos_acceptor_t *a, paxos_effect_t *effect, const paxos_frame_t *frame, uint32_t member,
    uint64_t position) {
    paxos_effect_put(a, effect, frame, member, position);
}

static void poll_write(paxos_acceptor_t *a, paxos_effect_t *effect) {
    const paxos_write_t *write = paxos_write(a, a->writes_polled);
    a->writes_polled += 1;
    paxos_frame_t frame;
    paxos_frame_from(a, write->kind, a->node, &frame);
    frame.ballot = write->ballot;
    frame.slot = write->slot;
    frame.count = write->count;
    frame.body_bytes = write->bytes;
    frame.digest = write->digest;
    frame.nonce = write->lsn;
    /* Every record says all that must survive when older ones are recycled. */
    frame.other = a->promised;
    frame.watermark = write->watermark;
    frame.trim = a->trimmed;
    if (a->abstains) { frame.flags |= PAXOS_FLAG_ABSTAINS; }
    const uint64_t pending = write->lsn - 1 - a->flushed;
    frame.state = pending < UINT16_MAX ? (uint16_t)pending : UINT16_MAX;
    paxos_effect_clear(effect, PAXOS_EFFECT_WRITE);
    effect->node = a->node;
    effect->lsn = write->lsn;
    effect->body_bytes = write->bytes;
    paxos_frame_put(effect->header, &frame);
    if (write->bytes > 0) { effect->body_offset = paxos_arena_offset(a, write->position); }
}

/* Whether a slot that holds nothing may have held something, for all this node knows. */
static bool is_unknown(const paxos_acceptor_t *a, uint64_t slot) {
    return slot >= a->unknown_from && slot <= a->unknown_to;
}

/* Number of slots from `slot` to `last_slot` that hold nothing, all known to or none. */
static uint32_t empty_stretch(const paxos_acceptor_t *a, uint64_t slot, uint64_t last_slot) {
    const bool unknown = is_unknown(a, slot);
    uint32_t count = 0;
    while (slot + count <= last_slot &&
           !paxos_cell_holds(paxos_cell(a, slot + count), slot + count) &&
           is_unknown(a, slot + count) == unknown) {
        count += 1;
    }
    return count;
}

/* Fill the run of a page that starts at `slot`: slots alike, whose entries stand together, no
 * larger than a frame. Returns the position of its entries. */
static uint64_t fill_run(
    const paxos_acceptor_t *a, uint64_t slot, uint64_t last_slot, paxos_frame_t *frame) {
    frame->slot = slot;
    if (slot <= a->trimmed) {
        const uint64_t count = a->trimmed - slot + 1;
        frame->state = PAXOS_RUN_TRIMMED;
        frame->count = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
        return 0;
    }
    const paxos_cell_t *cell = paxos_cell(a, slot);
    if (slot > last_slot || !paxos_cell_holds(cell, slot)) {
        frame->state = is_unknown(a, slot) ? PAXOS_RUN_UNKNOWN : PAXOS_RUN_EMPTY;
        frame->count = empty_stretch(a, slot, last_slot);
        return 0;
    }
    frame->state = (uint16_t)cell->state;
    const uint64_t ballot = cell->state == PAXOS_RUN_ACCEPTED ? cell->ballot : 0;
    frame->other = ballot;
    frame->count = paxos_log_stretch(
        a, slot, last_slot, cell->state, ballot, a->body_bytes_max, &frame->body_bytes);
    frame->digest =
        paxos_run_digest(paxos_arena(a, cell->position), slot, frame->count, &frame->body_bytes);
    return cell->position;
}

/* One page of a promise; the reply stays in the ring until its last one is out. */
static PAXOS_COLD bool poll_promise(
    paxos_acceptor_t *a, paxos_reply_t *reply, paxos_effect_t *effect) {
    if (reply->ballot != a->promised || paxos_sends_full(a, reply->member)) {
        a->replies_out += 1; /* overtaken, or nobody takes it: the candidate will ask again */
        return false;
    }
    paxos_frame_t frame;
    paxos_frame_from(a, PAXOS_FRAME_PROMISE, paxos_members(a)[reply->member].node, &frame);
    frame.ballot = reply->ballot;
    frame.watermark = paxos_log_durable(a);
    frame.trim = a->trimmed;
    const uint64_t position = fill_run(a, reply->slot, a->last_slot, &frame);
    reply->slot += frame.count;
    reply->pages -= 1;
    if (reply->slot > a->last_slot && reply->slot > a->trimmed &&
        frame.state != PAXOS_RUN_UNKNOWN) { /* that would mean: and all that follow */
        frame.flags |= PAXOS_FLAG_LAST;
        a->replies_out += 1;
    } else if (reply->pages == 0) {
        frame.flags |= PAXOS_FLAG_PAUSE;
        a->replies_out += 1;
    }
    paxos_effect_send(a, effect, &frame, reply->member, position);
    return true;
}

/* Entries that were trimmed here and that the host's journal still brings: it finishes the frame.
 * One a question, so that never more are under way than were asked for; the member asks on. */
static void fetch(
    paxos_acceptor_t *a, const paxos_reply_t *reply, paxos_frame_t *frame, paxos_effect_t *effect) {
    a->replies_out += 1;
    const uint64_t trimmed = a->trimmed - reply->slot + 1;
    frame->slot = reply->slot;
    frame->state = PAXOS_RUN_CHOSEN;
    paxos_effect_clear(effect, PAXOS_EFFECT_FETCH);
    effect->node = frame->receiver;
    effect->slot = reply->slot;
    effect->count = trimmed < reply->count ? (uint32_t)trimmed : reply->count;
    effect->body_bytes = a->body_bytes_max;
    if (reply->slot + effect->count <= a->decided) { frame->flags |= PAXOS_FLAG_PAUSE; }
    paxos_frame_put(effect->header, frame);
}

/* One page of decided entries. */
static PAXOS_COLD bool poll_learned(
    paxos_acceptor_t *a, paxos_reply_t *reply, paxos_effect_t *effect) {
    if (reply->slot > a->decided || reply->count == 0 || paxos_sends_full(a, reply->member)) {
        a->replies_out += 1;
        return false;
    }
    paxos_frame_t frame;
    paxos_frame_from(a, PAXOS_FRAME_LEARNED, paxos_members(a)[reply->member].node, &frame);
    frame.watermark = paxos_log_durable(a);
    frame.trim = a->trimmed;
    const bool is_kept = a->retained != 0 && a->retained <= a->trimmed;
    if (is_kept && reply->slot >= a->retained && reply->slot <= a->trimmed) {
        fetch(a, reply, &frame, effect);
        return true;
    }
    const uint64_t wanted = reply->slot + reply->count - 1;
    const uint64_t last_slot = wanted < a->decided ? wanted : a->decided;
    const uint64_t position = fill_run(a, reply->slot, last_slot, &frame);
    frame.other = 0;
    /* What the journal brings is not gone: it comes when it is asked for. */
    if (is_kept && frame.state == PAXOS_RUN_TRIMMED && a->retained - reply->slot < frame.count) {
        frame.count = (uint32_t)(a->retained - reply->slot);
    }
    const uint32_t covered = frame.count < reply->count ? frame.count : reply->count;
    reply->slot += covered;
    reply->count -= covered;
    reply->pages -= 1;
    if (reply->count == 0 || reply->slot > a->decided || frame.state == PAXOS_RUN_TRIMMED) {
        a->replies_out += 1;
    } else if (reply->pages == 0) {
        frame.flags |= PAXOS_FLAG_PAUSE;
        a->replies_out += 1;
    }
    paxos_effect_send(a, effect, &frame, reply->member, position);
    return true;
}

/* A reply that is one frame, straight from the ring. */
PAXOS_HOT static inline void poll_plain(
    paxos_acceptor_t *a, const paxos_reply_t *reply, uint8_t kind, uint64_t other, uint16_t state,
    paxos_effect_t *effect) {
    a->replies_out += 1;
    paxos_frame_t frame;
    paxos_frame_from(a, kind, paxos_members(a)[reply->member].node, &frame);
    uint64_t slot = reply->slot;
    PAXOS_SCALAR(slot);
    frame.ballot = reply->ballot;
    frame.slot = slot;
    frame.count = reply->count;
    frame.digest = reply->digest;
    frame.other = other;
    frame.state = state;
    frame.watermark = paxos_log_durable(a);
    paxos_effect_put(a, effect, &frame, reply->member, 0);
}

/* The reply of every commit: it has no reason and names no other ballot. */
static PAXOS_APART bool poll_accepted(
    paxos_acceptor_t *a, const paxos_reply_t *reply, paxos_effect_t *effect) {
    poll_plain(a, reply, PAXOS_FRAME_ACCEPTED, 0, 0, effect);
    return true;
}

/* The first reply, if it may leave; NULL: there is none, or it waits for its flush. */
static paxos_reply_t *due_reply(const paxos_acceptor_t *a) {
    paxos_reply_t *reply = paxos_reply(a, a->replies_out);
    return a->replies_out != a->replies_in && reply->lsn <= a->flushed ? reply : NULL;
}

static bool is_paged(const paxos_reply_t *reply) {
    return reply->kind == PAXOS_FRAME_PROMISE || reply->kind == PAXOS_FRAME_LEARNED;
}

/* An answer to a heartbeat, which waits for nothing: it says that this node is there, and that it
 * has room for what it had none for. False: none is due. */
static PAXOS_COLD bool poll_heartbeat(paxos_acceptor_t *a, paxos_effect_t *effect) {
    const bool has_room = !paxos_writes_full(a) && !paxos_replies_full(a);
    const uint32_t room_owed = has_room ? (uint32_t)a->room_owed : 0;
    const uint32_t owed = (uint32_t)a->heartbeats_owed | room_owed;
    if (owed == 0) { return false; }
    uint32_t member = 0;
    while ((owed >> member & 1u) == 0) { member += 1; }
    const uint32_t bit = (uint32_t)1 << member;
    const paxos_member_t *to = paxos_members(a) + member;
    paxos_frame_t frame;
    paxos_frame_from(a, PAXOS_FRAME_HEARTBEAT_REPLY, to->node, &frame);
    frame.nonce = to->heartbeat_round;
    frame.ballot = a->following;
    frame.other = a->promised;
    frame.watermark = paxos_log_durable(a);
    frame.trim = a->applied;
    frame.digest = a->fingerprint;
    if (a->memory_only) { frame.flags |= PAXOS_FLAG_MEMORY; }
    if (a->quorum) { frame.flags |= PAXOS_FLAG_QUORUM; }
    if (a->abstains) { frame.flags |= PAXOS_FLAG_ABSTAINS; }
    if ((room_owed & bit) != 0) { frame.flags |= PAXOS_FLAG_ROOM; }
    a->heartbeats_owed &= ~(uint64_t)bit;
    a->room_owed &= ~(uint64_t)(room_owed & bit);
    paxos_effect_send(a, effect, &frame, member, 0);
    return true;
}

/* The next effect, whatever it is. */
static PAXOS_APART bool poll_any(paxos_acceptor_t *a, paxos_effect_t *effect) {
    if (a->writes_polled != a->writes_in) {
        poll_write(a, effect);
        return true;
    }
    for (paxos_reply_t *reply = due_reply(a); reply != NULL; reply = due_reply(a)) {
        if (!is_paged(reply)) {
            poll_plain(a, reply, reply->kind, reply->other, reply->state, effect);
            return true;
        }
        const bool is_promise = reply->kind == PAXOS_FRAME_PROMISE;
        if (is_promise ? poll_promise(a, reply, effect) : poll_learned(a, reply, effect)) {
            return true;
        }
    }
    return poll_heartbeat(a, effect);
}

paxos_status_t paxos_effect_fetched(
    paxos_effect_t *effect, uint32_t count, const uint8_t *entries, size_t entries_bytes) {
    if (effect->size_bytes != sizeof *effect || effect->kind != PAXOS_EFFECT_FETCH || count == 0 ||
        count > effect->count || entries_bytes > effect->body_bytes) {
        return PAXOS_ERR_RANGE;
    }
    uint64_t digest;
    const paxos_status_t status = paxos_run_verify(
        entries, entries_bytes, effect->slot, count, PAXOS_VALUE_BYTES_MAX, &digest);
    if (status != PAXOS_OK) { return status; }
    paxos_frame_t frame;
    paxos_frame_read(effect->header, &frame);
    if (count < effect->count) { frame.flags |= PAXOS_FLAG_PAUSE; }
    frame.count = count;
    frame.body_bytes = (uint32_t)entries_bytes;
    frame.digest = digest;
    paxos_frame_put(effect->header, &frame);
    effect->count = count;
    effect->body_bytes = frame.body_bytes;
    return PAXOS_OK;
}

bool paxos_voter_poll(paxos_acceptor_t *a, paxos_effect_t *effect) {
    if (PAXOS_SHORT_WAY && a->writes_polled == a->writes_in) {
        if (a->replies_out == a->replies_in) {
            if ((a->heartbeats_owed | a->room_owed) == 0) { return false; }
        } else {
            const paxos_reply_t *reply = paxos_reply(a, a->replies_out);
            if (reply->kind == PAXOS_FRAME_ACCEPTED && reply->lsn <= a->flushed) {
                return poll_accepted(a, reply, effect);
            }
        }
    }
    return poll_any(a, effect);
}
