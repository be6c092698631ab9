"""Artifacts of both tool chains, and putting libraries in place."""

import pytest

from keeper.errors import LocalnetError
from keeper.localnet.artifacts import Artifact, link, parse

LIBRARY = "0x" + "Ab" * 20
PLACEHOLDER = "__$" + "0" * 34 + "$__"


def test_a_hardhat_artifact_is_read() -> None:
    raw = {
        "abi": [{"type": "constructor"}],
        "bytecode": "0x60" + PLACEHOLDER + "61",
        "linkReferences": {"contracts/Lib.sol": {"Lib": [{"start": 1, "length": 20}]}},
    }
    assert parse("X", raw) == Artifact(
        "X", [{"type": "constructor"}], "60" + PLACEHOLDER + "61", {"Lib": (1,)}
    )


def test_a_forge_artifact_is_read() -> None:
    raw = {"abi": [], "bytecode": {"object": "0x6001", "linkReferences": {}}}
    assert parse("Y", raw) == Artifact("Y", [], "6001", {})


def test_a_library_goes_to_each_of_its_places_and_nowhere_else() -> None:
    code = "60" + PLACEHOLDER + "61" + PLACEHOLDER + "62"
    linked = link(Artifact("X", [], code, {"Lib": (1, 22)}), {"Lib": LIBRARY})
    assert linked == "0x60" + "ab" * 20 + "61" + "ab" * 20 + "62"


@pytest.mark.parametrize("libraries", [{}, {"Lib": "0x12"}, {"Other": LIBRARY}])
def test_a_library_without_an_address_is_named(libraries: dict[str, str]) -> None:
    with pytest.raises(LocalnetError, match="no address for Lib"):
        link(Artifact("X", [], PLACEHOLDER, {"Lib": (0,)}), libraries)


def test_code_without_libraries_is_left_as_it_is() -> None:
    assert link(Artifact("X", [], "6001", {}), {}) == "0x6001"
