"""Makes the sample of a connection, after TRANSPORT.md alone: handshake, keys, and every frame of
WIRE.md with its tag, nine times over, so that both lanes go beyond their first 32 keys.

usage: transport.py WIRE.md >transport-1.json
"""

import hashlib
import json
import re
import struct
import sys

ROUNDS = 9
KEY = bytes(range(100, 132))
MASK = 0xFFFFFFFF


def hello(sender, receiver, incarnation):
    nonce = hashlib.blake2b(b"nonce of %d" % sender, digest_size=32).digest()
    fixed = struct.pack("<4sBBBBQHHIQ", b"PXPT", 1, 1, 1, 0, 0xC1057E2, sender, receiver,
                        incarnation, 0x1122334455667700 + sender)
    return fixed + nonce


def derived(master, number):
    """crypto_kdf_derive_from_key of libsodium."""
    return hashlib.blake2b(
        b"", digest_size=32, key=master, salt=struct.pack("<QQ", number, 0),
        person=b"PaxosTrn" + bytes(8)).digest()


def quarter(x, a, b, c, d):
    for first, second, third, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        x[first] = (x[first] + x[second]) & MASK
        x[third] ^= x[first]
        x[third] = (x[third] << turn | x[third] >> (32 - turn)) & MASK


def chacha20(key, nonce, count):
    """RFC 8439, section 2.4: that many bytes of the stream, from block 0 on."""
    stream = b""
    for block in range((count + 63) // 64):
        state = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *struct.unpack("<8L", key), block,
                 *struct.unpack("<3L", nonce)]
        x = list(state)
        for _ in range(10):
            for i in range(4):
                quarter(x, i, 4 + i, 8 + i, 12 + i)
            for i in range(4):
                quarter(x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
        stream += struct.pack("<16L", *((a + b) & MASK for a, b in zip(x, state)))
    return stream[:count]


def poly1305(key, message):
    """RFC 8439, section 2.5."""
    factor = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    tag = 0
    for at in range(0, len(message), 16):
        tag = (tag + int.from_bytes(message[at : at + 16] + b"\1", "little")) * factor
        tag %= (1 << 130) - 5
    tag += int.from_bytes(key[16:], "little")
    return (tag & ((1 << 128) - 1)).to_bytes(16, "little")


def tag_of(key, lane, number, frame):
    keys = chacha20(key, struct.pack("<LQ", lane, number // 32), 1024)
    return poly1305(keys[number % 32 * 32 :][:32], frame)


def examples(page):
    """Name, fields and bytes of each frame of the page."""
    for name, text in re.findall(r"^```golden ([A-Z_]+)\n(.*?)^```$", page, re.M | re.S):
        fields = {key: int(value, 0) for key, value in re.findall(r"\b(\w+)=(\w+)", text)
                  if key != "value"} if name != "ENTRY" else {}
        if 1 <= fields.get("kind", 0) < 64:
            rows = re.findall(r"^[0-9a-f]{4}: (.*)$", text, re.M)
            yield name, fields, bytes.fromhex("".join(rows))


def main():
    page = open(sys.argv[1], encoding="utf-8").read()
    dialler, listener = hello(2, 1, 3), hello(1, 2, 5)
    master = hashlib.blake2b(dialler + listener, digest_size=32, key=KEY).digest()
    frames = [{"name": name, "fields": fields, "header": data[:96].hex(), "body": data[96:].hex(),
               "tags": []} for name, fields, data in examples(page)]
    counts = [0, 0]
    for _ in range(ROUNDS):
        for frame in frames:
            lane = int(frame["body"] != "")
            data = bytes.fromhex(frame["header"] + frame["body"])
            frame["tags"].append(tag_of(derived(master, 1), lane, counts[lane], data).hex())
            counts[lane] += 1
    print(json.dumps({
        "key": KEY.hex(), "dialler": dialler.hex(), "listener": listener.hex(),
        "dialler_proof": derived(master, 3).hex(), "listener_proof": derived(master, 4).hex(),
        "frames": frames}, indent=1))


main()
