/* open.c - the life of a host: it opens, it may stop, it is closed. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "host.h"
#include "paxos_host.h"

paxos_host_group_t *paxos_host_find(const paxos_host_t *host, uint32_t number) {
    uint32_t low = 0;
    uint32_t high = host->group_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (host->groups[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const bool is_there = low < host->group_count && host->groups[low].number == number;
    return is_there ? (paxos_host_group_t *)(uintptr_t)&host->groups[low] : NULL;
}

/* Nobody reads it: each write is an edge, and that is all that is wanted. */
static paxos_host_status_t watch_alarm(paxos_host_t *host, paxos_host_fault_t *fault) {
    host->alarm = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (host->alarm >= 0 &&
        paxos_transport_watch(host->transport, host->alarm) == PAXOS_TRANSPORT_OK) {
        return PAXOS_HOST_OK;
    }
    const int error = errno;
    (void)paxos_host_blame(fault, PAXOS_HOST_ERR_SYSTEM, 0, 0, "no descriptor to be woken by");
    fault->error = error;
    return PAXOS_HOST_ERR_SYSTEM;
}

static paxos_host_status_t connect(
    paxos_host_t *host, const paxos_host_options_t *options, paxos_host_fault_t *fault) {
    paxos_transport_options_t how;
    paxos_host_connect(options, host->report.incarnation, &how);
    paxos_transport_fault_t refused = {0, NULL};
    host->now_ns = paxos_host_clock_ns();
    const paxos_transport_status_t status =
        paxos_transport_open(&how, host->now_ns, &host->transport, &refused);
    if (status == PAXOS_TRANSPORT_OK) { return watch_alarm(host, fault); }
    (void)paxos_host_blame(
        fault,
        status == PAXOS_TRANSPORT_ERR_OPTIONS ? PAXOS_HOST_ERR_OPTIONS : PAXOS_HOST_ERR_TRANSPORT,
        (int32_t)status, 0, refused.what != NULL ? refused.what : paxos_transport_words(status));
    fault->error = refused.error;
    return (paxos_host_status_t)fault->status;
}

paxos_host_status_t paxos_host_open(
    const paxos_host_options_t *options, paxos_host_t **host_out, paxos_host_fault_t *fault) {
    paxos_host_fault_t unread;
    if (fault == NULL) { fault = &unread; }
    *host_out = NULL;
    if (paxos_host_breaks_rule(options, true, fault)) { return PAXOS_HOST_ERR_OPTIONS; }
    paxos_host_t *host = calloc(1, sizeof *host + options->group_count * sizeof host->groups[0]);
    if (host == NULL) {
        (void)paxos_host_blame(fault, PAXOS_HOST_ERR_SYSTEM, 0, 0, "no memory for the groups");
        fault->error = ENOMEM;
        return PAXOS_HOST_ERR_SYSTEM;
    }
    host->alarm = -1;
    host->is_keyed = options->transport.security == PAXOS_TRANSPORT_KEYED;
    host->group_count = options->group_count;
    host->spin_ns = options->spin_ns;
    host->now_ns = paxos_host_clock_ns();
    host->report.node = options->groups[0].node;
    host->report.group_count = options->group_count;
    paxos_host_status_t status = paxos_host_recover(host, options, fault);
    if (status == PAXOS_HOST_OK) { status = connect(host, options, fault); }
    if (status != PAXOS_HOST_OK) {
        paxos_host_close(host);
        return status;
    }
    *host_out = host;
    return PAXOS_HOST_OK;
}

void paxos_host_stop(paxos_host_t *host) {
    paxos_transport_close(host->transport);
    host->transport = NULL;
}

void paxos_host_wake(paxos_host_t *host) {
    static const uint64_t one = 1;
    if (atomic_exchange(&host->is_woken, true)) { return; } /* somebody's write is on its way */
    const int error = errno;
    /* It fails only at 2^64 - 1 edges, and an edge was then seen. */
    if (write(host->alarm, &one, sizeof one) < 0) { errno = error; }
}

void paxos_host_close(paxos_host_t *host) {
    if (host == NULL) { return; }
    PAXOS_ASSERT(!host->is_within_a_call);
    host->is_within_a_call = true;
    paxos_transport_close(host->transport);
    paxos_journal_close(host->journal);
    if (host->alarm >= 0) { (void)close(host->alarm); }
    free(host->memory);
    free(host);
}
