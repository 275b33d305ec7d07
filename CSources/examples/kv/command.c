/* command.c - what a client may say, and what is said at once.
 *
 * GET key, SET key value and DEL key... go through the log. PING, ECHO, INFO, DBSIZE, COMMAND,
 * CONFIG GET, DEBUG DIGEST and QUIT are answered by this node, of what it knows. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "kv.h"

/* Room for what INFO, ECHO and the like say. */
enum { TEXT_BYTES = KV_VALUE_BYTES_MAX + 64 };

static bool is_word(kv_text_t text, const char *word) {
    return text.length == strlen(word) &&
           strncasecmp((const char *)text.bytes, word, text.length) == 0;
}

static enum kv_taken say(kv_client_t *client, const char *text) {
    return kv_client_says(client, text, strlen(text)) ? KV_TAKEN : KV_WAITS;
}

static enum kv_taken say_bulk(kv_client_t *client, const void *bytes, size_t length) {
    static char text[TEXT_BYTES];
    const int start = snprintf(text, sizeof text, "$%zu\r\n", length);
    memcpy(text + start, bytes, length);
    memcpy(text + start + length, "\r\n", 2);
    return kv_client_says(client, text, (size_t)start + length + 2) ? KV_TAKEN : KV_WAITS;
}

static enum kv_taken say_info(paxos_host_t *host, kv_client_t *client) {
    static const char *const roles[] = {"follower", "candidate", "leader"};
    char text[1024];
    paxos_replica_status_t status = {.size_bytes = sizeof status};
    paxos_host_report_t report = {.size_bytes = sizeof report};
    if (!paxos_host_replica_status(host, 0, &status)) { return KV_ENDS; }
    paxos_host_report(host, &report);
    const int length = snprintf(
        text, sizeof text,
        "# Paxos\r\nnode:%u\r\nincarnation:%u\r\nrole:%s\r\nleader:%u\r\ndecided:%llu\r\n"
        "applied:%llu\r\ntrimmed:%llu\r\nbehind_to:%llu\r\nflushes:%llu\r\nrecords:%llu\r\n"
        "# Keyspace\r\nkeys:%u\r\nbytes:%llu\r\n# Clients\r\nconnected_clients:%u\r\n",
        report.node, report.incarnation, roles[status.role % 3], status.leader,
        (unsigned long long)status.decided, (unsigned long long)status.delivered,
        (unsigned long long)status.trimmed, (unsigned long long)status.behind_to,
        (unsigned long long)report.flushes, (unsigned long long)report.records_written,
        (unsigned)kv_table_keys(), (unsigned long long)kv_table_bytes(),
        (unsigned)kv_clients_count());
    return say_bulk(client, text, (size_t)length);
}

/* Of what was applied here so far, for comparing nodes. */
static enum kv_taken say_digest(kv_client_t *client) {
    char text[64];
    (void)snprintf(text, sizeof text, "+%016llx\r\n", (unsigned long long)kv_table_digest());
    return say(client, text);
}

/* What redis-benchmark asks for, so that it can say what it measured. */
static enum kv_taken say_setting(kv_client_t *client, kv_text_t name) {
    if (is_word(name, "save")) { return say(client, "*2\r\n$4\r\nsave\r\n$0\r\n\r\n"); }
    if (is_word(name, "appendonly")) {
        return say(client, "*2\r\n$10\r\nappendonly\r\n$3\r\nyes\r\n");
    }
    return say(client, "*0\r\n");
}

static enum kv_taken say_unknown(kv_client_t *client, kv_text_t name) {
    char text[128];
    const int shown = (int)(name.length < 32 ? name.length : 32);
    (void)snprintf(
        text, sizeof text, "-ERR unknown command '%.*s', or other arguments than it has", shown,
        (const char *)name.bytes);
    for (char *at = text; *at != '\0'; at++) { /* a name of binary bytes must not end the line */
        if (*at < ' ' || *at > '~') { *at = '?'; }
    }
    const size_t length = strlen(text);
    memcpy(text + length, "\r\n", 3);
    return say(client, text);
}

static enum kv_taken take_log(
    paxos_host_t *host, kv_client_t *client, const kv_command_t *commands, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (commands[i].key.length > KV_KEY_BYTES_MAX) {
            return say(client, "-ERR the key is longer than 512 bytes\r\n");
        }
        if (commands[i].value.length > KV_VALUE_BYTES_MAX) {
            return say(client, "-ERR the value is longer than 8192 bytes\r\n");
        }
    }
    return kv_batch_add(host, client, commands, count) ? KV_TAKEN : KV_WAITS;
}

static enum kv_taken take_delete(
    paxos_host_t *host, kv_client_t *client, const kv_request_t *request) {
    kv_command_t commands[KV_ARGUMENTS_MAX];
    const uint32_t count = request->count - 1;
    for (uint32_t i = 0; i < count; i++) {
        commands[i] = (kv_command_t){
            .kind = i + 1 < count ? KV_DEL_ONE_OF : KV_DEL, .key = request->arguments[i + 1]};
    }
    return take_log(host, client, commands, count);
}

enum kv_taken kv_command_take(
    paxos_host_t *host, kv_client_t *client, const kv_request_t *request) {
    const kv_text_t *words = request->arguments;
    const uint32_t count = request->count;
    if (request->is_too_large) { return say(client, "-ERR the request is too long\r\n"); }
    if (count == 0) { return KV_TAKEN; }
    if (count == 3 && is_word(words[0], "set")) {
        const kv_command_t set = {.kind = KV_SET, .key = words[1], .value = words[2]};
        return take_log(host, client, &set, 1);
    }
    if (count == 2 && is_word(words[0], "get")) {
        const kv_command_t get = {.kind = KV_GET, .key = words[1]};
        return take_log(host, client, &get, 1);
    }
    if (count >= 2 && is_word(words[0], "del")) { return take_delete(host, client, request); }
    if (count == 1 && is_word(words[0], "ping")) { return say(client, "+PONG\r\n"); }
    if (count == 2 && (is_word(words[0], "echo") || is_word(words[0], "ping"))) {
        if (words[1].length > KV_VALUE_BYTES_MAX) {
            return say(client, "-ERR the text is longer than 8192 bytes\r\n");
        }
        return say_bulk(client, words[1].bytes, words[1].length);
    }
    if (is_word(words[0], "info")) { return say_info(host, client); }
    if (count == 1 && is_word(words[0], "dbsize")) {
        char text[32];
        (void)snprintf(text, sizeof text, ":%u\r\n", (unsigned)kv_table_keys());
        return say(client, text);
    }
    if (is_word(words[0], "command")) { return say(client, "*0\r\n"); }
    if (count == 3 && is_word(words[0], "config") && is_word(words[1], "get")) {
        return say_setting(client, words[2]);
    }
    if (count == 2 && is_word(words[0], "debug") && is_word(words[1], "digest")) {
        return say_digest(client);
    }
    if (count == 1 && is_word(words[0], "quit")) {
        return say(client, "+OK\r\n") == KV_TAKEN ? KV_ENDS : KV_WAITS;
    }
    return say_unknown(client, words[0]);
}
