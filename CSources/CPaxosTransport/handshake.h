/* handshake.h - the bytes that open a connection, and the keys that follow from them.
 *
 *   dialler                                  listener
 *   HELLO (64) ---------------------------->
 *          <----------------- HELLO (64), PROOF (32)
 *   PROOF (32), frames -------------------->
 *
 * Who will not have the other side says why by a REFUSAL (32) in the place of its PROOF.
 *
 * Internal. No I/O. TRANSPORT.md has every byte. Threads any. */
#ifndef PAXOS_TRANSPORT_HANDSHAKE_H
#define PAXOS_TRANSPORT_HANDSHAKE_H

#include "paxos/bytes.h"
#include "paxos_transport.h"

#define PAXOS_HELLO_MAGIC 0x54505850u /* the bytes "PXPT" */
#define PAXOS_HELLO_BYTES 64u
#define PAXOS_HELLO_NONCE_BYTES 32u
#define PAXOS_PROOF_BYTES 32u

typedef struct paxos_hello {
    uint8_t version_min;
    uint8_t version_max;
    uint8_t security;
    uint64_t cluster;
    uint16_t sender;
    uint16_t receiver;
    uint32_t incarnation;
    uint64_t instance; /* at random: tells two processes of one incarnation apart */
} paxos_hello_t;

/* Write a hello with a nonce of its own. */
void paxos_hello_write(const paxos_hello_t *hello, uint8_t bytes[PAXOS_HELLO_BYTES]);

/* Read one; PAXOS_TRANSPORT_HELLO or _VERSION_UNKNOWN, else NONE. */
paxos_transport_reason_t paxos_hello_read(
    const uint8_t bytes[PAXOS_HELLO_BYTES], paxos_hello_t *hello);

typedef struct paxos_session {
    uint8_t send_key[PAXOS_TRANSPORT_KEY_BYTES];
    uint8_t receive_key[PAXOS_TRANSPORT_KEY_BYTES];
    uint8_t own_proof[PAXOS_PROOF_BYTES];
    uint8_t peer_proof[PAXOS_PROOF_BYTES];
} paxos_session_t;

/* Derive everything from the key and both hellos, nonces and all. */
void paxos_session_derive(
    const uint8_t key[PAXOS_TRANSPORT_KEY_BYTES], const uint8_t dialler[PAXOS_HELLO_BYTES],
    const uint8_t listener[PAXOS_HELLO_BYTES], bool is_dialler, paxos_session_t *session);

/* What to say of the other side: its own proof if the verdict is NONE, else the refusal that
 * follows from it, which only who has the key can make or read. */
void paxos_verdict_write(
    const uint8_t proof[PAXOS_PROOF_BYTES], paxos_transport_reason_t verdict,
    uint8_t bytes[PAXOS_PROOF_BYTES]);

/* Read what the other side says, whose proof should be `proof`: the verdict, or
 * PAXOS_TRANSPORT_PROOF if it is none. Takes a time that does not depend on where they differ. */
paxos_transport_reason_t paxos_verdict_read(
    const uint8_t proof[PAXOS_PROOF_BYTES], const uint8_t bytes[PAXOS_PROOF_BYTES]);

#endif
