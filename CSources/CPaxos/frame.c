/* frame.c - which kind of frame may have which bits, and the checks that follow. */
#include "paxos/hot_frame.h"

#define FLAGS PAXOS_BITS_FLAGS
#define STATES PAXOS_BITS_STATES
#define NODES PAXOS_BITS_NODES
#define COUNT PAXOS_BITS_COUNT
#define BODY PAXOS_BITS_BODY
#define ANY PAXOS_BITS_ANY
#define SLOTS PAXOS_BITS_SLOT
#define RULE PAXOS_RULE

static const paxos_rule_t rules[PAXOS_FRAME_KIND_MAX + 1] = {
    [PAXOS_FRAME_PREPARE] = RULE(NODES, 0, ANY, SLOTS, 0, 0, ANY, 0, 0),
    [PAXOS_FRAME_PROMISE] = RULE(
        NODES | FLAGS(PAXOS_FLAG_LAST | PAXOS_FLAG_PAUSE) | STATES(7), COUNT | BODY, ANY, SLOTS,
        SLOTS, 0, ANY, ANY, SLOTS),
    [PAXOS_FRAME_REJECTED] = RULE(NODES | STATES(3), COUNT, ANY, SLOTS, SLOTS, 0, ANY, ANY, 0),
    [PAXOS_FRAME_ACCEPT] = PAXOS_RULE_ACCEPT,
    [PAXOS_FRAME_ACCEPTED] = PAXOS_RULE_ACCEPTED,
    [PAXOS_FRAME_COMMIT] = RULE(NODES, 0, ANY, 0, SLOTS, 0, 0, 0, SLOTS),
    [PAXOS_FRAME_HEARTBEAT] = RULE(
        NODES |
            FLAGS(PAXOS_FLAG_LEADING | PAXOS_FLAG_QUORUM | PAXOS_FLAG_MEMORY | PAXOS_FLAG_ABSTAINS),
        0, ANY, 0, SLOTS, ANY, ANY, ANY, SLOTS),
    [PAXOS_FRAME_HEARTBEAT_REPLY] = RULE(
        NODES |
            FLAGS(PAXOS_FLAG_QUORUM | PAXOS_FLAG_MEMORY | PAXOS_FLAG_ABSTAINS | PAXOS_FLAG_ROOM),
        0, ANY, 0, SLOTS, ANY, ANY, ANY, SLOTS),
    [PAXOS_FRAME_LEARN] = RULE(NODES, COUNT, 0, SLOTS, 0, 0, 0, 0, 0),
    [PAXOS_FRAME_LEARNED] = RULE(
        NODES | FLAGS(PAXOS_FLAG_PAUSE) | STATES(7), COUNT | BODY, 0, SLOTS, SLOTS, 0, ANY, 0,
        SLOTS),
    [PAXOS_FRAME_FORWARD] = RULE(NODES, COUNT | BODY, ANY, 0, 0, 0, ANY, 0, 0),
    [PAXOS_FRAME_REFUSED] = RULE(NODES | STATES(7), COUNT, ANY, 0, 0, ANY, COUNT, ANY, 0),
};

/* Whether a ballot is that of a node, and none is not. */
/*@ requires \valid_read(frame);
    assigns \nothing;
    ensures \result <==> paxos_frame_ballot_of(frame, node); */
static bool is_ballot_of(const paxos_frame_t *frame, uint16_t node) {
    return frame->ballot != 0 && paxos_ballot_node(frame->ballot) == node;
}

/* A page of a promise or of learned entries: what its state and its flags allow. */
/*@ requires \valid_read(frame);
    assigns \nothing;
    ensures \result <==> paxos_frame_page(frame); */
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
    return is_ballot_of(frame, frame->receiver) &&
           (frame->state == PAXOS_RUN_ACCEPTED) == (frame->other != 0);
}

/*@ requires \valid_read(frame);
    assigns \nothing;
    ensures \result <==> paxos_frame_rejection(frame); */
static bool is_rejection(const paxos_frame_t *frame) {
    if (frame->slot == 0) { return false; }
    if (!is_ballot_of(frame, frame->receiver)) { return false; }
    switch (frame->state) {
        case PAXOS_REASON_STALE: return frame->other > frame->ballot && frame->digest == 0;
        case PAXOS_REASON_CONFLICT: return frame->count != 0;
        default: return false;
    }
}

/*@ requires \valid_read(frame);
    assigns \nothing;
    ensures \result <==> paxos_frame_consistent(frame); */
