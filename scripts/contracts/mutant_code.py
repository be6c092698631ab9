"""Mutants compiled many at a time: what a run of the compiler costs to begin with is paid once a batch.

A mutant is a copy of the changed file, and of whatever stands between it and the contracts that are deployed, under a
name of its own; everything else is imported as it is. What does not compile is taken out, and the rest goes on.
Most mutants share one contract (`mutant_schema`); a constructor's, a modifier's, a constant's is compiled by itself.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.contracts.common import ToolError, read_json, run, write_json
from scripts.contracts.mutant_schema import choose, combine
from scripts.contracts.mutants import Mutant

IMPORT = re.compile(r"(\bimport\b[^;]*?\")([^\"]+)(\"\s*;)", re.DOTALL)
BATCH = 12
SECONDS = 1800.0
ALL = "mutants"
LANGUAGE_ERRORS = ("TypeError", "DeclarationError", "ParserError", "SyntaxError")


@dataclass(frozen=True)
class Artifact:
    """A contract as forge keeps it: `out/<file>/<name>.json`."""

    path: str
    name: str

    @property
    def folder(self) -> str:
        """Below forge's `out`."""
        return f"{Path(self.path).name}/{self.name}.json"

    def __str__(self) -> str:
        return f"{self.path}:{self.name}"


Code = dict[str, str]  # creation code in hex, by str(Artifact)


@dataclass(frozen=True)
class Change:
    """A file with other text, and the name it goes by."""

    key: str
    path: str
    text: str


class Compiler:
    """Compiles changes of the sources below `place` with the settings that forge used there."""

    def __init__(self, place: Path, solc: Path, roots: Sequence[Artifact]) -> None:
        self.place, self.solc, self.roots = place, solc, tuple(roots)
        self.texts = {
            str(file.relative_to(place)): file.read_text()
            for folder in ("contracts", "tests/forge")
            for file in sorted((place / folder).rglob("*.sol"))
        }
        config = (place / "foundry.toml").read_text() if (place / "foundry.toml").exists() else ""
        mine = [
            config,
            *map(str, self.roots),
            *(t for p, t in self.texts.items() if not p.startswith("tests/")),
        ]
        self.digest = hashlib.sha256("\0".join(mine).encode()).hexdigest()
        self.imports = {path: imports_of(path, text) for path, text in self.texts.items()}

    def together(
        self, path: str, mutants: Mapping[int, Mutant]
    ) -> tuple[dict[int, Code | None], set[int]]:
        """Code of the mutants that one contract can hold, None for what does not compile; and those left over."""
        trying, codes = dict(mutants), dict[int, Code | None]()
        while True:
            combined, held = combine(self.texts[path], trying)
            if not held:
                break
            change = Change(ALL, path, combined.text)
            output = self._solc([change], optimised=False)
            wrong = [e for e in output.get("errors", []) if e.get("severity") == "error"]
            if not wrong:
                made = self._code(output, change)
                for number in held:
                    codes[number] = {root: choose(code, number) for root, code in made.items()}
                codes[0] = {root: choose(code, 0) for root, code in made.items()}
                break
            blamed = {n: e for e in wrong for n in held if _stands_in(e, combined.spans[n])}
            if not blamed:
                break
            for number, error in blamed.items():
                del trying[number]
                if error.get("type") in LANGUAGE_ERRORS:
                    codes[number] = None  # else too deep a stack, say: perhaps only in this company
        return codes, set(mutants) - set(codes)

    def apart(self, changes: Sequence[Change]) -> Iterator[tuple[str, Code | None]]:
        """Code of the roots under each change, optimised as forge does it; None for what does not compile."""
        fresh = []
        for change in changes:
            kept = read_json(self._kept(change), {})
            if kept:
                yield change.key, kept["code"]
            else:
                fresh.append(change)
        by_key = {change.key: change for change in fresh}
        for first in range(0, len(fresh), BATCH):
            for key, code in self._batch(fresh[first : first + BATCH]):
                write_json(self._kept(by_key[key]), {"code": code})
                yield key, code

    def _kept(self, change: Change) -> Path:
        """Where the code of a change is kept, by all that it is made from."""
        made_from = [self.digest, change.path, change.text]
        name = hashlib.sha256("\0".join(made_from).encode()).hexdigest()
        return self.place / "build" / "codes" / f"{name}.json"

    def _batch(self, changes: list[Change]) -> Iterator[tuple[str, Code | None]]:
        while changes:
            output = self._solc(changes, optimised=True)
            wrong = errors_of(output)
            if not wrong:
                for change in changes:
                    yield change.key, self._code(output, change)
                return
            bad = [c for c in changes if any(place.startswith(f"{c.key}/") for place in wrong)]
            if not bad and len(changes) == 1:
                bad = changes
            if not bad:  # an error without a place: each by itself
                for change in changes:
                    yield from self._batch([change])
                return
            yield from ((change.key, None) for change in bad)
            changes = [change for change in changes if change not in bad]

    def _code(self, output: Mapping[str, Any], change: Change) -> Code:
        code = {}
        for root in self._reached(change.path):
            made = output["contracts"][f"{change.key}/{root.path}"][root.name]["evm"]["bytecode"]
            code[str(root)] = str(made["object"])
        return code

    def _reached(self, path: str) -> list[Artifact]:
        """Roots that a change of the file can alter."""
        above = importers(self.imports, path)
        return [root for root in self.roots if root.path in above]

    def _solc(self, changes: Sequence[Change], optimised: bool) -> dict[str, Any]:
        sources: dict[str, Any] = {}
        selection: dict[str, Any] = {}
        for change in changes:
            above = importers(self.imports, change.path)
            roots = self._reached(change.path)
            below = set().union(*(reachable(self.imports, root.path) for root in roots))
            between = above & below
            for path in sorted(between):
                text = change.text if path == change.path else self.texts[path]
                renamed = rename_imports(path, text, dict.fromkeys(between, change.key))
                sources[f"{change.key}/{path}"] = {"content": renamed}
            for root in roots:
                unit = selection.setdefault(f"{change.key}/{root.path}", {})
                unit[root.name] = ["evm.bytecode.object"]
        request = {"language": "Solidity", "sources": sources}
        return self._run(request, selection, optimised)

    def _run(
        self, request: dict[str, Any], selection: dict[str, Any], optimised: bool
    ) -> dict[str, Any]:
        cache = read_json(self.place / "build" / "forge" / "cache" / "solidity-files-cache.json")
        profile = cache["profiles"]["default"]["solc"]
        request["settings"] = {
            **{key: profile[key] for key in ("optimizer", "metadata", "evmVersion", "viaIR")},
            **({} if optimised else {"optimizer": {"enabled": False}}),
            "remappings": remappings(self.place / "foundry.toml"),
            "outputSelection": selection,
        }
        file = self.place / "build" / "request.json"
        write_json(file, request)
        # A shell hands over the file: `run` leaves no way to the standard input.
        node_modules = (self.place / "node_modules").resolve()
        command = 'exec "$0" --allow-paths "$1" --base-path "$2" --standard-json < "$3"'
        allowed = f"{self.place},{node_modules}"
        words = ["/bin/sh", "-c", command, str(self.solc), allowed, str(self.place), str(file)]
        done = run(words, seconds=SECONDS, cwd=self.place)
        try:
            output: dict[str, Any] = json.loads(done.stdout)
        except ValueError as error:
            raise ToolError(f"the compiler answered no JSON: {done.stderr[-300:]}") from error
        return output


