/* seal.c - see seal.h. */
#include "seal.h"

#include <string.h>

#include "../CSodium/shim.h"

_Static_assert(crypto_onetimeauth_BYTES == PAXOS_TRANSPORT_TAG_BYTES, "a tag is one of Poly1305");
_Static_assert(crypto_onetimeauth_KEYBYTES == 32, "keys of one size");
_Static_assert(crypto_stream_chacha20_ietf_KEYBYTES == PAXOS_TRANSPORT_KEY_BYTES, "");
_Static_assert(crypto_stream_chacha20_ietf_NONCEBYTES == 12, "lane and block fill the nonce");

void paxos_seal_start(
    paxos_seal_t *seal, uint32_t lane, const uint8_t key[PAXOS_TRANSPORT_KEY_BYTES]) {
    memset(seal, 0, sizeof *seal);
    seal->lane = lane;
    memcpy(seal->key, key, PAXOS_TRANSPORT_KEY_BYTES);
}

/* The key of the frame whose turn it is; no key is ever used twice. */
static const uint8_t *next_key(paxos_seal_t *seal) {
    const uint64_t at = seal->count % PAXOS_SEAL_KEYS;
    if (at == 0) {
        uint8_t nonce[crypto_stream_chacha20_ietf_NONCEBYTES];
        paxos_put32(nonce, seal->lane);
        paxos_put64(nonce + 4, seal->count / PAXOS_SEAL_KEYS);
        (void)crypto_stream_chacha20_ietf(
            seal->frame_keys[0], sizeof seal->frame_keys, nonce, seal->key);
    }
    seal->count += 1;
    return seal->frame_keys[at];
}

void paxos_seal_next(
    paxos_seal_t *seal, const uint8_t *header, const uint8_t *body, size_t body_bytes,
    uint8_t tag[PAXOS_TRANSPORT_TAG_BYTES]) {
    crypto_onetimeauth_state state;
    (void)crypto_onetimeauth_init(&state, next_key(seal));
    (void)crypto_onetimeauth_update(&state, header, PAXOS_FRAME_HEADER_BYTES);
    if (body_bytes != 0) { (void)crypto_onetimeauth_update(&state, body, body_bytes); }
    (void)crypto_onetimeauth_final(&state, tag);
}

bool paxos_seal_check(
    paxos_seal_t *seal, const uint8_t *header, const uint8_t *body, size_t body_bytes,
    const uint8_t tag[PAXOS_TRANSPORT_TAG_BYTES]) {
    uint8_t expected[PAXOS_TRANSPORT_TAG_BYTES];
    paxos_seal_next(seal, header, body, body_bytes, expected);
    return crypto_verify_16(expected, tag) == 0;
}
