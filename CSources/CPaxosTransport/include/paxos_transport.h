/* paxos_transport.h - frames between the members of a cluster: TCP, one connection for each pair.
 *
 * Owns     a listening socket, one epoll instance, at most one connection for each peer, and memory
 *          taken once, by open.
 * Never    allocates after open, starts a thread, blocks but in poll, prints, raises SIGPIPE, or
 *          resolves a name.
 * Threads  one caller at a time per transport; transports are independent of each other. Not across
 *          fork: the child closes nothing and uses nothing.
 * Source   TRANSPORT.md gives every byte and says why.
 *
 * The host's duties:
 *   1. open, with the incarnation that its journal says.
 *   2. send what comes out as a SEND effect. The bytes are copied: say sent(token) at once,
 *      whatever the status. What is dropped is counted, and Paxos sends it again.
 *   3. poll; then next until it says false: each frame to the replica of its group.
 *   4. A host with a loop of its own waits until paxos_transport_fd is readable or until
 *      paxos_transport_deadline, whichever comes first; before it waits, flush; after it, poll with
 *      timeout 0. */
#ifndef PAXOS_TRANSPORT_H
#define PAXOS_TRANSPORT_H

#include "paxos.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PAXOS_TRANSPORT_VERSION 1u

/* Limits. Every loop is bounded by one of them. */
#define PAXOS_TRANSPORT_PEERS_MAX (PAXOS_MEMBERS_MAX - 1u)
#define PAXOS_TRANSPORT_PENDING_MAX 32u /* accepted connections that have not proved anything yet */
#define PAXOS_TRANSPORT_EVENTS_MAX 64u
#define PAXOS_TRANSPORT_BUFFER_BYTES_MAX (1u << 30)
#define PAXOS_TRANSPORT_SHORT_FRAMES_MAX (1u << 20)
#define PAXOS_TRANSPORT_KEY_BYTES 32u
#define PAXOS_TRANSPORT_TAG_BYTES 16u /* behind each frame of a keyed connection */

typedef enum paxos_transport_status {
    PAXOS_TRANSPORT_OK = 0,
    PAXOS_TRANSPORT_ERR_SYSTEM = -1,  /* the system refused something: see the fault          */
    PAXOS_TRANSPORT_ERR_OPTIONS = -2, /* an option breaks a rule: see the fault               */
    PAXOS_TRANSPORT_ERR_DOWN = -3,    /* send: there is no connection: dropped and counted    */
    PAXOS_TRANSPORT_ERR_FULL = -4,    /* send: the queue has no room: dropped and counted     */
    PAXOS_TRANSPORT_ERR_FRAME = -5,   /* send: no frame of this node to a peer; nothing done  */
    PAXOS_TRANSPORT_ERR_DENIED = -6   /* poll: a peer knows another process as this node      */
} paxos_transport_status_t;

/* Why a connection ended, or never began. */
typedef enum paxos_transport_reason {
    PAXOS_TRANSPORT_NONE = 0,
    PAXOS_TRANSPORT_ENDED = 1,    /* the other side closed it, or refused the handshake     */
    PAXOS_TRANSPORT_SYSTEM = 2,   /* the system did; `error` is its errno                   */
    PAXOS_TRANSPORT_TIMEOUT = 3,  /* the handshake was not finished in time                 */
    PAXOS_TRANSPORT_CROWDED = 4,  /* too many unfinished handshakes: the oldest had to go   */
    PAXOS_TRANSPORT_REPLACED = 5, /* the peer has opened a newer one                        */
    PAXOS_TRANSPORT_HELLO = 6,    /* no handshake of this protocol                          */
    PAXOS_TRANSPORT_VERSION_UNKNOWN = 7, /* no version that both know                           */
    PAXOS_TRANSPORT_SECURITY = 8,   /* one has a key and the other has none                   */
    PAXOS_TRANSPORT_CLUSTER = 9,    /* of another cluster                                     */
    PAXOS_TRANSPORT_NODE = 10,      /* no peer, not meant for this node, or not who should dial */
    PAXOS_TRANSPORT_PROOF = 11,     /* another key, or a handshake that was changed           */
    PAXOS_TRANSPORT_STALE = 12,     /* an earlier life of a node that was seen in a later one */
    PAXOS_TRANSPORT_CLONE = 13,     /* a second process with a node's number and incarnation  */
    PAXOS_TRANSPORT_MALFORMED = 14, /* no frame                                               */
    PAXOS_TRANSPORT_OVERSIZED = 15, /* a frame over frame_bytes_max                           */
    PAXOS_TRANSPORT_FOREIGN = 16,   /* a frame of another cluster, sender or receiver         */
    PAXOS_TRANSPORT_FORGED = 17,    /* a frame without the right tag, or not in its place     */
    PAXOS_TRANSPORT_LIVING = 18,    /* a new life of a node whose earlier one is connected    */
    PAXOS_TRANSPORT_DENIED = 19,    /* the peer said STALE or CLONE of it, or LIVING too long */
    PAXOS_TRANSPORT_WAITING = 20,   /* the peer said LIVING of this node: it is dialled again */
    PAXOS_TRANSPORT_REASONS = 21
} paxos_transport_reason_t;

