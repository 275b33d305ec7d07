/* cluster.c - fuzz target: three replicas, and an input that decides all that happens to them.
 *
 * Frames are lost, repeated, reordered and damaged, time passes as it likes, disks flush late. What
 * must hold, whatever happens, is Paxos Made Simple, section 2.1: only a value that was proposed is
 * chosen, only one is chosen, and nobody learns of one that was not. */
#include "effects.h"
#include "node.h"

enum { NODES = 3, LIVES = 8, FLYING = 48, SLOTS = 1024, NUMBERS = 64, SETTLE_STEPS = 96 };

/* What became of a proposal, as its origin was told. */
enum fate { FATE_NONE, FATE_PROPOSED, FATE_REFUSED, FATE_UNKNOWN };

typedef struct flight {
    packet_t packet;
    uint8_t to;
    uint8_t from;
} flight_t;

static node_t nodes[NODES];
static flight_t flying[FLYING];

static struct {
    uint32_t flying_count;
    uint32_t checksums[SLOTS]; /* of what was delivered; 0: nothing was */
    uint64_t delivered[NODES];
    uint8_t fates[NODES][LIVES][NUMBERS];
    uint16_t slots[NODES][LIVES][NUMBERS]; /* where each proposal was delivered; 0: nowhere */
    uint64_t now_ns;
} world;

static void deliver(uint32_t n, const paxos_effect_t *effect) {
    const node_t *node = &nodes[n];
    const uint8_t *bytes = node->block + effect->body_offset;
    CHECK(effect->slot == world.delivered[n] + 1 && effect->count > 0);
    for (uint32_t i = 0; i < effect->count; i++) {
        const uint64_t slot = effect->slot + i;
        uint32_t entry_bytes = 0;
        CHECK(
            paxos_entry_verify(
                bytes, (size_t)(node->block + node->block_bytes - bytes),
                node->config.value_bytes_max, &entry_bytes) == PAXOS_OK);
        const paxos_entry_t entry = paxos_entry_get(bytes);
        TRACE(
            "%u delivers slot %" PRIu64 " of %u number %" PRIu64 "\n", n + 1, slot, entry.node,
            entry.number);
        if (slot < SLOTS) {
            CHECK(world.checksums[slot] == 0 || world.checksums[slot] == entry.checksum);
            world.checksums[slot] = entry.checksum;
        }
        if (entry.kind == PAXOS_ENTRY_COMMAND) {
            CHECK(entry.node >= 1 && entry.node <= NODES && entry.number < NUMBERS);
            CHECK(entry.incarnation < LIVES);
            const uint32_t origin = entry.node - 1u;
            const uint8_t fate = world.fates[origin][entry.incarnation][entry.number];
            CHECK(fate != FATE_NONE && fate != FATE_REFUSED);
            uint16_t *place = &world.slots[origin][entry.incarnation][entry.number];
            CHECK(*place == 0 || *place == slot);
            *place = (uint16_t)slot;
        } else {
            CHECK(entry.kind == PAXOS_ENTRY_NOOP);
        }
        bytes += entry_bytes;
    }
    world.delivered[n] += effect->count;
}

/* What became of a proposal of a node's present life. */
static uint8_t *fate_of(uint32_t n, uint64_t number) {
    return &world.fates[n][nodes[n].config.incarnation][number];
}

static void outcome(uint32_t n, const paxos_effect_t *effect) {
    TRACE(
        "%u outcome %" PRIu64 "+%u reason %u\n", n + 1, effect->number, effect->count,
        effect->reason);
    CHECK(effect->count > 0 && effect->number > 0);
    for (uint64_t number = effect->number; number < effect->number + effect->count; number++) {
        CHECK(number < NUMBERS && *fate_of(n, number) != FATE_NONE);
        if (effect->reason == PAXOS_REASON_LOST) {
            *fate_of(n, number) = FATE_UNKNOWN;
        } else {
            CHECK(world.slots[n][nodes[n].config.incarnation][number] == 0);
            *fate_of(n, number) = FATE_REFUSED;
        }
    }
}

static void send(uint32_t n, const paxos_effect_t *effect) {
    if (world.flying_count == FLYING || effect->node > NODES) { return; } /* lost */
    flight_t *flight = &flying[world.flying_count];
    world.flying_count += 1;
    node_packet(&nodes[n], effect, &flight->packet);
    flight->to = (uint8_t)(effect->node - 1u);
    flight->from = (uint8_t)n;
}

/* Take one effect and do what it asks; writes become durable, and bodies sent, only if `done`. */
static bool poll_one(uint32_t n, bool done) {
    node_t *node = &nodes[n];
    paxos_effect_t effect;
    if (!node_poll(node, &effect)) { return false; }
    switch (effect.kind) {
        case PAXOS_EFFECT_SEND: send(n, &effect); break;
        case PAXOS_EFFECT_DELIVER: deliver(n, &effect); break;
        case PAXOS_EFFECT_OUTCOME: outcome(n, &effect); break;
        default: break;
    }
    if (done && effect.token != 0) { node_sent(node, effect.token); }
    if (done && effect.lsn != 0) { node_flushed(node, effect.lsn); }
    return true;
}

