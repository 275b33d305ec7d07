/* member.c - see member.h. */
#include "member.h"

#include <stdlib.h>
#include <string.h>

#include "paxos/entry.h"
#include "paxos/layout.h"
#include "paxos/random.h"

static uint64_t draw(member_t *m, uint64_t count) {
    return paxos_random_next(&m->random) % count;
}

void member_make(member_t *m, uint32_t group, uint64_t seed) {
    memset(m, 0, sizeof *m);
    m->group = group;
    m->random = seed;
    m->ballot = paxos_ballot(1, 2);
}

static void drop_records(member_t *m, uint64_t count) {
    for (; m->record_count > count; m->record_count--) {
        free(m->records[m->record_count - 1].body);
    }
}

void member_free(member_t *m) {
    drop_records(m, 0);
    free(m->records);
    free(m->block);
}

bool member_start(member_t *m, uint32_t incarnation, uint64_t first_lsn) {
    paxos_config_t config;
    paxos_config_default(&config);
    config.cluster = MODEL_CLUSTER;
    config.group = m->group;
    config.node = 1;
    config.member_count = 3;
    for (uint16_t i = 0; i < 3; i++) { config.members[i] = (uint16_t)(i + 1); }
    config.window_slots = MEMBER_WINDOW;
    config.pipeline_slots = MEMBER_WINDOW;
    config.value_bytes_max = MEMBER_VALUE_BYTES;
    config.frame_bytes_max = MEMBER_FRAME_BYTES;
    config.arena_bytes = 1 << 16;
    config.reply_ring = config.write_ring = 512;
    config.send_ring = config.forward_ring = 4;
    config.incarnation = incarnation;
    config.journal_lsn = first_lsn;
    const size_t bytes = paxos_acceptor_block_bytes(&config);
    free(m->block);
    m->block = aligned_alloc(PAXOS_BLOCK_ALIGNMENT, bytes);
    return paxos_acceptor_init(m->block, bytes, &config, &m->acceptor) == PAXOS_OK;
}

/* Whether nothing is ever decided under the ballot. */
static bool is_losing(uint64_t ballot) {
    return (ballot >> 16) % 4 == 3;
}

/* What a ballot proposes in a slot: some values are zeros, which must not be taken for a sector
 * that is missing. */
static uint32_t put_value(const member_t *m, uint64_t slot, uint64_t ballot, uint8_t *out) {
    uint8_t value[MEMBER_VALUE_BYTES] = {0};
    uint64_t random = slot * 31 + m->group + (is_losing(ballot) ? 1u << 31 : 0);
    const uint32_t length = (uint32_t)(paxos_random_next(&random) % (MEMBER_VALUE_BYTES + 1));
    const bool is_zero = paxos_random_next(&random) % 8 == 0;
    for (uint32_t i = 0; i < length && !is_zero; i++) {
        value[i] = (uint8_t)paxos_random_next(&random);
    }
    const paxos_entry_t entry = {
        .value_bytes = length,
        .node = 2,
        .kind = PAXOS_ENTRY_COMMAND,
        .incarnation = 1,
        .number = slot};
    return paxos_entry_put(out, entry, value);
}

static void receive(member_t *m, paxos_frame_t *frame, const uint8_t *body) {
    uint8_t header[PAXOS_FRAME_HEADER_BYTES];
    frame->cluster = MODEL_CLUSTER;
    frame->group = m->group;
    frame->incarnation = 1;
    frame->sender = 2;
    frame->receiver = 1;
    frame->ballot = frame->kind == PAXOS_FRAME_LEARNED ? 0 : m->ballot;
    paxos_frame_put(header, frame);
    /* Whether it was refused does not matter here. */
    (void)!paxos_acceptor_receive(
        m->acceptor, header, PAXOS_FRAME_HEADER_BYTES, body, frame->body_bytes);
}

static void send_run(member_t *m, paxos_frame_t frame, uint64_t ballot, uint32_t count) {
    uint8_t body[MEMBER_FRAME_BYTES * 2];
    const uint64_t slot = frame.slot;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t bytes = put_value(m, slot + i, ballot, body + frame.body_bytes);
        if (frame.body_bytes + bytes + PAXOS_FRAME_HEADER_BYTES > MEMBER_FRAME_BYTES) { break; }
        frame.body_bytes += bytes;
        frame.count += 1;
    }
    if (paxos_run_verify(
            body, frame.body_bytes, slot, frame.count, MEMBER_VALUE_BYTES, &frame.digest) ==
        PAXOS_OK) {
        receive(m, &frame, body);
    }
}

void member_ask_votes(member_t *m, uint64_t slot, uint32_t count) {
    const paxos_frame_t frame = {.kind = PAXOS_FRAME_ACCEPT, .slot = slot};
    send_run(m, frame, m->ballot, count);
}

/* It was decided, and the member had no part in it. */
static void teach(member_t *m, uint64_t slot, uint32_t count) {
    const paxos_frame_t frame = {
        .kind = PAXOS_FRAME_LEARNED, .slot = slot, .state = PAXOS_RUN_CHOSEN};
    send_run(m, frame, 0, count);
}

static void commit(member_t *m, uint64_t watermark) {
    if (is_losing(m->ballot)) { return; }
    paxos_frame_t frame = {.kind = PAXOS_FRAME_COMMIT, .watermark = watermark};
    receive(m, &frame, NULL);
}

