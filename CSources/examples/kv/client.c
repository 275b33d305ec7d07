/* client.c - connections of RESP clients. libhiredis parses what they send, here without an
 * allocation for each argument: its reader hands the strings to functions of ours. */
#define _GNU_SOURCE 1

#include <arpa/inet.h>
#include <errno.h>
#include <hiredis/read.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kv.h"

enum {
    READ_BYTES = 16 << 10,
    READS_A_TURN = 4,
    /* A command that is not whole yet may take so much of a reader. */
    REQUEST_BYTES_MAX = 4 * (KV_KEY_BYTES_MAX + KV_VALUE_BYTES_MAX)
};

struct kv_client {
    int file; /* -1: free */
    uint32_t serial;
    bool is_readable; /* until a read says otherwise */
    bool is_writable;
    bool is_closed;   /* by the other side: there is an end to be read */
    bool is_ending;   /* nothing more is read: it goes when everything is answered  */
    bool has_request; /* that could not be taken yet */
    redisReader *reader;
    uint32_t expected;       /* replies that wait for the log           */
    uint32_t expected_bytes; /* room that is kept for them              */
    uint32_t reply_bytes;    /* in `replies`                            */
    uint32_t sent_bytes;     /* of them                                 */
    uint32_t text_bytes;     /* in `texts`                              */
    kv_request_t request;
    uint8_t texts[REQUEST_BYTES_MAX];
    uint8_t replies[KV_REPLY_BYTES];
};

static kv_client_t *clients; /* zero pages: a client takes what it uses */
static uint32_t in_use;

static void free_nothing(void *object) {
    (void)object;
}

/* Of a reader's functions an answer of NULL ends the connection, as if there were no memory. */
static void *take_string(const redisReadTask *task, char *bytes, size_t length) {
    kv_client_t *client = task->privdata;
    kv_request_t *request = &client->request;
    const bool is_argument = task->type == REDIS_REPLY_STRING && task->parent != NULL;
    if (!is_argument || length > sizeof client->texts - client->text_bytes) {
        request->is_wrong |= !is_argument;
        request->is_too_large |= is_argument;
        return client;
    }
    uint8_t *to = client->texts + client->text_bytes;
    memcpy(to, bytes, length);
    client->text_bytes += (uint32_t)length;
    request->arguments[request->count++] = (kv_text_t){to, (uint32_t)length};
    return client;
}

static void *take_array(const redisReadTask *task, int count) {
    kv_client_t *client = task->privdata;
    const bool is_request = task->parent == NULL && count <= KV_ARGUMENTS_MAX;
    client->request.is_wrong |= !is_request;
    return is_request ? client : NULL;
}

static void *take_other(const redisReadTask *task) {
    kv_client_t *client = task->privdata;
    client->request.is_wrong = true;
    return client;
}

static void *take_number(const redisReadTask *task, long long number) {
    (void)number;
    return take_other(task);
}

static redisReplyObjectFunctions functions = {
    take_string, take_array, take_number, take_other, free_nothing};

int kv_listen(uint16_t port) {
    const int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr =
        htonl(INADDR_LOOPBACK); /* no password, and thus nobody from outside */
    clients = calloc(KV_CLIENTS_MAX, sizeof *clients);
    if (clients == NULL) { kv_die("memory", "for clients"); }
    for (uint32_t i = 0; i < KV_CLIENTS_MAX; i++) { clients[i].file = -1; }
    const int file = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (file < 0 || setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(file, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(file, KV_CLIENTS_MAX) != 0) {
        kv_die("the port of the clients", strerror(errno));
    }
    return file;
}

static void end(kv_client_t *client) {
    (void)close(client->file);
    redisReaderFree(client->reader);
    client->file = -1;
    client->serial += 1;
    in_use -= 1;
}

static void begin(kv_client_t *client, int epoll, int file) {
    const int on = 1;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
    event.data.u64 = (uint64_t)(client - clients);
    (void)setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    client->reader = redisReaderCreateWithFunctions(&functions);
    if (client->reader == NULL || epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event) != 0) {
        kv_die("a client", strerror(errno));
    }
    client->reader->privdata = client;
    client->file = file;
    client->is_readable = client->is_writable = true;
    client->is_closed = client->is_ending = client->has_request = false;
    client->expected = client->expected_bytes = 0;
    client->reply_bytes = client->sent_bytes = client->text_bytes = 0;
    client->request = (kv_request_t){.count = 0};
    in_use += 1;
}