/* A frame arrives; what is damaged and not sealed again is refused. */
static void arrive(uint32_t index, bool again, input_t *damage) {
    flight_t *flight = &flying[index];
    node_t *node = &nodes[flight->to];
    node->now_ns = world.now_ns;
    packet_t packet = flight->packet;
    if (damage == NULL) {
        if (!again) {
            world.flying_count -= 1;
            *flight = flying[world.flying_count];
        }
        CHECK(node_receive(node, &packet) != PAXOS_ERR_WIRE);
        return;
    }
    const uint8_t bit = input_byte(damage);
    const uint32_t bits = 8 * (PAXOS_FRAME_HEADER_BYTES + packet.body_bytes);
    const uint32_t place = (bit * 251u + 8u * input_byte(damage)) % bits / 8;
    if (place < PAXOS_FRAME_HEADER_BYTES) {
        packet.header[place] ^= (uint8_t)(1u << (bit & 7u));
    } else {
        packet.body[place - PAXOS_FRAME_HEADER_BYTES] ^= (uint8_t)(1u << (bit & 7u));
    }
    const paxos_status_t status = node_receive(node, &packet);
    CHECK(status == PAXOS_ERR_WIRE || status == PAXOS_ERR_BUSY); /* without room, not even read */
}

static void propose(input_t *input, uint32_t n) {
    uint8_t value[80];
    node_t *node = &nodes[n];
    const size_t length = input_byte(input) % sizeof value;
    memset(value, (int)(n + length), sizeof value);
    if (node_replica(node)->number + 1 >= NUMBERS) { return; }
    uint64_t number = 0;
    effects_undeliver(node);
    const paxos_status_t status =
        paxos_replica_propose(node_replica(node), world.now_ns, value, length, &number);
    CHECK((status == PAXOS_ERR_TOO_LARGE) == (length > node->config.value_bytes_max));
    if (status == PAXOS_OK) {
        CHECK(*fate_of(n, number) == FATE_NONE);
        *fate_of(n, number) = FATE_PROPOSED;
    }
    node_check(node);
}

/* A power cut. Its host has applied all that was delivered, or just what it said to be safe. */
static void crash(input_t *input, uint32_t n) {
    const uint64_t applied =
        input_byte(input) % 2 == 0 ? world.delivered[n] : node_replica(&nodes[n])->acceptor.applied;
    if (nodes[n].config.incarnation + 1 == LIVES) { return; }
    if (node_crash(input, &nodes[n], applied)) { world.delivered[n] = applied; }
}

static void tick(uint32_t n) {
    node_t *node = &nodes[n];
    effects_undeliver(node);
    node->now_ns = world.now_ns;
    paxos_replica_tick(node_replica(node), world.now_ns);
    node_check(node);
}

/* A good network for a while, and everybody's clock goes on. */
static void settle(uint32_t without) {
    for (uint32_t i = 0; i < SETTLE_STEPS; i++) {
        bool any = false;
        for (uint32_t n = 0; n < NODES; n++) { any = (n != without && poll_one(n, true)) || any; }
        for (uint32_t at = 0; at < world.flying_count;) {
            if (flying[at].to == without || flying[at].from == without) {
                at += 1;
            } else {
                arrive(at, false, NULL);
                any = true;
            }
        }
        if (!any) { break; }
    }
}

static void pass_time(uint8_t how) {
    static const uint32_t steps[8] = {1, 1000, 20000, 125000, 250000, 600000, 1100000, 5000000};
    world.now_ns += steps[how & 7u];
    for (uint32_t n = 0; n < NODES; n++) {
        if ((how >> 3 & 1u << n) == 0) { tick(n); }
    }
}

static void step(input_t *input) {
    const uint8_t event = input_byte(input);
    const uint32_t n = event / 16 % NODES;
    node_t *node = &nodes[n];
    switch (event % 16) {
        case 0: pass_time(input_byte(input)); break;
        case 1:
            pass_time(input_byte(input));
            settle(NODES);
            break;
        case 2: settle(n); break;
        case 3: settle(NODES); break;
        case 4: propose(input, n); break;
        case 5: crash(input, n); break;
        case 6:
            for (uint32_t i = 0; i < 32 && poll_one(n, false); i++) {}
            break;
        case 7: (void)poll_one(n, (event & 128u) != 0); break;
        case 8: node_flushed(node, node->lsn_polled); break;
        case 9: node_flushed(node, node->marks.flushed + 1); break;
        case 10:
            if (node->span_count != 0) {
                node_sent(node, node->spans[input_byte(input) % node->span_count].token);
            }
            break;
        case 11: node_trim(node, node_replica(node)->delivered); break;
        case 12: node_move(node); break;
        case 13:
            effects_undeliver(node);
            (void)!paxos_replica_campaign(node_replica(node), world.now_ns);
            node_check(node);
            break;
        default: {
            const uint8_t which = input_byte(input);
            if (world.flying_count == 0) { return; }
            const uint32_t index = which % world.flying_count;
            if (event % 16 == 14) {
                arrive(index, (event & 128u) != 0, NULL);
            } else if ((event & 128u) != 0) {
                arrive(index, true, input);
            } else {
                world.flying_count -= 1;
                flying[index] = flying[world.flying_count];
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input_t input = {data, size};
    paxos_config_t config;
    memset(&world, 0, sizeof world);
    node_config(&input, 1, &config);
    config.member_count = NODES;
    config.q1 = config.q2 == 0 ? 0 : (uint16_t)(NODES + 1 - config.q2);
    if (paxos_config_check(&config, NULL) != PAXOS_OK) { return 0; }
    for (uint16_t n = 0; n < NODES; n++) {
        config.node = (uint16_t)(n + 1);
        config.seed = n;
        node_start(&nodes[n], &config, true);
    }
    while (input.left > 0) { step(&input); }
    for (uint32_t n = 0; n < NODES; n++) { node_stop(&nodes[n]); }
    return 0;
}
