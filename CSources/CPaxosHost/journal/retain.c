/* retain.c - from which slot to which what was trimmed can be read back, for sure.
 *
 * The entry that was recorded last for a slot is what is chosen there only if a record vouches for
 * it: WIRE.md, "What was trimmed", says which do, and why. One pass over the headers, in the order
 * of the lsn, knows for which slots one does. A record that is missing may have replaced any entry
 * of a slot that was named before; what is recycled may have been the last for any slot it named.
 * All errs on one side: a slot is said to be retained although its record was recycled, and fetch
 * finds out; never although another value may be chosen there. */
#include "journal.h"

bool paxos_entries_are_whole(const uint8_t *header, const uint8_t *body) {
    const uint32_t body_bytes = paxos_get32(header + 36);
    if (body_bytes == 0) { return true; }
    uint64_t digest = 0;
    return paxos_run_verify(
               body, body_bytes, paxos_get64(header + 48), paxos_get32(header + 32),
               PAXOS_VALUE_BYTES_MAX, &digest) == PAXOS_OK &&
           digest == paxos_get64(header + 72);
}

void paxos_retain_from(group_t *group, uint64_t slot) {
    if (slot > group->retained_from) { group->retained_from = slot; }
    if (slot > group->retained_to + 1) { group->retained_to = slot - 1; }
}

void paxos_retain_note(group_t *group, const uint8_t *header, bool is_lost) {
    const uint64_t lsn = paxos_get64(header + 64);
    if (lsn <= group->noted_lsn) { return; }
    if (lsn != group->noted_lsn + 1 || is_lost) { paxos_retain_from(group, group->highest + 1); }
    group->noted_lsn = lsn;
    const uint64_t slot = paxos_get64(header + 48);
    const uint64_t last = slot == 0 ? 0 : slot + paxos_get32(header + 32) - 1;
    if (last > group->highest) { group->highest = last; }
    if (is_lost) {
        paxos_retain_from(group, group->highest + 1);
        return;
    }
    const bool is_learned = header[7] == PAXOS_RECORD_CHOSEN && slot <= group->retained_to + 1;
    if (is_learned && last > group->retained_to) { group->retained_to = last; }
    const uint64_t trim = paxos_get64(header + 88);
    const uint64_t watermark = paxos_get64(header + 56);
    if (trim > group->retained_to) { paxos_retain_from(group, trim + 1); }
    if (watermark > group->retained_to) { group->retained_to = watermark; }
}

void paxos_retain_recycle(paxos_journal_t *j, uint64_t oldest) {
    for (uint64_t segment = j->oldest; segment < oldest; segment++) {
        for (uint32_t i = 0; i < j->group_count; i++) {
            paxos_retain_from(&j->groups[i], *paxos_journal_reach(j, segment, i) + 1);
        }
    }
}

uint64_t paxos_journal_retained(const paxos_journal_t *j, uint32_t group) {
    const uint32_t index = paxos_journal_find(j, group);
    return index == j->group_count ? 1 : j->groups[index].retained_from;
}
