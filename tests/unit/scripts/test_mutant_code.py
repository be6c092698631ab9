"""Mutants that share a contract: each runs alone, what cannot be held is left, an error is laid at one door."""

import re
from pathlib import Path
from typing import Any

import pytest

from scripts.contracts import mutant_code
from scripts.contracts.mutant_code import (
    Artifact,
    Change,
    Compiler,
    importers,
    imports_of,
    reachable,
    rename_imports,
)
from scripts.contracts.mutant_schema import MARK, choose, combine, functions_of
from scripts.contracts.mutants import Mutant, mutants_of

TEXT = """
contract Vault {
    uint256 private constant LIMIT = 7;

    modifier bounded(uint256 a) {
        if (a > 3) revert();
        _;
    }

    constructor(uint256 a) { total = a; }

    /// @notice é is two bytes
    function run(uint256 a, bytes calldata b) external bounded(a) returns (uint256 c, bool d) {
        if (a > 1) revert();
        return (a, true);
    }

    function walk(uint256 a) public override(A, B) {
        total += a;
    }

    function idle(uint256) external pure { if (1 > 2) revert(); }
}
"""
IMPORTS = {
    "contracts/Vault.sol": {"contracts/Shares.sol", "contracts/I.sol"},
    "contracts/Shares.sol": {"contracts/I.sol"},
    "contracts/Lens.sol": {"contracts/Vault.sol"},
}


def mutants(text: str = TEXT) -> dict[int, Mutant]:
    return dict(enumerate(mutants_of(text), 1))


def test_functions_are_found_with_what_a_copy_must_repeat() -> None:
    run, walk = functions_of(TEXT)
    assert (run.name, run.arguments, run.mutability) == ("run", ("a", "b"), "")
    assert run.parameters == "(uint256 a, bytes calldata b)"
    assert run.returns == "returns (uint256 c, bool d)"
    assert (walk.name, walk.arguments, walk.returns) == ("walk", ("a",), "")


def test_only_bodies_of_functions_with_named_parameters_are_held() -> None:
    held = combine(TEXT, mutants())[1]
    homes = {mutants()[number].function for number in held}
    assert homes == {"run", "walk"}
    left = {m.function for n, m in mutants().items() if n not in held}
    assert left == {"constant", "bounded", "constructor", "idle"}


def test_every_held_mutant_stands_once_in_its_span() -> None:
    combined, held = combine(TEXT, mutants())
    data = combined.text.encode()
    for number in held:
        mutant = mutants()[number]
        start, end = combined.spans[number]
        copy = data[start:end].decode()
        assert f"{mutant.function}__{number}(" in copy
        assert mutant.mutated in " ".join(copy.split()) or mutant.replacement == "{}"
        assert combined.text.count(f"if (__mutant({number}))") == 1


def test_without_choices_and_copies_the_original_is_left() -> None:
    combined, _ = combine(TEXT, mutants())
    data = combined.text.encode()
    for start, end in sorted(combined.spans.values(), reverse=True):
        data = data[:start] + data[end:]
    text = re.sub(
        r" if \(__mutant\(\d+\)\) (return [^;]*;|\{ [^;]*; return; \})", "", data.decode()
    )
    kept = [line for line in text.splitlines() if "function __mutant" not in line]
    assert "".join("".join(kept).split()) == "".join(TEXT.split())


def test_a_number_takes_the_place_of_the_mark() -> None:
    assert choose(f"60{MARK}14{MARK}", 3) == f"60{3:064x}14{3:064x}"


def test_imports_are_followed_both_ways() -> None:
    assert importers(IMPORTS, "contracts/Shares.sol") == {
        "contracts/Shares.sol",
        "contracts/Vault.sol",
        "contracts/Lens.sol",
    }
    assert reachable(IMPORTS, "contracts/Vault.sol") == {
        "contracts/Vault.sol",
        "contracts/Shares.sol",
        "contracts/I.sol",
    }


def test_imports_keep_their_meaning_under_another_name() -> None:
    text = 'import {A} from "./Shares.sol";\nimport {B} from "../lib/B.sol";\nimport {C} from "@oz/C.sol";'
    assert imports_of("contracts/Vault.sol", text) == {"contracts/Shares.sol", "lib/B.sol"}
    renamed = rename_imports("contracts/Vault.sol", text, {"contracts/Shares.sol": "m1"})
    assert '"m1/contracts/Shares.sol"' in renamed
    assert '"lib/B.sol"' in renamed
    assert '"@oz/C.sol"' in renamed


# --- with a compiler that objects to words --------------------------------------------------------------------------


class Objecting(Compiler):
    """Answers like a compiler: an error at each of `words`, else code with the mark."""

    def __init__(self, place: Path, words: dict[str, str]) -> None:
        folder = place / "contracts"
        folder.mkdir(parents=True)
        (folder / "Vault.sol").write_text(TEXT)
        super().__init__(place, place / "solc", [Artifact("contracts/Vault.sol", "Vault")])
        self.words = words

    def _run(
        self, request: dict[str, Any], selection: dict[str, Any], optimised: bool
    ) -> dict[str, Any]:
        errors = []
        for file, source in request["sources"].items():
            for word, kind in self.words.items():
                position = source["content"].encode().find(word.encode())
                if position >= 0:
                    place = {"file": file, "start": position}
                    errors.append({"severity": "error", "type": kind, "sourceLocation": place})
        code = {"evm": {"bytecode": {"object": f"60{MARK}"}}}
        made = {file: dict.fromkeys(names, code) for file, names in selection.items()}
        return {"errors": errors} if errors else {"contracts": made}


def test_what_does_not_compile_is_taken_out_and_the_rest_goes_on(tmp_path: Path) -> None:
    compiler = Objecting(tmp_path, {"a >= 1": "TypeError"})
    codes, left = compiler.together("contracts/Vault.sol", mutants())
    refused = {mutants()[n].mutated for n, code in codes.items() if code is None}
    assert refused == {"if (a >= 1) revert();"}
    assert codes[0] == {"contracts/Vault.sol:Vault": f"60{0:064x}"}
    assert {mutants()[n].function for n in left} == {"constant", "bounded", "constructor", "idle"}


def test_what_fails_only_in_company_is_compiled_by_itself(tmp_path: Path) -> None:
    compiler = Objecting(tmp_path, {"a >= 1": "CompilerError"})
    codes, left = compiler.together("contracts/Vault.sol", mutants())
    assert all(codes.values())
    assert "if (a >= 1) revert();" in {mutants()[n].mutated for n in left}


def test_an_error_in_the_original_leaves_all_over(tmp_path: Path) -> None:
    compiler = Objecting(tmp_path, {"LIMIT": "TypeError"})
    codes, left = compiler.together("contracts/Vault.sol", mutants())
    assert (codes, left) == ({}, set(mutants()))


@pytest.mark.parametrize("batch", [1, 2, 12])
def test_one_that_does_not_compile_spoils_no_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(mutant_code, "BATCH", batch)
    compiler = Objecting(tmp_path, {"wrong": "TypeError"})
    changes = [
        Change(key, "contracts/Vault.sol", TEXT + note)
        for key, note in (("a", ""), ("b", "// wrong"), ("c", "// right"))
    ]
    found = dict(compiler.apart(changes))
    assert found["b"] is None
    assert found["a"]
    assert found["c"]
