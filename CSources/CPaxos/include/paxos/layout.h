/* layout.h - the block: structs of fixed layout and the one place that finds them in its bytes.
 *
 *   acceptor state | replica state (replicas only) | members | sends | cells | replies | writes
 *   | peers | proposals | forwards (replicas only) | arena
 *
 * Offsets, never pointers, so that a block may be copied, mapped, compared or written to a file.
 * Internal to the library: hosts see these structs by name only, and sizes through config.h.
 *
 * The arena is a ring of runs. A position counts bytes since init and never wraps; its place in the
 * ring is position modulo arena_bytes. Each run starts with 16 bytes (u64 first slot, u32 count,
 * u32 bytes of the run) and is followed by its entries, which is what makes the ring walkable:
 * an entry is live if the cell of its slot still points at it.
 * Threads  the block's caller. */
#ifndef PAXOS_LAYOUT_H
#define PAXOS_LAYOUT_H

#include "paxos/base.h"
#include "paxos/config.h"
#include "paxos/hot_frame.h"

#if defined(__clang__)
#pragma clang assume_nonnull begin /* for Swift: these pointers need no checks */
#endif

/* What a block was made as: its first word. */
#define PAXOS_BLOCK_ACCEPTOR 0x41585044u   /* "DPXA" */
#define PAXOS_BLOCK_REPLICA 0x52585044u    /* "DPXR" */
#define PAXOS_BLOCK_RECOVERING 0x20000000u /* added while the journal is still to be given back */
#define PAXOS_RUN_HEADER_BYTES 16u
#define PAXOS_POSITION_NONE UINT64_MAX

/* What this node knows of one slot. The cell of slot s is cells[s & (window_slots - 1)] and speaks
 * of s only if its `slot` says so: an older number means that s is empty. */
typedef struct paxos_cell {
    uint64_t ballot;   /* accepted ballot; 0: none (a learned entry has none of its own) */
    uint64_t position; /* of the entry in the arena */
    uint64_t slot;
    uint32_t bytes;  /* of the entry, padding included */
    uint16_t state;  /* paxos_run_state */
    uint16_t behind; /* so many slots before this one stand right before it in the arena */
} paxos_cell_t;

/* A reply that waits for its flush, or for its poll. */
typedef struct paxos_reply {
    uint64_t lsn; /* may leave when this is flushed */
    uint64_t ballot;
    uint64_t slot; /* for PROMISE and LEARNED: the cursor of the next page */
    uint64_t digest;
    uint64_t other;
    uint32_t count; /* for LEARNED: slots still wanted */
    uint16_t member;
    uint16_t state;
    uint8_t kind;
    uint8_t pages; /* pages that may still go out for this request */
    uint8_t zero[14];
} paxos_reply_t;

/* A journal record that waits for its poll or its flush. */
typedef struct paxos_write {
    uint64_t lsn;
    uint64_t ballot;
    uint64_t slot;
    uint64_t position;
    uint64_t digest;
    uint32_t bytes;
    uint32_t count;
    uint64_t
        watermark; /* decided when it was noted: what this and older records hold up to there */
    uint8_t kind;
    uint8_t zero[7];
} paxos_write_t;

typedef struct paxos_member {
    uint64_t sends_polled; /* sends with a body handed out ... */
    uint64_t sends_done;   /* ... and said to be sent: what is between is pinned */
    uint32_t incarnation;  /* last seen; 0: never heard of */
    uint16_t node;
    uint16_t zero;
    uint64_t heartbeat_round; /* to be answered */
} paxos_member_t;

/* Counts of what went wrong or was refused: never part of the protocol's state. */
typedef struct paxos_counters {
    uint64_t frames;      /* received, well-formed, ours   */
    uint64_t wire;        /* refused: malformed            */
    uint64_t foreign;     /* refused: not for this node    */
    uint64_t stale;       /* refused: lower ballot         */
    uint64_t conflict;    /* refused: other bytes, same ballot and slot */
    uint64_t full;        /* refused: window or arena full */
    uint64_t busy;        /* refused: no room for the reply */
    uint64_t compactions; /* of the arena                  */
} paxos_counters_t;

