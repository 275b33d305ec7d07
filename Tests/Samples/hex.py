"""Prints files as rows of 16 bytes behind their offset, rows of zeros left out: how samples are kept.

usage: hex.py FILE ...
"""

import pathlib
import sys

for name in sys.argv[1:]:
    data = pathlib.Path(name).read_bytes()
    print(f"{pathlib.Path(name).name} {len(data)}")
    for offset in range(0, len(data), 16):
        row = data[offset : offset + 16]
        if any(row):
            print(f"{offset:x}: {row.hex()}")
