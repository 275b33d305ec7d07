/* page.c - what the examples of TRANSPORT.md are compared with: the code that ships. */
#include <string.h>

#include "../../CSources/CPaxosTransport/handshake.h"
#include "../../CSources/CPaxosTransport/seal.h"
#include "paxos/hot_frame.h"
#include "transport_model.h"

bool transport_page_hello(const uint8_t *bytes, transport_page_hello_t *out) {
    paxos_hello_t hello;
    uint8_t again[PAXOS_HELLO_BYTES];
    if (paxos_hello_read(bytes, &hello) != PAXOS_TRANSPORT_NONE) { return false; }
    *out = (transport_page_hello_t){
        .cluster = hello.cluster,
        .instance = hello.instance,
        .incarnation = hello.incarnation,
        .sender = hello.sender,
        .receiver = hello.receiver,
        .version_min = hello.version_min,
        .version_max = hello.version_max,
        .security = hello.security};
    paxos_hello_write(&hello, again);
    return memcmp(bytes, again, PAXOS_HELLO_BYTES - PAXOS_HELLO_NONCE_BYTES) == 0;
}

void transport_page_keys(
    const uint8_t *key, const uint8_t *dialler, const uint8_t *listener, bool is_dialler,
    uint8_t *out) {
    paxos_session_t session;
    paxos_session_derive(key, dialler, listener, is_dialler, &session);
    const uint8_t *const keys[] = {
        session.send_key, session.receive_key, session.own_proof, session.peer_proof};
    for (uint32_t i = 0; i < 4; i++) {
        memcpy(out + (is_dialler ? i : i ^ 1u) * PAXOS_PROOF_BYTES, keys[i], PAXOS_PROOF_BYTES);
    }
}

void transport_page_refusal(const uint8_t *proof, uint32_t reason, uint8_t *out) {
    paxos_verdict_write(proof, (paxos_transport_reason_t)reason, out);
}

uint32_t transport_page_verdict(const uint8_t *proof, const uint8_t *bytes) {
    return paxos_verdict_read(proof, bytes);
}

bool transport_page_frame(
    const uint8_t *key, uint32_t lane, uint32_t number, const uint8_t *bytes, uint32_t count,
    uint8_t *tag) {
    paxos_frame_t frame;
    paxos_seal_t seal;
    const uint32_t body_bytes = count - PAXOS_FRAME_HEADER_BYTES - PAXOS_TRANSPORT_TAG_BYTES;
    const uint8_t *body = bytes + PAXOS_FRAME_HEADER_BYTES;
    paxos_seal_start(&seal, lane, key);
    for (uint32_t i = 0; i <= number; i++) { paxos_seal_next(&seal, bytes, body, body_bytes, tag); }
    return paxos_frame_decode(bytes, PAXOS_FRAME_HEADER_BYTES, &frame) == PAXOS_OK &&
           frame.body_bytes == body_bytes;
}
