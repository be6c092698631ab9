"""keeper sweep: what it prints and writes, and one clear line for a mistake."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from keeper.cli.main import invoke
from keeper.cli.sweep import _print_ranked
from tests.unit.sweep.jobs import write_bars


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    return write_bars(tmp_path / "bars.csv")


def run(bars: Path, *words: object) -> int:
    command = ["sweep", "--strategy", "collateral_guard", "--data", bars, "--health", 1.5]
    return invoke([*map(str, command), "--jobs", "1", "--by", "total_return", *map(str, words)])


def test_figures_are_called_in_sample_and_failures_told(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(bars, "--vary", "low=1.2:1.6:3", "--out", tmp_path / "out") == 0
    said = capsys.readouterr()
    assert "IN-SAMPLE" in said.out
    assert "failed: low=1.6" in said.out
    assert said.err.splitlines()[-1] == "sweep 3/3 runs, 1 failed"
    assert (tmp_path / "out" / "rows.parquet").exists()
    assert run(bars, "--vary", "low=1.2:1.6:3", "--out", tmp_path / "out") == 0
    assert "3 of 3 runs, 3 of them known before" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "said"), [("raised ValueError", "no run went through"), ("", "ratios need 20 days")]
)
def test_why_there_is_no_best_is_said(
    error: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _print_ranked(None, SimpleNamespace(ranked=[], rows=[(None, {"error": error})], by="sharpe"))  # type: ignore[arg-type]
    assert said in capsys.readouterr().out


def test_walk_forward_in_json_says_which_figures_are_which(
    bars: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(bars, "--vary", "low=1.2,1.3", "--folds", 1, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["runs"], facts["done"], facts["failed"]) == (4, 4, 0)
    (fold,) = facts["walk_forward"]
    assert fold["chosen_on"][1] == fold["reported_on"][0]
    assert facts["best"] == []
    assert facts["best_and_worst_are"] == "in-sample"


def test_draws_are_as_many_as_asked(bars: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--vary", "low=1.2:1.4", "--sample", 3, "--seed", 7, "--json")
    assert run(bars, *words) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["runs"] == 3
    assert run(bars, *words) == 0
    assert json.loads(capsys.readouterr().out) == first


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--vary", "low"), "is no NAME=a,b,c"),
        (("--vary", "low=1.2:1.3"), "no number of values"),
        (("--vary", "nope=1,2"), "no such parameter"),
        (("--vary", "low=1.2,1.3", "--set", "low=1.2"), "low is set as well"),
        (("--vary", "low=1.2,1.3", "--by", "luck"), "there is no ratio 'luck'"),
        (("--vary", "low=1.2,1.3", "--folds", "90"), "too many for the data"),
        (("--vary", "world.pool.fee=1,2"), "the world has no pool.fee"),
        ((), "Missing option '--vary'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    bars: Path, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(bars, *words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def hedges(bars: Path, *words: object) -> int:
    command = ["sweep", "--strategy", "delta_band", "--data", bars, "--health", 2.5]
    command += ["--vary", "band=0.1,2", "--set", "target_delta=400", "--by", "total_return"]
    return invoke([*map(str, command), *map(str, words)])


def test_the_kernel_is_used_where_it_can_and_says_so(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = []
    for name, jobs in (("one", 1), ("two", 2)):
        out = tmp_path / name
        assert hedges(bars, "--kernel", "auto", "--jobs", jobs, "--json", "--out", out) == 0
        assert json.loads(capsys.readouterr().out)["engines"] == ["kernel"]
        tables.append((out / "rows.parquet").read_bytes())
    assert tables[0] == tables[1]
    words = ("--world", "oracle.latency_s=30", "--jobs", 1, "--json")
    assert hedges(bars, "--kernel", "auto", *words) == 0
    assert json.loads(capsys.readouterr().out)["engines"] == ["pipeline"]


def test_the_kernel_alone_names_the_restriction_that_is_broken(
    bars: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hedges(bars, "--kernel", "only", "--world", "oracle.latency_s=30", "--jobs", 1) == 2
    assert "the oracle's rounds come late" in capsys.readouterr().err
    assert run(bars, "--vary", "low=1.2,1.3", "--kernel", "only") == 2
    assert "no delta_band and no delta_hedge" in capsys.readouterr().err
