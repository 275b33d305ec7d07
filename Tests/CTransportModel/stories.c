/* stories.c - the stories by number and name. */
#include "stories.h"

#include <stddef.h>

#include "transport_model.h"

static const struct {
    const char *name;
    const char *(*run)(void);
} stories[] = {
    {"a million frames, each in its order, byte for byte, and no allocation", story_million},
    {"a million frames without a key", story_million_trusted},
    {"frames of every length", story_long_frames},
    {"a member that stops reading", story_reader_stops},
    {"every member restarts, alone and with another", story_restarts},
    {"options and addresses that break a rule", story_options},
    {"IPv6, and both kinds of addresses", story_ipv6},
    {"no descriptors left, for accepting and for dialling", story_descriptors},
    {"a stream that comes byte by byte", story_dribble},
    {"every bit of a stream, flipped", story_bit_flips},
    {"hellos of strangers", story_strangers},
    {"frames that are refused", story_frames_refused},
    {"connections and frames said again", story_replay},
    {"clones and earlier lives of a node", story_lives},
    {"row 42: a second process beside the original", story_second},
    {"row 42: a second process where the original was", story_second_is_dialled},
    {"handshakes that never end", story_slow_loris},
    {"many frames, the longest, a longer one, and half a frame", story_edges},
    {"a queue that is full to the last byte", story_queue},
    {"what the system is asked for each connection", story_sockets},
    {"a member on the wrong side", story_wrong_side},
    {"listeners without the key, and one that hangs up", story_listeners},
    {"reports of another size", story_sizes},
};

uint32_t transport_story_count(void) {
    return sizeof stories / sizeof stories[0];
}

const char *transport_story_name(uint32_t index) {
    return stories[index].name;
}

const char *transport_story_run(uint32_t index) {
    return stories[index].run();
}
