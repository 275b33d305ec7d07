/* patient.h - open a journal that another process may hold for a moment.
 *
 * Tests start processes side by side, and until such a one becomes another program, or lets go, it
 * holds the locks of all that its parent has open.
 * Threads  any. */
#ifndef PATIENT_H
#define PATIENT_H

#include "paxos_journal.h"

/* paxos_journal_open, again and again for five seconds while it is locked. */
paxos_journal_status_t patient_open(
    const paxos_files_t *files, const char *directory, const paxos_journal_options_t *options,
    paxos_journal_t **journal_out);

#endif
