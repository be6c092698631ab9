"""True lemmas must be proved, false ones refuted, and none left out."""

from pathlib import Path
from typing import Any

import pytest

from scripts.contracts.halmos import Lemma, parse_results, report, unproved, written

FALSE = "check_free_lunch_must_fail"


def lemma(name: str = "check_x", outcome: int = 0, values: dict[str, int] | None = None) -> Lemma:
    return Lemma("ShareLemmas", name, outcome, 3, 0.1, values or {})


def test_a_proof_needs_a_refuted_lemma_beside_it() -> None:
    assert report([lemma(), lemma(FALSE, 1, {"a": 1})], [], 1.0) == 0
    assert report([lemma()], [], 1.0) == 1


@pytest.mark.parametrize("outcome", [1, 2, 3, 4, 5])
def test_a_lemma_that_is_not_proved_fails(outcome: int) -> None:
    assert report([lemma(outcome=outcome), lemma(FALSE, 1, {"a": 1})], [], 1.0) == 1


@pytest.mark.parametrize(("outcome", "values"), [(0, {}), (2, {}), (1, {})])
def test_a_false_lemma_must_be_refuted_by_values(outcome: int, values: dict[str, int]) -> None:
    assert report([lemma(), lemma(FALSE, outcome, values)], [], 1.0) == 1


def test_a_lemma_that_did_not_run_fails() -> None:
    assert report([lemma(), lemma(FALSE, 1, {"a": 1})], ["check_y"], 1.0) == 1


def test_lemmas_of_the_sources_are_found(tmp_path: Path) -> None:
    (tmp_path / "A.t.sol").write_text(
        "function check_a(uint8 x) external {}\nfunction _help() private {}"
    )
    assert written(tmp_path) == {"check_a"}
    assert unproved([lemma("check_a")], {"check_a", "check_b"}) == ["check_b"]


def test_halmoss_report_is_read() -> None:
    value = {"variable_name": "assets", "value": 128}
    results: dict[str, Any] = {
        "test_results": {
            "tests/halmos/ShareLemmas.t.sol:ShareLemmas": [
                {
                    "name": f"{FALSE}(uint8)",
                    "exitcode": 1,
                    "models": [{"model": {"p_assets": value}, "is_valid": True}],
                    "num_paths": [28, 8, 0],
                    "time": [1.5, 0.7, 0.8],
                }
            ]
        }
    }
    (found,) = parse_results(results)
    assert (found.contract, found.name, found.values) == ("ShareLemmas", FALSE, {"assets": 128})
    assert found.as_meant
