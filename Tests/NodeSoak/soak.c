/* soak.c - three nodes under load; they are killed, their disks fail, and nothing may be lost.
 *
 * usage: node_soak DIRECTORY KILLS ERRORS SEED
 * The directory is there, and empty. */
#define _GNU_SOURCE 1

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ledger.h"
#include "paxos/random.h"
#include "paxos_host.h"

enum { FILES_MAX = 256, EVENTS_A_LOOK = 25, ERROR_CALLS_MAX = 40, OPEN_CALLS_MAX = 8 };

static const uint64_t ms_ns = 1000u * 1000u;
static const uint64_t patience_ns = 60000000000u;

typedef struct member {
    pid_t process; /* 0: it is down */
    int pipe;
    uint32_t errors; /* that had come to pass when it began */
} member_t;

typedef struct soak {
    soak_place_t place;
    ledger_t ledger;
    switches_t *switches; /* of each node */
    member_t members[NODES];
    uint64_t random;
    uint64_t kills;
    uint64_t cuts; /* kills with power_cuts */
    uint64_t errors;
    uint64_t looks;
    uint64_t mark;       /* a slot that each has to deliver */
    uint64_t slowest_ns; /* from an event until each had delivered it */
    const char *wrong;
} soak_t;

static uint32_t below(soak_t *soak, uint32_t bound) {
    return (uint32_t)(paxos_random_next(&soak->random) >> 16) % bound;
}

static bool is_wrong(soak_t *soak, const char *what) {
    if (soak->wrong == NULL) { soak->wrong = what; }
    return false;
}

/* A life of a node begins; its disk as the switches say. */
static void start(soak_t *soak, uint32_t index) {
    member_t *member = &soak->members[index];
    switches_t *switches = &soak->switches[index];
    int ends[2];
    atomic_store(&switches->power_cuts, below(soak, 2));
    member->errors = atomic_load(&switches->came_to_pass);
    const uint64_t seed = paxos_random_next(&soak->random);
    if (pipe(ends) != 0 || (member->process = fork()) < 0) {
        is_wrong(soak, "the system has no process or pipe left");
        member->process = 0;
        return;
    }
    if (member->process == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (int file = 3; file < FILES_MAX; file++) {
            if (file != ends[1]) { (void)close(file); }
        }
        node_live(&soak->place, index, switches, ends[1], seed);
    }
    (void)close(ends[1]);
    member->pipe = ends[0];
}

/* Take what a node told, at most `times` pieces of it; false: it will tell nothing more. */
static bool listen_to(soak_t *soak, uint32_t index, uint32_t times) {
    told_t told[64];
    struct pollfd file = {.fd = soak->members[index].pipe, .events = POLLIN};
    for (uint32_t i = 0; i < times && poll(&file, 1, 0) == 1; i++) {
        const ssize_t got = read(file.fd, told, sizeof told);
        if (got <= 0) { return false; }
        for (size_t n = 0; n < (size_t)got / sizeof told[0]; n++) {
            const char *wrong = ledger_take(&soak->ledger, index, &told[n]);
            if (wrong != NULL) { is_wrong(soak, wrong); }
        }
    }
    return true;
}

/* A life has ended: take its last words. */
static void bury(soak_t *soak, uint32_t index) {
    member_t *member = &soak->members[index];
    while (listen_to(soak, index, 1)) {}
    (void)close(member->pipe);
    member->process = 0;
    atomic_store(&soak->switches[index].calls_left, 0);
}

/* A life that nobody ended: only a disk may have. */
static void look_after(soak_t *soak, uint32_t index) {
    member_t *member = &soak->members[index];
    int status = 0;
    if (member->process == 0 || waitpid(member->process, &status, WNOHANG) == 0) { return; }
    bury(soak, index);
    const uint32_t errors = atomic_load(&soak->switches[index].came_to_pass) - member->errors;
    if (!WIFEXITED(status)) {
        is_wrong(soak, "a node crashed");
    } else if (WEXITSTATUS(status) == NODE_WENT_ON) {
        is_wrong(soak, "a node went on with a file that had failed it");
    } else if (WEXITSTATUS(status) != NODE_STOPPED || errors != 1) {
        is_wrong(soak, "a node stopped, and its disk is not why");
    }
    soak->errors += errors;
}

