/* restart.c - a power cut, and what a node must still know when it comes back. See node.h. */
#include "effects.h"
#include "node.h"

/* What was told, or may be counted by others, is there: the promise, the votes, the watermark. */
static void check_kept(const node_t *node) {
    const paxos_acceptor_t *a = node_acceptor(node);
    if (a->abstains) { return; } /* it knows that it has forgotten */
    CHECK(a->promised >= node->durable_promise);
    CHECK(node->is_damaged || a->decided >= node->told || node->applied_slot >= node->told);
    for (uint32_t i = 0; i < NODE_VOTES; i++) {
        const vote_t *vote = &node->votes[i];
        if (vote->slot == 0 || vote->ballot == 0) { continue; }
        const look_t look = node_look(node, vote->slot);
        if (look.state == PAXOS_RUN_ACCEPTED) {
            CHECK(look.ballot >= vote->ballot);
            /* Who forgot a vote cannot see that a liar asks for another under the same ballot. */
            CHECK(look.ballot > vote->ballot || look.checksum == vote->voted || node->is_damaged);
        } else if (look.state == PAXOS_RUN_EMPTY) {
            CHECK(node_is_unknown(node, vote->slot));
        }
    }
}

/* After damage, what a slot holds is what the node found: an earlier record may speak of it where
 * the last one is gone, and of other bytes, if a liar had them. */
static void know_again(node_t *node) {
    for (uint32_t i = 0; i < NODE_VOTES && node->is_damaged; i++) {
        vote_t *vote = &node->votes[i];
        const look_t look = node_look(node, vote->slot);
        const bool is_held = look.state == PAXOS_RUN_ACCEPTED || look.state == PAXOS_RUN_CHOSEN;
        if (vote->slot != 0 && is_held) { vote->held = look.checksum; }
    }
}

/* Damage a durable record: a bit of its body, of its header, or all of it. */
static void rot(input_t *input, node_t *node) {
    if (node->durable_count == 0) { return; }
    node->is_damaged = true;
    packet_t *record = &node->records[input_byte(input) % node->durable_count];
    const uint8_t place = input_byte(input);
    if (place < PAXOS_FRAME_HEADER_BYTES) {
        record->header[place] ^= 1;
    } else if (record->body_bytes != 0) {
        record->body[place % record->body_bytes] ^= 1;
    }
}

static bool is_record_whole(const packet_t *record) {
    return paxos_crc32c(0, record->header + 4, PAXOS_FRAME_HEADER_BYTES - 4) ==
           paxos_get32(record->header);
}

/* Records of before the crash that reached the disk although nobody knew; the last one may be torn.
 * Those that did not are gone. */
static void tear(input_t *input, node_t *node) {
    const uint8_t how = input_byte(input);
    const uint32_t unsure = node->record_count - node->durable_count;
    const uint32_t kept = node->durable_count + (unsure == 0 ? 0 : how % (unsure + 1));
    if (kept > node->durable_count && how >= 128) {
        packet_t *last = &node->records[kept - 1];
        if (last->body_bytes != 0) {
            last->body[last->body_bytes - 1] ^= 1;
        } else {
            last->header[PAXOS_FRAME_HEADER_BYTES - 1] ^= 1;
        }
    }
    node->record_count = kept;
}

static paxos_status_t give_back(node_t *node, const packet_t *record) {
    uint8_t *body = malloc(record->body_bytes == 0 ? 1 : record->body_bytes);
    CHECK(body != NULL);
    memcpy(body, record->body, record->body_bytes);
    const paxos_status_t status = node->is_replica
                                      ? paxos_replica_recover(
                                            node_replica(node), record->header,
                                            PAXOS_FRAME_HEADER_BYTES, body, record->body_bytes)
                                      : paxos_acceptor_recover(
                                            node_acceptor(node), record->header,
                                            PAXOS_FRAME_HEADER_BYTES, body, record->body_bytes);
    free(body);
    node_trace(node, "knows", record->header);
    TRACE("  status %d\n", status);
    return status;
}

/* Forget the end of the journal that the node does not go on from. */
static void truncate(node_t *node) {
    while (node->record_count > node->durable_count &&
           (!is_record_whole(&node->records[node->record_count - 1]) ||
            paxos_get64(node->records[node->record_count - 1].header + 64) > node->lsn_polled)) {
        node->record_count -= 1;
    }
}

bool node_crash(input_t *input, node_t *node, uint64_t applied_slot) {
    if (node->config.memory_only) { return false; }
    const uint8_t how = input_byte(input);
    const uint64_t acknowledged = node->marks.flushed;
    TRACE("%u crashes, flushed %" PRIu64 "\n", node->config.node, acknowledged);
    for (uint32_t i = 0; i < (how & 3u); i++) { rot(input, node); }
    tear(input, node);
    node_stop(node);
    node->config.incarnation += 1;
    if (applied_slot > node->applied_slot) { node->applied_slot = applied_slot; }
    applied_slot = node->applied_slot;
    node_boot(node);
    node->span_count = 0;
    for (uint32_t i = 0; i < node->record_count; i++) {
        const paxos_status_t status = give_back(node, &node->records[i]);
        CHECK(status == PAXOS_OK || status == PAXOS_ERR_WIRE);
        CHECK(status == PAXOS_OK || node->is_damaged || i >= node->durable_count);
    }
    const paxos_status_t status =
        node->is_replica
            ? paxos_replica_recovered(node_replica(node), node->now_ns, applied_slot, acknowledged)
            : paxos_acceptor_recovered(node_acceptor(node), applied_slot, acknowledged);
    TRACE("  applied %" PRIu64 " status %d\n", applied_slot, status);
    CHECK(status == PAXOS_OK);
    CHECK(node->is_damaged || node_acceptor(node)->abstains == 0);
    check_kept(node);
    node->lsn_polled = node_acceptor(node)->lsn - (node_acceptor(node)->abstains != 0);
    truncate(node);
    for (; node->durable_count < node->record_count; node->durable_count++) {
        effects_durable(node, &node->records[node->durable_count]);
    }
    know_again(node);
    memset(&node->marks, 0, sizeof node->marks);
    node_check(node);
    return true;
}
