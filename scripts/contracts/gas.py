"""Gas of every entry point, held against tests/forge/gas.json.

tests/forge/gas measures in isolation: each call is a transaction of its own, with its 21,000, its calldata and nothing
warm. Views are the call alone. A change of more than 2 % fails until the file is rewritten (`--update`), so that it is
seen in review. OpenZeppelin's ERC-4626 vault is measured in the same run.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.contracts.common import (
    BUILD,
    ROOT,
    ToolError,
    closing,
    program,
    read_json,
    run,
    say,
    shown,
    tail,
    write_json,
)

KEPT = ROOT / "tests" / "forge" / "gas.json"
WORK = BUILD / "gas"
TOLERANCE = 0.02
Table = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Change:
    """One entry that is not as the file says."""

    group: str
    name: str
    before: int | None
    now: int | None

    def __str__(self) -> str:
        place = f"{self.group}: {self.name}"
        if self.before is None:
            return f"{place}: {self.now:,}, not in the file"
        if self.now is None:
            return f"{place}: {self.before:,} in the file, not measured any more"
        part = (self.now - self.before) / self.before if self.before else 1.0
        return f"{place}: {self.before:,} -> {self.now:,} ({part:+.1%})"


def main() -> int:
    """Exit 1 if an entry changed by more than 2 %, is new, or is gone."""
    parser = argparse.ArgumentParser(
        description="Gas of the entry points against tests/forge/gas.json."
    )
    parser.add_argument("--update", action="store_true", help="rewrite the file")
    parser.add_argument(
        "--measured", type=Path, help="compare what an earlier run wrote into this folder"
    )
    arguments = parser.parse_args()
    update = arguments.update
    now = collect(arguments.measured) if arguments.measured else measure()
    print_table(now)
    count = sum(map(len, now.values()))
    if update:
        write_json(KEPT, now)
        say(f"gas: {count} entries written to {shown(KEPT)}")
        return 0
    found = changes(parse_table(read_json(KEPT, {}), KEPT), now)
    for change in found:
        say(f"changed: {change}")
    say(f"gas: {count} entries, {len(found)} changed by more than {TOLERANCE:.0%}, new or gone")
    if found:
        say("gas: if that is meant, `make gas GAS=--update` rewrites the file")
    return 1 if found else 0


def measure() -> Table:
    """Run the measurements; what they wrote down."""
    shutil.rmtree(WORK, ignore_errors=True)
    say("gas: compiling and measuring")
    done = run(
        [program("forge"), "test", "--match-path", "tests/forge/gas/*"],
        seconds=900,
        extra={"FOUNDRY_SNAPSHOTS": str(WORK)},
    )
    if done.returncode:
        raise ToolError(
            f"the measurements failed\n{tail(done.stdout + done.stderr)}", "see tests/forge/gas"
        )
    return collect(WORK)


def collect(folder: Path) -> Table:
    """Groups by file, entries by name, both sorted."""
    files = sorted(folder.glob("*.json"))
    if not files:
        raise ToolError("nothing was measured", "see tests/forge/gas")
    return {file.stem: parse_group(read_json(file), file) for file in files}


def parse_table(value: object, file: Path) -> Table:
    """The committed file."""
    if not isinstance(value, Mapping):
        raise ToolError(f"{shown(file)} must hold groups of entries")
    return {str(group): parse_group(entries, file) for group, entries in value.items()}


def parse_group(value: object, file: Path) -> dict[str, int]:
    """Names with gas; forge writes numbers as text."""
    if not isinstance(value, Mapping):
        raise ToolError(f"{shown(file)}: a group must hold names with gas")
    try:
        return {str(name): int(value[name]) for name in sorted(value)}
    except (TypeError, ValueError) as error:
        raise ToolError(f"{shown(file)}: {error}") from error


def changes(before: Table, now: Table) -> list[Change]:
    """Entries that moved beyond tolerance, came or went."""
    found = []
    for group in sorted(before.keys() | now.keys()):
        old, new = before.get(group, {}), now.get(group, {})
        for name in sorted(old.keys() | new.keys()):
            was, is_ = old.get(name), new.get(name)
            if was is None or is_ is None or abs(is_ - was) > TOLERANCE * was:
                found.append(Change(group, name, was, is_))
    return found


def print_table(table: Table) -> None:
    """Every entry, by group."""
    for group, entries in table.items():
        say(f"\n{group}")
        for name, gas in entries.items():
            say(f"  {name:40} {gas:>11,}")
    say("")


if __name__ == "__main__":
    sys.exit(closing(main))