/* A moment of the recorder's life. */
static void step(soak_t *soak) {
    struct pollfd files[NODES];
    nfds_t count = 0;
    for (uint32_t i = 0; i < NODES; i++) {
        if (soak->members[i].process == 0) { continue; }
        files[count++] = (struct pollfd){.fd = soak->members[i].pipe, .events = POLLIN};
    }
    (void)poll(files, count, 1);
    for (uint32_t i = 0; i < NODES; i++) {
        if (soak->members[i].process == 0) { continue; }
        (void)listen_to(soak, i, 16);
        look_after(soak, i);
    }
}

static void run_for(soak_t *soak, uint64_t span_ns) {
    const uint64_t end_ns = paxos_host_clock_ns() + span_ns;
    while (paxos_host_clock_ns() < end_ns && soak->wrong == NULL) { step(soak); }
}

static bool until(soak_t *soak, bool (*is_so)(const soak_t *soak), const char *otherwise) {
    const uint64_t end_ns = paxos_host_clock_ns() + patience_ns;
    while (!is_so(soak) && soak->wrong == NULL) {
        if (paxos_host_clock_ns() > end_ns) { return is_wrong(soak, otherwise); }
        step(soak);
    }
    return soak->wrong == NULL;
}

static bool have_delivered(const soak_t *soak) {
    for (uint32_t i = 0; i < NODES; i++) {
        const bool is_up = soak->members[i].process != 0;
        if (!is_up || soak->ledger.nodes[i].delivered < soak->mark) { return false; }
    }
    return true;
}

static bool are_even(const soak_t *soak) {
    for (uint32_t i = 0; i < NODES; i++) {
        const ledger_node_t *node = &soak->ledger.nodes[i];
        if (node->quiet != soak->looks || node->durable != soak->ledger.last) { return false; }
    }
    return true;
}

static bool is_one_down(const soak_t *soak) {
    for (uint32_t i = 0; i < NODES; i++) {
        if (soak->members[i].process == 0) { return true; }
    }
    return false;
}

/* Nobody proposes any more: then all have all of it, and each proposal has a fate. */
static void look(soak_t *soak) {
    soak->looks += 1;
    for (uint32_t i = 0; i < NODES; i++) {
        atomic_store(&soak->switches[i].calls_left, 0);
        atomic_store(&soak->switches[i].quiet, (uint32_t)soak->looks);
    }
    (void)until(soak, are_even, "the logs do not become equal");
    for (uint32_t i = 0; i < NODES; i++) { atomic_store(&soak->switches[i].quiet, 0); }
}

/* At once: the second dies before it has noticed the end of the first. */
static void kill_all(soak_t *soak, const bool is_victim[NODES]) {
    for (uint32_t i = 0; i < NODES; i++) {
        if (is_victim[i] && soak->members[i].process != 0) {
            (void)kill(soak->members[i].process, SIGKILL);
        }
    }
    for (uint32_t i = 0; i < NODES; i++) {
        member_t *member = &soak->members[i];
        if (!is_victim[i] || member->process == 0) { continue; }
        (void)waitpid(member->process, NULL, 0);
        soak->kills += 1;
        soak->cuts += atomic_load(&soak->switches[i].power_cuts);
        soak->errors += atomic_load(&soak->switches[i].came_to_pass) - member->errors;
        bury(soak, i);
    }
}

static void kill_one(soak_t *soak, uint32_t index) {
    bool is_victim[NODES] = {false};
    is_victim[index] = true;
    kill_all(soak, is_victim);
}

static uint32_t leader(soak_t *soak) {
    for (uint32_t i = 0; i < NODES; i++) {
        const uint32_t node = soak->ledger.nodes[i].leader;
        if (node != 0) { return node - 1; }
    }
    return below(soak, NODES);
}

