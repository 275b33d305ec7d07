/* journal.h - inside the journal: its state, its layout, and what its parts say to each other.
 *
 * JOURNAL.md gives every byte. Sources: format.c (a directory is made), superblock.c (who it is
 * of), batch.c (what one flush writes), walk.c (from batch to batch, over damage), scan.c (what a
 * restart finds), read.c (records given back), append.c, flush.c, recycle.c, retain.c and fetch.c
 * (what was trimmed, read back), journal.c (the rest).
 * Threads  the journal's caller. */
#ifndef JOURNAL_H
#define JOURNAL_H

#include "../include/paxos_host.h"
#include "../include/paxos_journal.h"
#include "paxos/bytes.h"
#include "paxos/crc32c.h"

/* What a disk writes whole or not at all, and what may share a fate with what is beside it. */
#define SECTOR_BYTES 512u
#define PAGE_BYTES 4096u

#define BATCH_HEAD_MAGIC 0x424A5850u /* "PXJB" */
#define BATCH_TAIL_MAGIC 0x544A5850u /* "PXJT" */
#define SUPERBLOCK_MAGIC 0x534A5850u /* "PXJS" */
#define MARK_MAGIC 0x4D4A5850u       /* "PXJM" */

#define SUPERBLOCK_FILE_BYTES (3u * PAGE_BYTES)
#define MARK_OFFSET_BYTES (2u * PAGE_BYTES)

/* The head mark is written, without a flush of its own, after so many flushes. */
#define FLUSHES_PER_MARK 64u
/* The next segment is zeroed ahead in pieces, one for every so many bytes appended. */
#define ZERO_PIECE_BYTES (128u << 10)
#define APPENDED_PER_PIECE_BYTES (64u << 10)

enum { BATCH_TABLE = 1, BATCH_RECORDS = 2 };

/* The fields of a batch's header, which stands in its first and in its last sector. */
typedef struct batch {
    uint64_t sequence; /* counts batches from 1 without a gap            */
    uint64_t flushed;  /* this batch and all before it were durable then */
    uint64_t segment;  /* counts segments from 1 without a gap           */
    uint64_t oldest;   /* segment that the journal started with then     */
    uint32_t page;     /* where in the segment, in pages                 */
    uint32_t pages;
    uint32_t kind;
    uint32_t count; /* of records */
    uint32_t records_bytes;
    uint32_t index_checksum; /* of directory and sector checksums */
    uint32_t incarnation;
    uint32_t flags; /* BATCH_UNSURE */
} batch_t;

/* A table's flag: groups that it does not name may have had records, which were lost. */
enum { BATCH_UNSURE = 1 };

/* What became of a batch that was written. TORN: a sector of it is missing and none is damaged. */
typedef enum batch_state { BATCH_WHOLE, BATCH_TORN, BATCH_DAMAGED } batch_state_t;

typedef struct group {
    uint32_t group;
    bool is_unsure; /* records of it may be lost that nothing later tells of */
    uint64_t first_lsn;
    uint64_t last_lsn;
    uint64_t given_lsn;   /* read has come so far */
    uint64_t wanted_trim; /* by paxos_journal_trim */
    /* What can be read back of what was trimmed: see retain.c. */
    uint64_t retained_from; /* slots from here ... */
    uint64_t retained_to;   /* ... to here */
    uint64_t highest;       /* slot that any record named */
    uint64_t noted_lsn;     /* the last record that this counts in */
    /* The last durable record as a MARK: all that must survive when the records are recycled. */
    uint8_t row[PAXOS_FRAME_HEADER_BYTES];
} group_t;

/* A place in the journal, and what was seen on the way to it. */
typedef struct cursor {
    uint64_t segment;
    uint64_t offset_bytes;
    uint64_t sequence; /* of the last batch */
    uint32_t incarnation;
    uint32_t found; /* enum found of the last step */
    batch_t batch;
    const uint8_t *bytes;  /* of the batch */
    uint64_t start_bytes;  /* where the batch, or the stretch that is lost, begins ... */
    uint64_t length_bytes; /* ... and how long it is */
    uint64_t start_segment;
    uint64_t from_segment; /* behind the last batch */
    uint64_t from_bytes;
    bool is_whole;
    bool has_fallen_back; /* the journal ends before what was durable */
} cursor_t;

enum found { FOUND_END, FOUND_BATCH, FOUND_LOST };

/* Where a fetch may go on: in front of the batch that has the first record of a slot. */
typedef struct place {
    uint64_t slot; /* 0: none */
    uint32_t index;
    bool is_search; /* the slot was not found yet, from its segment's start on up to here */
    uint64_t segment;
    uint64_t offset_bytes;
    uint64_t sequence; /* of the batch in front of it */
} place_t;

/* Twice as many as one host asks for at a time (paxos_runtime), so that no search is forgotten over
 * those of others: it would begin anew for ever. */
