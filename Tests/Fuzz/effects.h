/* effects.h - what comes out of a node, and when it may. */
#ifndef FUZZ_EFFECTS_H
#define FUZZ_EFFECTS_H

#include "node.h"

/* The bytes of deliveries are the host's no longer: a call that may move them follows. */
void effects_undeliver(node_t *node);

/* One more record is durable: what it says is what the node must know after a crash. */
void effects_durable(node_t *node, const packet_t *record);

#endif
