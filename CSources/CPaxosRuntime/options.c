/* options.c - what a host is told: its rules, and what follows from them. */
#include <string.h>

#include "host.h"
#include "paxos_host.h"

/* JOURNAL.md says how large a journal should be. */
enum { ARENAS = 4, SPARE_SEGMENTS = 2, SEGMENT_COUNT = 8, PAGE_BYTES = 4096 };

static const uint64_t segment_bytes_min = 1u << 20;
static const uint32_t queue_bytes_max = 256u << 20;

static bool has_peer(const paxos_host_options_t *options, uint16_t node) {
    for (uint32_t i = 0; i < options->transport.peer_count; i++) {
        if (options->transport.peers[i].node == node) { return true; }
    }
    return false;
}

/* The configuration as it runs, so that rules about what open sets are met. */
void paxos_host_configure(
    const paxos_host_options_t *options, uint32_t index, uint32_t incarnation, uint64_t journal_lsn,
    paxos_config_t *config) {
    *config = options->groups[index];
    config->incarnation = incarnation;
    config->journal_lsn = journal_lsn;
    if (config->seed == 0) { config->seed = paxos_host_seed(); }
}

static const char *group_rule(const paxos_host_options_t *options, uint32_t index) {
    const paxos_config_t *first = &options->groups[0];
    const paxos_config_t *group = &options->groups[index];
    const char *rule = NULL;
    if (group->size_bytes != sizeof *group) {
        return "size_bytes of a group is not of this version";
    }
    paxos_config_t config;
    paxos_host_configure(options, index, 1, 1, &config);
    if (paxos_config_check(&config, &rule) != PAXOS_OK) { return rule; }
    if (group->cluster != first->cluster || group->node != first->node) {
        return "all groups are of one cluster and one node";
    }
    if (group->memory_only != first->memory_only) {
        return "all groups are durable, or all are memory-only";
    }
    if (index > 0 && group->group <= options->groups[index - 1].group) {
        return "groups are in ascending order of their numbers, each once";
    }
    return NULL;
}

static const char *peers_rule(const paxos_host_options_t *options, uint32_t index) {
    const paxos_config_t *group = &options->groups[index];
    for (uint32_t i = 0; i < group->member_count; i++) {
        if (group->members[i] != group->node && !has_peer(options, group->members[i])) {
            return "every other member of every group is a peer of the transport";
        }
    }
    return NULL;
}

static const char *rule_of(const paxos_host_options_t *options, bool runs, uint32_t *group) {
    if (options->size_bytes != sizeof *options) { return "size_bytes is not of this version"; }
    if (options->group_count == 0 || options->group_count > PAXOS_HOST_GROUPS_MAX ||
        options->groups == NULL) {
        return "groups are 1 to 65536";
    }
    if (runs && options->transport.peer_count > PAXOS_TRANSPORT_PEERS_MAX) {
        return "peers are at most 30";
    }
    if (runs && options->transport.peer_count > 0 && options->transport.peers == NULL) {
        return "the peers are not given";
    }
    for (uint32_t i = 0; i < options->group_count; i++) {
        const char *rule = group_rule(options, i);
        if (rule == NULL && runs) { rule = peers_rule(options, i); }
        if (rule != NULL) {
            *group = options->groups[i].group;
            return rule;
        }
    }
    const bool is_memory_only = options->groups[0].memory_only != 0;
    if (!is_memory_only && options->directory == NULL) {
        return "groups that are not memory-only need the directory of a journal";
    }
    if (is_memory_only && options->directory != NULL) {
        return "memory-only groups write no journal: no directory";
    }
    return NULL;
}

bool paxos_host_breaks_rule(
    const paxos_host_options_t *options, bool runs, paxos_host_fault_t *fault) {
    *fault = (paxos_host_fault_t){.status = PAXOS_HOST_OK};
    fault->what = rule_of(options, runs, &fault->group);
    if (fault->what != NULL) { fault->status = PAXOS_HOST_ERR_OPTIONS; }
    return fault->what != NULL;
}

/* Queues take all that a leader may hold for a peer that is behind, so that one which reads a
 * little later than the others loses nothing. They are zero pages until then. */
void paxos_host_connect(
    const paxos_host_options_t *options, uint32_t incarnation, paxos_transport_options_t *to) {
    *to = options->transport;
    to->size_bytes = (uint32_t)sizeof *to;
    to->node = options->groups[0].node;
    to->cluster = options->groups[0].cluster;
    to->incarnation = incarnation;
    to->frame_bytes_max = 0;
    uint64_t queue_bytes = 1u << 20;
    uint64_t short_frames = 1024;
    for (uint32_t i = 0; i < options->group_count; i++) {
        const paxos_config_t *group = &options->groups[i];
        if (group->frame_bytes_max > to->frame_bytes_max) {
            to->frame_bytes_max = group->frame_bytes_max;
        }
        queue_bytes += group->arena_bytes;
        short_frames += group->reply_ring;
    }
    const uint64_t queue_bytes_least = 4 * ((uint64_t)to->frame_bytes_max + 16);
    if (queue_bytes > queue_bytes_max) { queue_bytes = queue_bytes_max; }
    if (queue_bytes < queue_bytes_least) { queue_bytes = queue_bytes_least; }
    if (short_frames > PAXOS_TRANSPORT_SHORT_FRAMES_MAX) {
        short_frames = PAXOS_TRANSPORT_SHORT_FRAMES_MAX;
    }
    if (to->queue_bytes == 0) { to->queue_bytes = (uint32_t)queue_bytes; }
    if (to->short_frames == 0) { to->short_frames = (uint32_t)short_frames; }
}