struct paxos_acceptor {
    uint32_t magic; /* PAXOS_BLOCK_... */
    uint32_t zero;
    uint64_t block_bytes;
    /* identity and limits: fixed at init */
    uint64_t cluster;
    uint64_t fingerprint; /* of the agreed configuration */
    uint32_t group;
    uint32_t incarnation;
    uint16_t node;
    uint16_t member_count;
    uint16_t self_index; /* index of this node among the members */
    uint16_t q1;
    uint16_t q2;
    uint16_t memory_only;
    uint32_t window_slots;
    uint32_t value_bytes_max;
    uint32_t body_bytes_max; /* of a frame */
    uint32_t run_bytes_max;  /* of a run that is extended, header included */
    uint32_t reserve_bytes;  /* kept free for the lowest gap */
    uint32_t arena_bytes;
    uint32_t reply_ring;
    uint32_t write_ring;
    uint32_t send_ring;
    uint32_t is_replica;
    /* offsets from the start of the block */
    uint32_t members_offset;
    uint32_t sends_offset;
    uint32_t cells_offset;
    uint32_t replies_offset;
    uint32_t writes_offset;
    uint32_t peers_offset;
    uint32_t proposals_offset;
    uint32_t forwards_offset;
    uint32_t arena_offset;
    uint32_t abstains;      /* 1: what this node promised and accepted is lost: it votes no more */
    uint32_t chooses_early; /* 1: a leader's vote and one's own are a quorum, and count at once */
    /* protocol state */
    uint64_t promised;
    uint64_t decided;       /* every slot up to it is chosen and held, or trimmed */
    uint64_t trimmed;       /* no slot up to it is held */
    uint64_t last_slot;     /* no slot above it was ever accepted or learned */
    uint64_t unknown_from;  /* slots from here ... */
    uint64_t unknown_to;    /* ... to here that hold nothing may have held something: their records
                               * were damaged; 0: none */
    uint64_t commit_ballot; /* the last commit mark heard ... */
    uint64_t commit_slot;   /* ... covers slots of that ballot up to here */
    uint64_t stable;        /* leader's word: every member it waits for has decided up to it */
    uint64_t following;     /* ballot of the live leader this node follows; 0: none */
    uint64_t quorum;        /* 1: connected to a quorum, for heartbeat replies */
    uint64_t heartbeats_owed; /* members whose heartbeat awaits an answer, a bit each */
    uint64_t room_owed;       /* members whose Accepts found no room, to be told of some */
    /* arena */
    uint64_t arena_head;
    uint64_t arena_tail;
    uint64_t open_run;    /* position of the run that may be extended, or none: its header is
                             * behind until it is closed ... */
    uint64_t open_end;    /* ... where its entries end ... */
    uint64_t open_slot;   /* ... the slot that would extend it ... */
    uint64_t open_limit;  /* ... how far its entries may reach; 0: nowhere ... */
    uint64_t open_count;  /* ... and how many slots it has */
    uint64_t pinned_from; /* lowest position that forwards not yet sent need, or none */
    /* durability */
    uint64_t lsn;          /* last given out */
    uint64_t flushed;      /* last said to be durable */
    uint64_t mark;         /* durable commit mark: after a restart, decided is no lower */
    uint64_t marked;       /* the same, noted but maybe not durable yet */
    uint64_t damaged_lsn;  /* recovering: the last record's, if its entries were not whole ... */
    uint64_t damaged_from; /* ... and the slots that it was about */
    uint64_t damaged_to;
    uint64_t damaged_promise; /* ... and the promise that it told of */
    uint64_t applied;         /* what the host has safely applied, by its last word */
    uint64_t retained;        /* first slot that the host's journal still brings; 0: none */
    uint64_t replies_in;
    uint64_t replies_out;
    uint64_t writes_in;
    uint64_t writes_polled;
    uint64_t writes_out;
    paxos_counters_t counters;
    /* Of the header of the last ACCEPT that went the long way and was taken: who sent it, to whom,
     * in which life. A header with the same words was verified so far already. */
    uint64_t usual_nodes;  /* its word at 24: sender, receiver, flags; 0: there was none ... */
    uint64_t usual_life;   /* ... its word at 16: group, the sender's incarnation ...         */
    uint32_t usual_member; /* ... and who that is                                             */
    uint8_t zero_tail[PAXOS_ACCEPTOR_STATE_BYTES - 508u];
};
typedef struct paxos_acceptor paxos_acceptor_t;