void kv_client_accept(int epoll, int listener) {
    static const char full[] = "-ERR max number of clients reached\r\n";
    for (uint32_t i = 0; i < KV_CLIENTS_MAX; i++) {
        const int file = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (file < 0) { return; }
        kv_client_t *place = NULL;
        for (uint32_t n = 0; n < KV_CLIENTS_MAX && place == NULL; n++) {
            if (clients[n].file < 0) { place = &clients[n]; }
        }
        if (place != NULL) {
            begin(place, epoll, file);
        } else {
            (void)!write(file, full, sizeof full - 1);
            (void)close(file);
        }
    }
}

void kv_client_event(uint32_t index, uint32_t events) {
    kv_client_t *client = &clients[index];
    if (client->file < 0) { return; }
    client->is_readable |= (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    client->is_writable |= (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
    client->is_closed |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
}

kv_ticket_t kv_client_ticket(const kv_client_t *client) {
    return (kv_ticket_t){(uint32_t)(client - clients), client->serial};
}

kv_client_t *kv_client_find(kv_ticket_t ticket) {
    kv_client_t *client = &clients[ticket.index];
    return client->file >= 0 && client->serial == ticket.serial ? client : NULL;
}

static bool has_room(const kv_client_t *client, size_t bytes) {
    return bytes <= KV_REPLY_BYTES - client->reply_bytes - client->expected_bytes;
}

bool kv_client_expect(kv_client_t *client, uint32_t kind) {
    const uint32_t bytes = kv_reply_bytes(kind);
    if (!has_room(client, bytes)) { return false; }
    client->expected += 1;
    client->expected_bytes += bytes;
    return true;
}

static void put(kv_client_t *client, const void *bytes, size_t length) {
    if (length == 0) { return; }
    memcpy(client->replies + client->reply_bytes, bytes, length);
    client->reply_bytes += (uint32_t)length;
}

void kv_client_answer(
    kv_client_t *client, uint32_t kind, const char *start, size_t start_bytes, kv_text_t text) {
    client->expected -= 1;
    client->expected_bytes -= kv_reply_bytes(kind);
    put(client, start, start_bytes);
    put(client, text.bytes, text.length);
    put(client, "\r\n", 2);
}

bool kv_client_says(kv_client_t *client, const char *text, size_t length) {
    if (client->expected != 0 || !has_room(client, length)) { return false; }
    put(client, text, length);
    return true;
}

/* One request more is in client->request; false: not whole, or what comes is none. */
static bool parse(kv_client_t *client) {
    static const char wrong[] = "-ERR Protocol error: a request is an array of at most 64 strings, "
                                "and not longer than key and value may be\r\n";
    void *reply = NULL;
    if (client->has_request) { return true; }
    const redisReader *reader = client->reader;
    const bool is_good = redisReaderGetReply(client->reader, &reply) == REDIS_OK;
    const bool is_long = reply == NULL && reader->len - reader->pos > REQUEST_BYTES_MAX;
    if (is_good && !is_long && !client->request.is_wrong) {
        client->has_request = reply != NULL;
        return client->has_request;
    }
    client->request.is_wrong = true;
    client->is_ending = kv_client_says(client, wrong, sizeof wrong - 1);
    return false;
}

/* False: nothing came. What does not fill the room was all, until epoll says otherwise. */
static bool fill(kv_client_t *client) {
    static char bytes[READ_BYTES];
    if (!client->is_readable) { return false; }
    const ssize_t got = read(client->file, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) { return true; }
    if (got < 0 && errno == EAGAIN) {
        client->is_readable = false;
    } else if (got <= 0 || redisReaderFeed(client->reader, bytes, (size_t)got) != REDIS_OK) {
        client->is_ending = true;
    } else {
        client->is_readable = client->is_closed || got == sizeof bytes;
    }
    return got > 0 && !client->is_ending;
}

static bool has_work(const kv_client_t *client) {
    const bool is_refused = client->request.is_wrong && !client->is_ending;
    const bool has_bytes = client->is_readable && (!client->is_ending || client->request.is_wrong);
    return client->file >= 0 && (has_bytes || client->has_request || is_refused);
}

/* Who sent what is no request hears so before the connection ends: were it closed over bytes that
 * nobody read, the system would take the answer back. */
static void drop_rest(kv_client_t *client) {
    (void)shutdown(client->file, SHUT_WR);
    for (uint32_t reads = 0; client->is_readable && reads < READS_A_TURN; reads++) {
        static char bytes[READ_BYTES];
        const ssize_t got = read(client->file, bytes, sizeof bytes);
        client->is_readable = got > 0 || (got < 0 && errno == EINTR);
        client->is_closed |= got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
        if (client->is_closed && !client->is_readable) { end(client); }
    }
}

/* True: it has taken something, or will go on in the next turn. */
static bool serve(paxos_host_t *host, kv_client_t *client) {
    bool is_any = false;
    uint32_t reads = 0;
    while (!client->is_ending && !client->request.is_wrong) {
        if (!parse(client)) {
            if (client->request.is_wrong || client->is_ending) { break; }
            if (reads++ == READS_A_TURN) { return true; }
            if (!fill(client)) { break; }
            continue;
        }
        const enum kv_taken taken = kv_command_take(host, client, &client->request);
        if (taken == KV_WAITS) { return is_any; }
        is_any = true;
        client->is_ending = taken == KV_ENDS;
        client->has_request = false;
        client->text_bytes = 0;
        client->request.count = 0;
        client->request.is_too_large = false;
    }
    if (client->request.is_wrong && !client->is_ending) { (void)parse(client); }
    return is_any || client->request.is_wrong;
}

bool kv_clients_serve(paxos_host_t *host) {
    static uint32_t start; /* another one is the first in each turn */
    bool is_any = false;
    start += 1;
    for (uint32_t i = 0; i < KV_CLIENTS_MAX; i++) {
        kv_client_t *client = &clients[(start + i) % KV_CLIENTS_MAX];
        if (has_work(client)) { is_any |= serve(host, client); }
    }
    return is_any;
}

/* Returns whether something was written. */
static bool flush(kv_client_t *client) {
    const uint32_t left = client->reply_bytes - client->sent_bytes;
    if (left == 0 || !client->is_writable) { return false; }
    const ssize_t put =
        send(client->file, client->replies + client->sent_bytes, left, MSG_NOSIGNAL);
    if (put < 0) {
        client->is_writable = errno == EINTR;
        if (errno != EINTR && errno != EAGAIN) { end(client); }
        return false;
    }
    client->sent_bytes += (uint32_t)put;
    client->is_writable = (uint32_t)put == left;
    memmove(
        client->replies, client->replies + client->sent_bytes,
        client->reply_bytes - client->sent_bytes);
    client->reply_bytes -= client->sent_bytes;
    client->sent_bytes = 0;
    return true;
}

bool kv_clients_flush(void) {
    bool is_any = false;
    for (uint32_t i = 0; i < KV_CLIENTS_MAX; i++) {
        kv_client_t *client = &clients[i];
        if (client->file < 0) { continue; }
        is_any |= flush(client);
        const bool is_silent = client->expected == 0 && client->reply_bytes == 0;
        if (client->file < 0 || !client->is_ending || !is_silent) { continue; }
        if (client->request.is_wrong) {
            drop_rest(client);
        } else {
            end(client);
        }
    }
    return is_any;
}

bool kv_clients_wait(void) {
    for (uint32_t i = 0; i < KV_CLIENTS_MAX; i++) {
        if (has_work(&clients[i])) { return true; }
    }
    return false;
}

uint32_t kv_clients_count(void) {
    return in_use;
}
