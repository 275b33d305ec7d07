/* base.c - the library's version and what happens when its own invariants break. */
#include "paxos/base.h"

uint32_t paxos_version(void) {
    return PAXOS_VERSION;
}

/* Weak, so that a host with a console can print the condition and its own state first. */
__attribute__((weak)) void paxos_panic(const char *condition, const char *file, int line) {
    (void)condition;
    (void)file;
    (void)line;
    __builtin_trap();
}
