/* transport.c - the stories of the transport, for sanitizers, valgrind and mutations.
 *
 * usage: transport [TEXT]    those with the text in their names; without it, every one */
#include <stdio.h>
#include <string.h>

#include "transport_model.h"

int main(int count, char **arguments) {
    int failed = 0;
    int told = 0;
    for (uint32_t i = 0; i < transport_story_count(); i++) {
        if (count > 1 && strstr(transport_story_name(i), arguments[1]) == NULL) { continue; }
        told += 1;
        const char *wrong = transport_story_run(i);
        printf("%s: %s\n", transport_story_name(i), wrong == NULL ? "ok" : wrong);
        (void)fflush(stdout);
        failed += wrong != NULL;
    }
    return told == 0 ? 64 : failed;
}
