/* transport.h - the state of a transport, and who may do what with it.
 *
 *   address.c    text to address, sockets and their options
 *   handshake.c  bytes and keys of the handshake; seal.c: tags of frames
 *   link.c       a connection from its first byte until it is up, and its end
 *   dial.c       when to dial again, and accepting
 *   queue.c      frames that wait, and handing them to the system
 *   receive.c    bytes that came, and the frames in them
 *   open.c       options, memory, open and close; poll.c: the step of the loop, reports
 *
 * A link is a connection, at first of nobody. A peer is a member; it has at most one link, and its
 * buffers serve that link once it is up.
 *
 * Internal. */
#ifndef PAXOS_TRANSPORT_STATE_H
#define PAXOS_TRANSPORT_STATE_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "handshake.h"
#include "paxos_host.h"
#include "seal.h"

#define PAXOS_NONE UINT32_MAX
#define PAXOS_NEVER_NS UINT64_MAX
#define PAXOS_LINKS_MAX (PAXOS_TRANSPORT_PEERS_MAX + PAXOS_TRANSPORT_PENDING_MAX)

/* A ring of whole frames, but for the first, of which a part may be gone. */
typedef struct paxos_queue {
    uint8_t *bytes;
    uint32_t capacity_bytes;
    uint32_t start;
    uint32_t used_bytes;
    uint32_t cut_bytes; /* what is left of a frame whose beginning is gone; 0: none */
    uint64_t frames;
} paxos_queue_t;

enum paxos_link_state {
    PAXOS_LINK_FREE = 0,
    PAXOS_LINK_CONNECTING = 1,
    PAXOS_LINK_SHAKING = 2,
    PAXOS_LINK_UP = 3
};

typedef struct paxos_link {
    int fd;
    uint32_t generation; /* tells an event of this link from one of its predecessor */
    uint32_t state;
    uint32_t interest; /* what epoll was told */
    uint32_t peer;     /* index; PAXOS_NONE until the hello came */
    bool is_dialler;
    bool is_proved;
    bool is_blocked;      /* the system takes no more for now */
    uint64_t deadline_ns; /* of the handshake */
    uint64_t up_since_ns;
    uint32_t out_bytes; /* what of the handshake is still to be sent */
    uint32_t out_sent;
    uint32_t in_bytes;
    uint32_t in_wanted;
    uint8_t out[PAXOS_HELLO_BYTES + PAXOS_PROOF_BYTES];
    uint8_t in[PAXOS_HELLO_BYTES + PAXOS_PROOF_BYTES];
    paxos_hello_t hello;              /* the peer's */
    paxos_transport_reason_t verdict; /* what we told it of its life */
    paxos_session_t session;
} paxos_link_t;

typedef struct paxos_peer {
    uint16_t node;
    bool is_dialled; /* by us */
    uint32_t link;   /* index; PAXOS_NONE: none */
    struct sockaddr_storage address;
    socklen_t address_bytes;
    uint64_t retry_at_ns;
    uint64_t retry_ns;
    uint64_t waiting_since_ns; /* it says that an earlier life of this node is connected */
    uint32_t incarnation;      /* the latest life that was proved */
    uint64_t instance;

    paxos_queue_t queues[PAXOS_LANES];
    paxos_seal_t sending[PAXOS_LANES];
    paxos_seal_t receiving[PAXOS_LANES];

    uint8_t *in;
    uint32_t in_start;
    uint32_t in_end;

    paxos_transport_peer_report_t report;
} paxos_peer_t;

struct paxos_transport {
    uint64_t cluster;
    uint64_t instance;
    uint64_t now_ns;
    uint32_t incarnation;
    uint32_t security;
    uint16_t node;
    uint16_t port;
    uint32_t peer_count;
    uint32_t frame_bytes_max;
    uint32_t receive_bytes;
    uint32_t tag_bytes; /* 0 without a key */
    uint32_t pending;   /* links accepted, of no peer yet or not up */
    uint32_t cursor;    /* the peer whose frames come next */
    bool has_frames;    /* next was not called until false */
    bool is_denied;     /* a peer has proved that it knows another process as this node */
    int epoll;
    int listener;
    uint32_t listener_interest;
    uint64_t listener_pause_until_ns; /* there were no descriptors left */
    uint64_t handshake_timeout_ns;
    uint64_t retry_min_ns;
    uint64_t retry_max_ns;
    uint64_t dead_timeout_ns;
    uint8_t key[PAXOS_TRANSPORT_KEY_BYTES];
    uint16_t nodes[PAXOS_TRANSPORT_PEERS_MAX]; /* of peers, to find one in a line of memory */
    paxos_link_t links[PAXOS_LINKS_MAX];
    paxos_transport_event_t events[PAXOS_TRANSPORT_EVENTS_MAX];
    uint64_t events_in;
    uint64_t events_out;
    paxos_transport_report_t report;
    uint8_t *memory; /* queues and receive buffers of all peers */
    paxos_peer_t peers[];
};

/* An index, or PAXOS_NONE. */
uint32_t paxos_peer_find(const paxos_transport_t *t, uint16_t node);
void paxos_event_push(
    paxos_transport_t *t, uint16_t node, bool is_up, paxos_transport_reason_t reason, int error);

/* address.c; an error is an errno, a refusal a word for a person. */
const char *paxos_address_read(const char *text, struct sockaddr_storage *out, socklen_t *bytes);
int paxos_socket_listen(const struct sockaddr_storage *address, socklen_t bytes, int *fd_out);
int paxos_socket_set(int fd, uint64_t dead_timeout_ns);
uint16_t paxos_socket_port(int fd);

/* link.c */
uint32_t paxos_link_open(paxos_transport_t *t, int fd, bool is_dialler, uint32_t peer);
void paxos_link_close(
    paxos_transport_t *t, uint32_t index, paxos_transport_reason_t reason, int error);
void paxos_link_event(paxos_transport_t *t, uint32_t index, uint32_t events);
void paxos_link_watch(paxos_transport_t *t, uint32_t index);
/* Send what is left of the handshake; false: not all of it, or the link was closed. */
bool paxos_link_send_handshake(paxos_transport_t *t, uint32_t index);

/* dial.c */
void paxos_dial_due(paxos_transport_t *t);
void paxos_dial_later(paxos_transport_t *t, paxos_peer_t *peer, const paxos_link_t *link);
void paxos_accept(paxos_transport_t *t);
void paxos_listener_watch(paxos_transport_t *t);

/* queue.c */
void paxos_queue_put(
    paxos_queue_t *queue, const uint8_t *header, const uint8_t *body, uint32_t body_bytes,
    const uint8_t *tag, uint32_t tag_bytes);
void paxos_queue_clear(paxos_queue_t *queue);
void paxos_peer_send(paxos_transport_t *t, uint32_t peer);

/* receive.c */
bool paxos_peer_has_room(const paxos_transport_t *t, const paxos_peer_t *peer);
void paxos_peer_receive(paxos_transport_t *t, uint32_t peer);

#endif
