/* host.h - what the files of the runtime share. Internal. */
#ifndef PAXOS_RUNTIME_HOST_H
#define PAXOS_RUNTIME_HOST_H

#include <stdatomic.h>

#include "paxos_runtime.h"

#if defined(__cplusplus)
#error "internal to the runtime, which is C"
#endif

/* A record that came out of a replica and is not in the journal yet. Its body is in the block. */
typedef struct paxos_record {
    uint64_t lsn;
    uint64_t body_offset;
    uint32_t body_bytes;
    uint32_t zero;
    uint8_t header[PAXOS_FRAME_HEADER_BYTES];
} paxos_record_t;

typedef struct paxos_host_group {
    paxos_replica_t *replica;
    uint8_t *block;
    uint32_t number;
    uint32_t window_slots;
    uint32_t record_mask;    /* of a ring as long as the replica's write_ring: it never overflows */
    paxos_record_t *records; /* NULL: memory-only */
    uint64_t records_in;
    uint64_t records_out;
    uint64_t appended_lsn; /* last one in the journal ... */
    uint64_t flushed_lsn;  /* ... and last one said to be durable */
    uint64_t deadline_ns;  /* when it wants its next tick */
    uint64_t applied;      /* what the program said to be safe ... */
    uint64_t trimmed;      /* ... and what the replica could forget of it */
    uint16_t leader;
    uint16_t leader_told;
    bool has_log; /* next has something of it */
    bool is_due;  /* a call may have left effects */
} paxos_host_group_t;

/* Questions of members that wait for their turn: so many at most, of all groups. */
enum { PAXOS_HOST_FETCHES = 32 };

typedef struct paxos_host_fetch {
    paxos_effect_t effect;
    uint32_t group; /* its number */
    bool is_wanted;
} paxos_host_fetch_t;

struct paxos_host {
    paxos_transport_t *transport; /* NULL: stopped */
    paxos_journal_t *journal;     /* NULL: memory-only */
    uint64_t now_ns;
    uint64_t spin_ns;
    uint32_t group_count;
    uint32_t cursor;   /* the group that next looks at first */
    uint32_t to_send;  /* frames queued since they were last handed to the system */
    uint32_t to_flush; /* records in the journal since its last flush */
    int alarm;         /* an eventfd: what wake writes to */
    bool is_keyed;
    bool is_within_a_call; /* that works on files: their functions may not call back */
    bool is_due;           /* some group is */
    bool has_link;         /* `link` is an event that next has not given yet */
    bool has_told;         /* poll has returned for news that next has not taken to the end */
    _Atomic bool is_woken;
    bool has_frame; /* `frame` found no room, and may when the program has taken what is there */
    paxos_transport_event_t link;
    paxos_transport_frame_t frame;
    paxos_host_report_t report;
    paxos_host_fetch_t fetches[PAXOS_HOST_FETCHES];
    uint32_t wanted;     /* of them */
    uint32_t next_fetch; /* the last one that had its turn */
    uint8_t *fetched;    /* room for the entries of the largest frame */
    uint8_t *memory;
    paxos_host_group_t groups[];
};

/* options.c: whether a rule is broken; the fault says which. `runs`: those of open, too. */
bool paxos_host_breaks_rule(
    const paxos_host_options_t *options, bool runs, paxos_host_fault_t *fault);
/* The configuration of one group as it runs. */
void paxos_host_configure(
    const paxos_host_options_t *options, uint32_t index, uint32_t incarnation, uint64_t journal_lsn,
    paxos_config_t *config);
void paxos_host_connect(
    const paxos_host_options_t *options, uint32_t incarnation, paxos_transport_options_t *to);

/* How large a journal of such segments should be for the groups, as JOURNAL.md says. */
uint64_t paxos_host_journal_bytes_good(const paxos_host_options_t *options, uint64_t segment_bytes);

/* recover.c: blocks, journal, and what it holds. */
paxos_host_status_t paxos_host_recover(
    paxos_host_t *host, const paxos_host_options_t *options, paxos_host_fault_t *fault);

/* effects.c: false: the host has stopped. */
bool paxos_host_settle(paxos_host_t *host, bool tells); /* until nothing is due but, if `tells`,
                                                           what may wait for the program's turn */
void paxos_host_touch(paxos_host_t *host, paxos_host_group_t *group); /* it may be due */

/* fetch.c */
void paxos_host_want(/* a member asks for what was trimmed */
                     paxos_host_t *host, const paxos_host_group_t *group,
                     const paxos_effect_t *effect);
void paxos_host_fetch(paxos_host_t *host); /* answer one of them, if any asks */
/* Tell a replica what the journal still brings. */
void paxos_host_retain(paxos_host_t *host, const paxos_host_group_t *group);

/* words.c */
paxos_host_status_t paxos_host_blame(
    paxos_host_fault_t *fault, paxos_host_status_t status, int32_t detail, uint32_t group,
    const char *what);
paxos_host_status_t paxos_host_blame_journal(
    paxos_host_fault_t *fault, paxos_journal_status_t status, const paxos_journal_fault_t *from);

/* open.c */
paxos_host_group_t *paxos_host_find(const paxos_host_t *host, uint32_t number);
void paxos_host_stop(paxos_host_t *host); /* the fault says why */

#endif
