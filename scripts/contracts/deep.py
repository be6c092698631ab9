"""The nightly campaign: the invariant suites with at least five million calls in all, reported by suite and handler."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from scripts.contracts.common import ToolError, closing, program, say, stream

LEAST_CALLS = 5_000_000
INVARIANT = re.compile(
    r"^\[(PASS|FAIL[^\]]*)\] (\w+)\(\) \(runs: (\d+), calls: (\d+), reverts: (\d+)\)"
)
SUITE = re.compile(r"^Ran \d+ tests? for (\S+)")
ROW = re.compile(r"^\|\s*(\w+)\s*\|\s*(\w+)\s*\|\s*(\d+)\s*\|\s*(\d+)\s*\|\s*(\d+)\s*\|")


@dataclass
class Campaign:
    """One invariant function."""

    suite: str
    name: str
    passed: bool
    runs: int
    calls: int
    reverts: int
    handlers: dict[str, int] = field(default_factory=dict)


def main() -> int:
    """Exit 1 on a broken invariant, a handler that never ran, or too few calls."""
    parser = argparse.ArgumentParser(description="The invariant suites under the profile `deep`.")
    parser.add_argument(
        "--match-path", default="", help="only these suites; the bar on calls does not apply"
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=int(time.time()) // 86_400,
        help="of the draws; the day's own unless given, so that each night is another",
    )
    parser.add_argument("--profile", default="deep", help="of foundry.toml")
    arguments = parser.parse_args()
    only = ["--match-path", arguments.match_path] if arguments.match_path else []
    say(f"deep: seed {arguments.seed}")
    begun = time.monotonic()
    code, lines = stream(
        [program("forge"), "test", "--match-test", "^invariant_", "--show-progress", *only],
        extra={"FOUNDRY_PROFILE": arguments.profile, "FOUNDRY_FUZZ_SEED": hex(arguments.seed)},
    )
    campaigns = parse(lines)
    if not campaigns:
        raise ToolError(f"no invariant ran (forge's exit code {code})")
    least = 0 if only else LEAST_CALLS
    return report(campaigns, code, time.monotonic() - begun, least)


def parse(lines: Iterable[str]) -> list[Campaign]:
    """Invariants with the table of calls that follows each."""
    campaigns: list[Campaign] = []
    suite = ""
    for raw in lines:
        line = raw.strip()
        if found := SUITE.match(line):
            suite = found[1].split(":")[-1]
        elif found := INVARIANT.match(line):
            numbers = (int(found[3]), int(found[4]), int(found[5]))
            campaigns.append(Campaign(suite, found[2], found[1] == "PASS", *numbers))
        elif campaigns and (found := ROW.match(line)):
            campaigns[-1].handlers[f"{found[1]}.{found[2]}"] = int(found[3])
    return campaigns


def report(campaigns: list[Campaign], code: int, seconds: float, least: int) -> int:
    """A line an invariant, what failed, the closing line."""
    problems = [f"{c.suite}.{c.name} is broken" for c in campaigns if not c.passed]
    say("")
    for campaign in campaigns:
        say(
            f"{'ok  ' if campaign.passed else 'FAIL'} {campaign.suite}.{campaign.name}: {campaign.runs:,} runs, "
            f"{campaign.calls:,} calls, {campaign.reverts:,} reverts"
        )
        for handler, calls in campaign.handlers.items():
            say(f"       {handler:44} {calls:>10,}")
        idle = [handler for handler, calls in campaign.handlers.items() if not calls]
        problems += [f"{campaign.suite}: {handler} was never called" for handler in idle]
    calls = sum(campaign.calls for campaign in campaigns)
    reverts = sum(campaign.reverts for campaign in campaigns)
    if calls < least:
        problems.append(f"{calls:,} calls are fewer than {least:,}")
    if code and not problems:
        problems.append(f"forge ended with exit code {code}")
    for problem in problems:
        say(f"FAIL {problem}")
    say(
        f"deep: {len(campaigns)} invariants, {calls:,} calls, {reverts:,} reverts, {len(problems)} problems, "
        f"{seconds:.0f} s"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(closing(main))
