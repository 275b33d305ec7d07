/* words.c - statuses and reasons for a person, and events for a log. */
#include "transport.h"

const char *paxos_transport_words(paxos_transport_status_t status) {
    switch (status) {
        case PAXOS_TRANSPORT_OK: return "all is well";
        case PAXOS_TRANSPORT_ERR_SYSTEM: return "the system refused something";
        case PAXOS_TRANSPORT_ERR_OPTIONS: return "an option breaks a rule";
        case PAXOS_TRANSPORT_ERR_DOWN: return "there is no connection";
        case PAXOS_TRANSPORT_ERR_FULL: return "the queue is full";
        case PAXOS_TRANSPORT_ERR_FRAME: return "no frame of this node to a peer";
        case PAXOS_TRANSPORT_ERR_DENIED: return "a peer knows another process as this node";
    }
    return "an unknown status";
}

const char *paxos_transport_reason_words(paxos_transport_reason_t reason) {
    static const char *const words[PAXOS_TRANSPORT_REASONS] = {
        [PAXOS_TRANSPORT_NONE] = "for no reason",
        [PAXOS_TRANSPORT_ENDED] = "the other side closed it",
        [PAXOS_TRANSPORT_SYSTEM] = "the system closed it",
        [PAXOS_TRANSPORT_TIMEOUT] = "the handshake took too long",
        [PAXOS_TRANSPORT_CROWDED] = "too many unfinished handshakes",
        [PAXOS_TRANSPORT_REPLACED] = "the peer has opened a newer one",
        [PAXOS_TRANSPORT_HELLO] = "no handshake of this protocol",
        [PAXOS_TRANSPORT_VERSION_UNKNOWN] = "no version that both know",
        [PAXOS_TRANSPORT_SECURITY] = "one side has a key and the other has none",
        [PAXOS_TRANSPORT_CLUSTER] = "another cluster",
        [PAXOS_TRANSPORT_NODE] = "not a peer, or not the one that should dial",
        [PAXOS_TRANSPORT_PROOF] = "another key",
        [PAXOS_TRANSPORT_STALE] = "an earlier life of a node that was seen in a later one",
        [PAXOS_TRANSPORT_CLONE] = "a second process with the same node and incarnation",
        [PAXOS_TRANSPORT_MALFORMED] = "a malformed frame",
        [PAXOS_TRANSPORT_OVERSIZED] = "an oversized frame",
        [PAXOS_TRANSPORT_FOREIGN] = "a frame of another cluster, sender or receiver",
        [PAXOS_TRANSPORT_FORGED] = "a frame without the right tag",
        [PAXOS_TRANSPORT_LIVING] = "the node is still connected in an earlier life",
        [PAXOS_TRANSPORT_DENIED] = "the peer knows another process as this node",
        [PAXOS_TRANSPORT_WAITING] = "to the peer an earlier life of this node is still connected",
    };
    return (uint32_t)reason < PAXOS_TRANSPORT_REASONS ? words[reason] : "an unknown reason";
}

void paxos_event_push(
    paxos_transport_t *t, uint16_t node, bool is_up, paxos_transport_reason_t reason, int error) {
    paxos_transport_event_t *event = &t->events[t->events_in % PAXOS_TRANSPORT_EVENTS_MAX];
    event->size_bytes = (uint32_t)sizeof *event;
    event->node = node;
    event->is_up = is_up;
    event->reason = reason;
    event->error = error;
    t->events_in += 1;
    if (t->events_in - t->events_out > PAXOS_TRANSPORT_EVENTS_MAX) {
        t->events_out = t->events_in - PAXOS_TRANSPORT_EVENTS_MAX;
    }
}

bool paxos_transport_event(paxos_transport_t *t, paxos_transport_event_t *event) {
    PAXOS_ASSERT(event->size_bytes == sizeof *event);
    if (t->events_out == t->events_in) { return false; }
    *event = t->events[t->events_out % PAXOS_TRANSPORT_EVENTS_MAX];
    t->events_out += 1;
    return true;
}
