"""Coverage counts contracts/ only, and holds both bars."""

import pytest

from scripts.contracts.common import ROOT, ToolError
from scripts.contracts.coverage import parse_lcov, report

LCOV = """
SF:{path}
DA:3,5
DA:4,0
BRDA:3,0,0,2
BRDA:3,0,1,-
end_of_record
"""


def lcov(lines: int, missed: int, branches: int, untaken: int) -> list[str]:
    return [
        "SF:contracts/Vault.sol",
        *(f"DA:{n},{int(n >= missed)}" for n in range(lines)),
        *(f"BRDA:{n},0,0,{int(n >= untaken)}" for n in range(branches)),
        "end_of_record",
    ]


@pytest.mark.parametrize("path", ["contracts/Vault.sol", f"{ROOT}/contracts/Vault.sol"])
def test_lines_and_branches_are_read(path: str) -> None:
    (file,) = parse_lcov(LCOV.format(path=path).splitlines())
    assert file.path == "contracts/Vault.sol"
    assert file.missed == [4]
    assert file.missed_branches == [3]


@pytest.mark.parametrize("path", ["tests/forge/Fixture.sol", "node_modules/a/b.sol"])
def test_other_sources_do_not_count(path: str) -> None:
    assert parse_lcov(LCOV.format(path=path).splitlines()) == []


@pytest.mark.parametrize(
    ("missed", "untaken", "code"), [(2, 5, 0), (3, 5, 1), (2, 6, 1), (0, 0, 0)]
)
def test_both_bars_are_held(missed: int, untaken: int, code: int) -> None:
    assert report(parse_lcov(lcov(100, missed, 100, untaken))) == code


def test_a_line_hit_in_one_record_is_hit() -> None:
    twice = [*lcov(1, 1, 1, 1), *lcov(1, 0, 1, 0)]
    (file,) = parse_lcov(twice)
    assert not file.missed
    assert not file.missed_branches


def test_an_empty_report_is_no_coverage() -> None:
    with pytest.raises(ToolError):
        report([])
