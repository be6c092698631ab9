"""Mutants: each kind is made, none where it means nothing."""

import pytest

from scripts.contracts.mutants import mutants_of

FRAME = """
contract Vault {{
    uint256 private constant LIMIT = 7;
    function run(uint256 a, uint256 b) external returns (uint256 c) {{
        {body}
    }}
}}
"""


def changed(body: str, kind: str) -> set[str]:
    return {
        mutant.mutated
        for mutant in mutants_of(FRAME.format(body=body))
        if mutant.kind == kind and mutant.function == "run"
    }


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        ("if (a < b) c = a;", "relation", {"if (a <= b) c = a;"}),
        ("c = a == b ? a : b;", "relation", {"c = a != b ? a : b;"}),
        ("c = a + b;", "arithmetic", {"c = a - b;"}),
        ("c += a;", "arithmetic", {"c -= a;"}),
        ("if (a > b && b > c) return a;", "logic", {"if (a > b || b > c) return a;"}),
        ("if (a > b) return a;", "negation", {"if (!(a > b)) return a;"}),
        ("c = Math.min(a, b);", "extreme", {"c = Math.max(a, b);"}),
        (
            "c = Math.mulDiv(a, b, c);",
            "rounding",
            {"c = Math.mulDiv(a, b, c, Math.Rounding.Ceil);"},
        ),
        (
            "c = Math.mulDiv(a, b, c, Math.Rounding.Ceil);",
            "rounding",
            {"c = Math.mulDiv(a, b, c, Math.Rounding.Floor);"},
        ),
        ("if (a > b) revert TooMuch(a);", "check", {"{}"}),
        ("_requireOpen(a);", "check", {"{}"}),
        ('Bounds.requireWithin("a", a, 1, 2);', "check", {"{}"}),
        ("state.left = a;", "assignment", {"{}"}),
        ("(kept[a], c) = (a, b);", "assignment", {"{}"}),
        ("delete kept[a];", "assignment", {"{}"}),
        ("paused = true;", "boolean", {"paused = false;"}),
        ("c = 10;", "constant", {"c = 11;", "c = 9;"}),
        ("c = 1e18;", "constant", {"c = (1e18 + 1);", "c = (1e18 - 1);"}),
    ],
)
def test_a_kind_of_mutant_is_made(body: str, kind: str, expected: set[str]) -> None:
    assert changed(body, kind) == expected


@pytest.mark.parametrize(
    "body",
    [
        "// a < b + c",
        "/* if (a > b) revert X(); */",
        'emit Said("a < b");',
        "uint256 d = a;",
        "int256 d = -1;",
        "assembly { c := add(a, 1) }",
        "++c;",
    ],
)
def test_no_mutant_where_none_is_meant(body: str) -> None:
    made = {
        m.kind
        for m in mutants_of(FRAME.format(body=body))
        if m.function == "run" and m.kind != "constant"
    }
    assert not made


def test_constants_of_the_contract_are_moved() -> None:
    made = [m.mutated for m in mutants_of(FRAME.format(body="c = a;")) if m.function == "constant"]
    assert made == [
        "uint256 private constant LIMIT = 6;",
        "uint256 private constant LIMIT = 8;",
    ]


def test_applying_a_mutant_changes_its_place_only() -> None:
    text = FRAME.format(body="if (a < b) c = a;")
    relation = next(m for m in mutants_of(text) if m.kind == "relation")
    assert relation.apply(text) == text.replace("a < b", "a <= b")
    assert relation.line_number == 5


def test_types_and_signatures_stay() -> None:
    text = (
        "interface I { function f(uint256 a) external returns (bool ok); }\nstruct S { uint8 x; }"
    )
    assert mutants_of(text) == []
