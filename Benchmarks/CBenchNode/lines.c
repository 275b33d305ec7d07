/* lines.c - what the parent says. */
#include "lines.h"

#include <stdio.h>
#include <string.h>

bool lines_ports(uint16_t node, uint16_t ports[BENCH_NODES]) {
    char line[LINE_BYTES];
    unsigned read[BENCH_NODES] = {0};
    memset(ports, 0, BENCH_NODES * sizeof ports[0]);
    if (fgets(line, sizeof line, stdin) == NULL ||
        sscanf(line, "ports %u %u %u", &read[0], &read[1], &read[2]) != BENCH_NODES) {
        return false;
    }
    for (uint16_t i = 0; i < node; i++) { ports[i] = (uint16_t)read[i]; }
    return true;
}

static void *read_lines(void *context) {
    lines_t *lines = context;
    char line[LINE_BYTES];
    while (fgets(line, sizeof line, stdin) != NULL) {
        memcpy(lines->line, line, sizeof line); /* the parent waits for an answer to each */
        atomic_store(&lines->is_full, true);
        lines->wake(lines->context);
    }
    atomic_store(&lines->has_ended, true);
    lines->wake(lines->context);
    return NULL;
}

bool lines_start(lines_t *lines, void (*wake)(void *context), void *context) {
    lines->wake = wake;
    lines->context = context;
    return pthread_create(&lines->thread, NULL, read_lines, lines) == 0;
}

bool lines_take(lines_t *lines, char line[LINE_BYTES]) {
    if (!atomic_load(&lines->is_full)) { return false; }
    memcpy(line, lines->line, LINE_BYTES);
    atomic_store(&lines->is_full, false);
    return true;
}

bool lines_have_ended(const lines_t *lines) {
    return atomic_load(&lines->has_ended);
}
