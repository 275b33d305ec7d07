/* paxos_journal.h - what a node must remember, on a disk: records of many groups, one flush.
 *
 * Owns     a directory of two files, locked while it is open, and memory taken once, by open.
 * Never    allocates after open, starts a thread, prints, or tries a failed write or flush again.
 * Threads  one caller at a time per journal; journals are independent of each other. Not across
 *          fork: the lock is the parent's.
 * Source   JOURNAL.md gives every byte and says why; what is given back after a power cut is what
 *          Alagappan et al., "Protocol-Aware Recovery" (FAST 2018) ask for.
 *
 * The host's duties:
 *   1. format a directory once in a node's life, never to bring one back that is lost.
 *   2. open, and give each group's replica the incarnation and the group's first lsn (`journal_lsn`
 *      of its configuration). read until the end: each record to its group's paxos_replica_recover.
 *      Then paxos_replica_recovered with the group's acknowledged lsn: all was flushed by open.
 *   3. append the records that come out as WRITE effects, in their order. flush; then say flushed
 *      to every group, for its last lsn appended.
 *   4. After PAXOS_JOURNAL_ERR_SYSTEM the journal is done: stop the node, open again.
 *   5. trim groups, and say so (paxos_journal_trim), or the journal fills.
 *   6. To bring members back that were away for long: tell each replica what is retained, and
 *      answer its FETCH effects with fetch. */
#ifndef PAXOS_JOURNAL_H
#define PAXOS_JOURNAL_H

#include "paxos.h"
#include "paxos_files.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PAXOS_JOURNAL_VERSION 1u

/* Limits of a shape. Every loop is bounded by one of them. */
#define PAXOS_JOURNAL_PATH_BYTES_MAX 3072u
#define PAXOS_JOURNAL_SEGMENTS_MIN 3u
#define PAXOS_JOURNAL_SEGMENTS_MAX 4096u
#define PAXOS_JOURNAL_SEGMENT_BYTES_MAX ((uint64_t)1 << 30)
#define PAXOS_JOURNAL_BATCH_BYTES_MIN 8192u
#define PAXOS_JOURNAL_BATCH_BYTES_MAX (64u << 20)
#define PAXOS_JOURNAL_GROUPS_MAX (1u << 16)

typedef enum paxos_journal_status {
    PAXOS_JOURNAL_OK = 0,
    PAXOS_JOURNAL_END = 1,          /* read, fetch: there is no more                            */
    PAXOS_JOURNAL_ERR_SYSTEM = -1,  /* the system refused something: see the fault; final       */
    PAXOS_JOURNAL_ERR_LOCKED = -2,  /* another process has it open                              */
    PAXOS_JOURNAL_ERR_MISSING = -3, /* nothing was formatted there, or a file of it is gone     */
    PAXOS_JOURNAL_ERR_EXISTS = -4,  /* format: something is there already                       */
    PAXOS_JOURNAL_ERR_VERSION = -5, /* written by a version that this one does not know         */
    PAXOS_JOURNAL_ERR_FOREIGN = -6, /* of another cluster or node                               */
    PAXOS_JOURNAL_ERR_CORRUPT = -7, /* neither copy of the superblock can be read               */
    PAXOS_JOURNAL_ERR_SHAPE = -8,   /* an argument breaks a rule: see the fault                 */
    PAXOS_JOURNAL_ERR_BUSY = -9,    /* append: flush first, the batch has no room for the record */
    PAXOS_JOURNAL_ERR_FULL = -10,   /* append: every segment is needed: flush, trim, then again */
    PAXOS_JOURNAL_ERR_TOO_LARGE = -11, /* append: over the largest batch                          */
    PAXOS_JOURNAL_ERR_GROUPS = -12, /* append: over the number of groups                        */
    PAXOS_JOURNAL_ERR_RECORD = -13, /* append: not a whole record, or not the group's next      */
    PAXOS_JOURNAL_ERR_STATE = -14,  /* the call does not fit: not read to the end, or read-only */
    PAXOS_JOURNAL_ERR_GONE = -15    /* fetch: what is chosen in the slot cannot be read back    */
} paxos_journal_status_t;

/* A status in plain words. Thread: any. */
const char *paxos_journal_words(paxos_journal_status_t status);

/* What went wrong, for a person; `what` is a text that stays. */
typedef struct paxos_journal_fault {
    int error; /* errno, or 0 */
    const char *what;
} paxos_journal_fault_t;

/* Who the directory belongs to, and its size: segments * segment bytes, all of it taken by format.
 * 0 means the default. A good size is two segments and, for each group, four times its arena or
 * 4096 bytes for each slot of its window, whichever is more. */
typedef struct paxos_journal_shape {
    uint32_t size_bytes; /* sizeof(paxos_journal_shape_t)                                  */
    uint16_t node;
    uint16_t zero;
    uint64_t cluster;
    uint64_t segment_bytes;   /* a multiple of 4096; default 16 MiB                        */
    uint32_t segment_count;   /* default 8                                                 */
    uint32_t batch_bytes_max; /* what one flush writes at most; holds the largest record;
                               * a multiple of 4096; default 2 MiB                         */
    uint32_t groups_max;      /* default 64                                                */
    uint32_t zero2;
} paxos_journal_shape_t;