/* Held up for so long that another leads, it goes on with what it was about to do. */
static void freeze(soak_t *soak, uint32_t index) {
    const pid_t process = soak->members[index].process;
    if (process == 0) { return; }
    (void)kill(process, SIGSTOP);
    run_for(soak, 200 * ms_ns + below(soak, 400) * ms_ns);
    (void)kill(process, SIGCONT);
    run_for(soak, below(soak, 20) * ms_ns);
}

/* Kills of one kind or another. */
static void kill_some(soak_t *soak) {
    const uint32_t kind = below(soak, 10);
    const uint32_t victim = kind < 6 ? leader(soak) : below(soak, NODES);
    const uint32_t other = (victim + 1 + below(soak, 2)) % NODES;
    bool is_victim[NODES] = {kind == 0, kind == 0, kind == 0};
    is_victim[victim] = true;
    if (kind >= 1 && kind <= 4) { is_victim[other] = true; }
    if (kind == 5) { freeze(soak, victim); }
    kill_all(soak, is_victim);
    if (kind == 9) { /* again, while it comes back */
        start(soak, victim);
        run_for(soak, below(soak, 40) * ms_ns);
        kill_one(soak, victim);
    }
}

/* Those that are down come back one after the other, often so late that the others have gone on
 * without the last: what only that one has must not count. */
static void bring_back(soak_t *soak) {
    const uint32_t first = below(soak, NODES);
    for (uint32_t i = 0; i < NODES && soak->wrong == NULL; i++) {
        const uint32_t index = (first + i) % NODES;
        if (soak->members[index].process != 0) { continue; }
        run_for(soak, below(soak, 2) == 0 ? 0 : below(soak, 400) * ms_ns);
        if (soak->members[index].process == 0) { start(soak, index); }
    }
}

/* A write or flush fails; of three times once also one of the next life's first. */
static void break_disk(soak_t *soak) {
    const uint32_t victim = below(soak, NODES);
    switches_t *switches = &soak->switches[victim];
    atomic_store(&switches->error, below(soak, 2) == 0 ? EIO : ENOSPC);
    atomic_store(&switches->calls_left, 1 + below(soak, ERROR_CALLS_MAX));
    if (!until(soak, is_one_down, "a failed call stops nobody")) { return; }
    if (below(soak, 4) == 0) { kill_one(soak, (victim + 1) % NODES); }
    if (below(soak, 3) != 0) { return; }
    atomic_store(&switches->calls_left, 1 + below(soak, OPEN_CALLS_MAX));
    start(soak, victim);
    run_for(soak, below(soak, 100) * ms_ns);
}

/* One event under load, and what follows: each node is back, and has what came after it. */
static void live_through(soak_t *soak, bool breaks_disk) {
    run_for(soak, below(soak, 50) * ms_ns);
    if (breaks_disk) {
        break_disk(soak);
    } else {
        kill_some(soak);
    }
    const uint64_t start_ns = paxos_host_clock_ns();
    soak->mark = soak->ledger.last + 1;
    bring_back(soak);
    const uint32_t other = below(soak, NODES); /* a call that does a part is no error */
    if (atomic_load(&soak->switches[other].calls_left) == 0) {
        atomic_store(&soak->switches[other].error, 0);
        atomic_store(&soak->switches[other].calls_left, 1 + below(soak, ERROR_CALLS_MAX));
    }
    while (!have_delivered(soak) && soak->wrong == NULL) {
        if (paxos_host_clock_ns() > start_ns + patience_ns) {
            is_wrong(soak, "the cluster stands still");
        }
        step(soak);
        bring_back(soak); /* whose disk failed meanwhile */
    }
    const uint64_t spent_ns = paxos_host_clock_ns() - start_ns;
    if (spent_ns > soak->slowest_ns) { soak->slowest_ns = spent_ns; }
}