static bool is_consistent(const paxos_frame_t *frame) {
    switch (frame->kind) {
        case PAXOS_FRAME_ACCEPT:
            return is_ballot_of(frame, frame->sender) && frame->slot != 0 && frame->count != 0 &&
                   frame->body_bytes != 0;
        case PAXOS_FRAME_ACCEPTED: /* an answer that covers no slot names none */
            return is_ballot_of(frame, frame->receiver) &&
                   (frame->slot == 0) == (frame->count == 0) &&
                   (frame->count != 0 || frame->digest == 0);
        case PAXOS_FRAME_PREPARE: return is_ballot_of(frame, frame->sender) && frame->slot != 0;
        case PAXOS_FRAME_COMMIT: return is_ballot_of(frame, frame->sender);
        case PAXOS_FRAME_REJECTED: return is_rejection(frame);
        case PAXOS_FRAME_PROMISE:
        case PAXOS_FRAME_LEARNED: return is_page(frame);
        case PAXOS_FRAME_HEARTBEAT: /* names a ballot if, and only if, its sender leads under it */
            return (frame->flags & PAXOS_FLAG_LEADING) != 0 ? is_ballot_of(frame, frame->sender)
                                                            : frame->ballot == 0;
        case PAXOS_FRAME_LEARN: return frame->slot != 0 && frame->count != 0;
        case PAXOS_FRAME_FORWARD:
            return is_ballot_of(frame, frame->receiver) && frame->count != 0 &&
                   frame->body_bytes != 0;
        case PAXOS_FRAME_REFUSED:
            return frame->state >= PAXOS_REASON_NOT_LEADER && frame->state <= PAXOS_REASON_FULL &&
                   frame->count != 0 && frame->ballot != 0 && frame->digest != 0;
        default: return true;
    }
}

/*@ ensures exactly: \result == PAXOS_OK <==>
            \old(length_bytes >= 96 && paxos_frame_sealed(bytes) &&
                 0 < bytes[7] <= PAXOS_FRAME_KIND_MAX &&
                 paxos_frame_allowed(bytes, &rules[bytes[7]])) &&
            paxos_frame_named(frame) && paxos_frame_consistent(frame); */
paxos_status_t paxos_frame_decode(const uint8_t *bytes, size_t length_bytes, paxos_frame_t *frame) {
    if (length_bytes < PAXOS_FRAME_HEADER_BYTES) { return PAXOS_ERR_WIRE; }
    const uint32_t kind = bytes[7];
    if (kind > PAXOS_FRAME_KIND_MAX ||
        !paxos_header_is(bytes, kind, &rules[kind], paxos_header_checksum(bytes))) {
        return PAXOS_ERR_WIRE;
    }
    paxos_frame_read(bytes, frame);
    if (kind == 0 || frame->cluster == 0 || frame->incarnation == 0 || frame->sender == 0 ||
        frame->receiver == 0 || frame->body_bytes > PAXOS_FRAME_BODY_BYTES_MAX) {
        return PAXOS_ERR_WIRE;
    }
    return is_consistent(frame) ? PAXOS_OK : PAXOS_ERR_WIRE;
}

paxos_status_t paxos_run_verify(
    const uint8_t *bytes, size_t length_bytes, uint64_t first_slot, uint32_t count,
    uint32_t value_bytes_max, uint64_t *digest_out) {
    uint64_t digest = 0;
    uint64_t factor = first_slot * PAXOS_DIGEST_STEP;
    /*@ loop invariant 0 <= i <= count && length_bytes <= \at(length_bytes, Pre);
        loop invariant bytes == \at(bytes, Pre) + (\at(length_bytes, Pre) - length_bytes);
        loop assigns i, digest, factor, bytes, length_bytes;
        loop variant count - i; */
    for (uint32_t i = 0; i < count; i++) {
        uint32_t entry_bytes = 0;
        if (PAXOS_UNLIKELY(
                paxos_entry_verify(bytes, length_bytes, value_bytes_max, &entry_bytes) !=
                PAXOS_OK)) {
            return PAXOS_ERR_WIRE;
        }
        digest += paxos_digest_product(factor, paxos_get32(bytes));
        factor += PAXOS_DIGEST_STEP;
        bytes += entry_bytes;
        length_bytes -= entry_bytes;
    }
    if (PAXOS_UNLIKELY(length_bytes != 0)) { return PAXOS_ERR_WIRE; }
    *digest_out = digest;
    return PAXOS_OK;
}
