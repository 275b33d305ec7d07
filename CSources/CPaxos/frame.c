/* frame.c - which kind of frame uses which field, and the checks that follow. */
#include "paxos/frame.h"

#include "paxos/entry.h"

/* A kind's rule: the fields that it may use, each a bit, and its flags and largest state. */
enum {
    USES_COUNT = 1,
    USES_BODY = 2,
    USES_BALLOT = 4,
    USES_SLOT = 8,
    USES_WATERMARK = 16,
    USES_NONCE = 32,
    USES_DIGEST = 64,
    USES_OTHER = 128,
    USES_TRIM = 256,
    /* the ballot is not 0, and the sender's own */
    OWN_BALLOT = 512,
    /* ... or the receiver's own */
    THEIR_BALLOT = 1024
};

typedef struct rule {
    uint16_t uses;
    uint16_t flags;
    uint16_t state_max;
} rule_t;

static const rule_t rules[PAXOS_FRAME_KIND_MAX + 1] = {
    [PAXOS_FRAME_PREPARE] = {USES_BALLOT | USES_SLOT | USES_DIGEST | OWN_BALLOT, 0, 0},
    [PAXOS_FRAME_PROMISE] = {USES_COUNT | USES_BODY | USES_BALLOT | USES_SLOT | USES_WATERMARK |
                                 USES_DIGEST | USES_OTHER | USES_TRIM | THEIR_BALLOT,
                             PAXOS_FLAG_LAST | PAXOS_FLAG_PAUSE, PAXOS_RUN_TRIMMED},
    [PAXOS_FRAME_REJECTED] = {USES_COUNT | USES_BALLOT | USES_SLOT | USES_WATERMARK | USES_DIGEST |
                                  USES_OTHER | THEIR_BALLOT,
                              0, PAXOS_REASON_CONFLICT},
    [PAXOS_FRAME_ACCEPT] = {USES_COUNT | USES_BODY | USES_BALLOT | USES_SLOT | USES_WATERMARK |
                                USES_DIGEST | USES_TRIM | OWN_BALLOT,
                            PAXOS_FLAG_VOTED, 0},
    [PAXOS_FRAME_ACCEPTED] = {USES_COUNT | USES_BALLOT | USES_SLOT | USES_WATERMARK | USES_DIGEST |
                                  THEIR_BALLOT,
                              0, 0},
    [PAXOS_FRAME_COMMIT] = {USES_BALLOT | USES_WATERMARK | USES_TRIM | OWN_BALLOT, 0, 0},
    [PAXOS_FRAME_HEARTBEAT] = {USES_BALLOT | USES_WATERMARK | USES_NONCE | USES_DIGEST | USES_OTHER |
                                   USES_TRIM,
                               PAXOS_FLAG_LEADING | PAXOS_FLAG_QUORUM | PAXOS_FLAG_MEMORY, 0},
    [PAXOS_FRAME_HEARTBEAT_REPLY] = {USES_BALLOT | USES_WATERMARK | USES_NONCE | USES_DIGEST |
                                         USES_OTHER,
                                     PAXOS_FLAG_QUORUM | PAXOS_FLAG_MEMORY, 0},
    [PAXOS_FRAME_LEARN] = {USES_COUNT | USES_SLOT, 0, 0},
    [PAXOS_FRAME_LEARNED] = {USES_COUNT | USES_BODY | USES_SLOT | USES_WATERMARK | USES_DIGEST |
                                 USES_TRIM,
                             PAXOS_FLAG_PAUSE, PAXOS_RUN_TRIMMED},
    [PAXOS_FRAME_FORWARD] = {USES_COUNT | USES_BODY | USES_BALLOT | USES_DIGEST | THEIR_BALLOT, 0,
                             0},
    [PAXOS_FRAME_REFUSED] = {USES_COUNT | USES_BALLOT | USES_NONCE | USES_OTHER, 0,
                             PAXOS_REASON_FULL},
};

/* All bits of `value` that the rule does not allow. */
static uint64_t unused(uint32_t uses, uint32_t bit, uint64_t value) {
    return (uses & bit) != 0 ? 0 : value;
}

/* A page: what its state and its flags allow. */
static bool page_valid(const paxos_frame_t *frame) {
    const bool full = frame->state == PAXOS_RUN_ACCEPTED || frame->state == PAXOS_RUN_CHOSEN;
    const bool last = (frame->flags & PAXOS_FLAG_LAST) != 0;
    if (frame->slot == 0 || full != (frame->body_bytes != 0)) { return false; }
    if (!full && frame->digest != 0) { return false; }
    if (last && (frame->flags & PAXOS_FLAG_PAUSE) != 0) { return false; }
    /* Only the end of a promise covers nothing. */
    if (frame->count == 0 && (frame->state != PAXOS_RUN_EMPTY || !last)) { return false; }
    return frame->kind == PAXOS_FRAME_PROMISE
               ? (frame->state == PAXOS_RUN_ACCEPTED) == (frame->other != 0)
               : frame->state == PAXOS_RUN_CHOSEN || frame->state == PAXOS_RUN_TRIMMED;
}

static bool refusal_valid(const paxos_frame_t *frame) {
    switch (frame->state) {
        case PAXOS_REASON_STALE: return frame->other > frame->ballot && frame->digest == 0;
        case PAXOS_REASON_CONFLICT: return frame->count != 0;
        default: return false;
    }
}

