/* table.c - a hash table of fixed capacity, of buckets and chains by index. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "kv.h"

enum { BUCKETS = KV_KEYS_MAX };

static uint32_t *buckets;  /* index + 1 of the first item; 0: none */
static kv_item_t **items;  /* by index                             */
static uint32_t *gaps;     /* indices that were free again         */
static uint32_t gap_count; /* of them                              */
static uint32_t end;       /* indices ever used                    */
static uint32_t keys;
static uint64_t table_bytes;
static uint8_t hash_key[crypto_shorthash_KEYBYTES]; /* nobody chooses keys that collide */

static uint64_t hash(const uint8_t *bytes, size_t length, const uint8_t *key) {
    uint64_t result = 0;
    (void)crypto_shorthash((uint8_t *)&result, bytes, length, key);
    return result;
}

void kv_table_open(void) {
    if (sodium_init() < 0) { kv_die("libsodium", "cannot be used"); }
    randombytes_buf(hash_key, sizeof hash_key);
    buckets = calloc(BUCKETS, sizeof *buckets);
    items = calloc(KV_KEYS_MAX, sizeof(kv_item_t *));
    gaps = calloc(KV_KEYS_MAX, sizeof *gaps);
    if (buckets == NULL || items == NULL || gaps == NULL) { kv_die("memory", "for the table"); }
}

/* The place that names the item of this key, or ends the chain where it would be. */
static uint32_t *find(kv_text_t key) {
    uint32_t *place = &buckets[hash(key.bytes, key.length, hash_key) % BUCKETS];
    while (*place != 0) {
        kv_item_t *item = items[*place - 1];
        if (item->key_bytes == key.length && memcmp(item->bytes, key.bytes, key.length) == 0) {
            break;
        }
        place = &item->next;
    }
    return place;
}

const kv_item_t *kv_table_get(kv_text_t key) {
    const uint32_t *place = find(key);
    return *place == 0 ? NULL : items[*place - 1];
}

static uint64_t cost(uint32_t key_bytes, uint32_t value_bytes) {
    return (uint64_t)KV_ITEM_BYTES + key_bytes + value_bytes;
}

/* Room grows by halves, so that a value that grows is not moved each time. */
static kv_item_t *make_room(kv_item_t *item, uint32_t bytes) {
    if (item != NULL && item->room_bytes >= bytes) { return item; }
    const uint32_t room = item == NULL ? bytes : bytes + bytes / 2;
    kv_item_t *moved = realloc(item, sizeof *item + room);
    if (moved == NULL) { kv_die("memory", "for a value"); }
    moved->room_bytes = room;
    return moved;
}

static uint32_t add(kv_text_t key) {
    const uint32_t index = gap_count > 0 ? gaps[--gap_count] : end++;
    kv_item_t *item = make_room(NULL, key.length);
    item->next = 0;
    item->key_bytes = key.length;
    item->value_bytes = 0;
    memcpy(item->bytes, key.bytes, key.length);
    kv_snapshot_born(item);
    items[index] = item;
    keys += 1;
    table_bytes += cost(key.length, 0);
    return index;
}

bool kv_table_set(kv_text_t key, kv_text_t value) {
    uint32_t *place = find(key);
    const bool is_new = *place == 0;
    const uint64_t before = is_new ? 0 : items[*place - 1]->value_bytes;
    const uint64_t more = is_new ? cost(key.length, value.length) : value.length;
    if (is_new && keys == KV_KEYS_MAX) { return false; }
    if (table_bytes - before + more > KV_TABLE_BYTES_MAX) { return false; }
    if (is_new) {
        *place = add(key) + 1;
    } else {
        kv_snapshot_keep(items[*place - 1]);
    }
    kv_item_t *item = make_room(items[*place - 1], key.length + value.length);
    items[*place - 1] = item;
    table_bytes = table_bytes - item->value_bytes + value.length;
    item->value_bytes = value.length;
    memcpy(item->bytes + key.length, value.bytes, value.length);
    return true;
}

bool kv_table_delete(kv_text_t key) {
    uint32_t *place = find(key);
    if (*place == 0) { return false; }
    const uint32_t index = *place - 1;
    kv_item_t *item = items[index];
    kv_snapshot_keep(item);
    *place = item->next;
    table_bytes -= cost(item->key_bytes, item->value_bytes);
    keys -= 1;
    items[index] = NULL;
    gaps[gap_count++] = index;
    free(item);
    return true;
}

uint32_t kv_table_keys(void) {
    return keys;
}

uint64_t kv_table_bytes(void) {
    return table_bytes;
}

uint64_t kv_item_digest(const kv_item_t *item) {
    static const uint8_t known[crypto_shorthash_KEYBYTES] = "the same by all";
    const size_t length = (size_t)KV_RECORD_BYTES + item->key_bytes + item->value_bytes;
    return hash((const uint8_t *)item + KV_RECORD_AT, length, known);
}

uint64_t kv_table_digest(void) {
    uint64_t digest = 0;
    for (uint32_t i = 0; i < end; i++) {
        if (items[i] != NULL) { digest += kv_item_digest(items[i]); }
    }
    return digest;
}

uint32_t kv_table_end(void) {
    return end;
}

kv_item_t *kv_table_at(uint32_t index) {
    return items[index];
}
