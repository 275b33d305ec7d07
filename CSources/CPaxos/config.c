/* config.c - the rules of a configuration and the layout of the block that follows from it. */
#include "paxos/config.h"

#include <string.h>

#include "paxos/crc32c.h"
#include "paxos/log.h"

void paxos_config_default(paxos_config_t *config) {
    memset(config, 0, sizeof *config);
    config->size_bytes = (uint32_t)sizeof *config;
    config->version = PAXOS_VERSION;
    config->incarnation = 1;
    config->window_slots = 4096;
    config->pipeline_slots = 4096;
    config->value_bytes_max = 64u << 10;
    config->frame_bytes_max = 256u << 10;
    config->arena_bytes = 16u << 20;
    config->reply_ring = 256;
    config->write_ring = 1024;
    config->send_ring = 64;
    config->forward_ring = 256;
    config->election_timeout_ns = 500u * 1000u * 1000u;
    config->seed = 1;
}

static bool power_of_two(uint32_t value, uint32_t max) {
    return value != 0 && value <= max && (value & (value - 1)) == 0;
}

static uint32_t quorum_of(uint16_t quorum, uint16_t member_count) {
    return quorum != 0 ? quorum : member_count / 2u + 1u;
}

static uint32_t body_bytes_max(const paxos_config_t *config) {
    return (config->frame_bytes_max - PAXOS_FRAME_HEADER_BYTES) & ~7u;
}

static uint32_t reserve_bytes(const paxos_config_t *config) {
    return paxos_round16(PAXOS_RUN_HEADER_BYTES + body_bytes_max(config));
}

uint64_t paxos_config_inflight(const paxos_config_t *config) {
    if (config->inflight_bytes_max != 0) { return config->inflight_bytes_max; }
    return (config->arena_bytes - 2 * (uint64_t)reserve_bytes(config)) / 3 + 1;
}

/* The first broken rule about who takes part; NULL if none is. */
static const char *members_rule(const paxos_config_t *config) {
    if (config->cluster == 0) { return "cluster is not 0"; }
    if (config->incarnation == 0) { return "incarnation counts from 1"; }
    if (config->member_count == 0 || config->member_count > PAXOS_MEMBERS_MAX) {
        return "member_count is 1 to 31";
    }
    bool found = false;
    for (uint32_t i = 0; i < config->member_count; i++) {
        if (config->members[i] == 0) { return "no member is 0"; }
        if (i > 0 && config->members[i] <= config->members[i - 1]) {
            return "members are ascending and distinct";
        }
        found = found || config->members[i] == config->node;
    }
    if (!found) { return "node is one of members"; }
    const uint32_t q1 = quorum_of(config->q1, config->member_count);
    const uint32_t q2 = quorum_of(config->q2, config->member_count);
    if (q1 > config->member_count || q2 > config->member_count) {
        return "q1 and q2 are at most member_count";
    }
    if (q1 + q2 <= config->member_count) { return "q1 + q2 is over member_count"; }
    if (config->memory_only > 1) { return "memory_only is 0 or 1"; }
    if (config->manual_elections > 1) { return "manual_elections is 0 or 1"; }
    if (config->journal_lsn > (config->incarnation == 1 ? 1 : PAXOS_SLOT_MAX - 1)) {
        return "journal_lsn is over 1 only if incarnation is, and under 2^62";
    }
    return NULL;
}

/* The first broken rule about sizes; NULL if none is. */
static const char *sizes_rule(const paxos_config_t *config) {
    if (!power_of_two(config->window_slots, PAXOS_WINDOW_SLOTS_MAX)) {
        return "window_slots is a power of two up to 1048576";
    }
    if (config->pipeline_slots == 0 || config->pipeline_slots > config->window_slots) {
        return "pipeline_slots is 1 to window_slots";
    }
    if (config->value_bytes_max == 0 || config->value_bytes_max > PAXOS_VALUE_BYTES_MAX) {
        return "value_bytes_max is 1 to 16777216";
    }
    if (config->frame_bytes_max > PAXOS_FRAME_BYTES_MAX ||
        config->frame_bytes_max <
            PAXOS_FRAME_HEADER_BYTES + paxos_entry_bytes(config->value_bytes_max)) {
        return "frame_bytes_max holds a header and the largest entry, and is at most 33554432";
    }
    if (!power_of_two(config->arena_bytes, PAXOS_ARENA_BYTES_MAX) ||
        config->arena_bytes < 4 * (uint64_t)reserve_bytes(config)) {
        return "arena_bytes is a power of two, at least four frames, at most 2147483648";
    }
    if (paxos_config_inflight(config) + 2 * (uint64_t)reserve_bytes(config) > config->arena_bytes) {
        return "inflight_bytes_max leaves two frames of the arena free";
    }
    if (!power_of_two(config->reply_ring, PAXOS_RING_MAX) ||
        !power_of_two(config->write_ring, PAXOS_RING_MAX) ||
        !power_of_two(config->send_ring, PAXOS_RING_MAX) ||
        !power_of_two(config->forward_ring, PAXOS_RING_MAX)) {
        return "reply_ring, write_ring, send_ring and forward_ring are powers of two up to 65536";
    }
    if (config->election_timeout_ns < 1000 || config->election_timeout_ns > UINT64_MAX >> 8) {
        return "election_timeout_ns is 1000 or more";
    }
    return NULL;
}

paxos_status_t paxos_config_check(const paxos_config_t *config, const char **rule_out) {
    const char *rule = NULL;
    if (config->size_bytes != sizeof *config || config->version >> 16 != PAXOS_VERSION >> 16) {
        rule = "size_bytes and version are those of this library";
    }
    if (rule == NULL) { rule = members_rule(config); }
    if (rule == NULL) { rule = sizes_rule(config); }
    if (rule_out != NULL) { *rule_out = rule; }
    return rule == NULL ? PAXOS_OK : PAXOS_ERR_CONFIG;
}