/* Make a journal in `directory`, which is made, too, if it is missing; its parent exists.
 * files  NULL: paxos_files_posix. fault may be NULL.
 * Post  PAXOS_JOURNAL_OK  there is an empty journal, durable; its node was never started.
 *       ERR_EXISTS        a journal, or a file of one, is there, as it was.
 *       ERR_SHAPE, ERR_LOCKED, ERR_SYSTEM  nothing was made, and no journal that was there changed;
 *                         format may be tried again, as it may after a crash: what was half made
 *                         is made anew.
 * Cost  writes the whole size once: zeros that were written are flushed over sooner. */
PAXOS_MUST_USE paxos_journal_status_t paxos_journal_format(
    const paxos_files_t *files, const char *directory, const paxos_journal_shape_t *shape,
    paxos_journal_fault_t *fault);

typedef struct paxos_journal paxos_journal_t;

typedef struct paxos_journal_options {
    uint32_t size_bytes; /* sizeof(paxos_journal_options_t)                                 */
    uint16_t node;       /* who opens it; 0: whoever it belongs to                          */
    uint16_t zero;
    uint64_t cluster;      /* 0: any                                                          */
    uint32_t is_read_only; /* 1: look, and change nothing, not even the incarnation          */
    uint32_t zero2;
} paxos_journal_options_t;

/* Open a journal: lock it, raise the incarnation durably, look at the newest segment, drop a torn
 * tail, and make what is left durable.
 * Post  PAXOS_JOURNAL_OK  *journal_out; read it to its end before anything is appended.
 *       ERR_MISSING, ERR_LOCKED, ERR_VERSION, ERR_FOREIGN, ERR_CORRUPT, ERR_SYSTEM  *journal_out
 *       is NULL; the records are as they were.
 * Damage is no error here: the groups it may have hit are told so, and read counts it.
 * Cost  reads the newest segment twice, the one behind it, and a page of each; more only where the
 *       first table of the newest segment is damaged. Writes as much as one flush can. */
PAXOS_MUST_USE paxos_journal_status_t paxos_journal_open(
    const paxos_files_t *files, const char *directory, const paxos_journal_options_t *options,
    paxos_journal_t **journal_out, paxos_journal_fault_t *fault);

/* Unlock and forget; what was appended since the last flush is dropped. NULL is allowed. */
void paxos_journal_close(paxos_journal_t *journal);

/* What a group's replica must be told before its records. */
typedef struct paxos_journal_group {
    uint32_t size_bytes; /* set by the caller */
    uint32_t group;
    uint64_t first_lsn;        /* journal_lsn of paxos_config_t                                  */
    uint64_t last_lsn;         /* of the last record that is known of                            */
    uint64_t acknowledged_lsn; /* for recovered: last_lsn, or UINT64_MAX: votes may be lost       */
} paxos_journal_group_t;

/* A group that the journal may never have heard of: then first is 1 and last 0. Cost O(1). */
void paxos_journal_group(
    const paxos_journal_t *journal, uint32_t group, paxos_journal_group_t *group_out);

/* The groups that it has records of, by index from 0 on; false: there are no more. Cost O(1). */
PAXOS_MUST_USE bool paxos_journal_group_at(
    const paxos_journal_t *journal, uint32_t index, paxos_journal_group_t *group_out);

typedef struct paxos_journal_record {
    uint32_t size_bytes; /* set by the caller */
    uint32_t group;
    uint64_t lsn;
    uint64_t segment; /* where it stands, for a person */
    uint64_t offset_bytes;
    const uint8_t *body; /* until the next call */
    uint32_t body_bytes;
    uint32_t is_damaged; /* 1: of a batch that is not whole; give it back all the same */
    uint8_t header[PAXOS_FRAME_HEADER_BYTES];
} paxos_journal_record_t;

/* The next record of any group, each group's in the order of their lsn. Where older ones were
 * recycled, a MARK stands for them. All of them are vouched for, so that `state` says 0.
 * Post  PAXOS_JOURNAL_OK, PAXOS_JOURNAL_END, or ERR_SYSTEM: start over.
 * Cost  O(record); all of them: each byte that is in use is read and looked at once. */
PAXOS_MUST_USE paxos_journal_status_t
paxos_journal_read(paxos_journal_t *journal, paxos_journal_record_t *record);

/* Take one record, as a WRITE effect has it; copied.
 * Post  PAXOS_JOURNAL_OK  it is written with the next flush.
 *       ERR_BUSY, ERR_FULL, ERR_TOO_LARGE, ERR_GROUPS, ERR_RECORD, ERR_STATE  nothing changed.
 *       ERR_SYSTEM        an earlier call failed for good.
 * Cost  O(body), no system call. */
