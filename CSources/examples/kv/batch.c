/* batch.c - what clients ask for in one turn becomes one entry, and an entry becomes their replies.
 *
 *   command  u8 kind, u8 zero, u16 key_bytes, u32 value_bytes, key, value
 *
 * Batches of this node are numbered in the order in which they were proposed, and answered in it,
 * so that each client's replies come in the order of its commands. */
#include <stdio.h>
#include <string.h>

#include "kv.h"
#include "paxos/bytes.h"
#include "paxos_host.h"

enum { COMMAND_BYTES = 8, RUNS_MAX = KV_CLIENTS_MAX };

static const uint64_t patience_ns = 5000000000u; /* without a leader */

/* Commands of one client, one behind the other: so many replies. */
typedef struct run {
    kv_ticket_t client;
    uint32_t count;
} run_t;

typedef struct batch {
    uint64_t number;
    uint32_t bytes;
    uint32_t write_bytes; /* of them: what the log needs      */
    uint32_t run_count;
    uint16_t is_over;
    uint16_t reason; /* why, where it was not decided    */
    run_t runs[RUNS_MAX];
    uint8_t commands[KV_BATCH_BYTES];
} batch_t;

static batch_t batches[KV_BATCHES];
static uint64_t first;  /* the oldest that is under way                         */
static uint64_t last;   /* the one that is being filled, which is not proposed */
static bool is_refused; /* the log did not take the last one */
static uint64_t lonely_since_ns;

static batch_t *batch_at(uint64_t place) {
    return &batches[place % KV_BATCHES];
}

bool kv_batch_waits(void) {
    return is_refused;
}

uint32_t kv_reply_bytes(uint32_t kind) {
    return kind == KV_GET ? KV_VALUE_BYTES_MAX + 32 : 128;
}

static uint32_t command_bytes(const kv_command_t *command) {
    return COMMAND_BYTES + command->key.length + command->value.length;
}

static void put(batch_t *batch, const kv_command_t *command) {
    uint8_t *to = batch->commands + batch->bytes;
    to[0] = (uint8_t)command->kind;
    to[1] = 0;
    paxos_put16(to + 2, (uint16_t)command->key.length);
    paxos_put32(to + 4, command->value.length);
    memcpy(to + COMMAND_BYTES, command->key.bytes, command->key.length);
    if (command->value.length != 0) {
        memcpy(
            to + COMMAND_BYTES + command->key.length, command->value.bytes, command->value.length);
    }
    batch->bytes += command_bytes(command);
    if (command->kind != KV_GET) { batch->write_bytes += command_bytes(command); }
}

/* Returns its length; 0: these are no commands. */
static uint32_t get(const uint8_t *at, const uint8_t *end, kv_command_t *command) {
    const size_t left = (size_t)(end - at);
    if (left < COMMAND_BYTES) { return 0; }
    command->kind = at[0];
    command->key = (kv_text_t){at + COMMAND_BYTES, paxos_get16(at + 2)};
    command->value = (kv_text_t){at + COMMAND_BYTES + command->key.length, paxos_get32(at + 4)};
    const bool is_known = command->kind >= KV_GET && command->kind <= KV_DEL_ONE_OF;
    if (!is_known || command->key.length > KV_KEY_BYTES_MAX) { return 0; }
    if (command->value.length > KV_VALUE_BYTES_MAX) { return 0; }
    return left < command_bytes(command) ? 0 : command_bytes(command);
}

/* The writes alone, for the log. */
static const uint8_t *writes_of(const batch_t *batch) {
    static uint8_t writes[KV_BATCH_BYTES];
    const uint8_t *end = batch->commands + batch->bytes;
    kv_command_t command;
    uint32_t bytes = 0;
    if (batch->write_bytes == batch->bytes) { return batch->commands; }
    if (batch->write_bytes == 0) { return writes; }
    for (const uint8_t *at = batch->commands; at != end;) {
        const uint32_t length = get(at, end, &command);
        PAXOS_ASSERT(length != 0);
        if (command.kind != KV_GET) {
            memcpy(writes + bytes, at, length);
            bytes += length;
        }
        at += length;
    }
    return writes;
}

