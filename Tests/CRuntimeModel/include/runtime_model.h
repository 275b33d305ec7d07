/* runtime_model.h - stories of nodes on loopback, with real sockets and real files in a directory
 * of their own. Each is run by name, in one thread where it does not say otherwise. */
#ifndef RUNTIME_MODEL_H
#define RUNTIME_MODEL_H

#include <stdint.h>

uint32_t runtime_story_count(void);
const char *runtime_story_name(uint32_t index);

/* NULL, or what went wrong. */
const char *runtime_story_run(uint32_t index);

#endif
