"""Small mistakes, one at a time: the mutants of a C source.

Each is one token or one statement changed. Assertions stay as they are: they stop what cannot be,
and nothing can test a stop that never comes. So do preprocessor lines, comments and strings.
"""

import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"(?P<name>[A-Za-z_]\w*)|(?P<number>0[xX][0-9A-Fa-f]+[uUlL]*|\d+[uUlL]*)"
    r"|(?P<operator><<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|^<>=!~?:])"
)

OPERATORS = {
    "<": ["<=", ">="],
    "<=": ["<", ">"],
    ">": [">=", "<="],
    ">=": [">", "<"],
    "==": ["!="],
    "!=": ["=="],
    "&&": ["||"],
    "||": ["&&"],
    "+": ["-"],
    "-": ["+"],
    "*": ["+"],
    "/": ["*"],
    "%": ["/"],
    "&": ["|"],
    "|": ["&"],
    "^": ["|"],
    "<<": [">>"],
    ">>": ["<<"],
    "+=": ["-=", "="],
    "-=": ["+=", "="],
    "&=": ["|=", "="],
    "|=": ["&=", "="],
    "!": [""],
    "~": [""],
}

NAMES = {"true": "false", "false": "true", "break": ";", "continue": ";"}
UNARY_BEFORE = set("(,=<>&|+-*/%!~?:{;[") | {"return", "case"}
STATEMENT = re.compile(r"^\s*(?:[\w>.\[\]()-]+(?:->|\.)?[\w\[\]. ]*\s*(?:[-+*/%&|^]|<<|>>)?=[^=].*|"
                       r"(?:\(void\))?\w+\(.*\)|return .*|\w+(?:->\w+)?(?:\+\+|--));\s*$")
DECLARATION = re.compile(r"^\s*(?:const |static |struct )*[A-Za-z_]\w* [*\w]+(?:\[.*\])?(?: =.*)?;")
DEFINITION = re.compile(r"^[A-Za-z_].*?\b(\w+)\(")
PROTOTYPE_WORDS = ("typedef", "enum", "extern", "PAXOS_STATIC_ASSERT")


@dataclass(frozen=True)
class Mutant:
    """One changed line. `key` names it by what stands there, not by where: it outlives edits."""

    file: str
    line: int
    function: str
    before: str
    after: str

    @property
    def key(self):
        return f"{self.file} {self.function}: {self.before.strip()} => {self.after.strip()}"


def masked(text):
    """The text with comments and strings blanked, of the same length."""
    blank = lambda match: re.sub(r"[^\n]", " ", match.group())
    return re.sub(r"/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])'", blank, text, flags=re.S)


def without_assertions(text):
    """The same, with whole assertions blanked, which may go over several lines."""
    blank = lambda match: re.sub(r"[^\n]", " ", match.group())
    return re.sub(r"PAXOS_(?:STATIC_)?ASSERT\(.*?\);", blank, text, flags=re.S)


def number_mutants(token):
    digits = re.match(r"0[xX][0-9A-Fa-f]+|\d+", token).group()
    suffix, value = token[len(digits):], int(digits, 0)
    write = hex if digits[:2].lower() == "0x" else str
    others = [value + 1] if value == 0 else [value + 1, value - 1]
    return [write(other) + suffix for other in others]


def is_unary(code, start):
    before = code[:start].rstrip()
    if not before:
        return True
    word = re.search(r"\w+$", before)
    return (word.group() in UNARY_BEFORE) if word else before[-1] in UNARY_BEFORE


def token_mutants(code):
    """Changes of one token: (start, end, replacement)."""
    for match in TOKEN.finditer(code):
        token, start, end = match.group(), match.start(), match.end()
        if match.lastgroup == "number":
            for other in number_mutants(token):
                yield start, end, other
        elif match.lastgroup == "name":
            if token in NAMES:
                yield start, end, NAMES[token]
            elif token in ("if", "while") and code[end:].lstrip().startswith("("):
                yield from negated(code, end)
        elif token in OPERATORS:
            if token in "*&-+" and is_unary(code, start):
                continue
            if token == "*" and re.search(r"(?:_t|void|char|int)\s*$", code[:start]):
                continue
            for other in OPERATORS[token]:
                yield start, end, other


def negated(code, at):
    """The condition that opens at `at`, if it closes on the same line, the other way round."""
    opened = code.index("(", at)
    depth = 0
    for i in range(opened, len(code)):
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        if depth == 0:
            yield opened, i + 1, "(!" + code[opened:i + 1] + ")"
            return


def mutants_of(name, text):
    """All mutants of a source, in its order."""
    code_lines = without_assertions(masked(text)).split("\n")
    lines = text.split("\n")
    function, in_macro, found = "-", False, []
    for number, (line, code) in enumerate(zip(lines, code_lines)):
        directive = in_macro or code.lstrip().startswith("#")
        in_macro = directive and line.rstrip().endswith("\\")
        if directive or not code.strip():
            continue
        if code[0] not in " }" and not code.startswith(PROTOTYPE_WORDS):
            definition = DEFINITION.match(code)
            function = definition.group(1) if definition else code.split("=")[0].split("[")[0].split()[-1]
            if code.rstrip().endswith((");", "{", "(", ",", ")")) and "{{" not in code and "= {" not in code:
                continue
        changed = set()
        for start, end, other in token_mutants(code):
            changed.add(line[:start] + other + line[end:])
        if STATEMENT.match(code) and not DECLARATION.match(code) and not code.strip().startswith("return"):
            changed.add(re.match(r"\s*", line).group() + ";")
        for after in sorted(changed):
            found.append(Mutant(name, number, function, line, after))
    return found
