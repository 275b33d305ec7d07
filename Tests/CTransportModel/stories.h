/* stories.h - the stories, each NULL or what went wrong. */
#ifndef TRANSPORT_STORIES_H
#define TRANSPORT_STORIES_H

const char *story_million(void);
const char *story_million_trusted(void);
const char *story_long_frames(void);
const char *story_reader_stops(void);
const char *story_restarts(void);
const char *story_options(void);
const char *story_ipv6(void);
const char *story_descriptors(void);

const char *story_edges(void);
const char *story_queue(void);
const char *story_sockets(void);
const char *story_wrong_side(void);
const char *story_listeners(void);
const char *story_sizes(void);

const char *story_dribble(void);
const char *story_bit_flips(void);
const char *story_strangers(void);
const char *story_frames_refused(void);
const char *story_replay(void);
const char *story_lives(void);
const char *story_slow_loris(void);

const char *story_second(void);
const char *story_second_is_dialled(void);

#endif