/* What a replica knows of one member. */
typedef struct paxos_peer {
    uint64_t heard_ns;       /* when a frame of it last came                               */
    uint64_t decided;        /* its decided watermark, or what its host has applied        */
    uint64_t told;           /* leader: the watermark last told to it                      */
    uint64_t next_slot;      /* leader: the next slot to send to it                        */
    uint64_t stuck_slot;     /* leader: lowest slot without its vote, candidate: its cursor, at
                                the last look                                              */
    uint64_t cursor;         /* candidate: every slot below was reported by it; leader: the
                              * first heartbeat round of this leadership                   */
    uint64_t unknown_from;   /* candidate: it cannot vouch for slots from here on; 0: none */
    uint64_t round;          /* last heartbeat round it answered                           */
    uint64_t following;      /* ballot of the live leader that it says it follows          */
    uint64_t promised;       /* highest ballot that it named                               */
    uint64_t forward_number; /* highest number of a forward of its incarnation             */
    uint64_t refused_number; /* first number of the refusal that is owed to it             */
    uint32_t forward_incarnation;
    uint32_t refused_count;
    uint16_t refused_reason;
    uint16_t owed;     /* frames owed to it: PAXOS_OWED_*                            */
    uint32_t abstains; /* 1: it said that it votes no more                           */
    uint64_t refused_ballot;
    uint64_t learn_ns; /* when slots were last asked of it                           */
} paxos_peer_t;

enum paxos_owed {
    PAXOS_OWED_PREPARE = 1,
    PAXOS_OWED_HEARTBEAT = 2,
    PAXOS_OWED_COMMIT = 4,
    PAXOS_OWED_LEARN = 8,
    PAXOS_OWED_REFUSED = 16,
    PAXOS_PEER_COMPLETE = 32 /* not a frame: its promise has been read to the end */
};

/* What a candidate or leader knows of one slot, beside its own cell. */
typedef struct paxos_proposal {
    uint64_t best_ballot;   /* candidate: highest ballot reported; leader: unused        */
    uint64_t best_position; /* candidate: that entry in the arena, or the cell's own     */
    uint64_t digest_before; /* leader: sum of the digest terms before this slot          */
    uint32_t best_bytes;
    uint32_t votes; /* leader: who accepted; candidate: whose answer is unknown  */
} paxos_proposal_t;

/* A run of this node's proposals on the way to a leader. */
typedef struct paxos_forward {
    uint64_t ballot; /* meant for this leadership only */
    uint64_t number; /* first of the run */
    uint64_t position;
    uint64_t deadline_ns; /* unknown from then on */
    uint64_t digest;
    uint32_t count;
    uint32_t bytes;
} paxos_forward_t;

enum paxos_role { PAXOS_ROLE_FOLLOWER = 0, PAXOS_ROLE_CANDIDATE = 1, PAXOS_ROLE_LEADER = 2 };

