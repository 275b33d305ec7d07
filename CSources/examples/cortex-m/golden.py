#!/usr/bin/env python3
"""Write the examples of WIRE.md as C tables (golden.h): golden.py WIRE.md >golden_examples.c"""

import re
import sys


def examples(page):
    """Of each fenced example its name, its fields and its bytes."""
    for name, body in re.findall(r"```golden (\w+)\n(.*?)```", page, re.DOTALL):
        fields = dict(re.findall(r"(\w+)=(\w+)", re.sub(r"(?m)^value=.*$", "", body)))
        value = "".join(re.findall(r"(?m)^value=(\w+)$", body))
        rows = re.findall(r"(?m)^[0-9a-f]{4}: (.*)$", body)
        yield name, fields, len(value) // 2, " ".join(rows).split()


def table(kind, rows):
    print(f"const golden_{kind}_t golden_{'entries' if kind == 'entry' else 'frames'}[] = {{")
    for head, fields, data in rows:
        names = ", ".join(f".{name} = {value}u" if len(value) < 10 else f".{name} = {value}ull"
                          for name, value in fields.items())
        content = ", ".join("0x" + byte for byte in data)
        print(f"    {{{head}{{{names}}}, {len(data)}, {{{content}}}}},")
    print(f"}};\nconst uint32_t golden_{kind}_count = {len(rows)};\n")


def main():
    with open(sys.argv[1], encoding="utf-8") as page:
        found = list(examples(page.read()))
    print('/* Made by golden.py from WIRE.md. */\n#include "golden.h"\n')
    table("frame", [(f'"{name}", ', fields, data)
                    for name, fields, _, data in found if name != "ENTRY"])
    table("entry", [("", fields | {"value_bytes": str(value_bytes)}, data)
                    for name, fields, value_bytes, data in found if name == "ENTRY"])


main()
