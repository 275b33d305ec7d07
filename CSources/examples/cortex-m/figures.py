#!/usr/bin/env python3
"""The figures of the firmware: figures.py write|check TOOLS OUT QEMU...

Makes the tables of FIGURES.md from the images in OUT, and writes them there, or compares them with
the page: what grew by more than 2 % fails, and so does what is over a goal."""

import re
import subprocess
import sys

import stack

PAGE = "FIGURES.md"
GROWTH_PERCENT = 2
IMAGES = {
    "member": "one replica of three, with its line, clock and console",
    "cluster": "three replicas and their story",
}
# One full replica of three on a small part: bytes of flash, and of memory with and without the rest.
GOALS = {"text": 24576, "RAM": 8192, "stack": 2048}


def sections(path):
    listing = subprocess.run(["size", "-A", path], check=True, capture_output=True, text=True)
    found = re.findall(r"(?m)^(\.\w+)\s+(\d+)\s", listing.stdout)
    return {name: int(size) for name, size in found}


def measure(tools, out, qemu):
    """The rows of both tables: name, numbers, remark."""
    images = []
    for name, remark in IMAGES.items():
        path = f"{out}/{name}.elf"
        size = sections(path)
        bound = stack.worst_case(tools, path)
        images.append((name, [size[".text"], size[".data"], size[".bss"], bound], remark))
    story = run(qemu + ["-kernel", f"{out}/cluster.elf"])
    used = int(re.search(r"stack used: (\d+)", story)[1])
    if used > images[1][1][3]:
        sys.exit(f"figures: cluster used {used} bytes of stack, which is over its worst case")
    lines = run(qemu + ["-icount", "shift=10,sleep=off", "-kernel", f"{out}/cost.elf"])
    steps = [(name, [int(count)], "") for name, count in
             (line.split("\t") for line in lines.splitlines())]
    return images, steps


def run(command):
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)
    return done.stdout + done.stderr


def table(images, steps):
    lines = ["| image | text | data | bss | stack, worst case | |", "|---|--:|--:|--:|--:|---|"]
    lines += [f"| {name} | {' | '.join(map(str, numbers))} | {remark} |"
              for name, numbers, remark in images]
    lines += ["", "| step of a commit | instructions |", "|---|--:|"]
    lines += [f"| {name} | {numbers[0]} |" for name, numbers, _ in steps]
    return "\n".join(lines)


def numbers_of(text):
    """By the name of its row, the numbers that a table has."""
    rows = re.findall(r"(?m)^\| ([^|]+) \| (\d.*)$", text)
    return {name: [int(cell) for cell in rest.split("|") if cell.strip().isdigit()]
            for name, rest in rows}


def hold_goals(images):
    """RAM is data, bss and the worst case of the stack."""
    text, data, bss, bound = next(numbers for name, numbers, _ in images if name == "member")
    over = [f"{what} {size} is over {GOALS[what]}" for what, size in
            (("text", text), ("RAM", data + bss + bound), ("stack", bound)) if size > GOALS[what]]
    if over:
        sys.exit("figures: member: " + ", ".join(over))


def write(page, text):
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(page[:page.index("| image |")] + text + "\n")


def compare(page, text):
    before = numbers_of(page)
    now = numbers_of(text)
    if before.keys() != now.keys():
        sys.exit("figures: the rows are not those of FIGURES.md")
    grown = [f"{name}: {before[name]} before, {now[name]} now" for name in now
             if any(100 * new > (100 + GROWTH_PERCENT) * old
                    for old, new in zip(before[name], now[name]))]
    if grown:
        sys.exit("figures: over FIGURES.md by more than 2 %: make figures, if it is worth that\n" +
                 "\n".join(grown))


def main():
    mode, tools, out, *qemu = sys.argv[1:]
    with open(PAGE, encoding="utf-8") as file:
        page = file.read()
    images, steps = measure(tools, out, qemu)
    text = table(images, steps)
    print(text)
    hold_goals(images)
    {"write": write, "check": compare}[mode](page, text)


main()