struct paxos_replica {
    struct paxos_acceptor acceptor;
    /* limits: fixed at init */
    uint64_t election_timeout_ns;
    uint64_t inflight_bytes_max;
    uint32_t pipeline_slots;
    uint32_t forward_ring;
    /* time and chance */
    uint64_t now_ns;
    uint64_t random;
    uint64_t round;        /* of heartbeats */
    uint64_t round_ns;     /* when the next one starts */
    uint64_t campaign_ns;  /* when to try to lead; none: PAXOS_POSITION_NONE */
    uint64_t retry_ns;     /* candidate: when to ask again, leader: when to look at silence */
    uint64_t attempt_ns;   /* candidate: when the attempt has failed */
    uint64_t flush_ns;     /* when the oldest write was first seen waiting ... */
    uint64_t flush_mark;   /* ... and which one that was */
    uint64_t overtaken_ns; /* leader: since when a peer has named a higher promise; or none */
    /* leadership */
    uint32_t role;
    uint32_t attempts;      /* campaigns in a row that failed */
    uint64_t ballot;        /* candidate's or leader's own */
    uint64_t promise_lsn;   /* candidate: Prepare may leave when this is flushed */
    uint64_t leader_ballot; /* highest ballot that was seen to lead */
    uint64_t leader_heard_ns;
    uint64_t first_slot;   /* of this leadership: phase 1 covers it and all above */
    uint64_t next_slot;    /* leader: where the next proposal goes */
    uint64_t high_slot;    /* candidate: highest slot reported to hold anything */
    uint64_t digest_total; /* leader: sum of the digest terms of all slots before next_slot */
    uint64_t trimmed_to;   /* some peer has trimmed up to it: who has decided less cannot lead */
    uint64_t behind_to;    /* some peer cannot bring slots up to it ... */
    uint64_t learned_to;   /* up to where an answer said that more follows, and was asked on */
    uint64_t asked_slot;   /* the first slot that was asked for, and is not overdue yet ... */
    uint64_t asked_ns;     /* ... since then; 0: none */
    /* the host's side of the log */
    uint64_t delivered;
    uint64_t number;         /* last given to a proposal of this node */
    uint64_t lost_first;     /* outcome owed: proposals from here ... */
    uint64_t lost_last;      /* ... to here are unknown; 0: none owed */
    uint64_t refused_number; /* outcome owed: first refused ... */
    uint32_t refused_count;  /* ... and how many */
    uint16_t refused_reason;
    uint16_t refused_node;
    uint64_t forwards_in;
    uint64_t forwards_polled;
    uint64_t forwards_out;
    uint32_t alive; /* members heard of within an election timeout, a bit each */
    uint32_t manual_elections;
    uint32_t active;     /* peers that may have something to be sent, a bit each */
    uint32_t every_peer; /* a bit for each member but this one */
    uint64_t stalls;     /* 1: a write has been waiting for its flush for an election timeout */
    uint32_t gone;       /* ... which these said when last asked, a bit each */
    uint32_t serving;    /* the member that said so, plus 1, as long as it is to be asked on */
    uint32_t asked_of;   /* the member that was asked last */
    /* leader: a member that journals bring back, and that is held on to */
    uint32_t hold_rounds; /* since hold_mark changed */
    uint64_t hold_to;     /* no proposals beyond this slot; none: PAXOS_POSITION_NONE */
    uint64_t hold_mark;   /* what that member had decided when this round began, or none */
    uint8_t zero_tail[PAXOS_REPLICA_STATE_BYTES - 344u];
};
typedef struct paxos_replica paxos_replica_t;

PAXOS_STATIC_ASSERT(sizeof(paxos_acceptor_t) == PAXOS_ACCEPTOR_STATE_BYTES, "acceptor state");
PAXOS_STATIC_ASSERT(
    sizeof(paxos_replica_t) == PAXOS_ACCEPTOR_STATE_BYTES + PAXOS_REPLICA_STATE_BYTES,
    "replica state");
PAXOS_STATIC_ASSERT(sizeof(paxos_member_t) == PAXOS_MEMBER_STATE_BYTES, "member state");
PAXOS_STATIC_ASSERT(sizeof(paxos_cell_t) == PAXOS_CELL_BYTES, "cell");
PAXOS_STATIC_ASSERT(sizeof(paxos_reply_t) == PAXOS_REPLY_BYTES, "reply");
PAXOS_STATIC_ASSERT(sizeof(paxos_write_t) == PAXOS_WRITE_BYTES, "write");
PAXOS_STATIC_ASSERT(sizeof(paxos_peer_t) == PAXOS_PEER_STATE_BYTES, "peer state");
PAXOS_STATIC_ASSERT(sizeof(paxos_proposal_t) == PAXOS_PROPOSAL_BYTES, "proposal");
PAXOS_STATIC_ASSERT(sizeof(paxos_forward_t) == PAXOS_FORWARD_BYTES, "forward");

