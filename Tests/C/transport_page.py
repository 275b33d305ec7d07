#!/usr/bin/env python3
"""The examples of TRANSPORT.md, made by nothing but the words of that page and the RFCs.

usage: transport_page.py [PAGE]     prints them; with a page: whether each stands in it
"""
import hashlib
import struct
import sys

KEY = bytes(range(32))
HEARTBEAT, FORWARD = 7, 11  # kinds of WIRE.md


def hello(sender, receiver, incarnation, instance, nonce):
    return b"PXPT" + bytes([1, 1, 1, 0]) + struct.pack(
        "<QHHIQ", 77, sender, receiver, incarnation, instance) + bytes([nonce] * 32)


def derive(master, number):
    """crypto_kdf_derive_from_key of libsodium, which is BLAKE2b with salt and personalization."""
    return hashlib.blake2b(
        digest_size=32, key=master, salt=struct.pack("<QQ", number, 0),
        person=b"PaxosTrn" + bytes(8)).digest()


def chacha20_block(key, counter, nonce):
    """RFC 8439, section 2.3."""
    start = list(struct.unpack("<16I", b"expand 32-byte k" + key +
                               struct.pack("<I", counter) + nonce))
    x = list(start)
    rounds = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
              (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]
    for a, b, c, d in rounds * 10:
        for to, by, of, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[to] = (x[to] + x[by]) & 0xFFFFFFFF
            x[of] ^= x[to]
            x[of] = (x[of] << turn | x[of] >> (32 - turn)) & 0xFFFFFFFF
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(x, start)))


def poly1305(key, message):
    """RFC 8439, section 2.5."""
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    sum_ = 0
    for i in range(0, len(message), 16):
        sum_ = (sum_ + int.from_bytes(message[i:i + 16] + b"\1", "little")) * r % (2**130 - 5)
    return ((sum_ + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


def tag(key, lane, number, message):
    nonce = struct.pack("<IQ", lane, number // 32)
    at = 32 * (number % 32)
    stream = chacha20_block(key, at // 64, nonce)
    return poly1305(stream[at % 64:at % 64 + 32], message)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def frame(kind, sender, receiver, body, fields):
    header = bytearray(96)
    struct.pack_into("<2sBBQIIHH", header, 4, b"PX", 1, kind, 77, 0, 1, sender, receiver)
    for at, form, value in fields:
        struct.pack_into(form, header, at, value)
    struct.pack_into("<I", header, 36, len(body))
    struct.pack_into("<I", header, 0, crc32c(header[4:]))
    return bytes(header) + body


def examples():
    dialler = hello(2, 1, 5, 0x1122334455667788, 0xD1)
    listener = hello(1, 2, 9, 0x99AABBCCDDEEFF00, 0x15)
    master = hashlib.blake2b(dialler + listener, digest_size=32, key=KEY).digest()
    keys = [derive(master, number) for number in (1, 2, 3, 4)]
    short = frame(HEARTBEAT, 2, 1, b"", [(64, "<Q", 3)])
    long_ = frame(FORWARD, 1, 2, bytes(range(1, 9)), [
        (32, "<I", 1), (40, "<Q", 0x10002), (72, "<Q", 4)])
    return [
        ("hello of the dialler", dialler), ("hello of the listener", listener),
        ("keys 1 to 4", b"".join(keys)),
        ("refusals of the listener, STALE, CLONE and LIVING", b"".join(
            hashlib.blake2b(bytes([reason]), digest_size=32, key=keys[3]).digest()
            for reason in (12, 13, 18))),
        ("frame 0 of lane 0, from the dialler", short + tag(keys[0], 0, 0, short)),
        ("frame 37 of lane 1, from the listener", long_ + tag(keys[1], 1, 37, long_))]


def block(name, data):
    rows = (f"{at:03x}: {data[at:at + 16].hex(' ')}" for at in range(0, len(data), 16))
    return "\n".join([f"```golden {name}", *rows, "```"])


def main():
    blocks = [block(name, data) for name, data in examples()]
    if len(sys.argv) < 2:
        print("\n\n".join(blocks))
        return 0
    with open(sys.argv[1], encoding="utf-8") as file:
        page = file.read()
    missing = [text.split("\n")[0] for text in blocks if text not in page]
    print(f"{len(blocks) - len(missing)} of {len(blocks)} examples stand in the page as they are")
    return 1 if missing or page.count("```golden") != len(blocks) else 0


sys.exit(main())
