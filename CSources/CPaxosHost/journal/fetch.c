/* fetch.c - what was trimmed, read back while the journal runs.
 *
 * From batch to batch in the order of the lsn, as after a restart: an entry is taken, replaced
 * where a later record has another, and told when a record vouches for it (WIRE.md, "What was
 * trimmed").
 * Of each segment is known which slots of a group its entries are of, so that a slot is looked for
 * only where it may be, the newest first: what is found there is the last that was recorded of it.
 * Who asks on goes on where the answer before ended. */
#include "journal.h"

#include <string.h>

#include "paxos/entry.h"

/* What is read at most in a call that looks for a slot, or for more than it has of a group among
 * many. */
enum { SEARCH_BYTES_MAX = 4 << 20 };

/* An answer that is being put together. */
typedef struct answer {
    uint32_t index; /* the group's place */
    uint32_t group;
    uint64_t slot; /* the first */
    uint64_t vouched_to;
    uint64_t ahead; /* the lowest slot behind it that was seen; 0: none */
    uint64_t bytes_max;
    uint64_t bytes;
    uint32_t count_max;
    uint32_t count;
    bool is_full; /* the next entry was seen, and does not fit */
    bool is_too_large;
    uint8_t *out;
    place_t next; /* where who asks on should begin */
} answer_t;

enum outcome { ANSWERED, NOT_THERE, FURTHER_ON };

/* Where the entry of a slot that was taken stands. */
static uint64_t taken_at(const answer_t *answer, uint64_t slot) {
    uint64_t at = 0;
    for (uint64_t s = answer->slot; s < slot; s++) {
        at += paxos_entry_bytes(paxos_get32(answer->out + at + 4));
    }
    return at;
}

/* Forget what was taken of slots from this one on. */
static void drop(answer_t *answer, uint64_t slot, uint64_t at) {
    answer->count = (uint32_t)(slot - answer->slot);
    answer->bytes = at;
    answer->is_full = false;
    if (answer->vouched_to >= slot) { answer->vouched_to = slot - 1; }
}

static void note_ahead(answer_t *answer, uint64_t slot) {
    if (answer->ahead == 0 || slot < answer->ahead) { answer->ahead = slot; }
}

static void take_entry(
    answer_t *answer, uint64_t slot, const uint8_t *entry, uint32_t bytes, const place_t *place) {
    if (slot < answer->slot) { return; }
    if (slot < answer->slot + answer->count) {
        const uint64_t at = taken_at(answer, slot);
        const uint32_t length = paxos_entry_bytes(paxos_get32(answer->out + at + 4));
        if (length == bytes && memcmp(answer->out + at, entry, bytes) == 0) { return; }
        drop(answer, slot, at);
    }
    const bool is_next = slot == answer->slot + answer->count;
    const bool fits = bytes <= answer->bytes_max - answer->bytes;
    if (is_next && fits && answer->count < answer->count_max) {
        memcpy(answer->out + answer->bytes, entry, bytes);
        answer->bytes += bytes;
        answer->count += 1;
        return;
    }
    if (is_next) { answer->is_full = true; }
    if (is_next && answer->count == 0) { answer->is_too_large = true; }
    if (slot > answer->slot) { note_ahead(answer, slot); }
    if (answer->next.slot == 0) {
        answer->next = *place;
        answer->next.slot = slot;
    }
}

/* What was taken is chosen, as far as the record says so. */
static void take_word(answer_t *answer, const uint8_t *header) {
    const uint64_t taken_to = answer->slot + answer->count - 1;
    const uint64_t slot = paxos_get64(header + 48);
    uint64_t to = 0;
    if (paxos_get64(header + 88) <= answer->vouched_to) { to = paxos_get64(header + 56); }
    if (header[7] == PAXOS_RECORD_CHOSEN && slot <= answer->vouched_to + 1) {
        const uint64_t last = slot + paxos_get32(header + 32) - 1;
        if (last > to) { to = last; }
    }
    if (to > taken_to) { to = taken_to; }
    if (to > answer->vouched_to) { answer->vouched_to = to; }
}

