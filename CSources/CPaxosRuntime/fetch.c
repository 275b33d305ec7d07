/* fetch.c - members that were away get from the journal what the replicas have trimmed.
 *
 * One answer a turn of poll: between two of them everything else has its turn, so that whoever
 * catches up does not hold the cluster up. An answer that is not given is asked for again. */
#include <string.h>

#include "host.h"
#include "paxos_host.h"

void paxos_host_retain(paxos_host_t *host, const paxos_host_group_t *group) {
    paxos_replica_retain(group->replica, paxos_journal_retained(host->journal, group->number));
}

void paxos_host_want(
    paxos_host_t *host, const paxos_host_group_t *group, const paxos_effect_t *effect) {
    paxos_host_fetch_t *place = NULL;
    for (uint32_t i = 0; i < PAXOS_HOST_FETCHES && place == NULL; i++) {
        paxos_host_fetch_t *fetch = &host->fetches[i];
        const bool is_same = fetch->group == group->number && fetch->effect.node == effect->node;
        if (fetch->is_wanted && is_same) { place = fetch; }
    }
    for (uint32_t i = 0; i < PAXOS_HOST_FETCHES && place == NULL; i++) {
        if (!host->fetches[i].is_wanted) { place = &host->fetches[i]; }
    }
    if (place == NULL) { return; }
    host->wanted += !place->is_wanted;
    place->is_wanted = true;
    place->group = group->number;
    memcpy(&place->effect, effect, sizeof place->effect);
}

/* Send what was found. */
static void answer(paxos_host_t *host, paxos_effect_t *effect, uint32_t count, size_t bytes) {
    if (paxos_effect_fetched(effect, count, host->fetched, bytes) != PAXOS_OK) { return; }
    const paxos_transport_status_t status =
        paxos_transport_send(host->transport, effect->header, host->fetched, effect->body_bytes);
    if (status != PAXOS_TRANSPORT_OK) {
        host->report.frames_dropped += 1;
        return;
    }
    host->report.frames_sent += 1;
    host->report.entries_fetched += count;
    paxos_transport_flush(host->transport, host->now_ns);
}

void paxos_host_fetch(paxos_host_t *host) {
    if (host->wanted == 0) { return; }
    do {
        host->next_fetch = (host->next_fetch + 1) % PAXOS_HOST_FETCHES;
    } while (!host->fetches[host->next_fetch].is_wanted);
    paxos_host_fetch_t *fetch = &host->fetches[host->next_fetch];
    paxos_effect_t *effect = &fetch->effect;
    uint32_t count = 0;
    size_t bytes = 0;
    const paxos_journal_status_t status = paxos_journal_fetch(
        host->journal, fetch->group, effect->slot, effect->count, host->fetched, effect->body_bytes,
        &count, &bytes);
    if (status == PAXOS_JOURNAL_ERR_BUSY) { return; } /* it looks further in the next turn */
    fetch->is_wanted = false;
    host->wanted -= 1;
    if (status == PAXOS_JOURNAL_OK) { answer(host, effect, count, bytes); }
    if (status == PAXOS_JOURNAL_ERR_GONE) {
        paxos_host_retain(host, paxos_host_find(host, fetch->group));
    }
}
