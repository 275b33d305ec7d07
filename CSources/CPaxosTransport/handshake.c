/* handshake.c - see handshake.h. */
#include "handshake.h"

#include <string.h>

#include "../CSodium/shim.h"

_Static_assert(crypto_kdf_KEYBYTES == PAXOS_TRANSPORT_KEY_BYTES, "keys of one size");
_Static_assert(crypto_generichash_KEYBYTES == PAXOS_PROOF_BYTES, "a proof is the key of a refusal");
_Static_assert(crypto_kdf_CONTEXTBYTES == 8, "the context below has eight bytes");

enum { KEY_OF_DIALLER = 1, KEY_OF_LISTENER = 2, PROOF_OF_DIALLER = 3, PROOF_OF_LISTENER = 4 };

void paxos_hello_write(const paxos_hello_t *hello, uint8_t bytes[PAXOS_HELLO_BYTES]) {
    paxos_put32(bytes, PAXOS_HELLO_MAGIC);
    bytes[4] = hello->version_min;
    bytes[5] = hello->version_max;
    bytes[6] = hello->security;
    bytes[7] = 0;
    paxos_put64(bytes + 8, hello->cluster);
    paxos_put16(bytes + 16, hello->sender);
    paxos_put16(bytes + 18, hello->receiver);
    paxos_put32(bytes + 20, hello->incarnation);
    paxos_put64(bytes + 24, hello->instance);
    randombytes_buf(bytes + 32, PAXOS_HELLO_NONCE_BYTES);
}

paxos_transport_reason_t paxos_hello_read(
    const uint8_t bytes[PAXOS_HELLO_BYTES], paxos_hello_t *hello) {
    if (paxos_get32(bytes) != PAXOS_HELLO_MAGIC) { return PAXOS_TRANSPORT_HELLO; }
    hello->version_min = bytes[4];
    hello->version_max = bytes[5];
    /* What follows the versions is up to the version. */
    if (hello->version_min > PAXOS_TRANSPORT_VERSION ||
        hello->version_max < PAXOS_TRANSPORT_VERSION) {
        return PAXOS_TRANSPORT_VERSION_UNKNOWN;
    }
    hello->security = bytes[6];
    hello->cluster = paxos_get64(bytes + 8);
    hello->sender = paxos_get16(bytes + 16);
    hello->receiver = paxos_get16(bytes + 18);
    hello->incarnation = paxos_get32(bytes + 20);
    hello->instance = paxos_get64(bytes + 24);
    if (bytes[7] != 0 || hello->incarnation == 0) { return PAXOS_TRANSPORT_HELLO; }
    return PAXOS_TRANSPORT_NONE;
}

void paxos_session_derive(
    const uint8_t key[PAXOS_TRANSPORT_KEY_BYTES], const uint8_t dialler[PAXOS_HELLO_BYTES],
    const uint8_t listener[PAXOS_HELLO_BYTES], bool is_dialler, paxos_session_t *session) {
    uint8_t master[crypto_kdf_KEYBYTES];
    crypto_generichash_state state;
    /* These functions fail only for lengths out of range, and ours are constants. */
    (void)crypto_generichash_init(&state, key, PAXOS_TRANSPORT_KEY_BYTES, sizeof master);
    (void)crypto_generichash_update(&state, dialler, PAXOS_HELLO_BYTES);
    (void)crypto_generichash_update(&state, listener, PAXOS_HELLO_BYTES);
    (void)crypto_generichash_final(&state, master, sizeof master);

    static const char context[] = "PaxosTrn";
    uint8_t *const keys[] = {
        is_dialler ? session->send_key : session->receive_key,
        is_dialler ? session->receive_key : session->send_key,
        is_dialler ? session->own_proof : session->peer_proof,
        is_dialler ? session->peer_proof : session->own_proof,
    };
    for (uint64_t id = KEY_OF_DIALLER; id <= PROOF_OF_LISTENER; id++) {
        (void)crypto_kdf_derive_from_key(
            keys[id - 1], PAXOS_TRANSPORT_KEY_BYTES, id, context, master);
    }
    sodium_memzero(master, sizeof master);
    sodium_memzero(&state, sizeof state);
}

void paxos_verdict_write(
    const uint8_t proof[PAXOS_PROOF_BYTES], paxos_transport_reason_t verdict,
    uint8_t bytes[PAXOS_PROOF_BYTES]) {
    const uint8_t said = (uint8_t)verdict;
    if (verdict == PAXOS_TRANSPORT_NONE) {
        memcpy(bytes, proof, PAXOS_PROOF_BYTES);
    } else { /* it fails only for lengths out of range */
        (void)crypto_generichash(
            bytes, PAXOS_PROOF_BYTES, &said, sizeof said, proof, PAXOS_PROOF_BYTES);
    }
}

paxos_transport_reason_t paxos_verdict_read(
    const uint8_t proof[PAXOS_PROOF_BYTES], const uint8_t bytes[PAXOS_PROOF_BYTES]) {
    static const paxos_transport_reason_t verdicts[] = {
        PAXOS_TRANSPORT_NONE, PAXOS_TRANSPORT_STALE, PAXOS_TRANSPORT_CLONE, PAXOS_TRANSPORT_LIVING};
    paxos_transport_reason_t found = PAXOS_TRANSPORT_PROOF;
    uint8_t expected[PAXOS_PROOF_BYTES];
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
        paxos_verdict_write(proof, verdicts[i], expected);
        if (sodium_memcmp(expected, bytes, PAXOS_PROOF_BYTES) == 0) { found = verdicts[i]; }
    }
    sodium_memzero(expected, sizeof expected);
    return found;
}
