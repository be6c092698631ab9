"""Many mutants in one contract: changed functions stand beside the originals, a number in the code says which run.

The number is a constant of 32 bytes that is put into the compiled code afterwards, so one run of the compiler serves
all. It needs code without the optimiser, which would see that only one branch is ever taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scripts.contracts.mutants import Mutant, Token, tokenise

MARK = "d1ce5eed0badc0ffee15900d5eedd1ce5eed0badc0ffee15900d5eedd1ce5eed"
CHOOSER = (
    "\n    function __mutant(uint256 k) private pure returns (bool on) "
    "{ assembly { on := eq(k, 0x" + MARK + ") } }\n"
)
LOCATIONS = ("memory", "storage", "calldata", "payable")


@dataclass(frozen=True)
class Function:
    """A function of a contract: offsets of its body's braces, and what a copy of it must repeat."""

    name: str
    open: int
    end: int
    parameters: str
    arguments: tuple[str, ...]
    mutability: str
    returns: str


@dataclass(frozen=True)
class Combined:
    """The text with all copies, and where in its bytes each copy stands."""

    text: str
    spans: Mapping[int, tuple[int, int]]


def functions_of(text: str) -> list[Function]:
    """Functions with a body whose parameters all have names; a mutant elsewhere must be compiled by itself."""
    tokens = tokenise(text)
    found = []
    for index, token in enumerate(tokens):
        outside = not token.function and token.text == "function"
        if outside and tokens[index + 1].kind == "word":
            function = _function(text, tokens, index)
            if function:
                found.append(function)
    return found


def _function(text: str, tokens: Sequence[Token], index: int) -> Function | None:
    opening = index + 2
    closing = _match(tokens, opening)
    words: list[str] = []
    returns = ""
    position = closing + 1
    while tokens[position].text not in ("{", ";"):
        if tokens[position].text == "returns":
            end = _match(tokens, position + 1)
            returns = text[tokens[position].start : tokens[end].end]
            position = end
        words.append(tokens[position].text)
        position += 1
    arguments = _names(tokens[opening + 1 : closing])
    if tokens[position].text == ";" or arguments is None:
        return None
    mutability = next((word for word in words if word in ("view", "pure", "payable")), "")
    return Function(
        tokens[index + 1].text,
        tokens[position].start,
        tokens[_match(tokens, position)].end,
        text[tokens[opening].start : tokens[closing].end],
        arguments,
        "" if mutability == "payable" else mutability,
        returns,
    )


def _names(tokens: Sequence[Token]) -> tuple[str, ...] | None:
    names: list[str] = []
    part: list[Token] = []
    depth = 0
    for token in [*tokens, Token("sign", ",", 0, 0, "")]:
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if token.text != "," or depth:
            part.append(token)
            continue
        if not part and not names:
            return ()
        if len(part) < 2 or part[-1].kind != "word" or part[-1].text in LOCATIONS:
            return None
        names.append(part[-1].text)
        part = []
    return tuple(names)


def _match(tokens: Sequence[Token], index: int) -> int:
    depth = 0
    for position in range(index, len(tokens)):
        depth += (tokens[position].text in "([{") - (tokens[position].text in ")]}")
        if depth == 0:
            return position
    raise ValueError(f"no end for {tokens[index].text!r} at {tokens[index].start}")


def combine(text: str, mutants: Mapping[int, Mutant]) -> tuple[Combined, set[int]]:
    """One text that holds the mutants that can be held, and their numbers."""
    functions = functions_of(text)
    held: dict[int, Function] = {}
    for number, mutant in mutants.items():
        home = next((f for f in functions if f.open < mutant.start and mutant.end < f.end), None)
        if home:
            held[number] = home
    pieces: list[str] = []
    spans: dict[int, tuple[int, int]] = {}
    done = size = 0

    def put(piece: str) -> None:
        nonlocal size
        pieces.append(piece)
        size += len(piece.encode())

    for function in functions:
        own = [number for number, home in held.items() if home == function]
        if not own:
            continue
        put(text[done : function.open + 1])
        put("".join(_choice(function, number) for number in own))
        put(text[function.open + 1 : function.end])
        if not any(piece == CHOOSER for piece in pieces):
            put(CHOOSER)
        for number in own:
            start = size
            put(_copy(text, function, mutants[number], number))
            spans[number] = (start, size)
        done = function.end
    put(text[done:])
    return Combined("".join(pieces), spans), set(held)


def _choice(function: Function, number: int) -> str:
    call = f"{function.name}__{number}({', '.join(function.arguments)})"
    run = f"return {call};" if function.returns else f"{{ {call}; return; }}"
    return f" if (__mutant({number})) {run}"


def _copy(text: str, function: Function, mutant: Mutant, number: int) -> str:
    body = text[function.open : mutant.start] + mutant.replacement + text[mutant.end : function.end]
    head = f"function {function.name}__{number}{function.parameters} private"
    return f"\n    {head} {function.mutability} {function.returns} {body}\n"


def choose(code: str, number: int) -> str:
    """The compiled code with one mutant running; 0 for the original."""
    return re.sub(MARK, f"{number:064x}", code)
