/* descriptors.c - the story of a process that has no descriptor left, in a process of its own. */
#define _GNU_SOURCE 1

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "paxos_host.h"
#include "stories.h"
#include "world.h"

static const uint64_t ms_ns = 1000u * 1000u;

/* From now on no descriptor is to be had. */
static bool use_up(void) {
    struct rlimit most;
    const int lowest = dup(STDERR_FILENO);
    if (lowest < 0 || close(lowest) != 0) { return false; }
    if (getrlimit(RLIMIT_NOFILE, &most) != 0) { return false; }
    most.rlim_cur = (rlim_t)lowest;
    return setrlimit(RLIMIT_NOFILE, &most) == 0;
}

static bool lift(void) {
    struct rlimit most;
    if (getrlimit(RLIMIT_NOFILE, &most) != 0) { return false; }
    most.rlim_cur = most.rlim_max < 1024 ? most.rlim_max : 1024;
    return setrlimit(RLIMIT_NOFILE, &most) == 0;
}

static void step_for(world_t *world, uint64_t ns) {
    const uint64_t until_ns = paxos_host_clock_ns() + ns;
    while (paxos_host_clock_ns() < until_ns) { world_step(world, ms_ns); }
}

/* How often it was told that the system refused a descriptor. */
static uint32_t refusals(paxos_transport_t *transport, uint16_t node) {
    uint32_t count = 0;
    paxos_transport_event_t event = {.size_bytes = sizeof event};
    while (paxos_transport_event(transport, &event)) {
        count += event.node == node && event.error == EMFILE;
    }
    return count;
}

/* Who waits is let in later; meanwhile the loop sleeps, and the others are served. */
static const char *accepting(world_t *world) {
    forger_t forger;
    paxos_transport_report_t report = {.size_bytes = sizeof report};
    CHECK(refusals(world->nodes[0], 0) == 0);
    CHECK(forger_dial(&forger, world->ports[0]) && use_up());
    paxos_transport_report(world->nodes[0], &report);
    const uint64_t accepted = report.accepted;
    CHECK(world_send(world, 1, 0, 256) == PAXOS_TRANSPORT_OK);
    step_for(world, 250 * ms_ns);
    const uint32_t told = refusals(world->nodes[0], 0);
    CHECK(told >= 1 && told <= 4); /* one for each pause */
    CHECK(world->received[0][1][1] == 1 && !world->has_bytes_broken);
    CHECK(lift());
    step_for(world, 250 * ms_ns);
    paxos_transport_report(world->nodes[0], &report);
    CHECK(report.accepted == accepted + 1);
    forger_close(&forger);
    return NULL;
}

/* Who cannot dial tries again, less and less often, until it can. */
static const char *dialling(world_t *world) {
    world_close_node(world, 2);
    CHECK(world_open_node(world, 2) && use_up());
    step_for(world, 250 * ms_ns);
    paxos_transport_report_t report = {.size_bytes = sizeof report};
    paxos_transport_report(world->nodes[2], &report);
    CHECK(report.dialled >= 4 && report.dialled <= 20 && report.up == 0);
    CHECK(report.closed[PAXOS_TRANSPORT_SYSTEM] == report.dialled);
    CHECK(refusals(world->nodes[2], 1) + refusals(world->nodes[2], 2) != 0);
    paxos_transport_peer_report_t peer = {.size_bytes = sizeof peer};
    CHECK(paxos_transport_peer_report(world->nodes[2], 1, &peer));
    CHECK(peer.last_reason == PAXOS_TRANSPORT_SYSTEM && peer.last_error == EMFILE);
    CHECK(lift() && world_connect(world));
    return NULL;
}

static const char *run(void) {
    world_t world = {0};
    CHECK(world_open(&world));
    const char *wrong = accepting(&world);
    if (wrong == NULL) { wrong = dialling(&world); }
    world_close(&world);
    return wrong;
}

const char *story_descriptors(void) {
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        closefrom(3); /* other tests' sockets, ports and locks */
        const char *wrong = run();
        if (wrong != NULL) { (void)fprintf(stderr, "without descriptors: %s\n", wrong); }
        _exit(wrong != NULL);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return NULL;
}
