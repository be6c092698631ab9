"""The mirror of the contracts' hard bounds equals what the contracts' sources say."""

import re
from pathlib import Path

import pytest

from keeper.deployment.bounds import (
    BOUNDS,
    CONSTANTS,
    DESK_BOUNDS,
    DESK_CONSTANTS,
    EMERGENCY_MARGIN_WAD,
    MARK_BOUNDS,
    MARKS,
    MAX_ANSWER_RATIO,
    MAX_SLACK_PART,
    MIN_OWNER_DELAY_S,
    MIN_TENOR_S,
    SEQUENCER_BOUNDS,
    Bound,
)
from keeper.deployment.roles import MIN_CURATOR_DELAY_S

CONTRACTS = Path(__file__).parents[3] / "contracts"
UNITS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}
NOT_PARAMETERS = {
    "assetDecimals",
    "baseDecimals",
    "quoteDecimals",
    "baseFeedDecimals",
    "quoteFeedDecimals",
    "baseFeedPhase",
    "quoteFeedPhase",
}
"""Bounds on what a contract reads and not on what the file says."""


def source(name: str) -> str:
    found = list(CONTRACTS.rglob(f"{name}.sol"))
    assert len(found) == 1, f"{name}.sol: {found}"
    return re.sub(r"//[^\n]*", "", found[0].read_text())


def value(expression: str, name: str) -> int | None:
    """A constant expression of a source file; None if it depends on a parameter."""
    text = expression.strip()
    if re.fullmatch(r"-?[0-9_]+(\.[0-9]+)?(e[0-9]+)?", text):
        number = text.replace("_", "")
        mantissa, _, exponent = number.partition("e")
        whole, _, part = mantissa.partition(".")
        return int(whole + part) * int(10 ** (int(exponent or 0) - len(part)))
    if match := re.fullmatch(r"([0-9_]+) (seconds|minutes|hours|days)", text):
        return int(match[1].replace("_", "")) * UNITS[match[2]]
    if match := re.fullmatch(r"type\(uint(\d+)\)\.max", text):
        return int(2 ** int(match[1]) - 1)
    if match := re.fullmatch(r"(?:(\w+)\.)?([A-Z][A-Z0-9_]*)", text):
        file = match[1].removesuffix("Lib") if match[1] else name
        return constant(match[2], file)
    return None


def constant(name: str, file: str) -> int | None:
    """A constant of a contract or of those it inherits from."""
    text = source(file)
    if found := re.search(rf"constant {name} = ([^;]+);", text):
        return value(found[1], file)
    bases = re.search(rf"contract {file} is ([\w, \n]+)", text)
    ours = [b.strip() for b in bases[1].split(",")] if bases else []
    inherited = (constant(name, b) for b in ours if list(CONTRACTS.glob(f"{b}.sol")))
    return next((end for end in inherited if end is not None), None)


def in_source(name: str) -> dict[str, tuple[int | None, int | None]]:
    """parameter -> ends, of every call that bounds one."""
    calls = re.findall(
        r'Bounds\.(?:requireWithin|SignedOutOfBounds)\(\s*"([^"]+)",\s*(.+?)\s*\)\s*;',
        source(name),
        flags=re.DOTALL,
    )
    found = {}
    for parameter, rest in calls:
        *_, least, most = split(rest)
        found[parameter] = (value(least, name), value(most, name))
    return found


def split(arguments: str) -> list[str]:
    """At commas outside parentheses."""
    parts, depth = [""], 0
    for char in arguments:
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


MIRRORED = (*BOUNDS, *DESK_BOUNDS, *MARK_BOUNDS, *SEQUENCER_BOUNDS, MARKS)


@pytest.mark.parametrize("contract", sorted({bound.contract for bound in MIRRORED}))
def test_the_mirror_equals_the_contract(contract: str) -> None:
    there = {key: ends for key, ends in in_source(contract).items() if key not in NOT_PARAMETERS}
    mirrored = [bound for bound in MIRRORED if bound.contract == contract]
    assert {bound.parameter for bound in mirrored} == set(there)
    for bound in mirrored:
        assert (bound.least, bound.most) == there[bound.parameter], bound.field


@pytest.mark.parametrize("bound", CONSTANTS + DESK_CONSTANTS, ids=lambda bound: bound.field)
def test_a_mirrored_constant_equals_the_contracts(bound: Bound) -> None:
    end = bound.most if bound.most is not None else bound.least
    assert value(bound.parameter, bound.contract) == end


def test_no_contract_bounds_a_parameter_that_is_not_mirrored() -> None:
    mirrored = {bound.contract for bound in MIRRORED}
    for file in CONTRACTS.rglob("*.sol"):
        bounded = set(in_source(file.stem)) - NOT_PARAMETERS
        assert not bounded or file.stem in mirrored | {"OptionAuction"}, f"{file.name}: {bounded}"


def test_ends_that_depend_on_other_parameters_start_from_the_contracts_constants() -> None:
    assert value("MIN_OWNER_DELAY", "AccessSetup") == MIN_OWNER_DELAY_S
    assert value("MIN_CURATOR_DELAY", "AccessSetup") == MIN_CURATOR_DELAY_S
    assert value("MIN_TENOR", "VolatilityMarks") == MIN_TENOR_S
    assert value("MAX_SLACK_PART", "VolatilityOracle") == MAX_SLACK_PART
    assert value("MAX_ANSWER_RATIO", "PairSources") == MAX_ANSWER_RATIO
    assert value("EMERGENCY_MARGIN_WAD", "TermBounds") == EMERGENCY_MARGIN_WAD


def test_the_reader_of_sources_reads() -> None:
    assert in_source("AccessSetup")["curatorDelay"] == (3_600, 2_592_000)
    assert value("1.01e18", "AccessSetup") == 1_010_000_000_000_000_000
    assert value("-50_000", "AccessSetup") == -50_000
    assert value("limits.maxTenor", "AccessSetup") is None
