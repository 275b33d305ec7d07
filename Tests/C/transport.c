/* transport.c - every story of the transport, for sanitizers and valgrind. */
#include <stdio.h>

#include "transport_model.h"

int main(void) {
    int failed = 0;
    for (uint32_t i = 0; i < transport_story_count(); i++) {
        const char *wrong = transport_story_run(i);
        printf("%s: %s\n", transport_story_name(i), wrong == NULL ? "ok" : wrong);
        (void)fflush(stdout);
        failed += wrong != NULL;
    }
    return failed;
}
