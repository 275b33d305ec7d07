/* batch.c - what one flush writes: header, records, directory, checksums, header. See JOURNAL.md.
 *
 * The checksum of every sector tells a batch that was never written whole from one that was and is
 * damaged: the place was zeroed before, so a sector is as written, or zeros, or damaged. */
#include "journal.h"

#include <string.h>

#include "paxos/hot_frame.h"

static uint64_t round_up(uint64_t bytes, uint64_t unit) {
    return (bytes + unit - 1) / unit * unit;
}

/* Where the directory begins: in a sector without records, so that no sector holds both copies of a
 * record's header. */
static uint64_t directory_offset(uint64_t records_bytes) {
    return SECTOR_BYTES + round_up(records_bytes, SECTOR_BYTES);
}

static uint64_t index_bytes(uint64_t records_bytes, uint64_t count) {
    const uint64_t sectors = round_up(records_bytes, SECTOR_BYTES) / SECTOR_BYTES;
    return count * PAXOS_FRAME_HEADER_BYTES + sectors * 4;
}

uint64_t paxos_batch_bytes(uint64_t records_bytes, uint64_t count) {
    const uint64_t end = directory_offset(records_bytes) + index_bytes(records_bytes, count);
    return round_up(round_up(end, SECTOR_BYTES) + SECTOR_BYTES, PAGE_BYTES);
}

void paxos_sector_seal(uint8_t *sector, uint32_t magic) {
    paxos_put32(sector + 4, magic);
    paxos_put32(sector, paxos_crc32c(0, sector + 4, SECTOR_BYTES - 4));
}

bool paxos_sector_is_sealed(const uint8_t *sector, uint32_t magic) {
    return paxos_get32(sector + 4) == magic &&
           paxos_get32(sector) == paxos_crc32c(0, sector + 4, SECTOR_BYTES - 4);
}

static void header_put(
    const paxos_journal_t *j, uint8_t *sector, uint32_t magic, const batch_t *batch) {
    memset(sector, 0, SECTOR_BYTES);
    paxos_put64(sector + 8, j->salt);
    paxos_put64(sector + 16, batch->sequence);
    paxos_put64(sector + 24, batch->flushed);
    paxos_put64(sector + 32, batch->segment);
    paxos_put64(sector + 40, batch->oldest);
    paxos_put32(sector + 48, batch->page);
    paxos_put32(sector + 52, batch->pages);
    paxos_put32(sector + 56, batch->kind);
    paxos_put32(sector + 60, batch->count);
    paxos_put32(sector + 64, batch->records_bytes);
    paxos_put32(sector + 68, batch->index_checksum);
    paxos_put32(sector + 72, batch->incarnation);
    paxos_put32(sector + 76, batch->flags);
    paxos_sector_seal(sector, magic);
}

bool paxos_batch_header_get(
    const paxos_journal_t *j, const uint8_t *sector, uint32_t magic, batch_t *batch) {
    if (!paxos_sector_is_sealed(sector, magic) || paxos_get64(sector + 8) != j->salt) {
        return false;
    }
    batch->sequence = paxos_get64(sector + 16);
    batch->flushed = paxos_get64(sector + 24);
    batch->segment = paxos_get64(sector + 32);
    batch->oldest = paxos_get64(sector + 40);
    batch->page = paxos_get32(sector + 48);
    batch->pages = paxos_get32(sector + 52);
    batch->kind = paxos_get32(sector + 56);
    batch->count = paxos_get32(sector + 60);
    batch->records_bytes = paxos_get32(sector + 64);
    batch->index_checksum = paxos_get32(sector + 68);
    batch->incarnation = paxos_get32(sector + 72);
    batch->flags = paxos_get32(sector + 76);
    const uint64_t end_bytes = ((uint64_t)batch->page + batch->pages) * PAGE_BYTES;
    const uint64_t bytes_max = batch->kind == BATCH_TABLE ? j->table_bytes_max : j->batch_bytes_max;
    return (batch->kind == BATCH_TABLE || batch->kind == BATCH_RECORDS) &&
           (uint64_t)batch->pages * PAGE_BYTES <= bytes_max && end_bytes <= j->segment_bytes &&
           (uint64_t)batch->pages * PAGE_BYTES ==
               paxos_batch_bytes(batch->records_bytes, batch->count);
}

void paxos_batch_finish(const paxos_journal_t *j, uint8_t *bytes, batch_t *batch) {
    const uint64_t directory = directory_offset(batch->records_bytes);
    const uint64_t total = paxos_batch_bytes(batch->records_bytes, batch->count);
    memset(
        bytes + SECTOR_BYTES + batch->records_bytes, 0,
        total - SECTOR_BYTES - batch->records_bytes);
    uint8_t *at = bytes + directory;
    const uint8_t *record = bytes + SECTOR_BYTES;
    for (uint32_t i = 0; i < batch->count; i++) {
        memcpy(at, record, PAXOS_FRAME_HEADER_BYTES);
        record += PAXOS_FRAME_HEADER_BYTES + paxos_get32(record + 36);
        at += PAXOS_FRAME_HEADER_BYTES;
    }
    for (uint64_t sector = SECTOR_BYTES; sector < directory; sector += SECTOR_BYTES) {
        paxos_put32(at, paxos_crc32c(0, bytes + sector, SECTOR_BYTES));
        at += 4;
    }
    batch->index_checksum =
        paxos_crc32c(0, bytes + directory, index_bytes(batch->records_bytes, batch->count));
    batch->pages = (uint32_t)(total / PAGE_BYTES);
    header_put(j, bytes, BATCH_HEAD_MAGIC, batch);
    header_put(j, bytes + total - SECTOR_BYTES, BATCH_TAIL_MAGIC, batch);
}

