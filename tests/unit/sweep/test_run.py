"""A sweep: the same rows whoever makes them, nothing run twice, failures as rows."""

import json
import math
import multiprocessing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from keeper.errors import MarketDataError, SettingError
from keeper.sweep import Sweep, run_sweep
from keeper.sweep.job import make_job
from keeper.sweep.points import Point, Vary, grid
from keeper.sweep.work import run_job
from tests.unit.sweep.jobs import HOURS, variation, write_bars

POINTS: tuple[Point, ...] = grid(
    [Vary.parsed("low=1.2,1.35,1.5"), Vary.parsed("world.chain.latency_blocks=1,4")]
)


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    return write_bars(tmp_path / "bars.csv")


def sweep(bars: Path, **options: Any) -> Sweep:
    return run_sweep(variation(bars), POINTS, by="total_return", **options)


def test_one_process_several_and_a_cluster_write_the_same_bytes(bars: Path, tmp_path: Path) -> None:
    ways: dict[str, dict[str, Any]] = {
        "here": {"jobs": 1},
        "processes": {"jobs": 2},
        "cluster": {"jobs": 2, "cluster": "local"},
    }
    tables, summaries = set(), set()
    for name, way in ways.items():
        done = sweep(bars, out=tmp_path / name, **way)
        assert len(done.rows) == len(POINTS)
        tables.add((tmp_path / name / "rows.parquet").read_bytes())
        summaries.add((tmp_path / name / "summary.json").read_text())
    assert len(tables) == len(summaries) == 1
    rows = pq.read_table(tmp_path / "cluster" / "rows.parquet").to_pydict()
    assert len({digest for digest in rows["digest"] if digest}) == 4
    assert not multiprocessing.active_children()


def test_a_failing_point_is_a_row_with_its_reason(bars: Path) -> None:
    columns = sweep(bars).columns
    wrong = [low == 1.5 for low in columns["low"]]
    assert [bool(error) for error in columns["error"]] == wrong
    assert "1 < low < target < high" in columns["error"][-1]
    assert all((steps == HOURS) != bad for steps, bad in zip(columns["steps"], wrong, strict=True))


def test_what_is_known_is_not_run_again(bars: Path, tmp_path: Path) -> None:
    told: list[int] = []

    def stop(done: int, runs: int, failed: int) -> None:
        told.append(done)
        if done == 2:
            raise KeyboardInterrupt

    first = sweep(bars, out=tmp_path / "out", progress=stop)
    assert first.interrupted
    assert len(first.rows) == 2
    assert len(pq.read_table(tmp_path / "out" / "rows.parquet")) == 2
    told.clear()
    second = sweep(
        bars, out=tmp_path / "out", progress=lambda done, _runs, _failed: told.append(done)
    )
    assert second.resumed == 2
    assert told == list(range(2, len(POINTS) + 1))
    whole = sweep(bars, out=tmp_path / "whole")
    assert second.columns == whole.columns
    third = sweep(bars, out=tmp_path / "out")
    assert third.resumed == len(POINTS)


def test_the_key_is_of_everything_that_matters(bars: Path, tmp_path: Path) -> None:
    common, point, span = variation(bars), POINTS[0], (None, None)
    other = write_bars(tmp_path / "other.csv", HOURS + 1)
    keys = [
        make_job(common, point, span).key,
        make_job(common, POINTS[1], span).key,
        make_job(common, point, (1_600_010_000, None)).key,
        make_job(variation(other), point, span).key,
        make_job(replace(common, settings=(("target", "1.6"),)), point, span).key,
        make_job(replace(common, world=(("pool.fee_pips", "100"),)), point, span).key,
        make_job(replace(common, opening=replace(common.opening, deposit=2e6)), point, span).key,
        make_job(replace(common, files=replace(common.files, inside=True)), point, span).key,
        make_job(replace(common, engine="kernel"), point, span).key,
        make_job(variation(bars, "delta_band"), point, span).key,
    ]
    assert len(set(keys)) == len(keys)
    moved = tmp_path / "elsewhere.csv"
    moved.write_bytes(bars.read_bytes())
    assert make_job(variation(moved), point, span).key == keys[0]


def test_a_file_of_candidates_is_part_of_the_key_and_of_what_a_worker_checks(
    bars: Path, tmp_path: Path
) -> None:
    """Wherever it is named; a name alone would give yesterday's rows for today's file."""
    file = tmp_path / "candidates.json"
    inner = {"name": "objective", "parameters": {"candidates": str(file)}}
    for settings in (
        (("candidates", str(file)),),
        (("parts", json.dumps([inner])),),
    ):
        common = replace(variation(bars, "objective"), settings=settings)
        file.write_text("[]")
        before = make_job(common, (), (None, None))
        file.write_text("[ ]")
        after = make_job(common, (), (None, None))
        assert before.key != after.key
        assert "another file" in run_job(before)["error"]
        file.unlink()
        assert "not there" in run_job(before)["error"]


def test_code_of_strategies_inside_others_is_part_of_the_key(bars: Path) -> None:
    parts = json.dumps(
        [{"name": "delta_band"}, {"strategy": "strategies.covered_call:CoveredCall"}]
    )
    common = replace(variation(bars, "composite"), settings=(("parts", parts),))
    assert make_job(common, (), (None, None)).strategies == (
        "composite",
        "covered_call",
        "delta_band",
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_figure_that_is_no_number_is_none(
    bars: Path, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the files were no JSON, and the order of the best no order."""
    monkeypatch.setattr("keeper.sweep.work._played", lambda _job: {"sharpe": value, "gas": 1.0})
    figures = run_job(make_job(variation(bars), POINTS[0], (None, None)))
    assert figures == {"error": "", "sharpe": None, "gas": 1.0}


def test_folds_part_the_span_and_every_point_runs_on_each(bars: Path) -> None:
    done = sweep(bars, folds=2)
    spans = list(dict.fromkeys(job.span for job in done.jobs))
    assert len(spans) == 3
    assert all(a[1] == b[0] for a, b in pairwise(spans))
    assert sum(done.columns["steps"][i] for i in (0, 6, 12)) == HOURS - 2  # two edges
    assert len(done.folds) == 2
    assert not done.summary()["best"]


def test_a_name_that_no_point_can_run_with_stops_the_sweep(bars: Path) -> None:
    with pytest.raises(SettingError, match="no such parameter"):
        run_sweep(variation(bars), [(("nope", "1"),)])
    with pytest.raises(SettingError, match=r"the world has no pool\.fee"):
        run_sweep(variation(bars), [(("world.pool.fee", "1"),)])
    with pytest.raises(SettingError, match="too many for the data"):
        sweep(bars, folds=HOURS)
    with pytest.raises(MarketDataError):
        sweep(bars, span=(1_700_000_000, None))


def test_a_worker_with_other_code_or_data_refuses(bars: Path) -> None:
    from keeper.sweep.work import run_job

    job = make_job(variation(bars), POINTS[0], (None, None))
    assert "runs other code" in run_job(replace(job, code="x"))["error"]
    assert "is another file" in run_job(replace(job, data=("x",)))["error"]
