/* disk.c - see disk.h. */
#include "disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "paxos/base.h"
#include "paxos/random.h"

static uint64_t draw(disk_t *disk, uint64_t count) {
    return paxos_random_next(&disk->random) % count;
}

/* Whether the next call fails, and with what. */
static int refused(disk_t *disk) {
    disk->calls += 1;
    if (disk->die_at != 0 && disk->calls >= disk->die_at) { return -EIO; }
    if (disk->fail_at != 0 && disk->calls == disk->fail_at) { return disk->error; }
    return 0;
}

/* A read or a write is coming. */
static void spare(disk_t *disk) {
    if (disk->only_flushes && disk->fail_at == disk->calls + 1) { disk->fail_at += 1; }
}

static disk_name_t *named(disk_name_t *names, const char *name) {
    for (int i = 0; i < DISK_FILES; i++) {
        if (names[i].file >= 0 && strcmp(names[i].name, name) == 0) { return &names[i]; }
    }
    return NULL;
}

static disk_name_t *name_put(disk_name_t *names, const char *name, int file) {
    disk_name_t *found = named(names, name);
    for (int i = 0; found == NULL && i < DISK_FILES; i++) {
        if (names[i].file < 0) { found = &names[i]; }
    }
    PAXOS_ASSERT(found != NULL && strlen(name) < DISK_NAME_BYTES);
    strcpy(found->name, name);
    found->file = file;
    return found;
}

static int fake_open(void *context, const char *path, bool create) {
    disk_t *disk = context;
    const int refusal = refused(disk);
    if (refusal < 0) { return refusal; }
    const disk_name_t *found = named(disk->seen, path);
    if (found == NULL && !create) { return -ENOENT; }
    if (found != NULL) { return found->file; }
    PAXOS_ASSERT(disk->file_count < DISK_FILES);
    disk->file_count += 1;
    return name_put(disk->seen, path, disk->file_count - 1)->file;
}

static int fake_lock(void *context, const char *path, bool create) {
    disk_t *disk = context;
    const int file = fake_open(context, path, create);
    if (file < 0) { return file; }
    if (disk->files[file].is_locked) { return -EWOULDBLOCK; }
    disk->files[file].is_locked = true;
    return file;
}

static void fake_close(void *context, int file) {
    disk_t *disk = context;
    disk->files[file].is_locked = false;
}

static int64_t fake_size(void *context, int file) {
    disk_t *disk = context;
    const int refusal = refused(disk);
    return refusal < 0 ? refusal : (int64_t)disk->files[file].size;
}

/* How much of a read or write is done: mostly all. A system copies pages, so that what is cut short
 * ends between sectors. */
static int64_t part(disk_t *disk, size_t length_bytes) {
    if (!disk->is_choppy || draw(disk, 4) != 0) { return (int64_t)length_bytes; }
    const uint64_t sectors = length_bytes / DISK_SECTOR_BYTES;
    if (sectors < 2 || draw(disk, 3) == 0) { return -EINTR; }
    return (int64_t)((1 + draw(disk, sectors - 1)) * DISK_SECTOR_BYTES);
}

static int64_t fake_read(
    void *context, int file, uint8_t *bytes, size_t length_bytes, uint64_t offset_bytes) {
    disk_t *disk = context;
    spare(disk);
    const int refusal = refused(disk);
    if (refusal < 0) { return refusal; }
    const disk_file_t *from = &disk->files[file];
    if (offset_bytes >= from->size) { return 0; }
    int64_t count = part(disk, length_bytes);
    if (count < 0) { return count; }
    const uint64_t rest = from->size - offset_bytes;
    if ((uint64_t)count > rest) { count = (int64_t)rest; }
    memcpy(bytes, from->seen + offset_bytes, (size_t)count);
    return count;
}

static void grow(disk_file_t *file, uint64_t size) {
    if (size <= file->size) { return; }
    if (size > file->capacity) {
        const uint64_t old = file->capacity;
        file->capacity = (size + (1 << 20)) / DISK_SECTOR_BYTES * DISK_SECTOR_BYTES;
        file->seen = realloc(file->seen, file->capacity);
        file->kept = realloc(file->kept, file->capacity);
        file->is_dirty = realloc(file->is_dirty, file->capacity / DISK_SECTOR_BYTES);
        PAXOS_ASSERT(file->seen != NULL && file->kept != NULL && file->is_dirty != NULL);
        memset(file->seen + old, 0, file->capacity - old);
        memset(file->kept + old, 0, file->capacity - old);
        memset(
            file->is_dirty + old / DISK_SECTOR_BYTES, 0,
            (file->capacity - old) / DISK_SECTOR_BYTES);
    }
    file->size = size;
}

static int64_t fake_write(
    void *context, int file, const uint8_t *bytes, size_t length_bytes, uint64_t offset_bytes) {
    disk_t *disk = context;
    const bool was_dead = disk->die_at != 0 && disk->calls >= disk->die_at;
    spare(disk);
    const int refusal = refused(disk);
    if (was_dead || (refusal < 0 && disk->die_at == 0)) { return refusal; }
    int64_t count = part(disk, length_bytes);
    if (count < 0) { return count; }
    if (refusal < 0) { /* the power fails here */
        count = (int64_t)(draw(disk, length_bytes / DISK_SECTOR_BYTES + 1) * DISK_SECTOR_BYTES);
    }
    disk_file_t *to = &disk->files[file];
    if (count > 0) {
        grow(to, offset_bytes + (uint64_t)count);
        memcpy(to->seen + offset_bytes, bytes, (size_t)count);
        const uint64_t last = (offset_bytes + (uint64_t)count - 1) / DISK_SECTOR_BYTES;
        for (uint64_t s = offset_bytes / DISK_SECTOR_BYTES; s <= last; s++) { to->is_dirty[s] = 1; }
    }
    return refusal < 0 ? refusal : count;
}

