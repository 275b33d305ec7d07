/* frame.c - which kind of frame may have which bits, and the checks that follow. */
#include "paxos/frame.h"

#include "paxos/entry.h"

/* What may stand in the words of 8 bytes from offset 24 on, kind by kind. */
enum {
    WORD_STATE = 0, /* sender, receiver, flags, state */
    WORD_COUNT = 1, /* count, body_bytes              */
    WORD_BALLOT = 2,
    WORD_SLOT = 3,
    WORD_WATERMARK = 4,
    WORD_NONCE = 5,
    WORD_DIGEST = 6,
    WORD_OTHER = 7,
    WORD_TRIM = 8,
    WORDS = 9
};

#define FLAGS(flags) ((uint64_t)(flags) << 32)
#define STATES(mask) ((uint64_t)(mask) << 48)
#define NODES 0xFFFFFFFFu
#define COUNT 0xFFFFFFFFu
#define BODY ((uint64_t)(PAXOS_FRAME_BYTES_MAX * 2 - 8) << 32) /* a multiple of 8 */
#define BODY_BYTES_MAX (PAXOS_FRAME_BYTES_MAX - PAXOS_FRAME_HEADER_BYTES)
#define ANY UINT64_MAX
#define SLOTS (PAXOS_SLOT_MAX - 1)

typedef struct rule {
    uint64_t allowed[WORDS];
} rule_t;

static const rule_t rules[PAXOS_FRAME_KIND_MAX + 1] = {
    [PAXOS_FRAME_PREPARE] = {{
        [WORD_STATE] = NODES, [WORD_BALLOT] = ANY, [WORD_SLOT] = SLOTS, [WORD_DIGEST] = ANY}},
    [PAXOS_FRAME_PROMISE] = {{
        [WORD_STATE] = NODES | FLAGS(PAXOS_FLAG_LAST | PAXOS_FLAG_PAUSE) | STATES(7),
        [WORD_COUNT] = COUNT | BODY, [WORD_BALLOT] = ANY, [WORD_SLOT] = SLOTS,
        [WORD_WATERMARK] = SLOTS, [WORD_DIGEST] = ANY, [WORD_OTHER] = ANY, [WORD_TRIM] = SLOTS}},
    [PAXOS_FRAME_REJECTED] = {{
        [WORD_STATE] = NODES | STATES(3), [WORD_COUNT] = COUNT, [WORD_BALLOT] = ANY,
        [WORD_SLOT] = SLOTS, [WORD_WATERMARK] = SLOTS, [WORD_DIGEST] = ANY, [WORD_OTHER] = ANY}},
    [PAXOS_FRAME_ACCEPT] = {{
        [WORD_STATE] = NODES | FLAGS(PAXOS_FLAG_VOTED), [WORD_COUNT] = COUNT | BODY,
        [WORD_BALLOT] = ANY, [WORD_SLOT] = SLOTS, [WORD_WATERMARK] = SLOTS, [WORD_DIGEST] = ANY,
        [WORD_TRIM] = SLOTS}},
    [PAXOS_FRAME_ACCEPTED] = {{
        [WORD_STATE] = NODES, [WORD_COUNT] = COUNT, [WORD_BALLOT] = ANY, [WORD_SLOT] = SLOTS,
        [WORD_WATERMARK] = SLOTS, [WORD_DIGEST] = ANY}},
    [PAXOS_FRAME_COMMIT] = {{
        [WORD_STATE] = NODES, [WORD_BALLOT] = ANY, [WORD_WATERMARK] = SLOTS, [WORD_TRIM] = SLOTS}},
    [PAXOS_FRAME_HEARTBEAT] = {{
        [WORD_STATE] =
            NODES | FLAGS(PAXOS_FLAG_LEADING | PAXOS_FLAG_QUORUM | PAXOS_FLAG_MEMORY),
        [WORD_BALLOT] = ANY, [WORD_WATERMARK] = SLOTS, [WORD_NONCE] = ANY, [WORD_DIGEST] = ANY,
        [WORD_OTHER] = ANY, [WORD_TRIM] = SLOTS}},
    [PAXOS_FRAME_HEARTBEAT_REPLY] = {{
        [WORD_STATE] = NODES | FLAGS(PAXOS_FLAG_QUORUM | PAXOS_FLAG_MEMORY), [WORD_BALLOT] = ANY,
        [WORD_WATERMARK] = SLOTS, [WORD_NONCE] = ANY, [WORD_DIGEST] = ANY, [WORD_OTHER] = ANY}},
    [PAXOS_FRAME_LEARN] = {{
        [WORD_STATE] = NODES, [WORD_COUNT] = COUNT, [WORD_SLOT] = SLOTS}},
    [PAXOS_FRAME_LEARNED] = {{
        [WORD_STATE] = NODES | FLAGS(PAXOS_FLAG_PAUSE) | STATES(7), [WORD_COUNT] = COUNT | BODY,
        [WORD_SLOT] = SLOTS, [WORD_WATERMARK] = SLOTS, [WORD_DIGEST] = ANY, [WORD_TRIM] = SLOTS}},
    [PAXOS_FRAME_FORWARD] = {{
        [WORD_STATE] = NODES, [WORD_COUNT] = COUNT | BODY, [WORD_BALLOT] = ANY,
        [WORD_DIGEST] = ANY}},
    [PAXOS_FRAME_REFUSED] = {{
        [WORD_STATE] = NODES | STATES(7), [WORD_COUNT] = COUNT, [WORD_BALLOT] = ANY,
        [WORD_NONCE] = ANY, [WORD_OTHER] = ANY}},
};