/*@ axiomatic Block {
      // The typed arrays that stand in a block, by their first elements.
      logic paxos_cell_t *paxos_cells(paxos_acceptor_t *a);
      logic paxos_write_t *paxos_writes(paxos_acceptor_t *a);
      logic paxos_member_t *paxos_member_array(paxos_acceptor_t *a);
      logic uint8_t *paxos_arena_bytes(paxos_acceptor_t *a);

      // Place of a number in a ring of n: the remainder, of which only this is ever needed.
      logic integer paxos_ring(integer number, integer n);
      axiom paxos_ring_range: \forall integer i, n; 0 < n ==> 0 <= paxos_ring(i, n) < n;
      axiom paxos_ring_apart: \forall integer i, j, n;
          0 < n && -n < i - j < n && paxos_ring(i, n) == paxos_ring(j, n) ==> i == j;
      axiom paxos_ring_along: \forall integer i, d, n;
          0 <= d && paxos_ring(i, n) + d < n ==> paxos_ring(i + d, n) == paxos_ring(i, n) + d;
    }

    // A block as init lays it out: its parts are there and do not overlap.
    predicate paxos_block{L}(paxos_acceptor_t *a) =
        0 < a->window_slots <= PAXOS_WINDOW_SLOTS_MAX && 0 < a->write_ring <= PAXOS_RING_MAX &&
        0 < a->member_count <= PAXOS_MEMBERS_MAX && 0 < a->arena_bytes <= PAXOS_ARENA_BYTES_MAX &&
        \valid(a) && \valid(paxos_cells(a) + (0 .. a->window_slots - 1)) &&
        \valid(paxos_writes(a) + (0 .. a->write_ring - 1)) &&
        \valid(paxos_member_array(a) + (0 .. a->member_count - 1)) &&
        \valid(paxos_arena_bytes(a) + (0 .. a->arena_bytes - 1)) &&
        \separated(
            a, paxos_cells(a) + (0 .. a->window_slots - 1),
            paxos_writes(a) + (0 .. a->write_ring - 1),
            paxos_member_array(a) + (0 .. a->member_count - 1),
            paxos_arena_bytes(a) + (0 .. a->arena_bytes - 1));

    // What is the caller's does not overlap it.
    predicate paxos_outside{L}(paxos_acceptor_t *a, char *p, integer bytes) =
        \separated(p + (0 .. bytes - 1), a) &&
        \separated(p + (0 .. bytes - 1), paxos_cells(a) + (0 .. a->window_slots - 1)) &&
        \separated(p + (0 .. bytes - 1), paxos_writes(a) + (0 .. a->write_ring - 1)) &&
        \separated(p + (0 .. bytes - 1), paxos_member_array(a) + (0 .. a->member_count - 1)) &&
        \separated(p + (0 .. bytes - 1), paxos_arena_bytes(a) + (0 .. a->arena_bytes - 1));

    logic paxos_cell_t *paxos_cell_of{L}(paxos_acceptor_t *a, integer slot) =
        paxos_cells(a) + paxos_ring(slot, a->window_slots);
    logic paxos_write_t *paxos_write_of{L}(paxos_acceptor_t *a, integer index) =
        paxos_writes(a) + paxos_ring(index, a->write_ring);
    logic uint8_t *paxos_arena_at{L}(paxos_acceptor_t *a, integer position) =
        paxos_arena_bytes(a) + paxos_ring(position, a->arena_bytes);

    // Every cell names bytes within the arena.
    predicate paxos_cells_named{L}(paxos_acceptor_t *a) =
        \forall integer k; 0 <= k < a->window_slots ==>
            paxos_ring(paxos_cells(a)[k].position, a->arena_bytes) + paxos_cells(a)[k].bytes <=
            a->arena_bytes; */

/* The only casts from bytes to structs. Pre: the block came from init. Cost O(1). A prover takes
 * their contracts for granted; Tests/Proofs/accessors.c holds the code to them. */
#if defined(__FRAMAC__)

/*@ requires paxos_block(a);
    assigns \nothing;
    ensures \result == paxos_member_array(a); */
paxos_member_t *paxos_members(const paxos_acceptor_t *a);

/*@ requires paxos_block(a);
    assigns \nothing;
    ensures \result == paxos_cell_of(a, slot); */
paxos_cell_t *paxos_cell(const paxos_acceptor_t *a, uint64_t slot);

/*@ requires paxos_block(a);
    assigns \nothing;
    ensures \result == paxos_write_of(a, index); */
