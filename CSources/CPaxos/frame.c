/* frame.c - which kind of frame may have which bits, and the checks that follow. */
#include "paxos/hot_frame.h"

#define FLAGS(flags) ((uint64_t)(flags) << 32)
#define STATES(mask) ((uint64_t)(mask) << 48)
#define NODES 0xFFFFFFFFu
#define COUNT 0xFFFFFFFFu
#define BODY ((uint64_t)(PAXOS_FRAME_BYTES_MAX * 2 - 8) << 32) /* a multiple of 8 */
#define ANY UINT64_MAX
#define SLOTS (PAXOS_SLOT_MAX - 1)

/* A rule from what is allowed: the columns are state, count, ballot, slot, watermark, nonce,
 * digest, other and trim, in the order of the header. */
/* clang-format off */
#define RULE(state, count, ballot, slot, watermark, nonce, digest, other, trim)            \
    {{~(uint64_t)(state), ~(uint64_t)(count), ~(uint64_t)(ballot), ~(uint64_t)(slot),      \
      ~(uint64_t)(watermark), ~(uint64_t)(nonce), ~(uint64_t)(digest), ~(uint64_t)(other), \
      ~(uint64_t)(trim)}}
/* clang-format on */

const paxos_rule_t paxos_rules[PAXOS_FRAME_KIND_MAX + 1] = {
    [PAXOS_FRAME_PREPARE] = RULE(NODES, 0, ANY, SLOTS, 0, 0, ANY, 0, 0),
    [PAXOS_FRAME_PROMISE] = RULE(
        NODES | FLAGS(PAXOS_FLAG_LAST | PAXOS_FLAG_PAUSE) | STATES(7), COUNT | BODY, ANY, SLOTS,
        SLOTS, 0, ANY, ANY, SLOTS),
    [PAXOS_FRAME_REJECTED] = RULE(NODES | STATES(3), COUNT, ANY, SLOTS, SLOTS, 0, ANY, ANY, 0),
    [PAXOS_FRAME_ACCEPT] =
        RULE(NODES | FLAGS(PAXOS_FLAG_VOTED), COUNT | BODY, ANY, SLOTS, SLOTS, 0, ANY, 0, SLOTS),
    [PAXOS_FRAME_ACCEPTED] = RULE(NODES, COUNT, ANY, SLOTS, SLOTS, 0, ANY, 0, 0),
    [PAXOS_FRAME_COMMIT] = RULE(NODES, 0, ANY, 0, SLOTS, 0, 0, 0, SLOTS),
    [PAXOS_FRAME_HEARTBEAT] = RULE(
        NODES |
            FLAGS(PAXOS_FLAG_LEADING | PAXOS_FLAG_QUORUM | PAXOS_FLAG_MEMORY | PAXOS_FLAG_ABSTAINS),
        0, ANY, 0, SLOTS, ANY, ANY, ANY, SLOTS),
    [PAXOS_FRAME_HEARTBEAT_REPLY] = RULE(
        NODES | FLAGS(PAXOS_FLAG_QUORUM | PAXOS_FLAG_MEMORY | PAXOS_FLAG_ABSTAINS), 0, ANY, 0,
        SLOTS, ANY, ANY, ANY, 0),
    [PAXOS_FRAME_LEARN] = RULE(NODES, COUNT, 0, SLOTS, 0, 0, 0, 0, 0),
    [PAXOS_FRAME_LEARNED] = RULE(
        NODES | FLAGS(PAXOS_FLAG_PAUSE) | STATES(7), COUNT | BODY, 0, SLOTS, SLOTS, 0, ANY, 0,
        SLOTS),
    [PAXOS_FRAME_FORWARD] = RULE(NODES, COUNT | BODY, ANY, 0, 0, 0, ANY, 0, 0),
    [PAXOS_FRAME_REFUSED] = RULE(NODES | STATES(7), COUNT, ANY, 0, 0, ANY, 0, ANY, 0),
};

