/* config.c - the rules of a configuration and the layout of the block that follows from it. */
#include "paxos/config.h"

#include <string.h>

#include "paxos/crc32c.h"
#include "paxos/log.h"

void paxos_config_default(paxos_config_t *config) {
    config->size_bytes = (uint32_t)sizeof *config;
    config->version = PAXOS_VERSION;
    config->cluster = 0;
    config->group = 0;
    config->incarnation = 1;
    config->node = 0;
    config->member_count = 0;
    config->q1 = 0;
    config->q2 = 0;
    /*@ loop invariant 0 <= i <= PAXOS_MEMBERS_MAX;
        loop assigns i, config->members[0 .. PAXOS_MEMBERS_MAX - 1];
        loop variant PAXOS_MEMBERS_MAX - i; */
    for (uint32_t i = 0; i < PAXOS_MEMBERS_MAX; i++) { config->members[i] = 0; }
    config->memory_only = 0;
    config->window_slots = 4096;
    config->pipeline_slots = 4096;
    config->value_bytes_max = 64u << 10;
    config->frame_bytes_max = 256u << 10;
    config->inflight_bytes_max = 0;
    config->arena_bytes = 16u << 20;
    config->reply_ring = 256;
    config->write_ring = 1024;
    config->send_ring = 64;
    config->forward_ring = 256;
    config->election_timeout_ns = 500u * 1000u * 1000u;
    config->seed = 1;
    config->journal_lsn = 0;
    config->manual_elections = 0;
    config->zero = 0;
}

/*@ assigns \nothing;
    ensures \result <==> paxos_power_of_two(value, max); */
static bool power_of_two(uint32_t value, uint32_t max) {
    return value != 0 && value <= max && (value & (value - 1)) == 0;
}

/*@ assigns \nothing;
    ensures \result == paxos_quorum(quorum, member_count); */
static uint32_t quorum_of(uint16_t quorum, uint16_t member_count) {
    return quorum != 0 ? quorum : member_count / 2u + 1u;
}

/*@ requires \valid_read(config) && 96 <= config->frame_bytes_max <= PAXOS_FRAME_BYTES_MAX;
    assigns \nothing;
    ensures \result == paxos_config_body(config) <= PAXOS_FRAME_BYTES_MAX - 96; */
static uint32_t body_bytes_max(const paxos_config_t *config) {
    return (config->frame_bytes_max - PAXOS_FRAME_HEADER_BYTES) / 8u * 8u;
}

/*@ requires \valid_read(config) && 96 <= config->frame_bytes_max <= PAXOS_FRAME_BYTES_MAX;
    assigns \nothing;
    ensures \result == paxos_config_reserve(config) <= PAXOS_FRAME_BYTES_MAX; */
static uint32_t reserve_bytes(const paxos_config_t *config) {
    return paxos_round16(PAXOS_RUN_HEADER_BYTES + body_bytes_max(config));
}

uint64_t paxos_config_inflight(const paxos_config_t *config) {
    if (config->inflight_bytes_max != 0) { return config->inflight_bytes_max; }
    return (config->arena_bytes - 2 * (uint64_t)reserve_bytes(config)) / 3 + 1;
}

/* The first broken rule about the members and their quorums; NULL if none is. */
/*@ requires \valid_read(config);
    assigns \nothing;
    ensures \result == \null <==> paxos_config_members(config); */
static const char *members_rule(const paxos_config_t *config) {
    if (config->member_count == 0 || config->member_count > PAXOS_MEMBERS_MAX) {
        return "member_count is 1 to 31";
    }
    bool found = false;
    /*@ loop invariant 0 <= i <= config->member_count;
        loop invariant \forall integer k; 0 <= k < i ==> config->members[k] != 0;
        loop invariant \forall integer k; 0 < k < i ==>
                       config->members[k - 1] < config->members[k];
        loop invariant found <==>
                       \exists integer k; 0 <= k < i && config->members[k] == config->node;
        loop assigns i, found;
        loop variant config->member_count - i; */
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
    return NULL;
}

