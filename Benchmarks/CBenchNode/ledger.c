/* ledger.c - see ledger.h. */
#define _GNU_SOURCE 1

#include "ledger.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench_node.h"
#include "paxos/crc32c.h"

/* Proposals of one life of one node that can be told apart; the loads that look are shorter. */
enum { NUMBERS_MAX = 1 << 24, LIVES_MAX = 2 };

/* Sums alternate, so that a process that is killed leaves the last one whole; taken says which. */
struct ledger_page {
    _Atomic uint64_t taken;
    ledger_sum_t sums[2];
    uint8_t seen[BENCH_NODES][LIVES_MAX][NUMBERS_MAX / 8];
};

bool ledger_open(ledger_t *ledger, const char *path, bool looks) {
    const size_t bytes = sizeof *ledger->page;
    int file = -1;
    if (path != NULL) {
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (file < 0 || ftruncate(file, (off_t)bytes) != 0) { return false; }
    }
    const int flags = path != NULL ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
    void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, file, 0);
    if (file >= 0) { (void)close(file); }
    if (page == MAP_FAILED) { return false; }
    ledger->page = page;
    ledger->looks = looks;
    ledger->sum = ledger->page->sums[atomic_load(&ledger->page->taken) & 1];
    return true;
}

/* Where it is noted that a command was given; NULL: it cannot be told apart. */
static uint8_t *place_of(const ledger_t *ledger, const paxos_entry_t *entry) {
    const bool is_known = entry->node >= 1 && entry->node <= BENCH_NODES &&
                          entry->incarnation >= 1 && entry->incarnation <= LIVES_MAX &&
                          entry->number < NUMBERS_MAX;
    if (!is_known) { return NULL; }
    return &ledger->page->seen[entry->node - 1][entry->incarnation - 1][entry->number / 8];
}

/* The sum stands, also for who comes after this process. */
static void keep(ledger_t *ledger, uint64_t slot) {
    ledger->sum.slot = slot;
    const uint64_t taken = atomic_load(&ledger->page->taken) + 1;
    ledger->page->sums[taken & 1] = ledger->sum;
    atomic_store(&ledger->page->taken, taken);
}

/* An entry is noted when its sum stands: killed in between, the next life is given it once more. */
static void take(
    ledger_t *ledger, uint64_t slot, const uint8_t *bytes, const paxos_entry_t *entry) {
    uint8_t place[8];
    paxos_put64(place, slot);
    ledger->sum.digest = paxos_crc32c(ledger->sum.digest, place, sizeof place);
    ledger->sum.digest =
        paxos_crc32c(ledger->sum.digest, bytes, paxos_entry_bytes(entry->value_bytes));
    const bool is_command = entry->kind == PAXOS_ENTRY_COMMAND;
    uint8_t *seen = is_command ? place_of(ledger, entry) : NULL;
    const uint8_t bit = (uint8_t)(1u << entry->number % 8);
    ledger->sum.commands += is_command;
    ledger->sum.doubles += is_command && (seen == NULL || (*seen & bit) != 0);
    keep(ledger, slot);
    if (seen != NULL) { *seen |= bit; }
}

void ledger_take(ledger_t *ledger, uint64_t slot, const uint8_t *entries, uint32_t count) {
    if (!ledger->looks) {
        keep(ledger, slot + count - 1);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const paxos_entry_t entry = paxos_entry_get(entries);
        take(ledger, slot + i, entries, &entry);
        entries += paxos_entry_bytes(entry.value_bytes);
    }
}
