"""Workers: each job once, a death is told by name, and nobody is left behind."""

import multiprocessing
from pathlib import Path

import pytest

from keeper.sweep.job import Job, make_job
from keeper.sweep.processes import run_in_processes
from keeper.sweep.work import Figures
from tests.unit.sweep.jobs import DEADLY, deadly, echo, variation, write_bars


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    common = variation(write_bars(tmp_path / "bars.csv"))
    lows = ("1.2", "1.25", DEADLY, "1.34", "1.4")
    return [make_job(common, (("low", low),), (None, None)) for low in lows]


def test_every_job_is_done_once(jobs: list[Job]) -> None:
    found: dict[int, Figures] = {}

    def done(place: int, figures: Figures) -> None:
        assert place not in found
        found[place] = figures

    run_in_processes(jobs, 2, done, echo)
    lows = [found[place]["low"] for place in range(len(jobs))]
    assert lows == [dict(job.point)["low"] for job in jobs]
    assert not multiprocessing.active_children()


def test_a_killed_worker_costs_its_own_job_and_no_other(jobs: list[Job]) -> None:
    found: dict[int, Figures] = {}
    run_in_processes(jobs, 2, found.__setitem__, deadly)
    assert "killed by SIGKILL" in found[2]["error"]
    assert "memory" in found[2]["error"]
    assert found[2]["lost"]
    assert [found[place]["error"] for place in (0, 1, 3, 4)] == [""] * 4
    assert not multiprocessing.active_children()


def test_an_interruption_leaves_no_worker(jobs: list[Job]) -> None:
    def stop(place: int, figures: Figures) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_in_processes(jobs, 2, stop, echo)
    assert not multiprocessing.active_children()
