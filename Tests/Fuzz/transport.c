/* transport.c - fuzz target: a transport among peers that say anything, some of them with the key.
 *
 * It is node 3: it dials 1 and 2, and is dialled by 4, 5 and 6. Node 6 keeps the rules and must
 * notice nothing. Whoever is delivered a frame can name who sealed it. */
#define _GNU_SOURCE 1

#include "../../CSources/CPaxosTransport/transport.h"

#include <errno.h>
#include <unistd.h>

#include "../CTransportModel/forger.h"
#include "fuzz.h"
#include "sockets.h"

enum {
    OWN = 3,
    HONEST = 6,
    ENDS = 6,
    ACTS = 200,
    SEALED_MAX = ACTS + 1,
    BODY_MAX = 416,
    FRAME_MAX = 512
};

/* The fuzzer's end of a connection. It is clean while all that was written is what a peer with the
 * key says in that place. */
typedef struct end {
    forger_t forger; /* fd -1: none */
    bool is_dialler;
    bool is_clean;
    bool has_greeted;
    bool is_proved;
    uint16_t node;
    uint32_t answer_bytes;
} end_t;

typedef struct sealed {
    uint16_t node;
    uint16_t body_bytes;
    bool is_good;
} sealed_t;

static struct {
    paxos_transport_t *t;
    uint64_t now_ns;
    end_t ends[ENDS]; /* the first is node 6 */
    sealed_t sealed[SEALED_MAX];
    uint32_t sealed_count;
    uint8_t frame[2 * FRAME_MAX]; /* the last one, to be said again */
    uint32_t frame_bytes;
    uint64_t last[HONEST + 1][PAXOS_LANES]; /* one more than the last number that was delivered */
    uint64_t delivered;
    uint64_t told[PAXOS_TRANSPORT_REASONS];
    uint64_t came_up;
} world;

static const uint8_t key[32] = {7, 7, 7};

/* Who was delivered what, and was it sealed, whole, in its place, and once? */
static void check_frame(const paxos_transport_frame_t *frame) {
    uint8_t expected[FRAME_MAX];
    const uint32_t lane = frame->body_bytes == 0 ? PAXOS_LANE_SHORT : PAXOS_LANE_BULK;
    const uint64_t number = paxos_get64(frame->header + (lane == PAXOS_LANE_SHORT ? 64 : 72));
    CHECK(number < world.sealed_count);
    sealed_t *sealed = &world.sealed[number];
    CHECK(sealed->is_good && sealed->node == frame->node);
    CHECK(sealed->body_bytes == frame->body_bytes && number >= world.last[frame->node][lane]);
    sealed->is_good = false;
    world.last[frame->node][lane] = number + 1;
    world_header(expected, sealed->node, OWN, number, sealed->body_bytes);
    world_body(expected + PAXOS_FRAME_HEADER_BYTES, sealed->body_bytes, number);
    CHECK(frame->body == frame->header + PAXOS_FRAME_HEADER_BYTES);
    CHECK(memcmp(expected, frame->header, PAXOS_FRAME_HEADER_BYTES + frame->body_bytes) == 0);
    world.delivered += 1;
}

/* What is counted is what is there, and what was told. */
static void check_counts(void) {
    const paxos_transport_t *t = world.t;
    paxos_transport_report_t report = {.size_bytes = sizeof report};
    paxos_transport_report(t, &report);
    uint64_t closed = 0;
    for (uint32_t i = 0; i < PAXOS_TRANSPORT_REASONS; i++) {
        closed += report.closed[i];
        CHECK(
            world.told[i] ==
            report.closed[i] + (i == PAXOS_TRANSPORT_SYSTEM ? sockets.no_accepts : 0));
    }
    uint32_t live = 0;
    uint32_t pending = 0;
    for (uint32_t i = 0; i < PAXOS_LINKS_MAX; i++) {
        const paxos_link_t *link = &t->links[i];
        live += link->state != PAXOS_LINK_FREE;
        pending += link->state == PAXOS_LINK_SHAKING && !link->is_dialler;
    }
    CHECK(report.accepted + report.dialled == closed + live && report.pending == pending);
    uint64_t received = 0;
    uint64_t came_up = 0;
    for (uint32_t i = 0; i < t->peer_count; i++) {
        const paxos_peer_t *peer = &t->peers[i];
        received += peer->report.frames_received;
        came_up += peer->report.connections;
        CHECK(
            peer->report.frames_queued == peer->report.frames_sent + peer->report.dropped_lost +
                                              peer->queues[0].frames + peer->queues[1].frames);
    }
    CHECK(received == world.delivered && came_up == world.came_up);
}

