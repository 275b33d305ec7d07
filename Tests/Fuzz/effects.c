/* effects.c - polling and completing: the bytes that effects name, the journal, and the rule that
 * nothing is told before it is durable. See node.h. */
#include "effects.h"

static void drop_span(node_t *node, uint32_t i) {
    node->span_count -= 1;
    node->spans[i] = node->spans[node->span_count];
}

bool node_is_unknown(const node_t *node, uint64_t slot) {
    const paxos_acceptor_t *a = node_acceptor(node);
    return slot >= a->unknown_from && slot <= a->unknown_to;
}

static void hold_span(node_t *node, const paxos_effect_t *effect) {
    const paxos_acceptor_t *a = node_acceptor(node);
    CHECK(effect->body_bytes <= FORGE_BODY_BYTES || effect->kind == PAXOS_EFFECT_DELIVER);
    CHECK(effect->body_offset >= a->arena_offset);
    CHECK(effect->body_offset + effect->body_bytes <= a->arena_offset + a->arena_bytes);
    CHECK(node->span_count < NODE_SPANS);
    span_t *span = &node->spans[node->span_count];
    node->span_count += 1;
    span->token = effect->token;
    span->lsn = effect->lsn;
    span->offset = (uint32_t)effect->body_offset;
    span->bytes =
        effect->body_bytes < FORGE_BODY_BYTES ? effect->body_bytes : (uint32_t)FORGE_BODY_BYTES;
    memcpy(span->copy, node->block + span->offset, span->bytes);
}

void effects_undeliver(node_t *node) {
    for (uint32_t i = node->span_count; i > 0; i--) {
        if (node->spans[i - 1].token == 0 && node->spans[i - 1].lsn == 0) {
            drop_span(node, i - 1);
        }
    }
}

void node_packet(const node_t *node, const paxos_effect_t *effect, packet_t *packet) {
    memset(packet, 0, sizeof *packet);
    CHECK(effect->body_bytes <= FORGE_BODY_BYTES);
    memcpy(packet->header, effect->header, sizeof packet->header);
    memcpy(packet->body, node->block + effect->body_offset, effect->body_bytes);
    packet->header_bytes = PAXOS_FRAME_HEADER_BYTES;
    packet->body_bytes = effect->body_bytes;
}

/* The body is the run that the header says. */
static void check_body(const node_t *node, const packet_t *packet, const paxos_frame_t *frame) {
    CHECK(frame->body_bytes == packet->body_bytes);
    if (packet->body_bytes == 0) { return; }
    CHECK(packet->body_bytes + PAXOS_FRAME_HEADER_BYTES <= node->config.frame_bytes_max);
    uint64_t digest = 0;
    CHECK(
        paxos_run_verify(
            packet->body, packet->body_bytes, frame->kind == PAXOS_FRAME_FORWARD ? 1 : frame->slot,
            frame->count, node->config.value_bytes_max, &digest) == PAXOS_OK);
    CHECK(digest == frame->digest);
}

/* A page of a promise says what stands in its slots. */
static void check_page(const node_t *node, const paxos_frame_t *frame) {
    for (uint64_t i = 0; i < frame->count && i < 2 * NODE_WINDOW_MAX; i++) {
        const look_t look = node_look(node, frame->slot + i);
        const bool lost = node_is_unknown(node, frame->slot + i);
        CHECK((frame->state == PAXOS_RUN_UNKNOWN) == (look.state == PAXOS_RUN_EMPTY && lost));
        CHECK(frame->state == PAXOS_RUN_UNKNOWN || look.state == frame->state);
        if (frame->state == PAXOS_RUN_ACCEPTED) { CHECK(look.ballot == frame->other); }
    }
    CHECK(frame->trim == node->marks.trimmed);
    if ((frame->flags & PAXOS_FLAG_LAST) != 0) {
        CHECK(frame->slot + frame->count > node_acceptor(node)->last_slot);
    }
}