PAXOS_MUST_USE paxos_journal_status_t paxos_journal_append(
    paxos_journal_t *journal, const uint8_t *header, size_t header_bytes, const uint8_t *body,
    size_t body_bytes);

/* Make everything appended durable: one write, one flush.
 * Post  PAXOS_JOURNAL_OK  it is.
 *       ERR_SYSTEM        it may be or not. The journal says so from now on: a flush that failed is
 *                         never tried again, because the next one could claim what is not there.
 * Cost  O(bytes), blocks for the disk; now and then it prepares a part of the next segment. */
PAXOS_MUST_USE paxos_journal_status_t paxos_journal_flush(paxos_journal_t *journal);

/* The group's replica has trimmed up to `slot`: its status says `trimmed`. Its next record will say
 * so as well, but a group may be silent for long, and hold a segment for all the others.
 * Cost O(1). */
void paxos_journal_trim(paxos_journal_t *journal, uint32_t group, uint64_t slot);

/* Room is short, and the group's records hold the oldest segment: up to this slot its replica is to
 * be pressed (paxos_replica_press), and then trimmed. 0: there is room, or the group holds nothing.
 * Room is short when no segment is free behind the newest, and half of that is in use.
 * Cost O(1). */
uint64_t paxos_journal_pressed(const paxos_journal_t *journal, uint32_t group);

/* The first slot of a group from which on what was trimmed can be read back, for the replica's
 * retain. It rises within flush, when segments are recycled, and within a fetch that says GONE.
 * Cost O(1). */
uint64_t paxos_journal_retained(const paxos_journal_t *journal, uint32_t group);

/* Read back the chosen entries of the slots from `slot` on, up to count_max of them (from 1) and
 * out_bytes_max bytes, one behind the other as a FETCH effect wants them. They are verified as
 * after a restart, and are those that WIRE.md calls vouched for: chosen, whatever was accepted
 * before.
 * Post  PAXOS_JOURNAL_OK  *count_out (from 1) entries, *bytes_out bytes.
 *       ERR_BUSY          it is further on than may be looked for at once: call again.
 *       END               nothing that is durable vouches for it yet; ask again later.
 *       ERR_GONE          nothing here has it; paxos_journal_retained says what there is.
 *       ERR_TOO_LARGE     the first entry alone is over out_bytes_max.
 *       ERR_STATE         not read to the end yet, or opened to look only.
 *       ERR_SYSTEM        an earlier call failed for good.
 * Cost  O(bytes brought), and a few batches more, where it goes on behind one of the last 16
 *       answers; otherwise it reads up to 4 MiB to find the slot. */
PAXOS_MUST_USE paxos_journal_status_t paxos_journal_fetch(
    paxos_journal_t *journal, uint32_t group, uint64_t slot, uint32_t count_max, uint8_t *out,
    size_t out_bytes_max, uint32_t *count_out, size_t *bytes_out);

#define PAXOS_JOURNAL_DAMAGES_MAX 16u

/* A stretch of the journal that is not what was written. */
typedef struct paxos_journal_damage {
    uint64_t segment;
    uint64_t offset_bytes; /* in the segment */
    uint64_t length_bytes;
} paxos_journal_damage_t;

typedef struct paxos_journal_report {
    uint32_t size_bytes; /* set by the caller */
    uint32_t incarnation;
    uint64_t cluster;
    uint32_t node;
    uint32_t version;
    uint64_t segment_bytes;
    uint32_t segment_count;
    uint32_t segments_used;
    uint32_t batch_bytes_max;
    uint32_t groups_max;
    uint32_t group_count;
    uint32_t superblock_copies; /* readable ones when it was opened: 2 if all is well */

    /* What open found. */
    uint64_t open_ns;
    uint64_t torn_bytes;      /* of a tail that was never acknowledged: dropped             */
    uint32_t has_fallen_back; /* 1: it ends before what it says was durable                 */

    /* What open and read found; complete at the end of reading. */
    uint32_t unreadable_pages;
    uint64_t batches_found;
    uint64_t records_found;
    uint64_t bytes_read;
    uint64_t damages; /* stretches; the first PAXOS_JOURNAL_DAMAGES_MAX are named    */
    paxos_journal_damage_t damage[PAXOS_JOURNAL_DAMAGES_MAX];

    /* Since then. */
    uint64_t records_appended;
    uint64_t bytes_written;
    uint64_t flushes;
    uint64_t recycled; /* segments                                                        */
    uint64_t oldest_segment;
    uint64_t newest_segment;
    uint64_t free_bytes; /* until a segment must be recycled                               */
    uint32_t is_held;    /* 1: `held_by` is a group whose records hold the oldest segment;
                          * known at the end of reading                                    */
    uint32_t held_by;
    uint64_t held_slot; /* up to which it would have to be trimmed                        */
    paxos_journal_fault_t fault; /* of ERR_SYSTEM */
} paxos_journal_report_t;

/* Cost O(groups). */
void paxos_journal_report(const paxos_journal_t *journal, paxos_journal_report_t *report);

#ifdef __cplusplus
}
#endif
#endif