static void take_frames(uint32_t count) {
    paxos_transport_frame_t frame = {.size_bytes = sizeof frame};
    while (count != 0 && paxos_transport_next(world.t, &frame)) {
        check_frame(&frame);
        count -= 1;
    }
}

static void step(uint32_t count) {
    CHECK(paxos_transport_poll(world.t, world.now_ns, 0) == PAXOS_TRANSPORT_OK);
    take_frames(count);
    paxos_transport_event_t event = {.size_bytes = sizeof event};
    while (paxos_transport_event(world.t, &event)) {
        CHECK(event.reason < PAXOS_TRANSPORT_REASONS && event.node != OWN && event.node <= HONEST);
        CHECK(event.node != HONEST || event.is_up);
        TRACE(
            "  node %u %s: %s\n", event.node, event.is_up ? "up" : "down",
            paxos_transport_reason_words((paxos_transport_reason_t)event.reason));
        world.came_up += event.is_up;
        if (!event.is_up) { world.told[event.reason] += 1; }
    }
    check_counts();
}

/* Write in two parts, with a step between them. False: the system did not take all. */
static bool say(end_t *end, const uint8_t *bytes, size_t count, uint8_t split) {
    const size_t first = split % (count + 1);
    if (end->forger.fd < 0) { return false; }
    if (first != 0 && !forger_write(&end->forger, bytes, first)) { return false; }
    if (split != 0) { step(UINT32_MAX); }
    return first == count || forger_write(&end->forger, bytes + first, count - first);
}

static void hang_up(end_t *end) {
    if (end->forger.fd >= 0) { forger_close(&end->forger); }
    memset(end, 0, sizeof *end);
    end->forger.fd = -1;
}

static void begin(end_t *end, int fd, bool is_dialler) {
    hang_up(end);
    end->forger.fd = fd;
    end->is_dialler = is_dialler;
    end->is_clean = fd >= 0;
}

/* Whether its life was refused, for any of the reasons that are told. */
static bool is_refused(const forger_t *forger) {
    return forger_is_refused(forger, PAXOS_TRANSPORT_STALE) ||
           forger_is_refused(forger, PAXOS_TRANSPORT_CLONE) ||
           forger_is_refused(forger, PAXOS_TRANSPORT_LIVING);
}

/* Read the other side's hello, and its proof where it dialled not; then derive. */
static void read_answer(end_t *end) {
    const uint32_t wanted = end->is_dialler ? 96 : 64;
    if (end->forger.fd < 0 || end->answer_bytes >= wanted) { return; }
    const ssize_t got =
        read(end->forger.fd, end->forger.answer + end->answer_bytes, wanted - end->answer_bytes);
    if (got > 0) { end->answer_bytes += (uint32_t)got; }
    if (end->answer_bytes == wanted) {
        const bool is_right = forger_derive(&end->forger, key, end->is_dialler);
        CHECK(!end->is_clean || !end->is_dialler || is_right || is_refused(&end->forger));
        end->is_clean &= is_right || !end->is_dialler; /* who was refused is not heard */
    }
}

static void drain(const end_t *end) {
    uint8_t bytes[4096];
    while (end->forger.fd >= 0 && read(end->forger.fd, bytes, sizeof bytes) > 0) {}
}

static void say_hello(input_t *input, end_t *end) {
    const uint8_t who = input_byte(input);
    const uint8_t change = input_byte(input);
    end->node = (uint16_t)(who % 8);
    forger_hello(&end->forger, end->node, who >= 0xF0 ? 9 : OWN, 1 + who / 8 % 4);
    paxos_put64(end->forger.hello + 24, who >= 0x80); /* its instance */
    if (change >= 0xC0) { end->forger.hello[change - 0xC0] ^= (uint8_t)(1 + who); }
    end->is_clean &= !end->has_greeted && !end->is_proved;
    end->has_greeted = true;
    read_answer(end);
    if (!end->is_dialler && end->answer_bytes == 64) {
        (void)forger_derive(&end->forger, key, false);
    }
    end->is_clean &= say(end, end->forger.hello, 64, input_byte(input));
}

