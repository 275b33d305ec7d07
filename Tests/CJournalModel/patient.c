/* patient.c - see patient.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "patient.h"

#include <time.h>

enum { PATIENT_TRIES = 500, PATIENT_PAUSE_NS = 10000000 };

paxos_journal_status_t patient_open(
    const paxos_files_t *files, const char *directory, const paxos_journal_options_t *options,
    paxos_journal_t **journal_out) {
    const struct timespec pause = {0, PATIENT_PAUSE_NS};
    paxos_journal_status_t status = PAXOS_JOURNAL_ERR_LOCKED;
    for (int i = 0; i < PATIENT_TRIES && status == PAXOS_JOURNAL_ERR_LOCKED; i++) {
        if (i > 0) { (void)nanosleep(&pause, NULL); }
        status = paxos_journal_open(files, directory, options, journal_out, NULL);
    }
    return status;
}