enum { FETCH_PLACES = 64 };

/* LOOKED: read to its end, and only that. */
enum phase { PHASE_READING, PHASE_READY, PHASE_LOOKED, PHASE_FAILED };

struct paxos_journal {
    paxos_files_t files;
    int superblock_file;
    int journal_file;
    bool is_read_only;
    bool is_within_a_call; /* that works on files: the host's functions may not call back */
    uint32_t phase;
    paxos_journal_fault_t fault;

    /* The superblock. */
    uint64_t cluster;
    uint64_t salt;
    uint64_t generation;
    uint64_t segment_bytes;
    uint32_t segment_count;
    uint32_t batch_bytes_max;
    uint32_t groups_max;
    uint32_t incarnation;
    uint16_t node;
    uint32_t superblock_copies;
    uint32_t superblock_newest; /* which copy */

    /* The head. */
    uint64_t sequence; /* of the last batch */
    uint64_t flushed;  /* durable up to this one */
    uint64_t oldest;   /* segments in use; newest 0: none yet */
    uint64_t newest;
    uint64_t offset_bytes; /* where in the newest the next batch goes */
    uint64_t zeroed_bytes; /* of the segment after the newest; what was not flushed yet included */
    uint64_t appended_bytes; /* since the last piece was zeroed */
    uint32_t flushes_to_mark;
    uint32_t table_bytes_max;

    /* The batch that is being filled: its records stand behind the room for its header. */
    uint8_t *buffer;
    uint32_t records_bytes;
    uint32_t record_count;
    uint8_t *table; /* room for a batch with a row for each group */
    uint8_t *zeros; /* ZERO_PIECE_BYTES of them */

    /* What of the file is in memory, and where: in the buffer, until all is read; then in memory of
     * its own, for what is fetched. */
    uint8_t *view;
    uint8_t *fetch_buffer;
    uint64_t view_segment;
    uint64_t view_start_bytes;
    uint64_t view_length_bytes;

    uint32_t group_count;
    uint32_t index_mask;
    group_t *groups;
    uint32_t *index; /* group id to its place in `groups` plus 1; 0: none */
    uint64_t *reach; /* [segment % segment_count][group]: the highest slot of its records there */
    uint64_t *base;  /* the same, the lowest slot of its entries there; 0: none */
    bool *is_lossy;  /* [segment % segment_count]: records there cannot be read */
    bool is_unsure;  /* a group without records may have had some */

    cursor_t cursor; /* of read */
    uint32_t next_record;
    uint64_t next_offset_bytes;
    bool is_batch_open;

    place_t places[FETCH_PLACES];
    uint32_t next_place; /* the one that is forgotten next */

    paxos_journal_report_t report;
};

/* journal.c: the first error of all is kept. */
/* A call that works on files begins; it ends with is_within_a_call false. */
void paxos_journal_enter(paxos_journal_t *j);
paxos_journal_status_t paxos_journal_fail(paxos_journal_t *j, int error, const char *what);
paxos_journal_status_t paxos_journal_write(
    paxos_journal_t *j, int file, const uint8_t *bytes, uint64_t length_bytes,
    uint64_t offset_bytes, const char *what);
paxos_journal_status_t paxos_journal_sync(paxos_journal_t *j, int file, const char *what);
/* The last write of a flush, and the flush. */
paxos_journal_status_t paxos_journal_write_durably(
    paxos_journal_t *j, const uint8_t *bytes, uint64_t length_bytes, uint64_t offset_bytes);
uint64_t paxos_journal_place(const paxos_journal_t *j, uint64_t segment);
/* Bytes of the buffer: the longest batch of any kind. */
static inline uint32_t paxos_journal_buffer_bytes(const paxos_journal_t *j) {
    return j->batch_bytes_max > j->table_bytes_max ? j->batch_bytes_max : j->table_bytes_max;
}
/* How far the records of a segment may reach: room for a table stays behind them. */
static inline uint64_t paxos_journal_limit_bytes(const paxos_journal_t *j) {
    return j->segment_bytes - j->table_bytes_max;
}
bool paxos_journal_is_zero(const uint8_t *bytes, uint64_t length_bytes);

/* Its place in `groups`, or group_count. */
uint32_t paxos_journal_find(const paxos_journal_t *j, uint32_t group);
/* Its place; a new one where there is none; group_count if there is no room. */
uint32_t paxos_journal_add(paxos_journal_t *j, uint32_t group);
uint64_t *paxos_journal_reach(const paxos_journal_t *j, uint64_t segment, uint32_t index);
uint64_t *paxos_journal_base(const paxos_journal_t *j, uint64_t segment, uint32_t index);
/* A record is durable: the group's row is it, ... */
void paxos_journal_note(paxos_journal_t *j, uint32_t index, const uint8_t *header);
/* ... and it holds its segment until its slots are trimmed. */
void paxos_journal_hold(
    paxos_journal_t *j, uint64_t segment, uint32_t index, const uint8_t *header);

