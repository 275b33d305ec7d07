/* acceptor.c - fuzz target: an acceptor and its host, as a sequence of events. */
#include "node.h"

/* Answer without a frame: the two calls of phase 1 and phase 2. */
static void call_directly(input_t *input, node_t *node) {
    paxos_acceptor_t *a = node_acceptor(node);
    const uint64_t ballot = paxos_ballot(input_number(input), 2);
    const uint64_t promised = a->promised;
    uint64_t lsn = 0;
    uint64_t winner = 0;
    const paxos_status_t status = paxos_acceptor_prepare(a, ballot, &winner, &lsn);
    switch (status) {
        case PAXOS_OK:
            CHECK(ballot >= promised && winner == ballot && a->promised == ballot);
            break;
        case PAXOS_ERR_STALE:
            CHECK(winner == promised && (ballot < promised || ballot == 0));
            break;
        case PAXOS_ERR_ABSTAINS: CHECK(a->abstains != 0 && a->promised == promised); break;
        default: CHECK(status == PAXOS_ERR_BUSY && a->promised == promised);
    }
    node_check(node);
}

static void accept_directly(input_t *input, node_t *node) {
    paxos_acceptor_t *a = node_acceptor(node);
    uint8_t entries[2 * FORGE_BODY_BYTES / 4];
    paxos_run_t run = {
        paxos_ballot(input_byte(input), 2), 0, 1u + input_byte(input) % 2, 0, 0, entries};
    const uint64_t slot = a->decided + input_byte(input) % 24;
    run.slot = slot > 8 ? slot - 8 : 1;
    for (uint32_t i = 0; i < run.count; i++) {
        run.bytes += forge_entry(entries + run.bytes, input_byte(input) & 0xF8u);
    }
    if (run.ballot >> 16 == 0) { return; } /* no ballot: the caller's duty */
    uint64_t digest = 0;
    CHECK(
        paxos_run_verify(entries, run.bytes, run.slot, run.count, FORGE_VALUE_BYTES, &digest) ==
        PAXOS_OK);
    run.digest = digest;
    const uint64_t promised = a->promised;
    uint64_t lsn = 0;
    const paxos_status_t status = paxos_acceptor_accept(a, &run, &lsn);
    CHECK((status == PAXOS_ERR_ABSTAINS) == (a->abstains != 0));
    CHECK(a->abstains != 0 || (status == PAXOS_ERR_STALE) == (run.ballot < promised));
    if (status != PAXOS_OK) {
        CHECK(a->promised == promised);
    } else {
        CHECK(a->promised == run.ballot);
        CHECK(node_look(node, run.slot).checksum == paxos_get32(entries));
        CHECK(node_look(node, run.slot).ballot == run.ballot);
    }
    node_check(node);
}

/* Take one effect; the host may say at once that it is done. */
static bool poll_one(node_t *node, bool done) {
    paxos_effect_t effect;
    if (!node_poll(node, &effect)) { return false; }
    if (done && effect.token != 0) { node_sent(node, effect.token); }
    if (done && effect.lsn != 0) { node_flushed(node, effect.lsn); }
    return true;
}

static void step(input_t *input, node_t *node, packet_t *packet) {
    const uint8_t event = input_byte(input);
    switch (event % 16) {
        case 0:
            for (uint32_t i = 0; i < 64 && poll_one(node, true); i++) {}
            break;
        case 1:
            for (uint32_t i = 0; i < 64 && poll_one(node, false); i++) {}
            break;
        case 2: (void)poll_one(node, false); break;
        case 3: node_flushed(node, node->lsn_polled); break;
        case 4: node_flushed(node, input_number(input)); break;
        case 5:
            if (node->span_count != 0) {
                node_sent(node, node->spans[input_byte(input) % node->span_count].token);
            }
            break;
        case 6: node_sent(node, input_number(input)); break;
        case 7: node_trim(node, node->marks.decided); break;
        case 8: node_trim(node, input_number(input)); break;
        case 9: node_move(node); break;
        case 10: call_directly(input, node); break;
        case 11: accept_directly(input, node); break;
        case 12: (void)node_receive(node, packet); break; /* once more */
        case 13: {
            packet_t damaged = *packet;
            forge_damage(input, &damaged);
            (void)node_receive(node, &damaged);
            break;
        }
        case 14:
            if (event >= 128) {
                (void)node_crash(input, node, node->marks.trimmed);
                break;
            }
            /* fall through */
        default: {
            const target_t target = node_target(node);
            forge_frame(input, &target, packet);
            (void)node_receive(node, packet);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return node_live(data, size, false, step);
}
