"""Tests that end at an expected refusal: a constructor that reverts in the frame of the test which expects it.

With `dynamic_test_linking` forge deploys by artifact, and takes the revert of such a deployment for the end of the
test: it passes, and no line after it has run. A constructor that is expected to revert is therefore called through an
external function (`this.build(config)`). This reads tests/forge for every expectation whose next call constructs a
contract, itself or through internal functions of the file and of what it imports, and names file and line.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.contracts.common import ROOT

TESTS = ROOT / "tests" / "forge"

_COMMENT_OR_STRING = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL
)
_FUNCTION = re.compile(r"\b(?:function\s+(\w+)|(constructor|receive|fallback)(?=\s*\())")
_IMPORT = re.compile(r"\bimport\b[^;]*?[\"']([^\"']+)[\"']\s*;")
_EXPECTS = re.compile(r"\bexpect(?:Partial)?Revert\b")
_CREATES = re.compile(r"\bnew\s+(?!bytes\b|string\b)[A-Za-z_][\w.]*+(?!\s*\[)")
_INTERNAL_CALL = re.compile(r"(?<![.\w])([A-Za-z_]\w*)\s*\(")
# Cheats, encodings and members of a type are no call of a contract: an expectation outlives them.
_OUTWARD_CALL = re.compile(r"(?<![.\w])(?!vm\b|abi\b|type\b|bytes\b|string\b)[\w\])]+\.\w+\s*[({]")
_CHEAT = re.compile(r"\bvm\s*\.\s*\w+\s*\(")


@dataclass(frozen=True)
class Function:
    """A function with a body: its statements, each with the line on which it begins."""

    name: str
    statements: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class SourceFile:
    """The functions of a file, and the files it imports by a relative path."""

    functions: list[Function]
    imports: list[Path]


@dataclass(frozen=True)
class EndedTest:
    """An expectation that a constructor in the same frame answers."""

    path: Path
    line: int
    function: str
    statement: str

    def __str__(self) -> str:
        shown = " ".join(self.statement.split())
        return (
            f"{self.path}:{self.line}: {self.function}: `{shown}` reverts in the frame that expects it, and forge"
            " ends the test there as passed; construct through an external function (`this.build(...)`)"
        )


def _blanked(source: str) -> str:
    """The source without comments and strings, every character still in its place."""
    return _COMMENT_OR_STRING.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), source)


def _closing(code: str, opening: int) -> int:
    """Where the brace that opens at `opening` is closed; the end of the code if nowhere."""
    depth = 0
    for at in range(opening, len(code)):
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        if depth == 0:
            return at
    return len(code)


def _statements(code: str, begin: int, end: int) -> Iterator[tuple[int, str]]:
    """Split at `;`, `{` and `}` outside parentheses and outside a call's options (`new X{salt: s}(c)`)."""
    depth, options, start = 0, 0, begin
    for at in range(begin, end):
        char = code[at]
        if char == "{" and (
            code[at - 1].isalnum() or code[at - 1] == "_"
        ):  # a block has a space before
            options += 1
        elif char == "}" and options:
            options -= 1
        elif char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
        elif char in ";{}" and not depth and not options:
            yield from _trimmed(code, start, at)
            start = at + 1
    yield from _trimmed(code, start, end)


def _trimmed(code: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    text = code[start:end].strip()
    if text:
        yield code.count("\n", 0, code.index(text, start)) + 1, text


def functions(source: str) -> list[Function]:
    """Every function of a source that has a body."""
    code = _blanked(source)
    found = []
    for head in _FUNCTION.finditer(code):
        opening, bare = code.find("{", head.end()), code.find(";", head.end())
        if opening < 0 or 0 <= bare < opening:
            continue  # an interface's
        body = tuple(_statements(code, opening + 1, _closing(code, opening)))
        found.append(Function(head.group(1) or head.group(2), body))
    return found


def _read(path: Path) -> SourceFile:
    source = path.read_text(encoding="utf-8")
    named = (name for name in _IMPORT.findall(source) if name.startswith("."))
    return SourceFile(functions(source), [(path.parent / name).resolve() for name in named])


def _in_reach(path: Path, files: dict[Path, SourceFile]) -> list[Function]:
    """The functions of a file and of the test files it imports, however far."""
    seen, waiting = {path}, [path]
    found: list[Function] = []
    while waiting:
        file = files[waiting.pop()]
        found.extend(file.functions)
        fresh = {other for other in file.imports if other in files} - seen
        seen |= fresh
        waiting.extend(fresh)
    return found


def _spread(reached: list[Function], names: set[str], *, last_only: bool) -> set[str]:
    """`names` and whatever calls them: with `last_only`, as the last thing it does."""
    while True:
        more = {
            function.name
            for function in reached
            if function.name not in names
            for _, text in function.statements[-1 if last_only else 0 :]
            if names.intersection(_INTERNAL_CALL.findall(text))
        }
        if not more:
            return names
        names = names | more


def _constructs(text: str, makers: set[str]) -> bool:
    return bool(_CREATES.search(text)) or bool(makers.intersection(_INTERNAL_CALL.findall(text)))


def ended_tests(folder: Path = TESTS) -> list[EndedTest]:
    """Every place under `folder` where a constructor answers an expectation of its own frame."""
    files = {path: _read(path) for path in sorted(folder.resolve().rglob("*.sol"))}
    return [found for path in files for found in _ended_in(path, files)]


def _ended_in(path: Path, files: dict[Path, SourceFile]) -> Iterator[EndedTest]:
    reached = _in_reach(path, files)
    makers = _spread(
        reached,
        {f.name for f in reached if any(_CREATES.search(text) for _, text in f.statements)},
        last_only=False,
    )
    expecters = _spread(
        reached,
        {f.name for f in reached if f.statements and _EXPECTS.search(f.statements[-1][1])},
        last_only=True,
    )
    for function in files[path].functions:
        awaited = False
        for line, text in function.statements:
            if _EXPECTS.search(text) or expecters.intersection(_INTERNAL_CALL.findall(text)):
                awaited = True
            elif awaited and _constructs(text, makers):
                yield EndedTest(path, line, function.name, text)
                awaited = False
            elif _OUTWARD_CALL.search(text) and not _CHEAT.match(text):
                awaited = False


def main() -> int:
    """Exit 1 if a test would end before its last line, naming each place."""
    found = ended_tests()
    for place in found:
        print(place)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