/* superblock.c */
void paxos_superblock_write(const paxos_journal_t *j, uint8_t sector[SECTOR_BYTES]);
paxos_journal_status_t paxos_superblock_read(
    paxos_journal_t *j, const paxos_journal_options_t *options, const char **what);
/* A new life: the incarnation goes up, durably, in both copies. */
paxos_journal_status_t paxos_superblock_raise(paxos_journal_t *j);
/* The head mark: batches up to `sequence` are durable. */
paxos_journal_status_t paxos_superblock_mark(paxos_journal_t *j, uint64_t sequence);
uint64_t paxos_superblock_marked(paxos_journal_t *j);

/* batch.c */
/* The last that is written of a sector that says what it is: magic, and a checksum of the rest. */
void paxos_sector_seal(uint8_t *sector, uint32_t magic);
bool paxos_sector_is_sealed(const uint8_t *sector, uint32_t magic);
uint64_t paxos_batch_bytes(uint64_t records_bytes, uint64_t count);
/* Whether sizes fit each other: NULL, or the rule that is broken. */
const char *paxos_journal_shape_rule(const paxos_journal_t *j);
/* Complete a batch whose records stand in their place. */
void paxos_batch_finish(const paxos_journal_t *j, uint8_t *bytes, batch_t *batch);
bool paxos_batch_header_get(
    const paxos_journal_t *j, const uint8_t *sector, uint32_t magic, batch_t *batch);
batch_state_t paxos_batch_check(
    const paxos_journal_t *j, const uint8_t *bytes, const batch_t *batch);
/* The header of a record of the cursor's batch, from the one or the other place; NULL: neither can
 * be read. The first is at offset SECTOR_BYTES; *next_out is where the next one stands. */
const uint8_t *paxos_batch_record(
    const paxos_journal_t *j, const cursor_t *cursor, uint32_t number, uint64_t offset_bytes,
    uint64_t *next_out);
bool paxos_record_is_whole(const paxos_journal_t *j, const uint8_t *header);
/* As a MARK of the same lsn, promise, trim point and watermark. */
void paxos_record_to_mark(uint8_t *header);
void paxos_record_seal(uint8_t *header);

/* walk.c */
/* More steps than a walk through the whole journal can take. */
static inline uint64_t paxos_walk_steps_max(const paxos_journal_t *j) {
    return j->segment_bytes / PAGE_BYTES * j->segment_count * 2 + 2;
}
void paxos_journal_read_pages(
    paxos_journal_t *j, uint8_t *bytes, uint64_t length_bytes, uint64_t offset_bytes);
const uint8_t *paxos_journal_view(
    paxos_journal_t *j, uint64_t segment, uint64_t offset_bytes, uint64_t length_bytes);
void paxos_cursor_start(const paxos_journal_t *j, cursor_t *cursor, uint64_t segment);
/* The next batch, the next stretch that is lost, or the end. */
void paxos_cursor_step(paxos_journal_t *j, cursor_t *cursor);
/* Whether the cursor stands at the batch that the journal starts with. */
bool paxos_cursor_is_first(const paxos_journal_t *j, const cursor_t *cursor);
/* The first batch of the segment from the cursor on, by either of its headers. */
bool paxos_cursor_find(paxos_journal_t *j, const cursor_t *cursor, batch_t *batch);
/* Behind the last page of the segment, from the cursor on, that is not all zeros. */
uint64_t paxos_cursor_written_end(paxos_journal_t *j, const cursor_t *cursor);

/* scan.c */
paxos_journal_status_t paxos_journal_scan(paxos_journal_t *j);
/* A record is there: its group is known, and its last lsn is this one at least. */
void paxos_scan_record(paxos_journal_t *j, const uint8_t *header);

/* retain.c */
/* A record, or the row that stands for those that were recycled, is the group's next. `is_lost`: it
 * is not what was written. */
void paxos_retain_note(group_t *group, const uint8_t *header, bool is_lost);
/* What the segment has of the group cannot be read back any more. */
void paxos_retain_from(group_t *group, uint64_t slot);
/* Segments before this one are given up. */
void paxos_retain_recycle(paxos_journal_t *j, uint64_t oldest);
/* Whether a record with entries is what was written, down to the bytes of each. */
bool paxos_entries_are_whole(const uint8_t *header, const uint8_t *body);

/* recycle.c */
/* The first group that needs the segment, or group_count. */
uint32_t paxos_recycle_holder(const paxos_journal_t *j, uint64_t segment);
/* The oldest segment that is still needed, once what is wanted to be trimmed is written down. */
uint64_t paxos_recycle_oldest(const paxos_journal_t *j);
bool paxos_recycle_has_next(const paxos_journal_t *j);
paxos_journal_status_t paxos_recycle_zero_piece(paxos_journal_t *j);

#endif