void member_act(member_t *m) {
    const paxos_acceptor_t *a = m->acceptor;
    const uint64_t next = a->last_slot + 1;
    uint64_t promised = 0;
    uint64_t lsn = 0;
    switch (draw(m, 11)) {
        case 0:
            /* A leader never goes back, whatever became of its last attempt. */
            if (m->ballot < a->promised) { m->ballot = a->promised; }
            m->ballot = paxos_ballot((m->ballot >> 16) + 1, 2);
            (void)!paxos_acceptor_prepare(m->acceptor, m->ballot, &promised, &lsn);
            break;
        case 1:
        case 2: member_ask_votes(m, a->decided + 1, 1 + (uint32_t)draw(m, 8)); break;
        case 3: commit(m, a->decided + draw(m, next - a->decided)); break;
        case 4:
            (void)!paxos_acceptor_trim(
                m->acceptor, a->trimmed + draw(m, a->decided + 1 - a->trimmed));
            break;
        case 5: teach(m, a->decided + 1, 1 + (uint32_t)draw(m, 8)); break;
        default: member_ask_votes(m, next, 1 + (uint32_t)draw(m, 4)); break;
    }
}

void member_trim_all(member_t *m) {
    const uint64_t last = m->acceptor->last_slot;
    if (m->ballot < m->acceptor->promised) { m->ballot = m->acceptor->promised; }
    if (is_losing(m->ballot)) { m->ballot = paxos_ballot((m->ballot >> 16) + 1, 2); }
    for (uint64_t slot = m->acceptor->decided + 1; slot <= last; slot++) {
        member_ask_votes(m, slot, 1);
    }
    commit(m, last);
    (void)!paxos_acceptor_trim(m->acceptor, m->acceptor->decided);
}

bool member_poll(member_t *m) {
    paxos_effect_t effect = {.size_bytes = sizeof effect};
    while (paxos_acceptor_poll(m->acceptor, &effect)) {
        if (effect.kind != PAXOS_EFFECT_WRITE) {
            (void)!paxos_acceptor_sent(m->acceptor, effect.token);
            continue;
        }
        drop_records(m, effect.lsn - 1); /* of an earlier life: never durable */
        while (m->record_count < effect.lsn) {
            /* An abstaining node goes on behind what it lost. */
            if (m->record_count % 256 == 0) {
                m->records = realloc(m->records, (m->record_count + 256) * sizeof *m->records);
            }
            memset(&m->records[m->record_count], 0, sizeof *m->records);
            m->record_count += 1;
        }
        written_t *record = &m->records[effect.lsn - 1];
        memcpy(record->header, effect.header, sizeof record->header);
        record->body_bytes = effect.body_bytes;
        record->body = malloc(effect.body_bytes + 1);
        memcpy(record->body, (uint8_t *)m->block + effect.body_offset, effect.body_bytes);
        return true;
    }
    return false;
}

bool member_decided(
    const member_t *m, uint64_t slot, uint32_t count, const uint8_t *entries, size_t bytes) {
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t entry[MEMBER_VALUE_BYTES + 64];
        const uint32_t length = put_value(m, slot + i, 0, entry);
        if (length > bytes - at || memcmp(entries + at, entry, length) != 0) { return false; }
        at += length;
    }
    return at == bytes;
}

static void tell(member_t *m, const uint8_t *header) {
    const uint64_t slot = paxos_get64(header + 48);
    const uint32_t count = paxos_get32(header + 32);
    if (paxos_get64(header + 80) > m->promise) { m->promise = paxos_get64(header + 80); }
    if (paxos_get64(header + 88) > m->trim) { m->trim = paxos_get64(header + 88); }
    if (header[7] != PAXOS_RECORD_ENTRIES && header[7] != PAXOS_RECORD_BALLOTS) { return; }
    for (uint32_t i = 0; i < count; i++) {
        m->votes[(slot + i) % MEMBER_WINDOW] = (vote_t){slot + i, paxos_get64(header + 40)};
    }
}

bool member_flushed(member_t *m, uint64_t lsn) {
    for (; m->flushed < lsn; m->flushed++) { tell(m, m->records[m->flushed].header); }
    return paxos_acceptor_flushed(m->acceptor, lsn) == PAXOS_OK;
}

static bool is_unknown(const paxos_acceptor_t *a, uint64_t slot) {
    return slot >= a->unknown_from && slot <= a->unknown_to;
}

const char *member_check(const member_t *m, bool is_told) {
    const paxos_acceptor_t *a = m->acceptor;
    if (a->abstains) { return is_told || m->abstains ? NULL : "a power cut made it abstain"; }
    if (m->abstains) { return "it abstained, and has forgotten so"; }
    if (a->promised < m->promise) { return "a promise is lost"; }
    if (a->unknown_to > a->trimmed && !is_told) { return "slots are unknown without damage"; }
    if (a->trimmed < m->trim && !is_told) { return "a trim point is lost"; }
    for (uint32_t i = 0; i < MEMBER_WINDOW; i++) {
        const vote_t *vote = &m->votes[i];
        if (vote->slot <= a->trimmed) { continue; }
        uint32_t state = 0;
        uint64_t ballot = 0;
        const uint8_t *value = NULL;
        uint32_t value_bytes = 0;
        paxos_acceptor_look(m->acceptor, vote->slot, &state, &ballot, &value, &value_bytes);
        if (state == PAXOS_RUN_EMPTY && is_unknown(a, vote->slot)) { continue; }
        if (state == PAXOS_RUN_EMPTY) { return "a vote is denied"; }
        if (state == PAXOS_RUN_ACCEPTED && ballot < vote->ballot) { return "a vote is older"; }
        uint8_t entry[MEMBER_VALUE_BYTES + 64];
        (void)put_value(m, vote->slot, state == PAXOS_RUN_CHOSEN ? 0 : ballot, entry);
        if (value_bytes != paxos_get32(entry + 4) || memcmp(value, entry + 24, value_bytes) != 0) {
            return "a value is another";
        }
    }
    return NULL;
}