def imports_of(path: str, text: str) -> set[str]:
    """Files of ours that a file imports, by path from the root."""
    return {
        posixpath.normpath(posixpath.join(posixpath.dirname(path), match[2]))
        for match in IMPORT.finditer(text)
        if match[2].startswith(".")
    }


def importers(imports: Mapping[str, set[str]], path: str) -> set[str]:
    """The file itself and all that import it, directly or not."""
    found, fresh = {path}, {path}
    while fresh:
        fresh = {file for file, named in imports.items() if named & fresh} - found
        found |= fresh
    return found


def reachable(imports: Mapping[str, set[str]], path: str) -> set[str]:
    """The file itself and all that it imports, directly or not."""
    found, fresh = {path}, {path}
    while fresh:
        fresh = set().union(*(imports.get(file, set()) for file in fresh)) - found
        found |= fresh
    return found


def rename_imports(path: str, text: str, keys: Mapping[str, str]) -> str:
    """Relative imports by path from the root; of files that go by another name, by that."""

    def absolute(match: re.Match[str]) -> str:
        if not match[2].startswith("."):
            return match[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), match[2]))
        key = keys.get(target)
        return f"{match[1]}{f'{key}/' if key else ''}{target}{match[3]}"

    return IMPORT.sub(absolute, text)


def remappings(config: Path) -> list[str]:
    """As foundry.toml has them in its default profile."""
    found: list[str] = tomllib.loads(config.read_text())["profile"]["default"]["remappings"]
    return found


def errors_of(output: Mapping[str, Any]) -> list[str]:
    """Files the compiler's errors stand in, with an empty one for an error without a place."""
    return [
        str((error.get("sourceLocation") or {}).get("file", ""))
        for error in output.get("errors", [])
        if error.get("severity") == "error"
    ]


def _stands_in(error: Mapping[str, Any], span: tuple[int, int]) -> bool:
    place = error.get("sourceLocation") or {}
    return str(place.get("file", "")).startswith(f"{ALL}/") and span[0] <= place["start"] < span[1]
