"""The worst case of an image's stack, from its machine code: every path of every function, and every
call. What cannot be followed is an error; so is recursion."""

import re
import subprocess

LINE = re.compile(r"^\s*([0-9a-f]+): [0-9a-f ]+\t(\S+)\s*(.*)$")
FRAME_OF_INTERRUPT = 32 + 4  # eight registers, and a word where they must be aligned
CONDITIONS = "eq ne hs lo mi pl vs vc hi ls ge lt gt le".split()


class Image:
    def __init__(self, tools, path):
        def tool(name, *arguments):
            command = [f"{tools}/{name}", *arguments, path]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout

        subprocess.run([f"{tools}/llvm-objcopy", "-O", "binary", "-j", ".text", path, path + ".bin"],
                       check=True)
        with open(path + ".bin", "rb") as code:
            self.code = code.read()
        self.names = {}
        for line in tool("llvm-nm", "--defined-only").splitlines():
            address, kind, name = line.split(None, 2)
            if kind in "tTW":
                self.names[int(address, 16) & ~1] = name
        self.starts = {name: address for address, name in self.names.items()}
        self.instructions = {}
        previous = None
        for line in tool("llvm-objdump", "-d", "--no-show-raw-insn").splitlines():
            match = re.match(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$", line)
            if not match:
                continue
            address = int(match[1], 16)
            if previous is not None:
                self.instructions[previous][2] = address
            self.instructions[address] = [match[2], match[3], None]
            previous = address
        self.depths = {}

    def word(self, address, size=4):
        return int.from_bytes(self.code[address:address + size], "little")

    def stack_bytes(self, address, callers=()):
        """What a function needs, with all that it calls."""
        if address in callers:
            names = [self.names.get(a, hex(a)) for a in (*callers, address)]
            raise ValueError("recursion: " + " > ".join(names))
        if address not in self.depths:
            deepest = 0
            for depth, callee in self.walk(address):
                below = self.stack_bytes(callee, (*callers, address)) if callee is not None else 0
                deepest = max(deepest, depth + below)
            self.depths[address] = deepest
        return self.depths[address]

    def walk(self, start):
        """The depths that a function reaches, and those at which it calls another."""
        seen = {}
        todo = [(start, 0, {})]
        while todo:
            at, depth, literals = todo.pop()
            if seen.get(at, -1) >= depth:
                continue
            if at in seen and seen[at] != depth:
                raise ValueError(f"{at:x} is reached at depths {seen[at]} and {depth}")
            seen[at] = depth
            mnemonic, operands, following = self.instructions[at]
            depth += self.pushed(at, mnemonic, operands)
            yield depth, None
            literals = self.literals_after(literals, mnemonic, operands)
            callee, targets, falls = self.flow(at, mnemonic, operands, literals)
            if callee is not None:
                yield depth, callee
            for target in targets:
                if target in self.names and (target != start or depth != 0):
                    yield depth, target  # a tail call
                else:
                    todo.append((target, depth, literals))
            if falls:
                todo.append((following, depth, literals))

    def pushed(self, at, mnemonic, operands):
        """By how many bytes an instruction lowers the stack."""
        name = mnemonic.split(".")[0]
        listed = re.search(r"\{(.*)\}", operands)
        count = 4 * len(listed[1].split(",")) if listed else 0
        moved = re.search(r"#(-?0x[0-9a-f]+|-?\d+)", operands)
        bytes_moved = int(moved[1], 0) if moved else 0
        if name == "push" or (name == "stmdb" and operands.startswith("sp!")):
            return count
        if name == "pop" or (name == "ldm" and operands.startswith("sp!")):
            return -count
        if name in ("sub", "subw") and operands.startswith("sp"):
            return bytes_moved
        if name in ("add", "addw") and operands.startswith("sp"):
            return -bytes_moved
        if re.search(r"\[sp, #-?\w+\]!", operands) or re.search(r"\[sp\], #", operands):
            return -bytes_moved
        if re.match(r"(add|pop)(%s)$" % "|".join(CONDITIONS), name):
            return 0  # before a return that has the same condition: what goes on has it all
        if re.match(r"sp\b", operands) and not name.startswith(("cmp", "stm", "ldm")):
            raise ValueError(f"{at:x}: {mnemonic} {operands}")
        return 0

    def literals_after(self, literals, mnemonic, operands):
        """Registers that hold a known word, for calls by register."""
        match = re.match(r"(\w+), \[pc, .*@ 0x([0-9a-f]+)", operands)
        if mnemonic.startswith("ldr") and match:
            return literals | {match[1]: self.word(int(match[2], 16))}
        return literals

    def flow(self, at, mnemonic, operands, literals):
        """Of an instruction: whom it calls, where it branches to, and whether the next one follows."""
        name = mnemonic.split(".")[0]
        target = re.search(r"0x([0-9a-f]+)", operands)
        is_conditional = name[-2:] in CONDITIONS and name not in ("bls", "movs")
        if name in ("cbz", "cbnz"):
            return None, [int(target[1], 16)], True
        if name == "bl" or (name.startswith("bl") and name[2:] in CONDITIONS and len(name) == 4):
            return int(target[1], 16), [], True
        if name == "blx":
            return literals[operands.split()[0]] & ~1, [], True
        if name == "b":
            return None, [int(target[1], 16)], False
        if len(name) == 3 and name[0] == "b" and name[1:] in CONDITIONS:
            return None, [int(target[1], 16)], True
        if name in ("tbb", "tbh"):
            return None, self.table(at, 1 if name == "tbb" else 2), False
        if name.startswith("bx"):
            return None, [], is_conditional
        if name.startswith(("pop", "ldm")) and re.search(r"\bpc\b", operands):
            return None, [], is_conditional
        if name.startswith("ldr") and operands.startswith("pc"):
            return None, [], is_conditional
        if name in ("udf", "trap"):
            return None, [], False
        return None, [], True

    def table(self, at, size):
        """The targets of a jump table, which ends where the first of them begins."""
        targets = []
        entry = at + 4
        while not targets or entry < min(targets):
            targets.append(at + 4 + 2 * self.word(entry, size))
            entry += size
        return targets


def worst_case(tools, path):
    """From reset on, and one interrupt at the worst moment: they do not interrupt each other."""
    image = Image(tools, path)
    interrupts = [image.stack_bytes(image.starts[name])
                  for name in ("tick", "line_received") if name in image.starts]
    return image.stack_bytes(image.starts["reset"]) + FRAME_OF_INTERRUPT + max(interrupts)
