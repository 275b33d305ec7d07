/* slip.h - frames over a line of bytes: each ends with 0xC0, which is escaped within.
 *
 * Nothing here is checked: what a noisy line made of a frame is refused by the replica.
 * Source   RFC 1055. */
#ifndef SLIP_H
#define SLIP_H

#include <stdbool.h>
#include <stdint.h>

enum { SLIP_END = 0xC0, SLIP_ESCAPE = 0xDB, SLIP_ESCAPED_END = 0xDC, SLIP_ESCAPED_ESCAPE = 0xDD };

/* Where a frame comes together. */
typedef struct slip {
    uint8_t *frame;
    uint32_t frame_bytes_max;
    uint32_t count;
    bool is_escaped;
} slip_t;

/* Take the next byte of the line. Returns the length of the frame that it ends; 0: none. One that
 * is too long goes. */
static inline uint32_t slip_take(slip_t *slip, uint8_t byte) {
    if (byte == SLIP_END) {
        const uint32_t count = slip->count;
        slip->count = 0;
        slip->is_escaped = false;
        return count <= slip->frame_bytes_max ? count : 0;
    }
    if (byte == SLIP_ESCAPE) {
        slip->is_escaped = true;
        return 0;
    }
    if (slip->is_escaped) { byte = byte == SLIP_ESCAPED_END ? SLIP_END : SLIP_ESCAPE; }
    slip->is_escaped = false;
    if (slip->count < slip->frame_bytes_max) { slip->frame[slip->count] = byte; }
    if (slip->count <= slip->frame_bytes_max) { slip->count += 1; }
    return 0;
}

/* The escaped form of one byte of a frame, to be written: returns how many bytes it has, 1 or 2. */
static inline uint32_t slip_put(uint8_t byte, uint8_t out[2]) {
    out[0] = SLIP_ESCAPE;
    out[1] = byte == SLIP_END ? SLIP_ESCAPED_END : SLIP_ESCAPED_ESCAPE;
    if (byte == SLIP_END || byte == SLIP_ESCAPE) { return 2; }
    out[0] = byte;
    return 1;
}

#endif
