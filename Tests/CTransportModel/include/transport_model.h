/* transport_model.h - stories of transports on loopback, with peers that keep the rules and peers
 * that do not. Each is run by name; all use real sockets and one thread. */
#ifndef TRANSPORT_MODEL_H
#define TRANSPORT_MODEL_H

#include <stdbool.h>
#include <stdint.h>

uint32_t transport_story_count(void);
const char *transport_story_name(uint32_t index);

/* NULL, or what went wrong. */
const char *transport_story_run(uint32_t index);

/* What the examples of TRANSPORT.md are compared with. */
typedef struct transport_page_hello {
    uint64_t cluster;
    uint64_t instance;
    uint32_t incarnation;
    uint16_t sender;
    uint16_t receiver;
    uint8_t version_min;
    uint8_t version_max;
    uint8_t security;
} transport_page_hello_t;

/* False: it is refused, or written otherwise, but for its nonce. */
bool transport_page_hello(const uint8_t *bytes, transport_page_hello_t *out);

/* Keys 1 to 4, as the dialler derives them or the listener. */
void transport_page_keys(
    const uint8_t *key, const uint8_t *dialler, const uint8_t *listener, bool is_dialler,
    uint8_t *out);

/* What the side of this proof says instead when it refuses; and what some bytes of it say. */
void transport_page_refusal(const uint8_t *proof, uint32_t reason, uint8_t *out);
uint32_t transport_page_verdict(const uint8_t *proof, const uint8_t *bytes);

/* The tag of a frame under a direction's key; false: its header is refused. */
bool transport_page_frame(
    const uint8_t *key, uint32_t lane, uint32_t number, const uint8_t *bytes, uint32_t count,
    uint8_t *tag);

#endif
