/* hostile.c - fuzz target: one replica among members that say anything.
 *
 * Members that lie can make a node learn what nobody chose; they can neither stop it, nor make it
 * forget, nor make it read or write beyond its block. */
#include "effects.h"
#include "node.h"

static void check_status(node_t *node) {
    paxos_replica_status_t status = {.size_bytes = sizeof status};
    paxos_replica_status(node_replica(node), &status);
    CHECK(status.node == node->config.node && status.role <= PAXOS_ROLE_LEADER);
    /* After a restart the host may have applied more than the log knows to be decided. */
    CHECK(status.trimmed <= status.decided && status.trimmed <= status.delivered);
    CHECK(status.role != PAXOS_ROLE_LEADER || status.promised >= node_replica(node)->ballot);
    node_check(node);
}

static void propose(input_t *input, node_t *node) {
    static const uint8_t value[128];
    const size_t length = input_byte(input) % sizeof value;
    const uint64_t last = node_replica(node)->number;
    uint64_t number = 0;
    effects_undeliver(node);
    const paxos_status_t status =
        paxos_replica_propose(node_replica(node), node->now_ns, value, length, &number);
    CHECK((status == PAXOS_OK) == (node_replica(node)->number == last + 1));
    CHECK(status != PAXOS_OK || number == last + 1);
    CHECK((status == PAXOS_ERR_TOO_LARGE) == (length > node->config.value_bytes_max));
}

static void pass_time(input_t *input, node_t *node) {
    node->now_ns += (uint64_t)input_byte(input) * (NODE_TIMEOUT_NS / 64);
    effects_undeliver(node);
    paxos_replica_tick(node_replica(node), node->now_ns);
    CHECK(paxos_replica_deadline(node_replica(node)) > node->now_ns);
}

static void poll_all(node_t *node, bool done) {
    paxos_effect_t effect;
    for (uint32_t i = 0; i < 64 && node_poll(node, &effect); i++) {
        if (done && effect.token != 0) { node_sent(node, effect.token); }
        if (done && effect.lsn != 0) { node_flushed(node, effect.lsn); }
    }
}

static void step(input_t *input, node_t *node, packet_t *packet) {
    switch (input_byte(input) % 16) {
        case 0: poll_all(node, true); break;
        case 1: poll_all(node, false); break;
        case 2: node_flushed(node, node->lsn_polled); break;
        case 3:
            if (node->span_count != 0) {
                node_sent(node, node->spans[input_byte(input) % node->span_count].token);
            }
            break;
        case 4: node_trim(node, node_replica(node)->delivered); break;
        case 5: node_move(node); break;
        case 6: (void)node_receive(node, packet); break; /* once more */
        case 7: {
            packet_t damaged = *packet;
            forge_damage(input, &damaged);
            (void)node_receive(node, &damaged);
            break;
        }
        case 8: propose(input, node); break;
        case 9: pass_time(input, node); break;
        case 10:
            effects_undeliver(node);
            CHECK(paxos_replica_campaign(node_replica(node), node->now_ns) != PAXOS_ERR_CORRUPT);
            break;
        case 11: (void)node_crash(input, node, node_replica(node)->delivered); break;
        default: {
            const target_t target = node_target(node);
            forge_frame(input, &target, packet);
            (void)node_receive(node, packet);
        }
    }
    check_status(node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return node_live(data, size, true, step);
}