static void keep(disk_file_t *file, uint64_t sector) {
    const uint64_t at = sector * DISK_SECTOR_BYTES;
    memcpy(file->kept + at, file->seen + at, DISK_SECTOR_BYTES);
}

static int fake_flush(void *context, int file) {
    disk_t *disk = context;
    const int refusal = refused(disk);
    disk_file_t *to = &disk->files[file];
    const bool is_dead = disk->die_at != 0 && disk->calls >= disk->die_at;
    if (is_dead) { return refusal; }
    disk->flushes += refusal == 0;
    for (uint64_t s = 0; s < to->capacity / DISK_SECTOR_BYTES; s++) {
        if (!to->is_dirty[s]) { continue; }
        /* After an error the system forgets that it has something to write. */
        if (refusal == 0 || draw(disk, 2) == 0) { keep(to, s); }
        to->is_dirty[s] = 0;
    }
    return refusal;
}

static int fake_rename(void *context, const char *from, const char *to) {
    disk_t *disk = context;
    const int refusal = refused(disk);
    if (refusal < 0) { return refusal; }
    disk_name_t *found = named(disk->seen, from);
    if (found == NULL) { return -ENOENT; }
    const int file = found->file;
    found->file = -1;
    (void)name_put(disk->seen, to, file);
    return 0;
}

static int fake_make_directory(void *context, const char *path) {
    (void)path;
    return refused(context);
}

static int fake_flush_directory(void *context, const char *path) {
    disk_t *disk = context;
    (void)path;
    const int refusal = refused(disk);
    if (refusal == 0) { memcpy(disk->kept, disk->seen, sizeof disk->kept); }
    return refusal;
}

void disk_make(disk_t *disk, uint64_t seed) {
    memset(disk, 0, sizeof *disk);
    disk->random = seed;
    for (int i = 0; i < DISK_FILES; i++) { disk->seen[i].file = disk->kept[i].file = -1; }
}

void disk_free(disk_t *disk) {
    for (int i = 0; i < DISK_FILES; i++) {
        free(disk->files[i].seen);
        free(disk->files[i].kept);
        free(disk->files[i].is_dirty);
    }
}

paxos_files_t disk_files(disk_t *disk) {
    const paxos_files_t files = {
        .context = disk,
        .open = fake_open,
        .lock = fake_lock,
        .close = fake_close,
        .size = fake_size,
        .read = fake_read,
        .write = fake_write,
        .flush = fake_flush,
        .make_directory = fake_make_directory,
        .rename = fake_rename,
        .flush_directory = fake_flush_directory,
    };
    return files;
}

void disk_end_process(disk_t *disk) {
    for (int i = 0; i < DISK_FILES; i++) { disk->files[i].is_locked = false; }
    disk->die_at = disk->fail_at = 0;
}

/* One file after a power cut: which dirty sectors are there. */
static void cut_file(disk_t *disk, disk_file_t *file, disk_cut_t how) {
    const uint64_t sectors = file->capacity / DISK_SECTOR_BYTES;
    uint64_t dirty = 0;
    for (uint64_t s = 0; s < sectors; s++) { dirty += file->is_dirty[s]; }
    uint64_t left = dirty == 0 ? 0 : draw(disk, dirty + 1);
    uint64_t torn = how == CUT_INSIDE_SECTOR && dirty > 0 ? draw(disk, dirty) : UINT64_MAX;
    uint64_t seen = 0;
    bool page = false;
    for (uint64_t s = 0; s < sectors; s++) {
        if (s % 8 == 0) { page = draw(disk, 2) == 0; }
        if (!file->is_dirty[s]) { continue; }
        const bool some = draw(disk, 2) == 0;
        const bool is_kept = how == CUT_ALL_KEPT || (how == CUT_SOME_PAGES && page) ||
                             (how == CUT_FIRST_KEPT && left > 0) ||
                             ((how == CUT_SOME_SECTORS || how == CUT_INSIDE_SECTOR) && some);
        if (seen == torn) {
            memcpy(
                file->kept + s * DISK_SECTOR_BYTES, file->seen + s * DISK_SECTOR_BYTES,
                (size_t)draw(disk, DISK_SECTOR_BYTES));
        } else if (is_kept) {
            keep(file, s);
        }
        seen += 1;
        left -= left > 0;
        file->is_dirty[s] = 0;
    }
    if (file->capacity > 0) { memcpy(file->seen, file->kept, file->capacity); }
}

void disk_cut_power(disk_t *disk, disk_cut_t how) {
    disk_end_process(disk);
    for (int i = 0; i < DISK_FILES; i++) { cut_file(disk, &disk->files[i], how); }
    if (draw(disk, 2) == 0) {
        memcpy(disk->seen, disk->kept, sizeof disk->seen);
    } else {
        memcpy(disk->kept, disk->seen, sizeof disk->kept);
    }
}

disk_file_t *disk_find(disk_t *disk, const char *name) {
    const disk_name_t *found = named(disk->seen, name);
    return found == NULL ? NULL : &disk->files[found->file];
}

void disk_flip(disk_file_t *file, uint64_t bit) {
    file->seen[bit / 8] ^= (uint8_t)(1u << bit % 8);
    file->kept[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

uint8_t *disk_save(const disk_file_t *file) {
    uint8_t *copy = malloc(file->capacity);
    PAXOS_ASSERT(copy != NULL);
    memcpy(copy, file->kept, file->capacity);
    return copy;
}

void disk_restore(disk_file_t *file, const uint8_t *bytes) {
    memcpy(file->seen, bytes, file->capacity);
    memcpy(file->kept, bytes, file->capacity);
}
