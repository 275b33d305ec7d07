/* words.c - statuses and faults for a person. */
#include "host.h"

const char *paxos_host_words(paxos_host_status_t status) {
    switch (status) {
        case PAXOS_HOST_OK: return "all is well";
        case PAXOS_HOST_ERR_OPTIONS: return "an option breaks a rule";
        case PAXOS_HOST_ERR_SYSTEM: return "the system refused something";
        case PAXOS_HOST_ERR_JOURNAL: return "the journal refused, or its disk failed";
        case PAXOS_HOST_ERR_TRANSPORT: return "the transport refused, or failed";
        case PAXOS_HOST_ERR_REPLICA: return "a replica refused what it was given";
    }
    return "an unknown status";
}

paxos_host_status_t paxos_host_blame(
    paxos_host_fault_t *fault, paxos_host_status_t status, int32_t detail, uint32_t group,
    const char *what) {
    *fault = (paxos_host_fault_t){
        .status = (int32_t)status, .detail = detail, .group = group, .what = what};
    return status;
}

/* The journal's own words where they say more than the status does. */
paxos_host_status_t paxos_host_blame_journal(
    paxos_host_fault_t *fault, paxos_journal_status_t status, const paxos_journal_fault_t *from) {
    const bool says_more = status == PAXOS_JOURNAL_ERR_SYSTEM || status == PAXOS_JOURNAL_ERR_SHAPE;
    const char *what = says_more && from->what != NULL ? from->what : paxos_journal_words(status);
    (void)paxos_host_blame(fault, PAXOS_HOST_ERR_JOURNAL, (int32_t)status, 0, what);
    fault->error = from->error;
    return PAXOS_HOST_ERR_JOURNAL;
}
