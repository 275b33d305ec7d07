/* clock.c - see paxos_host.h. */
#define _POSIX_C_SOURCE 200809L

#include <time.h>

#include "paxos_host.h"

static uint64_t read_ns(clockid_t clock) {
    struct timespec now = {0, 0};
    /* Both clocks exist wherever POSIX timers do; the call has no other way to fail. */
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t paxos_host_clock_ns(void) {
    return read_ns(CLOCK_MONOTONIC);
}

uint64_t paxos_host_cpu_ns(void) {
    return read_ns(CLOCK_THREAD_CPUTIME_ID);
}
