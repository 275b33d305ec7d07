/* commit.c - see bench_commit.h. */
#include "bench_commit.h"

#include <stdlib.h>
#include <string.h>

#include "paxos/entry.h"

/* As in Cluster.swift and CommitSuite.swift, or the pair says nothing. */
enum {
    ROUND_NS = 1000,          /* virtual time between two rounds                      */
    LOOK_INTERVAL_NS = 64000, /* virtual time between two looks at who wants a call  */
    TRIM_SLOTS = 64,          /* slots between two trims                              */
    TURNS_MAX = 64            /* a batch that needs more is stuck                     */
};

/* One replica, and what its host keeps of it. */
typedef struct seat {
    paxos_replica_t *replica;
    uint8_t *block;
    uint64_t slot;      /* last slot delivered    */
    uint64_t trimmed;   /* up to where let go     */
    uint64_t delivered; /* entries                */
    uint64_t written;   /* to be flushed; 0: none */
    uint64_t number;    /* of the last command    */
} seat_t;

struct bench_commit {
    seat_t seats[PAXOS_MEMBERS_MAX];
    paxos_effect_t effect;
    uint32_t count;
    bool looks;
    bool is_sound;
    uint64_t now_ns;
    uint64_t next_look_ns;
    const uint8_t *value;
    size_t value_bytes;
};

/* What is delivered: no slot twice or left out, numbers rising, every byte as it was proposed. */
static bool is_sound(const bench_commit_t *cluster, seat_t *seat) {
    const paxos_effect_t *effect = &cluster->effect;
    const uint8_t *entry = seat->block + effect->body_offset;
    bool sound = effect->slot == seat->slot + 1;
    for (uint32_t i = 0; i < effect->count; i++) {
        const paxos_entry_t header = paxos_entry_get(entry);
        if (header.kind == PAXOS_ENTRY_COMMAND) {
            sound =
                sound && header.number > seat->number && header.value_bytes == cluster->value_bytes;
            sound =
                sound &&
                memcmp(entry + PAXOS_ENTRY_HEADER_BYTES, cluster->value, cluster->value_bytes) == 0;
            seat->number = header.number;
        }
        entry += paxos_entry_bytes(header.value_bytes);
    }
    return sound;
}

static void deliver(bench_commit_t *cluster, seat_t *seat) {
    const uint64_t slot = cluster->effect.slot + cluster->effect.count - 1;
    seat->delivered += cluster->effect.count;
    if (cluster->looks) { cluster->is_sound = is_sound(cluster, seat) && cluster->is_sound; }
    seat->slot = slot;
    /* as a state machine would: now and then, not for each slot */
    if (slot - seat->trimmed >= TRIM_SLOTS) {
        seat->trimmed = slot;
        (void)!paxos_replica_trim(seat->replica, slot);
    }
}

static void send(bench_commit_t *cluster, seat_t *seat) {
    const paxos_effect_t *effect = &cluster->effect;
    /* what the receiver makes of it comes back as its reply, or as none */
    (void)!paxos_replica_receive(
        cluster->seats[effect->node - 1].replica, cluster->now_ns, effect->header,
        PAXOS_FRAME_HEADER_BYTES, seat->block + effect->body_offset, effect->body_bytes);
    /* one word for sixteen small bodies to a peer: a later token speaks for those before it */
    const uint64_t token = effect->token;
    if (token != 0 && (token % 16 == 0 || effect->body_bytes >= 1024)) {
        (void)!paxos_replica_sent(seat->replica, token);
    }
}

/* Do all that one replica asks for; the number of effects. */
static uint32_t drain(bench_commit_t *cluster, seat_t *seat) {
    uint32_t effects = 0;
    while (paxos_replica_poll(seat->replica, &cluster->effect)) {
        effects += 1;
        switch (cluster->effect.kind) {
            case PAXOS_EFFECT_SEND: send(cluster, seat); break;
            case PAXOS_EFFECT_DELIVER: deliver(cluster, seat); break;
            case PAXOS_EFFECT_WRITE: seat->written = cluster->effect.lsn; break;
            default: break;
        }
    }
    if (seat->written != 0) {
        (void)!paxos_replica_flushed(seat->replica, cluster->now_ns, seat->written);
        seat->written = 0;
    }
    return effects;
}

