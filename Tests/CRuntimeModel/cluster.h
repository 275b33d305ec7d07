/* cluster.h - three nodes of one cluster, their state machines, and what must agree among them. */
#ifndef RUNTIME_CLUSTER_H
#define RUNTIME_CLUSTER_H

#include "paxos_runtime.h"

#define CHECK(condition)                                    \
    do {                                                    \
        if (!(condition)) { return "not so: " #condition; } \
    } while (0)

enum { NODES = 3, GROUPS = 8, CLUSTER = 91, SLOTS_MAX = 1 << 17, NUMBERS_MAX = 1 << 16 };

/* What may go wrong with a node's disk. */
typedef struct disk {
    paxos_files_t files;
    uint64_t flushes;
    int write_error; /* errno of every write; 0: none */
    int flush_error; /* of the next flush, once */
    void (*during_flush)(void *context);
    void *context;
} disk_t;

/* The fate of a proposal, by its number in this life of its node. */
typedef struct fate {
    uint64_t value;
    uint8_t what; /* 0: none known; else paxos_host_event_kind, or OUTCOME + reason */
} fate_t;

typedef struct machine {
    uint64_t applied; /* the last slot delivered */
    uint64_t fates;   /* the highest number of this life */
    fate_t fate[NUMBERS_MAX];
    uint64_t delivered_own;
    uint64_t refused;
    uint64_t unknown;
} machine_t;

typedef struct cluster {
    bool is_durable;
    bool is_trusted;
    bool keeps_log; /* state machines never say that they are safe */
    uint32_t group_count;
    uint32_t window_slots;  /* 0: 16384: whoever restarts comes back without a snapshot */
    uint32_t value_bytes;   /* 0: 8; else the arena is larger, too */
    uint64_t segment_bytes; /* of the journals; 0: 4.5 MiB, three of them */
    uint32_t segment_count;
    uint64_t spin_ns;
    uint64_t election_timeout_ns; /* 0: 400 ms */
    paxos_host_t *hosts[NODES];   /* node 1 to 3; NULL: it is down */
    uint16_t ports[NODES];
    disk_t disks[NODES];
    bool is_deaf[NODES]; /* nobody calls next */
    paxos_host_status_t stopped[NODES];
    char root[64];
    machine_t *machines[NODES][GROUPS];
    uint64_t *log[GROUPS];  /* the value of each slot, plus one; 0: not decided yet */
    uint64_t *seen[GROUPS]; /* the slot of each value; 0: none */
    uint64_t next_value;
    uint32_t links_up[NODES];
    const char *wrong;
} cluster_t;

/* disk.c: files of the system, until something is told to go wrong. */
void node_disk_open(disk_t *disk);

extern const uint8_t cluster_key[PAXOS_TRANSPORT_KEY_BYTES];

/* Format what is durable, and open all. False: see `wrong`. */
bool cluster_open(cluster_t *cluster);
bool cluster_open_node(cluster_t *cluster, uint32_t index);
void cluster_close_node(cluster_t *cluster, uint32_t index);
void cluster_close(cluster_t *cluster);
void cluster_options(
    cluster_t *cluster, uint32_t index, paxos_config_t groups[GROUPS], uint64_t applied[GROUPS],
    paxos_transport_peer_t peers[NODES - 1], char texts[NODES][32], paxos_host_options_t *options);

/* Poll each node that is up once, and take its events; then rest for a moment. */
void cluster_step(cluster_t *cluster);
void cluster_take(cluster_t *cluster, uint32_t index);
/* Step until it is so; false: not within a minute, or something went wrong. */
bool cluster_until(cluster_t *cluster, bool (*is_so)(cluster_t *cluster));
void cluster_run(cluster_t *cluster, uint64_t span_ns);

/* Propose the next value at a node. */
paxos_status_t cluster_propose(cluster_t *cluster, uint32_t index, uint32_t group);
/* Propose `count` values in turn at every node that is up, as fast as they are taken. */
bool cluster_load(cluster_t *cluster, uint64_t count);
/* Whether all that are up have delivered the same, and know the fate of all that they proposed. */
bool cluster_is_even(cluster_t *cluster);
uint16_t cluster_leader(const cluster_t *cluster, uint32_t group);
bool cluster_has_leader(cluster_t *cluster);
void cluster_status(const cluster_t *cluster, uint32_t index, paxos_replica_status_t *status);
/* It takes too long: the state of every node goes to standard error. */
bool cluster_is_late(cluster_t *cluster, const char *what);

void cluster_report(const cluster_t *cluster, uint32_t index, paxos_host_report_t *report);

#endif
