"""Mutants of a Solidity file: one small change each, of the kinds a tired programmer makes.

A tokenizer is enough: it knows comments, strings, and which function a token stands in. What it makes may not compile;
such mutants are not counted.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

TOKEN = re.compile(
    r"(?P<skip>\s+|//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')"
    r"|(?P<number>0x[0-9a-fA-F]+|\d[\d_]*(?:\.\d+)?(?:e\d+)?)"
    r"|(?P<word>[A-Za-z_$][\w$]*)"
    r"|(?P<sign>>>=|<<=|\+\+|--|=>|->|&&|\|\||==|!=|<=|>=|\+=|-=|\*=|/=|%=|<<|>>|\*\*|:=|.)",
    re.DOTALL,
)
RELATIONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "+=": "-=", "-=": "+=", "*=": "/="}
LOGIC = {"&&": "||", "||": "&&"}
SWAPS = {"min": "max", "max": "min", "Floor": "Ceil", "Ceil": "Floor"}
BEFORE_BINARY = (")", "]")  # or a word, or a number: else a minus is a sign
CHECKS = re.compile(r"^(_require|_check|_only|require)")
NO_OPERAND = {"return", "if", "while", "emit", "revert", "else"}


@dataclass(frozen=True)
class Mutant:
    """One change: `text[start:end]` becomes `replacement`."""

    kind: str
    function: str
    start: int
    end: int
    replacement: str
    line_number: int
    line: str
    mutated: str

    def apply(self, text: str) -> str:
        """The whole file with the change."""
        return text[: self.start] + self.replacement + text[self.end :]


@dataclass(frozen=True)
class Token:
    """A token that is not blank, with the function it stands in."""

    kind: str
    text: str
    start: int
    end: int
    function: str


@dataclass
class _Source:
    text: str
    tokens: list[Token]
    starts: list[int] = field(default_factory=list)

    def mutant(self, kind: str, function: str, span: tuple[int, int], replacement: str) -> Mutant:
        start, end = span
        number = bisect_right(self.starts, start)
        head = self.starts[number - 1]
        tail = self.text.find("\n", end)
        tail = len(self.text) if tail < 0 else tail
        line = self.text[head:tail]
        mutated = self.text[head:start] + replacement + self.text[end:tail]
        return Mutant(
            kind, function, start, end, replacement, number, _squeezed(line), _squeezed(mutated)
        )


def mutants_of(text: str) -> list[Mutant]:
    """Every mutant of a file, in the order of the text."""
    tokens = tokenise(text)
    starts = [0, *(match.end() for match in re.finditer(r"\n", text))]
    source = _Source(text, tokens, starts)
    found: dict[tuple[int, int, str], Mutant] = {}
    for maker in (_operators, _numbers, _names, _quotients, _conditions, _statements):
        for mutant in maker(source):
            found.setdefault((mutant.start, mutant.end, mutant.replacement), mutant)
    return sorted(found.values(), key=lambda m: (m.start, m.end, m.kind, m.replacement))


def tokenise(text: str) -> list[Token]:
    """Tokens with their functions; assembly and everything outside a body belongs to none."""
    raw = [
        (str(match.lastgroup), match.group(), match.start(), match.end())
        for match in TOKEN.finditer(text)
        if match.lastgroup != "skip"
    ]
    tokens: list[Token] = []
    depth = body_depth = 0
    pending = function = ""
    assembly = 0
    for index, (kind, word, start, end) in enumerate(raw):
        if not function and word in ("function", "constructor", "modifier", "receive", "fallback"):
            pending = raw[index + 1][1] if word in ("function", "modifier") else word
        if word == "assembly":
            assembly = depth + 1
        if word == "{":
            depth += 1
            if pending and not function:
                function, body_depth, pending = pending, depth, ""
        where = "" if assembly else function
        tokens.append(Token(kind, word, start, end, where))
        if word == "}":
            if assembly == depth:
                assembly = 0
            if function and depth == body_depth:
                function = ""
            depth -= 1
        if word == ";" and not function:
            pending = ""
    return tokens


def _operators(source: _Source) -> Iterator[Mutant]:
    for before, token in zip(source.tokens, source.tokens[1:], strict=False):
        if token.kind != "sign" or not token.function:
            continue
        for kind, table in (("relation", RELATIONS), ("arithmetic", ARITHMETIC), ("logic", LOGIC)):
            if token.text in table and _has_left_operand(before):
                yield source.mutant(
                    kind, token.function, (token.start, token.end), table[token.text]
                )


def _has_left_operand(before: Token) -> bool:
    if before.kind == "number" or before.text in BEFORE_BINARY:
        return True
    return before.kind == "word" and before.text not in NO_OPERAND


def _numbers(source: _Source) -> Iterator[Mutant]:
    """Literals in bodies and in constants, one up and one down."""
    constant = False
    for token in source.tokens:
        if token.text in ("constant", ";"):
            constant = token.text == "constant"
        if token.kind != "number" or not (token.function or constant):
            continue
        span = (token.start, token.end)
        function = token.function or "constant"
        if token.text.isdigit():
            value = int(token.text)
            yield source.mutant("constant", function, span, str(value + 1))
            if value:
                yield source.mutant("constant", function, span, str(value - 1))
        else:
            yield source.mutant("constant", function, span, f"({token.text} + 1)")
            yield source.mutant("constant", function, span, f"({token.text} - 1)")


def _names(source: _Source) -> Iterator[Mutant]:
    """min for max, Floor for Ceil, true for false."""
    for before, token in zip(source.tokens, source.tokens[1:], strict=False):
        if not token.function or token.kind != "word":
            continue
        if token.text in SWAPS and before.text == ".":
            kind = "rounding" if token.text in ("Floor", "Ceil") else "extreme"
            yield source.mutant(kind, token.function, (token.start, token.end), SWAPS[token.text])
        if token.text in ("true", "false"):
            other = "false" if token.text == "true" else "true"
            yield source.mutant("boolean", token.function, (token.start, token.end), other)


def _quotients(source: _Source) -> Iterator[Mutant]:
    """A `mulDiv` that rounds down without saying so rounds up."""
    tokens = source.tokens
    for index, token in enumerate(tokens):
        if token.text != "mulDiv" or not token.function or tokens[index + 1].text != "(":
            continue
        close = _closing(tokens, index + 1)
        if close is None or _commas(tokens, index + 1, close) != 2:
            continue
        place = tokens[close].start
        yield source.mutant("rounding", token.function, (place, place), ", Math.Rounding.Ceil")


def _conditions(source: _Source) -> Iterator[Mutant]:
    """`if (x)` becomes `if (!(x))`."""
    tokens = source.tokens
    for index, token in enumerate(tokens):
        if token.text != "if" or not token.function or tokens[index + 1].text != "(":
            continue
        close = _closing(tokens, index + 1)
        if close is None:
            continue
        span = (tokens[index + 1].end, tokens[close].start)
        inner = source.text[slice(*span)]
        yield source.mutant("negation", token.function, span, f"!({inner})")


def _statements(source: _Source) -> Iterator[Mutant]:
    """A check, a plain assignment, an emptying of storage: gone."""
    tokens = source.tokens
    for index, token in enumerate(tokens):
        begins = index == 0 or tokens[index - 1].text in ("{", "}", ";", ")", "else")
        if not token.function or not begins or (token.kind == "sign" and token.text != "("):
            continue
        end = _statement_end(tokens, index)
        if end is None:
            continue
        words = [t.text for t in tokens[index:end]]
        kind = _deletable(words)
        # A revert that is the whole branch goes with its `if`.
        if kind and not (words[0] == "revert" and index and tokens[index - 1].text == ")"):
            yield source.mutant(kind, token.function, (token.start, tokens[end].end), "{}")


def _deletable(words: list[str]) -> str | None:
    if not words or words[0] in (
        "return",
        "for",
        "while",
        "else",
        "emit",
        "unchecked",
        "do",
        "try",
    ):
        return None
    if words[0] == "if":
        return "check" if "revert" in words else None
    if (
        words[0] in ("revert", "require")
        or CHECKS.match(words[0])
        or words[2:3] == ["requireWithin"]
    ):
        return "check"
    if words[0] == "delete":
        return "assignment"
    return "assignment" if _assigns(words) else None


def _assigns(words: list[str]) -> bool:
    """True for `x = ...`, `x.y[z] += ...`, `(a, b) = ...`; not for a declaration."""
    depth = 0
    for position, word in enumerate(words):
        if word in ("(", "["):
            depth += 1
        elif word in (")", "]"):
            depth -= 1
        elif depth == 0 and word in ("=", "+=", "-=", "*=", "/="):
            left = words[:position]
            # Two words side by side are a type and a name.
            pairs = pairwise(left)
            return not any(_is_word(a) and _is_word(b) for a, b in pairs)
    return False


def _is_word(text: str) -> bool:
    return bool(re.match(r"[A-Za-z_$]", text))


def _statement_end(tokens: list[Token], index: int) -> int | None:
    """Index of the `;` that ends the statement; none if a block begins before it."""
    depth = 0
    for position in range(index, len(tokens)):
        text = tokens[position].text
        if text in ("(", "["):
            depth += 1
        elif text in (")", "]"):
            depth -= 1
            if depth < 0:
                return None
        elif text == ";" and depth == 0:
            return position
        elif text in ("{", "}") and depth == 0:
            return None
    return None


def _closing(tokens: list[Token], index: int) -> int | None:
    depth = 0
    for position in range(index, len(tokens)):
        if tokens[position].text in ("(", "[", "{"):
            depth += 1
        elif tokens[position].text in (")", "]", "}"):
            depth -= 1
            if depth == 0:
                return position
    return None


def _commas(tokens: list[Token], start: int, end: int) -> int:
    depth = commas = 0
    for token in tokens[start:end]:
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        commas += token.text == "," and depth == 1
    return commas


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
