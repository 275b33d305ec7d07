/* forger.h - a peer that writes its own bytes, and frames that can be told apart. */
#ifndef TRANSPORT_FORGER_H
#define TRANSPORT_FORGER_H

#include "paxos/bytes.h"
#include "paxos/crc32c.h"
#include "paxos_transport.h"

enum { CLUSTER = 77 };

/* Header and body of the frame of a number: a heartbeat, or, with a body, a forward. */
void world_header(
    uint8_t *header, uint16_t sender, uint16_t receiver, uint64_t number, uint32_t body_bytes);
void world_body(uint8_t *body, uint32_t body_bytes, uint64_t number);

/* A peer that keeps TRANSPORT.md by itself, byte for byte. */
typedef struct forger {
    int fd;
    uint8_t hello[64];
    uint8_t answer[96];
    uint8_t key[32]; /* of its direction */
    uint8_t proof[32];
    uint8_t expected[32]; /* the other side's */
    uint64_t counts[2];
} forger_t;

bool forger_dial(forger_t *forger, uint16_t port);
void forger_hello(forger_t *forger, uint16_t sender, uint16_t receiver, uint32_t incarnation);
/* Read the listener's hello and proof, and derive; false: it closed. */
bool forger_answered(forger_t *forger, paxos_transport_t *transport, const uint8_t *key);
/* Derive from both hellos what its side is to say; whether `answer` has the other side's proof. */
bool forger_derive(forger_t *forger, const uint8_t *key, bool is_dialler);
/* Whether `answer` has the other side's refusal for this reason instead; after deriving. */
bool forger_is_refused(const forger_t *forger, paxos_transport_reason_t reason);
/* Write a frame with its tag; returns its length. */
uint32_t forger_frame(
    forger_t *forger, uint8_t *out, uint16_t sender, uint16_t receiver, uint64_t number,
    uint32_t body_bytes);
bool forger_write(const forger_t *forger, const uint8_t *bytes, size_t count);
void forger_close(forger_t *forger);

#endif