static uint64_t round_up(uint64_t bytes, uint64_t unit) {
    return (bytes + unit - 1) / unit * unit;
}

/* Twice the largest record, and never less than the journal's own default. */
static uint64_t batch_bytes(const paxos_host_options_t *options) {
    uint64_t most = 1u << 20;
    for (uint32_t i = 0; i < options->group_count; i++) {
        const uint64_t frame = options->groups[i].frame_bytes_max;
        if (frame > most) { most = frame; }
    }
    const uint64_t bytes = round_up(2 * most, PAGE_BYTES);
    return bytes < PAXOS_JOURNAL_BATCH_BYTES_MAX ? bytes : PAXOS_JOURNAL_BATCH_BYTES_MAX;
}

/* What all groups may hold at once, and as much again three times, while trims catch up. Small
 * entries that come one by one take a page each, whatever the arena needs for them. */
static uint64_t needed_bytes(const paxos_host_options_t *options) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < options->group_count; i++) {
        const uint64_t arenas = ARENAS * (uint64_t)options->groups[i].arena_bytes;
        const uint64_t pages = (uint64_t)options->groups[i].window_slots * PAGE_BYTES;
        bytes += arenas > pages ? arenas : pages;
    }
    return bytes;
}

static uint64_t segments_good(const paxos_host_options_t *options, uint64_t segment_bytes) {
    return (needed_bytes(options) + segment_bytes - 1) / segment_bytes + SPARE_SEGMENTS;
}

uint64_t paxos_host_journal_bytes_good(
    const paxos_host_options_t *options, uint64_t segment_bytes) {
    return segments_good(options, segment_bytes) * segment_bytes;
}

static void shape_for(const paxos_host_options_t *options, paxos_journal_shape_t *shape) {
    const uint64_t needed = needed_bytes(options);
    *shape = (paxos_journal_shape_t){.size_bytes = sizeof *shape};
    shape->node = options->groups[0].node;
    shape->cluster = options->groups[0].cluster;
    shape->groups_max = options->group_count < 64 ? 64 : options->group_count;
    shape->batch_bytes_max = (uint32_t)batch_bytes(options);
    const uint64_t tables = 2 * (uint64_t)shape->groups_max * 128 + 4 * PAGE_BYTES;
    const uint64_t least = shape->batch_bytes_max + round_up(tables, PAGE_BYTES);
    uint64_t segment_bytes = options->segment_bytes;
    if (segment_bytes == 0) {
        segment_bytes = round_up(needed / (SEGMENT_COUNT - SPARE_SEGMENTS), PAGE_BYTES);
        if (segment_bytes < segment_bytes_min) { segment_bytes = segment_bytes_min; }
        if (segment_bytes < 2 * least) { segment_bytes = 2 * least; }
        if (segment_bytes > PAXOS_JOURNAL_SEGMENT_BYTES_MAX) {
            segment_bytes = PAXOS_JOURNAL_SEGMENT_BYTES_MAX;
        }
    }
    shape->segment_bytes = segment_bytes;
    const uint64_t count = segments_good(options, segment_bytes);
    shape->segment_count = options->segment_count;
    if (shape->segment_count == 0) {
        const uint64_t most = PAXOS_JOURNAL_SEGMENTS_MAX;
        shape->segment_count = (uint32_t)(count < 3 ? 3 : count > most ? most : count);
    }
}

paxos_host_status_t paxos_host_format(
    const paxos_host_options_t *options, paxos_host_fault_t *fault) {
    paxos_host_fault_t unread;
    if (fault == NULL) { fault = &unread; }
    if (paxos_host_breaks_rule(options, false, fault)) { return PAXOS_HOST_ERR_OPTIONS; }
    if (options->directory == NULL) {
        return paxos_host_blame(
            fault, PAXOS_HOST_ERR_OPTIONS, 0, 0, "memory-only groups have no journal to format");
    }
    paxos_journal_shape_t shape;
    shape_for(options, &shape);
    paxos_journal_fault_t journal = {0, NULL};
    const paxos_journal_status_t status =
        paxos_journal_format(options->files, options->directory, &shape, &journal);
    if (status == PAXOS_JOURNAL_OK) { return PAXOS_HOST_OK; }
    return paxos_host_blame_journal(fault, status, &journal);
}
