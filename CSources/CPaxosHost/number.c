/* number.c - numbers and sizes as people write them. See paxos_host.h. */
#include <errno.h>

#include "../CLibBSD/shim.h"
#include "paxos_host.h"

const char *paxos_host_number(const char *text, int64_t min, int64_t max, int64_t *number_out) {
    /* strtonum forgives leading blanks and a sign; a number of ours starts with its digits. */
    const char *digits = min < 0 && text[0] == '-' ? text + 1 : text;
    if (digits[0] < '0' || digits[0] > '9') { return "not a number"; }
    const char *why = NULL;
    const long long number = strtonum(text, min, max, &why);
    if (why == NULL) {
        *number_out = number;
        return NULL;
    }
    return errno == ERANGE ? (why[4] == 's' ? "too small" : "too large") : "not a number";
}

const char *paxos_host_size(const char *text, uint64_t min, uint64_t max, uint64_t *bytes_out) {
    if (text[0] < '0' || text[0] > '9') { return "not a size"; }
    uint64_t bytes = 0;
    if (expand_number(text, &bytes) != 0) {
        return errno == ERANGE ? "too large" : "not a size (a number with K, M, G or nothing)";
    }
    if (bytes < min) { return "too small"; }
    if (bytes > max) { return "too large"; }
    *bytes_out = bytes;
    return NULL;
}