/* False: the record is not what was written. */
static bool take_record(
    answer_t *answer, const uint8_t *header, const uint8_t *body, const place_t *place) {
    if (paxos_get32(header + 16) != answer->group) { return true; }
    const uint64_t slot = paxos_get64(header + 48);
    const uint32_t count = paxos_get32(header + 32);
    if (paxos_get32(header + 36) > 0 && slot + count > answer->slot) {
        if (!paxos_entries_are_whole(header, body)) { return false; }
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t bytes = paxos_entry_bytes(paxos_get32(body + 4));
            take_entry(answer, slot + i, body, bytes, place);
            body += bytes;
        }
    }
    if (answer->count > 0) { take_word(answer, header); }
    return true;
}

/* False: not all of it is what was written. */
static bool take_batch(
    answer_t *answer, const paxos_journal_t *j, const cursor_t *cursor, const place_t *place) {
    uint64_t offset_bytes = SECTOR_BYTES;
    for (uint32_t i = 0; cursor->is_whole && i < cursor->batch.count; i++) {
        const uint8_t *body = cursor->bytes + offset_bytes + PAXOS_FRAME_HEADER_BYTES;
        const uint8_t *header = paxos_batch_record(j, cursor, i, offset_bytes, &offset_bytes);
        if (header == NULL || !take_record(answer, header, body, place)) { return false; }
    }
    return cursor->is_whole;
}

/* Who asks for the slot may begin behind what the cursor has passed. */
static place_t behind(const answer_t *answer, const cursor_t *cursor, uint64_t slot) {
    const place_t place = {
        .slot = slot,
        .index = answer->index,
        .segment = cursor->segment,
        .offset_bytes = cursor->offset_bytes,
        .sequence = cursor->sequence};
    return place;
}

static bool is_complete(const answer_t *answer) {
    return answer->count > 0 && answer->vouched_to == answer->slot + answer->count - 1 &&
           (answer->is_full || answer->count == answer->count_max);
}

/* Whether there is more to be looked at for the answer. */
static bool goes_on(const paxos_journal_t *j, const answer_t *answer, const cursor_t *cursor) {
    const bool is_end = cursor->segment == j->newest && cursor->offset_bytes >= j->offset_bytes;
    return !is_end && !answer->is_too_large && !is_complete(answer);
}

/* Look from a place on for the first slot, to the end of the segment; once it is found, go on as
 * far as it takes. */
static enum outcome look(paxos_journal_t *j, answer_t *answer, const place_t *from) {
    const uint64_t steps = paxos_walk_steps_max(j);
    uint64_t searched = 0;
    cursor_t cursor;
    paxos_cursor_start(j, &cursor, from->segment);
    cursor.offset_bytes = from->offset_bytes;
    cursor.from_bytes = from->offset_bytes;
    cursor.sequence = from->sequence;
    for (uint64_t i = 0; i < steps && goes_on(j, answer, &cursor); i++) {
        place_t place = {.index = answer->index, .sequence = cursor.sequence};
        paxos_cursor_step(j, &cursor);
        if (cursor.found == FOUND_END) { break; }
        if (answer->count == 0 && cursor.start_segment != from->segment) { break; }
        place.segment = cursor.start_segment;
        place.offset_bytes = cursor.start_bytes;
        if (cursor.found == FOUND_LOST || !take_batch(answer, j, &cursor, &place)) {
            /* What was taken may have been replaced there. */
            drop(answer, answer->slot, 0);
        }
        searched += cursor.length_bytes;
        if (searched < SEARCH_BYTES_MAX || !goes_on(j, answer, &cursor)) { continue; }
        if (answer->vouched_to >= answer->slot) { break; } /* enough for one call */
        if (answer->count == 0) {
            answer->next = behind(answer, &cursor, answer->slot);
            answer->next.is_search = true;
            return FURTHER_ON;
        }
    }
    if (answer->next.slot == 0) {
        answer->next = behind(answer, &cursor, answer->slot + answer->count);
    }
    return answer->vouched_to >= answer->slot ? ANSWERED : NOT_THERE;
}

