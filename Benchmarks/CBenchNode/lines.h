/* lines.h - what the parent says: a thread reads it, because the node waits for its sockets. */
#ifndef BENCH_LINES_H
#define BENCH_LINES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench_node.h"

enum { LINE_BYTES = 128 };

typedef struct lines {
    char line[LINE_BYTES];
    atomic_bool is_full;
    atomic_bool has_ended;
    void (*wake)(void *context);
    void *context;
    pthread_t thread;
} lines_t;

/* The ports of the nodes with lower numbers, and its own if it had one before; 0 for the others.
 * One line, before anything else. */
bool lines_ports(uint16_t node, uint16_t ports[BENCH_NODES]);
bool lines_start(lines_t *lines, void (*wake)(void *context), void *context);
bool lines_take(lines_t *lines, char line[LINE_BYTES]);
bool lines_have_ended(const lines_t *lines);

#endif