/* The first broken rule about this node, in this life; NULL if none is. */
/*@ requires \valid_read(config);
    assigns \nothing;
    ensures \result == \null <==> paxos_config_life(config); */
static const char *life_rule(const paxos_config_t *config) {
    if (config->cluster == 0) { return "cluster is not 0"; }
    if (config->incarnation == 0) { return "incarnation counts from 1"; }
    if (config->memory_only > 1) { return "memory_only is 0 or 1"; }
    if (config->manual_elections > 1) { return "manual_elections is 0 or 1"; }
    if (config->journal_lsn > (config->incarnation == 1 ? 1 : PAXOS_SLOT_MAX - 1)) {
        return "journal_lsn is over 1 only if incarnation is, and under 2^62";
    }
    return NULL;
}

/* The first broken rule about window, pipeline and rings; NULL if none is. */
/*@ requires \valid_read(config);
    assigns \nothing;
    ensures \result == \null <==> paxos_config_rings(config); */
static const char *rings_rule(const paxos_config_t *config) {
    if (!power_of_two(config->window_slots, PAXOS_WINDOW_SLOTS_MAX)) {
        return "window_slots is a power of two up to 1048576";
    }
    if (config->pipeline_slots == 0 || config->pipeline_slots > config->window_slots) {
        return "pipeline_slots is 1 to window_slots";
    }
    if (!power_of_two(config->reply_ring, PAXOS_RING_MAX) ||
        !power_of_two(config->write_ring, PAXOS_RING_MAX) ||
        !power_of_two(config->send_ring, PAXOS_RING_MAX) ||
        !power_of_two(config->forward_ring, PAXOS_RING_MAX)) {
        return "reply_ring, write_ring, send_ring and forward_ring are powers of two up to 65536";
    }
    return NULL;
}

/* The first broken rule about sizes and times; NULL if none is. */
/*@ requires \valid_read(config);
    assigns \nothing;
    ensures \result == \null <==> paxos_config_sizes(config); */
static const char *sizes_rule(const paxos_config_t *config) {
    const char *rule = rings_rule(config);
    if (rule != NULL) { return rule; }
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
    if (rule == NULL) { rule = life_rule(config); }
    if (rule == NULL) { rule = members_rule(config); }
    if (rule == NULL) { rule = sizes_rule(config); }
    //@ assert good: rule == \null <==> paxos_config_good(config);
    if (rule_out != NULL) { *rule_out = rule; }
    return rule == NULL ? PAXOS_OK : PAXOS_ERR_CONFIG;
}

size_t paxos_acceptor_block_bytes(const paxos_config_t *config) {
    if (paxos_config_check(config, NULL) != PAXOS_OK) { return 0; }
    //@ assert sends: 0 <= config->member_count * config->send_ring <= 31 * PAXOS_RING_MAX;
    return PAXOS_ACCEPTOR_BLOCK_BYTES(
        config->member_count, config->window_slots, config->arena_bytes, config->reply_ring,
        config->write_ring, config->send_ring);
}

size_t paxos_replica_block_bytes(const paxos_config_t *config) {
    const size_t acceptor_bytes = paxos_acceptor_block_bytes(config);
    if (acceptor_bytes == 0) { return 0; }
    return acceptor_bytes + PAXOS_REPLICA_PART_BYTES(
                                config->member_count, config->window_slots, config->forward_ring);
}

/*@ assigns \nothing; */
static uint64_t mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
    return hash ^ (hash >> 29);
}

/* What all members must agree on, in one number. */
/*@ requires \valid_read(config) && paxos_config_good(config);
    assigns \nothing; */
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
    /*@ loop invariant 0 <= i <= config->member_count;
        loop assigns i, hash;
        loop variant config->member_count - i; */
    for (uint32_t i = 0; i < config->member_count; i++) { hash = mix(hash, config->members[i]); }
    return hash;
}

