/* cluster.c - three replicas on one board: they decide, lose their leader, and go on.
 *
 * The network is a function call and time is a number, as in hello.c. What the survivors delivered
 * must be the same in the same order, with nothing missing of what was proposed. */
#include "board.h"
#include "paxos/crc32c.h"
#include "paxos/entry.h"
#include "small.h"
#include "string.h"

enum { WORDS = 6, LONG_VALUES = 200, STEP_NS = 1000000, STEPS_MAX = 20000 };

typedef struct node {
    _Alignas(PAXOS_BLOCK_ALIGNMENT) uint8_t block[BLOCK_BYTES];
    paxos_replica_t *replica;
    uint64_t slot;      /* the last one that was delivered */
    uint32_t digest;    /* of all that was */
    uint32_t delivered; /* commands */
    bool is_gone;
} node_t;

static node_t nodes[NODES];
static uint64_t now_ns;

static void deliver(node_t *node, const paxos_effect_t *effect) {
    const uint8_t *bytes = node->block + effect->body_offset;
    for (uint32_t i = 0; i < effect->count; i++) {
        const paxos_entry_t entry = paxos_entry_get(bytes);
        const uint32_t entry_bytes = paxos_entry_bytes(entry.value_bytes);
        node->slot = effect->slot + i;
        node->digest = paxos_crc32c(node->digest, bytes, entry_bytes);
        if (entry.kind == PAXOS_ENTRY_COMMAND) {
            node->delivered += 1;
            if (node->delivered <= WORDS) {
                board_print("node ");
                board_print_number((uint64_t)(node - nodes) + 1);
                board_print(": ");
                board_print_bytes(bytes + PAXOS_ENTRY_HEADER_BYTES, entry.value_bytes);
                board_print("\n");
            }
        }
        bytes += entry_bytes;
    }
    (void)!paxos_replica_trim(node->replica, node->slot);
}

/* Do what a replica asks. */
static void run(node_t *node) {
    paxos_effect_t effect = {.size_bytes = sizeof effect};
    while (paxos_replica_poll(node->replica, &effect)) {
        if (effect.kind == PAXOS_EFFECT_DELIVER) { deliver(node, &effect); }
        if (effect.kind != PAXOS_EFFECT_SEND) { continue; }
        node_t *to = nodes + effect.node - 1;
        if (!to->is_gone) {
            (void)!paxos_replica_receive(
                to->replica, now_ns, effect.header, sizeof effect.header,
                node->block + effect.body_offset, effect.body_bytes);
        }
        if (effect.token != 0) { (void)!paxos_replica_sent(node->replica, effect.token); }
    }
}

static void step(void) {
    now_ns += STEP_NS;
    for (uint32_t i = 0; i < NODES; i++) {
        if (!nodes[i].is_gone) { paxos_replica_tick(nodes[i].replica, now_ns); }
    }
    for (uint32_t i = 0; i < NODES; i++) {
        if (!nodes[i].is_gone) { run(nodes + i); }
    }
}

/* Who leads, of those that are there; nobody: NULL. */
static node_t *leader(void) {
    for (uint32_t i = 0; i < NODES; i++) {
        paxos_replica_status_t status = {.size_bytes = sizeof status};
        paxos_replica_status(nodes[i].replica, &status);
        if (status.leader == i + 1 && !nodes[i].is_gone) { return nodes + i; }
    }
    return NULL;
}

/* The n-th value that is proposed, from 0: a word, later on as many bytes as a value may have. */
static size_t value_of(uint32_t n, uint8_t *out) {
    static const char *const words[WORDS] = {"three", "replicas", "on", "one", "bare", "board"};
    memset(out, (int)n, VALUE_BYTES);
    if (n >= WORDS) { return VALUE_BYTES; }
    size_t bytes = 0;
    for (; words[n][bytes] != 0; bytes++) { out[bytes] = (uint8_t)words[n][bytes]; }
    return bytes;
}

/* Propose through a node, value after value, until all nodes have delivered so many. Only while one
 * leads: what is passed on to a leader that is gone has no certain outcome. */
static bool decide(node_t *proposer, uint32_t commands) {
    uint32_t proposed = proposer->delivered;
    for (uint32_t i = 0; i < STEPS_MAX; i++) {
        uint8_t value[VALUE_BYTES];
        uint64_t number = 0;
        const size_t bytes = value_of(proposed, value);
        if (proposed < commands && leader() != NULL &&
            paxos_replica_propose(proposer->replica, now_ns, value, bytes, &number) == PAXOS_OK) {
            proposed += 1;
        }
        step();
        bool all = true;
        for (uint32_t n = 0; n < NODES; n++) {
            all = all && (nodes[n].is_gone || nodes[n].delivered == commands);
        }
        if (all) { return true; }
    }
    return false;
}

static bool start(void) {
    for (uint32_t i = 0; i < NODES; i++) {
        paxos_config_t config;
        small_config(&config, (uint16_t)(i + 1));
        if (paxos_replica_init(
                nodes[i].block, sizeof nodes[i].block, &config, now_ns, &nodes[i].replica) !=
            PAXOS_OK) {
            return false;
        }
    }
    return true;
}

static int failed(const char *what) {
    board_print("failed: ");
    board_print(what);
    board_print("\n");
    return 1;
}

int main(void) {
    if (!start()) { return failed("init"); }
    if (!decide(nodes, WORDS / 2)) { return failed("three replicas decide"); }
    node_t *gone = leader();
    if (gone == NULL) { return failed("one of them leads"); }
    gone->is_gone = true;
    board_print("the leader is gone\n");
    node_t *one = nodes + (gone == nodes ? 1 : 0);
    node_t *other = nodes + (gone == nodes + 2 ? 1 : 2);
    if (!decide(one, WORDS)) { return failed("two replicas decide"); }
    if (leader() == NULL) { return failed("another one leads"); }
    if (!decide(other, WORDS + LONG_VALUES)) { return failed("the log goes on"); }
    if (one->slot != other->slot || one->digest != other->digest) {
        return failed("both delivered the same");
    }
    board_print("both survivors delivered the same ");
    board_print_number(one->delivered);
    board_print(" values\n");
    const uint32_t stack_bytes = board_stack_used_bytes();
    if (stack_bytes == 0) { return 0; } /* not measured here */
    board_print("stack used: ");
    board_print_number(stack_bytes);
    board_print(" bytes\n");
    return 0;
}
