/* recycle.c - segments that nobody needs any more, and the next one made ready.
 *
 * A segment is needed while a group's records there speak of slots above its trim point. A table
 * gives it up: it says so, and repeats each group's last record as a MARK. Only when that is
 * durable are the bytes overwritten, with zeros, so that a torn batch can be told later. */
#include "journal.h"

static uint64_t trim_of(const group_t *group) {
    const uint64_t trim = paxos_get64(group->row + 88);
    return group->wanted_trim > trim ? group->wanted_trim : trim;
}

uint32_t paxos_recycle_holder(const paxos_journal_t *j, uint64_t segment) {
    for (uint32_t i = 0; i < j->group_count; i++) {
        if (*paxos_journal_reach(j, segment, i) > trim_of(&j->groups[i])) { return i; }
    }
    return j->group_count;
}

bool paxos_recycle_has_next(const paxos_journal_t *j) {
    return j->newest + 1 - j->oldest < j->segment_count;
}

uint64_t paxos_journal_pressed(const paxos_journal_t *j, uint32_t group) {
    const bool is_short =
        !paxos_recycle_has_next(j) && j->offset_bytes >= paxos_journal_limit_bytes(j) / 2;
    const uint32_t index = paxos_journal_find(j, group);
    if (!is_short || index == j->group_count) { return 0; }
    const uint64_t reach = *paxos_journal_reach(j, j->oldest, index);
    return reach > trim_of(&j->groups[index]) ? reach : 0;
}

uint64_t paxos_recycle_oldest(const paxos_journal_t *j) {
    const bool has_room = j->offset_bytes + j->table_bytes_max <= j->segment_bytes;
    if (paxos_recycle_has_next(j) || !has_room) { return j->oldest; }
    return paxos_recycle_holder(j, j->oldest) == j->group_count ? j->oldest + 1 : j->oldest;
}

paxos_journal_status_t paxos_recycle_zero_piece(paxos_journal_t *j) {
    const uint64_t rest = j->segment_bytes - j->zeroed_bytes;
    const uint64_t length_bytes = rest < ZERO_PIECE_BYTES ? rest : ZERO_PIECE_BYTES;
    const paxos_journal_status_t status = paxos_journal_write(
        j, j->journal_file, j->zeros, length_bytes,
        paxos_journal_place(j, j->newest + 1) + j->zeroed_bytes, "zeroing of a segment");
    if (status == PAXOS_JOURNAL_OK) { j->zeroed_bytes += length_bytes; }
    return status;
}