/* Each part starts where the one before it ends, and the last ends within the block. */
/*@ requires \valid(a) && \valid_read(config) && \separated(a, config);
    requires paxos_config_good(config) && a->is_replica <= 1;
    requires a->block_bytes == (a->is_replica != 0 ? paxos_replica_bytes(config)
                                                   : paxos_acceptor_bytes(config));
    assigns a->members_offset, a->sends_offset, a->cells_offset, a->replies_offset,
            a->writes_offset, a->peers_offset, a->proposals_offset, a->forwards_offset,
            a->arena_offset;
    ensures acceptor: a->cells_offset == (a->is_replica != 0 ? 1024 : 512) &&
            a->replies_offset == a->cells_offset + config->window_slots * 32 &&
            a->writes_offset == a->replies_offset + config->reply_ring * 64;
    ensures replica: a->is_replica != 0 ==>
            a->peers_offset == a->writes_offset + config->write_ring * 64 &&
            a->proposals_offset == a->peers_offset + config->member_count * 128 &&
            a->forwards_offset == a->proposals_offset + config->window_slots * 32 &&
            a->members_offset == a->forwards_offset + config->forward_ring * 48;
    ensures witness: a->is_replica == 0 ==>
            a->members_offset == a->writes_offset + config->write_ring * 64;
    ensures sends: a->sends_offset == a->members_offset + config->member_count * 32;
    ensures arena: a->sends_offset + config->member_count * config->send_ring * 8 <=
            a->arena_offset && a->arena_offset + config->arena_bytes <= a->block_bytes;
    ensures aligned: a->members_offset % 8 == 0 && a->arena_offset % 16 == 0; */
static void lay_out(paxos_acceptor_t *a, const paxos_config_t *config) {
    const uint32_t members = config->member_count;
    //@ assert sends: 0 <= members * config->send_ring <= 31 * PAXOS_RING_MAX;
    a->cells_offset = PAXOS_ACCEPTOR_STATE_BYTES;
    if (a->is_replica) { a->cells_offset += PAXOS_REPLICA_STATE_BYTES; }
    a->replies_offset = a->cells_offset + config->window_slots * PAXOS_CELL_BYTES;
    a->writes_offset = a->replies_offset + config->reply_ring * PAXOS_REPLY_BYTES;
    a->members_offset = a->writes_offset + config->write_ring * PAXOS_WRITE_BYTES;
    if (a->is_replica) {
        a->peers_offset = a->members_offset;
        a->proposals_offset = a->peers_offset + members * PAXOS_PEER_STATE_BYTES;
        a->forwards_offset = a->proposals_offset + config->window_slots * PAXOS_PROPOSAL_BYTES;
        a->members_offset = a->forwards_offset + config->forward_ring * PAXOS_FORWARD_BYTES;
    }
    a->sends_offset = a->members_offset + members * PAXOS_MEMBER_STATE_BYTES;
    const uint32_t sends_end = a->sends_offset + members * config->send_ring * 8u;
    a->arena_offset = (sends_end + 15u) / 16u * 16u;
    //@ assert whole: config->arena_bytes % 64 == 0;
    PAXOS_ASSERT(a->arena_offset + config->arena_bytes <= a->block_bytes);
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
    a->magic = is_replica ? PAXOS_BLOCK_REPLICA : PAXOS_BLOCK_ACCEPTOR;
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
    a->open_run = PAXOS_POSITION_NONE;
    a->pinned_from = PAXOS_POSITION_NONE;
    paxos_member_t *members = paxos_members(a);
    for (uint32_t i = 0; i < config->member_count; i++) {
        members[i].node = config->members[i];
        if (config->members[i] == config->node) { a->self_index = (uint16_t)i; }
    }
    a->chooses_early = a->memory_only && a->q2 <= 2;
    if (!a->memory_only && a->incarnation > 1) {
        a->magic += PAXOS_BLOCK_RECOVERING;
        a->lsn = config->journal_lsn > 1 ? config->journal_lsn - 1 : 0;
    }
    return PAXOS_OK;
}