/* Whether a word has a bit that its kind does not allow. */
static inline bool has_foreign_bits(const rule_t *rule, const uint8_t *bytes) {
    uint64_t foreign = 0;
    for (uint32_t i = 0; i < WORDS; i++) {
        uint64_t word = paxos_get64(bytes + 24 + 8 * (size_t)i);
        PAXOS_SCALAR(word);
        foreign |= word & ~rule->allowed[i];
    }
    return foreign != 0;
}

/* Whether a ballot is that of a node, and none is not. */
static inline bool is_ballot_of(const paxos_frame_t *frame, uint16_t node) {
    return frame->ballot != 0 && paxos_ballot_node(frame->ballot) == node;
}

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
    return is_ballot_of(frame, frame->receiver) &&
           (frame->state == PAXOS_RUN_ACCEPTED) == (frame->other != 0);
}

static bool is_rejection(const paxos_frame_t *frame) {
    if (!is_ballot_of(frame, frame->receiver)) { return false; }
    switch (frame->state) {
        case PAXOS_REASON_STALE: return frame->other > frame->ballot && frame->digest == 0;
        case PAXOS_REASON_CONFLICT: return frame->slot != 0 && frame->count != 0;
        default: return false;
    }
}

/* Whether the fields of a frame go together as its kind wants it. */
static inline bool is_consistent(const paxos_frame_t *frame) {
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
                                                            : frame->ballot == 0 && frame->trim == 0;
        case PAXOS_FRAME_LEARN: return frame->slot != 0 && frame->count != 0;
        case PAXOS_FRAME_FORWARD:
            return is_ballot_of(frame, frame->receiver) && frame->count != 0 &&
                   frame->body_bytes != 0;
        case PAXOS_FRAME_REFUSED:
            return frame->state >= PAXOS_REASON_NOT_LEADER && frame->state <= PAXOS_REASON_FULL &&
                   frame->count != 0 && frame->ballot != 0;
        default: return true;
    }
}

paxos_status_t paxos_frame_decode(
    const uint8_t *bytes, size_t length_bytes, paxos_frame_t *frame) {
    if (PAXOS_UNLIKELY(length_bytes < PAXOS_FRAME_HEADER_BYTES)) { return PAXOS_ERR_WIRE; }
    const uint32_t start = paxos_get32(bytes + 4);
    const uint32_t kind = start >> 24;
    if (PAXOS_UNLIKELY(
            (start & 0xFFFFFFu) != (PAXOS_FRAME_MAGIC | PAXOS_WIRE_VERSION << 16) || kind == 0 ||
            kind > PAXOS_FRAME_KIND_MAX || has_foreign_bits(&rules[kind], bytes) ||
            paxos_crc32c_words(0, bytes + 4, PAXOS_FRAME_HEADER_BYTES - 4) != paxos_get32(bytes))) {
        return PAXOS_ERR_WIRE;
    }
    paxos_frame_read(bytes, frame);
    if (PAXOS_UNLIKELY(
            frame->cluster == 0 || frame->incarnation == 0 || frame->sender == 0 ||
            frame->receiver == 0 || frame->body_bytes > BODY_BYTES_MAX)) {
        return PAXOS_ERR_WIRE;
    }
    return PAXOS_LIKELY(is_consistent(frame)) ? PAXOS_OK : PAXOS_ERR_WIRE;
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