/* Nobody but node 6 can prove to be node 6. */
static void say_proof(input_t *input, end_t *end) {
    const uint8_t change = input_byte(input);
    uint8_t proof[32];
    read_answer(end);
    memcpy(proof, end->forger.proof, sizeof proof);
    const bool is_changed = change >= 0xE0 || end->node == HONEST;
    if (is_changed) { proof[change % 32] ^= (uint8_t)(1 + change % 255); }
    end->is_clean &= say(end, proof, sizeof proof, input_byte(input)) && !is_changed &&
                     !end->is_proved && end->has_greeted && end->answer_bytes != 0;
    end->is_proved = true;
}

/* The next frame of a connection, into world.frame. */
static void seal(end_t *end, uint16_t receiver, uint32_t body_bytes, bool is_good) {
    world.frame_bytes = forger_frame(
        &end->forger, world.frame, end->node, receiver, world.sealed_count, body_bytes);
    world.sealed[world.sealed_count] =
        (sealed_t){.node = end->node, .body_bytes = (uint16_t)body_bytes, .is_good = is_good};
    world.sealed_count += 1;
}

/* What node 6 says. */
static void say_honestly(uint8_t how, uint8_t split) {
    end_t *end = &world.ends[0];
    seal(end, OWN, how < 0x80 ? 0 : how % 53 * 8, true);
    CHECK(say(end, world.frame, world.frame_bytes, split));
}

/* A frame with its tag, whole or changed. */
static void say_frame(input_t *input, end_t *end) {
    const uint8_t how = input_byte(input);
    const uint32_t body_bytes = how < 0x80 ? 0 : how % 64 * 8;
    const uint8_t change = input_byte(input);
    if (end->forger.fd < 0) { return; }
    const bool is_good = change < 0xE0 && body_bytes <= BODY_MAX;
    end->is_clean &= end->is_proved && is_good;
    seal(end, change == 0xFF ? 2 : OWN, body_bytes, end->is_clean);
    sealed_t *sealed = &world.sealed[world.sealed_count - 1];
    if (change >= 0xE0 && change < 0xFF) {
        const uint8_t place = input_byte(input);
        const uint32_t at =
            place < 0x80 ? place % world.frame_bytes : world.frame_bytes - 1 - place % 64;
        world.frame[at] ^= (uint8_t)(1 << change % 8);
    }
    if (!say(end, world.frame, world.frame_bytes, input_byte(input))) {
        end->is_clean = sealed->is_good = false;
    }
}

/* The last frame of anybody, once more. */
static void say_again(input_t *input, end_t *end) {
    if (world.frame_bytes == 0) { return; }
    end->is_clean = false;
    (void)say(end, world.frame, world.frame_bytes, input_byte(input));
}

static void say_anything(input_t *input, end_t *end) {
    uint8_t bytes[128];
    const uint8_t count = input_byte(input) % sizeof bytes;
    for (uint32_t i = 0; i < count; i++) { bytes[i] = input_byte(input); }
    end->is_clean &= count == 0;
    if (count != 0) { (void)say(end, bytes, count, input_byte(input)); }
}

/* What the transport sends; whoever it is for may not read it. */
static void send_frames(input_t *input) {
    uint8_t frame[FRAME_MAX];
    const uint8_t how = input_byte(input);
    const uint32_t body_bytes = how < 0x80 ? 0 : how % 53 * 8;
    for (uint32_t i = 0; i < 1u + how % 4 * 8; i++) {
        world_header(frame, OWN, (uint16_t)(how % 8), i, body_bytes);
        world_body(frame + PAXOS_FRAME_HEADER_BYTES, body_bytes, i);
        const paxos_transport_status_t status =
            paxos_transport_send(world.t, frame, frame + PAXOS_FRAME_HEADER_BYTES, body_bytes);
        CHECK(status == PAXOS_TRANSPORT_OK || status <= PAXOS_TRANSPORT_ERR_DOWN);
    }
}

