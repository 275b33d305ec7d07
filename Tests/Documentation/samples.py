"""Takes the samples of documentation pages out, for a compiler.

usage: samples.py FOLDER PAGE.md ...

A block of Swift that begins with imports is a program, and so is one of C that begins with an
include; the block of text behind a program is what it prints. Any other block of Swift is a
fragment, and becomes a function of Fragments.swift. FOLDER gets Package.swift's targets: one folder
a program (main.swift or main.c, and printed), and one for all fragments.
"""

import pathlib
import re
import sys

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
FRAGMENT = """
func fragment{number}(
    options: Replica.Options, replica: Replica, key: [UInt8], values: [[UInt8]], isFirstStart: Bool
) async throws {{
    var machine = Machine()
    machine.durableSlot = 0
{body}}}
"""


def main():
    folder = pathlib.Path(sys.argv[1])
    fragments, programs = [], 0
    for page in sys.argv[2:]:
        blocks = BLOCK.findall(pathlib.Path(page).read_text())
        for (language, body), follower in zip(blocks, blocks[1:] + [("", "")]):
            name = pathlib.Path(page).stem
            begins = {"swift": "import ", "c": "#include "}.get(language)
            if begins and body.startswith(begins):
                program = folder / "Sources" / f"{name}-{language}"
                program.mkdir(parents=True)
                (program / f"main.{language}").write_text(body)
                if follower[0] != "text":
                    sys.exit(f"{page}: nothing says what its program prints")
                (folder / f"{name}-{language}.printed").write_text(follower[1])
                programs += 1
            elif language == "c":
                sys.exit(f"{page}: a fragment of C, which nobody compiles")
            elif language == "swift":
                indented = re.sub(r"^(?=.)", "    ", body, flags=re.M)
                fragments.append(FRAGMENT.format(number=len(fragments), body=indented))
    target = folder / "Sources" / "fragments"
    target.mkdir(parents=True)
    (target / "Fragments.swift").write_text("import Paxos\n" + "".join(fragments))
    print(f"{programs} programs and {len(fragments)} fragments in {len(sys.argv) - 2} pages")


main()
