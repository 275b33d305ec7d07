"""Whether the record of the binary interface is whole: every struct, field, enumerator, constant and
function of the installed headers stands in abi.c, abi_values.c or abi_functions.c beside this file.
That they still are what is written there is the compiler's to say.

usage: abi.py CLANG INCLUDE_FOLDER
"""

import json
import pathlib
import re
import subprocess
import sys

# What may change from one version to the next, or says how code is compiled.
NOT_RECORDED = {"PAXOS_VERSION", "PAXOS_SHORT_WAY"}


def headers(folder):
    names = sorted(str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*.h"))
    return "".join(f"#include <{name}>\n" for name in names)


def compiled(clang, folder, *arguments):
    command = [clang, "-std=c11", "-I", folder, "-x", "c", *arguments, "-"]
    run = subprocess.run(
        command, input=headers(folder), capture_output=True, text=True, check=True)
    return run.stdout


def declared(clang, folder):
    """Lines that the record must have, as far as the first argument that differs."""
    tree = json.loads(compiled(clang, folder, "-fsyntax-only", "-Xclang", "-ast-dump=json"))
    for node in tree["inner"]:
        name = node.get("name", "")
        if not name.startswith("paxos_") and node["kind"] != "EnumDecl":
            continue
        inside = node.get("inner", [])
        if node["kind"] == "RecordDecl" and node.get("completeDefinition"):
            yield f"SIZE({name}_t,"
            fields = [field["name"] for field in inside if field["kind"] == "FieldDecl"]
            yield from (f"FIELD({name}_t, {field}," for field in fields)
        elif node["kind"] == "EnumDecl":
            values = [value["name"] for value in inside if value["kind"] == "EnumConstantDecl"]
            yield from (f"VALUE({value}," for value in values if value.startswith("PAXOS_"))
        elif node["kind"] == "FunctionDecl" and node.get("storageClass") != "static":
            yield f"{name}("
    for line in compiled(clang, folder, "-dM", "-E").splitlines():
        found = re.match(r"#define (PAXOS_\w+) ([(\d].*|PAXOS_\w+)$", line)
        if found and found[1] not in NOT_RECORDED:
            yield f"VALUE({found[1]},"


def main():
    clang, folder = sys.argv[1:]
    record = "".join(
        pathlib.Path(__file__).with_name(name).read_text()
        for name in ("abi.c", "abi_values.c", "abi_functions.c"))
    wanted = sorted(set(declared(clang, folder)))
    missing = [line for line in wanted if line not in record]
    for line in missing:
        print(f"not in the record of the interface: {line} ...")
    print(f"{len(wanted)} sizes, fields, values and functions, {len(missing)} not in the record")
    sys.exit(bool(missing) or len(wanted) < 300)


main()
