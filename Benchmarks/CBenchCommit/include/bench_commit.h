/* bench_commit.h - replicas in one process, driven by a host in plain C through the public headers:
 * the loop of bench's Cluster.swift, statement by statement, for what the C interface costs.
 *
 * Owns     blocks of all replicas, from open to close.
 * Never    measures time: the caller reads a clock before and after.
 * Threads  one caller at a time per cluster. */
#ifndef BENCH_COMMIT_H
#define BENCH_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "paxos.h"

typedef struct bench_commit bench_commit_t;

/* Replicas of `count` configurations, of nodes 1 to count; the first of them leads. All commands
 * are the value, which is kept by reference. NULL: a replica was refused, or nobody leads. */
bench_commit_t *bench_commit_open(
    const paxos_config_t *configs, uint32_t count, const uint8_t *value, size_t value_bytes);
void bench_commit_close(bench_commit_t *cluster);

/* Propose batches one after the other, each until every replica has delivered it. Returns how many
 * got there; fewer than `rounds` if one did not. */
uint64_t bench_commit_run(bench_commit_t *cluster, uint32_t batch, uint64_t rounds);

/* From now on every delivered byte is compared: whole, in order, and the value that was proposed.
 * Says whether all was well so far. */
bool bench_commit_look(bench_commit_t *cluster);

#endif
