"""The score counts what compiled; results are reused only where they still hold."""

import json
from pathlib import Path

import pytest

from scripts.contracts.common import ToolError
from scripts.contracts.mutant_score import (
    Result,
    load_results,
    parse_explained,
    percent,
    report,
    reusable,
    score,
    summary,
    wilson,
)
from scripts.contracts.mutant_tests import read_output, tiers
from scripts.contracts.mutate import draw, jobs_of, settled, stage_of

TEXT = """
contract Vault {
    function run(uint256 a) external {
        if (a > 1) revert E();
    }

    function walk(uint256 a) external {
        total += a;
    }
}
"""


def result(status: str, key: str = "k", tree: str = "now") -> Result:
    return Result(key, "Vault", "run", "check", "if (a) revert E();", "{}", status, "", 1.0, tree)


EXPLAINED = {("Vault", "run", "if (a) revert E();", "{}"): "the caller has checked it already"}


@pytest.mark.parametrize(
    ("output", "code", "status"),
    [
        ("[FAIL: wrong] test_x() (gas: 3)\n1 tests passed, 1 failed, 0 skipped", 1, "killed"),
        ("[FAIL: EvmError: Revert] setUp() (gas: 0)\n", 1, "killed"),
        ("Error: Compiler run failed:\nError (7576): Undeclared identifier.", 1, "odd"),
        ("Ran 1 suite: 4 tests passed, 0 failed, 0 skipped (4 total tests)", 0, "survived"),
        ("No tests to run", 0, "odd"),
        ("Ran 1 suite: 0 tests passed, 0 failed, 0 skipped", 0, "odd"),
        ("panicked at main.rs", 101, "odd"),
    ],
)
def test_forges_output_decides(output: str, code: int, status: str) -> None:
    assert read_output(output, code)[0] == status


def test_the_killer_is_named() -> None:
    assert read_output(
        "[FAIL: 1 != 2; counterexample: args=[0]] testFuzz_x(uint256) (runs: 0)", 1
    ) == (
        "killed",
        "testFuzz_x(uint256)",
    )


def test_the_score_leaves_out_what_did_not_compile_and_what_is_explained() -> None:
    results = [result("killed"), result("timeout"), result("uncompiled"), result("odd")]
    assert score(results, {}) == (2, 2, 0)
    assert score([*results, result("survived")], {}) == (2, 3, 0)
    assert percent(2, 3, 0) == pytest.approx(66.7, abs=0.1)
    assert percent(*score([*results, result("survived")], EXPLAINED)) == 100.0


def test_no_mutant_is_no_score() -> None:
    assert percent(0, 0, 0) == 0.0


@pytest.mark.parametrize(
    ("status", "tree", "kept"),
    [
        ("killed", "before", True),
        ("timeout", "before", True),
        ("uncompiled", "before", True),
        ("same", "before", False),
        ("survived", "now", True),
        ("survived", "before", False),
        ("odd", "now", False),
    ],
)
def test_a_survivor_is_tried_again_once_anything_has_changed(
    status: str, tree: str, kept: bool
) -> None:
    assert ("k" in reusable([result(status, tree=tree)], "now")) is kept


def test_the_last_result_counts() -> None:
    assert reusable([result("survived"), result("killed")], "now")["k"].status == "killed"


def test_a_line_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(json.dumps(result("killed").__dict__) + '\n{"key": "half')
    assert [r.status for r in load_results(path)] == ["killed"]


def test_a_change_of_one_function_leaves_the_others_keys() -> None:
    before = {job.mutant.function: job.key for job in jobs_of("Vault", TEXT)}
    after = {
        job.mutant.function: job.key
        for job in jobs_of("Vault", TEXT.replace("total += a;", "total += 2 * a;"))
        if job.mutant.line != "total += 2 * a;" or job.mutant.kind == "assignment"
    }
    assert before["run"] == after["run"]
    assert before["walk"] != after["walk"]


def test_keys_do_not_depend_on_lines() -> None:
    assert [j.key for j in jobs_of("Vault", TEXT)] == [
        j.key for j in jobs_of("Vault", "\n\n" + TEXT)
    ]


def test_every_mutant_has_a_key_of_its_own() -> None:
    keys = [job.key for job in jobs_of("Vault", TEXT.replace("total += a;", "a + a; a + a;"))]
    assert len(keys) == len(set(keys))


def test_every_file_that_sees_the_contract_is_in_one_tier() -> None:
    visible = ["OptionBook", "OptionBookInvariants", "PriceOracle", "StolenKey"]
    assert tiers(visible, ("OptionBook*",)) == (
        ["OptionBook"],
        ["PriceOracle"],
        ["OptionBookInvariants", "StolenKey"],
    )


def test_a_draw_is_the_beginning_of_a_longer_draw() -> None:
    jobs = jobs_of("Vault", TEXT)
    assert draw(jobs, 1, 2) == draw(jobs, 1, 0)[:2]
    assert sorted(j.key for j in draw(jobs, 1, 0)) == sorted(j.key for j in jobs)


def test_a_draw_does_not_depend_on_the_order_of_the_text() -> None:
    jobs = jobs_of("Vault", TEXT)
    assert draw(jobs, 1, 0) == draw(jobs[::-1], 1, 0)


def test_a_survivor_has_still_to_meet_the_later_stages() -> None:
    first = Result("k", "V", "f", "check", "a", "b", "survived", "stage 1", 1.0, "now")
    assert (stage_of(None), stage_of(first), stage_of(result("killed"))) == (0, 1, 0)
    assert not settled(None, 1)
    assert settled(first, 1)
    assert not settled(first, 2)
    assert settled(result("killed"), 3)


def test_the_same_code_is_not_counted() -> None:
    assert score([result("killed"), result("same")], {}) == (1, 1, 0)


def test_wilsons_interval_is_that_of_the_tables() -> None:
    low, high = wilson(9, 10)
    assert low == pytest.approx(59.6, abs=0.1)
    assert high == pytest.approx(98.2, abs=0.1)
    assert wilson(0, 0) == (0.0, 100.0)
    assert wilson(10, 10)[1] == pytest.approx(100.0)


def test_the_interval_is_told_of_a_sample_only() -> None:
    results = [result("killed")] * 9 + [result("survived")]
    assert "95 % interval 59.6-98.2 %" in summary(results, {}, 20)
    assert "interval" not in summary(results, {}, 10)


def test_a_contract_below_the_least_score_fails_the_whole() -> None:
    good = [Result(f"{n}", "A", "f", "check", "", "", "killed", "", 1.0, "now") for n in range(99)]
    bad = [result("survived")]
    assert report(good, {}, {"A": 99}) == 0
    assert report([*good, *bad], {}, {"A": 99, "Vault": 1}) == 1
    assert report([], {}, {"A": 99}) == 1


@pytest.mark.parametrize("entries", [{}, [{}], [{"contract": "Vault"}]])
def test_a_doubtful_explanation_is_refused(entries: object) -> None:
    with pytest.raises(ToolError):
        parse_explained(entries)


def test_an_explanation_needs_words() -> None:
    entry = {"contract": "V", "function": "f", "line": "a", "mutant": "b", "reason": "same"}
    with pytest.raises(ToolError, match="no reason"):
        parse_explained([entry])
