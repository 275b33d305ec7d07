/* paxos_runtime.h - a node that runs: replicas of any number of groups, one journal, one transport.
 *
 * Owns     the replicas' blocks, the journal and its lock, the sockets, an eventfd, and memory
 *          taken once, by open.
 * Never    allocates after open, starts a thread, installs a handler, prints, raises SIGPIPE, sends
 *          a vote that is not durable, or tries a failed write or flush again.
 * Threads  one caller at a time per host; hosts are independent of each other. paxos_host_wake
 *          alone is for any thread, and for signal handlers. Not across fork.
 *
 * The program's loop:
 *   1. format the directory once in the node's life; open in each life.
 *   2. poll; then next until it says false: apply what was delivered, resolve what was proposed.
 *   3. propose; the outcome comes out of next.
 *   4. trim what the state machine has made safe, or window and journal fill and everybody waits.
 *   5. When poll says anything but OK the node has stopped for good: close, and open again.
 *
 * poll alone moves anything: whoever stays away from it for an election timeout is taken for dead
 * by the others. next alone hands out what was decided: whoever does not call it holds the log
 * back, while heartbeats, votes and writes go on as long as the window has room.
 *
 * Room. A leader with pipeline_slots as large as window_slots can fill the windows of members whose
 * state machines lag a little, who then refuse what they must be sent again: half is a good part.
 *
 * Members that fall silent. A leader waits for three eighths of its election timeout for one that
 * does not answer before its log goes on without: with a full window everybody waits for so long,
 * once. A connection that breaks for less costs nothing but what has to be sent again.
 *
 * Members that were away. What was trimmed stays in the journal until its room is needed, and who
 * comes back gets it from there, one answer a turn. So segment_count says how long a member may be
 * away; one that lacks more finds behind_to in its replica's status, and needs a copy of the state.
 * When the last segment is half full, groups whose records hold the first one do not wait for
 * silent members any longer. Nothing helps where a group has no quorum, or a program does not trim:
 * its records hold the segment, the journal fills, and all groups wait; the report names it.
 *
 * Stalled disks. The flush blocks, and poll with it. A node whose flush takes longer than an
 * election timeout answers nobody meanwhile; the others elect another leader, and it comes back as
 * a follower when the disk does. Nothing that it said is in danger: an unflushed vote was never
 * sent. */
#ifndef PAXOS_RUNTIME_H
#define PAXOS_RUNTIME_H

#include "paxos.h"
#include "paxos/entry.h"
#include "paxos_files.h"
#include "paxos_journal.h"
#include "paxos_transport.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PAXOS_HOST_GROUPS_MAX PAXOS_JOURNAL_GROUPS_MAX

typedef enum paxos_host_status {
    PAXOS_HOST_OK = 0,
    PAXOS_HOST_ERR_OPTIONS = -1,   /* an option breaks a rule: see the fault                      */
    PAXOS_HOST_ERR_SYSTEM = -2,    /* the system refused memory or a descriptor                   */
    PAXOS_HOST_ERR_JOURNAL = -3,   /* fault.detail is a paxos_journal_status_t; in poll: the disk */
    PAXOS_HOST_ERR_TRANSPORT = -4, /* fault.detail is a paxos_transport_status_t                  */
    PAXOS_HOST_ERR_REPLICA = -5    /* fault.detail is a paxos_status_t, of fault.group            */
} paxos_host_status_t;

/* A status in plain words. Thread: any. */
const char *paxos_host_words(paxos_host_status_t status);

/* What went wrong, for a person; `what` is a text that stays. */
typedef struct paxos_host_fault {
    int32_t status; /* paxos_host_status_t */
    int32_t detail; /* the status of the room that refused; 0: it was this one */
    int32_t error;  /* errno, or 0 */
    uint32_t group; /* number of the group that it is about, where it is about one */
    const char *what;
} paxos_host_fault_t;

