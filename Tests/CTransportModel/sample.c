/* sample.c - see transport_sample.h. */
#include <string.h>

#include "../../CSources/CPaxosTransport/handshake.h"
#include "../../CSources/CPaxosTransport/seal.h"
#include "transport_sample.h"
#include "world.h"

static bool is_hello(
    const uint8_t *bytes, uint16_t sender, uint16_t receiver, uint32_t incarnation) {
    paxos_hello_t hello;
    return paxos_hello_read(bytes, &hello) == PAXOS_TRANSPORT_NONE &&
           hello.security == PAXOS_TRANSPORT_KEYED && hello.cluster == 0xC1057E2 &&
           hello.sender == sender && hello.receiver == receiver &&
           hello.incarnation == incarnation && hello.instance == 0x1122334455667700u + sender;
}

const char *transport_sample_check(
    const transport_sample_t *sample, const transport_sample_frame_t *frames, uint32_t count) {
    CHECK(is_hello(sample->dialler, 2, 1, 3));
    CHECK(is_hello(sample->listener, 1, 2, 5));
    paxos_session_t dialler;
    paxos_session_t listener;
    paxos_session_derive(sample->key, sample->dialler, sample->listener, true, &dialler);
    paxos_session_derive(sample->key, sample->dialler, sample->listener, false, &listener);
    CHECK(memcmp(dialler.own_proof, sample->dialler_proof, PAXOS_PROOF_BYTES) == 0);
    CHECK(memcmp(dialler.peer_proof, sample->listener_proof, PAXOS_PROOF_BYTES) == 0);
    CHECK(memcmp(listener.own_proof, sample->listener_proof, PAXOS_PROOF_BYTES) == 0);
    CHECK(memcmp(listener.peer_proof, sample->dialler_proof, PAXOS_PROOF_BYTES) == 0);

    paxos_seal_t sent[PAXOS_LANES];
    paxos_seal_t received[PAXOS_LANES];
    for (uint32_t lane = 0; lane < PAXOS_LANES; lane++) {
        paxos_seal_start(&sent[lane], lane, dialler.send_key);
        paxos_seal_start(&received[lane], lane, listener.receive_key);
    }
    for (uint32_t i = 0; i < count; i++) {
        const transport_sample_frame_t *frame = &frames[i];
        const uint32_t lane = frame->body_bytes != 0 ? PAXOS_LANE_BULK : PAXOS_LANE_SHORT;
        uint8_t tag[PAXOS_TRANSPORT_TAG_BYTES];
        paxos_seal_next(&sent[lane], frame->header, frame->body, frame->body_bytes, tag);
        CHECK(memcmp(tag, frame->tag, sizeof tag) == 0);
        CHECK(paxos_seal_check(
            &received[lane], frame->header, frame->body, frame->body_bytes, frame->tag));
    }
    CHECK(sent[0].count > PAXOS_SEAL_KEYS && sent[1].count > PAXOS_SEAL_KEYS);
    return NULL;
}
