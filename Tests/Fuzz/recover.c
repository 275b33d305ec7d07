/* recover.c - fuzz target: a node is given a journal of anything.
 *
 * Records of the input's choice, with right checksums, in any order; then the node goes on among
 * its members. It may have been told nonsense, but it stays within its block, never stops, and
 * takes nothing back that it said. */
#include "effects.h"
#include "node.h"

/* The fields that a record has, or any others. */
static void forge_record(input_t *input, const node_t *node, uint64_t lsn, packet_t *packet) {
    const uint8_t how = input_byte(input);
    const uint64_t slot = 1 + input_byte(input) % 24;
    paxos_frame_t record = {
        .kind = (uint8_t)(PAXOS_RECORD_PROMISED + how % 5),
        .sender = node->config.node,
        .receiver = node->config.node,
        .group = node->config.group,
        .cluster = node->config.cluster,
        .incarnation = 1u + (how >> 7),
        .nonce = lsn + (how >> 4 & 1u)};
    const uint8_t ballot = input_byte(input);
    const bool has_body = record.kind == PAXOS_RECORD_ENTRIES || record.kind == PAXOS_RECORD_CHOSEN;
    memset(packet, 0, sizeof *packet);
    if (record.kind <= PAXOS_RECORD_BALLOTS) { record.ballot = paxos_ballot(1u + ballot, 2); }
    record.other = paxos_ballot(1u + ballot + (how >> 5 & 3u), 2);
    record.watermark = input_byte(input) % 24;
    record.trim = ballot % 4 == 0 ? input_byte(input) % 24 : 0;
    record.state = (uint16_t)(input_byte(input) % (record.nonce == 0 ? 1 : record.nonce));
    if (has_body || record.kind == PAXOS_RECORD_BALLOTS) {
        record.slot = slot;
        record.count = 1u + input_byte(input) % 8;
    }
    for (uint32_t i = 0; has_body && i < record.count; i++) {
        const uint8_t *entry = packet->body + packet->body_bytes;
        packet->body_bytes +=
            forge_entry(packet->body + packet->body_bytes, input_byte(input) & 0xFBu);
        record.digest += paxos_digest_term(slot + i, paxos_get32(entry));
    }
    record.body_bytes = packet->body_bytes;
    paxos_frame_put(packet->header, &record);
    packet->header_bytes = PAXOS_FRAME_HEADER_BYTES;
}

/* Give one record; what was refused as foreign or stale leaves no trace. */
static void give(node_t *node, const packet_t *packet) {
    uint8_t *before = malloc(node->block_bytes);
    uint8_t *body = malloc(packet->body_bytes == 0 ? 1 : packet->body_bytes);
    CHECK(before != NULL && body != NULL);
    memcpy(before, node->block, node->block_bytes);
    memcpy(body, packet->body, packet->body_bytes);
    const uint64_t promised = node_acceptor(node)->promised;
    const paxos_status_t status = node->is_replica
                                      ? paxos_replica_recover(
                                            node_replica(node), packet->header,
                                            packet->header_bytes, body, packet->body_bytes)
                                      : paxos_acceptor_recover(
                                            node_acceptor(node), packet->header,
                                            packet->header_bytes, body, packet->body_bytes);
    node_trace(node, "knows", packet->header);
    TRACE("  status %d\n", status);
    switch (status) {
        case PAXOS_OK:
        case PAXOS_ERR_WIRE:
        case PAXOS_ERR_FULL: break;
        default:
            CHECK(status == PAXOS_ERR_FOREIGN || status == PAXOS_ERR_RANGE);
            CHECK(memcmp(before, node->block, node->block_bytes) == 0);
    }
    CHECK(node_acceptor(node)->promised >= promised);
    free(body);
    free(before);
}

/* No frame is taken before the journal has come to its end. */
static void check_waits(node_t *node, const packet_t *packet) {
    if (node->is_replica) {
        CHECK(
            paxos_replica_receive(
                node_replica(node), 0, packet->header, PAXOS_FRAME_HEADER_BYTES, packet->body, 0) ==
            PAXOS_ERR_CORRUPT);
    } else {
        CHECK(
            paxos_acceptor_receive(
                node_acceptor(node), packet->header, PAXOS_FRAME_HEADER_BYTES, packet->body, 0) ==
            PAXOS_ERR_CORRUPT);
    }
}

/* The node goes on: frames come, effects leave, each checked as ever. */
static void go_on(input_t *input, node_t *node) {
    paxos_effect_t effect;
    packet_t packet;
    while (input->left > 0) {
        const target_t target = node_target(node);
        forge_frame(input, &target, &packet);
        (void)node_receive(node, &packet);
        for (uint32_t i = 0; i < 32 && node_poll(node, &effect); i++) {
            if (effect.token != 0) { node_sent(node, effect.token); }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static node_t node;
    input_t input = {data, size};
    paxos_config_t config;
    node_config(&input, 1, &config);
    const uint8_t how = input_byte(&input);
    config.incarnation = 3;
    config.memory_only = 0;
    uint64_t lsn = input_byte(&input);
    config.journal_lsn = (how & 4u) != 0 ? lsn + 1 : 1;
    if (paxos_config_check(&config, NULL) != PAXOS_OK) { return 0; }
    node_start(&node, &config, how % 2 == 0);
    packet_t packet;
    const uint32_t records = how >> 4;
    for (uint32_t i = 0; i < records; i++) {
        lsn += 1;
        forge_record(&input, &node, lsn, &packet);
        const uint8_t damage = input_byte(&input);
        if (damage < 64) { forge_damage(&input, &packet); }
        give(&node, &packet);
        if (damage == 255) { check_waits(&node, &packet); }
    }
    const uint64_t applied = node_acceptor(&node)->trimmed + input_number(&input) % 64;
    uint64_t acknowledged = (how & 8u) != 0 ? input_number(&input) : 0;
    if (acknowledged >= PAXOS_SLOT_MAX) { acknowledged = UINT64_MAX; } /* more is refused */
    const paxos_status_t status =
        node.is_replica ? paxos_replica_recovered(node_replica(&node), 0, applied, acknowledged)
                        : paxos_acceptor_recovered(node_acceptor(&node), applied, acknowledged);
    TRACE("recovered %" PRIu64 " %" PRIu64 ": %d\n", applied, acknowledged, status);
    CHECK(status == PAXOS_OK);
    CHECK(node_acceptor(&node)->decided >= node_acceptor(&node)->trimmed);
    node.lsn_polled = node_acceptor(&node)->lsn - (node_acceptor(&node)->abstains != 0);
    node.durable_promise = node_acceptor(&node)->promised;
    node.is_damaged = true; /* what was forged is no record that this host wrote */
    node_check(&node);
    go_on(&input, &node);
    node_stop(&node);
    return 0;
}
