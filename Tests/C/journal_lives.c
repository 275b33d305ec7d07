/* journal_lives.c - what finds mistakes in the journal: rows of the safety list on real files, then
 * random lives in memory, in every weather.
 *
 * usage: journal_lives directory seeds
 * The directory is there, and empty. Exit status 1: something is wrong; standard output says
 * what. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "journal_model.h"
#include "journal_rows.h"
#include "paxos_host.h"

enum { CRASHES_PER_RUN = 25, PATH_BYTES = 4096, ROWS = 4 };

static const char *row_2(const char *directory, uint32_t *points) {
    *points = 1;
    return journal_row_accept_raises(directory);
}

static const char *look_at_row(const char *directory, int number) {
    static const char *(*const rows[ROWS])(const char *, uint32_t *) = {
        row_2, journal_row_power_cuts, journal_row_errors, journal_row_base_moves};
    char path[PATH_BYTES];
    uint32_t points = 0;
    (void)snprintf(path, sizeof path, "%s/%d", directory, number);
    if (mkdir(path, 0700) != 0) { return "no directory"; }
    return rows[number](path, &points);
}

int main(int count, char **arguments) {
    int64_t seeds = 0;
    if (count != 3 || paxos_host_number(arguments[2], 1, INT32_MAX, &seeds) != NULL) {
        (void)puts("usage: journal_lives directory seeds");
        return 2;
    }
    for (int i = 0; i < ROWS; i++) {
        const char *wrong = look_at_row(arguments[1], i);
        if (wrong == NULL) { continue; }
        (void)printf("row function %d: %s\n", i, wrong);
        return 1;
    }
    for (int64_t seed = 1; seed <= seeds; seed++) {
        for (int weather = 0; weather < JOURNAL_WEATHERS; weather++) {
            journal_tally_t tally = {0};
            const char *wrong = journal_model_run(
                (uint64_t)seed, (enum journal_weather)weather, CRASHES_PER_RUN, NULL, &tally);
            if (wrong == NULL) { continue; }
            (void)printf("weather %d, seed %" PRId64 ": %s\n", weather, seed, wrong);
            return 1;
        }
    }
    (void)printf("%" PRId64 " seeds: nothing is lost\n", seeds);
    return 0;
}
