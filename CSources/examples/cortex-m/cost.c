/* cost.c - how many instructions each step of a commit takes, in a cluster of three on one board.
 *
 * Under qemu-system-arm -icount shift=10, where every instruction lasts as long as the other; see
 * board_count. Prints a line for each step: its name, a tab, instructions. */
#include "board.h"
#include "paxos/entry.h"
#include "small.h"

enum { ROUNDS = 64, LEADER = 0 };

enum step {
    PROPOSE,
    POLL_ACCEPT,
    RECEIVE_ACCEPT,
    POLL_ACCEPTED,
    RECEIVE_ACCEPTED,
    POLL_DELIVER,
    TRIM,
    STEPS
};

static const char *const names[STEPS] = {
    "propose 64 B",     "poll: send Accept", "receive Accept", "poll: send Accepted",
    "receive Accepted", "poll: deliver",     "trim",
};

static _Alignas(PAXOS_BLOCK_ALIGNMENT) uint8_t blocks[NODES][BLOCK_BYTES];
static paxos_replica_t *replicas[NODES];
static uint64_t now_ns;
static uint32_t instructions[STEPS];
static uint32_t calls[STEPS];
static uint32_t overhead; /* of the measurement itself */
static uint32_t begun;

static void begin(void) {
    begun = board_count();
}

static void end(enum step step) {
    instructions[step] += board_count() - begun - overhead;
    calls[step] += 1;
}

static void receive(uint32_t node, const paxos_effect_t *effect, const uint8_t *body) {
    const uint32_t kind = effect->header[7];
    begin();
    const paxos_status_t status = paxos_replica_receive(
        replicas[node], now_ns, effect->header, sizeof effect->header, body, effect->body_bytes);
    if (kind == PAXOS_FRAME_ACCEPT && status == PAXOS_OK) { end(RECEIVE_ACCEPT); }
    if (kind == PAXOS_FRAME_ACCEPTED && status == PAXOS_OK) { end(RECEIVE_ACCEPTED); }
}

/* Do what a replica asks; false: nothing. */
static bool run(uint32_t node) {
    paxos_effect_t effect = {.size_bytes = sizeof effect};
    begin();
    if (!paxos_replica_poll(replicas[node], &effect)) { return false; }
    const uint32_t kind = effect.header[7];
    if (effect.kind == PAXOS_EFFECT_DELIVER) {
        end(POLL_DELIVER);
        begin();
        const uint64_t last = effect.slot + effect.count - 1;
        if (paxos_replica_trim(replicas[node], last) == PAXOS_OK) { end(TRIM); }
    }
    if (effect.kind != PAXOS_EFFECT_SEND) { return true; }
    if (kind == PAXOS_FRAME_ACCEPT) { end(POLL_ACCEPT); }
    if (kind == PAXOS_FRAME_ACCEPTED) { end(POLL_ACCEPTED); }
    receive(effect.node - 1u, &effect, blocks[node] + effect.body_offset);
    if (effect.token != 0) { (void)!paxos_replica_sent(replicas[node], effect.token); }
    return true;
}

/* Until nobody asks for anything; twice, since one may ask because of another. */
static void settle(void) {
    for (bool is_busy = true; is_busy;) {
        is_busy = false;
        for (uint32_t node = 0; node < NODES; node++) {
            while (run(node)) { is_busy = true; }
        }
    }
}

static bool start(void) {
    for (uint32_t i = 0; i < NODES; i++) {
        paxos_config_t config;
        small_config(&config, (uint16_t)(i + 1));
        config.manual_elections = 1;
        if (paxos_replica_init(blocks[i], BLOCK_BYTES, &config, now_ns, &replicas[i]) != PAXOS_OK) {
            return false;
        }
    }
    return paxos_replica_campaign(replicas[LEADER], now_ns) == PAXOS_OK;
}

int main(void) {
    uint8_t value[VALUE_BYTES] = {0};
    uint64_t number = 0;
    board_count_start();
    begin();
    overhead = board_count() - begun;
    if (!start()) { return 1; }
    settle();
    for (uint32_t round = 0; round < 2 * ROUNDS; round++) {
        if (round == ROUNDS) { /* the first ones warm up */
            for (uint32_t step = 0; step < STEPS; step++) { instructions[step] = calls[step] = 0; }
        }
        now_ns += 1000000;
        begin();
        if (paxos_replica_propose(replicas[LEADER], now_ns, value, sizeof value, &number) !=
            PAXOS_OK) {
            return 1;
        }
        end(PROPOSE);
        settle();
        for (uint32_t i = 0; i < NODES; i++) { paxos_replica_tick(replicas[i], now_ns); }
        settle();
    }
    for (uint32_t step = 0; step < STEPS; step++) {
        if (calls[step] == 0) { return 1; }
        board_print(names[step]);
        board_print("\t");
        board_print_number(instructions[step] / calls[step]);
        board_print("\n");
    }
    return 0;
}
