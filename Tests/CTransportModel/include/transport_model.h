/* transport_model.h - stories of transports on loopback, with peers that keep the rules and peers
 * that do not. Each is run by name; all use real sockets and one thread. */
#ifndef TRANSPORT_MODEL_H
#define TRANSPORT_MODEL_H

#include <stdint.h>

uint32_t transport_story_count(void);
const char *transport_story_name(uint32_t index);

/* NULL, or what went wrong. */
const char *transport_story_run(uint32_t index);

#endif
