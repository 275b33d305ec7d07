/* kv.h - what the files of the key-value server share.
 *
 * One thread, one loop; every buffer has a limit here, and where one is reached somebody waits or
 * is told so. Keys and values alone are taken from malloc, within KV_TABLE_BYTES_MAX. */
#ifndef KV_H
#define KV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "paxos_runtime.h"

enum {
    KV_KEY_BYTES_MAX = 512,
    KV_VALUE_BYTES_MAX = 8 << 10,
    KV_ARGUMENTS_MAX = 64, /* of a command, its name included                               */
    KV_CLIENTS_MAX = 256,
    KV_KEYS_MAX = 1 << 20,
    KV_TABLE_BYTES_MAX = 64 << 20, /* keys, values and KV_ITEM_BYTES for each               */
    KV_BATCH_BYTES = 64 << 10,     /* commands of one entry of the log                      */
    KV_BATCHES = 64,               /* entries of this node under way; a power of two        */
    KV_REPLY_BYTES = 1 << 20       /* replies that one client has not read                  */
};

_Noreturn void kv_die(const char *what, const char *why);

/* table.c - the state machine: what is the same on every node after the same commands.
 *
 * A hash table of fixed capacity. Whether a key finds room depends on the commands alone. */
typedef struct kv_item {
    uint32_t next;  /* in its bucket: index + 1                      */
    uint32_t epoch; /* of the last snapshot that needs it no more    */
    uint32_t room_bytes;
    uint32_t key_bytes; /* from here on as a snapshot has it             */
    uint32_t value_bytes;
    uint8_t bytes[]; /* key, value */
} kv_item_t;

enum {
    KV_ITEM_BYTES = sizeof(kv_item_t),
    KV_RECORD_AT = offsetof(kv_item_t, key_bytes),
    KV_RECORD_BYTES = sizeof(kv_item_t) - offsetof(kv_item_t, key_bytes)
};

typedef struct kv_text {
    const uint8_t *bytes;
    uint32_t length;
} kv_text_t;

void kv_table_open(void);
/* NULL: there is no such key. Valid until the next change. */
const kv_item_t *kv_table_get(kv_text_t key);
/* False: the table is full, and unchanged. */
bool kv_table_set(kv_text_t key, kv_text_t value);
/* False: there was no such key. */
bool kv_table_delete(kv_text_t key);
uint32_t kv_table_keys(void);
uint64_t kv_table_bytes(void);
/* Of keys and values, in whatever order they came. Cost O(bytes). */
uint64_t kv_table_digest(void);
uint64_t kv_item_digest(const kv_item_t *item);
/* Items stand at indices below kv_table_end, with gaps: NULL. */
uint32_t kv_table_end(void);
kv_item_t *kv_table_at(uint32_t index);

/* snapshot.c - the state machine in a file, so that the log may be trimmed.
 *
 * A snapshot is of one slot, and exact; it is written a little at a time while commands go on: what
 * a command is about to change is written before. When the file is durable the log is trimmed up to
 * its slot, and what the journal has behind it is delivered again by the next life. */
uint64_t kv_snapshot_load(const char *directory); /* the slot that it is of; 0: there is none */
/* So many entries, up to this slot, were applied: perhaps write a little, perhaps trim. */
void kv_snapshot_advance(paxos_host_t *host, uint64_t slot, uint32_t count, uint32_t bytes);
void kv_snapshot_keep(kv_item_t *item); /* it is about to change, or to go */
void kv_snapshot_born(kv_item_t *item); /* it was not there before         */

/* batch.c - commands of many clients become entries of the log, and entries become replies.
 *
 * Reads are answered when an entry that was proposed after them is delivered, and so see all that
 * was acknowledged before, by any node. Such an entry holds the writes of its turn; the reads stay
 * here, and cost the log and the other nodes nothing. */
typedef struct kv_client kv_client_t;

enum kv_kind { KV_GET = 1, KV_SET = 2, KV_DEL = 3, KV_DEL_ONE_OF = 4 };

typedef struct kv_command {
    uint32_t kind;
    kv_text_t key;
    kv_text_t value; /* SET */
} kv_command_t;

/* Room that a reply may take. */
uint32_t kv_reply_bytes(uint32_t kind);
/* Take all of these commands, which have one reply; false: not now. */
bool kv_batch_add(
    paxos_host_t *host, kv_client_t *client, const kv_command_t *commands, uint32_t count);
/* Propose what was added. */
void kv_batch_send(paxos_host_t *host);
/* Take what the host has to tell; true: something was applied or refused. */
bool kv_batch_take(paxos_host_t *host);
bool kv_batch_waits(void); /* for a leader, or for room in the log */

/* client.c - connections: bytes in, replies out. */
int kv_listen(uint16_t port);
void kv_client_accept(int epoll, int listener);
void kv_client_event(uint32_t index, uint32_t events);
/* Read and take commands as far as there is room. True: some client could go on. */
bool kv_clients_serve(paxos_host_t *host);
/* Write what is to be said. True: something was written. */
bool kv_clients_flush(void);
bool kv_clients_wait(void); /* somebody has bytes that were not taken */
uint32_t kv_clients_count(void);

/* A client that may be gone by the time of its reply. */
typedef struct kv_ticket {
    uint32_t index;
    uint32_t serial;
} kv_ticket_t;

kv_ticket_t kv_client_ticket(const kv_client_t *client);
kv_client_t *kv_client_find(kv_ticket_t ticket); /* NULL: it is gone */
/* Keep room for the reply of a command that waits for the log; false: there is none. */
bool kv_client_expect(kv_client_t *client, uint32_t kind);
/* Write such a reply; the text, which may be empty, goes between `start` and a line's end. */
void kv_client_answer(
    kv_client_t *client, uint32_t kind, const char *start, size_t start_bytes, kv_text_t text);

/* command.c - one command of a client, parsed. */
typedef struct kv_request {
    uint32_t count;
    bool is_too_large;
    bool is_wrong; /* it is no array of strings */
    kv_text_t arguments[KV_ARGUMENTS_MAX];
} kv_request_t;

enum kv_taken { KV_TAKEN, KV_WAITS, KV_ENDS };

/* WAITS: nothing was done, for want of room or because replies that come before are awaited. */
enum kv_taken kv_command_take(paxos_host_t *host, kv_client_t *client, const kv_request_t *request);
/* False: an earlier command waits for its reply, and this one must, too. */
bool kv_client_says(kv_client_t *client, const char *text, size_t length);

#endif
