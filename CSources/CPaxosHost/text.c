/* text.c - sizes and counts for a person to read. See paxos_host.h. */
#include <stdio.h>

#include "../CLibBSD/shim.h"
#include "paxos_host.h"

static const char *humanize(uint64_t number, char *text, int flags) {
    const int64_t shown = number > INT64_MAX ? INT64_MAX : (int64_t)number;
    /* Five bytes hold three digits and a unit: enough to compare, short enough for a table. */
    const int length =
        humanize_number(text, 5, shown, "", HN_AUTOSCALE, HN_NOSPACE | HN_DECIMAL | flags);
    if (length < 0) { (void)snprintf(text, PAXOS_HOST_TEXT_BYTES, "?"); }
    return text;
}

const char *paxos_host_size_text(uint64_t bytes, char text[PAXOS_HOST_TEXT_BYTES]) {
    return humanize(bytes, text, HN_B);
}

const char *paxos_host_count_text(uint64_t count, char text[PAXOS_HOST_TEXT_BYTES]) {
    return humanize(count, text, HN_DIVISOR_1000);
}
