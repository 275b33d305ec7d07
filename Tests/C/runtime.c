/* runtime.c - every story of the runtime, for sanitizers and valgrind; or those that are named by
 * number. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime_model.h"

static int run(uint32_t index) {
    const char *wrong = runtime_story_run(index);
    printf("%s: %s\n", runtime_story_name(index), wrong == NULL ? "ok" : wrong);
    (void)fflush(stdout);
    return wrong != NULL;
}

int main(int count, char **words) {
    int failed = 0;
    for (int i = 1; i < count; i++) { failed += run((uint32_t)atoi(words[i])); }
    for (uint32_t i = 0; count < 2 && i < runtime_story_count(); i++) { failed += run(i); }
    return failed;
}
