/* stories.h - the stories, each NULL or what went wrong. */
#ifndef RUNTIME_STORIES_H
#define RUNTIME_STORIES_H

const char *node_story_memory(void);
const char *node_story_durable(void);
const char *node_story_watermark(void);
const char *node_story_groups(void);
const char *node_story_restart_one(void);
const char *node_story_restart_all(void);
const char *node_story_no_leader(void);
const char *node_story_deaf(void);
const char *node_story_deaf_rests(void);
const char *node_story_own_loop(void);
const char *node_story_wake(void);

const char *node_story_away(void);
const char *node_story_away_too_long(void);
const char *node_story_away_quietly(void);

const char *node_story_options(void);
const char *node_story_second_process(void);
const char *node_story_flush_fails(void);
const char *node_story_disk_full(void);
const char *node_story_disk_stalls(void);
const char *node_story_journal_full(void);
const char *node_story_journal_full_groups(void);

const char *node_story_conflict(void);
const char *node_story_copied(void);
const char *node_story_forgetful(void);
const char *node_story_damaged(void);

#endif
