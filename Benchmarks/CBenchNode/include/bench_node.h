/* bench_node.h - processes that a benchmark starts: a node of a cluster, or one of three that do
 * nothing but send, receive and flush. Each is told what to do by lines on its standard input,
 * answers in lines on its standard output, and ends with its input.
 *
 *   node   "ports P1 P2 P3" connect        -> "ready LEADER" when it follows one
 *          "load CLIENTS SPAN_NS"          -> "done COMMITS SPAN_NS P50 P99 P999 LOST GAP", ns
 *          "sum"                           -> "done SLOT COMMANDS DOUBLES DIGEST" of all that was
 *                                             delivered, up to the slot; with elections only, more
 *                                             than the slot
 *          "level SLOT"                    -> "done SLOTS SPAN_NS" when it has delivered that
 *                                             one: how many since it was opened, in what time
 *          "recovery"                      -> "done SPAN_NS RECORDS BYTES RECYCLED": of the journal
 *   raw    "ports P1 P2 P3"                -> "ready"
 *          "turn OUT BACK SPAN_NS SPIN"    -> "done TURNS SPAN_NS"; a round trip to node 2
 *          "stream BYTES SPAN_NS"          -> "done BYTES SPAN_NS"; to both others
 *          "flush BYTES SPAN_NS"           -> "done FLUSHES SPAN_NS"; of its own, all three flush
 *
 * Both say "port P" first. Threads: one call a process. */
#ifndef BENCH_NODE_H
#define BENCH_NODE_H

#include <stdint.h>

enum { BENCH_NODES = 3 };

typedef struct bench_node {
    uint16_t node; /* 1 to 3; 1 leads */
    uint16_t is_durable;
    uint32_t value_bytes;
    uint64_t spin_ns;
    uint64_t election_timeout_ns; /* 0: no elections, node 1 leads */
    uint64_t journal_bytes;       /* 0: what fits */
    const char *directory;        /* its own, below one that was made before */
} bench_node_t;

/* Run until the input ends; 0, or 1 after words on standard error. */
int bench_node_serve(const bench_node_t *how);
int bench_raw_serve(const bench_node_t *how);

#endif