/* Paxos Made Simple, section 2.5: an acceptor records its answer in stable storage before it sends
 * it. A vote that was told is in the journal, under that ballot or a higher one. */
static void check_vote(const node_t *node, const paxos_frame_t *frame) {
    uint64_t digest = 0;
    bool all = true;
    for (uint64_t slot = frame->slot; slot < frame->slot + frame->count; slot++) {
        const vote_t *vote = &node->votes[slot % NODE_VOTES];
        if (vote->slot != slot) {
            CHECK(node->is_damaged || vote->slot > slot); /* long ago, and forgotten */
            return;
        }
        CHECK(vote->ballot >= frame->ballot);
        /* What was learned since is chosen: a vote for it, under any ballot, harms nobody. */
        all = all && vote->ballot == frame->ballot && vote->voted == vote->held;
        digest += paxos_digest_term(slot, vote->voted);
    }
    if (all) { CHECK(digest == frame->digest); }
}

static void check_send(node_t *node, const packet_t *packet, const paxos_effect_t *effect) {
    paxos_frame_t frame;
    CHECK(paxos_frame_decode(packet->header, packet->header_bytes, &frame) == PAXOS_OK);
    CHECK(frame.sender == node->config.node && frame.receiver == effect->node);
    CHECK((effect->token != 0) == (frame.body_bytes != 0));
    check_body(node, packet, &frame);
    const bool is_durable = !node->config.memory_only;
    switch (frame.kind) {
        case PAXOS_FRAME_PREPARE:
            CHECK(!is_durable || node->durable_promise >= frame.ballot);
            break;
        case PAXOS_FRAME_PROMISE:
            CHECK(!is_durable || node->durable_promise >= frame.ballot);
            CHECK(frame.ballot == node->marks.promised);
            check_page(node, &frame);
            break;
        case PAXOS_FRAME_LEARNED: check_page(node, &frame); break;
        case PAXOS_FRAME_ACCEPTED:
            if (is_durable && frame.count != 0) { check_vote(node, &frame); }
            break;
        default: break;
    }
    CHECK(frame.watermark <= node->marks.decided);
    const bool is_mark = frame.kind == PAXOS_FRAME_ACCEPT || frame.kind == PAXOS_FRAME_COMMIT ||
                         (frame.flags & PAXOS_FLAG_LEADING) != 0;
    if (!is_mark && frame.watermark > node->told) { node->told = frame.watermark; }
}

static void note_record(node_t *node, const packet_t *packet, const paxos_effect_t *effect) {
    paxos_frame_t record;
    paxos_frame_read(packet->header, &record);
    CHECK(
        paxos_crc32c(0, packet->header + 4, PAXOS_FRAME_HEADER_BYTES - 4) ==
        paxos_get32(packet->header));
    CHECK(effect->lsn == node->lsn_polled + 1 && record.nonce == effect->lsn);
    CHECK(record.kind >= PAXOS_RECORD_PROMISED && record.kind <= PAXOS_RECORD_MARK);
    CHECK(record.other == node->marks.promised && record.ballot <= record.other);
    check_body(node, packet, &record);
    CHECK(node->record_count < NODE_RECORDS);
    node->lsn_polled = effect->lsn;
    node->records[node->record_count] = *packet;
    node->record_count += 1;
}