size_t paxos_acceptor_block_bytes(const paxos_config_t *config) {
    if (paxos_config_check(config, NULL) != PAXOS_OK) { return 0; }
    return PAXOS_ACCEPTOR_BLOCK_BYTES(
        config->member_count, config->window_slots, config->arena_bytes, config->reply_ring,
        config->write_ring, config->send_ring);
}

size_t paxos_replica_block_bytes(const paxos_config_t *config) {
    if (paxos_config_check(config, NULL) != PAXOS_OK) { return 0; }
    return PAXOS_REPLICA_BLOCK_BYTES(
        config->member_count, config->window_slots, config->arena_bytes, config->reply_ring,
        config->write_ring, config->send_ring, config->forward_ring);
}

static uint64_t mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
    return hash ^ (hash >> 29);
}

/* What all members must agree on, in one number. */
static uint64_t fingerprint_of(const paxos_config_t *config) {
    uint64_t hash = mix(config->cluster, config->group);
    hash = mix(hash, quorum_of(config->q1, config->member_count));
    hash = mix(hash, quorum_of(config->q2, config->member_count));
    hash = mix(hash, config->memory_only);
    hash = mix(hash, config->pipeline_slots);
    hash = mix(hash, config->value_bytes_max);
    hash = mix(hash, config->frame_bytes_max);
    hash = mix(hash, paxos_config_inflight(config));
    hash = mix(hash, config->election_timeout_ns);
    for (uint32_t i = 0; i < config->member_count; i++) { hash = mix(hash, config->members[i]); }
    return hash;
}

/* Give the next `bytes` of the block to a part; its offset. */
static uint32_t place(uint32_t *end, size_t bytes) {
    const uint32_t offset = *end;
    *end += (uint32_t)bytes;
    return offset;
}

static void lay_out(paxos_acceptor_t *a, const paxos_config_t *config) {
    const size_t members = config->member_count;
    uint32_t end = a->is_replica ? (uint32_t)sizeof(paxos_replica_t) : (uint32_t)sizeof *a;
    a->cells_offset = place(&end, config->window_slots * sizeof(paxos_cell_t));
    a->replies_offset = place(&end, config->reply_ring * sizeof(paxos_reply_t));
    a->writes_offset = place(&end, config->write_ring * sizeof(paxos_write_t));
    if (a->is_replica) {
        a->peers_offset = place(&end, members * sizeof(paxos_peer_t));
        a->proposals_offset = place(&end, config->window_slots * sizeof(paxos_proposal_t));
        a->forwards_offset = place(&end, config->forward_ring * sizeof(paxos_forward_t));
    }
    a->members_offset = place(&end, members * sizeof(paxos_member_t));
    a->sends_offset = place(&end, members * config->send_ring * sizeof(uint64_t));
    end = (uint32_t)PAXOS_ROUND_UP(end, 16u);
    a->arena_offset = place(&end, config->arena_bytes);
    PAXOS_ASSERT(end <= a->block_bytes);
}

paxos_status_t paxos_block_init(
    void *block, size_t block_bytes, const paxos_config_t *config, bool is_replica) {
    const size_t needed_bytes =
        is_replica ? paxos_replica_block_bytes(config) : paxos_acceptor_block_bytes(config);
    if (needed_bytes == 0 || block_bytes < needed_bytes || needed_bytes > UINT32_MAX ||
        (uintptr_t)block % PAXOS_BLOCK_ALIGNMENT != 0) {
        return PAXOS_ERR_CONFIG;
    }
    paxos_cpu_detect();
    memset(block, 0, needed_bytes);
    paxos_acceptor_t *a = (paxos_acceptor_t *)block;
    a->magic = PAXOS_BLOCK_MAGIC;
    a->block_bytes = needed_bytes;
    a->is_replica = is_replica;
    a->cluster = config->cluster;
    a->fingerprint = fingerprint_of(config);
    a->group = config->group;
    a->incarnation = config->incarnation;
    a->node = config->node;
    a->member_count = config->member_count;
    a->q1 = (uint16_t)quorum_of(config->q1, config->member_count);
    a->q2 = (uint16_t)quorum_of(config->q2, config->member_count);
    a->memory_only = config->memory_only;
    a->window_slots = config->window_slots;
    a->value_bytes_max = config->value_bytes_max;
    a->body_bytes_max = body_bytes_max(config);
    a->reserve_bytes = reserve_bytes(config);
    const uint32_t smallest =
        paxos_round16(PAXOS_RUN_HEADER_BYTES + paxos_entry_bytes(config->value_bytes_max));
    const uint32_t eighth = config->arena_bytes / 8;
    a->run_bytes_max =
        eighth > a->reserve_bytes ? a->reserve_bytes : (eighth < smallest ? smallest : eighth);
    a->arena_bytes = config->arena_bytes;
    a->reply_ring = config->reply_ring;
    a->write_ring = config->write_ring;
    a->send_ring = config->send_ring;
    lay_out(a, config);
    paxos_run_close(a);
    a->pinned_from = PAXOS_POSITION_NONE;
    paxos_member_t *members = paxos_members(a);
    for (uint32_t i = 0; i < config->member_count; i++) {
        members[i].node = config->members[i];
        if (config->members[i] == config->node) { a->self_index = (uint16_t)i; }
    }
    a->chooses_early = a->memory_only && a->q2 <= 2;
    if (!a->memory_only && a->incarnation > 1) {
        a->magic = PAXOS_BLOCK_RECOVERING;
        a->lsn = config->journal_lsn > 1 ? config->journal_lsn - 1 : 0;
    }
    return PAXOS_OK;
}
