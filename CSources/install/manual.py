"""Writes the manual pages from what the headers say: manual.py VERSION INCLUDE_FOLDER OUT_FOLDER"""

import os
import re
import sys

PAGES = {
    "paxos": ["paxos.h", "paxos/base.h", "paxos/ballot.h", "paxos/config.h", "paxos/effect.h",
              "paxos/entry.h", "paxos/frame.h"],
    "paxos_acceptor": ["paxos/acceptor.h"],
    "paxos_replica": ["paxos/replica.h"],
}
COMMENT = re.compile(r"/\*.*?\*/", re.S)


def plain(comment):
    """The text of a comment, line by line, without its frame."""
    lines = [re.sub(r"^ ?\* ?", "", line.rstrip()) for line in comment[2:-2].rstrip().split("\n")]
    return [lines[0].strip(), *lines[1:]]


def escaped(lines):
    """Lines that roff shows as they are."""
    for line in lines:
        line = line.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
        yield "\\&" + line if line.startswith((".", "\\(aq")) else line


def is_plumbing(text):
    """Whether a block is what a compiler needs and no reader: guards, includes, C linkage."""
    return re.match(r"#(?!define PAXOS_)|#define PAXOS_\w+_H\b|extern \"C\"", text) is not None


def declaration(text):
    """What a reader needs of a declaration: of an inline function not its body."""
    if "static inline" in text:
        text = text[text.index("static inline "):].replace("static inline ", "")
        text = text[:text.index(" {")] + ";"
    return text.replace("PAXOS_MUST_USE\n", "").replace("PAXOS_MUST_USE ", "")


def items(text):
    """Pairs of comment and declaration, as blank lines part them; contracts for provers left out."""
    text = re.sub(r"/\*@.*?\*/\n?", "", text, flags=re.S)
    for block in re.split(r"\n\s*\n(?![ \t])", text):
        block = block.strip("\n")
        found = COMMENT.match(block)
        said = found.group() if found else ""
        rest = block[len(said):].strip("\n")
        if rest and is_plumbing(rest):
            continue
        rest = declaration(rest)
        if said or rest:
            yield plain(said) if said else [], rest


def shown(text):
    return ["", ".nf", *escaped(text), ".fi"]


def header_section(path, text):
    top = COMMENT.match(text).group()
    lines = plain(top)
    title = re.sub(r"^\S+ - ", "", lines[0])
    out = [f'.SH {os.path.basename(path).upper()}', *shown([title, *lines[1:]])]
    for said, declared in items(text[len(top):]):
        if "PAXOS_ASSERT(" in declared:  # for the library itself
            continue
        if declared:
            out += [".PP", ".nf", ".ft B", *escaped(declared.split("\n")), ".ft R", ".fi"]
        if said:
            out += [".RS 4", ".nf", *escaped(said), ".fi", ".RE"]
    return out


def page(name, headers, include, version):
    first = open(os.path.join(include, headers[0])).read()
    purpose = re.sub(r"^\S+ - ", "", plain(COMMENT.match(first).group())[0]).rstrip(".")
    others = ", ".join(f".BR {other} (3)" for other in PAGES if other != name)
    library = "cpaxos" if name != "paxos_acceptor" else "cpaxos-acceptor"
    out = [f'.TH {name.upper()} 3 "" "cpaxos {version}" "Library Functions"',
           ".SH NAME", *escaped([f"{name} - {purpose}"]),
           ".SH SYNOPSIS", ".nf", *[f".B #include <{header}>" for header in headers], "",
           *escaped([f"cc program.c $(pkg-config --cflags --libs {library})"]), ".fi"]
    for header in headers if name != "paxos" else headers[1:]:
        out += header_section(header, open(os.path.join(include, header)).read())
    return out + [".SH SEE ALSO", *others.split(", ")]


def main():
    version, include, folder = sys.argv[1:]
    for name, headers in PAGES.items():
        with open(os.path.join(folder, name + ".3"), "w") as file:
            file.write("\n".join(page(name, headers, include, version)) + "\n")


main()
