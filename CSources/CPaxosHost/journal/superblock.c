/* superblock.c - who the journal belongs to, which life this is, and the head mark. See JOURNAL.md.
 *
 * Two copies, each a sector in a page of its own. A new life is written to the older one, flushed,
 * then to the other: at every moment one can be read, and once open returned both say so. */
#include "journal.h"

#include <errno.h>
#include <string.h>

void paxos_superblock_write(const paxos_journal_t *j, uint8_t sector[SECTOR_BYTES]) {
    memset(sector, 0, SECTOR_BYTES);
    paxos_put32(sector + 8, PAXOS_JOURNAL_VERSION);
    paxos_put32(sector + 12, j->node);
    paxos_put64(sector + 16, j->cluster);
    paxos_put64(sector + 24, j->salt);
    paxos_put64(sector + 32, j->generation);
    paxos_put64(sector + 40, j->segment_bytes);
    paxos_put32(sector + 48, j->segment_count);
    paxos_put32(sector + 52, j->batch_bytes_max);
    paxos_put32(sector + 56, j->groups_max);
    paxos_put32(sector + 60, j->incarnation);
    paxos_sector_seal(sector, SUPERBLOCK_MAGIC);
}

static void take(paxos_journal_t *j, const uint8_t *sector) {
    j->node = (uint16_t)paxos_get32(sector + 12);
    j->cluster = paxos_get64(sector + 16);
    j->salt = paxos_get64(sector + 24);
    j->generation = paxos_get64(sector + 32);
    j->segment_bytes = paxos_get64(sector + 40);
    j->segment_count = paxos_get32(sector + 48);
    j->batch_bytes_max = paxos_get32(sector + 52);
    j->groups_max = paxos_get32(sector + 56);
    j->incarnation = paxos_get32(sector + 60);
}

/* A sector of the superblock file, whatever of it can be read; the rest is zeros. */
static void read_sector(paxos_journal_t *j, uint64_t offset_bytes, uint8_t sector[SECTOR_BYTES]) {
    memset(sector, 0, SECTOR_BYTES);
    for (uint32_t done = 0; done < SECTOR_BYTES;) {
        const int64_t count = j->files.read(
            j->files.context, j->superblock_file, sector + done, SECTOR_BYTES - done,
            offset_bytes + done);
        if (count == -EINTR) { continue; }
        if (count <= 0) { return; }
        done += (uint32_t)count;
    }
}

paxos_journal_status_t paxos_superblock_read(
    paxos_journal_t *j, const paxos_journal_options_t *options, const char **what) {
    uint8_t sector[SECTOR_BYTES];
    bool is_newer = false;
    *what = "superblock";
    for (uint32_t copy = 0; copy < 2; copy++) {
        read_sector(j, (uint64_t)copy * PAGE_BYTES, sector);
        if (!paxos_sector_is_sealed(sector, SUPERBLOCK_MAGIC)) { continue; }
        const uint32_t version = paxos_get32(sector + 8);
        if (version != PAXOS_JOURNAL_VERSION) { is_newer = true; }
        j->superblock_copies += 1;
        if (version == PAXOS_JOURNAL_VERSION && paxos_get64(sector + 32) > j->generation) {
            j->superblock_newest = copy;
            take(j, sector);
        }
    }
    if (is_newer) { return PAXOS_JOURNAL_ERR_VERSION; }
    if (j->superblock_copies == 0) { return PAXOS_JOURNAL_ERR_CORRUPT; }
    *what = "cluster";
    if (options->cluster != 0 && options->cluster != j->cluster) {
        return PAXOS_JOURNAL_ERR_FOREIGN;
    }
    *what = "node";
    if (options->node != 0 && options->node != j->node) { return PAXOS_JOURNAL_ERR_FOREIGN; }
    return PAXOS_JOURNAL_OK;
}

static paxos_journal_status_t write_copy(paxos_journal_t *j) {
    uint8_t sector[SECTOR_BYTES];
    j->generation += 1;
    j->superblock_newest ^= 1u;
    paxos_superblock_write(j, sector);
    const uint64_t offset_bytes = (uint64_t)j->superblock_newest * PAGE_BYTES;
    const paxos_journal_status_t status = paxos_journal_write(
        j, j->superblock_file, sector, SECTOR_BYTES, offset_bytes, "write of the superblock");
    if (status != PAXOS_JOURNAL_OK) { return status; }
    return paxos_journal_sync(j, j->superblock_file, "flush of the superblock");
}

paxos_journal_status_t paxos_superblock_raise(paxos_journal_t *j) {
    /* A copy that cannot be read may have been of the life after the other one's. */
    j->incarnation += j->superblock_copies == 2 ? 1 : 2;
    const paxos_journal_status_t status = write_copy(j);
    return status == PAXOS_JOURNAL_OK ? write_copy(j) : status;
}

paxos_journal_status_t paxos_superblock_mark(paxos_journal_t *j, uint64_t sequence) {
    uint8_t sector[SECTOR_BYTES] = {0};
    paxos_put64(sector + 8, j->salt);
    paxos_put64(sector + 16, sequence);
    paxos_sector_seal(sector, MARK_MAGIC);
    j->flushes_to_mark = FLUSHES_PER_MARK;
    return paxos_journal_write(
        j, j->superblock_file, sector, SECTOR_BYTES, MARK_OFFSET_BYTES, "write of the head mark");
}

uint64_t paxos_superblock_marked(paxos_journal_t *j) {
    uint8_t sector[SECTOR_BYTES];
    read_sector(j, MARK_OFFSET_BYTES, sector);
    if (!paxos_sector_is_sealed(sector, MARK_MAGIC) || paxos_get64(sector + 8) != j->salt) {
        return 0;
    }
    return paxos_get64(sector + 16);
}