/* Free ports of an address that no other run has: they stay free while a node is down. */
static bool take_addresses(soak_t *soak) {
    const uint32_t host = 0x7f000001u | ((uint32_t)getpid() & 0xffffu) << 8;
    for (uint32_t i = 0; i < NODES; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
        socklen_t bytes = sizeof address;
        const int file = socket(AF_INET, SOCK_STREAM, 0);
        const bool is_bound = file >= 0 &&
                              bind(file, (const struct sockaddr *)&address, bytes) == 0 &&
                              getsockname(file, (struct sockaddr *)&address, &bytes) == 0;
        (void)close(file);
        if (!is_bound) { return is_wrong(soak, "no free port"); }
        (void)snprintf(
            soak->place.addresses[i], ADDRESS_BYTES, "127.%u.%u.1:%u", host >> 16 & 0xff,
            host >> 8 & 0xff, ntohs(address.sin_port));
    }
    return true;
}

static void soak_all(soak_t *soak, uint64_t kills, uint64_t errors) {
    if (!take_addresses(soak)) { return; }
    for (uint32_t i = 0; i < NODES; i++) {
        if (node_format(&soak->place, i) != 0) { is_wrong(soak, "no journal can be made"); }
    }
    for (uint32_t i = 0; i < NODES && soak->wrong == NULL; i++) { start(soak, i); }
    soak->mark = 1;
    (void)until(soak, have_delivered, "the cluster does not begin");
    for (uint64_t i = 1; soak->wrong == NULL; i++) {
        const bool wants_kills = soak->kills < kills;
        const bool wants_errors = soak->errors < errors;
        if (!wants_kills && !wants_errors) { break; }
        live_through(soak, wants_errors && (!wants_kills || below(soak, 2) == 0));
        if (soak->wrong == NULL && i % EVENTS_A_LOOK == 0) { look(soak); }
    }
    if (soak->wrong == NULL) { look(soak); }
    for (uint32_t i = 0; i < NODES; i++) {
        if (soak->members[i].process == 0) { continue; }
        (void)kill(soak->members[i].process, SIGKILL);
        (void)waitpid(soak->members[i].process, NULL, 0);
        bury(soak, i);
    }
}

int main(int count, char **words) {
    static soak_t soak;
    int64_t numbers[3] = {0, 0, 0}; /* kills, errors, seed */
    if (count != 5) { is_wrong(&soak, "usage: node_soak DIRECTORY KILLS ERRORS SEED"); }
    for (int i = 0; i < 3 && soak.wrong == NULL; i++) {
        soak.wrong = paxos_host_number(words[2 + i], 0, INT32_MAX, &numbers[i]);
    }
    soak.random = (uint64_t)numbers[2];
    soak.switches = mmap(
        NULL, NODES * sizeof *soak.switches, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
        0);
    if (soak.switches == MAP_FAILED || !ledger_open(&soak.ledger)) { is_wrong(&soak, "no memory"); }
    if (soak.wrong == NULL) {
        soak.place.root = words[1];
        soak_all(&soak, (uint64_t)numbers[0], (uint64_t)numbers[1]);
    }
    const ledger_t *ledger = &soak.ledger;
    (void)printf(
        "nodes: killed %" PRIu64 " times, %" PRIu64 " of them with what was not flushed; stopped"
        " by %" PRIu64 " disk errors; %" PRIu64 " slots, %" PRIu64 " values, %" PRIu64
        " refused, %" PRIu64 " unknown; slowest back after %" PRIu64 " ms; logs equal %" PRIu64
        " times\n",
        soak.kills, soak.cuts, soak.errors, ledger->last, ledger->acknowledged, ledger->refused,
        ledger->unknown, soak.slowest_ns / ms_ns, soak.looks);
    if (soak.wrong != NULL) {
        (void)fprintf(stderr, "node_soak: seed %" PRId64 ": %s\n", numbers[2], soak.wrong);
        for (uint32_t i = 0; i < NODES; i++) {
            (void)fprintf(
                stderr,
                "node_soak: node %u: life %u, delivered %" PRIu64 ", durable %" PRIu64
                ", behind to %" PRIu64 "\n",
                i + 1, ledger->nodes[i].incarnation, ledger->nodes[i].delivered,
                ledger->nodes[i].durable, ledger->nodes[i].behind_to);
        }
    }
    ledger_close(&soak.ledger);
    return soak.wrong != NULL;
}