bool node_poll(node_t *node, paxos_effect_t *effect) {
    memset(effect, 0, sizeof *effect);
    effect->size_bytes = sizeof *effect;
    /* A host that cannot write stops asking: the journal of this test is full. */
    if (node->record_count == NODE_RECORDS || node->span_count == NODE_SPANS) { return false; }
    if (!(node->is_replica ? paxos_replica_poll(node_replica(node), effect)
                           : paxos_acceptor_poll(node_acceptor(node), effect))) {
        node_check(node);
        return false;
    }
    CHECK(effect->kind >= PAXOS_EFFECT_SEND && effect->kind <= PAXOS_EFFECT_OUTCOME);
    CHECK(node->is_replica || effect->kind <= PAXOS_EFFECT_WRITE);
    if (effect->body_bytes != 0) { hold_span(node, effect); }
    node_check(node);
    if (effect->kind == PAXOS_EFFECT_SEND || effect->kind == PAXOS_EFFECT_WRITE) {
        packet_t packet;
        node_packet(node, effect, &packet);
        node_trace(node, effect->kind == PAXOS_EFFECT_SEND ? "sends" : "notes", packet.header);
        if (effect->kind == PAXOS_EFFECT_SEND) {
            check_send(node, &packet, effect);
        } else {
            CHECK(!node->config.memory_only);
            note_record(node, &packet, effect);
        }
    }
    return true;
}

void effects_durable(node_t *node, const packet_t *packet) {
    paxos_frame_t record;
    paxos_frame_read(packet->header, &record);
    if (record.other > node->durable_promise) { node->durable_promise = record.other; }
    const uint8_t *entry = packet->body;
    uint64_t digest = 0;
    for (uint64_t slot = record.slot; slot < record.slot + record.count; slot++) {
        vote_t *vote = &node->votes[slot % NODE_VOTES];
        if (record.kind == PAXOS_RECORD_BALLOTS) {
            if (vote->slot != slot) { /* the entries came before, in a record that is no more */
                CHECK(node->is_damaged);
                return;
            }
        } else {
            if (vote->slot != slot) { vote->ballot = 0; }
            vote->slot = slot;
            vote->held = paxos_get32(entry);
            entry += paxos_entry_bytes(paxos_get32(entry + 4));
        }
        if (record.kind != PAXOS_RECORD_CHOSEN) {
            vote->ballot = record.ballot;
            vote->voted = vote->held;
        }
        digest += paxos_digest_term(slot, vote->held);
    }
    CHECK(record.count == 0 || digest == record.digest);
}

void node_flushed(node_t *node, uint64_t lsn) {
    effects_undeliver(node);
    const uint64_t given_out = node_acceptor(node)->lsn;
    const paxos_status_t status = node->is_replica
                                      ? paxos_replica_flushed(node_replica(node), node->now_ns, lsn)
                                      : paxos_acceptor_flushed(node_acceptor(node), lsn);
    TRACE("%u flushed %" PRIu64 ": %d\n", node->config.node, lsn, status);
    CHECK(status == (lsn <= given_out ? PAXOS_OK : PAXOS_ERR_RANGE));
    if (status == PAXOS_OK) {
        for (uint32_t i = node->span_count; i > 0; i--) {
            const span_t *span = &node->spans[i - 1];
            if (span->lsn != 0 && span->lsn <= lsn) { drop_span(node, i - 1); }
        }
        for (; node->durable_count < node->record_count; node->durable_count++) {
            const packet_t *record = &node->records[node->durable_count];
            if (paxos_get64(record->header + 64) > lsn) { break; }
            effects_durable(node, record);
        }
    }
    node_check(node);
}

void node_sent(node_t *node, uint64_t token) {
    const paxos_status_t status = node->is_replica
                                      ? paxos_replica_sent(node_replica(node), token)
                                      : paxos_acceptor_sent(node_acceptor(node), token);
    CHECK(status == PAXOS_OK || status == PAXOS_ERR_RANGE);
    TRACE("%u sent %" PRIx64 ": %d\n", node->config.node, token, status);
    bool known = token == 0;
    for (uint32_t i = node->span_count; i > 0; i--) {
        const span_t *span = &node->spans[i - 1];
        if (token != 0 && span->token >> 48 == token >> 48) {
            known = known || span->token == token;
            if (status == PAXOS_OK && span->token <= token) { drop_span(node, i - 1); }
        }
    }
    CHECK(!known || status == PAXOS_OK);
    node_check(node);
}
