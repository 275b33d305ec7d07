/* transport_sample.h - a connection that was written down, against the handshake and the seals.
 *
 * For tests. Threads any. */
#ifndef TRANSPORT_SAMPLE_H
#define TRANSPORT_SAMPLE_H

#include <stdint.h>

/* The key, both HELLOs of 64 bytes, both PROOFs of 32. */
typedef struct transport_sample {
    const uint8_t *key;
    const uint8_t *dialler;
    const uint8_t *listener;
    const uint8_t *dialler_proof;
    const uint8_t *listener_proof;
} transport_sample_t;

/* A frame from the dialler, with its tag. */
typedef struct transport_sample_frame {
    const uint8_t *header;
    const uint8_t *body;
    uint32_t body_bytes;
    const uint8_t *tag;
} transport_sample_frame_t;

/* Both ends of the connection: who says hello, what is proved, every frame in its place.
 * NULL, or what went wrong. */
const char *transport_sample_check(
    const transport_sample_t *sample, const transport_sample_frame_t *frames, uint32_t count);

#endif
