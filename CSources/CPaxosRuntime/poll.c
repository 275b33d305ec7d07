/* poll.c - one turn after another: time, effects, frames; and waiting for the next. */
#include <errno.h>
#include <sched.h>

#include "host.h"
#include "paxos_host.h"

static bool tick(paxos_host_t *host) {
    for (uint32_t i = 0; i < host->group_count; i++) {
        paxos_host_group_t *group = &host->groups[i];
        if (group->deadline_ns > host->now_ns) { continue; }
        paxos_replica_tick(group->replica, host->now_ns);
        paxos_host_touch(host, group);
    }
    return paxos_host_settle(host, false);
}

static bool fail_frame(paxos_host_t *host, const paxos_host_group_t *group, paxos_status_t status) {
    const char *what = status == PAXOS_ERR_CORRUPT
                           ? "its memory is damaged"
                           : "a member sent another value for a ballot and slot that was voted on";
    (void)paxos_host_blame(
        &host->report.fault, PAXOS_HOST_ERR_REPLICA, (int32_t)status, group->number, what);
    paxos_host_stop(host);
    return false;
}

/* The frame goes to its replica; false: the host has stopped. Without room for an answer it is
 * given once more after the answers before it have left. Without room for its entries, or for
 * the outcomes that it tells of, it is kept, once, if the program can make some and does not leave
 * what it was told of for later: to drop it would cost a good part of an election timeout, or turn
 * what is known into unknown. */
static bool hand_over(paxos_host_t *host, paxos_host_group_t *group, bool is_kept) {
    const paxos_transport_frame_t *frame = &host->frame;
    paxos_status_t status = PAXOS_OK;
    for (uint32_t attempt = 0; attempt < 2; attempt++) {
        paxos_host_touch(host, group);
        status = paxos_replica_receive(
            group->replica, host->now_ns, frame->header, PAXOS_FRAME_HEADER_BYTES, frame->body,
            frame->body_bytes);
        if (status != PAXOS_ERR_BUSY || attempt == 1) { break; }
        if (!paxos_host_settle(host, false)) { return false; }
    }
    const bool has_no_room = status == PAXOS_ERR_FULL || status == PAXOS_ERR_BUSY;
    const bool may_make_room = paxos_replica_has_log(group->replica) && !host->has_told;
    host->has_frame = has_no_room && !is_kept && may_make_room;
    /* Nobody forges frames of a link with a key: the cluster itself is broken. */
    const bool is_broken = status == PAXOS_ERR_CONFLICT && host->is_keyed;
    return status == PAXOS_ERR_CORRUPT || is_broken ? fail_frame(host, group, status) : true;
}

/* Every frame that came, from the one that was kept on. False: the host has stopped. */
static bool receive(paxos_host_t *host) {
    bool is_kept = host->has_frame;
    host->frame.size_bytes = (uint32_t)sizeof host->frame;
    host->has_frame = false;
    while (!host->has_frame && (is_kept || paxos_transport_next(host->transport, &host->frame))) {
        host->report.frames_received += !is_kept;
        paxos_host_group_t *group = paxos_host_find(host, host->frame.group);
        if (group == NULL) {
            host->report.frames_unknown += 1;
        } else if (!hand_over(host, group, is_kept)) {
            return false;
        }
        is_kept = false;
    }
    if (!host->has_link) {
        host->link.size_bytes = (uint32_t)sizeof host->link;
        host->has_link = paxos_transport_event(host->transport, &host->link);
    }
    return paxos_host_settle(host, true);
}

/* Whether next has something that poll did not return for yet. */
static bool has_news(const paxos_host_t *host) {
    if (host->has_told) { return false; }
    if (host->has_link) { return true; }
    for (uint32_t i = 0; i < host->group_count; i++) {
        const paxos_host_group_t *group = &host->groups[i];
        if (group->has_log || group->leader != group->leader_told) { return true; }
    }
    return false;
}

static bool take_alarm(paxos_host_t *host) {
    return atomic_load(&host->is_woken) && atomic_exchange(&host->is_woken, false);
}

