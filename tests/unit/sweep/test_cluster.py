"""Clusters: an address, the missing package, a scheduler that is not there, a worker that dies."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from keeper.errors import SettingError
from keeper.sweep.cluster import run_on_cluster
from keeper.sweep.job import Job, make_job
from keeper.sweep.work import Figures
from tests.unit.sweep.jobs import DEADLY, deadly, echo, variation, write_bars


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    common = variation(write_bars(tmp_path / "bars.csv"))
    return [make_job(common, (("low", low),), (None, None)) for low in ("1.2", DEADLY, "1.4")]


def test_a_running_cluster_is_used_by_its_address(jobs: list[Job]) -> None:
    distributed: Any = import_module("distributed")
    found: dict[int, Figures] = {}
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=False,
        host="127.0.0.1",
        protocol="tcp",
        dashboard_address=None,
    ) as cluster:
        run_on_cluster(jobs, cluster.scheduler_address, 1, found.__setitem__, echo)
    assert [found[place]["low"] for place in range(3)] == ["1.2", DEADLY, "1.4"]


def test_nobody_without_its_certificate_reaches_a_cluster_of_our_own(
    jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who reaches a scheduler runs code as the one who started it."""
    distributed: Any = import_module("distributed")
    addresses: list[str] = []
    made = distributed.LocalCluster

    def watched(**options: Any) -> Any:
        cluster = made(**options)
        addresses.append(cluster.scheduler_address)
        return cluster

    monkeypatch.setattr(distributed, "LocalCluster", watched)
    found: dict[int, Figures] = {}
    run_on_cluster(jobs[:1], "local", 1, found.__setitem__, echo)
    assert found[0]["error"] == ""
    (address,) = addresses
    assert address.startswith("tls://127.0.0.1:")


def test_a_worker_that_dies_costs_its_own_run(jobs: list[Job]) -> None:
    found: dict[int, Figures] = {}
    run_on_cluster(jobs, "local", 2, found.__setitem__, deadly)
    assert "the cluster lost the run (KilledWorker" in found[1]["error"]
    assert found[0]["error"] == found[2]["error"] == ""


def test_an_address_without_a_scheduler_is_a_clear_error(
    jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keeper.sweep.cluster._CONNECT_S", 1)
    with pytest.raises(SettingError, match="no scheduler answers at"):
        run_on_cluster(jobs, "tcp://127.0.0.1:9", 1, lambda *_: None, echo)


def test_without_the_package_the_extra_is_named(
    jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SettingError, match=r"gimbal\[cluster\]"):
        run_on_cluster(jobs, "local", 1, lambda *_: None, echo)
