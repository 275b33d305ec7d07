/* mirror.c - see mirror.h. */
#include "mirror.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "paxos/base.h"

enum { MIRROR_PAGE_BYTES = 4096 };

static const char *real_path(const mirror_t *m, const char *path, char *out) {
    const int length = snprintf(out, MIRROR_PATH_BYTES, "%s%s", m->root, path);
    PAXOS_ASSERT(length > 0 && length < MIRROR_PATH_BYTES);
    return out;
}

static void let_go(mirror_t *m, int file) {
    const paxos_files_t *real = paxos_files_posix();
    if (m->real[file] >= 0) { real->close(real->context, m->real[file]); }
    m->real[file] = -1;
}

/* The real file of one that the model has opened: its descriptor, or what the system says. */
static int follow(mirror_t *m, int file, int descriptor) {
    if (descriptor < 0) { return descriptor; }
    let_go(m, file);
    m->real[file] = descriptor;
    return file;
}

static int mirror_open(void *context, const char *path, bool create) {
    mirror_t *m = context;
    char room[MIRROR_PATH_BYTES];
    const int file = m->model.open(m->disk, path, create);
    if (file < 0) { return file; }
    const paxos_files_t *real = paxos_files_posix();
    return follow(m, file, real->open(real->context, real_path(m, path, room), create));
}

static int mirror_lock(void *context, const char *path, bool create) {
    mirror_t *m = context;
    char room[MIRROR_PATH_BYTES];
    const int file = m->model.lock(m->disk, path, create);
    if (file < 0) { return file; }
    const paxos_files_t *real = paxos_files_posix();
    const int locked = real->lock(real->context, real_path(m, path, room), create);
    if (locked < 0) { m->model.close(m->disk, file); } /* it is not locked here either */
    return follow(m, file, locked);
}

static void mirror_close(void *context, int file) {
    mirror_t *m = context;
    m->model.close(m->disk, file);
    let_go(m, file);
}

static int64_t mirror_size(void *context, int file) {
    mirror_t *m = context;
    const int64_t size = m->model.size(m->disk, file);
    if (size < 0) { return size; }
    const paxos_files_t *real = paxos_files_posix();
    return real->size(real->context, m->real[file]);
}

static int64_t mirror_read(
    void *context, int file, uint8_t *bytes, size_t length_bytes, uint64_t offset_bytes) {
    mirror_t *m = context;
    const int64_t count = m->model.read(m->disk, file, bytes, length_bytes, offset_bytes);
    if (count <= 0) { return count; }
    const paxos_files_t *real = paxos_files_posix();
    const int64_t there =
        real->read(real->context, m->real[file], bytes, (size_t)count, offset_bytes);
    const uint64_t shared = there < 0 ? 0 : (uint64_t)there;
    if (memcmp(bytes, m->disk->files[file].seen + offset_bytes, shared) != 0) {
        m->differences += 1;
    }
    return there;
}

/* What of the model's bytes is in a range goes to the real file. */
static int64_t copy(mirror_t *m, int file, uint64_t offset_bytes, uint64_t length_bytes) {
    const paxos_files_t *real = paxos_files_posix();
    const disk_file_t *from = &m->disk->files[file];
    const uint64_t end = offset_bytes + length_bytes;
    uint64_t at = offset_bytes;
    while (at < from->size && at < end) {
        const uint64_t stop = end < from->size ? end : from->size;
        const int64_t count =
            real->write(real->context, m->real[file], from->seen + at, (size_t)(stop - at), at);
        if (count <= 0 && count != -EINTR) { return count == 0 ? -EIO : count; }
        if (count > 0) { at += (uint64_t)count; }
    }
    return 0;
}

static int64_t mirror_write(
    void *context, int file, const uint8_t *bytes, size_t length_bytes, uint64_t offset_bytes) {
    mirror_t *m = context;
    const int64_t count = m->model.write(m->disk, file, bytes, length_bytes, offset_bytes);
    /* A write that failed may have done a part of it. */
    const int64_t status = copy(m, file, offset_bytes, length_bytes);
    return status < 0 ? status : count;
}

static int mirror_flush(void *context, int file) {
    mirror_t *m = context;
    const int status = m->model.flush(m->disk, file);
    if (status < 0) { return status; }
    const paxos_files_t *real = paxos_files_posix();
    return real->flush(real->context, m->real[file]);
}

static int mirror_rename(void *context, const char *from, const char *to) {
    mirror_t *m = context;
    char room[MIRROR_PATH_BYTES];
    char room2[MIRROR_PATH_BYTES];
    const int status = m->model.rename(m->disk, from, to);
    if (status < 0) { return status; }
    const paxos_files_t *real = paxos_files_posix();
    return real->rename(real->context, real_path(m, from, room), real_path(m, to, room2));
}

static int mirror_make_directory(void *context, const char *path) {
    mirror_t *m = context;
    char room[MIRROR_PATH_BYTES];
    const int status = m->model.make_directory(m->disk, path);
    if (status < 0) { return status; }
    const paxos_files_t *real = paxos_files_posix();
    return real->make_directory(real->context, real_path(m, path, room));
}

static int mirror_flush_directory(void *context, const char *path) {
    mirror_t *m = context;
    char room[MIRROR_PATH_BYTES];
    const int status = m->model.flush_directory(m->disk, path);
    if (status < 0) { return status; }
    const paxos_files_t *real = paxos_files_posix();
    return real->flush_directory(real->context, real_path(m, path, room));
}

paxos_files_t mirror_files(mirror_t *m, disk_t *disk, const char *root) {
    memset(m, 0, sizeof *m);
    m->disk = disk;
    m->model = disk_files(disk);
    m->root = root;
    for (int i = 0; i < DISK_FILES; i++) { m->real[i] = -1; }
    const paxos_files_t files = {
        .context = m,
        .open = mirror_open,
        .lock = mirror_lock,
        .close = mirror_close,
        .size = mirror_size,
        .read = mirror_read,
        .write = mirror_write,
        .flush = mirror_flush,
        .make_directory = mirror_make_directory,
        .rename = mirror_rename,
        .flush_directory = mirror_flush_directory,
    };
    return files;
}

/* One file, page by page; how many were others. */
static int64_t settle(mirror_t *m, int file) {
    const paxos_files_t *real = paxos_files_posix();
    const disk_file_t *from = &m->disk->files[file];
    uint8_t page[MIRROR_PAGE_BYTES];
    int64_t changed = 0;
    for (uint64_t at = 0; at < from->size; at += MIRROR_PAGE_BYTES) {
        const uint64_t rest = from->size - at;
        const size_t length = rest < MIRROR_PAGE_BYTES ? (size_t)rest : MIRROR_PAGE_BYTES;
        const int64_t count = real->read(real->context, m->real[file], page, length, at);
        if (count == (int64_t)length && memcmp(page, from->seen + at, length) == 0) { continue; }
        if (copy(m, file, at, length) < 0) { return -1; }
        changed += 1;
    }
    return changed;
}

int64_t mirror_settle(mirror_t *m) {
    const paxos_files_t *real = paxos_files_posix();
    char room[MIRROR_PATH_BYTES];
    int64_t changed = 0;
    for (int i = 0; i < DISK_FILES; i++) {
        const disk_name_t *name = &m->disk->seen[i];
        if (name->file < 0) { continue; }
        let_go(m, name->file);
        m->real[name->file] = real->open(real->context, real_path(m, name->name, room), false);
        const int64_t pages = m->real[name->file] < 0 ? -1 : settle(m, name->file);
        let_go(m, name->file);
        if (pages < 0) { return -1; }
        changed += pages;
    }
    return changed;
}