static uint64_t group_deadline(const paxos_host_t *host) {
    uint64_t deadline_ns = UINT64_MAX;
    for (uint32_t i = 0; i < host->group_count; i++) {
        if (host->groups[i].deadline_ns < deadline_ns) {
            deadline_ns = host->groups[i].deadline_ns;
        }
    }
    return deadline_ns;
}

uint64_t paxos_host_deadline(const paxos_host_t *host) {
    if (host->transport == NULL) { return UINT64_MAX; }
    const bool is_busy = host->is_due || host->has_frame || host->wanted != 0;
    if (is_busy || has_news(host) || atomic_load(&host->is_woken)) { return 0; }
    const uint64_t deadline_ns = group_deadline(host);
    const uint64_t transport_ns = paxos_transport_deadline(host->transport);
    return deadline_ns < transport_ns ? deadline_ns : transport_ns;
}

int paxos_host_fd(const paxos_host_t *host) {
    return host->transport == NULL ? -1 : paxos_transport_fd(host->transport);
}

/* Let the transport look for frames, for at most so long. False: the host has stopped. */
static bool listen_for(paxos_host_t *host, uint64_t timeout_ns) {
    host->report.turns += 1;
    host->report.sleeps += timeout_ns != 0;
    const paxos_transport_status_t status =
        paxos_transport_poll(host->transport, host->now_ns, timeout_ns);
    if (status != PAXOS_TRANSPORT_OK) {
        const bool is_denied = status == PAXOS_TRANSPORT_ERR_DENIED;
        const int error = is_denied ? 0 : errno;
        const char *what =
            is_denied ? "a peer knows another process as this node: its directory was copied, or "
                        "replaced by an older one, or it has none and was started again"
                      : "the sockets cannot be waited for";
        (void)paxos_host_blame(
            &host->report.fault, PAXOS_HOST_ERR_TRANSPORT, (int32_t)status, 0, what);
        host->report.fault.error = error;
        paxos_host_stop(host);
        return false;
    }
    host->now_ns = paxos_host_clock_ns();
    return receive(host);
}

static uint64_t later(uint64_t now_ns, uint64_t span_ns) {
    return span_ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + span_ns;
}

/* How long to wait for frames, if there is nothing else to do. */
static uint64_t rest_ns(const paxos_host_t *host, uint64_t end_ns) {
    const uint64_t deadline_ns = group_deadline(host);
    const uint64_t until_ns = deadline_ns < end_ns ? deadline_ns : end_ns;
    return until_ns > host->now_ns ? until_ns - host->now_ns : 0;
}

/* Turns, until there is news or the time is over. */
static void work(paxos_host_t *host, uint64_t timeout_ns) {
    host->now_ns = paxos_host_clock_ns();
    const uint64_t end_ns = later(host->now_ns, timeout_ns);
    uint64_t look_until_ns = later(host->now_ns, host->spin_ns);
    bool ends = false;
    while (!ends) {
        if (!tick(host)) { break; }
        if (host->has_frame && !receive(host)) { break; }
        ends = has_news(host) || take_alarm(host) || host->now_ns >= end_ns;
        paxos_host_fetch(host);
        const bool looks = host->now_ns < look_until_ns || host->wanted != 0;
        const uint64_t frames = host->report.frames_received;
        if (host->has_frame) { break; }
        if (!listen_for(host, ends || looks ? 0 : rest_ns(host, end_ns))) { break; }
        ends = ends || host->has_frame || has_news(host) || take_alarm(host);
        if (host->report.frames_received != frames) {
            look_until_ns = later(host->now_ns, host->spin_ns);
        } else if (looks && !ends) {
            (void)sched_yield();
        }
    }
    if (has_news(host)) { host->has_told = true; }
}

paxos_host_status_t paxos_host_poll(paxos_host_t *host, uint64_t timeout_ns) {
    PAXOS_ASSERT(!host->is_within_a_call);
    if (host->transport != NULL) {
        host->is_within_a_call = true;
        work(host, timeout_ns);
        host->is_within_a_call = false;
    }
    return (paxos_host_status_t)host->report.fault.status;
}
