"""A constructor that reverts in the frame of a test is found, however it is written; one behind a call is not."""

from pathlib import Path

import pytest

from scripts.contracts.ended_tests import ended_tests

REFUSED = "vm.expectRevert(Wrong.selector);"


def places(folder: Path) -> list[tuple[str, int, str]]:
    return [(place.path.name, place.line, place.function) for place in ended_tests(folder)]


def planted(folder: Path, body: str, more: str = "") -> list[tuple[str, int, str]]:
    """What is found in a test of this body, which begins on line 3."""
    source = f"contract PlantedTest {{\n    function test_planted() external {{\n{body}\n    }}\n{more}\n}}\n"
    (folder / "Planted.t.sol").write_text(source)
    return places(folder)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (f"{REFUSED}\nnew Vault(config);", 4),
        ("vm.expectRevert();\n\nnew Vault(config);", 5),
        ("vm.expectPartialRevert(Wrong.selector);\nVault its = new Vault(config);", 4),
        (f"if (bad) {REFUSED}\nnew Vault(config);", 4),
        ("if (bad) {\n  vm.expectRevert(\n    abi.encode(a)\n  );\n}\nnew Vault(config);", 8),
        (f"{REFUSED}\nvm.prank(owner);\nnew Vault(config);", 5),
        (f"{REFUSED}\nvm.prank(address(vault));\nnew Vault(config);", 5),
        (f"{REFUSED}\nconfig.reason = abi.encode(1);\nnew Vault(config);", 5),
        (f"{REFUSED}\nbytes memory no = bytes.concat(a);\nnew Vault(config);", 5),
        (f"{REFUSED}\nnew Vault{{salt: salt}}(config);", 4),
        (f"{REFUSED} // refused; {{\nnew Vault(config);", 4),
        (f"{REFUSED}\nits = fit ? new Vault(config) : this.build(config);", 4),
        (f"{REFUSED}\nkeep(address(new Vault(config)));", 4),
        (f"{REFUSED}\nvault.join(new Vault(config));", 4),
        (f"this.build(config);\n{REFUSED}\nnew Vault(config);", 5),
    ],
)
def test_a_planted_constructor_is_named_by_file_and_line(
    tmp_path: Path, body: str, line: int
) -> None:
    assert planted(tmp_path, body) == [("Planted.t.sol", line, "test_planted")]


@pytest.mark.parametrize(
    "body",
    [
        f"{REFUSED}\nthis.build(config);",
        f"{REFUSED}\nthis.build(config);\nnew Vault(config);",
        f"{REFUSED}\nvault.settle();\nnew Vault(config);",
        f"{REFUSED}\nvault.settle{{gas: 1}}();\nnew Vault(config);",
        f"{REFUSED}\nvaults[0].settle();\nnew Vault(config);",
        f"{REFUSED}\nIVault(address(vault)).settle();\nnew Vault(config);",
        f"{REFUSED}\nvault.post(new Mark[](4), new bytes(3));",
        f"// {REFUSED}\nnew Vault(config);",
        'say("expectRevert");\nnew Vault(config);',
        f"new Vault(config);\n{REFUSED}\nvault.settle();",
    ],
)
def test_what_reverts_in_a_frame_of_its_own_is_let_through(tmp_path: Path, body: str) -> None:
    assert planted(tmp_path, body) == []


def test_an_internal_function_that_constructs_is_the_same_frame(tmp_path: Path) -> None:
    makers = "function _make() private { _makeIt(); }\nfunction _makeIt() private { its = new Vault(c); }"
    assert planted(tmp_path, f"{REFUSED}\n_make();", makers) == [
        ("Planted.t.sol", 4, "test_planted")
    ]
    plain = "function _make() private { this.build(c); }"
    assert planted(tmp_path, f"{REFUSED}\n_make();", plain) == []


def test_an_internal_function_that_ends_in_the_expectation_expects(tmp_path: Path) -> None:
    expecting = f"function _refused() private {{ {REFUSED} }}"
    assert planted(tmp_path, "_refused();\nnew Vault(c);", expecting) == [
        ("Planted.t.sol", 4, "test_planted")
    ]
    answered = f"function _refused() private {{ {REFUSED} vault.settle(); }}"
    assert planted(tmp_path, "_refused();\nnew Vault(c);", answered) == []


def test_functions_of_imported_files_are_followed(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "Fixture.sol").write_text(
        "contract Fixture { function _make() internal { new Vault(c); } }"
    )
    (tmp_path / "deep" / "Own.t.sol").write_text(
        'import {Fixture} from "../Fixture.sol";\n'
        f"contract Own is Fixture {{ function test_x() external {{\n{REFUSED}\n_make();\n}} }}"
    )
    assert places(tmp_path) == [("Own.t.sol", 4, "test_x")]


def test_an_expectation_does_not_reach_into_the_next_function(tmp_path: Path) -> None:
    following = "function test_next() external { new Vault(c); }"
    assert planted(tmp_path, REFUSED, following) == []


def test_a_second_constructor_is_found_after_the_first(tmp_path: Path) -> None:
    body = f"{REFUSED}\nnew Vault(c);\n{REFUSED}\nnew Vault(c);"
    assert [line for _, line, _ in planted(tmp_path, body)] == [4, 6]


def test_no_test_of_the_contracts_ends_at_an_expected_refusal() -> None:
    assert [str(place) for place in ended_tests()] == []
