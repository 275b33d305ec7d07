/* member.c - one replica of three, node 1, on a board; the others are at the end of its line.
 *
 * It prints what is delivered and proposes a value of its own now and then. "end" ends it. */
#include "board.h"
#include "paxos/entry.h"
#include "slip.h"
#include "small.h"

enum { NODE = 1 };
static const uint64_t PROPOSE_NS = 300000000, LINGER_NS = 1000000000, LIFE_NS = 60000000000;

static _Alignas(PAXOS_BLOCK_ALIGNMENT) uint8_t block[BLOCK_BYTES];
static uint8_t frame[FRAME_BYTES];
static slip_t slip = {frame, FRAME_BYTES, 0, false};
static paxos_replica_t *replica;
static uint64_t end_ns = LIFE_NS;
static int status = 1;

static void deliver(const paxos_effect_t *effect) {
    const uint8_t *bytes = block + effect->body_offset;
    for (uint32_t i = 0; i < effect->count; i++) {
        const paxos_entry_t entry = paxos_entry_get(bytes);
        const uint8_t *value = bytes + PAXOS_ENTRY_HEADER_BYTES;
        if (entry.kind == PAXOS_ENTRY_COMMAND) {
            board_print("log ");
            board_print_number(effect->slot + i);
            board_print(" ");
            board_print_bytes(value, entry.value_bytes);
            board_print("\n");
            if (entry.value_bytes == 3 && value[0] == 'e' && value[1] == 'n' && value[2] == 'd') {
                end_ns = board_now_ns() + LINGER_NS; /* the others may still need an answer */
                status = 0;
            }
        }
        bytes += paxos_entry_bytes(entry.value_bytes);
    }
    (void)!paxos_replica_trim(replica, effect->slot + effect->count - 1);
}

static void send(const uint8_t *bytes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        uint8_t escaped[2];
        const uint32_t escaped_bytes = slip_put(bytes[i], escaped);
        for (uint32_t at = 0; at < escaped_bytes; at++) { board_line_write(escaped[at]); }
    }
}

/* Do what the replica asks. */
static void run(void) {
    paxos_effect_t effect = {.size_bytes = sizeof effect};
    while (paxos_replica_poll(replica, &effect)) {
        if (effect.kind == PAXOS_EFFECT_DELIVER) { deliver(&effect); }
        if (effect.kind != PAXOS_EFFECT_SEND) { continue; }
        send(effect.header, sizeof effect.header);
        send(block + effect.body_offset, effect.body_bytes);
        board_line_write(SLIP_END);
        if (effect.token != 0) { (void)!paxos_replica_sent(replica, effect.token); }
    }
}

static void receive(uint64_t now_ns) {
    uint8_t byte;
    while (board_line_read(&byte)) {
        const uint32_t bytes = slip_take(&slip, byte);
        if (bytes < PAXOS_FRAME_HEADER_BYTES) { continue; }
        (void)!paxos_replica_receive(
            replica, now_ns, frame, PAXOS_FRAME_HEADER_BYTES, frame + PAXOS_FRAME_HEADER_BYTES,
            bytes - PAXOS_FRAME_HEADER_BYTES);
        run();
    }
}

/* The next value of this node, if it is time and somebody leads. */
static void propose(uint64_t now_ns) {
    static uint32_t proposed;
    static uint64_t next_ns;
    if (now_ns < next_ns) { return; }
    const uint8_t value[] = {'b', 'o', 'a', 'r', 'd', ' ', (uint8_t)('0' + proposed % 10)};
    uint64_t number = 0;
    if (paxos_replica_propose(replica, now_ns, value, sizeof value, &number) != PAXOS_OK) {
        return;
    }
    proposed += 1;
    next_ns = now_ns + PROPOSE_NS;
}

int main(void) {
    paxos_config_t config;
    small_config(&config, NODE);
    board_clock_start();
    board_line_start();
    if (paxos_replica_init(block, sizeof block, &config, board_now_ns(), &replica) != PAXOS_OK) {
        return 1;
    }
    uint64_t now_ns = 0;
    while (now_ns < end_ns) {
        board_sleep();
        now_ns = board_now_ns();
        receive(now_ns);
        if (now_ns >= paxos_replica_deadline(replica)) { paxos_replica_tick(replica, now_ns); }
        propose(now_ns);
        run();
    }
    board_print("stack used: ");
    board_print_number(board_stack_used_bytes());
    board_print(" bytes\n");
    return status;
}