/* Whose reply comes next. */
typedef struct replies {
    const batch_t *batch; /* NULL: of another node, who answers */
    kv_client_t *client;
    uint32_t run;
    uint32_t left;
} replies_t;

static void answer(replies_t *replies, uint32_t kind, const char *start, kv_text_t text) {
    if (replies->batch == NULL) { return; }
    if (replies->left == 0) {
        const run_t *run = &replies->batch->runs[replies->run++];
        replies->client = kv_client_find(run->client);
        replies->left = run->count;
    }
    replies->left -= 1;
    if (replies->client != NULL) {
        kv_client_answer(replies->client, kind, start, strlen(start), text);
    }
}

static void answer_value(replies_t *replies, const kv_item_t *item) {
    char start[32];
    if (replies->batch == NULL) { return; }
    if (item == NULL) {
        answer(replies, KV_GET, "$-1", (kv_text_t){NULL, 0});
        return;
    }
    (void)snprintf(start, sizeof start, "$%u\r\n", (unsigned)item->value_bytes);
    answer(replies, KV_GET, start, (kv_text_t){item->bytes + item->key_bytes, item->value_bytes});
}

/* Do these commands, or, with a refusal, say it to each. False: they are none. */
static bool perform(
    const uint8_t *at, const uint8_t *end, const batch_t *batch, const char *refusal) {
    const kv_text_t nothing = {NULL, 0};
    replies_t replies = {.batch = batch};
    kv_command_t command;
    uint32_t deleted = 0;
    while (at != end) {
        const uint32_t length = get(at, end, &command);
        if (length == 0) { return false; }
        at += length;
        if (refusal != NULL) {
            if (command.kind != KV_DEL_ONE_OF) { answer(&replies, command.kind, refusal, nothing); }
        } else if (command.kind == KV_GET) {
            answer_value(&replies, batch == NULL ? NULL : kv_table_get(command.key));
        } else if (command.kind == KV_SET) {
            const bool is_set = kv_table_set(command.key, command.value);
            answer(&replies, KV_SET, is_set ? "+OK" : "-OOM the table is full", nothing);
        } else {
            deleted += kv_table_delete(command.key);
            if (command.kind == KV_DEL_ONE_OF) { continue; }
            char count[16];
            (void)snprintf(count, sizeof count, ":%u", (unsigned)deleted);
            answer(&replies, KV_DEL, count, nothing);
            deleted = 0;
        }
    }
    return true;
}

/* The oldest batch is over: decided here and now, or not. */
static void close_first(const char *refusal) {
    batch_t *batch = batch_at(first);
    first += 1;
    (void)perform(batch->commands, batch->commands + batch->bytes, batch, refusal);
}

static const char *refusal_of(uint16_t reason) {
    if (reason == PAXOS_REASON_LOST) {
        return "-UNKNOWN the leader changed: it was done, or will be, or will not";
    }
    return reason == PAXOS_REASON_FULL ? "-TRYAGAIN the log is full: nothing was done"
                                       : "-TRYAGAIN the leader changed: nothing was done";
}

static void close_refused(void) {
    while (first != last && batch_at(first)->is_over) {
        close_first(refusal_of(batch_at(first)->reason));
    }
}

/* The next batch can be filled. */
static void open_last(void) {
    batch_t *batch = batch_at(last);
    batch->bytes = 0;
    batch->write_bytes = 0;
    batch->run_count = 0;
    batch->is_over = 0;
}

/* Nobody leads for so long that the clients should know. */
static void despair(batch_t *batch) {
    const uint64_t now_ns = paxos_host_clock_ns();
    if (lonely_since_ns == 0) { lonely_since_ns = now_ns; }
    if (now_ns - lonely_since_ns < patience_ns || first != last) { return; }
    (void)perform(
        batch->commands, batch->commands + batch->bytes, batch,
        "-CLUSTERDOWN nobody leads: nothing was done");
    open_last();
}