/* Of a sector that is not as written: it is missing, or else damaged. */
static batch_state_t state_of(const uint8_t *sector) {
    return paxos_journal_is_zero(sector, SECTOR_BYTES) ? BATCH_TORN : BATCH_DAMAGED;
}

static batch_state_t worse(batch_state_t a, batch_state_t b) {
    return a > b ? a : b;
}

static batch_state_t check_header(
    const paxos_journal_t *j, const uint8_t *sector, uint32_t magic, const batch_t *batch) {
    batch_t found;
    if (!paxos_batch_header_get(j, sector, magic, &found)) { return state_of(sector); }
    return found.sequence == batch->sequence && found.incarnation == batch->incarnation
               ? BATCH_WHOLE
               : BATCH_DAMAGED;
}

batch_state_t paxos_batch_check(
    const paxos_journal_t *j, const uint8_t *bytes, const batch_t *batch) {
    const uint64_t directory = directory_offset(batch->records_bytes);
    const uint64_t index_length = index_bytes(batch->records_bytes, batch->count);
    const uint64_t total = (uint64_t)batch->pages * PAGE_BYTES;
    batch_state_t state = worse(
        check_header(j, bytes, BATCH_HEAD_MAGIC, batch),
        check_header(j, bytes + total - SECTOR_BYTES, BATCH_TAIL_MAGIC, batch));
    if (paxos_crc32c(0, bytes + directory, index_length) != batch->index_checksum) {
        /* One of its sectors is not as written; if none is missing, it is damaged. */
        batch_state_t index = BATCH_DAMAGED;
        for (uint64_t at = directory; at < directory + index_length; at += SECTOR_BYTES) {
            if (paxos_journal_is_zero(bytes + at, SECTOR_BYTES)) { index = BATCH_TORN; }
        }
        return worse(state, index);
    }
    const uint8_t *checksum = bytes + directory + (uint64_t)batch->count * PAXOS_FRAME_HEADER_BYTES;
    for (uint64_t at = SECTOR_BYTES; at < directory; at += SECTOR_BYTES) {
        if (paxos_crc32c(0, bytes + at, SECTOR_BYTES) != paxos_get32(checksum)) {
            state = worse(state, state_of(bytes + at));
        }
        checksum += 4;
    }
    return state;
}

bool paxos_record_is_whole(const paxos_journal_t *j, const uint8_t *header) {
    return paxos_get32(header) == paxos_header_checksum(header) &&
           (paxos_get32(header + 4) & 0xFFFFFFu) ==
               (PAXOS_FRAME_MAGIC | PAXOS_WIRE_VERSION << 16) &&
           header[7] >= PAXOS_RECORD_PROMISED && header[7] <= PAXOS_RECORD_MARK &&
           paxos_get64(header + 8) == j->cluster && paxos_get16(header + 24) == j->node &&
           paxos_get16(header + 26) == j->node && paxos_get32(header + 36) % 8 == 0 &&
           paxos_get64(header + 64) != 0 && paxos_get64(header + 64) < PAXOS_SLOT_MAX;
}

const uint8_t *paxos_batch_record(
    const paxos_journal_t *j, const cursor_t *cursor, uint32_t number, uint64_t offset_bytes,
    uint64_t *next_out) {
    const batch_t *batch = &cursor->batch;
    const uint64_t end = SECTOR_BYTES + (uint64_t)batch->records_bytes;
    const uint8_t *copies[2] = {
        cursor->bytes + offset_bytes, cursor->bytes + directory_offset(batch->records_bytes) +
                                          (uint64_t)number * PAXOS_FRAME_HEADER_BYTES};
    for (uint32_t i = 0; i < 2; i++) {
        if (i == 0 && offset_bytes + PAXOS_FRAME_HEADER_BYTES > end) { continue; }
        const uint64_t next = offset_bytes + PAXOS_FRAME_HEADER_BYTES + paxos_get32(copies[i] + 36);
        /* In a batch that is whole, what append looked at is what is read. */
        const bool is_readable = cursor->is_whole || paxos_record_is_whole(j, copies[i]);
        if (!is_readable || next > end) { continue; }
        *next_out = next;
        return copies[i];
    }
    return NULL;
}

void paxos_record_seal(uint8_t *header) {
    paxos_put32(header, paxos_header_checksum(header));
}

void paxos_record_to_mark(uint8_t *header) {
    header[7] = PAXOS_RECORD_MARK;
    paxos_put16(header + 30, 0);
    paxos_put64(header + 32, 0); /* count and body_bytes */
    paxos_put64(header + 40, 0); /* ballot */
    paxos_put64(header + 48, 0); /* slot */
    paxos_put64(header + 72, 0); /* digest */
    paxos_record_seal(header);
}
