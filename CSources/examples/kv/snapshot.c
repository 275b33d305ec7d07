/* snapshot.c - the table in a file: records, then slot, count and digest, which end it.
 *
 *   DIRECTORY/state      the last whole one
 *   DIRECTORY/state.new  the one that is being written
 *
 * There is no transfer of snapshots yet: a member that was away for longer than the journals of the
 * others reach back (behind_to in INFO) stays behind until the file `state` of another one is put
 * into its directory. */
#define _GNU_SOURCE 1

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kv.h"

enum {
    BUFFER_BYTES = 1 << 20,
    /* A snapshot begins so much after the last one began, and is written while as much again is
     * applied: window and arena hold twice that, and what is under way. */
    STRIDE_BYTES = 16 << 20,
    STRIDE_SLOTS = 4096
};

typedef struct ending {
    char magic[8];
    uint64_t slot;
    uint64_t count;
    uint64_t digest;
} ending_t;

static const char magic[8] = {'p', 'a', 'x', 'o', 's', 'k', 'v', '1'};

static int directory = -1;
static int file = -1; /* of the snapshot that is being written */
static uint32_t epoch;
static uint32_t cursor; /* items below it are in it, or were born later */
static ending_t ending;
static uint8_t buffer[BUFFER_BYTES];
static size_t buffered;
static uint64_t stride_bytes; /* applied since the last one began */
static uint64_t stride_slots;

static void check(bool is_good, const char *what) {
    if (!is_good) { kv_die(what, strerror(errno)); }
}

/* A disk is given a little at a time: the last flush, too, is then a short one. */
static void spill(void) {
    for (size_t at = 0; at < buffered;) {
        const ssize_t put = write(file, buffer + at, buffered - at);
        check(put > 0, "snapshot");
        at += (size_t)put;
    }
    buffered = 0;
    check(fdatasync(file) == 0, "snapshot");
}

static void put(const void *bytes, size_t length) {
    if (length > sizeof buffer - buffered) { spill(); }
    memcpy(buffer + buffered, bytes, length);
    buffered += length;
}

static void save(kv_item_t *item) {
    if (item->epoch == epoch) { return; }
    item->epoch = epoch;
    ending.count += 1;
    ending.digest += kv_item_digest(item);
    put((const uint8_t *)item + KV_RECORD_AT,
        (size_t)KV_RECORD_BYTES + item->key_bytes + item->value_bytes);
}

void kv_snapshot_keep(kv_item_t *item) {
    if (file >= 0) { save(item); }
}

void kv_snapshot_born(kv_item_t *item) {
    item->epoch = epoch;
}

static void begin(uint64_t slot) {
    file = openat(directory, "state.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(file >= 0, "state.new");
    ending = (ending_t){.slot = slot};
    memcpy(ending.magic, magic, sizeof magic);
    epoch += 1;
    cursor = 0;
    stride_bytes = 0;
    stride_slots = 0;
}

static void finish(paxos_host_t *host) {
    put(&ending, sizeof ending);
    spill();
    check(close(file) == 0, "state.new");
    file = -1;
    check(renameat(directory, "state.new", directory, "state") == 0, "state");
    check(fsync(directory) == 0, "state");
    (void)!paxos_host_trim(host, 0, ending.slot);
}

void kv_snapshot_advance(paxos_host_t *host, uint64_t slot, uint32_t count, uint32_t bytes) {
    stride_bytes += bytes;
    stride_slots += count;
    if (file < 0) {
        if (stride_bytes >= STRIDE_BYTES || stride_slots >= STRIDE_SLOTS) { begin(slot); }
        return;
    }
    const uint64_t by_bytes = stride_bytes * KV_KEYS_MAX / STRIDE_BYTES;
    const uint64_t by_slots = stride_slots * KV_KEYS_MAX / STRIDE_SLOTS;
    const uint64_t share = by_bytes > by_slots ? by_bytes : by_slots;
    const uint64_t end = kv_table_end();
    for (; cursor < end && cursor < share * end / KV_KEYS_MAX + 1; cursor++) {
        kv_item_t *item = kv_table_at(cursor);
        if (item != NULL) { save(item); }
    }
    if (cursor >= end) { finish(host); }
}

/* False: the file ends before. */
static bool get(FILE *from, void *bytes, size_t length) {
    return fread(bytes, 1, length, from) == length;
}

static void load(FILE *from, uint64_t length) {
    static uint8_t bytes[KV_KEY_BYTES_MAX + KV_VALUE_BYTES_MAX];
    uint64_t count = 0;
    for (uint64_t at = 0; at < length - sizeof ending; count++) {
        uint32_t sizes[2];
        const bool is_read = get(from, sizes, sizeof sizes);
        if (!is_read || sizes[0] > KV_KEY_BYTES_MAX || sizes[1] > KV_VALUE_BYTES_MAX ||
            !get(from, bytes, sizes[0] + sizes[1])) {
            kv_die("state", "is damaged");
        }
        const kv_text_t key = {bytes, sizes[0]};
        const kv_text_t value = {bytes + sizes[0], sizes[1]};
        if (!kv_table_set(key, value)) { kv_die("state", "is larger than the table"); }
        at += sizeof sizes + sizes[0] + sizes[1];
    }
    if (!get(from, &ending, sizeof ending) || memcmp(ending.magic, magic, sizeof magic) != 0 ||
        ending.count != count || ending.digest != kv_table_digest()) {
        kv_die("state", "is damaged");
    }
}

uint64_t kv_snapshot_load(const char *path) {
    directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    check(directory >= 0, path);
    const int from = openat(directory, "state", O_RDONLY | O_CLOEXEC);
    if (from < 0 && errno == ENOENT) { return 0; }
    FILE *stream = from < 0 ? NULL : fdopen(from, "r");
    check(stream != NULL && fseek(stream, 0, SEEK_END) == 0, "state");
    const long length = ftell(stream);
    if (length < (long)sizeof ending) { kv_die("state", "is damaged"); }
    rewind(stream);
    load(stream, (uint64_t)length);
    (void)fclose(stream);
    return ending.slot;
}