/* Look in every segment from this one down that may have it. */
static enum outcome look_down(paxos_journal_t *j, answer_t *answer, uint64_t segment) {
    for (; segment >= j->oldest && segment > 0 && !answer->is_too_large; segment--) {
        const uint64_t base = *paxos_journal_base(j, segment, answer->index);
        const uint64_t reach = *paxos_journal_reach(j, segment, answer->index);
        if (base > answer->slot) { note_ahead(answer, base); }
        if (base == 0 || base > answer->slot || reach < answer->slot) { continue; }
        const place_t start = {.segment = segment};
        const enum outcome outcome = look(j, answer, &start);
        if (outcome != NOT_THERE) { return outcome; }
        drop(answer, answer->slot, 0);
        answer->next.slot = 0;
    }
    return NOT_THERE;
}

static void remember(paxos_journal_t *j, const place_t *place) {
    j->places[j->next_place] = *place;
    j->next_place = (j->next_place + 1) % FETCH_PLACES;
}

/* Where to begin, by what is remembered; forgotten by that. Its slot is 0: nothing is. */
static place_t recall(paxos_journal_t *j, const answer_t *answer) {
    for (uint32_t i = 0; i < FETCH_PLACES; i++) {
        place_t *place = &j->places[i];
        if (place->slot == 0 || place->index != answer->index || place->slot != answer->slot) {
            continue;
        }
        const place_t found = *place;
        *place = (place_t){0};
        if (found.segment >= j->oldest) { return found; }
    }
    return (place_t){0};
}

static enum outcome find(paxos_journal_t *j, answer_t *answer) {
    const place_t place = recall(j, answer);
    if (place.slot != 0) {
        const enum outcome outcome = look(j, answer, &place);
        if (outcome != NOT_THERE) { return outcome; }
        drop(answer, answer->slot, 0);
        answer->next.slot = 0;
        if (place.is_search) { return look_down(j, answer, place.segment - 1); }
    }
    return look_down(j, answer, j->newest);
}

static paxos_journal_status_t fetch(
    paxos_journal_t *j, uint32_t group, uint64_t slot, uint32_t count_max, uint8_t *out,
    size_t out_bytes_max, uint32_t *count_out, size_t *bytes_out) {
    *count_out = 0;
    *bytes_out = 0;
    if (j->phase == PHASE_FAILED) { return PAXOS_JOURNAL_ERR_SYSTEM; }
    if (j->phase != PHASE_READY) { return PAXOS_JOURNAL_ERR_STATE; }
    const uint32_t index = paxos_journal_find(j, group);
    if (index == j->group_count || slot == 0 || count_max == 0) { return PAXOS_JOURNAL_ERR_GONE; }
    group_t *known = &j->groups[index];
    if (slot < known->retained_from) { return PAXOS_JOURNAL_ERR_GONE; }
    if (slot > known->retained_to) { return PAXOS_JOURNAL_END; }
    answer_t answer = {
        .index = index,
        .group = group,
        .slot = slot,
        .vouched_to = slot - 1,
        .bytes_max = out_bytes_max,
        .count_max = count_max,
        .out = out};
    const enum outcome outcome = find(j, &answer);
    if (outcome == FURTHER_ON) {
        remember(j, &answer.next);
        return PAXOS_JOURNAL_ERR_BUSY;
    }
    if (answer.is_too_large) { return PAXOS_JOURNAL_ERR_TOO_LARGE; }
    if (outcome == NOT_THERE) {
        paxos_retain_from(known, answer.ahead != 0 ? answer.ahead : slot + 1);
        return PAXOS_JOURNAL_ERR_GONE;
    }
    const uint64_t count = answer.vouched_to - slot + 1;
    *count_out = (uint32_t)count;
    *bytes_out = taken_at(&answer, slot + count);
    if (answer.next.slot == slot + count) { remember(j, &answer.next); }
    return PAXOS_JOURNAL_OK;
}

paxos_journal_status_t paxos_journal_fetch(
    paxos_journal_t *j, uint32_t group, uint64_t slot, uint32_t count_max, uint8_t *out,
    size_t out_bytes_max, uint32_t *count_out, size_t *bytes_out) {
    paxos_journal_enter(j);
    const paxos_journal_status_t status =
        fetch(j, group, slot, count_max, out, out_bytes_max, count_out, bytes_out);
    j->is_within_a_call = false;
    return status;
}
