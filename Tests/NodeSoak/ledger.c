/* ledger.c - see ledger.h. */
#include "ledger.h"

#include <stdlib.h>
#include <string.h>

#include "paxos/crc32c.h"
#include "paxos/random.h"

static const uint64_t first_capacity = 1u << 16;

bool ledger_open(ledger_t *ledger) {
    *ledger = (ledger_t){.log_capacity = first_capacity, .values_mask = first_capacity - 1};
    ledger->log = calloc(first_capacity, sizeof *ledger->log);
    ledger->values = calloc(first_capacity, sizeof *ledger->values);
    return ledger->log != NULL && ledger->values != NULL;
}

void ledger_close(ledger_t *ledger) {
    free(ledger->log);
    free(ledger->values);
}

/* The place of a value, or the one where it belongs. */
static ledger_value_t *find(const ledger_t *ledger, uint64_t name) {
    uint64_t state = name;
    uint64_t at = paxos_random_next(&state) & ledger->values_mask;
    while (ledger->values[at].name != 0 && ledger->values[at].name != name) {
        at = (at + 1) & ledger->values_mask;
    }
    return &ledger->values[at];
}

/* Room for one slot and one value more. */
static bool grow(ledger_t *ledger) {
    if (ledger->last + 2 > ledger->log_capacity) {
        ledger_slot_t *log = realloc(ledger->log, 2 * ledger->log_capacity * sizeof *log);
        if (log == NULL) { return false; }
        ledger->log = log;
        ledger->log_capacity *= 2;
    }
    if (2 * ledger->value_count <= ledger->values_mask) { return true; }
    ledger_value_t *old = ledger->values;
    const uint64_t old_mask = ledger->values_mask;
    ledger->values = calloc(2 * (old_mask + 1), sizeof *old);
    if (ledger->values == NULL) { return false; }
    ledger->values_mask = 2 * old_mask + 1;
    for (uint64_t i = 0; i <= old_mask; i++) {
        if (old[i].name != 0) { *find(ledger, old[i].name) = old[i]; }
    }
    free(old);
    return true;
}

static const char *place(ledger_t *ledger, uint64_t name, uint64_t slot) {
    ledger_value_t *value = find(ledger, name);
    if (value->name != 0) {
        return value->slot == UINT64_MAX || slot == UINT64_MAX
                   ? "a proposal that was refused is decided"
                   : "a value stands in two slots";
    }
    *value = (ledger_value_t){name, slot};
    ledger->value_count += 1;
    return NULL;
}

/* A slot that nobody told of before. */
static const char *take_new(ledger_t *ledger, const told_t *told) {
    if (told->slot != ledger->last + 1) { return "a slot was left out"; }
    uint8_t bytes[VALUE_BYTES_MAX];
    const uint32_t length_bytes = told->value == 0 ? 0 : value_make(told->value, bytes);
    if (told->checksum != paxos_crc32c(0, bytes, length_bytes)) { return "other bytes"; }
    ledger_slot_t *slot = &ledger->log[told->slot];
    slot->name = told->value;
    slot->checksum = told->checksum;
    slot->digest = digest_next(slot[-1].digest, told->slot, told->value, told->checksum);
    ledger->last = told->slot;
    if (told->value == 0) { return NULL; }
    ledger->acknowledged += 1;
    return place(ledger, told->value, told->slot);
}

static const char *take_delivered(ledger_t *ledger, ledger_node_t *node, const told_t *told) {
    if (told->slot != node->delivered + 1) { return "delivered twice, or out of order"; }
    node->delivered = told->slot;
    if (told->slot > ledger->last) { return take_new(ledger, told); }
    const ledger_slot_t *slot = &ledger->log[told->slot];
    if (slot->name != told->value || slot->checksum != told->checksum) {
        return "a slot that was told of holds something else";
    }
    return NULL;
}

static const char *take_began(ledger_t *ledger, ledger_node_t *node, const told_t *told) {
    if (told->value <= node->incarnation) { return "an incarnation was used before"; }
    if (told->slot < node->durable) { return "the state machine has forgotten"; }
    if (told->slot > node->delivered) { return "the state machine holds what nobody told of"; }
    if (told->digest != ledger->log[told->slot].digest) { return "the state machine differs"; }
    ledger->again += node->delivered - told->slot;
    node->incarnation = (uint32_t)told->value;
    node->delivered = node->durable = told->slot;
    node->behind_to = 0;
    return NULL;
}

const char *ledger_take(ledger_t *ledger, uint32_t index, const told_t *told) {
    ledger_node_t *node = &ledger->nodes[index];
    if (!grow(ledger)) { return "no memory for the ledger"; }
    switch (told->kind) {
        case TOLD_BEGAN: return take_began(ledger, node, told);
        case TOLD_DELIVERED: return take_delivered(ledger, node, told);
        case TOLD_APPLIED: node->durable = told->slot; return NULL;
        case TOLD_REFUSED: ledger->refused += 1; return place(ledger, told->value, UINT64_MAX);
        case TOLD_UNKNOWN: ledger->unknown += 1; return NULL;
        case TOLD_LEADER: node->leader = (uint32_t)told->value; return NULL;
        case TOLD_QUIET: node->quiet = (uint32_t)told->value; return NULL;
        case TOLD_BEHIND: node->behind_to = told->slot; return NULL;
    }
    return "a word that no node says";
}