/* A status or a reason in plain words. Thread: any. */
const char *paxos_transport_words(paxos_transport_status_t status);
const char *paxos_transport_reason_words(paxos_transport_reason_t reason);

/* What went wrong, for a person; `what` is a text that stays. */
typedef struct paxos_transport_fault {
    int error; /* errno, or 0 */
    const char *what;
} paxos_transport_fault_t;

/* Whether connections are proved and frames sealed. There is no default: one has to choose. */
enum paxos_transport_security {
    PAXOS_TRANSPORT_KEYED = 1,  /* who does not have the key is refused                       */
    PAXOS_TRANSPORT_TRUSTED = 2 /* no key: everything that reaches the port is believed       */
};

/* Another member. Of a pair, the one with the higher number dials, so that who joins dials who is
 * there: only the addresses of peers with a lower number are used. */
typedef struct paxos_transport_peer {
    const char *address; /* as "192.0.2.1:7001" or "[2001:db8::1]:7001"; NULL where not used    */
    uint16_t node;
    uint16_t zero;
    uint32_t zero2;
} paxos_transport_peer_t;

typedef struct paxos_transport_options {
    uint32_t size_bytes;  /* sizeof(paxos_transport_options_t)                                 */
    uint16_t node;        /* this one; not 0                                                   */
    uint16_t peer_count;  /* the other members; at most PAXOS_TRANSPORT_PEERS_MAX              */
    uint64_t cluster;     /* not 0                                                             */
    uint32_t incarnation; /* this node's, from 1; peers refuse an earlier one, a second process
                           * with the same, and a later one while an earlier one is connected */
    uint32_t security;    /* paxos_transport_security                           */
    const uint8_t *key;   /* KEYED: 32 bytes at random, the same on all members */
    const char *listen;   /* address as above; port 0: any; NULL: none          */
    const paxos_transport_peer_t *peers; /* in any order                                       */

    /* 0 means the default. For each peer queue, short frames and receive buffer are taken. */
    uint32_t frame_bytes_max; /* as in paxos_config_t: the largest of all groups; default 256 KiB */
    uint32_t queue_bytes;     /* frames with a body that wait; default 1 MiB, or 4 frames      */
    uint32_t short_frames;    /* how many without a body may wait; default 1024                */
    uint32_t receive_bytes;   /* at least, and by default, two frames; default 512 KiB         */
    uint64_t handshake_timeout_ns; /* from dialling or accepting on; default 2 s               */
    uint64_t retry_min_ns;         /* before dialling again; doubles; default 20 ms            */
    uint64_t retry_max_ns;         /* ... up to this; the half of it is random; default 2 s    */
    uint64_t dead_timeout_ns;      /* a peer that acknowledges or reads nothing; default 5 s    */
} paxos_transport_options_t;

typedef struct paxos_transport paxos_transport_t;

/* Listen, and begin to dial. Texts, peers and key are copied.
 * now_ns  of paxos_host_clock_ns, here and elsewhere.
 * Post  PAXOS_TRANSPORT_OK        *transport_out.
 *       ERR_OPTIONS, ERR_SYSTEM   *transport_out is NULL, nothing is left open.
 * fault may be NULL. Cost O(peers); the memory is taken as zero pages. */
PAXOS_MUST_USE paxos_transport_status_t paxos_transport_open(
    const paxos_transport_options_t *options, uint64_t now_ns, paxos_transport_t **transport_out,
    paxos_transport_fault_t *fault);

/* Close every connection and forget; what waits is dropped. NULL is allowed. */
void paxos_transport_close(paxos_transport_t *transport);

/* The port that is listened on; 0: none. */
uint16_t paxos_transport_port(const paxos_transport_t *transport);

/* A descriptor that is readable when poll has something to do. Never read from it. */
int paxos_transport_fd(const paxos_transport_t *transport);

/* When poll wants to be called at the latest. 0: at once, or next was not called until false.
 * Cost O(peers). */
uint64_t paxos_transport_deadline(const paxos_transport_t *transport);

/* Let poll return early whenever `file` becomes readable, too: an eventfd that another thread
 * writes to. It is watched for edges, never read and never closed here.
 * Post  PAXOS_TRANSPORT_OK, or ERR_SYSTEM: errno says why. */
PAXOS_MUST_USE paxos_transport_status_t
paxos_transport_watch(paxos_transport_t *transport, int file);

/* Queue one frame for the receiver that its header names; copied, so body may go at once. It leaves
 * with flush or poll. Frames without a body overtake those with one; within each kind they keep
 * their order.
 * header  96 bytes
 * Post  PAXOS_TRANSPORT_OK    queued; lost only if the connection is.
 *       ERR_DOWN, ERR_FULL    dropped and counted; nothing else changed.
 *       ERR_FRAME             sender, receiver, cluster or length is not right.
 * Cost  O(body), no system call. */
