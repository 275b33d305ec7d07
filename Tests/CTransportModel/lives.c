/* lives.c - stories of a second process of node 2: the files were copied, or are older ones. */
#include "paxos_host.h"
#include "stories.h"
#include "world.h"

static const uint64_t second_ns = 1000u * 1000u * 1000u;

/* One more process of node 2, in this life; it dials `of_1`, and is dialled at `own`. */
static bool open_second(world_t *second, uint32_t life, uint16_t of_1, uint16_t own) {
    *second = (world_t){
        .ports = {of_1, own, 1}, .incarnations = {0, life - 1, 0}, .dead_timeout_ns = second_ns};
    return world_open_node(second, 1);
}

/* Whether it is told that it is a second one, while the others go on; within ten seconds. */
static bool is_denied(world_t *world, const world_t *second) {
    const uint64_t until_ns = paxos_host_clock_ns() + 10 * second_ns;
    paxos_transport_status_t status = PAXOS_TRANSPORT_OK;
    while (status == PAXOS_TRANSPORT_OK && paxos_host_clock_ns() < until_ns) {
        world_step(world, 1000000);
        status = paxos_transport_poll(second->nodes[1], paxos_host_clock_ns(), 1000000);
    }
    return status == PAXOS_TRANSPORT_ERR_DENIED &&
           paxos_transport_poll(second->nodes[1], paxos_host_clock_ns(), 0) == status;
}

static uint64_t connections(const world_t *world) {
    paxos_transport_peer_report_t report = {.size_bytes = sizeof report};
    return paxos_transport_peer_report(world->nodes[0], 2, &report) ? report.connections : 0;
}

/* Beside the original: in the same life and in an earlier one it is told to stop, and in a later
 * one, as a copy of files in use is, it waits for as long as the original is connected. */
const char *story_second(void) {
    world_t world = {.incarnations = {0, 6, 0}};
    world_t second;
    CHECK(world_open(&world)); /* node 2 is in its seventh life */
    CHECK(open_second(&second, 7, world.ports[0], 0) && is_denied(&world, &second));
    CHECK(world_closed(second.nodes[1], PAXOS_TRANSPORT_DENIED) == 1);
    CHECK(wait_closed(world.nodes[0], PAXOS_TRANSPORT_CLONE, 1));
    world_close_node(&second, 1);
    CHECK(open_second(&second, 6, world.ports[0], 0) && is_denied(&world, &second));
    CHECK(wait_closed(world.nodes[0], PAXOS_TRANSPORT_STALE, 1));
    world_close_node(&second, 1);

    CHECK(open_second(&second, 8, world.ports[0], 0));
    const uint64_t until_ns = paxos_host_clock_ns() + second_ns / 2;
    while (paxos_host_clock_ns() < until_ns) {
        world_step(&world, 1000000);
        CHECK(
            paxos_transport_poll(second.nodes[1], paxos_host_clock_ns(), 1000000) ==
            PAXOS_TRANSPORT_OK);
        CHECK(!world_is_up(&second, 1, 0) && world_is_up(&world, 0, 1) && connections(&world) == 1);
    }
    CHECK(world_closed(second.nodes[1], PAXOS_TRANSPORT_WAITING) > 1);
    CHECK(world_closed(world.nodes[0], PAXOS_TRANSPORT_LIVING) > 1);
    CHECK(!world.has_order_broken);

    /* The original has ended: its next life comes in, and what is older is told. */
    world_close_node(&world, 1);
    while (!world_is_up(&second, 1, 0)) {
        CHECK(paxos_host_clock_ns() < until_ns + 10 * second_ns);
        world_step(&world, 1000000);
        (void)!paxos_transport_poll(second.nodes[1], paxos_host_clock_ns(), 1000000);
    }
    world_t third;
    /* A copy of its files would wait, but not for ever: the one that is connected lives. */
    CHECK(open_second(&third, 9, world.ports[0], 0) && is_denied(&world, &third));
    CHECK(paxos_host_clock_ns() > until_ns + 2 * second_ns && world_is_up(&world, 0, 1));
    world_close_node(&third, 1);
    CHECK(open_second(&third, 7, world.ports[0], 0) && is_denied(&world, &third));
    CHECK(world_is_up(&world, 0, 1));
    world_close_node(&third, 1);
    world_close_node(&second, 1);
    world_close(&world);
    return NULL;
}

/* Who is dialled is told as well: node 3 dials node 2's address, where older files run now. */
const char *story_second_is_dialled(void) {
    world_t world = {.incarnations = {0, 6, 0}};
    world_t second;
    CHECK(world_open(&world));
    world_close_node(&world, 1);
    CHECK(open_second(&second, 6, 1, world.ports[1]) && is_denied(&world, &second));
    CHECK(world_closed(second.nodes[1], PAXOS_TRANSPORT_DENIED) == 1);
    CHECK(world_closed(world.nodes[2], PAXOS_TRANSPORT_STALE) == 1);
    world_close_node(&second, 1);
    world_close(&world);
    return NULL;
}