paxos_write_t *paxos_write(const paxos_acceptor_t *a, uint64_t index);

/*@ requires paxos_block(a);
    assigns \nothing;
    ensures \result == paxos_arena_at(a, position); */
uint8_t *paxos_arena(const paxos_acceptor_t *a, uint64_t position);

/*@ requires paxos_block(a);
    assigns \nothing;
    ensures \result == paxos_ring(position, a->arena_bytes) && \result <= position;
    ensures paxos_ring(position + (a->arena_bytes - \result), a->arena_bytes) == 0; */
uint32_t paxos_arena_place(const paxos_acceptor_t *a, uint64_t position);

uint64_t *paxos_sends(const paxos_acceptor_t *a, uint32_t member);
paxos_reply_t *paxos_reply(const paxos_acceptor_t *a, uint64_t index);
uint64_t paxos_arena_offset(const paxos_acceptor_t *a, uint64_t position);
paxos_peer_t *paxos_peer(const paxos_replica_t *r, uint32_t member);
paxos_proposal_t *paxos_proposal(const paxos_acceptor_t *a, uint64_t slot);
paxos_forward_t *paxos_forward(const paxos_replica_t *r, uint64_t index);

#else

PAXOS_HOT static inline paxos_member_t *paxos_members(const paxos_acceptor_t *a) {
    return (paxos_member_t *)(void *)((uint8_t *)(uintptr_t)a + a->members_offset);
}

PAXOS_HOT static inline uint64_t *paxos_sends(const paxos_acceptor_t *a, uint32_t member) {
    return (uint64_t *)(void *)((uint8_t *)(uintptr_t)a + a->sends_offset) +
           (size_t)member * a->send_ring;
}

PAXOS_HOT static inline paxos_cell_t *paxos_cell(const paxos_acceptor_t *a, uint64_t slot) {
    return (paxos_cell_t *)(void *)((uint8_t *)(uintptr_t)a + a->cells_offset) +
           (slot & (a->window_slots - 1u));
}

PAXOS_HOT static inline paxos_reply_t *paxos_reply(const paxos_acceptor_t *a, uint64_t index) {
    return (paxos_reply_t *)(void *)((uint8_t *)(uintptr_t)a + a->replies_offset) +
           (index & (a->reply_ring - 1u));
}

PAXOS_HOT static inline paxos_write_t *paxos_write(const paxos_acceptor_t *a, uint64_t index) {
    return (paxos_write_t *)(void *)((uint8_t *)(uintptr_t)a + a->writes_offset) +
           (index & (a->write_ring - 1u));
}

/* Place of a position in the ring of the arena. */
PAXOS_HOT static inline uint32_t paxos_arena_place(const paxos_acceptor_t *a, uint64_t position) {
    return (uint32_t)(position & (a->arena_bytes - 1u));
}

/* The same, from the start of the block. */
PAXOS_HOT static inline uint64_t paxos_arena_offset(const paxos_acceptor_t *a, uint64_t position) {
    return a->arena_offset + (position & (a->arena_bytes - 1u));
}

PAXOS_HOT static inline uint8_t *paxos_arena(const paxos_acceptor_t *a, uint64_t position) {
    return (uint8_t *)(uintptr_t)a + paxos_arena_offset(a, position);
}

PAXOS_HOT static inline paxos_peer_t *paxos_peer(const paxos_replica_t *r, uint32_t member) {
    return (paxos_peer_t *)(void *)((uint8_t *)(uintptr_t)r + r->acceptor.peers_offset) + member;
}

PAXOS_HOT static inline paxos_proposal_t *paxos_proposal(const paxos_acceptor_t *a, uint64_t slot) {
    return (paxos_proposal_t *)(void *)((uint8_t *)(uintptr_t)a + a->proposals_offset) +
           (slot & (a->window_slots - 1u));
}

PAXOS_HOT static inline paxos_forward_t *paxos_forward(const paxos_replica_t *r, uint64_t index) {
    return (paxos_forward_t *)(void *)((uint8_t *)(uintptr_t)r + r->acceptor.forwards_offset) +
           (index & (r->forward_ring - 1u));
}

#endif

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
