/* stories.c - the stories by number and name. */
#include "stories.h"

#include <stddef.h>

#include "runtime_model.h"

static const struct {
    const char *name;
    const char *(*run)(void);
} stories[] = {
    {"proposed anywhere, delivered everywhere, without an allocation", node_story_memory},
    {"the same with journals: one flush for many records", node_story_durable},
    {"the next proposal tells the others what is decided", node_story_watermark},
    {"two groups share a journal and connections", node_story_groups},
    {"one node restarts under load", node_story_restart_one},
    {"all nodes restart at once", node_story_restart_all},
    {"proposals while nobody leads, and when the leader goes", node_story_no_leader},
    {"a state machine that takes nothing for a while", node_story_deaf},
    {"a poll whose news is left for later sleeps on", node_story_deaf_rests},
    {"a loop of the program's own", node_story_own_loop},
    {"a poll that another thread wakes", node_story_wake},
    {"options that break a rule", node_story_options},
    {"a second process on the directory", node_story_second_process},
    {"a flush fails", node_story_flush_fails},
    {"a disk is full", node_story_disk_full},
    {"row 33: a disk stalls", node_story_disk_stalls},
    {"a journal is full until the state machine is safe", node_story_journal_full},
    {"a full journal of many groups", node_story_journal_full_groups},
    {"row 6: two values under one ballot and slot", node_story_conflict},
    {"row 41: a node without a directory is started again", node_story_forgetful},
    {"row 42: a directory is copied, and started twice", node_story_copied},
    {"row 8: the last record that was acknowledged is damaged", node_story_damaged},
    {"a member was away for many windows", node_story_away},
    {"a member was away for longer than the journals reach", node_story_away_too_long},
    {"a member of a quiet group is away, and the journal is short", node_story_away_quietly},
};

uint32_t runtime_story_count(void) {
    return sizeof stories / sizeof stories[0];
}

const char *runtime_story_name(uint32_t index) {
    return stories[index].name;
}

const char *runtime_story_run(uint32_t index) {
    return stories[index].run();
}
