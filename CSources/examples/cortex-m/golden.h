/* golden.h - the examples of WIRE.md, as golden.py takes them from the page. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "paxos/hot_frame.h"

enum { GOLDEN_BYTES_MAX = 160 };

typedef struct golden_frame {
    const char *name;
    paxos_frame_t frame;
    uint32_t count;
    uint8_t bytes[GOLDEN_BYTES_MAX];
} golden_frame_t;

typedef struct golden_entry {
    paxos_entry_t entry;
    uint32_t count;
    uint8_t bytes[GOLDEN_BYTES_MAX];
} golden_entry_t;

extern const golden_frame_t golden_frames[];
extern const uint32_t golden_frame_count;
extern const golden_entry_t golden_entries[];
extern const uint32_t golden_entry_count;

#endif