/* Texts, configurations and key are read by format and open, and not kept; `files` is kept. */
typedef struct paxos_host_options {
    uint32_t size_bytes;  /* sizeof(paxos_host_options_t)                                      */
    uint32_t group_count; /* 1 to PAXOS_HOST_GROUPS_MAX                                        */
    /* In ascending order of `group`; all of one cluster and node; all durable or all memory-only,
     * because a node that comes back under its number must have forgotten nothing. Set by open:
     * incarnation, journal_lsn, and seed where it is 0. */
    const paxos_config_t *groups;
    /* How far each group's state machine is durable: deliveries begin behind it. NULL: zeros. */
    const uint64_t *applied_slots;
    const char *directory; /* of the journal; NULL if and only if the groups are memory-only  */
    const paxos_files_t *files; /* NULL: paxos_files_posix                                       */
    uint64_t segment_bytes;     /* format; 0: what fits the groups, as JOURNAL.md says            */
    uint32_t segment_count;     /* format; 0: likewise                                            */
    uint32_t zero;
    /* How long poll looks, giving way to other threads, before it sleeps: sleeping costs tens of
     * microseconds a message, looking costs a processor. 0: it sleeps at once. */
    uint64_t spin_ns;
    /* listen, peers, peer_count, security, key; times and sizes, 0 for the default. Set by open:
     * size_bytes, node, cluster, incarnation, frame_bytes_max. Members of every group are peers. */
    paxos_transport_options_t transport;
} paxos_host_options_t;

/* Make the journal of a durable node, once in its life; never to bring one back that is lost.
 * Reads groups, directory, files, segment_bytes, segment_count. fault may be NULL.
 * Post  PAXOS_HOST_OK  an empty journal with room for the groups, durable.
 *       ERR_OPTIONS    nothing was done.
 *       ERR_JOURNAL    as paxos_journal_format says.
 * Cost  writes the whole size once. */
PAXOS_MUST_USE paxos_host_status_t
paxos_host_format(const paxos_host_options_t *options, paxos_host_fault_t *fault);

typedef struct paxos_host paxos_host_t;

/* Begin a life: lock the journal and give it back to the replicas, listen, begin to dial.
 * Post  PAXOS_HOST_OK  *host_out.
 *       otherwise      *host_out is NULL, nothing is left open; a durable node's incarnation may
 *                      have been raised. fault may be NULL.
 * Cost  as paxos_journal_open, plus O(bytes) of what it holds; the report says how long it took.
 *       Memory: blocks of all groups, queues of all peers, taken as zero pages. */
PAXOS_MUST_USE paxos_host_status_t paxos_host_open(
    const paxos_host_options_t *options, paxos_host_t **host_out, paxos_host_fault_t *fault);

/* Close everything; what was not flushed yet was never answered. NULL is allowed. */
void paxos_host_close(paxos_host_t *host);

/* Receive, tick, send, write, flush, until nothing is due; then wait. One flush covers what all
 * groups wrote, and frames that need not wait for it leave before.
 * Returns when there is something for next, after wake, or after timeout_ns. For what it returned
 * once it does not return again before next has said false: a program may take it later. A leader
 * with a journal tells the others what is decided when poll is called again, with what the program
 * has proposed by then.
 * Post  PAXOS_HOST_OK
 *       otherwise  the node has stopped, for good: its connections are closed, no later call sends
 *                  or writes anything, and each later poll says the same. What was under way has an
 *                  unknown outcome. See the report.
 * Cost  O(frames and records), blocks for the disk. */
PAXOS_MUST_USE paxos_host_status_t paxos_host_poll(paxos_host_t *host, uint64_t timeout_ns);

/* For a program with a loop of its own: wait until the descriptor is readable or until the deadline
 * (of paxos_host_clock_ns; 0: at once), whichever comes first, then poll with timeout 0. Never read
 * from the descriptor. -1: the node has stopped. Cost of the deadline: O(groups + peers). */
int paxos_host_fd(const paxos_host_t *host);
uint64_t paxos_host_deadline(const paxos_host_t *host);

/* Make a poll that waits return, or the next one not wait. Thread: any; signal handlers, too; not
 * once close has begun. */
void paxos_host_wake(paxos_host_t *host);

enum paxos_host_event_kind {
    PAXOS_HOST_DELIVERED =
        1,                  /* group, slot, count, entries: decided, in order, each once a life  */
    PAXOS_HOST_OUTCOME = 2, /* group, number, count, reason, node: proposals of this node that
                               * were refused or, PAXOS_REASON_LOST, whose outcome is unknown: it
                               * may have been delivered before, or may be later                  */
    PAXOS_HOST_LEADER = 3,  /* group, node: who leads now as far as is known; 0: nobody         */
    PAXOS_HOST_LINK = 4     /* node, is_up, reason, error: as paxos_transport_event_t           */
};

