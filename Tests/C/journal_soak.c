/* journal_soak.c - the journal on real files for long: killed, failing, cut off and damaged.
 *
 * usage: journal_soak directory kills errors seed
 * The directory is there, and empty. What it prints says how much was done; any loss is a
 * failure. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "journal_kill.h"
#include "journal_model.h"
#include "paxos_files.h"
#include "paxos_host.h"

enum { CRASHES_PER_RUN = 25, PATH_BYTES = 4096 };

static int fail(const char *what, uint64_t seed, const char *wrong) {
    (void)fprintf(stderr, "journal_soak: %s, seed %" PRIu64 ": %s\n", what, seed, wrong);
    return 1;
}

static int soak_process(
    const char *directory, uint32_t kills, uint32_t errors, uint64_t seed, bool with_uring) {
    char path[PATH_BYTES];
    journal_kills_t tally = {0};
    const char *who = with_uring ? "a process with io_uring" : "a process";
    (void)snprintf(path, sizeof path, "%s/killed%s", directory, with_uring ? "-uring" : "");
    const char *wrong = journal_kill_run(path, kills, errors, seed, with_uring, &tally);
    if (wrong != NULL) { return fail(who, seed, wrong); }
    (void)printf(
        "%s: killed %" PRIu64 " times, stopped by an error %" PRIu64 " times; of %" PRIu64
        " flushes that it told of none is lost\n",
        who, tally.kills, tally.errors, tally.flushes);
    return 0;
}

/* Lives of acceptors in one weather, until so many have ended, or so many with an error. */
static int soak_weather(
    const char *directory, enum journal_weather weather, uint32_t lives, uint64_t seed) {
    char path[PATH_BYTES];
    journal_tally_t tally = {0};
    uint64_t done = 0;
    for (uint64_t i = 0; done < lives; i++) {
        (void)snprintf(path, sizeof path, "%s/%d-%" PRIu64, directory, (int)weather, i);
        if (mkdir(path, 0700) != 0) { return fail(path, seed, "cannot be made"); }
        const char *wrong = journal_model_run(seed + i, weather, CRASHES_PER_RUN, path, &tally);
        if (wrong != NULL) { return fail("acceptors", seed + i, wrong); }
        done = weather == JOURNAL_ERRORS ? tally.errors : tally.crashes;
    }
    (void)printf(
        "acceptors, weather %d: %" PRIu64 " lives, %" PRIu64 " ended by an error, %" PRIu64
        " records, %" PRIu64 " flushes: no vote is lost\n",
        (int)weather, tally.crashes, tally.errors, tally.records, tally.flushes);
    return 0;
}

int main(int count, char **arguments) {
    int64_t numbers[3]; /* kills, errors, seed */
    if (count != 5) { return fail("usage", 0, "journal_soak directory kills errors seed"); }
    for (int i = 0; i < 3; i++) {
        const char *wrong = paxos_host_number(arguments[2 + i], 1, INT32_MAX, &numbers[i]);
        if (wrong != NULL) { return fail(arguments[2 + i], 0, wrong); }
    }
    const char *directory = arguments[1];
    const uint64_t seed = (uint64_t)numbers[2];
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    const uint32_t kills = (uint32_t)numbers[0];
    const uint32_t errors = (uint32_t)numbers[1];
    paxos_files_t files;
    const bool has_uring = paxos_files_uring_open(&files);
    if (has_uring) { paxos_files_uring_close(&files); }
    if (soak_process(directory, kills, errors, seed, false) != 0 ||
        (has_uring && soak_process(directory, kills, errors, seed, true) != 0)) {
        return 1;
    }
    for (int weather = 0; weather < JOURNAL_WEATHERS; weather++) {
        const uint32_t lives = (uint32_t)(weather == JOURNAL_ERRORS ? numbers[1] : numbers[0] / 8);
        if (soak_weather(directory, (enum journal_weather)weather, lives, seed) != 0) { return 1; }
    }
    return 0;
}
