/* forger.c - a peer that keeps TRANSPORT.md by itself. See forger.h. */
#define _GNU_SOURCE 1

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../CSources/CSodium/shim.h"
#include "forger.h"
#include "paxos_host.h"

void world_header(
    uint8_t *header, uint16_t sender, uint16_t receiver, uint64_t number, uint32_t body_bytes) {
    memset(header, 0, PAXOS_FRAME_HEADER_BYTES);
    paxos_put16(header + 4, PAXOS_FRAME_MAGIC);
    header[6] = PAXOS_WIRE_VERSION;
    header[7] = body_bytes == 0 ? PAXOS_FRAME_HEARTBEAT : PAXOS_FRAME_FORWARD;
    paxos_put64(header + 8, CLUSTER);
    paxos_put32(header + 16, (uint32_t)number % 5); /* of several groups */
    paxos_put32(header + 20, 1);
    paxos_put16(header + 24, sender);
    paxos_put16(header + 26, receiver);
    if (body_bytes == 0) {
        paxos_put64(header + 64, number);
    } else {
        paxos_put32(header + 32, 1);
        paxos_put32(header + 36, body_bytes);
        paxos_put64(header + 40, 65536 + receiver);
        paxos_put64(header + 72, number);
    }
    paxos_put32(header, paxos_crc32c(0, header + 4, PAXOS_FRAME_HEADER_BYTES - 4));
}

void world_body(uint8_t *body, uint32_t body_bytes, uint64_t number) {
    for (uint32_t i = 0; i < body_bytes; i += 8) {
        paxos_put64(body + i, (number + 1) * 0x9E3779B97F4A7C15u + i);
    }
}

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

bool forger_derive(forger_t *forger, const uint8_t *key, bool is_dialler) {
    uint8_t both[128];
    uint8_t master[32];
    memcpy(both + (is_dialler ? 0 : 64), forger->hello, 64);
    memcpy(both + (is_dialler ? 64 : 0), forger->answer, 64);
    (void)crypto_generichash(master, 32, both, 128, key, 32);
    (void)crypto_kdf_derive_from_key(forger->key, 32, is_dialler ? 1 : 2, "PaxosTrn", master);
    (void)crypto_kdf_derive_from_key(forger->proof, 32, is_dialler ? 3 : 4, "PaxosTrn", master);
    (void)crypto_kdf_derive_from_key(forger->expected, 32, is_dialler ? 4 : 3, "PaxosTrn", master);
    return memcmp(forger->expected, forger->answer + 64, 32) == 0;
}

bool forger_is_refused(const forger_t *forger, paxos_transport_reason_t reason) {
    uint8_t refusal[32];
    const uint8_t said = (uint8_t)reason;
    (void)crypto_generichash(refusal, 32, &said, 1, forger->expected, 32);
    return memcmp(refusal, forger->answer + 64, 32) == 0;
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
    return forger_derive(forger, key, true);
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