/* A page of a promise or of learned entries: what its state and its flags allow. */
static bool is_page(const paxos_frame_t *frame) {
    const bool full = frame->state == PAXOS_RUN_ACCEPTED || frame->state == PAXOS_RUN_CHOSEN;
    const bool last = (frame->flags & PAXOS_FLAG_LAST) != 0;
    if (frame->state > PAXOS_RUN_TRIMMED || frame->slot == 0) { return false; }
    if (full != (frame->body_bytes != 0) || (!full && frame->digest != 0)) { return false; }
    if (last && (frame->flags & PAXOS_FLAG_PAUSE) != 0) { return false; }
    /* Only the end of a promise covers nothing. */
    if (frame->count == 0 && (frame->state != PAXOS_RUN_EMPTY || !last)) { return false; }
    if (frame->kind == PAXOS_FRAME_LEARNED) {
        return frame->state == PAXOS_RUN_CHOSEN || frame->state == PAXOS_RUN_TRIMMED;
    }
    return paxos_is_ballot_of(frame, frame->receiver) &&
           (frame->state == PAXOS_RUN_ACCEPTED) == (frame->other != 0);
}

static bool is_rejection(const paxos_frame_t *frame) {
    if (frame->slot == 0) { return false; }
    if (!paxos_is_ballot_of(frame, frame->receiver)) { return false; }
    switch (frame->state) {
        case PAXOS_REASON_STALE: return frame->other > frame->ballot && frame->digest == 0;
        case PAXOS_REASON_CONFLICT: return frame->count != 0;
        default: return false;
    }
}

bool paxos_frame_is_consistent(const paxos_frame_t *frame) {
    switch (frame->kind) {
        case PAXOS_FRAME_ACCEPTED: /* an answer that covers no slot names none */
            return paxos_is_ballot_of(frame, frame->receiver) &&
                   (frame->slot == 0) == (frame->count == 0) &&
                   (frame->count != 0 || frame->digest == 0);
        case PAXOS_FRAME_PREPARE:
            return paxos_is_ballot_of(frame, frame->sender) && frame->slot != 0;
        case PAXOS_FRAME_COMMIT: return paxos_is_ballot_of(frame, frame->sender);
        case PAXOS_FRAME_REJECTED: return is_rejection(frame);
        case PAXOS_FRAME_PROMISE:
        case PAXOS_FRAME_LEARNED: return is_page(frame);
        case PAXOS_FRAME_HEARTBEAT: /* names a ballot if, and only if, its sender leads under it */
            return (frame->flags & PAXOS_FLAG_LEADING) != 0
                       ? paxos_is_ballot_of(frame, frame->sender)
                       : frame->ballot == 0 && frame->trim == 0;
        case PAXOS_FRAME_LEARN: return frame->slot != 0 && frame->count != 0;
        case PAXOS_FRAME_FORWARD:
            return paxos_is_ballot_of(frame, frame->receiver) && frame->count != 0 &&
                   frame->body_bytes != 0;
        case PAXOS_FRAME_REFUSED:
            return frame->state >= PAXOS_REASON_NOT_LEADER && frame->state <= PAXOS_REASON_FULL &&
                   frame->count != 0 && frame->ballot != 0;
        default: return true;
    }
}

paxos_status_t paxos_frame_decode(const uint8_t *bytes, size_t length_bytes, paxos_frame_t *frame) {
    return length_bytes < PAXOS_FRAME_HEADER_BYTES ? PAXOS_ERR_WIRE
                                                   : paxos_frame_decode_hot(bytes, frame);
}

paxos_status_t paxos_run_verify(
    const uint8_t *bytes, size_t length_bytes, uint64_t first_slot, uint32_t count,
    uint32_t value_bytes_max, uint64_t *digest_out) {
    return paxos_run_verify_hot(
        bytes, length_bytes, first_slot, count, value_bytes_max, digest_out);
}