/* All that a peer with the key does to come up, whoever dials. */
static void come_up(input_t *input, end_t *end, bool is_dialler) {
    const uint8_t who = input_byte(input);
    begin(end, is_dialler ? sockets_dial() : sockets_dialled(), is_dialler);
    end->node = is_dialler ? 4 + who % 2 : 1;
    step(UINT32_MAX);
    if (!is_dialler) {
        read_answer(end);
        end->node = paxos_get16(end->forger.answer + 18);
    }
    forger_hello(&end->forger, end->node, OWN, 1 + who / 2u);
    paxos_put64(end->forger.hello + 24, 1); /* one process for each life */
    if (!is_dialler) { (void)forger_derive(&end->forger, key, false); }
    end->has_greeted = true;
    end->is_clean = say(end, end->forger.hello, 64, 0) && end->node != HONEST;
    if (is_dialler) { step(UINT32_MAX); }
    read_answer(end);
    if (end->answer_bytes == 0) { return; } /* it was not accepted yet: the proof may follow */
    end->is_proved = true;
    end->is_clean &= say(end, end->forger.proof, 32, 0);
}

static void act(input_t *input) {
    const uint8_t what = input_byte(input);
    end_t *end = &world.ends[1 + what / 32 % (ENDS - 1)];
    TRACE("%u of %u\n", what % 32, 1 + what / 32 % (ENDS - 1));
    switch (what % 32) {
        case 0: begin(end, sockets_dial(), true); break;
        case 1: begin(end, sockets_dialled(), false); break;
        case 2: say_hello(input, end); break;
        case 3: say_proof(input, end); break;
        case 4: say_again(input, end); break;
        case 5: say_anything(input, end); break;
        case 6: hang_up(end); break;
        case 7: drain(end); break;
        case 8: world.now_ns += (uint64_t)input_byte(input) * 20000000u; break;
        case 9: send_frames(input); break;
        case 10: sockets.refusal = what < 128 ? EMFILE : ECONNABORTED; break;
        case 11: step(input_byte(input)); return;
        case 12:
        case 13:
        case 14:
        case 15: come_up(input, end, true); break;
        case 16:
        case 17: come_up(input, end, false); break;
        case 18:
        case 19: {
            const uint8_t how = input_byte(input);
            say_honestly(how, input_byte(input));
            break;
        }
        default: say_frame(input, end); break;
    }
    step(UINT32_MAX);
    drain(&world.ends[0]);
}

static void open_transport(void) {
    static const paxos_transport_peer_t peers[] = {
        {.node = 1, .address = "127.0.0.1:1"},
        {.node = 2, .address = "127.0.0.1:2"},
        {.node = 4},
        {.node = 5},
        {.node = HONEST}};
    const paxos_transport_options_t options = {
        .size_bytes = sizeof options,
        .node = OWN,
        .peer_count = 5,
        .cluster = CLUSTER,
        .incarnation = 1,
        .security = PAXOS_TRANSPORT_KEYED,
        .key = key,
        .listen = "127.0.0.1:9",
        .peers = peers,
        .frame_bytes_max = FRAME_MAX,
        .queue_bytes = 2048,
        .short_frames = 16,
        .receive_bytes = 2 * FRAME_MAX + 64};
    sockets_begin();
    CHECK(paxos_transport_open(&options, 1, &world.t, NULL) == PAXOS_TRANSPORT_OK);
}

/* Node 6 comes up. */
static void meet(void) {
    end_t *end = &world.ends[0];
    begin(end, sockets_dial(), true);
    end->node = HONEST;
    forger_hello(&end->forger, HONEST, OWN, 1);
    step(0);
    CHECK(say(end, end->forger.hello, 64, 0));
    step(0);
    read_answer(end);
    CHECK(say(end, end->forger.proof, 32, 0));
    end->is_proved = true;
    step(0);
    CHECK(world.came_up == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input_t input = {data, size};
    memset(&world, 0, sizeof world);
    world.now_ns = 1;
    for (uint32_t i = 0; i < ENDS; i++) { world.ends[i].forger.fd = -1; }
    open_transport();
    meet();
    for (uint32_t i = 0; i < ACTS && input.left != 0; i++) { act(&input); }
    /* And node 6 is heard, whatever the others did. */
    say_honestly(0, 0);
    for (int i = 0; i < 4; i++) { step(UINT32_MAX); }
    for (uint32_t i = 0; i < world.sealed_count; i++) {
        CHECK(world.sealed[i].node != HONEST || !world.sealed[i].is_good);
    }
    for (uint32_t i = 0; i < ENDS; i++) { hang_up(&world.ends[i]); }
    paxos_transport_close(world.t);
    sockets_end();
    return 0;
}