typedef struct paxos_host_event {
    uint32_t
        size_bytes;  /* set by the caller                                                      */
    uint32_t kind;   /* paxos_host_event_kind; what it does not name above is 0                */
    uint32_t group;  /* its number                                                             */
    uint32_t count;  /* DELIVERED: entries; OUTCOME: proposals                                 */
    uint64_t slot;   /* DELIVERED: of the first                                                */
    uint64_t number; /* OUTCOME: of the first                                                  */
    const uint8_t
        *entries; /* one behind the other: paxos/entry.h reads them                      */
    uint32_t entries_bytes;
    uint16_t node;
    uint16_t
        reason; /* OUTCOME: paxos_reason; LINK: paxos_transport_reason_t                      */
    int32_t error;
    uint16_t is_up;
    uint16_t zero;
} paxos_host_event_t;

/* The next event; false: there is none now. A proposal of this node is decided when its entry (this
 * node, this incarnation, its number) is delivered. Entries stand where the replica keeps them, not
 * copied: they are valid until the next call on the host that is not next, status or report.
 * A leader that changed twice in between is told of once; of links, at most the last
 * PAXOS_TRANSPORT_EVENTS_MAX events are kept. Nothing else is ever left out.
 * Cost  O(1), amortized over entries; no system call. */
PAXOS_MUST_USE bool paxos_host_next(paxos_host_t *host, paxos_host_event_t *event);

/* Propose a value; it leaves with the next poll.
 * Post  as paxos_replica_propose, and
 *       PAXOS_ERR_RANGE    no such group, or no value.
 *       PAXOS_ERR_CORRUPT  the node has stopped. */
PAXOS_MUST_USE paxos_status_t paxos_host_propose(
    paxos_host_t *host, uint32_t group, const uint8_t *value, size_t value_bytes,
    uint64_t *number_out);

/* The state machine is safe up to `slot`, of those delivered: replica and journal may forget.
 * As paxos_replica_trim; PAXOS_ERR_RANGE also for no such group. */
PAXOS_MUST_USE paxos_status_t paxos_host_trim(paxos_host_t *host, uint32_t group, uint64_t slot);

/* Try to lead now. As paxos_replica_campaign; PAXOS_ERR_RANGE: no such group. */
PAXOS_MUST_USE paxos_status_t paxos_host_campaign(paxos_host_t *host, uint32_t group);

/* What a group's replica says of itself. False: no such group.
 * Pre  status->size_bytes is that of this version. */
PAXOS_MUST_USE bool paxos_host_replica_status(
    const paxos_host_t *host, uint32_t group, paxos_replica_status_t *status);

typedef struct paxos_host_report {
    uint32_t
        size_bytes; /* set by the caller                                                      */
    uint32_t incarnation;
    uint16_t node;
    uint16_t
        port; /* that is listened on; 0: none, or the node has stopped                        */
    uint32_t group_count;
    paxos_host_fault_t
        fault; /* why the node has stopped; status 0: it has not                    */

    /* What open gave back. */
    uint64_t recovered_records;
    uint64_t
        recovered_bytes;  /* headers and bodies                                                */
    uint64_t recovery_ns; /* from the opening of the journal on                                */

    /* Since then. */
    uint64_t
        turns; /* of poll's inner loop                                                        */
    uint64_t sleeps;
    uint64_t frames_received;
    uint64_t
        frames_unknown; /* of a group that is not here                                        */
    uint64_t frames_sent;
    uint64_t
        frames_dropped; /* there was no connection, or its queue was full                     */
    uint64_t entries_fetched; /* from the journal, for members that were away */
    uint64_t records_written;
    uint64_t flushes;
    uint64_t flush_ns; /* in all                                                               */
    uint64_t
        flush_ns_max; /* the longest                                                          */

    /* Records that wait because the journal is full; 0: none does. Then group held_by holds the
     * oldest segment, and it takes a trim of that group up to held_slot to free it, here or, if it
     * was trimmed here, at the members that are behind. */
    uint32_t records_waiting;
    uint32_t held_by;
    uint64_t held_slot;
    uint64_t full_since_ns;

    /* Size of the journal, and what JOURNAL.md calls a good one for these groups; 0: there is none.
     * A smaller one works as long as members keep up. It may fill for good where one does not: say
     * so to whoever operates the node. */
    uint64_t journal_bytes;
    uint64_t journal_bytes_good;
} paxos_host_report_t;

/* Pre  report->size_bytes is that of this version.
 * Cost O(groups). */
void paxos_host_report(const paxos_host_t *host, paxos_host_report_t *report);

/* For their reports, and nothing else. NULL: a memory-only node has no journal, one that has
 * stopped no transport. */
const paxos_journal_t *paxos_host_journal(const paxos_host_t *host);
const paxos_transport_t *paxos_host_transport(const paxos_host_t *host);

#ifdef __cplusplus
}
#endif
#endif