static bool runs_valid(const paxos_frame_t *frame, uint32_t uses) {
    if ((uses & USES_SLOT) != 0 && (frame->slot == 0 || frame->slot > PAXOS_SLOT_MAX)) {
        /* An answer that covers nothing names no slot. */
        if (frame->slot != 0 || frame->count != 0) { return false; }
    }
    if (frame->watermark > PAXOS_SLOT_MAX || frame->trim > PAXOS_SLOT_MAX) { return false; }
    switch (frame->kind) {
        case PAXOS_FRAME_PREPARE: return frame->slot != 0;
        case PAXOS_FRAME_ACCEPT:
        case PAXOS_FRAME_FORWARD: return frame->count != 0 && frame->body_bytes != 0;
        case PAXOS_FRAME_PROMISE:
        case PAXOS_FRAME_LEARNED: return page_valid(frame);
        case PAXOS_FRAME_REJECTED: return refusal_valid(frame);
        case PAXOS_FRAME_ACCEPTED: return (frame->slot == 0) == (frame->count == 0) &&
                                          (frame->count != 0 || frame->digest == 0);
        case PAXOS_FRAME_HEARTBEAT: /* names a ballot if, and only if, its sender leads under it */
            return (frame->flags & PAXOS_FLAG_LEADING) != 0
                       ? frame->ballot != 0 && paxos_ballot_node(frame->ballot) == frame->sender
                       : frame->ballot == 0 && frame->trim == 0;
        case PAXOS_FRAME_LEARN: return frame->slot != 0 && frame->count != 0;
        case PAXOS_FRAME_REFUSED: return frame->state >= PAXOS_REASON_NOT_LEADER &&
                                         frame->count != 0 && frame->ballot != 0;
        default: return true;
    }
}

bool paxos_frame_valid(const paxos_frame_t *frame) {
    if (frame->kind == 0 || frame->kind > PAXOS_FRAME_KIND_MAX) { return false; }
    const rule_t *rule = &rules[frame->kind];
    const uint32_t uses = rule->uses;
    uint64_t bad = unused(uses, USES_COUNT, frame->count) |
                   unused(uses, USES_BODY, frame->body_bytes) |
                   unused(uses, USES_BALLOT, frame->ballot) | unused(uses, USES_SLOT, frame->slot) |
                   unused(uses, USES_WATERMARK, frame->watermark) |
                   unused(uses, USES_NONCE, frame->nonce) |
                   unused(uses, USES_DIGEST, frame->digest) |
                   unused(uses, USES_OTHER, frame->other) | unused(uses, USES_TRIM, frame->trim);
    bad |= (uint64_t)(frame->flags & (uint16_t)~rule->flags);
    if (bad != 0 || frame->state > rule->state_max) { return false; }
    if ((uses & (OWN_BALLOT | THEIR_BALLOT)) != 0) {
        const uint16_t owner = (uses & OWN_BALLOT) != 0 ? frame->sender : frame->receiver;
        if (frame->ballot == 0 || paxos_ballot_node(frame->ballot) != owner) { return false; }
    }
    if (frame->cluster == 0 || frame->incarnation == 0 || frame->sender == 0 ||
        frame->receiver == 0) {
        return false;
    }
    if (frame->body_bytes > PAXOS_FRAME_BYTES_MAX - PAXOS_FRAME_HEADER_BYTES ||
        (frame->body_bytes & 7u) != 0) {
        return false;
    }
    return runs_valid(frame, uses);
}

paxos_status_t paxos_frame_decode(
    const uint8_t *bytes, size_t length_bytes, paxos_frame_t *frame) {
    if (PAXOS_UNLIKELY(length_bytes < PAXOS_FRAME_HEADER_BYTES)) { return PAXOS_ERR_WIRE; }
    if (PAXOS_UNLIKELY(
            paxos_get16(bytes + 4) != PAXOS_FRAME_MAGIC || bytes[6] != PAXOS_WIRE_VERSION ||
            paxos_crc32c_words(0, bytes + 4, PAXOS_FRAME_HEADER_BYTES - 4) != paxos_get32(bytes))) {
        return PAXOS_ERR_WIRE;
    }
    paxos_frame_read(bytes, frame);
    return PAXOS_LIKELY(paxos_frame_valid(frame)) ? PAXOS_OK : PAXOS_ERR_WIRE;
}

paxos_status_t paxos_run_verify(
    const uint8_t *bytes, size_t length_bytes, uint64_t first_slot, uint32_t count,
    uint32_t value_bytes_max, uint64_t *digest_out) {
    uint64_t digest = 0;
    size_t offset = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t entry_bytes = 0;
        const paxos_status_t status = paxos_entry_verify(
            bytes + offset, length_bytes - offset, value_bytes_max, &entry_bytes);
        if (PAXOS_UNLIKELY(status != PAXOS_OK)) { return status; }
        digest += paxos_digest_term(first_slot + i, paxos_get32(bytes + offset));
        offset += entry_bytes;
    }
    if (PAXOS_UNLIKELY(offset != length_bytes)) { return PAXOS_ERR_WIRE; }
    *digest_out = digest;
    return PAXOS_OK;
}