void kv_batch_send(paxos_host_t *host) {
    batch_t *batch = batch_at(last);
    is_refused = false;
    if (batch->bytes == 0) { return; }
    /* A batch needs room for the next: the ring is full, and the log with it as far as we go. */
    is_refused = last - first == KV_BATCHES - 1;
    if (is_refused) { return; }
    const paxos_status_t status =
        paxos_host_propose(host, 0, writes_of(batch), batch->write_bytes, &batch->number);
    is_refused = status != PAXOS_OK;
    if (status == PAXOS_ERR_NO_LEADER) {
        despair(batch);
        return;
    }
    lonely_since_ns = 0;
    if (is_refused) { return; }
    last += 1;
    open_last();
}

bool kv_batch_add(
    paxos_host_t *host, kv_client_t *client, const kv_command_t *commands, uint32_t count) {
    const kv_ticket_t ticket = kv_client_ticket(client);
    uint32_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) { bytes += command_bytes(&commands[i]); }
    batch_t *batch = batch_at(last);
    if (batch->bytes + bytes > KV_BATCH_BYTES || batch->run_count == RUNS_MAX) {
        kv_batch_send(host);
        if (is_refused) { return false; }
        batch = batch_at(last);
    }
    if (!kv_client_expect(client, commands[count - 1].kind)) { return false; }
    run_t *run = batch->run_count > 0 ? &batch->runs[batch->run_count - 1] : NULL;
    if (run == NULL || run->client.index != ticket.index || run->client.serial != ticket.serial) {
        run = &batch->runs[batch->run_count++];
        *run = (run_t){.client = ticket};
    }
    run->count += 1;
    for (uint32_t i = 0; i < count; i++) { put(batch, &commands[i]); }
    return true;
}

/* An entry of this life of this node: its batch is the oldest, or those before it were lost. */
static bool take_own(uint64_t number) {
    while (first != last && batch_at(first)->number < number) {
        close_first(refusal_of(PAXOS_REASON_LOST));
    }
    if (first == last || batch_at(first)->number != number) { return false; }
    close_first(NULL);
    return true;
}

static void apply(paxos_host_t *host, const paxos_host_event_t *event) {
    paxos_host_report_t report = {.size_bytes = sizeof report};
    paxos_host_report(host, &report);
    const uint8_t *at = event->entries;
    for (uint32_t i = 0; i < event->count; i++) {
        const paxos_entry_t entry = paxos_entry_get(at);
        const uint8_t *value = at + PAXOS_ENTRY_HEADER_BYTES;
        at += paxos_entry_bytes(entry.value_bytes);
        if (entry.kind != PAXOS_ENTRY_COMMAND) { continue; }
        const bool is_own = entry.node == report.node && entry.incarnation == report.incarnation;
        if (is_own && take_own(entry.number)) { continue; }
        if (!perform(value, value + entry.value_bytes, NULL, NULL)) {
            kv_die("the log", "holds what is no command: of another program?");
        }
    }
    close_refused();
}

/* Their batches are closed when those before them are. */
static void refuse(const paxos_host_event_t *event) {
    for (uint64_t place = first; place != last; place++) {
        batch_t *batch = batch_at(place);
        if (batch->number < event->number) { continue; }
        if (batch->number - event->number >= event->count) { break; }
        batch->is_over = 1;
        batch->reason = event->reason;
    }
    close_refused();
}

bool kv_batch_take(paxos_host_t *host) {
    paxos_host_event_t event = {.size_bytes = sizeof event};
    bool is_any = false;
    while (paxos_host_next(host, &event)) {
        if (event.kind == PAXOS_HOST_OUTCOME) { refuse(&event); }
        if (event.kind == PAXOS_HOST_DELIVERED) {
            apply(host, &event);
            const uint64_t slot = event.slot + event.count - 1;
            kv_snapshot_advance(host, slot, event.count, event.entries_bytes);
        }
        is_any |= event.kind == PAXOS_HOST_OUTCOME || event.kind == PAXOS_HOST_DELIVERED;
    }
    return is_any;
}