PAXOS_MUST_USE paxos_transport_status_t paxos_transport_send(
    paxos_transport_t *transport, const uint8_t *header, const uint8_t *body, size_t body_bytes);

/* Hand what is queued to the system, as far as it takes it: for each peer one call for all frames.
 * Cost O(peers + bytes). Never blocks. */
void paxos_transport_flush(paxos_transport_t *transport, uint64_t now_ns);

/* Flush; wait up to timeout_ns, in whole milliseconds, for anything to happen; accept, dial, shake
 * hands, read. Returns early on a signal, and without waiting while next has frames.
 * Post  PAXOS_TRANSPORT_OK  also where connections failed: see event.
 *       ERR_SYSTEM          the epoll instance is broken: close.
 *       ERR_DENIED          a peer has said, and proved, that it has seen another process as this
 *                           node, in the same life or in a later one, or in an earlier one that
 *                           does not end: its files were copied, or replaced by older ones. Every
 *                           later poll says so, too. Two voters of one name can choose two values:
 *                           send no vote any more, and close.
 * Cost  O(peers + bytes). */
PAXOS_MUST_USE paxos_transport_status_t
paxos_transport_poll(paxos_transport_t *transport, uint64_t now_ns, uint64_t timeout_ns);

/* One frame, as it was received: header and body stand one behind the other. The header was
 * decoded (paxos_frame_decode), is of this cluster, from the peer of the connection and to this
 * node; the entries were not looked at. Valid until the next call of next or poll. */
typedef struct paxos_transport_frame {
    uint32_t size_bytes; /* set by the caller */
    uint16_t node;       /* who sent it       */
    uint16_t zero;
    uint32_t group;
    uint32_t body_bytes;
    const uint8_t *header; /* 96 bytes; the body follows */
    const uint8_t *body;
} paxos_transport_frame_t;

/* The next frame that was received; false: there is none now. A bad one closes its connection.
 * Cost O(frame), no system call but close. */
PAXOS_MUST_USE bool paxos_transport_next(
    paxos_transport_t *transport, paxos_transport_frame_t *frame);

/* A connection came up, or ended, or was refused. */
typedef struct paxos_transport_event {
    uint32_t size_bytes; /* set by the caller                                              */
    uint16_t node;       /* the peer; 0: whoever it was, it did not prove it               */
    uint16_t is_up;      /* 1: it came up                                                  */
    uint32_t reason;     /* paxos_transport_reason                                         */
    int32_t error;       /* errno, or 0                                                    */
} paxos_transport_event_t;

/* The next event, for a log; false: there is none. Of more than PAXOS_TRANSPORT_EVENTS_MAX the
 * oldest are forgotten; what the report counts is complete.
 * Pre  event->size_bytes is that of this version.
 * Cost O(1). */
PAXOS_MUST_USE bool paxos_transport_event(
    paxos_transport_t *transport, paxos_transport_event_t *event);

typedef struct paxos_transport_peer_report {
    uint32_t size_bytes; /* set by the caller                                              */
    uint16_t node;
    uint16_t is_up;       /* 1: connected                                                  */
    uint32_t incarnation; /* of the peer, as last proved; 0: not seen yet                  */
    uint32_t last_reason; /* why the last connection, or attempt, ended                    */
    int32_t last_error;
    uint32_t queued_bytes;
    uint64_t connections; /* that came up                                                  */
    uint64_t frames_queued;
    uint64_t frames_sent; /* handed to the system whole                                    */
    uint64_t frames_received;
    uint64_t bytes_sent;
    uint64_t bytes_received;
    uint64_t send_calls;
    uint64_t dropped_full; /* ERR_FULL                                                      */
    uint64_t dropped_down; /* ERR_DOWN                                                      */
    uint64_t dropped_lost; /* queued when the connection ended; those in the system not counted */
} paxos_transport_peer_report_t;

/* False: no such peer.
 * Pre  report->size_bytes is that of this version.
 * Cost O(peers). */
PAXOS_MUST_USE bool paxos_transport_peer_report(
    const paxos_transport_t *transport, uint16_t node, paxos_transport_peer_report_t *report);

typedef struct paxos_transport_report {
    uint32_t size_bytes; /* set by the caller                      */
    uint32_t up;         /* peers connected                        */
    uint32_t pending;    /* accepted, handshake under way          */
    uint32_t zero;
    uint64_t accepted;
    uint64_t dialled;
    uint64_t closed[PAXOS_TRANSPORT_REASONS]; /* connections and attempts, by why they ended */
} paxos_transport_report_t;

/* Pre  report->size_bytes is that of this version.
 * Cost O(peers). */
void paxos_transport_report(const paxos_transport_t *transport, paxos_transport_report_t *report);

#ifdef __cplusplus
}
#endif
#endif