/* Let time pass and call whoever wanted to be called by then. */
static void advance(bench_commit_t *cluster, uint64_t now_ns) {
    cluster->now_ns = now_ns;
    if (now_ns < cluster->next_look_ns) { return; }
    cluster->next_look_ns = now_ns + LOOK_INTERVAL_NS;
    for (uint32_t i = 0; i < cluster->count; i++) {
        paxos_replica_t *replica = cluster->seats[i].replica;
        if (paxos_replica_deadline(replica) <= now_ns) { paxos_replica_tick(replica, now_ns); }
    }
}

/* One batch, from proposals to the last delivery; false if it does not get there. */
static bool round_of(bench_commit_t *cluster, uint32_t batch) {
    advance(cluster, cluster->now_ns + ROUND_NS);
    const uint64_t goal = cluster->seats[0].delivered + batch;
    uint64_t number = 0;
    for (uint32_t i = 0; i < batch; i++) {
        if (paxos_replica_propose(
                cluster->seats[0].replica, cluster->now_ns, cluster->value, cluster->value_bytes,
                &number) != PAXOS_OK) {
            return false;
        }
    }
    /* the leader first: its followers wait for it; done with the last one's delivery */
    uint32_t missing = cluster->count;
    for (uint32_t turn = 0; turn < TURNS_MAX; turn++) {
        for (uint32_t i = 0; i < cluster->count; i++) {
            const uint64_t before = cluster->seats[i].delivered;
            (void)drain(cluster, &cluster->seats[i]);
            const uint64_t after = cluster->seats[i].delivered;
            if (after == goal && before != after && --missing == 0) { return true; }
        }
    }
    return false;
}

uint64_t bench_commit_run(bench_commit_t *cluster, uint32_t batch, uint64_t rounds) {
    uint64_t done = 0;
    while (done < rounds && round_of(cluster, batch)) { done += 1; }
    return done;
}

bool bench_commit_look(bench_commit_t *cluster) {
    cluster->looks = true;
    return cluster->is_sound;
}

/* Run effects until nobody has any; false if that never happens. */
static bool settle(bench_commit_t *cluster) {
    for (uint32_t turn = 0; turn < 100000; turn++) {
        uint32_t effects = 0;
        for (uint32_t i = 0; i < cluster->count; i++) {
            effects += drain(cluster, &cluster->seats[i]);
        }
        if (effects == 0) { return true; }
    }
    return false;
}

/* Make the first replica lead. */
static bool elect(bench_commit_t *cluster) {
    paxos_replica_status_t status = {.size_bytes = sizeof status};
    for (uint32_t turn = 0; turn < 10000; turn++) {
        paxos_replica_status(cluster->seats[0].replica, &status);
        if (status.role == 2) { return settle(cluster); }
        (void)!paxos_replica_campaign(cluster->seats[0].replica, cluster->now_ns);
        if (!settle(cluster)) { return false; }
        advance(cluster, cluster->now_ns + 1000000);
    }
    return false;
}

static bool seat_of(seat_t *seat, const paxos_config_t *config) {
    const size_t bytes = paxos_replica_block_bytes(config);
    seat->block =
        aligned_alloc(PAXOS_BLOCK_ALIGNMENT, (bytes + PAXOS_BLOCK_ALIGNMENT - 1) & ~(size_t)63);
    return seat->block != NULL &&
           paxos_replica_init(seat->block, bytes, config, 0, &seat->replica) == PAXOS_OK;
}

bench_commit_t *bench_commit_open(
    const paxos_config_t *configs, uint32_t count, const uint8_t *value, size_t value_bytes) {
    bench_commit_t *cluster = calloc(1, sizeof *cluster);
    if (cluster == NULL) { return NULL; }
    cluster->effect.size_bytes = sizeof cluster->effect;
    cluster->value = value;
    cluster->value_bytes = value_bytes;
    cluster->is_sound = true;
    cluster->count = count;
    bool is_good = count <= PAXOS_MEMBERS_MAX;
    for (uint32_t i = 0; is_good && i < count; i++) {
        is_good = seat_of(&cluster->seats[i], &configs[i]);
    }
    if (is_good && elect(cluster)) {
        for (uint32_t i = 0; i < count; i++) { cluster->seats[i].delivered = 0; }
        return cluster;
    }
    bench_commit_close(cluster);
    return NULL;
}

void bench_commit_close(bench_commit_t *cluster) {
    for (uint32_t i = 0; i < PAXOS_MEMBERS_MAX; i++) { free(cluster->seats[i].block); }
    free(cluster);
}
