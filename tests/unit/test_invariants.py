"""The page of invariants names files that exist and cite what it says they hold."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "tests" / "forge" / "INVARIANTS.md"
ROWS = re.findall(r"^\| ([VK]-\d\d) \|.*\| ([^|]+) \|$", PAGE.read_text(), re.MULTILINE)


def test_the_page_lists_both_families() -> None:
    assert {row[0][0] for row in ROWS} == {"V", "K"}


@pytest.mark.parametrize(
    ("invariant", "file"),
    [(name, file) for name, files in ROWS for file in re.findall(r"`([^`]+)`", files)],
)
def test_each_file_named_for_an_invariant_cites_it(invariant: str, file: str) -> None:
    """`V-05` may be cited in words or in a test's name (`test_v05_...`)."""
    cited = re.escape(invariant).replace(r"\-", "[-_]?")
    assert re.search(cited, (ROOT / file).read_text(), re.IGNORECASE)
