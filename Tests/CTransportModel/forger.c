/* forger.c - a peer that keeps TRANSPORT.md by itself. See world.h. */
#define _GNU_SOURCE 1

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../CSources/CSodium/shim.h"
#include "paxos_host.h"
#include "world.h"

bool forger_dial(forger_t *forger, uint16_t port) {
    memset(forger, 0, sizeof *forger);
    forger->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int one = 1;
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return forger->fd >= 0 &&
           setsockopt(forger->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 &&
           connect(forger->fd, (const struct sockaddr *)&address, sizeof address) == 0;
}

void forger_hello(forger_t *forger, uint16_t sender, uint16_t receiver, uint32_t incarnation) {
    uint8_t *hello = forger->hello;
    memcpy(hello, "PXPT\1\1\1", 8);
    paxos_put64(hello + 8, CLUSTER);
    paxos_put16(hello + 16, sender);
    paxos_put16(hello + 18, receiver);
    paxos_put32(hello + 20, incarnation);
    randombytes_buf(hello + 24, 40);
}

bool forger_write(const forger_t *forger, const uint8_t *bytes, size_t count) {
    return send(forger->fd, bytes, count, MSG_NOSIGNAL) == (ssize_t)count;
}

bool forger_answered(forger_t *forger, paxos_transport_t *transport, const uint8_t *key) {
    const uint64_t until_ns = paxos_host_clock_ns() + 2000000000u;
    size_t got = 0;
    while (got < sizeof forger->answer) {
        if (paxos_transport_poll(transport, paxos_host_clock_ns(), 0) != PAXOS_TRANSPORT_OK ||
            paxos_host_clock_ns() > until_ns) {
            return false;
        }
        const ssize_t part =
            recv(forger->fd, forger->answer + got, sizeof forger->answer - got, MSG_DONTWAIT);
        if (part == 0) { return false; }
        if (part > 0) { got += (size_t)part; }
    }
    uint8_t both[128];
    uint8_t master[32];
    uint8_t proof[32];
    memcpy(both, forger->hello, 64);
    memcpy(both + 64, forger->answer, 64);
    (void)crypto_generichash(master, 32, both, 128, key, 32);
    (void)crypto_kdf_derive_from_key(forger->key, 32, 1, "PaxosTrn", master);
    (void)crypto_kdf_derive_from_key(forger->proof, 32, 3, "PaxosTrn", master);
    (void)crypto_kdf_derive_from_key(proof, 32, 4, "PaxosTrn", master);
    return memcmp(proof, forger->answer + 64, 32) == 0;
}

uint32_t forger_frame(
    forger_t *forger, uint8_t *out, uint16_t sender, uint16_t receiver, uint64_t number,
    uint32_t body_bytes) {
    const uint32_t lane = body_bytes != 0;
    world_header(out, sender, receiver, number, body_bytes);
    world_body(out + 96, body_bytes, number);
    uint8_t nonce[12];
    uint8_t keys[1024];
    paxos_put32(nonce, lane);
    paxos_put64(nonce + 4, forger->counts[lane] / 32);
    (void)crypto_stream_chacha20_ietf(keys, sizeof keys, nonce, forger->key);
    (void)crypto_onetimeauth(
        out + 96 + body_bytes, out, 96 + body_bytes, keys + forger->counts[lane] % 32 * 32);
    forger->counts[lane] += 1;
    return 96 + body_bytes + 16;
}

void forger_close(forger_t *forger) {
    (void)close(forger->fd);
}
